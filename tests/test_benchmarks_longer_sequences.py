"""The benchmark of longer sequences runs, at a size too small to say anything about them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer, TokenStore
from albert_lib.training.held_out_scores import rows_to_score
from benchmarks import longer_sequences

LENGTH = 32


@pytest.fixture
def corpus(tmp_path: Path, english_tokenizer: AlbertTokenizer) -> Path:
    """What build-corpus would write of very little text."""
    for part in ("train", "held-out"):
        documents = [["The old man walks to the mill.", "He sleeps by the river."]] * 20
        TokenStore.build(tmp_path / "corpus" / part, documents, english_tokenizer)
    return tmp_path / "corpus"


@pytest.fixture
def model(english_tokenizer: AlbertTokenizer) -> AlbertForPreTraining:
    torch.manual_seed(0)
    return AlbertForPreTraining(
        AlbertConfig(
            vocab_size=english_tokenizer.vocab_size,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_position_embeddings=LENGTH,
            initializer_range=0.5,
        )
    ).eval()


def test_near_and_far_are_the_parts_of_the_loss(
    model: AlbertForPreTraining, corpus: Path, english_tokenizer: AlbertTokenizer
) -> None:
    store = TokenStore.open(corpus / "held-out")
    batches = list(rows_to_score(store, english_tokenizer, 8, LENGTH, plain=True))
    (batch,) = batches
    near, far = longer_sequences.near_and_far(model, batches, trained=12)
    logits = model(batch.input_ids, batch.attention_mask, batch.token_type_ids).prediction_logits
    sums = {True: 0.0, False: 0.0}
    counts = {True: 0, False: 0}
    for place, label in zip(batch.masked_positions.tolist(), batch.masked_labels, strict=True):
        row, position = divmod(place, LENGTH)
        loss = -logits[row, position].log_softmax(-1)[label].item()
        sums[position < 12] += loss
        counts[position < 12] += 1
    assert near == pytest.approx(sums[True] / counts[True], rel=1e-4)
    assert far == pytest.approx(sums[False] / counts[False], rel=1e-4)


def test_the_table_has_both_ways_before_and_after(
    model: AlbertForPreTraining,
    corpus: Path,
    english_tokenizer: AlbertTokenizer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(longer_sequences, "LENGTH", LENGTH)
    model.save_pretrained(tmp_path / "model")
    english_tokenizer.save_pretrained(tmp_path / "model")
    words = [str(tmp_path / "model"), "--corpus", str(corpus)]
    words += "--trained 8 --steps 2 --batch-size 2 --rows 4".split()
    assert longer_sequences.main(words) == 0
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[:2] for line in lines] == [
        [name, when] for name in ("as they are", "copied") for when in ("the start", "step 2")
    ]
    far = [float(line[3]) for line in lines]
    assert len(set(far)) == 4 and all(0 < loss < 40 for loss in far)
