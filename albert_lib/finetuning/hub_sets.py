"""The tasks' data sets on the Hugging Face hub, by name, where `datasets` is installed.

A split is written hf:NAME[@REVISION][:CONFIGURATION][#SPLIT], such as hf:nyu-mll/glue:sst2#train,
hf:nyu-mll/glue:mnli#validation_matched, hf:rajpurkar/squad, hf:ehovy/race:all; NAME may be a folder
on this machine. Labels that the hub writes as numbers become words by the names that the set itself
gives them: for MNLI the hub counts entailment, neutral, contradiction, the paper's code otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, Literal

from albert_lib.corpus.hub_datasets import find, out_of_reach, parse, stream
from albert_lib.errors import DownloadError, TextError
from albert_lib.finetuning.glue import (
    MNLI,
    SST2,
    Layout,
    TextExample,
    TextExamples,
    check_label,
    decided,
)
from albert_lib.finetuning.race import LEVELS, ChoiceQuestion, passage_questions
from albert_lib.finetuning.squad import SquadFile, squad_content
from albert_lib.records import field, text_field

HubTask = Literal["sst2", "mnli", "squad1", "squad2", "race"]
# The hub's columns; it names MNLI's otherwise than MultiNLI's own file.
COLUMNS = {SST2: ("sentence",), MNLI: ("premise", "hypothesis")}
NO_LABEL = -1  # the hub's number for the rows of a test set
SQUAD_VERSIONS = {"squad1": "1.1", "squad2": "2.0"}


def read_hub(
    task: HubTask, source: str, split: str = "train"
) -> TextExamples | SquadFile | list[ChoiceQuestion]:
    """Read a split of a data set for a task; a "#SPLIT" in `source` comes before `split`.

    Raises TextError when `datasets` is not installed, the set has no such split or is of another
    task, DownloadError when it is neither on this machine nor reachable on the hub.

    Example:
        >>> read_hub("sst2", "hf:nyu-mll/glue:sst2", "validation").n_labelled(
        ...     "1")  # doctest: +SKIP
        444
    """
    name, _, named_split = source.partition("#")
    split = named_split or split
    label_names, rows = hub_rows(name, split)
    where = f"{name}, {split}"
    if task == "sst2" or task == "mnli":
        return text_examples(where, rows, label_names, SST2 if task == "sst2" else MNLI)
    if task == "race":
        return race_questions(where, rows)
    return squad_content(where, squad_rows(where, rows, SQUAD_VERSIONS[task]))


def hub_rows(source: str, split: str) -> tuple[Sequence[str], Iterator[dict[str, Any]]]:
    """The names of a set's labels, in the order of their numbers, and the rows of a split.

    Example:
        >>> names, rows = hub_rows("hf:nyu-mll/glue:mnli", "test_matched")  # doctest: +SKIP
        >>> names  # doctest: +SKIP
        ['entailment', 'neutral', 'contradiction']
    """
    wanted = parse(source)
    builder, _ = find(source, wanted)
    try:
        rows = builder.as_streaming_dataset(split=split)
    except ValueError as problem:
        raise TextError(
            f"{source} has no split {split} ({problem}); name one behind #, such as "
            f"{source}#validation."
        ) from None
    except Exception as problem:  # the library's errors and those of its transport
        raise DownloadError(out_of_reach(source, wanted, problem)) from None
    features = rows.features or {}
    return getattr(features.get("label"), "names", ()), stream(rows, source, wanted)


def text_examples(
    where: str, rows: Iterator[dict[str, Any]], label_names: Sequence[str], layout: Layout
) -> TextExamples:
    """Labelled texts from the hub's rows of SST-2 or MNLI.

    Example:
        >>> row = {"premise": "It rains.", "hypothesis": "It is wet.", "label": 0, "idx": 7}
        >>> names = ("entailment", "neutral", "contradiction")
        >>> text_examples("a test", iter([row]), names, MNLI).examples[0].label
        'entailment'
    """
    examples = []
    for number, row in enumerate(rows):
        of_row = f"row {number}"
        texts = [text_field(where, of_row, row, name).strip() for name in COLUMNS[layout]]
        label = _label(where, of_row, row, label_names, layout)
        name = str(row.get("idx", number))
        examples.append(TextExample(name, texts[0], texts[1] if texts[1:] else None, label))
    return decided(where, examples, layout)


def _label(
    where: str, of_row: str, row: dict[str, Any], label_names: Sequence[str], layout: Layout
) -> str | None:
    """A row's label as the task's word; None for a row that is to be predicted."""
    label = row.get("label")
    if label is None or label == NO_LABEL:
        return None
    if isinstance(label, int) and layout is not SST2:
        if not 0 <= label < len(label_names):
            raise TextError(
                f"{where}, {of_row} has the label {label}, and the set names no label of that "
                f"number; take a copy that does, as the hub's own."
            )
        label = label_names[label]
    check_label(where, of_row, str(label), layout)
    return str(label)


def race_questions(where: str, rows: Iterator[dict[str, Any]]) -> list[ChoiceQuestion]:
    """Questions from the hub's rows of RACE, a question each; those of a passage stand together.

    Example:
        >>> row = {"example_id": "high1.txt", "article": "A fox slept.", "question": "Who?"}
        >>> row |= {"options": ["A fox", "A hen", "A cow", "A pig"], "answer": "A"}
        >>> [(each.id, each.level) for each in race_questions("a test", iter([row]))]
        [('high1.txt-0', 'high')]
    """
    questions: list[ChoiceQuestion] = []
    for name, of_passage in groupby(rows, lambda row: row.get("example_id")):
        together = list(of_passage)
        passage: dict[str, Any] = {
            "id": name,
            "article": together[0].get("article"),
            "questions": [row.get("question") for row in together],
            "options": [row.get("options") for row in together],
        }
        if together[0].get("answer"):
            passage["answers"] = [row.get("answer") for row in together]
        level = next((each for each in LEVELS if str(name).startswith(each)), None)
        questions += passage_questions(where, f"the passage {name!r}", passage, level)
    if not questions:
        raise TextError(f"{where} holds no questions; check the name of the set and the split.")
    return questions


def squad_rows(where: str, rows: Iterator[dict[str, Any]], version: str) -> dict[str, Any]:
    """What a SQuAD file would hold of the hub's rows.

    Example:
        >>> answers = {"text": ["north"], "answer_start": [9]}
        >>> row = {"id": "1", "context": "It flows north.", "question": "Where?", "title": "Rhine"}
        >>> content = squad_rows("a test", iter([row | {"answers": answers}]), "1.1")
        >>> content["data"][0]["paragraphs"][0]["qas"][0]["answers"]
        [{'text': 'north', 'answer_start': 9}]
    """
    articles = []
    for number, row in enumerate(rows):
        of_row = f"row {number}"
        question: dict[str, Any] = {key: row[key] for key in ("id", "question") if key in row}
        answers = field(where, of_row, row, "answers", dict)
        question["answers"] = [
            {"text": text, "answer_start": start}
            for text, start in zip(
                field(where, of_row, answers, "text", list),
                field(where, of_row, answers, "answer_start", list),
                strict=True,
            )
        ]
        paragraph = {"context": row.get("context"), "qas": [question]}
        articles.append({"title": row.get("title") or "", "paragraphs": [paragraph]})
    return {"version": version, "data": articles}
