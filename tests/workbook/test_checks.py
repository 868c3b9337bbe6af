"""What `check` says: the right thing first, in a sentence, and nothing on stderr."""

from __future__ import annotations

import logging
import math
import re
import signal
import sys
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from torch import Tensor

from albert_lib.workbook.checks import NotYetRight, check, examine
from albert_lib.workbook.exercise import (
    Exercise,
    ExerciseError,
    Misconception,
    all_exercises,
    find_exercise,
)
from albert_lib.workbook.time_limit import TooSlow, time_limit

HERE = re.compile(r"\(here: [^)]*\)")


def double(numbers: Any) -> Any:
    return 2 * numbers


def square(numbers: Any) -> Any:
    return numbers**2


def draw_numbers(rng: np.random.Generator) -> dict[str, Any]:
    count = int(rng.integers(1, 5))
    return {"numbers": torch.from_numpy(rng.integers(0, 4, size=count)).float()}


TOY = Exercise(
    id="9.1",
    title="Double",
    difficulty=1,
    minutes=1,
    points=1,
    solution=double,
    draw=draw_numbers,
    tolerance=1e-6,
    misconceptions=(
        Misconception("squared", square, "You square."),
        Misconception("left alone", lambda numbers: numbers, "You do nothing."),
        Misconception("no one", lambda numbers: double(numbers) - 1, "One too few."),
    ),
    hints=("a", "b", "c"),
)


def said(function: Any, exercise: Exercise = TOY) -> str:
    return examine(exercise, function).text


def test_missing_return_is_guessed() -> None:
    assert "is a `return` missing?" in said(lambda numbers: None)


def test_a_branch_without_a_return_is_counted_and_shown() -> None:
    def of_many_alone(numbers: Any) -> Any:
        return 2 * numbers if len(numbers) > 1 else None

    verdict = examine(TOY, of_many_alone, seed=1)
    assert re.search(r"returned None on \d+ of 100 inputs", verdict.text)
    assert verdict.input is not None and len(verdict.input["numbers"]) == 1
    assert "you answered None" in verdict.text


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda numbers: (2 * numbers).tolist(), "Your answer is a list, a tensor of shape ("),
        (lambda numbers: 2 * numbers.numpy(), "Your answer is an array of shape (1,), a tensor"),
        (lambda numbers: 2 * numbers[None], "Your answer has shape (1, 1), shape (1,) is expected"),
        (lambda numbers: 2 * numbers.double(), "Your answer holds float64, float32 is expected"),
    ],
)
def test_kind_is_said_before_value(function: Callable[..., Any], sentence: str) -> None:
    assert sentence in said(function)


def test_simplest_differing_input_is_shown() -> None:
    text = examine(TOY, lambda numbers: 3 * numbers, seed=1).text
    assert "You differ from albert_lib on" in text
    assert "numbers = float32 (1,) [3]\n  albert_lib answers float32 (1,) [6]" in text
    assert "you answered float32 (1,) [9]" in text


def test_nan_is_pointed_out() -> None:
    assert "holds nan" in said(lambda numbers: numbers * 0 / 0)


def test_agreeing_where_the_mistake_is_right_is_no_evidence() -> None:
    """2n equals n² at 0 and 2: a function that is wrong elsewhere is not squaring."""

    def wrong_at_three(numbers: Any) -> Any:
        return torch.where(numbers == 3, 7.0, 2 * numbers)

    def square_or_worse(numbers: Any) -> Any:
        return torch.where(numbers == 3, 0.0, numbers**2)

    assert examine(TOY, wrong_at_three).misconception is None
    assert examine(TOY, square_or_worse).misconception is None
    assert examine(TOY, square).misconception == "squared"

    always_apart = replace(TOY, draw=lambda rng: {"numbers": torch.tensor([2.0])})
    verdict = examine(always_apart, square)  # nothing drawn tells them apart: it is right
    assert verdict.status == "right"


