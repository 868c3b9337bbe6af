"""`failing_input`: the input that an exercise's check refused last, to try things on."""

from __future__ import annotations

import copy
from typing import Any

from albert_lib.errors import AlbertLibError
from albert_lib.workbook.exercise import Arguments, find_exercise

_refused: dict[str, dict[str, Any]] = {}  # by exercise, in this kernel


class NoFailingInput(AlbertLibError, LookupError):
    """No check of this exercise has refused an answer to one input in this kernel."""


def failing_input(id: str) -> dict[str, Any]:
    """The arguments on which the last refused answer to exercise `id` was wrong.

    They come by the names of the library's parameters, `function(**failing_input("4.3"))`, and are
    new copies at every call, a generator in the state it had. Raises NoFailingInput where there
    are none, and ExerciseError for an exercise that does not exist.
    """
    if id not in _refused:
        find_exercise(id)
        raise NoFailingInput(
            f"No input of exercise {id} is kept: its check has refused no answer since this "
            f"kernel was started. Run the cell with the check first."
        )
    return copy.deepcopy(_refused[id])


def remember_failing_input(id: str, arguments: Arguments | None) -> None:
    """Keep what `failing_input` gives, or keep nothing where no single input is to blame."""
    if arguments is None:
        _refused.pop(id, None)
    else:
        _refused[id] = copy.deepcopy(dict(arguments))
