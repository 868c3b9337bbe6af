"""SQuAD's files (Rajpurkar et al., 2016 and 2018), versions 1.1 and 2.0, as questions.

An answer is a slice of its passage: a text and the character where it starts, counted from 0. In
version 2.0 a question may have none; the file's "plausible_answers" to such questions are for
people to look at and are not read.

A question often has several answers, one from each person who was asked; in the published files
only those of the dev sets, but a file cut from one has them in training too. One is trained on:
the text that most people gave, and of equally frequent ones the first. The usual readers take the
first, whoever gave it. Where there is one answer, as in the published training files, that is the
same; where several people were asked, the majority's is what exact match is likeliest to meet: in a
training file cut from the dev set (4,260 questions) it is another text for 16 % of the questions,
usually a shorter one, and agrees with 76 % of all answers against 70 %.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from albert_lib.errors import InputError, TextError, quoted
from albert_lib.files import read_text
from albert_lib.paths import given_path
from albert_lib.records import RESTORE, field, json_objects, text_field

SquadVersion = Literal["1.1", "2.0"]
VERSIONS: tuple[SquadVersion, ...] = get_args(SquadVersion)


@dataclass(frozen=True)
class Answer:
    """A slice of a passage.

    Example:
        >>> from albert_lib.finetuning import Answer
        >>> answer = Answer("North Sea", start=17)
        >>> answer.end
        26
    """

    text: str
    start: int  # the character of the passage, from 0

    @property
    def end(self) -> int:
        """The character behind the last one."""
        return self.start + len(self.text)


@dataclass(frozen=True)
class SquadQuestion:
    """A question about a passage, and the answers that people gave.

    Example:
        >>> from albert_lib.finetuning import Answer, SquadQuestion
        >>> answers = (Answer("the sea", 11), Answer("sea", 15), Answer("sea", 15))
        >>> question = SquadQuestion("1", "It flows to the sea.", "Where to?", answers)
        >>> question.training_answer, question.is_impossible
        (Answer(text='sea', start=15), False)
    """

    id: str
    context: str
    question: str  # without the white space around it, which some have
    answers: tuple[Answer, ...] | None  # in the file's order, (): there is none, None: not told
    title: str = ""  # of the article

    @property
    def is_impossible(self) -> bool:
        """Whether the passage holds no answer; InputError where the file does not tell."""
        return not self.known_answers

    @property
    def known_answers(self) -> tuple[Answer, ...]:
        """The answers; InputError where the file does not tell them."""
        if self.answers is None:
            raise InputError(
                f"Question {self.id!r} stands in its file without answers; train and score with a "
                f"file that has them."
            )
        return self.answers

    @property
    def training_answer(self) -> Answer | None:
        """The answer that most people gave, the first of equally frequent ones; None if impossible.

        InputError where the file does not tell.
        """
        votes = Counter(answer.text for answer in self.known_answers)
        return max(self.known_answers, key=lambda answer: votes[answer.text], default=None)


@dataclass(frozen=True)
class SquadFile:
    """The questions of one file, and the version whose official script scores them.

    Example:
        >>> from albert_lib.finetuning import Answer, SquadFile, SquadQuestion
        >>> one = SquadQuestion("1", "It flows north.", "Where to?", (Answer("north", 9),))
        >>> none = SquadQuestion("2", "It flows north.", "How fast?", ())
        >>> SquadFile("2.0", (one, none)).n_impossible
        1
    """

    version: SquadVersion
    questions: tuple[SquadQuestion, ...]

    @property
    def n_impossible(self) -> int:
        """How many questions have no answer; InputError where the file does not tell."""
        return sum(question.is_impossible for question in self.questions)


def read_squad(path: str | os.PathLike[str]) -> SquadFile:
    """The questions of a SQuAD file; "version" is "1.1" or "2.0", with or without "v".

    A question without "answers" is one to predict. Raises TextError naming file and question for
    what is not in that format, above all an answer that does not stand where it says.

    Example:
        >>> import json, pathlib, tempfile
        >>> from albert_lib.finetuning import read_squad
        >>> answer = {"text": "north", "answer_start": 9}
        >>> question = {"id": "1", "question": "Where to?", "answers": [answer]}
        >>> passage = {"context": "It flows north.", "qas": [question]}
        >>> content = {"version": "1.1", "data": [{"title": "Rhine", "paragraphs": [passage]}]}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "train-v1.1.json"
        ...     _ = file.write_text(json.dumps(content))
        ...     squad = read_squad(file)
        >>> squad.version, squad.questions[0].training_answer
        ('1.1', Answer(text='north', start=9))
    """
    file = given_path(path)
    return squad_content(file, _content(file))


def squad_content(file: Path | str, content: Any) -> SquadFile:
    """The questions of what a SQuAD file holds; `file` is what errors name, `read_squad`'s.

    Example:
        >>> from albert_lib.finetuning.squad import squad_content
        >>> passage = {"context": "It flows north.", "qas": [{"id": "1", "question": "Where to?"}]}
        >>> file = squad_content("a test", {"version": "2.0", "data": [{"paragraphs": [passage]}]})
        >>> file.questions[0].answers is None
        True
    """
    version = _version(file, content)
    questions: dict[str, SquadQuestion] = {}
    for question in _questions(file, content, version):
        if question.id in questions:
            raise TextError(
                f"{file} has two questions with the id {question.id!r}; predictions are told "
                f"apart by it, so give each its own."
            )
        questions[question.id] = question
    if not questions:
        raise TextError(f'{file} has no questions under "data"; {RESTORE}.')
    return SquadFile(version, tuple(questions.values()))


def _content(file: Path) -> Any:
    values = [value for _, value in json_objects(file)]
    if len(values) != 1 or not isinstance(values[0], dict):
        begins = quoted(read_text(file).strip(), 30)
        raise TextError(f"{file} is not one JSON object (it begins {begins}); {RESTORE}.")
    return values[0]


def _version(file: Path | str, content: dict[str, Any]) -> SquadVersion:
    if "version" not in content:
        raise TextError(
            f'{file} has no "version"; write "1.1" or "2.0", which decides the scoring.'
        )
    told = content["version"]
    for version in VERSIONS:
        if str(told).removeprefix("v") == version:
            return version
    raise TextError(f'{file} has the version {quoted(told)}; only "1.1" and "2.0" are known.')


def _questions(file: Path | str, content: Any, version: SquadVersion) -> Iterator[SquadQuestion]:
    for a, article in enumerate(field(file, "the file", content, "data", list)):
        of_article = f"data[{a}]"
        paragraphs = field(file, of_article, article, "paragraphs", list)
        title = text_field(file, of_article, article, "title") if "title" in article else ""
        for p, paragraph in enumerate(paragraphs):
            of_paragraph = f"{of_article}.paragraphs[{p}]"
            context = text_field(file, of_paragraph, paragraph, "context")
            for q, record in enumerate(field(file, of_paragraph, paragraph, "qas", list)):
                name = text_field(file, f"{of_paragraph}.qas[{q}]", record, "id")
                where = f"question {name!r}"
                yield SquadQuestion(
                    id=name,
                    context=context,
                    question=text_field(file, where, record, "question").strip(),
                    answers=_answers(file, where, record, context, version),
                    title=title,
                )


def _answers(
    file: Path | str, where: str, record: Any, context: str, version: SquadVersion
) -> tuple[Answer, ...] | None:
    impossible = None
    if "is_impossible" in record:
        impossible = field(file, where, record, "is_impossible", bool)
    if "answers" not in record:
        return () if impossible and version == "2.0" else None
    given = field(file, where, record, "answers", list)
    answers = tuple(_answer(file, where, each, context) for each in given)
    if version == "1.1" and (impossible or not answers):
        raise TextError(
            f'{file}: {where} has no answer, which version 1.1 does not know; write "2.0" if it '
            f"is meant."
        )
    if impossible is not None and impossible == bool(answers):
        told = "impossible but has" if impossible else "not impossible but has no"
        raise TextError(f"{file}: {where} is said to be {told} answers; correct one of the two.")
    return answers


def _answer(file: Path | str, where: str, record: Any, context: str) -> Answer:
    text = text_field(file, f"an answer to {where}", record, "text")
    start = field(file, f"an answer to {where}", record, "answer_start", int)
    if not text:
        raise TextError(f"{file}: an answer to {where} is empty; give a slice of the passage.")
    answer = Answer(text, start)
    found = context[start : answer.end] if start >= 0 else ""
    if found != text:
        raise TextError(
            f"{file}: the answer {quoted(text)} to {where} does not stand at character {start} of "
            f"its passage, which reads {quoted(found)} there; correct answer_start, which counts "
            f"characters from 0."
        )
    return answer
