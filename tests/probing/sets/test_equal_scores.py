"""What every set says of a model that prefers nothing: stated in each set's text, held here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from albert_lib.probing import FillMask
from albert_lib.probing.sets import (
    bec_pro,
    blimp,
    comps,
    crows_pairs,
    ewok,
    stereoset,
    winobias,
    winoqueer,
)
from albert_lib.probing.sets.base import SetResult
from albert_lib.probing.sets.bec_pro import ProfessionPair
from albert_lib.probing.sets.blimp import MinimalPair
from albert_lib.probing.sets.comps import ConceptPair
from albert_lib.probing.sets.crows_pairs import StereotypePair
from albert_lib.probing.sets.ewok import ContextPair
from albert_lib.probing.sets.stereoset import ContextExample
from albert_lib.probing.sets.winobias import PronounPair, PronounSentence
from albert_lib.probing.sets.winoqueer import IdentityPair

NOISE = 1e-6  # in nats, as float32 leaves it


@pytest.fixture(params=["exactly", "but for rounding"])
def indifferent(request: pytest.FixtureRequest, scripted: Callable[..., FillMask]) -> FillMask:
    """All tokens equally likely at every place, exactly or as nearly as float32 computes it."""
    rng = np.random.default_rng(0)

    def rule(_: list[str], __: int) -> dict[str, float]:
        if request.param == "exactly":
            return {}
        words = ("▁he", "▁she", "▁him", "▁her", "▁helps", "▁is", "▁late", "▁kind", "▁old", ".")
        return {word: float(np.exp(rng.normal() * NOISE)) / 8000 for word in words}

    return scripted(rule)


def values(result: SetResult) -> dict[str, float]:
    return {measure.label: measure.value for measure in result.measures()}


def test_blimp_reads_nothing_right(indifferent: FillMask) -> None:
    pairs = [
        MinimalPair("She helps him.", "She helps her.", "one", "term"),
        MinimalPair("He is late.", "She is late.", "two", "term"),
        MinimalPair("She is old.", "She is old.", "two", "term"),
    ]
    found = values(blimp.score(indifferent, pairs))
    assert set(found.values()) == {0.0}


def test_crows_pairs_are_all_neutral(indifferent: FillMask) -> None:
    pairs = [
        StereotypePair("He is late.", "She is late.", "stereo", "gender"),
        StereotypePair("She is old.", "He is old.", "antistereo", "age"),
    ]
    assert values(crows_pairs.score(indifferent, pairs)) == {
        "metric score": 0.0,
        "neutral": 100.0,
        "metric score, age": 0.0,
        "metric score, gender": 0.0,
    }


def test_winoqueer_pairs_are_all_neutral(indifferent: FillMask) -> None:
    pairs = [IdentityPair("She is old.", "He is old.", "Lesbian", "Straight")] * 2
    found = values(winoqueer.score(indifferent, pairs))
    assert found == {"bias score": 0.0, "neutral": 100.0, "bias score against Lesbian": 0.0}


def test_comps_has_nothing_right(indifferent: FillMask) -> None:
    pair = ConceptPair("He", "The old driver", "is late.", "comps_base", "random")
    assert set(values(comps.score(indifferent, [pair])).values()) == {0.0}


def test_ewok_has_half(indifferent: FillMask) -> None:
    item = ContextPair(("He is old.", "She is kind."), ("He is late.", "She is."), "people")
    assert values(ewok.score(indifferent, [item, item])) == {
        "accuracy": 50.0,
        "both targets right": 0.0,
        "domain people": 50.0,
    }


def test_stereoset_counts_ties_against_and_says_so(indifferent: FillMask) -> None:
    texts = ("The nurse is kind.", "The nurse is late.", "The nurse is old.")
    intra = ContextExample("intrasentence", "1", "nurse", "gender", "The nurse is BLANK.", texts)
    inter = ContextExample("intersentence", "2", "nurse", "gender", "The nurse came.", texts)
    result = stereoset.score(indifferent, [intra, inter])
    assert set(values(result).values()) == {0.0}
    assert result.notes[-1].startswith("In 2 of 2 examples the stereotype and its opposite are")


def test_a_stereoset_without_ties_has_no_note_of_them(scripted: Callable[..., FillMask]) -> None:
    texts = ("The nurse is kind.", "The nurse is late.", "The nurse is old.")
    item = ContextExample("intrasentence", "1", "nurse", "gender", "The nurse is BLANK.", texts)
    fill_mask = scripted(lambda *_: {"▁kind": 0.2, "▁late": 0.1})
    assert stereoset.score(fill_mask, [item]).notes == ()
    opposite = scripted(lambda *_: {"▁kind": 0.1, "▁late": 0.2})
    assert stereoset.score(opposite, [item]).notes == ()


def test_winobias_reads_no_answer_and_so_no_stereotype_and_no_skew(indifferent: FillMask) -> None:
    pairs = []
    for number, (person, pro, anti) in enumerate(
        [("driver", "he", "she"), ("nurse", "she", "he"), ("guard", "he", "she")]
    ):
        text = f"The {person} is kind because [MASK] is late."
        halves = (PronounSentence(text, (pronoun,), person) for pronoun in (pro, anti))
        pairs.append(PronounPair(1, number, *halves))
    result = winobias.score(indifferent, pairs)
    found = values(result)
    assert all(abs(value) < 10 * NOISE for value in found.values())
    assert len(found) == 7
    assert all(measure.low <= 0 <= measure.high for measure in result.measures()[3:5])


def test_bec_pro_reads_no_association(indifferent: FillMask) -> None:
    pairs = []
    for job in ("driver", "nurse", "guard"):
        sentences = (f"He is a {job}.", f"She is a {job}.")
        pairs.append(ProfessionPair("template", job, "female", ("he", "she"), sentences))
    result = bec_pro.score(indifferent, pairs)
    assert all(abs(value) < 10 * NOISE for value in values(result).values())
    assert values(result)["female professions: women − men, r"] == 0
    assert "W = 0, Z = +0.00, p = 1, r = +0.00, 3 pairs" in result.notes[0]
