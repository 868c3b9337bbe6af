"""SQuAD 2.0's head against XLNet's parts in transformers, and what its masks must stand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from transformers import XLNetConfig
from transformers.models.xlnet.modeling_xlnet import (
    XLNetPoolerAnswerClass,
    XLNetPoolerEndLogits,
    XLNetPoolerStartLogits,
)

from albert_lib import AlbertConfig, AlbertForConditionedSpans, AlbertForPreTraining
from albert_lib.errors import CheckpointError, InputError
from albert_lib.model.conditioned_spans import ConditionedSpanHead, mask_outside_window
from albert_lib.training.precision import autocast

LENGTHS = [(3, 9), (2, 6), (4, 4)]  # of question and window, without special tokens
IMPOSSIBLE = torch.tensor([0, 1, 0])
STARTS, ENDS = torch.tensor([6, 0, 6]), torch.tensor([8, 0, 9])


def batch(width: int = 15) -> dict[str, torch.Tensor]:
    """[CLS] question [SEP] window [SEP], three of different lengths."""
    generator = torch.Generator().manual_seed(3)
    ids, mask, segments = (torch.zeros(3, width, dtype=torch.long) for _ in range(3))
    for row, (question, window) in enumerate(LENGTHS):
        length = question + window + 3
        ids[row, :length] = torch.randint(5, 100, (length,), generator=generator)
        mask[row, :length] = 1
        segments[row, question + 2 : length] = 1
    return {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}


def labels() -> dict[str, torch.Tensor]:
    return {"start_positions": STARTS, "end_positions": ENDS, "is_impossible": IMPOSSIBLE}


def p_mask(width: int = 15) -> torch.Tensor:
    """1 but at [CLS] and in the window, written down from the lengths."""
    mask = torch.ones(3, width)
    for row, (question, window) in enumerate(LENGTHS):
        mask[row, 0] = 0
        mask[row, question + 2 : question + 2 + window] = 0
    return mask


@pytest.fixture
def model(tiny: AlbertConfig) -> AlbertForConditionedSpans:
    torch.manual_seed(0)
    made = AlbertForConditionedSpans(tiny.replace(num_hidden_layers=1, initializer_range=0.3))
    with torch.no_grad():  # biases and norm away from where they start
        for parameter in made.span_head.parameters():
            if parameter.dim() == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
    return made.eval()


class XLNetHead:
    """The three parts of transformers, with the weights of ours; put together as Google does."""

    def __init__(self, head: ConditionedSpanHead) -> None:
        config = XLNetConfig(d_model=head.start.in_features, n_head=1, layer_norm_eps=1e-12)
        self.start, self.end = XLNetPoolerStartLogits(config), XLNetPoolerEndLogits(config)
        self.answer = XLNetPoolerAnswerClass(config)
        pairs = {
            "start": (self.start.dense, head.start),
            "end_hidden": (self.end.dense_0, head.end_hidden),
            "end_norm": (self.end.LayerNorm, head.end_norm),
            "end": (self.end.dense_1, head.end),
            "no_answer_hidden": (self.answer.dense_0, head.no_answer_hidden),
            "no_answer": (self.answer.dense_1, head.no_answer),
        }
        self.theirs = {name: part for name, (part, _) in pairs.items()}
        for part, ours in pairs.values():
            part.load_state_dict(ours.state_dict())

    def no_answer(self, states: torch.Tensor, start_logits: torch.Tensor) -> torch.Tensor:
        expected = torch.einsum("blh,bl->bh", states, start_logits.softmax(-1))
        first = torch.zeros(len(states), dtype=torch.long)
        return self.answer(states, start_states=expected, cls_index=first)

    def loss(self, states: torch.Tensor) -> torch.Tensor:
        start = self.start(states, p_mask=p_mask())
        end = self.end(states, start_positions=STARTS, p_mask=p_mask())
        rows = torch.arange(3)
        span = -(start.log_softmax(-1)[rows, STARTS] + end.log_softmax(-1)[rows, ENDS]).mean() / 2
        odds = self.no_answer(states, start)
        right = torch.where(IMPOSSIBLE == 1, torch.sigmoid(odds), 1 - torch.sigmoid(odds))
        return span - right.log().mean() / 2


@torch.no_grad()
def test_scores_are_those_of_xlnets_parts(model: AlbertForConditionedSpans) -> None:
    states = model.albert(**batch()).last_hidden_state
    theirs = XLNetHead(model.span_head)
    trained, found = model(**batch(), **labels()), model(**batch())
    start = theirs.start(states, p_mask=p_mask())
    end = theirs.end(states, start_positions=STARTS, p_mask=p_mask())
    for mine, expected in (
        (trained.start_logits, start),
        (trained.end_logits, end),
        (trained.no_answer_logits, theirs.no_answer(states, start)),
        (found.start_logits, start),
        (found.no_answer_logits, theirs.no_answer(states, start)),
        (trained.loss, theirs.loss(states)),
    ):
        assert (mine - expected).abs().max() < 1e-5
        assert expected.numel() == 1 or expected.clamp(min=-99).std() > 0.1

    for row in range(3):  # the beams, one start after another
        best = start[row].log_softmax(-1).sort(descending=True)
        assert found.top_starts[row].tolist() == best.indices[:5].tolist()
        assert (found.top_start_log_probs[row] - best.values[:5]).abs().max() < 1e-5
        for beam, place in enumerate(best.indices[:5]):
            chosen = place[None].expand(3)
            given = theirs.end(states, start_positions=chosen, p_mask=p_mask())[row]
            ends = given.log_softmax(-1).sort(descending=True)
            assert found.top_ends[row, beam].tolist() == ends.indices[:5].tolist()
            assert (found.top_end_log_probs[row, beam] - ends.values[:5]).abs().max() < 1e-5
    # Which end is likely depends on the start.
    assert len({tuple(ends) for ends in found.top_ends[0].tolist()}) > 1


def test_gradients_are_those_of_xlnets_parts(model: AlbertForConditionedSpans) -> None:
    states = model.albert(**batch()).last_hidden_state
    theirs = XLNetHead(model.span_head)
    theirs.loss(states).backward(retain_graph=True)
    encoder = dict(model.albert.named_parameters())
    expected = {name: each.grad.clone() for name, each in encoder.items()}
    model.zero_grad()
    model(**batch(), **labels()).loss.backward()
    for name, each in encoder.items():
        assert (each.grad - expected[name]).abs().max() < 1e-5 * (1 + expected[name].abs().max())
    for part, module in theirs.theirs.items():
        for name, weight in module.named_parameters():
            mine = model.span_head.get_submodule(part).get_parameter(name).grad
            assert (mine - weight.grad).abs().max() < 1e-5, (part, name)
            assert weight.grad.abs().max() > 1e-4 or name == "bias", (part, name)


def test_the_gradient_of_no_answer_goes_through_the_starts(
    model: AlbertForConditionedSpans,
) -> None:
    model(**batch()).no_answer_logits.sum().backward()
    slope = model.span_head.start.weight.grad
    step = 1e-2 * slope / slope.norm()
    with torch.no_grad():
        model.span_head.start.weight.add_(step)
        above = model(**batch()).no_answer_logits.sum()
        model.span_head.start.weight.sub_(2 * step)
        below = model(**batch()).no_answer_logits.sum()
    assert slope.norm() > 1e-2
    assert ((above - below) / 2e-2).item() == pytest.approx(slope.norm().item(), rel=1e-2)


@torch.no_grad()
def test_padding_changes_nothing(model: AlbertForConditionedSpans) -> None:
    short = model(**batch(), **labels()), model(**batch())
    wide = model(**batch(31), **labels()), model(**batch(31))
    assert (short[0].loss - wide[0].loss).abs() < 1e-6
    for name in ("start_logits", "end_logits"):
        before, after = short[0][name], wide[0][name]
        assert torch.equal(after[:, 15:], torch.full((3, 16), -1e30))
        assert (after[:, :15] - before).abs().max() < 1e-5
    assert (short[1].no_answer_logits - wide[1].no_answer_logits).abs().max() < 1e-5
    for name in ("top_starts", "top_ends"):  # five places or more are open in each row
        assert torch.equal(short[1][name], wide[1][name])
    for row, (question, window) in enumerate(LENGTHS):
        alone = {
            name: each[row : row + 1, : question + window + 3] for name, each in batch().items()
        }
        one = model(**alone)
        assert (one.no_answer_logits - short[1].no_answer_logits[row]).abs().max() < 1e-5
        assert torch.equal(one.top_ends[0], short[1].top_ends[row])
        assert (one.top_end_log_probs[0] - short[1].top_end_log_probs[row]).abs().max() < 1e-5


def test_where_no_answer_starts_or_ends(model: AlbertForConditionedSpans) -> None:
    tensors = batch()
    segments, attention = tensors["token_type_ids"], tensors["attention_mask"]
    assert torch.equal(mask_outside_window(segments, attention).float(), p_mask())
    assert torch.equal(mask_outside_window(segments).float(), p_mask())  # segment 0 in padding
    # Without padding, with padding that is said to be segment 1, and with an empty window.
    assert mask_outside_window(torch.tensor([[0, 0, 1, 1]])).tolist() == [
        [False, True, False, True]
    ]
    longer = torch.tensor([[0, 0, 1, 1, 1]])
    mask = mask_outside_window(longer, torch.tensor([[1, 1, 1, 1, 0]]))
    assert mask.tolist() == [[False, True, False, True, True]]
    assert mask_outside_window(torch.tensor([[0, 0, 1]])).tolist() == [[False, True, True]]
    with torch.no_grad():
        given = model(**tensors, p_mask=p_mask().long())
        assert torch.equal(given.start_logits, model(**tensors).start_logits)
        del tensors["token_type_ids"]
        everywhere = model(**tensors, p_mask=torch.zeros(3, 15, dtype=torch.bool))
        assert everywhere.start_logits.min() > -1e3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("by_autocast", [True, False])
def test_nothing_overflows(
    model: AlbertForConditionedSpans, dtype: torch.dtype, by_autocast: bool
) -> None:
    """-1e30 is minus infinity in float16: every score is float32, even where all are masked."""
    if by_autocast and dtype == torch.float16:
        pytest.skip("the library's training precisions are float32 and bfloat16")
    with torch.no_grad():
        exact = model(**batch())
    model = model if by_autocast else model.to(dtype)
    nothing = torch.ones(3, 15, dtype=torch.long)
    nothing[:, 0] = torch.tensor([0, 0, 1])  # [CLS] alone, [CLS] alone, and nothing at all
    with autocast(torch.device("cpu"), dtype if by_autocast else torch.float32):
        trained = model(**batch(), **labels())
        assert (trained.loss.dtype, trained.start_logits.dtype) == (torch.float32, torch.float32)
        trained.loss.backward()
        assert all(each.grad.isfinite().all() for each in model.parameters())
        with torch.no_grad():
            found, masked = model(**batch()), model(**batch(), p_mask=nothing)
    for output in (trained, found, masked):
        assert all(scores.isfinite().all() for scores in output.to_tuple())
    assert (found.start_logits - exact.start_logits).abs().max() < 0.2
    assert (found.no_answer_logits - exact.no_answer_logits).abs().max() < 0.2
    assert masked.top_starts[:2, 0].tolist() == [0, 0]
    assert masked.top_start_log_probs[:2, 0].abs().max() == 0  # certain
    assert masked.top_ends[:2, 0, 0].tolist() == [0, 0]


@torch.no_grad()
def test_a_window_shorter_than_the_beams(model: AlbertForConditionedSpans) -> None:
    output = model(torch.tensor([[2, 3, 42, 3]]), token_type_ids=torch.tensor([[0, 0, 1, 1]]))
    assert output.top_ends.shape == (1, 4, 4)
    assert sorted(output.top_starts[0, :2].tolist()) == [0, 2]
    assert output.top_start_log_probs[0, :2].exp().sum().item() == pytest.approx(1)
    assert output.top_start_log_probs[0, 2:].max() < -1e29
    empty = model(torch.tensor([[2, 3, 3]]), token_type_ids=torch.tensor([[0, 0, 1]]))
    assert empty.top_starts[0, 0] == 0 and empty.no_answer_logits.isfinite().all()


def test_dropout_is_in_no_answer_alone(tiny: AlbertConfig) -> None:
    model = AlbertForConditionedSpans(tiny.replace(classifier_dropout_prob=0.5)).train()
    first, second = (model(**batch(), **labels()) for _ in range(2))
    assert torch.equal(first.start_logits, second.start_logits)
    assert torch.equal(first.end_logits, second.end_logits)
    assert not torch.equal(first.no_answer_logits, second.no_answer_logits)
    first, second = (model.eval()(**batch(), **labels()) for _ in range(2))
    assert torch.equal(first.no_answer_logits, second.no_answer_logits)
    assert AlbertForConditionedSpans(tiny).span_head.dropout.p == 0.1


def test_a_new_head_starts_as_the_library_draws_heads(tmp_path: Any, tiny: AlbertConfig) -> None:
    AlbertForPreTraining(tiny.replace(initializer_range=0.05)).save_pretrained(tmp_path)
    with pytest.warns(UserWarning, match=r"lacks span_head.*new weights"):
        model = AlbertForConditionedSpans.from_pretrained(tmp_path)
    head = model.span_head
    for name, parameter in head.named_parameters():
        if name == "end_norm.weight":
            assert torch.equal(parameter, torch.ones(32))
        elif name.endswith("bias"):
            assert torch.equal(parameter, torch.zeros_like(parameter)), name
    assert head.end_hidden.weight.std().item() == pytest.approx(0.05, rel=0.1)
    assert head.no_answer.bias is None and head.end_norm.eps == 1e-12
    with pytest.warns(UserWarning, match="new weights"):
        cut = AlbertForConditionedSpans.from_pretrained(tmp_path, truncated_init=True)
    assert 0.09 < cut.span_head.end_hidden.weight.abs().max() <= 0.1


@torch.no_grad()
def test_what_is_saved_is_loaded(tmp_path: Any, model: AlbertForConditionedSpans) -> None:
    model.save_pretrained(tmp_path)
    again = AlbertForConditionedSpans.from_pretrained(tmp_path)
    assert model.state_dict().keys() == again.state_dict().keys()
    assert torch.equal(model(**batch(), **labels()).loss, again(**batch(), **labels()).loss)
    bare = AlbertForConditionedSpans.from_pretrained(tmp_path, dtype="bfloat16").albert
    assert bare.dtype == torch.bfloat16
    with pytest.raises(CheckpointError, match="load it as the kind of model"):
        AlbertForPreTraining.from_pretrained(tmp_path)


@torch.no_grad()
def test_hidden_states_and_embeddings_of_ones_own(model: AlbertForConditionedSpans) -> None:
    tensors = batch()
    output = model(**tensors, output_hidden_states=True, output_attentions=True)
    assert len(output.hidden_states) == len(output.attentions) + 1 == 2
    assert output[0] is output.start_logits and output.loss is None
    words = model.albert.embeddings.word_embeddings(tensors.pop("input_ids"))
    assert (model(**tensors, inputs_embeds=words).start_logits - output[0]).abs().max() < 1e-5


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"is_impossible": None}, "give is_impossible too"),
        ({"start_positions": torch.tensor([6, 0, 1])}, r"start_positions\[2\] is 1, where no"),
        ({"end_positions": torch.tensor([99, 0, 9])}, r"end_positions\[0\] is 99, where no"),
        ({"end_positions": torch.tensor([8, -1, 9])}, r"end_positions\[1\] is -1, where no"),
        ({"token_type_ids": None}, "give token_type_ids, 1 in the window, or p_mask"),
        ({"masked_positions": torch.tensor([3])}, "takes no argument masked_positions"),
        ({"labels": STARTS}, "AlbertForConditionedSpans takes no argument labels"),
    ],
)
def test_what_does_not_work_says_so(
    model: AlbertForConditionedSpans, change: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InputError, match=sentence):
        model(**{**batch(), **labels(), **change})


def test_the_loss_by_hand(tiny: AlbertConfig) -> None:
    """With all weights of the head zero: ln of the open places, and ln 2."""
    model = AlbertForConditionedSpans(tiny)
    for parameter in model.span_head.parameters():
        torch.nn.init.zeros_(parameter)
    opened = torch.tensor([1.0 + window for _, window in LENGTHS])
    expected = opened.log().mean() + torch.tensor(2.0).log() / 2
    assert model(**batch(), **labels()).loss.item() == pytest.approx(expected.item(), rel=1e-6)
    model.span_head.no_answer.weight.data.fill_(1.0)
    model.span_head.no_answer_hidden.bias.data.fill_(1.0)
    odds = 32 * torch.tanh(torch.tensor(1.0))
    output = model.eval()(**batch(), **labels())
    assert torch.allclose(output.no_answer_logits, odds.expand(3))
    # One window of three is impossible, so only it is right.
    expected = opened.log().mean() + (2 * F.softplus(odds) + F.softplus(-odds)) / 3 / 2
    assert output.loss.item() == pytest.approx(expected.item(), rel=1e-6)
