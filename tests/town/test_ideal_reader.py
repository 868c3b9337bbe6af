"""The ideal reader against brute force, against long-run frequencies, and against itself."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from every_document import all_documents, all_pairs, brute_force_posterior

from albert_lib.corpus import TokenStore
from albert_lib.errors import ConfigError, InputError
from albert_lib.objectives import MaskingConfig, PretrainingBatches
from albert_lib.town import IdealReader, Town, find_floor
from albert_lib.town.ideal_reader import text_positions

SOME = 12  # sequences held against brute force
BIAS = 0.7
MASKINGS = {
    "the paper's rates": MaskingConfig(rate=0.3, max_ngram=1),
    "many random pieces": MaskingConfig(
        rate=0.3, max_ngram=1, mask_probability=0.3, random_probability=0.4
    ),
    "only [MASK]": MaskingConfig(
        rate=0.3, max_ngram=1, mask_probability=1.0, random_probability=0.0
    ),
}


def batches_of(town: Town, masking: MaskingConfig, path: Path, n: int = 2000, size: int = 64):
    store = TokenStore.build(path / "store", town.documents(n), town.tokenizer)
    return PretrainingBatches(
        store,
        town.tokenizer,
        batch_size=size,
        sequence_length=town.world.sequence_length,
        masking=masking,
        short_sequence_probability=0.0,
    )


@pytest.fixture(scope="module")
def every_pair(tiny_world):
    """All pairs of the tiny world, by the lengths of their segments."""
    town = Town(BIAS, world=tiny_world)
    found = defaultdict(list)
    for (a, b, swapped), share in all_pairs(all_documents(tiny_world, BIAS)).items():
        pieces = [town.token_id(word) for word in a + b]
        found[len(a), len(b)].append((pieces, swapped, share))
    return found


@pytest.mark.parametrize("name", MASKINGS)
def test_every_answer_equals_brute_force(name, tiny_world, every_pair, tmp_path):
    town, masking = Town(BIAS, seed=1, world=tiny_world), MASKINGS[name]
    batch = batches_of(town, masking, tmp_path, size=SOME).batch(0)
    posterior = IdealReader(town, masking).read(batch)
    row, position = np.divmod(batch.masked_positions.numpy(), batch.input_ids.shape[1])
    is_text = text_positions(batch)
    for number in range(SOME):
        second = int(batch.token_type_ids[number].sum()) - 1
        text = batch.input_ids[number][is_text[number]].tolist()
        expected, in_order = brute_force_posterior(
            every_pair[len(text) - second, second], text, masking, int((row == number).sum()),
            town.tokenizer.mask_token_id, town.tokenizer.vocab_size,
        )  # fmt: skip
        place = np.cumsum(is_text[number].numpy())[position[row == number]] - 1
        np.testing.assert_allclose(
            posterior.tokens[torch.from_numpy(row == number)].numpy(), expected[place], atol=1e-9
        )
        assert posterior.in_order[number].item() == pytest.approx(in_order, abs=1e-9)


def test_probabilities_hold_in_the_long_run(tmp_path):
    # of the answers given a probability of about p, a share of about p is right
    town, masking = Town(0.5, seed=3), MaskingConfig(max_ngram=1)
    batches = batches_of(town, masking, tmp_path, n=400, size=128)
    reader = IdealReader(town, masking)
    given, right = [], []
    for number in range(3):
        batch = batches.batch(number)
        posterior = reader.read(batch)
        order = torch.stack([posterior.in_order, 1 - posterior.in_order], dim=1)
        for probabilities, labels in (
            (posterior.tokens, batch.masked_labels), (order, batch.sop_labels)
        ):  # fmt: skip
            hit = torch.zeros_like(probabilities).scatter_(1, labels[:, None], 1.0)
            likely = probabilities > 0.01
            given.append(probabilities[likely])
            right.append(hit[likely])
    p, hit = torch.cat(given).numpy(), torch.cat(right).numpy()
    for low, high in ((0.01, 0.1), (0.1, 0.3), (0.3, 0.7), (0.7, 0.95), (0.95, 1.01)):
        inside = (p >= low) & (p < high)
        error = 4 * np.sqrt((p * (1 - p))[inside].sum()) + 1e-6
        assert inside.sum() > 30
        assert abs(hit[inside].sum() - p[inside].sum()) < error


def test_its_loss_is_its_own_entropy(tmp_path):
    town, masking = Town(1.0, seed=4), MaskingConfig(max_ngram=1)
    batches = batches_of(town, masking, tmp_path, n=300, size=200)
    reader = IdealReader(town, masking)
    floor = find_floor(reader, batches, 1)
    entropy = torch.special.entr(reader.read(batches.batch(0)).tokens).sum(dim=1).mean()
    assert abs(floor.mlm_loss.mean - entropy.item()) < 4 * floor.mlm_loss.error
    assert floor.pairs == 200
    assert floor.predictions == len(batches.batch(0).masked_labels)


def test_a_reader_with_another_bias_does_worse_and_none_does_better(tiny_world, tmp_path):
    masking = MASKINGS["the paper's rates"]
    town = Town(1.0, seed=1, world=tiny_world)
    batches = batches_of(town, masking, tmp_path, n=4000, size=1000)
    losses = [
        find_floor(IdealReader(Town(bias, world=tiny_world), masking), batches, 3).mlm_loss.mean
        for bias in (1.0, 0.5, 0.0)
    ]
    assert losses == sorted(losses)
    assert losses[0] < losses[2] - 0.001


def test_longer_runs_are_refused(tiny_world):
    with pytest.raises(ConfigError, match="max_ngram is 3"):
        IdealReader(Town(world=tiny_world), MaskingConfig())
    with pytest.raises(ConfigError, match="max_ngram is 2"):
        IdealReader(Town(world=tiny_world), MaskingConfig(max_ngram=2))


def test_documents_cut_short_are_refused(tiny_world, tmp_path):
    town, masking = Town(world=tiny_world), MASKINGS["only [MASK]"]
    batch = batches_of(town, masking, tmp_path).batch(0)
    shorter = batch.attention_mask.clone()
    shorter[0] = 0
    shorter[0, :6] = 1
    with pytest.raises(InputError, match="No document of this Town has segments of"):
        IdealReader(town, masking).read(replace(batch, attention_mask=shorter))


def test_a_text_from_elsewhere_is_refused(tiny_world, tmp_path):
    town, masking = Town(world=tiny_world), MASKINGS["only [MASK]"]
    batch = batches_of(town, masking, tmp_path).batch(0)
    ids = batch.input_ids.clone()
    ids[3, 1:4] = town.token_id("pleases")
    with pytest.raises(InputError, match="cannot be one of this Town"):
        IdealReader(town, masking).read(replace(batch, input_ids=ids))


def test_a_batch_of_another_masking_is_refused(tiny_world, tmp_path):
    town = Town(world=tiny_world)
    batch = batches_of(town, MaskingConfig(rate=0.8, max_ngram=1), tmp_path).batch(0)
    with pytest.raises(InputError, match="the reader's own masking"):
        IdealReader(town, MASKINGS["only [MASK]"]).read(batch)
