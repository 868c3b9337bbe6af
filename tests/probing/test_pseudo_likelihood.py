"""Pseudo-log-likelihoods are what transformers gives when each text is masked by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

from albert_lib.errors import InputError
from albert_lib.probing import (
    FillMask,
    pseudo_log_likelihood,
    shared_positions,
    word_positions,
)
from albert_lib.text import AlbertTokenizer

TEXTS = [
    "The old baker walks to the mill before dawn.",
    "Bookkeepers, receptionists and (some) blacksmiths disagree.",
    "Yes",
    "The [MASK] sells bread, doesn't she?",
]
Reference = Callable[[list[int], list[int], int], float]


@pytest.fixture(scope="module")
def reference_score(model_folder: Path, tokenizer: AlbertTokenizer) -> Reference:
    """Log-probability of the piece at a place, other places masked, by transformers alone."""
    model = transformers.AlbertForMaskedLM.from_pretrained(model_folder).eval()

    def score(ids: list[int], hidden: list[int], place: int) -> float:
        masked = [
            tokenizer.mask_token_id if index in hidden else piece for index, piece in enumerate(ids)
        ]
        with torch.no_grad():
            logits = model(torch.tensor([masked])).logits[0, place]
        return float(logits.double().log_softmax(dim=-1)[ids[place]])

    return score


def words_of(tokenizer: AlbertTokenizer, ids: list[int]) -> list[list[int]]:
    """The places of every word's pieces, found by walking through them."""
    words: list[list[int]] = []
    inside = False
    for place, piece in enumerate(ids):
        if tokenizer.is_special[piece]:
            inside = False
        elif inside and not tokenizer.is_word_start[piece]:
            words[-1].append(place)
        else:
            words.append([place])
            inside = True
    return words


@pytest.mark.parametrize("batch_size", [1, 3, 32])
def test_each_piece_alone_as_transformers_whatever_the_batch(
    fill_mask: FillMask, reference_score: Reference, batch_size: int
) -> None:
    fill_mask.batch_size = batch_size
    tokenizer = fill_mask.tokenizer
    for text, scores in zip(TEXTS, pseudo_log_likelihood(fill_mask, TEXTS), strict=True):
        ids = tokenizer.encode(text)
        ordinary = [
            place for place, piece in enumerate(ids) if piece not in (2, 3, 4)
        ]  # [CLS] [SEP] [MASK]
        expected = [reference_score(ids, [place], place) for place in ordinary]
        assert scores.input_ids == ids
        assert scores.positions.tolist() == ordinary
        assert scores.tokens == [piece for piece in tokenizer.tokenize(text) if piece != "[MASK]"]
        assert scores.log_probabilities.tolist() == pytest.approx(expected, abs=1e-4)
        assert scores.total == pytest.approx(sum(expected), abs=1e-3)
        assert scores.mean == pytest.approx(np.mean(expected), abs=1e-4)


def test_words_from_left_to_right_as_kauf_and_ivanova(
    fill_mask: FillMask, reference_score: Reference
) -> None:
    """Masked: the piece, and the pieces of its word to the right of it."""
    for scores in pseudo_log_likelihood(fill_mask, TEXTS, mask_unit="word"):
        ids = scores.input_ids
        expected = [
            reference_score(ids, word[rank:], place)
            for word in words_of(fill_mask.tokenizer, ids)
            for rank, place in enumerate(word)
        ]
        assert scores.log_probabilities.tolist() == pytest.approx(expected, abs=1e-4)


def test_whole_words_at_once_are_scored_in_one_reading(
    fill_mask: FillMask, reference_score: Reference
) -> None:
    readings = count_rows(fill_mask)
    (scores,) = pseudo_log_likelihood(fill_mask, [TEXTS[1]], mask_unit="word", left_to_right=False)
    words = words_of(fill_mask.tokenizer, scores.input_ids)
    assert max(map(len, words)) > 1
    assert readings == [len(words)]
    expected = [reference_score(scores.input_ids, word, place) for word in words for place in word]
    assert scores.log_probabilities.tolist() == pytest.approx(expected, abs=1e-4)


def count_rows(fill_mask: FillMask) -> list[int]:
    """A list to which every call of the model adds its number of rows."""
    rows: list[int] = []
    fill_mask.model.register_forward_pre_hook(lambda _, inputs: rows.append(len(inputs[0])))
    return rows


@pytest.mark.parametrize("left_to_right", [True, False])
def test_a_target_of_several_words_hides_as_a_whole(
    fill_mask: FillMask, reference_score: Reference, left_to_right: bool
) -> None:
    ids, places = word_positions(fill_mask.tokenizer, "The ", "wedding bookkeeper", " sleeps.")
    assert len(places) > 2
    (scores,) = pseudo_log_likelihood(
        fill_mask, [ids], [places], mask_unit="positions", left_to_right=left_to_right
    )
    expected = [
        reference_score(ids, places[rank:] if left_to_right else places, place)
        for rank, place in enumerate(places)
    ]
    assert scores.log_probabilities.tolist() == pytest.approx(expected, abs=1e-4)


