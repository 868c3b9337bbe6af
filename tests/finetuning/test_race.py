"""RACE's three layouts, its cloze rule, and what is wrong in a file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import TextError
from albert_lib.finetuning import ChoiceQuestion, question_with_option, read_race

OPTIONS = ["a fox", "a hen", "a cow", "a pig"]


def passage(name: str, n_questions: int = 1, **changes: Any) -> dict[str, Any]:
    record = {
        "id": name,
        "article": f"The {name} caf\u00e9\nwas dark.",
        "questions": ["Who was in it?", "_ was in it ."][:n_questions],
        "options": [OPTIONS, OPTIONS[::-1]][:n_questions],
        "answers": ["A", "D"][:n_questions],
        **changes,
    }
    return {key: value for key, value in record.items() if value is not ...}


def write(file: Path, *passages: Any, between: str = "\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(between.join(map(json.dumps, passages)), encoding="utf-8")
    return file


def asked(questions: list[ChoiceQuestion]) -> list[tuple[str, str | None]]:
    return [(question.id, question.level) for question in questions]


BOTH_LEVELS = [("m1-0", "middle"), ("m1-1", "middle"), ("m2-0", "middle"), ("h1-0", "high")]


@pytest.mark.parametrize("between", ["\n", "\r\n", ""])
def test_an_object_a_line_under_both_levels(tmp_path: Path, between: str) -> None:
    write(tmp_path / "dev/middle/all.txt", passage("m1", 2), passage("m2"), between=between)
    write(tmp_path / "dev/high/all.txt", passage("h1"))
    assert asked(read_race(tmp_path / "dev")) == BOTH_LEVELS


def test_a_file_a_passage_under_both_levels(tmp_path: Path) -> None:
    write(tmp_path / "dev/middle/1.txt", passage("m1", 2))
    write(tmp_path / "dev/middle/2.txt", passage("m2"))
    pretty = tmp_path / "dev/high/1.txt"
    write(pretty)
    pretty.write_text("\ufeff" + json.dumps(passage("h1"), indent=2), encoding="utf-8")
    assert asked(read_race(tmp_path / "dev")) == BOTH_LEVELS
    write(tmp_path / "dev/middle/all.txt", passage("m1", 2), passage("m2"))
    assert asked(read_race(tmp_path / "dev")) == BOTH_LEVELS, "not twice"


def test_files_without_a_level(tmp_path: Path) -> None:
    write(tmp_path / "dev/b.txt", passage("two"))
    write(tmp_path / "dev/a.txt", passage("one"))
    assert asked(read_race(tmp_path / "dev")) == [("one-0", None), ("two-0", None)]


def test_one_level_or_one_file(tmp_path: Path) -> None:
    file = write(tmp_path / "dev/high/all.txt", passage("h1"))
    assert asked(read_race(tmp_path / "dev")) == [("h1-0", "high")]
    assert read_race(file) == read_race(file.parent) == read_race(file.parent.parent)
    assert asked(read_race(write(tmp_path / "own.jsonl", passage("p")))) == [("p-0", None)]


def test_a_question_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    first, second = read_race(write(tmp_path / "1.txt", passage("p", 2)))
    assert first == ChoiceQuestion(
        id="p-0",
        passage="The p caf\u00e9\nwas dark.",
        question="Who was in it?",
        options=("a fox", "a hen", "a cow", "a pig"),
        answer=0,
    )
    assert second.answer == 3 and second.options[3] == "a fox"


def test_what_may_be_missing(tmp_path: Path) -> None:
    (question,) = read_race(write(tmp_path / "1.txt", passage("p", id=..., answers=...)))
    assert (question.id, question.answer) == ("1.txt-0", None)


@pytest.mark.parametrize(
    ("question", "option", "statement"),
    [
        ("Who?", "A fox", "Who? A fox"),
        ("_ slept.", "A fox", "A fox slept."),
        ("The _ saw the _ .", "fox", "The fox saw the fox ."),
        ("It was ____ .", "he", "It was hehehehe ."),  # every one: Google's code has replace
        ("Why _ ?", "", "Why  ?"),
        ("Was it _ ?", "snake_case", "Was it snake_case ?"),
        ("", "A fox", " A fox"),
    ],
)
def test_the_cloze_rule(question: str, option: str, statement: str) -> None:
    assert question_with_option(question, option) == statement


def test_statements_are_in_the_order_of_the_options() -> None:
    question = ChoiceQuestion("1", "p", "_ !", ("a", "b", "c", "d"), 2)
    assert question.statements() == ("a !", "b !", "c !", "d !")


BAD = {
    "not JSON": ("{", "line 1 is not JSON"),
    "empty": ("", "holds no questions"),
    "no questions": (passage("p", 0), "holds no questions"),
    "no article": (passage("p", article=...), "the passage on line 1 has no 'article'"),
    "a list": ([passage("p")], "the passage on line 1 has no 'article'"),
    "id of another type": (passage("p", id=1), "'id' of the passage on line 1 is int"),
    "questions no list": (passage("p", questions="Who?"), "'questions' of .* is str, not list"),
    "a question missing": (passage("p", 2, questions=["Who?"]), "has 1 questions and 2 options"),
    "options missing": (passage("p", 2, options=[OPTIONS]), "has 2 questions and 1 options"),
    "answer missing": (passage("p", 2, answers=["A"]), "has 2 questions and 1 answers"),
    "no options": (passage("p", options=...), "the passage on line 1 has no 'options'"),
    "three options": (passage("p", options=[OPTIONS[:3]]), "question 1 of .* has the options"),
    "option of another type": (
        passage("p", options=[["a", "b", 3, "d"]]),
        "'option C' of question 1 of the passage on line 1 is int, not str",
    ),
    "question of another type": (passage("p", questions=[None]), "question 1 of .* is NoneType"),
    "small letter": (passage("p", answers=["a"]), "question 1 of .* has the answer 'a'"),
    "letter E": (passage("p", answers=["E"]), "has the answer 'E'; it must be A, B, C or D"),
    "several letters": (passage("p", answers=["AB"]), "has the answer 'AB'"),
    "a number": (passage("p", answers=[0]), "has the answer 0"),
    "no letter": (passage("p", answers=[""]), "has the answer ''"),
    "a list of letters": (passage("p", answers=[["A"]]), r"has the answer \['A'\]"),
}


@pytest.mark.parametrize(("value", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, value: Any, message: str) -> None:
    file = tmp_path / "1.txt"
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    with pytest.raises(TextError, match=message) as refused:
        read_race(file)
    assert str(refused.value).startswith(str(file)) and "\n" not in str(refused.value)


def test_the_line_of_a_passage_is_named(tmp_path: Path) -> None:
    file = write(tmp_path / "all.txt", passage("p"), passage("q", 2, answers=["A", "x"]))
    with pytest.raises(TextError, match="question 2 of the passage on line 2 has the answer 'x'"):
        read_race(file)


def test_folders_without_files(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"nowhere does not exist"):
        read_race(tmp_path / "nowhere")
    with pytest.raises(TextError, match=r"holds no \.txt files; give the folder of one split"):
        read_race(tmp_path)
    write(tmp_path / "middle/1.txt", passage("p"))
    (tmp_path / "high").mkdir()
    with pytest.raises(TextError, match=r"high holds no \.txt files"):
        read_race(tmp_path)


@pytest.mark.parametrize(
    ("part", "n_passages", "n_questions"), [("train", 370, 1_480), ("dev", 50, 200)]
)
def test_the_published_mctest(tasks: Path, part: str, n_passages: int, n_questions: int) -> None:
    questions = read_race(tasks / "mctest" / part)
    assert len(questions) == len({question.id for question in questions}) == n_questions
    assert len({question.passage for question in questions}) == n_passages
    assert {question.level for question in questions} == {None}
    answers = Counter(question.answer for question in questions)
    if part == "dev":
        assert (answers[0], answers[3]) == (55, 40)
    else:
        assert sum("_" in question.question for question in questions) == 1
