"""Exact match and F1 of both versions: the official scripts' own output, and what must hold of any.

The second implementation here takes other ways to the same definitions: it walks through a text
character by character instead of substituting patterns, and pairs sorted words off instead of
counting them.
"""

from __future__ import annotations

import math
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from official_cases import OFFICIAL_CASES, OfficialCase, Printed

from albert_lib.errors import InputError
from albert_lib.finetuning import (
    Answer,
    AnswerScore,
    MeanScores,
    SquadFile,
    SquadQuestion,
    normalize_answer,
    read_squad,
    score_answer,
    score_squad,
)
from albert_lib.finetuning.squad_scoring import score_questions

NAMES = [case.name for case in OFFICIAL_CASES]


def file_of(version: Any, golds: dict[str, list[str]]) -> SquadFile:
    """Questions by their ids with these gold answers, wherever they stand."""
    questions = (
        SquadQuestion(name, "", "?", tuple(Answer(text, 0) for text in texts))
        for name, texts in golds.items()
    )
    return SquadFile(version, tuple(questions))


# -- the official scripts' output


def test_there_are_55_cases() -> None:
    assert len(OFFICIAL_CASES) == len(set(NAMES)) == 55


@pytest.mark.parametrize("case", OFFICIAL_CASES, ids=NAMES)
@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_the_official_scripts(case: OfficialCase, version: Any) -> None:
    printed: Printed = case.v1 if version == "1.1" else case.v2
    data = file_of(version, {"q": case.golds})
    predictions = {} if case.prediction is None else {"q": case.prediction}
    if case.prediction is None or isinstance(printed, str):
        # they stop, or version 1.1 counts a missing prediction as wrong; we say what is missing
        sentence = "'q' has no prediction" if case.prediction is None else "no question without"
        with pytest.raises(InputError, match=sentence):
            score_squad(data, predictions)
        return
    scores = score_squad(data, predictions)
    assert (scores.overall.exact_match, round(scores.overall.f1, 1)) == printed
    answered = scores.no_answer if not case.golds else scores.has_answer
    assert answered == scores.overall


# -- a second implementation


def other_normalisation(text: str) -> str:
    """Words of letters, digits and whatever else is not ASCII punctuation, without the articles."""
    kept = [char for char in text.lower() if char not in string.punctuation]
    articles, word, words, between = {"a", "an", "the"}, "", [], ""
    # an article counts between the borders of words, of which punctuation beyond ASCII is one
    for char in [*kept, " "]:
        if char.isalnum():
            word += char
            continue
        between += " " if word in articles else word
        word = ""
        between += char
    for char in [*between, " "]:
        if char.isspace():
            words += [word] if word else []
            word = ""
        else:
            word += char
    return " ".join(words)


def paired_words(first: list[str], second: list[str]) -> int:
    """How many words can be paired off with an equal one of the other text."""
    first, second = sorted(first), sorted(second)
    a = b = pairs = 0
    while a < len(first) and b < len(second):
        if first[a] == second[b]:
            pairs += 1
        smaller = min(first[a], second[b])
        a += first[a] == smaller
        b += b < len(second) and second[b] == smaller
    return pairs


def other_score(prediction: str, golds: list[str], version: str) -> tuple[float, float]:
    predicted = other_normalisation(prediction)
    best_exact, best_f1 = 0.0, 0.0
    comparable = [other_normalisation(gold) for gold in golds]
    if version == "2.0":
        comparable = list(filter(None, comparable))
        if not comparable:
            return (0.0, 0.0) if predicted else (1.0, 1.0)
    for gold in comparable:
        n_words = len(predicted.split()) + len(gold.split())
        pairs = paired_words(predicted.split(), gold.split())
        best_exact = max(best_exact, float(predicted == gold))
        best_f1 = max(best_f1, 2 * pairs / n_words if pairs else 0.0)
    return best_exact, best_f1


