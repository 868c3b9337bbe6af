"""Predictions as the benchmarks take them: GLUE's tables, SQuAD's JSON, RACE's letters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from albert_lib.errors import InputError, counted
from albert_lib.files import new_file, write_json
from albert_lib.finetuning.glue import TextExamples
from albert_lib.finetuning.race import ChoiceQuestion
from albert_lib.finetuning.spans import SpanPrediction
from albert_lib.finetuning.squad import SquadFile

# GLUE's name of each table, and how many rows its test set has.
GLUE_FILES = {"sst2": ("SST-2.tsv", 1_821), "mnli": ("MNLI-m.tsv", 9_796)}
MISMATCHED = ("MNLI-mm.tsv", 9_847)
PREDICTIONS, BEST_SPANS, NO_ANSWER = "predictions.json", "best_spans.json", "na_prob.json"


def write_glue(
    folder: Path,
    task: str,
    data: TextExamples,
    words: Sequence[str],
    *,
    mismatched: bool = False,
) -> tuple[Path, str | None]:
    r"""Write a task's table for GLUE's server; return it, and what the server will object to.

    A line "index<TAB>prediction", then one for each example in the file's order: SST-2 as 0 and 1,
    MNLI in words. The index is the file's own, else the number of the row from 0.

    Example:
        >>> import tempfile
        >>> from albert_lib.finetuning import TextExample, TextExamples
        >>> data = TextExamples((TextExample("0", "dull", None, None),), ("0", "1"))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file, objection = write_glue(Path(folder), "sst2", data, ["0"])
        ...     file.name, file.read_text()
        ('SST-2.tsv', 'index\tprediction\n0\t0\n')
        >>> objection
        'GLUE expects 1,821 predictions in SST-2.tsv, and these are 1.'
    """
    if len(words) != len(data.examples):
        raise InputError(
            f"There are {counted(len(words), 'prediction')} for "
            f"{counted(len(data.examples), 'example')}; give one for each."
        )
    name, expected = MISMATCHED if mismatched else GLUE_FILES[task]
    numbered = all(example.id.isdecimal() for example in data.examples)
    lines = [
        f"{example.id if numbered else row}\t{word}\n"
        for row, (example, word) in enumerate(zip(data.examples, words, strict=True))
    ]
    with new_file(folder / name) as unfinished:
        unfinished.write_text("index\tprediction\n" + "".join(lines), encoding="utf-8")
    objection = f"GLUE expects {expected:,} predictions in {name}, and these are {len(words):,}."
    return folder / name, None if len(words) == expected else objection


def write_squad(
    folder: Path,
    data: SquadFile,
    spans: Sequence[SpanPrediction],
    threshold: float = math.inf,
) -> list[Path]:
    """Write SQuAD's predictions as its scripts read them; return the files.

    predictions.json has a text for each question's id, "" where the null margin is above the
    threshold. Of version 2.0 there are two more files, which the script takes together to look for
    a threshold of its own: best_spans.json, where nothing is left unanswered, and na_prob.json,
    the probability of no answer, 0.5 where the margin is 0.

    Example:
        >>> import tempfile
        >>> from albert_lib.files import read_json
        >>> from albert_lib.finetuning import RankedAnswer, SpanPrediction
        >>> from albert_lib.finetuning import SquadFile, SquadQuestion
        >>> data = SquadFile("2.0", (SquadQuestion("a", "It flows north.", "Where to?", None),))
        >>> north = RankedAnswer("north", 9, 14, score=1.0, probability=1.0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     files = write_squad(Path(folder), data, [SpanPrediction((north,), 3.0)], 0.0)
        ...     [read_json(file) for file in files]
        [{'a': ''}, {'a': 'north'}, {'a': 0.8807970779778824}]
    """
    ids = [question.id for question in data.questions]
    contents: dict[str, dict[str, Any]] = {
        PREDICTIONS: {name: each.text(threshold) for name, each in zip(ids, spans, strict=True)}
    }
    if data.version == "2.0":
        contents[BEST_SPANS] = dict(zip(ids, (each.text() for each in spans), strict=True))
        probabilities = (each.null_probability for each in spans)
        contents[NO_ANSWER] = dict(zip(ids, probabilities, strict=True))
    for name, content in contents.items():
        write_json(folder / name, content)
    return [folder / name for name in contents]


def write_race(folder: Path, questions: Sequence[ChoiceQuestion], letters: Sequence[str]) -> Path:
    """Write a letter for each question's id; RACE has no format of its own.

    Example:
        >>> import tempfile
        >>> from albert_lib.files import read_json
        >>> from albert_lib.finetuning import ChoiceQuestion
        >>> question = ChoiceQuestion("1-0", "It rains.", "Does it?", ("A", "B", "C", "D"), None)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     read_json(write_race(Path(folder), [question], ["B"]))
        {'1-0': 'B'}
    """
    answers = {each.id: letter for each, letter in zip(questions, letters, strict=True)}
    write_json(folder / PREDICTIONS, answers)
    return folder / PREDICTIONS
