"""Every bank of questions is whole."""

from __future__ import annotations

import re

import pytest

from albert_lib.files import project_folder
from albert_lib.workbook.questions import questions_of

FOLDER = project_folder() / "albert_lib" / "workbook" / "quizzes"
CHAPTERS = [
    re.sub(r"^0(?=\d)", "", path.stem.removeprefix("chapter_"))
    for path in sorted(FOLDER.glob("chapter_*.py"))
]


def test_there_are_banks() -> None:
    assert len(CHAPTERS) > 10
    assert sum(len(questions_of(chapter)) for chapter in CHAPTERS) >= 55


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_bank_is_whole(chapter: str) -> None:
    found = questions_of(chapter)
    assert [question.id for question in found] == [
        f"{chapter}.{number}" for number in range(1, len(found) + 1)
    ]
    for question in found:
        assert len(question.options) >= 2, question.id
        assert all(len(text) > 10 for text in question.options.values()), question.id
        assert len(set(question.options.values())) == len(question.options), question.id