ODD_CHARACTERS = (
    "aAnteh .,-'!$_\u00a0\n\u200b\u2013\u2019\u201c\u2026\u00e9\u0301\u0130\u00df\uff11"
)
WORDS = st.lists(
    st.sampled_from("a an the The A.N. new york YORK no é 12 24-10 Levi's … – ! _ ''".split())
).map(" ".join)
TEXTS = WORDS | st.text(ODD_CHARACTERS, max_size=12) | st.text(max_size=12)


@settings(max_examples=1000, deadline=None)
@given(TEXTS, st.lists(TEXTS, max_size=4), st.sampled_from(["1.1", "2.0"]))
def test_a_second_implementation_agrees(prediction: str, golds: list[str], version: Any) -> None:
    if version == "1.1" and not golds:
        return
    score = score_answer(prediction, golds, version)
    exact, f1 = other_score(prediction, golds, version)
    assert score.exact_match == exact
    assert score.f1 == pytest.approx(f1, abs=1e-12)


@settings(max_examples=300, deadline=None)
@given(TEXTS)
def test_normalising_drops_what_is_not_compared(text: str) -> None:
    assert normalize_answer(text) == other_normalisation(text)
    assert normalize_answer(f" the {text}\n a!") == normalize_answer(text)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from(["1.1", "2.0"]))
def test_f1_is_symmetric_and_exact_match_is_the_stricter(a: str, b: str, version: Any) -> None:
    score = score_answer(a, [b], version)
    assert score == score_answer(b, [a], version)
    assert 0 <= score.f1 <= 1 and score.exact_match in (0, 1)
    if score.exact_match and (normalize_answer(a) or version == "2.0"):
        assert score.f1 == pytest.approx(1)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.lists(TEXTS, min_size=1, max_size=3), TEXTS)
def test_a_further_gold_answer_only_helps_in_1_1(text: str, golds: list[str], more: str) -> None:
    before, after = score_answer(text, golds, "1.1"), score_answer(text, [*golds, more], "1.1")
    assert after.exact_match >= before.exact_match and after.f1 >= before.f1


# -- whole files


def test_means_over_all_and_over_both_kinds_of_questions() -> None:
    golds = {"a": ["Denver Broncos"], "b": ["north", "North Sea"], "c": [], "d": []}
    predictions = {"a": "Broncos", "b": "the north", "c": "", "d": "south", "further": "ignored"}
    scores = score_squad(file_of("2.0", golds), predictions)
    assert (scores.overall.exact_match, scores.overall.n_questions) == (50.0, 4)
    assert scores.overall.f1 == pytest.approx(100 * (2 / 3 + 1 + 1) / 4)
    assert scores.has_answer is not None
    assert (scores.has_answer.exact_match, scores.has_answer.n_questions) == (50.0, 2)
    assert scores.has_answer.f1 == pytest.approx(100 * (2 / 3 + 1) / 2)
    assert scores.no_answer == MeanScores(50.0, 50.0, 2)
    official = scores.official()
    assert list(official) == [
        *("exact", "f1", "total"),
        *("HasAns_exact", "HasAns_f1", "HasAns_total"),
        *("NoAns_exact", "NoAns_f1", "NoAns_total"),
    ]
    assert (official["total"], official["NoAns_total"], official["HasAns_f1"]) == (
        4,
        2,
        pytest.approx(100 * 5 / 6),
    )


def test_what_has_no_questions_is_not_printed() -> None:
    only_none = score_squad(file_of("2.0", {"a": []}), {"a": ""})
    assert only_none.has_answer is None
    assert not any(name.startswith("HasAns") for name in only_none.official())
    only_some = score_squad(file_of("2.0", {"a": ["x"]}), {"a": ""})
    assert only_some.no_answer is None
    assert not any(name.startswith("NoAns") for name in only_some.official())


def test_version_1_1_prints_two_numbers() -> None:
    scores = score_squad(file_of("1.1", {"a": ["Denver Broncos"]}), {"a": "Broncos"})
    assert scores.official() == {"exact_match": 0.0, "f1": pytest.approx(66.7, abs=0.05)}


# -- a threshold on null scores


