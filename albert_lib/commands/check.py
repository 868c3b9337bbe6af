"""check: run the workbook's checks against a file of one's own functions."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import runpy
import traceback
from collections import defaultdict
from pathlib import Path
from typing import Any

from albert_lib.errors import InputError, listed
from albert_lib.files import read_text
from albert_lib.workbook.answer_files import keep_answer
from albert_lib.workbook.checks import SECONDS, examine
from albert_lib.workbook.exercise import Exercise, all_exercises
from albert_lib.workbook.seeds import chosen_seed
from albert_lib.workbook.time_limit import TooSlow, time_limit


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "file",
        type=Path,
        metavar="FILE.py",
        help="with functions of the names that the exercises give them; it is run",
    )
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="ID", help="exercises such as 4.3; else all"
    )
    parser.add_argument(
        "--seed", type=int, metavar="N", help="of the inputs, to meet the same ones again"
    )
    parser.add_argument(
        "--keep", action="store_true", help="keep what is right for `my_albert()`, as notebooks do"
    )


def run(options: argparse.Namespace) -> int:
    """Check every function that the file defines; 1 where one of them is not right.

    The last line is one JSON object: the exercises by what became of them, the points, and the
    seed of the inputs.
    """
    seed = chosen_seed(options.seed)
    exercises = chosen(options.only)
    functions = functions_of(options.file)
    found: dict[str, list[str]] = defaultdict(list)
    points = 0
    for exercise in exercises:
        if exercise.name not in functions:
            found["missing"].append(exercise.id)
            continue
        verdict = examine(exercise, functions[exercise.name], seed)
        print(f"{exercise.name}\n{verdict.text}")
        if options.keep and verdict.status == "right":
            print(keep_answer(exercise, functions[exercise.name]) or "Not kept here.")
        print()
        found[verdict.status.replace(" ", "_")].append(exercise.id)
        points += exercise.points if verdict.status == "right" else 0
    if found["missing"]:
        names = [f"{each.id} {each.name}" for each in exercises if each.id in found["missing"]]
        print(f"Not in {options.file}: {', '.join(names)}.\n")
    of = sum(exercise.points for exercise in exercises)
    statuses = ("right", "wrong", "raised", "not_attempted", "missing")
    result: dict[str, Any] = {status: found[status] for status in statuses}
    print(json.dumps({**result, "points": points, "of": of, "seed": seed}))
    return int(bool(found["wrong"] or found["raised"]))


def chosen(ids: list[str]) -> list[Exercise]:
    """The exercises of those ids, or all; InputError for an id that there is not."""
    everything = all_exercises()
    for id in ids:
        if id not in everything:
            raise InputError(
                f"There is no exercise {id!r}; --only takes {listed(list(everything), most=40)}."
            )
    return [exercise for id, exercise in everything.items() if not ids or id in ids]


def functions_of(file: Path) -> dict[str, Any]:
    """What a file defines when it is run; InputError where it cannot be run, with the line."""
    read_text(file)  # a sentence for what is missing, or no text
    try:
        with time_limit(SECONDS), contextlib.redirect_stdout(io.StringIO()):
            return runpy.run_path(str(file))
    except KeyboardInterrupt:
        raise
    except TooSlow:
        raise InputError(
            f"{file} was stopped after {SECONDS:g} seconds, before its functions were there; leave "
            f"what takes long under `if __name__ == '__main__':`."
        ) from None
    except BaseException as problem:
        frames = traceback.extract_tb(problem.__traceback__)
        own = [frame.lineno for frame in frames if Path(frame.filename) == file]
        line = getattr(problem, "lineno", None) or (own[-1] if own else "?")
        raise InputError(
            f"{file} cannot be run: {type(problem).__name__} in line {line} ({problem})."
        ) from None
