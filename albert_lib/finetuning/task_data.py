"""A task's data by one call: files in the task's own format, or a data set by the hub's name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from albert_lib.corpus.hub_datasets import PREFIX
from albert_lib.errors import InputError
from albert_lib.finetuning.glue import TextExamples, read_mnli, read_sst2
from albert_lib.finetuning.hub_sets import read_hub
from albert_lib.finetuning.models import Task, check_task
from albert_lib.finetuning.race import ChoiceQuestion, read_race
from albert_lib.finetuning.squad import SquadFile, read_squad

TaskData = TextExamples | SquadFile | list[ChoiceQuestion]
SQUAD_VERSION = {"squad1": "1.1", "squad2": "2.0"}


def read_task(task: Task, source: str | os.PathLike[str], split: str = "train") -> TaskData:
    r"""The examples of a task from a file or folder in its format, or from hf:NAME.

    `split` is that of a hub data set whose name does not say one. Raises TextError for what is not
    in the task's format, InputError for SQuAD's other version.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "dev.tsv"
        ...     _ = file.write_text("sentence\tlabel\ndull\t0\n")
        ...     len(examples_of(read_task("sst2", file)))
        1
    """
    check_task(task)
    if str(source).startswith(PREFIX):
        return read_hub(task, str(source), split)
    if task == "sst2":
        return read_sst2(source)
    if task == "mnli":
        return read_mnli(source)
    if task == "race":
        return read_race(source)
    data = read_squad(source)
    if data.version != SQUAD_VERSION[task]:
        other = next(name for name, version in SQUAD_VERSION.items() if version == data.version)
        raise InputError(
            f"{source} is of SQuAD's version {data.version}, which is the task {other}; name that "
            f"task, or another file."
        )
    return data


def examples_of(data: TaskData) -> Sequence[Any]:
    """The single examples, of whichever kind they are.

    Example:
        >>> from albert_lib.finetuning import SquadFile, SquadQuestion
        >>> examples_of(SquadFile("2.0", (SquadQuestion("1", "It rains.", "Why?", ()),)))[0].id
        '1'
    """
    if isinstance(data, TextExamples):
        return data.examples
    return data.questions if isinstance(data, SquadFile) else data
