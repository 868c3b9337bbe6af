"""The numbers in chapter 4's figures: where the loss begins, and what a head costs."""

from __future__ import annotations

import math

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from albert_lib.config import AlbertConfig
from albert_lib.model import AlbertForPreTraining
from albert_lib.workbook.drawings import chapter_04


@pytest.mark.parametrize("deviation", [0.02, 0.1])
def test_starting_loss_is_the_formula_while_the_scores_are_small(deviation: float) -> None:
    expected = math.log(2000) + 32 * deviation**2 / 2
    assert chapter_04.starting_loss(deviation, 2000, 32) == pytest.approx(expected, abs=0.02)


def test_starting_loss_is_what_an_untrained_model_pays(tiny: AlbertConfig) -> None:
    torch.manual_seed(0)
    model = AlbertForPreTraining(tiny.replace(vocab_size=2000, initializer_range=0.5)).eval()
    with torch.no_grad():
        logits = model(torch.randint(2000, (4, 16))).prediction_logits
    paid = float((logits.logsumexp(dim=-1) - logits.mean(dim=-1)).mean())
    # the positions of one model resemble each other, so its mean strays further
    assert chapter_04.starting_loss(0.5, 2000, 16) == pytest.approx(paid, abs=0.6)


def test_head_cost_counts_what_a_forward_pass_does(tiny: AlbertConfig) -> None:
    cost = chapter_04.head_cost(tiny, batch=2, length=32, predictions=5)
    with torch.device("meta"):  # PyTorch counts fused attention there, and not on a CPU
        model = AlbertForPreTraining(tiny).eval()
        embedded = torch.zeros(2, 32, tiny.embedding_size)
        hidden = torch.zeros(2, 32, tiny.hidden_size)
    words = model.albert.embeddings.word_embeddings.weight
    with FlopCounterMode(display=False) as counter:
        model.albert.encoder(embedded)
    assert cost["operations"]["encoder"] == counter.get_total_flops()
    for part, states in {"everywhere": hidden, "masked": hidden[:, :5]}.items():
        with FlopCounterMode(display=False) as counter:
            logits = model.mlm_head(states, words)
        assert cost["operations"][part] == counter.get_total_flops()
        assert cost["bytes"][part] == logits.numel() * logits.element_size()
