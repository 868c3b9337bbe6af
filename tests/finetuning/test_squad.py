"""SQuAD's files: versions, answers as slices, the one trained on, and what is wrong in a file."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import InputError, TextError
from albert_lib.finetuning import Answer, SquadQuestion, read_squad

CONTEXT = 'Caf\u00e9 "Rhine" flows 😀 to\nthe  North Sea, the sea.'


def gold(text: str, start: int | None = None) -> dict[str, Any]:
    return {"text": text, "answer_start": CONTEXT.index(text) if start is None else start}


def question(name: str = "q1", **changes: Any) -> dict[str, Any]:
    record = {"id": name, "question": "Where to?", "answers": [gold("North Sea")], **changes}
    return {key: value for key, value in record.items() if value is not ...}


def content(*questions: Any, version: Any = "1.1") -> dict[str, Any]:
    paragraph = {"context": CONTEXT, "qas": list(questions)}
    return {"version": version, "data": [{"title": "Rhine", "paragraphs": [paragraph]}]}


def write(folder: Path, value: Any) -> Path:
    file = folder / "squad.json"
    file.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return file


@pytest.mark.parametrize(
    ("told", "version"),
    [("1.1", "1.1"), ("v1.1", "1.1"), ("2.0", "2.0"), ("v2.0", "2.0"), (2.0, "2.0")],
)
def test_versions(tmp_path: Path, told: Any, version: str) -> None:
    assert read_squad(write(tmp_path, content(question(), version=told))).version == version


def test_a_question_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    answers = [gold("North Sea"), gold("the  North Sea"), gold("North Sea")]
    record = question(question=" Where\u00a0to? ", answers=answers, further="ignored")
    (read,) = read_squad(write(tmp_path, content(record))).questions
    start = CONTEXT.index("North")
    assert read == SquadQuestion(
        id="q1",
        context=CONTEXT,
        question="Where\u00a0to?",
        answers=(
            Answer("North Sea", start),
            Answer("the  North Sea", 24),
            Answer("North Sea", start),
        ),
        title="Rhine",
    )
    assert all(CONTEXT[one.start : one.end] == one.text for one in read.known_answers)


def test_the_same_file_with_a_mark_of_byte_order_and_without_escapes(tmp_path: Path) -> None:
    escaped = read_squad(write(tmp_path, content(question())))
    plain = "\ufeff" + json.dumps(content(question()), ensure_ascii=False, indent=1)
    assert read_squad(write(tmp_path, plain.encode())) == escaped


@pytest.mark.parametrize(
    ("texts", "chosen"),
    [
        ("a", "a"),
        ("ab", "a"),  # equally frequent: the first
        ("abb", "b"),
        ("abba", "a"),
        ("abcbc", "b"),
        ("cabab", "a"),
    ],
)
def test_the_most_frequent_answer_is_trained_on(texts: str, chosen: str) -> None:
    answers = tuple(Answer(text, "abc".index(text)) for text in texts)
    taken = SquadQuestion("1", "abc", "Which?", answers).training_answer
    assert taken is not None and taken.text == chosen


def test_of_one_text_in_two_places_the_first_given_is_taken() -> None:
    answers = (Answer("b", 1), Answer("a", 2), Answer("a", 0))
    assert SquadQuestion("1", "aba", "Which?", answers).training_answer == Answer("a", 2)


def test_impossible_questions_have_no_answer_and_plausible_ones_are_not_read(
    tmp_path: Path,
) -> None:
    plausible = [gold("the sea", start=3)]  # not even where it says
    impossible = question(
        "q2", answers=[], is_impossible=True, plausible_answers=plausible, question="Why?"
    )
    squad = read_squad(write(tmp_path, content(question(), impossible, version="v2.0")))
    assert [one.is_impossible for one in squad.questions] == [False, True]
    assert squad.n_impossible == 1
    assert squad.questions[1].answers == () and squad.questions[1].training_answer is None


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_questions_to_predict_need_no_answers(tmp_path: Path, version: str) -> None:
    squad = read_squad(write(tmp_path, content(question(answers=...), version=version)))
    (read,) = squad.questions
    assert read.answers is None
    for ask in ("is_impossible", "known_answers", "training_answer"):
        with pytest.raises(InputError, match="'q1' stands in its file without answers"):
            getattr(read, ask)


def test_the_sentence_about_a_wrong_answer_has_both_texts(tmp_path: Path) -> None:
    wrong = write(tmp_path, content(question(), question("q2", answers=[gold("North Sea", 27)])))
    with pytest.raises(TextError) as refused:
        read_squad(wrong)
    assert str(refused.value) == (
        f"{wrong}: the answer 'North Sea' to question 'q2' does not stand at character 27 of its "
        f"passage, which reads '  North S' there; correct answer_start, which counts characters "
        f"from 0."
    )


def twice(**changes: Any) -> dict[str, Any]:
    return content(question(), question(**changes))


BAD = {
    "not JSON": (b'{"version": "1.1", ', r"line 1 is not JSON"),
    "several objects": (b'{"version": "1.1"}\n{"version": "1.1"}', "is not one JSON object"),
    "a list": ([], "is not one JSON object"),
    "empty": (b"", r"is not one JSON object \(it begins ''\)"),
    "not UTF-8": (b'{"version": "\xe9"}', "is not UTF-8"),
    "no version": ({"data": []}, 'has no "version"'),
    "another version": (content(question(), version="3"), "has the version '3'"),
    "version of another type": (content(question(), version=None), "has the version None"),
    "no data": ({"version": "1.1"}, "the file has no 'data'"),
    "no questions": ({"version": "1.1", "data": []}, "has no questions"),
    "no paragraphs": ({"version": "1.1", "data": [{}]}, r"data\[0\] has no 'paragraphs'"),
    "an article of text": ({"version": "1.1", "data": ["a"]}, r"data\[0\] has no 'paragraphs'"),
    "no context": (
        {"version": "1.1", "data": [{"paragraphs": [{"qas": []}]}]},
        r"data\[0\]\.paragraphs\[0\] has no 'context'",
    ),
    "no qas": (
        {"version": "1.1", "data": [{"paragraphs": [{"context": "a"}]}]},
        r"data\[0\]\.paragraphs\[0\] has no 'qas'",
    ),
    "no id": (content(question(), question(id=...)), r"paragraphs\[0\]\.qas\[1\] has no 'id'"),
    "id of another type": (content(question(id=7)), r"qas\[0\] is int, not str"),
    "an id twice": (twice(), "two questions with the id 'q1'"),
    "no question": (content(question(question=...)), "question 'q1' has no 'question'"),
    "answers no list": (content(question(answers={})), "'answers' of question 'q1' is dict"),
    "answer of text": (
        content(question(answers=["North Sea"])),
        "an answer to question 'q1' has no 'text'",
    ),
    "no start": (
        content(question(answers=[{"text": "North Sea"}])),
        "an answer to question 'q1' has no 'answer_start'",
    ),
    "start of text": (
        content(question(answers=[gold("the", "22")])),  # type: ignore[arg-type]
        "is str, not int",
    ),
    "start of truth": (content(question(answers=[gold("a", True)])), "is bool, not int"),
    "empty answer": (
        content(question(answers=[gold("", 0)])),
        "an answer to question 'q1' is empty",
    ),
    "other case": (content(question(answers=[gold("north Sea", 29)])), "reads 'North Sea' there"),
    "counted in bytes": (
        content(question(answers=[gold("North Sea", CONTEXT.encode().index(b"North"))])),
        "does not stand at character 33",
    ),
    "counted from the end": (content(question(answers=[gold("sea", -4)])), "at character -4 .* ''"),
    "behind the end": (content(question(answers=[gold("sea", 999)])), "at character 999 .* ''"),
    "no answers in 1.1": (content(question(answers=[])), "has no answer, which version 1.1"),
    "impossible in 1.1": (content(question(is_impossible=True)), "has no answer, which version"),
    "impossible with answers": (
        content(question(is_impossible=True), version="2.0"),
        "'q1' is said to be impossible but has answers",
    ),
    "possible without": (
        content(question(is_impossible=False, answers=[]), version="2.0"),
        "'q1' is said to be not impossible but has no answers",
    ),
    "impossible of another type": (
        content(question(is_impossible="no"), version="2.0"),
        "'is_impossible' of question 'q1' is str, not bool",
    ),
}


@pytest.mark.parametrize(("value", "message"), BAD.values(), ids=BAD.keys())
def test_what_is_wrong_is_said_in_one_sentence(tmp_path: Path, value: Any, message: str) -> None:
    file = write(tmp_path, value)
    with pytest.raises(TextError, match=message) as refused:
        read_squad(file)
    assert str(refused.value).startswith(str(file))
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="does not exist"):
        read_squad(tmp_path / "squad.json")


@pytest.mark.parametrize(
    ("name", "version", "n_questions", "n_impossible", "n_several", "n_other_than_first"),
    [
        ("train-v1.1", "1.1", 4260, 0, 4257, 672),
        ("dev-v1.1", "1.1", 968, 0, 968, 186),
        ("train-v2.0", "2.0", 5582, 2836, 2745, 453),
        ("dev-v2.0", "2.0", 1307, 658, 649, 168),
    ],
)
def test_the_published_files(
    tasks: Path,
    name: str,
    version: str,
    n_questions: int,
    n_impossible: int,
    n_several: int,
    n_other_than_first: int,
) -> None:
    squad = read_squad(tasks / "squad" / f"{name}.json")
    assert squad.version == version
    assert (len(squad.questions), squad.n_impossible) == (n_questions, n_impossible)
    assert sum(len(question.known_answers) > 1 for question in squad.questions) == n_several
    answered = [question for question in squad.questions if question.answers]
    taken = [(question, question.training_answer) for question in answered]
    for question, answer in taken:
        assert answer in question.known_answers
        assert question.context[answer.start : answer.end] == answer.text
        votes = Counter(each.text for each in question.known_answers)
        assert votes[answer.text] == max(votes.values())
    others = sum(answer.text != question.known_answers[0].text for question, answer in taken)
    assert others == n_other_than_first
