"""The hypotheses' priors and places, and the weights of selected tokens, by listing."""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations

import numpy as np
import pytest
from every_document import all_documents, all_pairs

from albert_lib.errors import InputError
from albert_lib.objectives import MaskingConfig
from albert_lib.town.hypotheses import REMARK, event_sequences, hypotheses_by_lengths
from albert_lib.town.selection import selection_weights
from albert_lib.town.world import World


def test_priors_are_the_frequencies_of_all_pairs_by_lengths(tiny_world: World) -> None:
    expected: dict[tuple[int, int, bool], float] = defaultdict(float)
    for (a, b, swapped), share in all_pairs(all_documents(tiny_world, 0.7)).items():
        expected[len(a), len(b), swapped] += share
    found: dict[tuple[int, int, bool], float] = defaultdict(float)
    for (first, second), hypotheses in hypotheses_by_lengths(tiny_world).items():
        for each in hypotheses:
            found[first, second, each.swapped] += each.probability
    assert found == pytest.approx(expected)
    assert sum(found.values()) == pytest.approx(1)


def test_documents_of_different_lengths_are_equally_likely_as_often_as_they_are_said_to(
    tiny_world: World,
) -> None:
    by_length: dict[int, float] = defaultdict(float)
    for hypotheses in hypotheses_by_lengths(tiny_world).values():
        for each in hypotheses:
            by_length[len(each.sentences)] += each.probability
    assert by_length == pytest.approx({2: 2 / 3, 3: 1 / 3})  # ranges of the day: 2 and 1


def test_sentences_follow_one_another_behind_their_special_tokens(tiny_world: World) -> None:
    lengths = [event.n_tokens for event in tiny_world.events]
    for (first, second), hypotheses in hypotheses_by_lengths(tiny_world).items():
        for each in hypotheses:
            sizes = {
                s.offset: tiny_world.remarks.n_tokens if s.event == REMARK else lengths[s.event]
                for s in each.sentences
            }
            covered = sorted(o + i for o, size in sizes.items() for i in range(size))
            positions = [*range(1, 1 + first), *range(2 + first, 2 + first + second)]
            assert covered == positions
            assert sum(s.is_first for s in each.sentences) <= 1
            about = [s.is_first for s in each.sentences if s.event != REMARK]
            assert about == [True] + [False] * (len(about) - 1) if about else True


def test_a_world_without_remarks_has_no_hypothesis_of_any(tiny_world: World) -> None:
    from dataclasses import replace

    silent = replace(tiny_world, remark_probability=0.0)
    assert [events for events, _ in event_sequences(silent)] == [(0, 1), (1, 2), (0, 1, 2)]


@pytest.mark.parametrize("selected", [0, 1, 3, 4])
def test_weights_by_listing_every_selection(selected: int) -> None:
    masking, vocab, visible = MaskingConfig(max_ngram=1), 10, 4
    weights, among = selection_weights(masking, vocab, np.array([visible]), np.array([selected]))
    random, unchanged = 0.1 / vocab, 0.1 + 0.1 / vocab
    for mismatches in range(selected + 1):
        wrong = set(range(mismatches))  # these positions show another token than the true one
        total = with_last = 0.0
        for chosen in combinations(range(visible), selected):
            if wrong <= set(chosen):
                probability = random**mismatches * unchanged ** (selected - mismatches)
                total += probability
                with_last += probability * (visible - 1 in chosen)
        assert weights[0, mismatches] == pytest.approx(total)
        if mismatches < visible:
            assert among[0, mismatches] == pytest.approx(with_last)


@pytest.mark.parametrize("selected", [-1, 5])
def test_more_selected_than_visible_is_refused(selected: int) -> None:
    with pytest.raises(InputError, match=f"Sequence 1 shows 4 tokens, of which {selected} would"):
        selection_weights(MaskingConfig(max_ngram=1), 10, np.array([4, 4]), np.array([1, selected]))
