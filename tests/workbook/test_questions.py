"""`quiz` asks out of the bank, explains what is pressed, and remembers the first guess."""

from __future__ import annotations

from typing import Any

import ipywidgets
import pytest

from albert_lib.workbook import questions
from albert_lib.workbook.questions import (
    Question,
    QuizError,
    find_question,
    guesses,
    questions_of,
    quiz,
)

BANK = (
    Question(
        "99.1", "How many?", {"366": "n drawn evenly <1>", "600": "six elevenths"}, correct="600"
    ),
    Question(
        "99.2", "Of {n}, how many?", {"{half}": "half of {n}", "none": "no"}, correct="{half}"
    ),
)


@pytest.fixture(autouse=True)
def bank(monkeypatch: pytest.MonkeyPatch) -> None:
    real = questions_of
    monkeypatch.setattr(
        questions, "questions_of", lambda chapter: BANK if chapter == "99" else real(chapter)
    )
    monkeypatch.setattr(questions, "_first_guesses", {})


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ipywidgets.Widget, dict[str, Any]]]:
    """The widgets that are displayed, each with what stands in for it."""
    seen: list[tuple[ipywidgets.Widget, dict[str, Any]]] = []
    monkeypatch.setattr(questions, "display_widget", lambda *shown: seen.append(shown))
    return seen


def press(shown: list[tuple[ipywidgets.Widget, dict[str, Any]]], option: str) -> str:
    (asked,) = shown[-1][0].children
    asked.pressed = asked.labels.index(option)  # what the browser sends
    return str(asked.said)


def test_the_option_that_is_pressed_is_explained(shown: list[Any]) -> None:
    quiz("99.1")
    (asked,) = shown[0][0].children
    assert (asked.description, asked.labels, asked.said) == ("How many?", ["366", "600"], "")
    answer = press(shown, "366")
    assert "n drawn evenly &lt;1&gt;" in answer and "Not this" in answer
    answer = press(shown, "600")
    assert "six elevenths" in answer and "Right" in answer


def test_a_question_stands_without_its_widget(shown: list[Any]) -> None:
    quiz("99.1")
    ((_, stand_in),) = shown
    assert stand_in["text/plain"] == "Guess. How many?\n  - 366\n  - 600"
    assert stand_in["text/html"].count("<details>") == 2
    assert stand_in["text/html"].count("✓ Right") == 1


def test_the_notebooks_numbers_are_filled_in(shown: list[Any]) -> None:
    quiz("99.2", n=10, half=5)
    ((_, stand_in),) = shown
    assert stand_in["text/plain"] == "Guess. Of 10, how many?\n  - 5\n  - none"
    assert "half of 10" in press(shown, "5")
    with pytest.raises(QuizError, match=r"Question 99\.2 needs the number 'half'"):
        quiz("99.2", n=10)


def test_the_first_guess_is_kept_for_the_summary(
    shown: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    guesses("99")
    assert capsys.readouterr().out == (
        "Of the 2 questions of this chapter (here: none guessed yet)\n"
    )
    quiz("99.1")
    press(shown, "366")
    press(shown, "600")
    quiz("99.2", n=10, half=5)
    press(shown, "5")
    guesses("99")
    assert capsys.readouterr().out == (
        "Of the 2 questions of this chapter (here: 1 of 2 guessed right at once; "
        "99.1: you expected '366', it is '600')\n"
    )


def test_a_question_without_its_answer_or_without_a_bank_is_refused() -> None:
    with pytest.raises(QuizError, match="not among its options"):
        Question("1.1", "How many?", {"1": "one"}, correct="2")
    for id in ("2.99", "77.1", "two", "2", "../2.1"):
        with pytest.raises(QuizError, match="There is no question"):
            find_question(id)
