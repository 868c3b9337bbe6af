"""`hint` and `reveal`: three hints for an exercise, and the library's own solution."""

from __future__ import annotations

import datetime
import html
import inspect
import os
from collections import Counter
from pathlib import Path

from IPython.display import Markdown, display
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from albert_lib.errors import AlbertLibError
from albert_lib.files import in_checkout, project_folder
from albert_lib.workbook.exercise import Exercise, find_exercise

STEPS = ("the shape", "the concept", "the line")
_hints_given: Counter[str] = Counter()  # by exercise, in this kernel


class HintError(AlbertLibError, ValueError):
    """There is no hint with this number."""


def hint(id: str, step: int | None = None) -> None:
    """Show the next hint of exercise `id`: the shape, then the concept, then the line.

    `step` (1, 2 or 3) shows one of them directly. Raises HintError for any other step.
    """
    exercise = find_exercise(id)
    if step is None:
        _hints_given[id] = min(_hints_given[id] + 1, len(STEPS))
        step = _hints_given[id]
    if step not in (1, 2, 3):
        raise HintError(f"There is no hint {step}; the hints are 1, 2 and 3.")
    text = f"**Hint {step} of 3, {STEPS[step - 1]}.** {exercise.hints[step - 1]}"
    if step < 3:
        text += f'\n\n*More:* `hint("{id}")`'
    display(Markdown(text))


def reveal(id: str, opens: str | None = None) -> None:
    """Show the library's own version of exercise `id`, folded until it is clicked on.

    Before the day `opens` ("2027-01-08"), which a class's release may name, it says when instead.
    """
    exercise = find_exercise(id)
    if opens is not None and datetime.date.today() < datetime.date.fromisoformat(opens):
        display(Markdown(f"The library's `{exercise.name}` is shown here from {opens} on."))
        return
    display(
        {"text/plain": reveal_text(exercise), "text/html": reveal_html(exercise)},
        raw=True,
    )


def reveal_text(exercise: Exercise) -> str:
    """The file of the library's version, for readers without HTML."""
    return f"{exercise.name} is in {source_file(exercise)}"


def reveal_html(exercise: Exercise) -> str:
    """The library's version, highlighted, folded, with a link to its file."""
    file = source_file(exercise)
    # relative to notebooks/, and to build/, where the workbook's HTML goes
    link = html.escape(file)
    if in_checkout():
        link = f'<a href="../{link}">{link}</a>'
    code = highlight(
        inspect.getsource(inspect.unwrap(exercise.solution)),
        PythonLexer(),
        HtmlFormatter(
            noclasses=True, nobackground=True, prestyles="white-space: pre; overflow-x: auto"
        ),
    )
    return (
        f"<details><summary>The library's <code>{exercise.name}</code></summary>\n"
        f"<p>From {link}, the tested code that later cells use.</p>\n{code}</details>"
    )


def source_file(exercise: Exercise) -> str:
    """The file of the library's version, as a path from the project's folder."""
    path = Path(inspect.getfile(inspect.unwrap(exercise.solution))).resolve()
    return path.relative_to(project_folder()).as_posix().replace(os.sep, "/")
