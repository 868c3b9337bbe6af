from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from albert_lib.errors import ConfigError, StoreError
from albert_lib.objectives import SegmentPairs
from albert_lib.objectives.segments import cut_inside, gather_chunks, trim, trimmed_lengths

documents_of_lengths = st.lists(
    st.lists(st.integers(1, 30), min_size=1, max_size=12), min_size=1, max_size=6
).filter(lambda documents: any(sum(lengths) > 1 for lengths in documents))


def in_text_order(plan):
    """The plan's A and B as they stand in the document, whatever the swap."""
    forward = (plan.first_start, plan.first_end, plan.second_start, plan.second_end)
    backward = (plan.second_start, plan.second_end, plan.first_start, plan.first_end)
    return np.where(plan.swapped, backward, forward)


def offsets(documents):
    lengths = [length for document in documents for length in document]
    sentence_starts = np.concatenate([[0], np.cumsum(lengths)])
    document_starts = np.concatenate([[0], np.cumsum([len(document) for document in documents])])
    return sentence_starts, document_starts


@settings(
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(documents_of_lengths, st.integers(5, 40), st.integers(0, 3), st.booleans())
def test_a_and_b_are_neighbours_in_one_document_and_fit(
    make_store, tokenizer, documents, sequence_length, epoch, know_words
):
    rng = np.random.default_rng(0)
    store = make_store([[rng.integers(5, 1000, n).tolist() for n in d] for d in documents])
    word_start = tokenizer.is_word_start if know_words else None
    pairs = SegmentPairs(
        store, sequence_length, short_sequence_probability=0.5, is_word_start=word_start
    )
    plan = pairs.plan(epoch)
    a_start, a_end, b_start, b_end = in_text_order(plan)

    assert len(plan) > 0
    assert (a_end > a_start).all() and (b_end > b_start).all()
    assert (a_end - a_start + b_end - b_start <= sequence_length - 3).all()
    assert (a_end <= b_start).all()  # B follows A
    assert (b_end[:-1] <= a_start[1:]).all()  # pairs do not overlap
    boundaries = store.sentence_starts[store.document_starts]
    document = np.searchsorted(boundaries, a_start, side="right")
    np.testing.assert_array_equal(document, np.searchsorted(boundaries, b_end - 1, side="right"))
    # what lies between A and B, or beside them, was trimmed only because the pair was full
    apart = b_start > a_end
    assert (a_end - a_start + b_end - b_start)[apart].min(initial=sequence_length - 3) == (
        sequence_length - 3
    )

    again = pairs.plan(epoch)
    for name in ("first_start", "first_end", "second_start", "second_end", "swapped"):
        np.testing.assert_array_equal(getattr(plan, name), getattr(again, name))


def test_every_piece_is_covered_when_nothing_must_be_trimmed(make_store):
    # ten sentences of 5 pieces reach 50 exactly: chunks are never longer than the target
    store = make_store([[[7] * 5] * 40, [[8] * 5] * 7])
    plan = SegmentPairs(store, 53, short_sequence_probability=0.0).plan(0)
    a_start, a_end, b_start, b_end = in_text_order(plan)
    np.testing.assert_array_equal(a_end, b_start)
    assert a_start.tolist() == [0, 50, 100, 150, 200]
    assert b_end.tolist() == [50, 100, 150, 200, 235]


@settings(deadline=None, max_examples=100)
@given(documents_of_lengths, st.data())
def test_chunks_are_those_of_reading_sentence_by_sentence(documents, data):
    targets = [data.draw(st.integers(2, 60)) for _ in documents]
    sentence_starts, document_starts = offsets(documents)
    expected = []
    for index, lengths in enumerate(documents):
        begin, gathered = document_starts[index], 0
        for i, length in enumerate(lengths):
            gathered += length
            if gathered >= targets[index] or i == len(lengths) - 1:
                expected.append((begin, document_starts[index] + i + 1))
                begin, gathered = document_starts[index] + i + 1, 0
    first, last = gather_chunks(sentence_starts, document_starts, np.array(targets))
    assert list(zip(first, last, strict=True)) == expected


def google_truncated_lengths(n_a: int, n_b: int, maximum: int) -> tuple[int, int]:
    """google-research/albert's truncate_seq_pair, counting only."""
    while n_a + n_b > maximum:
        if n_a > n_b:
            n_a -= 1
        else:
            n_b -= 1
    return n_a, n_b


def test_trimmed_lengths_agree_with_removing_piece_by_piece():
    for maximum in (2, 5, 8):
        sizes = np.array([(a, b) for a in range(1, 14) for b in range(1, 14)])
        first, second = trimmed_lengths(sizes[:, 0], sizes[:, 1], maximum)
        expected = [google_truncated_lengths(a, b, maximum) for a, b in sizes.tolist()]
        assert list(zip(first.tolist(), second.tolist(), strict=True)) == expected


def test_trimmed_pieces_come_from_front_and_back_like_coin_flips():
    n, lost = 20_000, 6
    start, end = trim(
        np.full(n, 100), np.full(n, 120), np.full(n, 120 - 100 - lost), np.random.default_rng(0)
    )
    assert (end - start == 14).all()
    frequencies = np.bincount(start - 100, minlength=lost + 1) / n
    expected = np.array([1, 6, 15, 20, 15, 6, 1]) / 64
    np.testing.assert_allclose(frequencies, expected, atol=5 * np.sqrt(0.25 / n))


def test_half_of_the_pairs_are_swapped_and_a_ends_after_any_sentence(make_store):
    # documents of exactly one chunk: 5 sentences of 2 pieces
    store = make_store([[[7, 8]] * 5 for _ in range(4000)])
    plan = SegmentPairs(store, 13, short_sequence_probability=0.0).plan(0)
    assert len(plan) == 4000
    assert plan.swapped.mean() == pytest.approx(0.5, abs=5 * 0.5 / np.sqrt(4000))
    a_start, a_end, _, _ = in_text_order(plan)
    ends = np.bincount((a_end - a_start) // 2, minlength=5)
    assert ends[0] == 0 and len(ends) == 5
    np.testing.assert_allclose(ends[1:], 1000, atol=5 * np.sqrt(1000 * 0.75))
    # the swap does not depend on where A ends: nothing but order tells them apart
    by_end = [plan.swapped[a_end - a_start == 2 * k].mean() for k in range(1, 5)]
    np.testing.assert_allclose(by_end, 0.5, atol=5 * 0.5 / np.sqrt(900))


def test_a_tenth_of_the_documents_is_read_in_short_pairs(make_store):
    store = make_store([[[7]] * 100 for _ in range(2000)])
    pairs = SegmentPairs(store, 103)
    plan = pairs.plan(0)
    a_start, _, _, b_end = in_text_order(plan)
    first_of_document = a_start % 100 == 0
    target = (b_end - a_start)[first_of_document]
    short = target[target < 100]
    # a drawn target of 100 looks like a long one, and one document in a thousand has it
    assert len(short) / 2000 == pytest.approx(0.1 * 98 / 99, abs=5 * 0.3 / np.sqrt(2000))
    assert short.min() >= 2
    assert short.mean() == pytest.approx(50.5, abs=5 * 28.3 / np.sqrt(len(short)))


def test_a_single_sentence_is_cut_at_any_of_its_word_starts(make_store, tokenizer):
    # words of three, one, two and two pieces: cuts before 12, 14 and 16
    sentence = [10, 11, 11, 12, 14, 15, 16, 17]
    store = make_store([[sentence]] * 3000)
    pairs = SegmentPairs(store, 20, is_word_start=tokenizer.is_word_start)
    a_start, a_end, b_start, b_end = in_text_order(pairs.plan(0))
    np.testing.assert_array_equal(a_end, b_start)
    np.testing.assert_array_equal(b_end - a_start, 8)
    cuts = np.bincount(a_end - a_start, minlength=8)
    assert set(np.flatnonzero(cuts)) == {3, 4, 6}
    np.testing.assert_allclose(cuts[[3, 4, 6]], 1000, atol=5 * np.sqrt(1000 * 2 / 3))


def test_a_single_word_is_cut_between_its_pieces_and_a_single_piece_dropped(make_store, tokenizer):
    store = make_store([[[10, 11, 13]], [[12]]] * 200)
    for word_start in (tokenizer.is_word_start, None):
        plan = SegmentPairs(store, 20, is_word_start=word_start).plan(0)
        a_start, a_end, _, b_end = in_text_order(plan)
        assert len(plan) == 200
        assert (b_end - a_start == 3).all()
        assert set(a_end - a_start) == {1, 2}


def test_cuts_without_word_starts_reach_every_place():
    start, end = np.zeros(400, dtype=np.int64), np.full(400, 5)
    uniforms = (np.arange(400) + 0.5) / 400
    cut = cut_inside(start, end, uniforms, np.arange(10), None)
    assert np.bincount(cut).tolist() == [0, 100, 100, 100, 100]


def test_epochs_and_seeds_differ(make_store, random_documents):
    store = make_store(random_documents(20))
    plans = [
        SegmentPairs(store, 64, seed=seed).plan(epoch) for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    ends = [tuple(plan.first_end) for plan in plans]
    assert len(set(ends)) == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sequence_length": 4}, "sequence_length is 4.*at least 5"),
        ({"sequence_length": 9, "short_sequence_probability": 1.5}, "between 0 and 1"),
        ({"sequence_length": 9, "seed": -3}, "seed is -3"),
    ],
)
def test_impossible_values_are_refused(make_store, values, message):
    with pytest.raises(ConfigError, match=message):
        SegmentPairs(make_store([[[7, 8]]]), **values)


def test_a_store_without_a_pair_is_refused(make_store):
    with pytest.raises(StoreError, match=r"store holds no document of two tokens.*more text"):
        SegmentPairs(make_store([[[7]], [[8]]]), 16)
