"""Held-out scores, row by row: against a plain loop, and against counting."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.corpus import TokenStore
from albert_lib.training import bits_per_byte, evaluate, perplexity
from albert_lib.training.held_out_scores import (
    ROWS_AT_ONCE,
    SEED,
    rows_to_score,
    score_rows,
)
from albert_lib.training.pretraining import start_at_unigram
from albert_lib.training.recipe import Recipe
from albert_lib.training.stage_plan import pretraining_batches


def rows_of(world: Any, n_rows: int, plain: bool) -> list[Any]:
    return list(rows_to_score(world.held_out, world.tokenizer, n_rows, 32, plain=plain))


def test_every_number_by_a_plain_loop(world: Any) -> None:
    model = world.model(dropout=0.5)
    batches = rows_of(world, 40, plain=True)
    assert [len(batch.input_ids) for batch in batches] == [ROWS_AT_ONCE, 8]
    scores = score_rows(model, batches, world.tokenizer)
    assert model.training, "as it was"
    model.eval()
    row = -1
    for batch in batches:
        for b, ids in enumerate(batch.input_ids):
            row += 1
            places = [p for p in batch.masked_positions.tolist() if p // 32 == b]
            first = batch.masked_positions.tolist().index(places[0])
            labels = batch.masked_labels.tolist()[first : first + len(places)]
            with torch.no_grad():
                output = model(
                    ids[None], batch.attention_mask[b][None], batch.token_type_ids[b][None]
                )
            log_probabilities = output.prediction_logits[0].double().log_softmax(-1)
            nats = correct = n_bytes = 0.0
            for place, label in zip(places, labels, strict=True):
                assert ids[place - 32 * b] == world.tokenizer.mask_token_id
                nats -= log_probabilities[place - 32 * b, label].item()
                correct += int(log_probabilities[place - 32 * b].argmax()) == label
                piece = world.tokenizer.convert_ids_to_tokens([label])[0]
                n_bytes += len(piece.replace("▁", " ").encode("utf-8"))
            assert scores.nats[row] == pytest.approx(nats, rel=1e-5)
            assert scores.correct[row] == correct
            assert scores.predictions[row] == len(places)
            assert scores.n_bytes[row] == n_bytes
            chosen = int(output.sop_logits[0].argmax())
            assert scores.pair_correct[row] == (chosen == int(batch.sop_labels[b]))
    assert scores.bits_per_byte == pytest.approx(
        scores.nats.sum() / scores.n_bytes.sum() / math.log(2)
    )


def test_pairs_as_in_training_agree_with_evaluate(world: Any) -> None:
    model = world.model()
    batches = rows_of(world, 64, plain=False)
    ours = score_rows(model, batches, world.tokenizer)
    recipe = Recipe(batch_size=32, sequence_length=32, short_sequence_probability=0.0)
    theirs = evaluate(
        model, pretraining_batches(world.held_out, world.tokenizer, recipe, seed=SEED), 2
    )
    assert ours.loss == pytest.approx(theirs.mlm_loss, rel=1e-6)
    assert ours.accuracy == pytest.approx(theirs.mlm_accuracy)
    assert ours.pair_accuracy == pytest.approx(theirs.sop_accuracy)
    assert ours.predictions.sum() == theirs.predictions


def test_plain_rows_mask_15_in_100_single_tokens_and_show_none(world: Any) -> None:
    masked = text = 0
    for batch in rows_of(world, 300, plain=True):
        shown = batch.input_ids.flatten()
        assert (shown[batch.masked_positions] == world.tokenizer.mask_token_id).all()
        special = torch.from_numpy(world.tokenizer.is_special)
        assert not special[batch.masked_labels].any()
        assert int((shown == world.tokenizer.mask_token_id).sum()) == len(batch.masked_labels)
        masked += len(batch.masked_labels)
        text += len(batch.masked_labels) + int((~special[shown]).sum())
        assert not batch.sop_labels.any(), "neighbours in their own order"
    assert masked / text == pytest.approx(0.15, abs=0.01)


def test_the_same_tokens_are_asked_about_whatever_is_asked_before(world: Any) -> None:
    whole, beginning = rows_of(world, 40, plain=True), rows_of(world, 33, plain=True)
    assert torch.equal(whole[0].input_ids, beginning[0].input_ids)
    assert torch.equal(whole[1].input_ids[:1], beginning[1].input_ids)


def test_who_knows_frequencies_alone_reads_their_entropy(world: Any) -> None:
    """With all weights of the head but the bias at 0, every mask is answered by frequency."""
    model = world.model()
    start_at_unigram(model, world.store)
    with torch.no_grad():
        model.albert.embeddings.word_embeddings.weight.zero_()
    batches = rows_of(world, 300, plain=True)
    scores = score_rows(model, batches, world.tokenizer)
    labels = torch.cat([batch.masked_labels for batch in batches])
    assert scores.loss == pytest.approx(-model.mlm_head.bias[labels].mean().item(), rel=1e-5)
    most = int(np.argmax(world.store.unigram_counts()))
    assert scores.accuracy == pytest.approx((labels == most).double().mean().item())


def test_bits_a_byte_do_not_depend_on_how_text_is_cut(world: Any, tmp_path: Any) -> None:
    """A uniform model of V pieces costs log2 V a piece, whatever a piece stands for."""
    model = world.model()
    with torch.no_grad():
        model.albert.embeddings.word_embeddings.weight.zero_()
    store = TokenStore.build(tmp_path / "store", [["the mill. the mill."]] * 3, world.tokenizer)
    batches = list(rows_to_score(store, world.tokenizer, 8, 16, plain=True))
    scores = score_rows(model, batches, world.tokenizer)
    assert scores.loss == pytest.approx(math.log(world.tokenizer.vocab_size), rel=1e-5)
    n_bytes = scores.n_bytes.sum() / scores.predictions.sum()
    assert scores.bits_per_byte == pytest.approx(scores.loss / math.log(2) / n_bytes)


def test_perplexity_weighs_every_prediction_alike() -> None:
    probabilities = [[0.5, 0.125], [], [0.25, 0.25, 0.5]]
    nats = np.array([-sum(math.log(p) for p in row) for row in probabilities])
    predictions = np.array([len(row) for row in probabilities])
    every = [p for row in probabilities for p in row]
    assert perplexity(nats, predictions) == pytest.approx(math.prod(every) ** (-1 / len(every)))
    assert perplexity(np.full(3, math.log(7)), np.ones(3)) == pytest.approx(7)


def test_bits_per_byte_counts_bits_and_bytes() -> None:
    assert bits_per_byte(math.log(2) * np.array([8.0, 0.0, 4.0]), np.array([2, 1, 3])) == 2.0
