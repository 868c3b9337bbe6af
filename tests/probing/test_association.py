"""WEAT and SEAT by hand, by the definition written out, and by scipy's permutation test."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
import torch
import transformers

from albert_lib.errors import InputError
from albert_lib.model import AlbertModel
from albert_lib.probing import (
    Features,
    association,
    association_test,
    effect_size,
    effect_size_interval,
    sentence_embeddings,
    static_embeddings,
)
from albert_lib.text import AlbertTokenizer

EAST, NORTH, BETWEEN = [1.0, 0.0], [0.0, 3.0], [2.0, 2.0]


@pytest.fixture
def sets() -> list[np.ndarray]:
    """Two sets of five targets and two of attributes, in eight dimensions, a little apart."""
    rng = np.random.default_rng(3)
    shift = rng.normal(size=8)
    return [
        rng.normal(size=(n, 8)) + side * shift for n, side in ((5, 0.4), (5, 0), (4, 1), (3, 0))
    ]


def cosine(first: np.ndarray, second: np.ndarray) -> float:
    return float(first @ second / math.sqrt((first @ first) * (second @ second)))


def written_out(word: np.ndarray, a: np.ndarray, b: np.ndarray) -> float:
    to_a = [cosine(word, attribute) for attribute in a]
    to_b = [cosine(word, attribute) for attribute in b]
    return sum(to_a) / len(to_a) - sum(to_b) / len(to_b)


def test_associations_by_hand() -> None:
    words = np.array([EAST, NORTH, BETWEEN, [-1.0, 0.0]])
    east, north = np.array([EAST]), np.array([NORTH])
    assert association(words, east, north) == pytest.approx([1.0, -1.0, 0.0, -1.0])
    # cosines of BETWEEN: 1/√2 to either; so half of 1 + 1/√2, less 0
    both = np.array([EAST, BETWEEN])
    assert association(np.array([EAST]), both, north)[0] == pytest.approx((1 + 0.5**0.5) / 2)


def test_effect_size_and_p_value_by_hand() -> None:
    x, y = np.array([EAST, EAST]), np.array([NORTH, NORTH])
    result = association_test(x, y, x, y, np.random.default_rng(0))
    # associations 1 1 −1 −1: means 2 apart, standard deviation √(4/3); 1 of 6 partitions as far
    assert result.effect_size == pytest.approx(2 / math.sqrt(4 / 3))
    assert (result.p_value, result.n_partitions, result.exact) == (pytest.approx(1 / 6), 6, True)
    turned = association_test(y, x, x, y, np.random.default_rng(0))
    assert turned.effect_size == pytest.approx(-result.effect_size)
    assert turned.p_value == 1.0


def test_the_definition_written_out(sets: list[np.ndarray]) -> None:
    x, y, a, b = sets
    of_x = [written_out(word, a, b) for word in x]
    of_y = [written_out(word, a, b) for word in y]
    assert association(x, a, b).tolist() == pytest.approx(of_x)
    both = of_x + of_y
    spread = math.sqrt(sum((value - np.mean(both)) ** 2 for value in both) / (len(both) - 1))
    result = association_test(x, y, a, b, np.random.default_rng(0))
    assert result.effect_size == pytest.approx((np.mean(of_x) - np.mean(of_y)) / spread)
    as_far = [
        sum(both[index] for index in chosen) >= sum(of_x) - 1e-12
        for chosen in itertools.combinations(range(10), 5)
    ]
    assert result.p_value == pytest.approx(np.mean(as_far))
    assert result.n_partitions == 252


@pytest.mark.parametrize("sizes", [(5, 5), (3, 5), (5, 2)])
def test_the_exact_p_value_equals_scipy(sets: list[np.ndarray], sizes: tuple[int, int]) -> None:
    x, y = sets[0][: sizes[0]], sets[1][: sizes[1]]
    result = association_test(x, y, *sets[2:], np.random.default_rng(0))
    expected = scipy.stats.permutation_test(
        (association(x, *sets[2:]), association(y, *sets[2:])),
        lambda first, second: first.mean() - second.mean(),
        alternative="greater",
        n_resamples=np.inf,
    )
    assert result.p_value == pytest.approx(expected.pvalue)


def test_sampled_partitions_come_near_the_exact_p_value(sets: list[np.ndarray]) -> None:
    exact = association_test(*sets, np.random.default_rng(0))
    sampled = association_test(*sets, np.random.default_rng(1), max_partitions=251)
    assert (sampled.exact, sampled.n_partitions) == (False, 251)
    assert sampled.p_value == pytest.approx(exact.p_value, abs=0.1)
    assert sampled.effect_size == exact.effect_size
    again = association_test(*sets, np.random.default_rng(1), max_partitions=251)
    assert sampled == again


def test_the_interval_of_an_effect_size_as_drawn_one_by_one(sets: list[np.ndarray]) -> None:
    of_x, of_y = (association(targets, *sets[2:]) for targets in sets[:2])
    interval = effect_size_interval(of_x, of_y, np.random.default_rng(0), 0.9, resamples=20_000)
    rng = np.random.default_rng(1)
    sizes = [effect_size(rng.choice(of_x, 5), rng.choice(of_y, 5)) for _ in range(20_000)]
    assert (interval.low, interval.high) == pytest.approx(
        np.quantile(sizes, [0.05, 0.95]), abs=0.03
    )
    assert interval.mean == effect_size(of_x, of_y)
    assert (interval.confidence, interval.n_values) == (0.9, 10)
    alone = effect_size_interval(of_x[:1], of_y, np.random.default_rng(0))
    assert (alone.low, alone.high) == (-math.inf, math.inf)


def test_a_sampled_p_value_is_never_zero() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 20, 4)) * 0.1 + np.array([[[1, 0, 0, 0]], [[0, 1, 0, 0]]])
    result = association_test(x, y, x[:3], y[:3], rng, max_partitions=5000)
    assert result.p_value == 1 / 5000
    assert not result.exact


def test_p_values_are_even_when_nothing_is_going_on() -> None:
    rng = np.random.default_rng(5)
    p_values = [
        association_test(*rng.normal(size=(4, 5, 6)), rng).p_value  # 252 partitions each
        for _ in range(300)
    ]
    assert scipy.stats.kstest(p_values, "uniform").pvalue > 0.01


def test_sets_that_have_no_effect_size_are_refused() -> None:
    x, y = np.array([EAST]), np.array([NORTH])
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="set of vectors is empty"):
        association(x, np.empty((0, 2)), y)
    for wrong in ([[0.0, 0.0]], [[np.nan, 1.0]]):
        with pytest.raises(InputError, match="zero or not finite"):
            association(np.array(wrong), x, y)
    with pytest.raises(InputError, match="All targets have the same association"):
        association_test(x, x, x, y, rng)
    with pytest.raises(InputError, match="max_partitions=0"):
        association_test(x, y, x, y, rng, max_partitions=0)


@pytest.mark.usefixtures("without_shape_checks")
def test_vectors_of_different_models_are_refused() -> None:
    with pytest.raises(InputError, match="Vectors of 3 and of 2 numbers have no angle"):
        association(np.ones((1, 2)), np.ones((1, 3)), np.ones((1, 2)))


# -- embeddings of a model


@pytest.fixture
def features(model_folder: Path, tokenizer: AlbertTokenizer) -> Features:
    return Features(AlbertModel.from_pretrained(model_folder), tokenizer)


def test_static_embeddings_are_the_rows_of_transformers(
    features: Features, model_folder: Path
) -> None:
    theirs = transformers.AlbertModel.from_pretrained(model_folder).get_input_embeddings().weight
    tokenizer = features.tokenizer
    words = ["nurse", "bookkeeper", "Man"]
    vectors = static_embeddings(features.model, tokenizer, words)
    for word, vector in zip(words, vectors, strict=True):
        ids = [tokenizer.piece_id(piece) for piece in tokenizer.tokenize(word)]
        expected = theirs[ids].detach().double().mean(dim=0)
        assert torch.from_numpy(vector).allclose(expected)
    assert static_embeddings(features.model, tokenizer, []).shape == (0, 16)
    with pytest.raises(InputError, match="'' has no token"):
        static_embeddings(features.model, tokenizer, ["nurse", ""])


def test_sentence_embeddings_are_cls_or_the_mean_of_transformers(
    features: Features, model_folder: Path
) -> None:
    theirs = transformers.AlbertModel.from_pretrained(model_folder).eval()
    texts = ["This is a nurse.", "Here are the bookkeepers, and they are late."]
    by_cls = sentence_embeddings(features, texts)
    by_mean = sentence_embeddings(features, texts, pooling="mean")
    for text, cls, mean in zip(texts, by_cls, by_mean, strict=True):
        with torch.no_grad():
            ids = torch.tensor([features.tokenizer.encode(text)])
            states = theirs(ids).last_hidden_state[0].double().numpy()
        assert cls == pytest.approx(states[0], abs=1e-5)
        assert mean == pytest.approx(states[1:-1].mean(axis=0), abs=1e-5)
    assert sentence_embeddings(features, []).shape == (0, 32)


@pytest.mark.usefixtures("without_shape_checks")
def test_texts_without_an_embedding_are_refused(features: Features) -> None:
    with pytest.raises(InputError, match="'' has no token to embed"):
        sentence_embeddings(features, ["A nurse.", ""])
    with pytest.raises(InputError, match="pooling='max' is unknown; choose from cls, mean"):
        sentence_embeddings(features, ["A nurse."], pooling="max")  # type: ignore[arg-type]


def test_with_the_weakest_partition_given_every_sampled_one_is_a_hit() -> None:
    a, b = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    angles = np.linspace(0.1, 1.4, 12)
    words = np.stack([np.cos(angles), np.sin(angles)], axis=1)  # from nearest A to nearest B
    far, near = words[6:], words[:6]
    found = association_test(far, near, a, b, np.random.default_rng(0), max_partitions=50)
    assert (found.p_value, found.n_partitions, found.exact) == (1.0, 50, False)
    every = association_test(far, near, a, b, np.random.default_rng(0), max_partitions=924)
    assert (every.p_value, every.n_partitions, every.exact) == (1.0, 924, True)
    best = association_test(near, far, a, b, np.random.default_rng(0), max_partitions=924)
    assert best.p_value == 1 / 924