def test_a_subset_of_positions_has_the_scores_it_has_among_all(fill_mask: FillMask) -> None:
    everything = pseudo_log_likelihood(fill_mask, TEXTS[:2])
    some = pseudo_log_likelihood(fill_mask, TEXTS[:2], [[3, 1], None])
    assert some[0].positions.tolist() == [3, 1]
    expected = everything[0].log_probabilities[[2, 0]]  # [CLS] has no score
    assert some[0].log_probabilities.tolist() == pytest.approx(expected.tolist(), abs=1e-5)
    assert some[0].tokens == [everything[0].tokens[2], everything[0].tokens[0]]
    assert some[1].total == pytest.approx(everything[1].total, abs=1e-4)
    (nothing,) = pseudo_log_likelihood(fill_mask, TEXTS[:1], [[]])
    assert nothing.total == 0.0
    assert np.isnan(nothing.mean)
    assert pseudo_log_likelihood(fill_mask, []) == []


def test_ids_give_what_their_text_gives(fill_mask: FillMask) -> None:
    ids = fill_mask.tokenizer.encode(TEXTS[0])
    of_text, of_ids = pseudo_log_likelihood(fill_mask, [TEXTS[0], ids])
    assert of_text.input_ids == of_ids.input_ids
    assert of_text.log_probabilities == pytest.approx(of_ids.log_probabilities, abs=1e-5)


def test_dropout_is_off_and_no_gradients_are_kept(fill_mask: FillMask) -> None:
    (before,) = pseudo_log_likelihood(fill_mask, TEXTS[:1])
    fill_mask.model.train()
    (again,) = pseudo_log_likelihood(fill_mask, TEXTS[:1])
    assert np.array_equal(before.log_probabilities, again.log_probabilities)
    assert fill_mask.model.training


def test_texts_that_cannot_be_scored_are_refused(fill_mask: FillMask) -> None:
    for text in ("", " ", "[MASK]", [2, 3], []):
        with pytest.raises(InputError, match="no token to score; give a text of at least one"):
            pseudo_log_likelihood(fill_mask, [TEXTS[0], text])
    with pytest.raises(InputError, match=r"'the the .*…? has 82 tokens.*knows 64 positions"):
        pseudo_log_likelihood(fill_mask, ["the " * 80])
    with pytest.raises(InputError, match="Id 8000 is not one of the 8000"):
        pseudo_log_likelihood(fill_mask, [[2, 8000, 3]])


def test_positions_that_cannot_be_scored_are_refused(fill_mask: FillMask) -> None:
    for place, what in ((0, r"\[CLS\]"), (2, r"\[SEP\]"), (3, "nothing"), (-1, "nothing")):
        with pytest.raises(InputError, match=f"Position {place} of 'Door' holds {what}; .* its 3,"):
            pseudo_log_likelihood(fill_mask, ["Door"], [[1, place]])
    with pytest.raises(InputError, match="positions for 1 texts, but 2 texts"):
        pseudo_log_likelihood(fill_mask, TEXTS[:2], [None])


@pytest.mark.usefixtures("without_shape_checks")
def test_an_unknown_way_of_masking_is_refused(fill_mask: FillMask) -> None:
    with pytest.raises(
        InputError, match="mask_unit='sentence' is unknown; choose from token, word"
    ):
        pseudo_log_likelihood(fill_mask, TEXTS, mask_unit="sentence")  # type: ignore[arg-type]


def test_shared_positions_by_hand(tokenizer: AlbertTokenizer) -> None:
    # [CLS] 20 21 22 23 [SEP] and [CLS] 20 30 31 22 23 [SEP]: 21 was replaced by 30 31
    first, second = [2, 20, 21, 22, 23, 3], [2, 20, 30, 31, 22, 23, 3]
    assert shared_positions(tokenizer, first, second) == ([1, 3, 4], [1, 4, 5])
    assert shared_positions(tokenizer, [2, 20, 3], [2, 21, 3]) == ([], [])
    assert shared_positions(tokenizer, first, first) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_word_positions_find_the_pieces_of_a_word_or_phrase(tokenizer: AlbertTokenizer) -> None:
    def pieces(left: str, word: str, right: str) -> str:
        ids, places = word_positions(tokenizer, left, word, right)
        assert ids == tokenizer.encode(left + word + right)
        return tokenizer.decode([ids[place] for place in places])

    assert pieces("The ", "bookkeeper", " is late.") == "bookkeeper"
    assert pieces("", "Bookkeeper", ".") == "bookkeeper"
    assert pieces("the  baker and the ", "baker", ", too") == "baker"
    assert pieces("He met the ", "Café owner", "") == "cafe owner"
    assert pieces("A [MASK] saw ", "her", "") == "her"
    _, places = word_positions(tokenizer, "the baker and the ", "baker", ".")
    assert places == [5]
    for word in ("", " "):
        with pytest.raises(InputError, match=f"belongs to '{word}'; name a word"):
            word_positions(tokenizer, "The baker ", word, " sleeps.")


def test_a_word_start_that_stands_alone_belongs_to_its_word(
    english_tokenizer: AlbertTokenizer,
) -> None:
    assert english_tokenizer.tokenize("a locksmith")[:2] == ["▁a", "▁"]
    for left, word, right in (
        ("He is a ", "locksmith", "."),
        ("", "Locksmith", " wanted"),
        ("He is a  ", "locksmith and a porter", ""),
    ):
        ids, places = word_positions(english_tokenizer, left, word, right)
        pieces = [english_tokenizer.id_to_piece(ids[place]) for place in places]
        assert pieces == english_tokenizer.tokenize(word)
    ids, places = word_positions(english_tokenizer, "A locksmith's ", "cat", ".")
    assert [english_tokenizer.id_to_piece(ids[place]) for place in places] == ["▁cat"]
