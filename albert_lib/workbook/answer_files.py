"""Right answers are kept, a file an exercise, and loaded again: a person's own code, as written."""

from __future__ import annotations

import contextlib
import copy
import io
import os
import re
import sys
import types
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from albert_lib.errors import AlbertLibError, first_line
from albert_lib.files import answers_folder, new_file
from albert_lib.workbook.comparison import same
from albert_lib.workbook.exercise import Exercise, Trial, all_exercises, call, find_exercise
from albert_lib.workbook.measured import here
from albert_lib.workbook.seeds import SEED_VARIABLE, random_state_kept
from albert_lib.workbook.standalone import NotStandalone, standalone_source
from albert_lib.workbook.time_limit import TooSlow, time_limit

TRIED = 12  # inputs on which an answer is tried before it is kept, and when it is loaded
TRIAL_SECONDS = 10.0  # that those may take
# Files were named after the exercise's number once; numbers change, a function's name stays. The
# title, which keep_answer writes, tells whose such a file is.
NUMBERED = re.compile(r"answer_\d+_\d+\.py")
TITLE = re.compile(r'"""Exercise [\d.]+, .*: your (\w+), found right\.')
KeptFunction = Callable[..., Any]

_loaded: dict[tuple[str, str], KeptFunction] = {}  # by exercise and text, in this process


def keep_answer(exercise: Exercise, function: Any) -> str | None:
    """Keep a right answer as a file of its own; return what to say about it, or None.

    Only what stands alone and is right alone is kept: the file is run in a fresh namespace first.
    Nothing is kept while a class is graded, or when the inputs come from a seed of the
    environment. Never raises.
    """
    if is_graded() or SEED_VARIABLE in os.environ:
        return None
    path = _own_file(exercise)
    try:
        if (getattr(function, "__module__", None) or "").partition(".")[0] == "albert_lib":
            return here("not kept as yours: that is the library's own")
        title = f"Exercise {exercise.id}, {exercise.title}: your {exercise.name}, found right."
        source = standalone_source(function, exercise.name, title)
        if reason := _problem_alone(exercise, source, function):
            raise NotStandalone(reason)
        path.parent.mkdir(parents=True, exist_ok=True)
        with new_file(path) as unfinished:
            unfinished.write_text(source, encoding="utf-8")
        return here(f"kept for your own ALBERT in {path}")
    except NotStandalone as problem:
        reason = str(problem)
    except OSError as problem:
        reason = f"{path.parent} cannot be written [{problem.strerror}]"
    except Exception as problem:  # of a strange object: a check goes on whatever it meets
        reason = f"{type(problem).__name__} while it was written down"
    return here(f"right, but it could not be kept for your own ALBERT: {reason}.")


def kept_answers(
    say: Callable[[str], object] = print, *, only: Collection[str] | None = None
) -> dict[str, KeptFunction]:
    """The functions that were kept, by exercise, in reading order; damaged ones are said.

    Each file is run in a namespace of its own, as the notebook ran it, and tried on some inputs
    of its exercise. Files of older versions, which bear the numbers that exercises had then, count
    for the exercise whose function they hold. `only` names the exercises to look for, else all.
    """
    found: dict[str, KeptFunction] = {}
    for id, exercise in _wanted(only):
        for path in _kept_files(exercise)[:1]:
            try:
                found[id] = load_answer(exercise, path)
            except AlbertLibError as problem:
                say(f"{problem} It counts as not solved; check({id!r}, …) keeps a new one.")
    names = {exercise.name for exercise in all_exercises().values()}
    for path in _numbered_files():
        if _name_in_title(path) not in names:
            say(
                f"{path} names no function of an exercise in its first line, and exercises have "
                f"other numbers now. It counts for none; check your function again and delete it."
            )
    return found


def answers_of(
    file: str | os.PathLike[str],
    say: Callable[[str], object] = print,
    *,
    only: Collection[str] | None = None,
) -> dict[str, KeptFunction]:
    """The functions of a person's own file that are right, by exercise; the others are said.

    The file is run; a function answers the exercise whose name it bears. Raises NotStandalone
    where the file cannot be read or run.
    """
    path = Path(file)
    namespace = vars(_module(_text(path), path.stem, str(path)))
    found: dict[str, KeptFunction] = {}
    for id, exercise in _wanted(only):
        if callable(function := namespace.get(exercise.name)):
            if reason := problem_on_inputs(exercise, function):
                say(f"{id}: {exercise.name} of {path.name} is not right: {reason}.")
            else:
                found[id] = function
    return found


def forget(id: str | None = None) -> None:
    """Forget the answer to one exercise, or to all, to begin again.

    Raises ExerciseError for an exercise that there is not.
    """
    if id is not None:
        forgotten = _kept_files(find_exercise(id))
    else:
        named = map(_own_file, all_exercises().values())
        forgotten = [*filter(Path.is_file, named), *_numbered_files()]
    for path in forgotten:
        path.unlink()
    print(f"{len(forgotten)} kept answer{'' if len(forgotten) == 1 else 's'} forgotten.")


