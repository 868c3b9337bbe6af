from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from albert_lib.corpus import TokenStore
from albert_lib.errors import ConfigError, StoreError
from albert_lib.files import data_folder, project_folder
from albert_lib.objectives import MaskingConfig, PretrainingBatches, batches, mask_batch

ENGLISH = data_folder() / "tokenizers" / "english-8k"


def assert_same(one, other):
    for field in fields(one):
        assert torch.equal(getattr(one, field.name), getattr(other, field.name)), field.name


def restored(batch):
    """The ids of a batch with everything masked put back."""
    ids = batch.input_ids.flatten().clone()
    ids[batch.masked_positions] = batch.masked_labels
    return ids.view_as(batch.input_ids)


def segments_of(row, segments):
    """A row's two segments, checked to be written [CLS] first [SEP] second [SEP] and padding."""
    row, segments = row.tolist(), segments.tolist()
    length = len(row) - row[::-1].index(3)
    middle = row.index(3)
    assert row[0] == 2 and row[length:] == [0] * (len(row) - length)
    expected = [0] * (middle + 1) + [1] * (length - middle - 1) + [0] * (len(row) - length)
    assert segments == expected
    return row[1:middle], row[middle + 1 : length - 1]


def test_a_batch_holds_pairs_of_the_text(counting_store, tokenizer):
    store = counting_store
    boundaries = 5 + store.sentence_starts[store.document_starts]
    made = PretrainingBatches(store, tokenizer, batch_size=16, sequence_length=24)
    for step in range(6):
        batch = made.batch(step)
        ids = restored(batch)
        assert batch.input_ids.shape == (16, 24)
        assert torch.equal(batch.attention_mask, (ids != 0).long())
        assert batch.n_tokens == int((ids != 0).sum())
        for row, segments, label in zip(ids, batch.token_type_ids, batch.sop_labels, strict=True):
            first, second = segments_of(row, segments)
            a, b = (second, first) if label else (first, second)
            for segment in (a, b):
                assert segment == list(range(segment[0], segment[0] + len(segment)))
            assert a[-1] < b[0]
            assert np.searchsorted(boundaries, a[0], "right") == np.searchsorted(
                boundaries, b[-1], "right"
            )


def test_predictions_are_of_text_pieces_in_whole_words_and_fill_the_budget(
    counting_store, tokenizer
):
    made = PretrainingBatches(counting_store, tokenizer, batch_size=32, sequence_length=40)
    batch = made.batch(0)
    ids = restored(batch).numpy()
    masked = np.zeros(ids.size, dtype=bool)
    masked[batch.masked_positions] = True
    masked = masked.reshape(ids.shape)
    assert not tokenizer.is_special[ids[masked]].any()
    # an odd piece after a text piece continues its word: both are masked, or neither
    continues = (ids[:, 1:] % 2 == 1) & (ids[:, 1:] >= 5) & (ids[:, :-1] >= 5)
    assert (masked[:, 1:] == masked[:, :-1])[continues].all()
    budget = MaskingConfig().budget((ids != 0).sum(axis=1))
    assert (masked.sum(axis=1) <= budget).all()
    assert (masked.sum(axis=1) == budget).mean() > 0.8  # words of two pieces do not always fit


def test_a_step_gives_the_same_batch_in_whatever_order_it_is_asked_for(
    counting_store, tokenizer, monkeypatch
):
    def make():
        return PretrainingBatches(
            counting_store, tokenizer, batch_size=6, sequence_length=32, seed=5
        )

    in_order = make()
    sequence = [in_order.batch(step) for step in range(40)]  # several epochs
    anyhow = make()
    for step in np.random.default_rng(0).permutation(40).tolist():
        assert_same(anyhow.batch(step), sequence[step])
    monkeypatch.setattr(batches, "POSITIONS_AT_ONCE", 1)  # nothing made ahead
    alone = make()
    for step in (39, 0, 17):
        assert_same(alone.batch(step), sequence[step])


