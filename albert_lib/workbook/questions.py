"""`quiz`: a multiple-choice question out of the bank; every option has its own explanation.

The bank is `albert_lib/workbook/quizzes/`, a file a chapter, so that an answer is nowhere in sight
before it is guessed. What was guessed first stays with the kernel, and `guesses` shows it at the
end of a chapter.
"""

from __future__ import annotations

import html
import importlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import ipywidgets

from albert_lib.errors import AlbertLibError
from albert_lib.workbook.dials import AnswerButtons
from albert_lib.workbook.measured import here
from albert_lib.workbook.widgets import display_widget

ID = re.compile(r"(?P<chapter>\d+[a-z]?)\.\d+")
# Of this kernel: what was pressed first, and what is right, by the id of the question.
_first_guesses: dict[str, tuple[str, str]] = {}


class QuizError(AlbertLibError, ValueError):
    """A question that does not exist, or that its bank has wrong."""


@dataclass(frozen=True)
class Question:
    """A question, its options with an explanation each, and which is right.

    `{name}` in any of the texts is a number that the notebook computes and hands to `quiz`. Raises
    QuizError when the right answer is not among the options.
    """

    id: str
    text: str
    options: Mapping[str, str]
    correct: str

    def __post_init__(self) -> None:
        if self.correct not in self.options:
            raise QuizError(
                f"The right answer {self.correct!r} of the question {self.text!r} is not among its "
                f"options."
            )

    def filled(self, numbers: Mapping[str, object]) -> Question:
        """The question with the notebook's numbers in their places; QuizError if one is missing."""
        try:
            return replace(
                self,
                text=self.text.format_map(numbers),
                options={
                    option.format_map(numbers): explanation.format_map(numbers)
                    for option, explanation in self.options.items()
                },
                correct=self.correct.format_map(numbers),
            )
        except KeyError as missing:
            raise QuizError(f"Question {self.id} needs the number {missing}; give it.") from None


def find_question(id: str) -> Question:
    """The question of that id, such as "2.1"; QuizError if there is none."""
    found = ID.fullmatch(id)
    for question in questions_of(found["chapter"]) if found else ():
        if question.id == id:
            return question
    raise QuizError(f"There is no question {id!r}; its id is a chapter and a number, as in '2.1'.")


def questions_of(chapter: str) -> tuple[Question, ...]:
    """A chapter's questions in order, such as those of "5" or "5b"; none where it has no bank."""
    number = chapter.rstrip("abcdefghijklmnopqrstuvwxyz")
    name = f"chapter_{int(number):02}{chapter[len(number) :]}"
    try:
        module = importlib.import_module(f"albert_lib.workbook.quizzes.{name}")
    except ModuleNotFoundError:
        return ()
    found: tuple[Question, ...] = module.QUESTIONS
    return found


def quiz(id: str, **numbers: object) -> None:
    """Ask the question `id`; each option is a button that shows its explanation when it is pressed.

    `numbers` are what the question needs of the notebook. Without a kernel the question is a list
    of options that unfold to their explanations. Raises QuizError for a question that does not
    exist or lacks a number.
    """
    question = find_question(id).filled(numbers)
    asked = AnswerButtons(description=question.text, labels=list(question.options))

    def answer(change: dict[str, Any]) -> None:
        option, explanation = list(question.options.items())[change["new"]]
        _first_guesses.setdefault(id, (option, question.correct))
        asked.said = _answer_html(option, explanation, option == question.correct)

    asked.observe(answer, names="pressed")
    display_widget(
        ipywidgets.VBox([asked]),
        {"text/plain": _plain(question), "text/html": _folded(question)},
    )


def guesses(chapter: str) -> None:
    """Print what was guessed first of a chapter's questions, where it was not right.

    The line is the same for everybody but for what stands in `(here: …)`.
    """
    ids = [question.id for question in questions_of(chapter)]
    own = {id: _first_guesses[id] for id in ids if id in _first_guesses}
    wrong = {id: (option, right) for id, (option, right) in own.items() if option != right}
    told = [f"{len(own) - len(wrong)} of {len(own)} guessed right at once"]
    told += [
        f"{id}: you expected {option!r}, it is {right!r}" for id, (option, right) in wrong.items()
    ]
    print(
        f"Of the {len(ids)} questions of this chapter",
        here("; ".join(told) if own else "none guessed yet"),
    )


def _answer_html(option: str, explanation: str, right: bool) -> str:
    verdict = "✓ Right" if right else "✗ Not this"  # in words, for those who see no colours
    return f"<p><b>{verdict}: {html.escape(option)}.</b> {html.escape(explanation)}</p>"


def _plain(question: Question) -> str:
    options = (f"  - {option}" for option in question.options)
    return "\n".join([f"Guess. {question.text}", *options])


def _folded(question: Question) -> str:
    """The question for a page without a kernel: every option unfolds to its explanation."""
    folds = [
        f"<details><summary>{html.escape(option)}</summary>"
        f"{_answer_html(option, explanation, option == question.correct)}</details>"
        for option, explanation in question.options.items()
    ]
    return f"<p><b>Guess.</b> {html.escape(question.text)}</p>\n" + "\n".join(folds)