def is_graded() -> bool:
    """Whether nbgrader is running this notebook: then nobody's own answers count, or are kept.

    Example:
        >>> is_graded()
        False
    """
    return "NBGRADER_EXECUTION" in os.environ


def answer_path(id: str) -> Path:
    """The file of the answer to an exercise, named after its function.

    Raises ExerciseError for an exercise that there is not.

    Example:
        >>> answer_path("3.2").name
        'answer_explicit_attention.py'
    """
    return _own_file(find_exercise(id))


def load_answer(exercise: Exercise, path: Path) -> KeptFunction:
    """The function of a kept file; NotStandalone where it is damaged, or wrong by now."""
    source = _text(path)
    if (exercise.id, source) not in _loaded:
        function = _run(exercise, source, str(path))
        if reason := problem_on_inputs(exercise, function):
            raise NotStandalone(f"{path} is not right any more: {reason}.")
        _loaded[exercise.id, source] = function
    return _loaded[exercise.id, source]


def problem_on_inputs(exercise: Exercise, function: KeptFunction, like: Any = None) -> str | None:
    """What is wrong with a function on a few inputs, as a clause, or None.

    Its answers must be the library's; where chance decides, those of `like`, or what the judge
    of the exercise lets pass.
    """
    judged = exercise.judge is not None
    few = exercise if judged and like is None else replace(exercise, trials=TRIED)
    reference = like if judged and like is not None else exercise.solution
    try:
        with undisturbed(), time_limit(TRIAL_SECONDS):
            trials = [
                Trial(
                    copy.deepcopy(dict(arguments)),
                    call(reference, exercise.solution, arguments),
                    call(function, exercise.solution, arguments),
                )
                for arguments in few.inputs()
            ]
            if exercise.judge is not None and like is None:
                fault = exercise.judge(trials)
                return fault.sentence.rstrip(".") if fault else None
            if all(same(each.expected, each.answer, exercise.tolerance) for each in trials):
                return None
    except KeyboardInterrupt:  # the person's own
        raise
    except TooSlow:
        return f"alone, it takes more than {TRIAL_SECONDS:g} seconds"
    except BaseException as problem:
        return f"alone, it raises {type(problem).__name__}: {first_line(problem)}"
    return "alone, it answers otherwise"


def _problem_alone(exercise: Exercise, source: str, original: Any) -> str | None:
    try:
        function = _run(exercise, source, f"<answer {exercise.id}>")
    except NotStandalone as problem:
        return str(problem)
    return problem_on_inputs(exercise, function, like=original)


def _kept_files(exercise: Exercise) -> list[Path]:
    """The files with answers to an exercise: the one of its name first, which is the newest."""
    own = _own_file(exercise)
    numbered = [path for path in _numbered_files() if _name_in_title(path) == exercise.name]
    return [own, *numbered] if own.is_file() else numbered


def _own_file(exercise: Exercise) -> Path:
    return answers_folder() / f"answer_{exercise.name}.py"


def _numbered_files() -> list[Path]:
    found = answers_folder().glob("answer_*.py")
    return sorted(path for path in found if NUMBERED.fullmatch(path.name) and path.is_file())


def _name_in_title(path: Path) -> str | None:
    """The function that a kept file is the answer of, by its first line; None where it has none."""
    try:
        with path.open(encoding="utf-8", errors="replace") as stream:
            title = TITLE.match(stream.readline())
    except OSError:
        return None
    return title[1] if title else None


def _wanted(only: Collection[str] | None) -> list[tuple[str, Exercise]]:
    return [(id, each) for id, each in all_exercises().items() if only is None or id in only]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise NotStandalone(f"{path} cannot be read ({first_line(problem)}).") from None


def _run(exercise: Exercise, source: str, file: str) -> KeptFunction:
    """Run a kept file as a module of its own; return its function of the exercise's name."""
    function = vars(_module(source, _own_file(exercise).stem, file)).get(exercise.name)
    if not callable(function):
        raise NotStandalone(f"{file} has no function {exercise.name}.")
    return function


def _module(source: str, name: str, file: str) -> types.ModuleType:
    """What a source defines when it is run as a module; NotStandalone where it cannot be run."""
    module = types.ModuleType(f"{name} of a learner")
    module.__file__ = file
    sys.modules[module.__name__] = module  # where dataclasses look for the names of their fields
    try:
        with time_limit(TRIAL_SECONDS), undisturbed():
            exec(compile(source, file, "exec", dont_inherit=True), vars(module))
    except KeyboardInterrupt:
        raise
    except BaseException as problem:
        raise NotStandalone(
            f"{file} cannot be run: {type(problem).__name__} ({first_line(problem)})."
        ) from None
    return module


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Print nothing, warn of nothing, and leave the global random numbers as they were."""
    with (
        random_state_kept(),
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield
