"""`quiz`: a multiple-choice question; every option has its own explanation."""

from __future__ import annotations

import html
from collections.abc import Mapping

import ipywidgets

from albert_lib.errors import AlbertLibError
from albert_lib.workbook.widgets import display_widget


class QuizError(AlbertLibError, ValueError):
    """The right answer of a question is not among its options."""


def quiz(question: str, options: Mapping[str, str], correct: str) -> None:
    """Ask `question`; each option is a button that shows its explanation when it is pressed.

    `options` maps each option to its explanation; `correct` is one of them. Without a kernel the
    question is a list of options that unfold to their explanations.

    Raises QuizError when `correct` is not among the options.
    """
    if correct not in options:
        raise QuizError(
            f"The right answer {correct!r} of the question {question!r} is not among its options."
        )
    answer = ipywidgets.HTML()
    buttons = []
    for option, explanation in options.items():
        button = ipywidgets.Button(
            description=option,
            tooltip=f"Answer: {option}",
            layout=ipywidgets.Layout(width="auto", height="auto"),
        )
        said = _answer_html(option, explanation, option == correct)
        text = f'<div role="status">{said}</div>'  # read out by a screen reader
        button.on_click(lambda _, text=text: setattr(answer, "value", text))
        buttons.append(button)
    title = ipywidgets.HTML(f"<p><b>Guess.</b> {html.escape(question)}</p>")
    row = ipywidgets.Box(
        buttons, layout=ipywidgets.Layout(display="flex", flex_flow="row wrap", grid_gap="4px")
    )
    display_widget(
        ipywidgets.VBox([title, row, answer]),
        {
            "text/plain": _plain(question, options),
            "text/html": _folded(question, options, correct),
        },
    )


def _answer_html(option: str, explanation: str, right: bool) -> str:
    verdict = "✓ Right" if right else "✗ Not this"  # in words, for those who see no colours
    return f"<p><b>{verdict}: {html.escape(option)}.</b> {html.escape(explanation)}</p>"


def _plain(question: str, options: Mapping[str, str]) -> str:
    return "\n".join([f"Guess. {question}", *(f"  - {option}" for option in options)])


def _folded(question: str, options: Mapping[str, str], correct: str) -> str:
    """The question for a page without a kernel: every option unfolds to its explanation."""
    folds = [
        f"<details><summary>{html.escape(option)}</summary>"
        f"{_answer_html(option, explanation, option == correct)}</details>"
        for option, explanation in options.items()
    ]
    return f"<p><b>Guess.</b> {html.escape(question)}</p>\n" + "\n".join(folds)