def test_exception_is_named_with_its_line_and_input() -> None:
    def fails(numbers: Any) -> Any:
        if len(numbers) > 1:
            raise ValueError("too many")
        return 2 * numbers

    verdict = examine(TOY, fails)
    assert verdict.status == "raised"
    assert "your function raised ValueError: too many" in verdict.text
    assert 'raise ValueError("too many")' in verdict.text
    assert "numbers = float32 (2,)" in verdict.text
    assert __file__ not in verdict.text


def test_line_is_found_in_a_cell(notebook: InteractiveShell) -> None:
    notebook.run_cell("def f(numbers):\n    half = numbers / 2\n    return half.no_such_name")
    text = said(notebook.user_ns["f"])
    assert "raised AttributeError" in text and "line 3: return half.no_such_name" in text


def test_only_the_bare_error_is_the_stub() -> None:
    class InputRefused(NotImplementedError):
        """What ipykernel raises for input()."""

    def asks(numbers: Any) -> Any:
        raise InputRefused

    def lacks_a_kernel(numbers: Any) -> Any:
        return numbers.long().softmax(0)  # NotImplementedError with a message, from PyTorch

    assert examine(TOY, asks).status == "raised"
    assert examine(TOY, lacks_a_kernel).status == "raised"


def test_leaving_python_is_refused() -> None:
    assert examine(TOY, lambda numbers: sys.exit(3)).status == "raised"


def test_changed_arguments_are_harmless_and_said() -> None:
    def in_place(numbers: Any) -> Any:
        numbers *= 2
        return numbers

    verdict = examine(TOY, in_place)
    assert verdict.status == "right"
    assert "changes its argument 'numbers'" in verdict.text


def test_warnings_and_stderr_are_held_back_and_said(capfd: pytest.CaptureFixture[str]) -> None:
    def warns(numbers: Any) -> Any:
        warnings.warn("mind the step", RuntimeWarning, stacklevel=1)
        return 2 * numbers

    def shouts(numbers: Any) -> Any:
        print("on stderr", file=sys.stderr)
        logging.getLogger("albert_lib.test").warning("logged")
        return 2 * numbers

    assert "RuntimeWarning: mind the step" in said(warns)
    assert "also said: on stderr" in said(shouts)
    assert capfd.readouterr().err == ""


def test_wrong_parameters_are_said() -> None:
    text = said(lambda numbers, factor: factor * numbers)
    assert "It is called with (numbers); your function takes (numbers, factor)." in text


def test_result_in_place_of_function_is_said() -> None:
    text = said(double(torch.ones(2)))
    assert 'given a tensor of shape (2,): write check("9.1", double)' in text


def test_parameters_may_be_renamed() -> None:
    assert examine(TOY, lambda values: 2 * values).status == "right"


def test_text_is_the_same_every_time_but_for_what_is_here() -> None:
    assert HERE.sub("", said(square)) == HERE.sub("", said(square))
    assert "(here: " in said(double) and said(double).count("(here: ") == 2


def test_random_state_of_the_notebook_is_left_alone() -> None:
    torch.manual_seed(1)
    np.random.seed(1)  # noqa: NPY002
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    examine(find_exercise("2.2"), find_exercise("2.2").solution)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002


def test_unknown_exercise_names_those_that_exist() -> None:
    for id in ("7.77", "2.99", "two", "../2.2"):
        with pytest.raises(ExerciseError, match=r"There is no exercise .*1\.2, .*2\.2"):
            check(id, double)


def test_error_while_grading_shows_one_line() -> None:
    error = NotYetRight("exercise 9.1 is wrong; the text above says why.")
    assert error._render_traceback_() == [f"NotYetRight: {error}"]


class Contrary:
    """Raises whatever is asked of it."""

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no")

    def __len__(self) -> int:
        raise RuntimeError("no")

    def __repr__(self) -> str:
        raise RuntimeError("no")


class Unspeakable(Exception):
    """An error whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no")


class Shapeless(torch.Tensor):
    """A tensor whose shape cannot be had, as a nested one's."""

    @property
    def shape(self) -> torch.Size:  # type: ignore[override]
        raise RuntimeError("no")


class NoException(BaseException):
    """What `except Exception` lets pass."""


def inside_itself() -> list[Any]:
    own: list[Any] = []
    own.append(own)
    return own


