"""RACE's files (Lai et al., 2017) as questions with four options.

A passage is a JSON object: "article", "questions", "options" (four texts a question), "answers"
(a letter a question) and "id". Three layouts of a split such as train/ are read:

- train/middle/all.txt and train/high/all.txt, an object a line, which the paper's code reads;
- train/middle/*.txt and train/high/*.txt, one object a file, as RACE is published;
- train/*.txt without the level.

Where a folder holds all.txt and single files, all.txt was made of them and is read alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from albert_lib.errors import TextError, quoted
from albert_lib.paths import given_path, open_folder
from albert_lib.records import RESTORE, field, json_objects, text_field

RaceLevel = Literal["middle", "high"]
LEVELS: tuple[RaceLevel, ...] = get_args(RaceLevel)  # middle school first, as in the paper's code
LETTERS = "ABCD"
GAP = "_"
TOGETHER = "all.txt"


@dataclass(frozen=True)
class ChoiceQuestion:
    """A question about a passage, its four options, and which is right.

    Example:
        >>> from albert_lib.finetuning import ChoiceQuestion
        >>> options = ("a fox", "a hen", "a cow", "a pig")
        >>> question = ChoiceQuestion("1-0", "A fox slept.", "_ was asleep.", options, answer=0)
        >>> question.statements()[0]
        'a fox was asleep.'
    """

    id: str  # the passage's, and the number of the question from 0
    passage: str
    question: str
    options: tuple[str, str, str, str]
    answer: int | None  # the number of the right option from 0; None: the file does not tell
    level: RaceLevel | None = None

    def statements(self) -> tuple[str, ...]:
        """What stands beside the passage in each of the four inputs.

        Example:
            >>> from albert_lib.finetuning import ChoiceQuestion
            >>> options = ("A fox", "B", "C", "D")
            >>> question = ChoiceQuestion("1-0", "A fox slept.", "Who?", options, answer=0)
            >>> question.statements()
            ('Who? A fox', 'Who? B', 'Who? C', 'Who? D')
        """
        return tuple(question_with_option(self.question, option) for option in self.options)


def question_with_option(question: str, option: str) -> str:
    """The question with the option in place of every "_", or else behind a space.

    This is the paper's rule (race_utils.py of google-research/albert).

    Example:
        >>> from albert_lib.finetuning import question_with_option
        >>> question_with_option("The _ was _ .", "fox")
        'The fox was fox .'
        >>> question_with_option("Who was it?", "A fox.")
        'Who was it? A fox.'
    """
    return question.replace(GAP, option) if GAP in question else f"{question} {option}"


def read_race(path: str | os.PathLike[str]) -> list[ChoiceQuestion]:
    """The questions of a split's folder, of one level's folder, or of one file.

    Files are read in the order of their names, middle school before high school. Raises TextError
    naming file and passage for what is not in RACE's format.

    Example:
        >>> import json, pathlib, tempfile
        >>> from albert_lib.finetuning import read_race
        >>> passage = {"id": "high1.txt", "article": "A fox slept.", "questions": ["Who slept?"]}
        >>> passage |= {"options": [["A fox.", "A hen.", "A cow.", "A pig."]], "answers": ["A"]}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "dev" / "high" / "1.txt"
        ...     file.parent.mkdir(parents=True)
        ...     _ = file.write_text(json.dumps(passage))
        ...     (question,) = read_race(file.parent.parent)
        >>> question.level, question.answer, question.id
        ('high', 0, 'high1.txt-0')
    """
    questions: list[ChoiceQuestion] = []
    for file, level in _files(given_path(path)):
        before = len(questions)
        for line, passage in json_objects(file):
            questions += passage_questions(file, f"the passage on line {line}", passage, level)
        if len(questions) == before:
            raise TextError(f"{file} holds no questions; {RESTORE}.")
    return questions


def passage_questions(
    file: Path | str, where: str, passage: Any, level: RaceLevel | None
) -> Iterator[ChoiceQuestion]:
    """The questions of one passage, a JSON object; `file` and `where` are what errors name.

    Example:
        >>> from albert_lib.finetuning.race import passage_questions
        >>> passage = {"article": "A fox slept.", "questions": ["Who?"], "id": "high1.txt"}
        >>> passage |= {"options": [["A fox", "A hen", "A cow", "A pig"]], "answers": ["A"]}
        >>> [each.id for each in passage_questions("a test", "line 1", passage, None)]
        ['high1.txt-0']
    """
    article = text_field(file, where, passage, "article")
    name = text_field(file, where, passage, "id") if "id" in passage else Path(file).name
    questions = field(file, where, passage, "questions", list)
    told = {"questions": questions, "options": field(file, where, passage, "options", list)}
    if "answers" in passage:
        told["answers"] = field(file, where, passage, "answers", list)
    for part, values in told.items():
        if len(values) != len(questions):
            raise TextError(
                f"{file}: {where} has {len(questions)} questions and {len(values)} {part}; "
                f"{RESTORE}."
            )
    for number in range(len(questions)):
        within = f"question {number + 1} of {where}"
        one = {part: values[number] for part, values in told.items()}
        yield ChoiceQuestion(
            id=f"{name}-{number}",
            passage=article,
            question=text_field(file, within, one, "questions"),
            options=_options(file, within, one["options"]),
            answer=_answer(file, within, one["answers"]) if "answers" in one else None,
            level=level,
        )


def _files(path: Path) -> Iterator[tuple[Path, RaceLevel | None]]:
    """The files to read and the level of each."""
    if not path.is_dir():
        yield path, _level(path.parent)
        return
    open_folder(path, TextError)
    folders = [path / level for level in LEVELS if (path / level).is_dir()] or [path]
    for folder in folders:
        whole = folder / TOGETHER
        files = [whole] if whole.is_file() else sorted(open_folder(folder, TextError).glob("*.txt"))
        if not files:
            raise TextError(
                f"{folder} holds no .txt files; give the folder of one split, such as RACE/dev, "
                f"with {TOGETHER} or a file a passage, under middle and high or without them."
            )
        yield from ((file, _level(folder)) for file in files)


def _level(folder: Path) -> RaceLevel | None:
    return next((level for level in LEVELS if folder.name == level), None)


def _options(file: Path | str, where: str, options: Any) -> tuple[str, str, str, str]:
    if not isinstance(options, list) or len(options) != len(LETTERS):
        raise TextError(
            f"{file}: {where} has the options {quoted(options)}; give a list of four texts."
        )
    a, b, c, d = (
        text_field(file, where, {f"option {letter}": option}, f"option {letter}")
        for letter, option in zip(LETTERS, options, strict=True)
    )
    return a, b, c, d


def _answer(file: Path | str, where: str, letter: Any) -> int:
    if letter not in tuple(LETTERS):
        raise TextError(
            f"{file}: {where} has the answer {quoted(letter)}; it must be A, B, C or D."
        )
    return LETTERS.index(letter)
