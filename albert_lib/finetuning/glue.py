"""The files of SST-2 and MNLI as GLUE ships them, and MultiNLI's own, as labelled texts.

GLUE's tables are tab-separated, with a line of headings and no quoting: a lone " is a character
like any other, and a reader that takes it for the beginning of a quotation joins rows. Texts and
labels are read without the white space around them; "n/a" is a text.

Labels stay the words of the file. Which number a head gives to which word is the checkpoint's
business: the paper's code numbers MNLI's contradiction, entailment, neutral, and the tables on the
hub entailment, neutral, contradiction, so a number alone would say two things.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from albert_lib.errors import TextError, listed, quoted
from albert_lib.paths import given_path
from albert_lib.records import RESTORE, field, json_lines, numbered_lines, text_field

SST2_LABELS = ("0", "1")  # negative, positive
MNLI_LABELS = ("contradiction", "entailment", "neutral")  # as the paper's code numbers them
UNDECIDED = "-"  # MultiNLI's label of a pair on which no three of five annotators agreed


@dataclass(frozen=True)
class TextExample:
    """A text or a pair of texts, and its label.

    Example:
        >>> from albert_lib.finetuning import TextExample
        >>> TextExample("0", "A man sleeps.", "Nobody is awake.", "neutral").label
        'neutral'
    """

    id: str  # the file's own index or pairID, else the number of the row from 0
    first: str  # the sentence, or the premise
    second: str | None  # the hypothesis
    label: str | None  # None: the file has none, as a test file


@dataclass(frozen=True)
class TextExamples:
    """The examples of one file, the labels of the task, and how many pairs were left out.

    Example:
        >>> from albert_lib.finetuning import TextExample, TextExamples
        >>> file = TextExamples((TextExample("0", "dull", None, "0"),), ("0", "1"))
        >>> file.n_labelled("0"), file.n_undecided
        (1, 0)
    """

    examples: tuple[TextExample, ...]
    labels: tuple[str, ...]
    n_undecided: int = 0  # pairs whose gold label is "-"

    def n_labelled(self, label: str) -> int:
        """How many examples have this label.

        Example:
            >>> from albert_lib.finetuning import TextExample, TextExamples
            >>> TextExamples((TextExample("0", "dull", None, "0"),), ("0", "1")).n_labelled("1")
            0
        """
        return sum(example.label == label for example in self.examples)


@dataclass(frozen=True)
class Layout:
    """In which columns of a table a task's texts and labels stand.

    Example:
        >>> from albert_lib.finetuning.glue import SST2
        >>> SST2.texts, SST2.label, SST2.labels
        (('sentence',), 'label', ('0', '1'))
    """

    texts: tuple[str, ...]
    label: str
    labels: tuple[str, ...]


SST2 = Layout(("sentence",), "label", SST2_LABELS)
MNLI = Layout(("sentence1", "sentence2"), "gold_label", MNLI_LABELS)


def read_sst2(path: str | os.PathLike[str]) -> TextExamples:
    r"""The sentences of a tsv of SST-2: sentence and label, or index and sentence to predict.

    Raises TextError naming file and line for what is not in that format.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.finetuning import read_sst2
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "dev.tsv"
        ...     _ = file.write_text('sentence\tlabel\na " lone quote \t1\n')
        ...     read_sst2(file).examples
        (TextExample(id='0', first='a " lone quote', second=None, label='1'),)
    """
    return _from_table(given_path(path), SST2)


def read_mnli(path: str | os.PathLike[str]) -> TextExamples:
    r"""The pairs of an MNLI file: GLUE's tsv, or MultiNLI's jsonl, whatever its name.

    Pairs labelled "-" are left out and counted: their annotators did not agree. Raises TextError
    naming file and line for what is not in one of these formats.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.finetuning import read_mnli
        >>> pair = '{"gold_label": "%s", "sentence1": "It rains.", "sentence2": "It is wet."}\n'
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "dev.jsonl"
        ...     _ = file.write_text(pair % "entailment" + pair % "-")
        ...     read = read_mnli(file)
        >>> [(example.second, example.label) for example in read.examples], read.n_undecided
        ([('It is wet.', 'entailment')], 1)
    """
    file = given_path(path)
    beginnings = (line.lstrip() for _, line in numbered_lines(file))
    is_jsonl = next((line for line in beginnings if line), "").startswith("{")
    return _from_json_lines(file, MNLI) if is_jsonl else _from_table(file, MNLI)


def _from_json_lines(file: Path, layout: Layout) -> TextExamples:
    examples = []
    labelled = None  # whether the first line has a label
    for row, (number, record) in enumerate(json_lines(file)):
        where = f"line {number}"
        texts = [text_field(file, where, record, name).strip() for name in layout.texts]
        labelled = layout.label in record if labelled is None else labelled
        label = None
        if labelled or layout.label in record:
            label = field(file, where, record, layout.label, str).strip()
            check_label(file, f"line {number}", label, layout)
        name = text_field(file, where, record, "pairID") if "pairID" in record else str(row)
        examples.append(TextExample(name, *_two(texts), label))
    return decided(file, examples, layout)


def _from_table(file: Path, layout: Layout) -> TextExamples:
    lines = ((number, line) for number, line in numbered_lines(file) if line)
    header = _header(file, next(lines, (1, ""))[1], layout)
    columns = [header.index(name) for name in layout.texts]
    # Counted from the right: a row of MNLI has as many columns before it as it had annotators.
    label_column = header.index(layout.label) - len(header) if layout.label in header else None
    name_column = header.index("index") if "index" in header else None
    examples = []
    for row, (number, line) in enumerate(lines):
        fields = [each.strip() for each in line.split("\t")]
        if len(fields) != len(header) and not _only_labels(fields, columns, label_column, layout):
            raise TextError(
                f"{file}, line {number} has {len(fields)} fields, and the first line names "
                f"{len(header)}; a text may hold no tab, and every field needs one before it."
            )
        label = None if label_column is None else fields[label_column]
        if label is not None:
            check_label(file, f"line {number}", label, layout)
        name = str(row) if name_column is None else fields[name_column]
        examples.append(TextExample(name, *_two([fields[each] for each in columns]), label))
    return decided(file, examples, layout)


def _header(file: Path, line: str, layout: Layout) -> list[str]:
    header = [name.strip() for name in line.split("\t")]
    for name in layout.texts:
        if name not in header:
            raise TextError(
                f"{file} has no column {name!r} in its first line ({quoted(line)}); give GLUE's "
                f"file with its line of headings, separated by tabs."
            )
    return header


def _only_labels(
    fields: Sequence[str], columns: Sequence[int], label_column: int | None, layout: Layout
) -> bool:
    """Whether all that follows a row's texts are annotators' labels and, at its end, the label."""
    behind = fields[max(columns) + 1 :]
    known = {*layout.labels, UNDECIDED, ""}
    return label_column == -1 and bool(behind) and known.issuperset(behind)


def check_label(file: Path | str, where: str, label: str, layout: Layout) -> None:
    """Raise TextError for a label that the task does not have.

    Example:
        >>> from albert_lib.finetuning.glue import MNLI, check_label
        >>> check_label("dev.jsonl", "line 3", "neutral", MNLI)
    """
    if label not in layout.labels and not (layout is MNLI and label == UNDECIDED):
        raise TextError(
            f"{file}, {where} has the label {quoted(label)}; it must be one of "
            f"{listed(layout.labels)}."
        )


def _two(texts: Sequence[str]) -> tuple[str, str | None]:
    return texts[0], texts[1] if len(texts) > 1 else None


def decided(file: Path | str, examples: Sequence[TextExample], layout: Layout) -> TextExamples:
    """The examples that are not labelled "-", and how many were; TextError if none is left.

    Example:
        >>> from albert_lib.finetuning import TextExample
        >>> from albert_lib.finetuning.glue import MNLI, decided
        >>> pairs = [TextExample("1", "a", "b", "neutral"), TextExample("2", "a", "b", "-")]
        >>> decided("dev.jsonl", pairs, MNLI).n_undecided
        1
    """
    left = tuple(example for example in examples if example.label != UNDECIDED)
    if not left:
        raise TextError(f"{file} holds no examples; {RESTORE}.")
    return TextExamples(left, layout.labels, len(examples) - len(left))
