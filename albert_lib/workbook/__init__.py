"""What only a notebook needs: exercises and their checks, figures, widgets, the runner.

Names are loaded on first use: the environment check has to work where PyTorch is missing.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from albert_lib.openmp import share_processors

_HOME_OF = {
    "check": "checks",
    "failing_input": "failing_inputs",
    "kept_answers": "answer_files",
    "forget": "answer_files",
    "my_albert": "assembly",
    "hint": "hints",
    "reveal": "hints",
    "show": "figures",
    "use_style": "style",
    "COLORS": "style",
    "band": "measured",
    "here": "measured",
    "guesses": "questions",
    "quiz": "questions",
    "explorer": "widgets",
    "slider": "widgets",
    "choice": "widgets",
    "lattice_by_hand": "by_hand",
    "environment_check": "environment",
}

__all__ = list(_HOME_OF)

if (
    "ipykernel" in sys.modules
):  # in a notebook's kernel; grading forks, which threads are in the way of
    share_processors()


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"albert_lib.workbook has no {name!r}; it has {', '.join(_HOME_OF)}.")
    value = getattr(importlib.import_module(f"albert_lib.workbook.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


if TYPE_CHECKING:
    from albert_lib.workbook.answer_files import forget as forget
    from albert_lib.workbook.answer_files import kept_answers as kept_answers
    from albert_lib.workbook.assembly import my_albert as my_albert
    from albert_lib.workbook.by_hand import lattice_by_hand as lattice_by_hand
    from albert_lib.workbook.checks import check as check
    from albert_lib.workbook.environment import environment_check as environment_check
    from albert_lib.workbook.failing_inputs import failing_input as failing_input
    from albert_lib.workbook.figures import show as show
    from albert_lib.workbook.hints import hint as hint
    from albert_lib.workbook.hints import reveal as reveal
    from albert_lib.workbook.measured import band as band
    from albert_lib.workbook.measured import here as here
    from albert_lib.workbook.questions import guesses as guesses
    from albert_lib.workbook.questions import quiz as quiz
    from albert_lib.workbook.style import COLORS as COLORS
    from albert_lib.workbook.style import use_style as use_style
    from albert_lib.workbook.widgets import choice as choice
    from albert_lib.workbook.widgets import explorer as explorer
    from albert_lib.workbook.widgets import slider as slider