STRANGE_ANSWERS: dict[str, Any] = {
    "an empty list": [], "an empty dict": {}, "an empty string": "", "nan": math.nan,
    "an object": object(), "a function": len, "an empty tensor": torch.empty(0),
    "one number in a tensor": torch.tensor(1.0), "an empty array": np.array([]),
    "an array of words": np.array(["a"]), "a list in itself": inside_itself(),
    "what raises": Contrary(), "a list of what raises": [Contrary()], "a complex number": 1j,
    "True": True, "a huge number": 10**400, "lists of unequal length": [[1], [2, 3]],
    "a sparse tensor": torch.eye(2).to_sparse(), "a type": int,
    "a tensor without data": torch.empty(2, device="meta"),
    "a tensor without a shape": torch.ones(2).as_subclass(Shapeless),
    "an array of anything": np.array([None, object()], dtype=object),
}  # fmt: skip
ERRORS = (
    NoException("x"), GeneratorExit(), StopIteration(), RecursionError(), MemoryError(),
    SystemExit(3), Unspeakable(), NotImplementedError("x"),
)  # fmt: skip


@pytest.mark.parametrize("exercise", all_exercises().values(), ids=lambda exercise: exercise.id)
def test_the_check_never_raises_whatever_comes_back(
    exercise: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("albert_lib.workbook.shrinking.DRAWS", 5)
    exercise = replace(exercise, trials=4)
    for name, answer in STRANGE_ANSWERS.items():
        verdict = examine(exercise, lambda *_, answer=answer, **__: answer)
        assert verdict.status == "wrong", name
        assert len(verdict.text.splitlines()) >= 3, name
    for error in ERRORS:

        def raising(*_: Any, error: BaseException = error, **__: Any) -> None:
            raise error

        verdict = examine(exercise, raising)
        assert verdict.status == "raised"
        assert f"your function raised {type(error).__name__}" in verdict.text


def test_a_persons_own_interruption_is_theirs() -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(find_exercise("4.3"), interrupted)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarm")
def test_what_never_ends_is_stopped_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("albert_lib.workbook.checks.SECONDS", 0.3)

    def endless(logits: Tensor, labels: Tensor) -> None:
        while True:
            try:
                time.sleep(0.01)
            except Exception:
                continue

    before = signal.getsignal(signal.SIGALRM)
    verdict = examine(find_exercise("4.3"), endless)
    assert verdict.status == "raised"
    assert "your function was stopped after 0.3 seconds" in verdict.text
    assert "It was given" in verdict.text and "logits = " in verdict.text
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_in_another_thread_there_is_no_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("albert_lib.workbook.checks.SECONDS", 1e-3)
    exercise = find_exercise("4.3")
    with ThreadPoolExecutor() as threads:
        verdict = threads.submit(examine, exercise, exercise.solution).result()
    assert verdict.status == "right"


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarm")
def test_one_input_that_takes_too_long_stops_the_check_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("albert_lib.workbook.attempt.ALONE", 0.3)

    def slow_for_two(numbers: Any) -> Any:
        if len(numbers) == 2:
            time.sleep(5)
        return 2 * numbers

    started = time.monotonic()
    verdict = examine(TOY, slow_for_two)
    assert verdict.status == "raised" and time.monotonic() - started < 4
    assert "your function was stopped after 0.3 seconds" in verdict.text
    assert verdict.input is not None and len(verdict.input["numbers"]) == 2


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarm")
def test_limits_inside_one_another_end_with_the_first() -> None:
    with pytest.raises(TooSlow), time_limit(0.2), time_limit(10.0):
        time.sleep(5)
    with pytest.raises(TooSlow), time_limit(0.4):
        with time_limit(10.0):
            time.sleep(0.01)
        time.sleep(5)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no alarm")
def test_an_answer_whose_comparison_never_ends_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("albert_lib.workbook.checks.SECONDS", 0.5)

    class Endless(dict[str, int]):
        def keys(self) -> Any:
            while True:
                time.sleep(0.01)

    assert examine(replace(TOY, solution=lambda numbers: Endless()), lambda n: Endless()).status