def test_a_question_above_the_threshold_is_unanswered() -> None:
    data = file_of("2.0", {"a": ["north"], "b": ["south"], "c": []})
    predictions, nulls = {"a": "north", "b": "south", "c": "east"}, {"a": -1.0, "b": 0.5, "c": 2.0}
    found = {
        threshold: score_squad(data, predictions, nulls, threshold).overall.exact_match
        for threshold in (-math.inf, -1.0, 0.4, 0.5, 1.9, 2.0, math.inf)
    }
    third = pytest.approx(100 / 3)
    assert found == {
        -math.inf: third,
        -1.0: pytest.approx(200 / 3),
        0.4: pytest.approx(200 / 3),
        0.5: 100.0,  # not greater: answered
        1.9: 100.0,
        2.0: pytest.approx(200 / 3),
        math.inf: pytest.approx(200 / 3),
    }


def test_an_unanswered_question_with_an_answer_of_punctuation_is_wrong() -> None:
    data = file_of("2.0", {"a": ["!!!"]})
    assert score_squad(data, {"a": ""}).overall.f1 == 100
    assert score_squad(data, {"a": ""}, {"a": 1.0}, 0.0).overall.f1 == 0, "as the script has it"


# -- what is missing or not a text


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_a_missing_prediction_is_named(version: Any) -> None:
    data = file_of(version, {"a": ["x"], "b": ["y"]})
    with pytest.raises(InputError, match=r"Question 'b' has no prediction among 1; give one"):
        score_squad(data, {"a": "x"})


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("prediction", [None, 3, ["x"]])
def test_a_prediction_is_a_text(prediction: Any) -> None:
    with pytest.raises(InputError, match="prediction for question 'a' is"):
        score_squad(file_of("2.0", {"a": ["x"]}), {"a": prediction})


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("null", [math.nan, math.inf, -math.inf, None, "1"])
def test_a_null_score_is_a_finite_number(null: Any) -> None:
    with pytest.raises(InputError, match=r"null score of question 'a' is .*; give a finite"):
        score_squad(file_of("2.0", {"a": ["x"]}), {"a": "x"}, {"a": null})


def test_a_missing_null_score_is_named() -> None:
    with pytest.raises(InputError, match="'a' has no null score among 0"):
        score_squad(file_of("2.0", {"a": ["x"]}), {"a": "x"}, {})


def test_version_1_1_has_no_null_scores() -> None:
    with pytest.raises(InputError, match=r"Version 1\.1 has no unanswerable questions"):
        score_squad(file_of("1.1", {"a": ["x"]}), {"a": "x"}, {"a": 1.0})


def test_questions_whose_answers_are_not_told() -> None:
    data = SquadFile("2.0", (SquadQuestion("a", "", "?", None),))
    with pytest.raises(InputError, match="'a' stands in its file without answers"):
        score_squad(data, {"a": "x"})


# -- the published files


def first(question: SquadQuestion) -> str:
    return question.known_answers[0].text if question.answers else ""


def taken(question: SquadQuestion) -> str:
    return question.training_answer.text if question.training_answer else ""


@pytest.mark.parametrize("name", ["dev-v1.1", "dev-v2.0", "train-v1.1", "train-v2.0"])
def test_every_gold_answer_is_right(tasks: Path, name: str) -> None:
    data = read_squad(tasks / "squad" / f"{name}.json")
    for choice in (first, taken):
        predictions = {question.id: choice(question) for question in data.questions}
        assert set(score_questions(data, predictions).values()) == {AnswerScore(1.0, 1.0)}


@pytest.mark.parametrize(("name", "percent"), [("train-v2.0", 50.8), ("dev-v2.0", 50.3)])
def test_leaving_everything_unanswered_scores_half(tasks: Path, name: str, percent: float) -> None:
    data = read_squad(tasks / "squad" / f"{name}.json")
    scores = score_squad(data, {question.id: "" for question in data.questions})
    assert scores.overall.exact_match == scores.overall.f1 == pytest.approx(percent, abs=0.05)
    assert scores.has_answer is not None and scores.has_answer.f1 == 0
