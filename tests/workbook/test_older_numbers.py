"""Answers and notebooks from when exercises had other numbers are taken for no other exercise's."""

from __future__ import annotations

from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from albert_lib.files import answers_folder
from albert_lib.workbook import my_albert
from albert_lib.workbook.answer_files import forget, kept_answers
from albert_lib.workbook.checks import check
from albert_lib.workbook.exercise import ExerciseError, find_exercise

# As it was kept when 1.6 was with_special_tokens; 1.6 is truncate_pair now.
TITLE = "Exercise 1.6, Lay two texts into one sequence: your with_special_tokens, found right."
SEQUENCE = f'''"""{TITLE}"""

def with_special_tokens(first, second, cls_id, sep_id):
    ids = [cls_id, *first, sep_id]
    return ids + ([] if second is None else [*second, sep_id]), len(ids)
'''
CUT = """
def truncate_pair(first, second, room):
    first, second = list(first), list(second)
    first_was_longer = len(first) > len(second)
    while len(first) + len(second) > room:
        longer = len(first) - len(second)
        (second if longer < 0 or longer == 0 and first_was_longer else first).pop()
    return first, second
"""


def kept_then(number: str, text: str) -> Path:
    """A file that an older version has kept, under the number of then."""
    answers_folder().mkdir(parents=True, exist_ok=True)
    path = answers_folder() / f"answer_{number}.py"
    path.write_text(text, encoding="utf-8")
    return path


def test_an_answer_of_an_older_number_is_its_function_s(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kept_then("01_06", SEQUENCE)
    lines: list[str] = []
    kept = kept_answers(lines.append)
    assert list(kept) == ["1.4"] and lines == []
    assert kept["1.4"]([8, 9], [7], 2, 3) == ([2, 8, 9, 3, 7, 3], 4)
    assert kept_answers(only=["1.6"]) == {}
    assert my_albert().pieces.own == ["1.4"]
    assert "1.4 with_special_tokens  (here: yours)" in capsys.readouterr().out


def test_an_answer_to_the_exercise_that_has_the_number_now_overwrites_nothing(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    old = kept_then("01_06", SEQUENCE)
    notebook.run_cell(CUT, store_history=True).raise_error()
    check("1.6", notebook.user_ns["truncate_pair"])
    assert "kept for your own ALBERT" in capsys.readouterr().out
    assert old.read_text(encoding="utf-8") == SEQUENCE
    assert list(kept_answers()) == ["1.4", "1.6"]


def test_a_newer_answer_counts_before_one_of_an_older_number(
    notebook: InteractiveShell,
) -> None:
    old = kept_then("01_06", SEQUENCE)
    cell = SEQUENCE.partition("\n\n")[2].replace("ids", "newer")
    notebook.run_cell(cell, store_history=True).raise_error()
    check("1.4", notebook.user_ns["with_special_tokens"])
    assert "newer" in kept_answers()["1.4"].__code__.co_varnames
    assert old.read_text(encoding="utf-8") == SEQUENCE
    forget("1.4")
    assert kept_answers() == {} and not old.exists()


@pytest.mark.parametrize(
    "text",
    [
        SEQUENCE.partition("\n")[2],
        SEQUENCE.replace("with_special_tokens", "choose_runs"),
        "",
        "\0\n",
    ],
    ids=["no title", "no exercise's function", "empty", "no text"],
)
def test_a_numbered_file_of_no_exercise_is_said_in_one_sentence_and_left(text: str) -> None:
    old, lines = kept_then("01_06", text), list[str]()
    assert kept_answers(lines.append) == {}
    assert len(lines) == 1 and str(old) in lines[0] and "counts for none" in lines[0]
    assert old.is_file()


def test_a_damaged_answer_of_an_older_number_counts_as_not_solved() -> None:
    kept_then("01_06", SEQUENCE.replace("sep_id]\n", "sep_id\n"))
    lines: list[str] = []
    assert kept_answers(lines.append) == {}
    assert len(lines) == 1 and "SyntaxError" in lines[0] and "check('1.4', …)" in lines[0]


def test_forgetting_all_forgets_those_of_older_numbers() -> None:
    old = kept_then("01_06", SEQUENCE)
    forget("1.6")
    assert old.is_file()
    forget()
    assert not old.exists()


def test_a_check_of_an_older_notebook_says_which_exercise_the_function_is_of(
    capsys: pytest.CaptureFixture[str],
) -> None:
    namespace: dict[str, object] = {}
    exec(SEQUENCE, namespace)
    check("1.6", namespace["with_special_tokens"])
    printed = capsys.readouterr().out
    assert "with_special_tokens is the function of exercise 1.4, and 1.6 asks for" in printed
    with pytest.raises(ExerciseError, match=r"no exercise '1\.8'; with_special_tokens is the fun"):
        check("1.8", namespace["with_special_tokens"])
    check("1.4", namespace["with_special_tokens"])
    check("1.1", find_exercise("1.1").misconceptions[0].wrong)
    assert "is the function of" not in capsys.readouterr().out
