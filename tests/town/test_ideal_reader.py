"""The perfect reader against brute force, against long-run frequencies, and against itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from every_document import all_documents, all_pairs, posterior

from albert_lib.errors import ConfigError, InputError
from albert_lib.objectives import MaskingConfig, PretrainingBatches, TokenStore
from albert_lib.town import IdealReader, Town

SOME = 24  # sequences held against brute force
MASKINGS = {
    "the paper's shares": MaskingConfig(share=0.3, max_ngram=1),
    "many random pieces": MaskingConfig(
        share=0.4, max_ngram=1, mask_probability=0.3, random_probability=0.4
    ),
    "only [MASK]": MaskingConfig(
        share=0.3, max_ngram=1, mask_probability=1.0, random_probability=0.0
    ),
}


def batches_of(town: Town, masking: MaskingConfig, path: Path, n: int = 2000, size: int = 64):
    store = TokenStore.build(path / "store", town.documents(n), town.tokenizer)
    return PretrainingBatches(
        store,
        town.tokenizer,
        batch_size=size,
        sequence_length=town.world.longest_document + 3,
        masking=masking,
        short_sequence_probability=0.0,
    )


@pytest.mark.parametrize("name", MASKINGS)
def test_every_answer_equals_brute_force(name, tiny_world, tmp_path):
    town, masking = Town(0.7, seed=1, world=tiny_world), MASKINGS[name]
    batch = batches_of(town, masking, tmp_path, size=SOME).batch(0)
    reading = IdealReader(town, masking).read(batch)
    pairs = all_pairs(all_documents(tiny_world, town.bias))
    sequence_length = batch.input_ids.shape[1]
    for number, flat in enumerate(batch.masked_positions.tolist()):
        row, position = divmod(flat, sequence_length)
        ids = batch.input_ids[row].tolist()
        n_first = int((batch.attention_mask[row] - batch.token_type_ids[row]).sum()) - 2
        n_second = int(batch.token_type_ids[row].sum()) - 1
        shown = ids[1 : 1 + n_first], ids[2 + n_first : 2 + n_first + n_second]
        n_chosen = int((batch.masked_positions // sequence_length == row).sum())
        asked = position - 1 - (position > n_first)
        expected, in_order = posterior(
            pairs, shown, asked, masking, n_chosen, town.piece_id,
            town.tokenizer.mask_token_id, town.tokenizer.vocab_size,
        )  # fmt: skip
        np.testing.assert_allclose(reading.pieces[number].numpy(), expected, atol=1e-9)
        assert reading.in_order[row].item() == pytest.approx(in_order, abs=1e-9)