# In a process of its own: DataLoader answers every SIGCHLD from then on, and a test process, which
# starts many children and handles signals on a stack aside, was seen to die of that.
IN_WORKERS = """
import sys
import torch
from torch.utils.data import DataLoader
from albert_lib import AlbertTokenizer, TokenStore
from albert_lib.objectives import PretrainingBatches

tokenizer = AlbertTokenizer.from_pretrained("english-8k")
documents = [[f"The {who} sleeps near the {where}.", f"The {who} wakes and walks home."]
             for who in ("baker", "miller", "smith") for where in ("mill", "river", "hill")]
store = TokenStore.build(sys.argv[1], documents, tokenizer)
made = PretrainingBatches(store, tokenizer, batch_size=6, sequence_length=32)
workers = DataLoader(
    range(8), batch_size=None, num_workers=2, collate_fn=made.batch, multiprocessing_context="fork"
)
for step, batch in enumerate(workers):
    for name, values in vars(made.batch(step)).items():
        assert torch.equal(getattr(batch, name), values), name
print(step + 1, "batches")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot fork")
def test_worker_processes_change_nothing(tmp_path):
    shown = subprocess.run(
        [sys.executable, "-c", IN_WORKERS, str(tmp_path / "store")],
        cwd=project_folder(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (shown.returncode, shown.stdout) == (0, "8 batches\n"), shown.stderr


def test_examples_do_not_depend_on_the_batch_size(counting_store, tokenizer):
    small, large = (
        PretrainingBatches(counting_store, tokenizer, batch_size=size, sequence_length=32)
        for size in (4, 12)
    )
    ids = torch.cat([small.batch(step).input_ids for step in range(9)])
    assert torch.equal(ids, torch.cat([large.batch(step).input_ids for step in range(3)]))


def test_an_epoch_uses_every_pair_once_and_the_next_draws_anew(counting_store, tokenizer):
    made = PretrainingBatches(counting_store, tokenizer, batch_size=1, sequence_length=32)
    lengths = [len(made.pairs.plan(epoch)) for epoch in (0, 1)]
    rows = [tuple(restored(made.batch(step))[0].tolist()) for step in range(sum(lengths))]
    first, second = rows[: lengths[0]], rows[lengths[0] :]
    for epoch, seen in enumerate((first, second)):
        plan = made.pairs.plan(epoch)
        ids = counting_store.ids
        spans = zip(
            plan.first_start, plan.first_end, plan.second_start, plan.second_end, strict=True
        )
        planned = [(2, *ids[a:b], 3, *ids[c:d], 3) for a, b, c, d in spans]
        planned = [row + (0,) * (32 - len(row)) for row in planned]
        assert sorted(seen) == sorted(planned)
        assert seen != planned  # shuffled
    assert set(first) != set(second)


@pytest.mark.parametrize("whole", [1, 8, 12])
def test_rows_asked_for_apart_are_the_batch_bit_for_bit(counting_store, tokenizer, whole):
    made = PretrainingBatches(counting_store, tokenizer, batch_size=12, sequence_length=32)
    cuts = [*range(0, 12, whole), 12]
    for step in (0, 1, 7, 300):
        batch = made.batch(step)
        parts = [made.batch(step, slice(a, b)) for a, b in pairwise(cuts)]
        assert [len(part.input_ids) for part in parts] == [b - a for a, b in pairwise(cuts)]
        for part, first in zip(parts, cuts, strict=False):
            part.masked_positions.add_(first * 32)
        for field in fields(batch):
            together = torch.cat([getattr(part, field.name) for part in parts])
            assert torch.equal(together, getattr(batch, field.name)), field.name


def test_only_the_rows_asked_for_are_masked(counting_store, tokenizer, monkeypatch):
    masked = []

    def count(ids, *rest):
        masked.append(len(ids))
        return mask_batch(ids, *rest)

    monkeypatch.setattr(batches, "mask_batch", count)
    monkeypatch.setattr(batches, "POSITIONS_AT_ONCE", 4 * 12 * 32)  # four steps
    made = PretrainingBatches(counting_store, tokenizer, batch_size=12, sequence_length=32)
    for step in range(8):
        for rows in (slice(0, 2), slice(4, 6), slice(6, 9)):
            made.batch(step, rows)
    assert masked == 2 * [8, 8, 12]


def test_seeds_differ(counting_store, tokenizer):
    one, other = (
        PretrainingBatches(
            counting_store, tokenizer, batch_size=8, sequence_length=32, seed=seed
        ).batch(0)
        for seed in (0, 1)
    )
    assert not torch.equal(restored(one), restored(other))


def test_both_orders_are_equally_frequent(make_store, random_documents, tokenizer):
    store = make_store(random_documents(60))
    made = PretrainingBatches(store, tokenizer, batch_size=100, sequence_length=24)
    labels = torch.cat([made.batch(step).sop_labels for step in range(10)]).double()
    assert float(labels.mean()) == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(1000))


def test_a_batch_moves_as_a_whole(counting_store, tokenizer):
    made = PretrainingBatches(counting_store, tokenizer, batch_size=2, sequence_length=16)
    moved = made.batch(0).to("meta")
    assert {getattr(moved, field.name).device.type for field in fields(moved)} == {"meta"}


def test_changing_a_batch_does_not_change_what_is_asked_for_again(counting_store, tokenizer):
    made, untouched = (
        PretrainingBatches(counting_store, tokenizer, batch_size=2, sequence_length=16)
        for _ in range(2)
    )
    batch = made.batch(0)
    for field in fields(batch):
        getattr(batch, field.name).fill_(-1)
    assert_same(made.batch(0), untouched.batch(0))


def test_what_cannot_work_is_refused(make_store, tokenizer, make_tokenizer):
    store = make_store([[[7, 8, 9]]])
    settings = {"batch_size": 2, "sequence_length": 16}
    with pytest.raises(StoreError, match="another vocabulary"):
        PretrainingBatches(store, make_tokenizer(fingerprint="other"), **settings)
    with pytest.raises(ConfigError, match="batch_size is 0"):
        PretrainingBatches(store, tokenizer, batch_size=0, sequence_length=16)
    with pytest.raises(ConfigError, match="step is -1"):
        PretrainingBatches(store, tokenizer, **settings).batch(-1)
    for rows in (slice(1, 1), slice(2, 4), slice(0, 2, 2)):
        with pytest.raises(ConfigError, match=r"rows is slice.*batch of 2"):
            PretrainingBatches(store, tokenizer, **settings).batch(0, rows)


def test_a_store_without_a_pair_is_refused(make_store, tokenizer):
    with pytest.raises(StoreError, match="more text"):
        PretrainingBatches(make_store([[[7]]]), tokenizer, batch_size=2, sequence_length=16)


def test_english_text_comes_back_from_its_batch(tmp_path: Path):
    from albert_lib.text import AlbertTokenizer

    tokenizer = AlbertTokenizer.from_pretrained(ENGLISH)
    document = ["The old baker walks to the mill.", "Before dawn, it is cold and quiet there."]
    store = TokenStore.build(tmp_path / "store", [document], tokenizer)
    made = PretrainingBatches(
        store, tokenizer, batch_size=8, sequence_length=64, masking=MaskingConfig(rate=0.4)
    )
    batch = made.batch(0)
    whole = 0
    for row, segments, label in zip(
        restored(batch), batch.token_type_ids, batch.sop_labels, strict=True
    ):
        texts = [tokenizer.decode(segment) for segment in segments_of(row, segments)]
        in_order = texts[::-1] if label else texts
        whole += in_order == [
            tokenizer.decode(tokenizer.encode(sentence, add_special_tokens=False))
            for sentence in document
        ]
    assert whole >= 4  # but for a short target, a pair is the document's two sentences
