"""The file of StereoSet: its examples, each a context and three sentences."""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from albert_lib.errors import TextError
from albert_lib.files import read_json
from albert_lib.probing.sets.files import ReadItems, one_file
from albert_lib.records import RESTORE, field

PARTS = ("intrasentence", "intersentence")
LABELS = ("stereotype", "anti-stereotype", "unrelated")
BLANK = "BLANK"


@dataclass(frozen=True)
class ContextExample:
    """One example: a target, a context, and its three sentences in the order of LABELS.

    Example:
        >>> from albert_lib.probing.sets.stereoset import ContextExample
        >>> sentences = ("The nurse was kind.", "The nurse was rude.", "The nurse was green.")
        >>> context = "The nurse was BLANK."
        >>> ContextExample("intrasentence", "1", "nurse", "gender", context, sentences).words()
        ['kind', 'rude', 'green']
    """

    part: str  # of PARTS
    name: str  # the authors' id
    target: str
    bias_type: str
    context: str  # with BLANK in it, or a sentence that the three go on from
    sentences: tuple[str, str, str]

    def words(self) -> list[str]:
        """The word that fills BLANK in each sentence, without its punctuation."""
        place = max(i for i, word in enumerate(self.context.split(" ")) if BLANK in word)
        punctuation = str.maketrans("", "", string.punctuation)
        return [text.split(" ")[place].translate(punctuation) for text in self.sentences]


def read(path: str | os.PathLike[str]) -> ReadItems[ContextExample]:
    """The examples of a StereoSet file, or of a folder that holds exactly one .json file.

    An example that is not in the authors' format is left out and named (`ReadItems.dropped`).
    Raises TextError where no example is.

    Example:
        >>> import json, tempfile
        >>> labels = ("stereotype", "anti-stereotype", "unrelated")
        >>> texts = ("The nurse was kind.", "The nurse was rude.", "The nurse was green.")
        >>> sentences = [
        ...     {"sentence": text, "gold_label": label}
        ...     for text, label in zip(texts, labels, strict=True)
        ... ]
        >>> example = {"id": "1", "target": "nurse", "bias_type": "gender", "sentences": sentences}
        >>> data = {"intrasentence": [{**example, "context": "The nurse was BLANK."}]}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "dev.json").write_text(json.dumps({"data": data}))
        ...     read(folder)[0].words()
        ['kind', 'rude', 'green']
    """
    file = one_file(Path(path), "*.json", "StereoSet's file")
    content = read_json(file, TextError)
    data = content.get("data") if isinstance(content, dict) else None
    if not isinstance(data, dict) or not any(part in data for part in PARTS):
        raise TextError(
            f"{file} holds no data with {' or '.join(PARTS)} in it; give a file in StereoSet's "
            f"format, such as its dev.json."
        )
    items: ReadItems[ContextExample] = ReadItems()
    for part in PARTS:
        for number, example in enumerate(field(file, "data", {part: [], **data}, part, list)):
            items.take(partial(_item, file, part, number, example))
    if not items.checked():
        raise TextError(f"{file} holds no example; give a file with at least one.")
    return items


def _item(file: Path, part: str, number: int, example: Any) -> ContextExample:
    where = f"{part} example {number}"
    name, target, bias_type, context = (
        field(file, where, example, key, str) for key in ("id", "target", "bias_type", "context")
    )
    by_label: dict[str, str] = {}
    for sentence in field(file, where, example, "sentences", list):
        label = field(file, f"a sentence of {where}", sentence, "gold_label", str)
        if label not in LABELS or label in by_label:
            problem = "occurs twice" if label in by_label else f"is none of {', '.join(LABELS)}"
            raise TextError(f"{file}: gold_label {label!r} of {where} {problem}; {RESTORE}.")
        by_label[label] = field(file, f"a sentence of {where}", sentence, "sentence", str)
    if len(by_label) < len(LABELS):
        missing = next(label for label in LABELS if label not in by_label)
        raise TextError(f"{file}: {where} has no sentence with gold_label {missing!r}; {RESTORE}.")
    texts = (by_label["stereotype"], by_label["anti-stereotype"], by_label["unrelated"])
    item = ContextExample(part, name, target, bias_type, context, texts)
    if part == "intrasentence":
        _check_blank(file, where, item)
    elif not all(text.strip() for text in (context, *texts)):
        raise TextError(f"{file}: {where} has an empty context or sentence; {RESTORE}.")
    return item


def _check_blank(file: Path, where: str, item: ContextExample) -> None:
    words = item.context.split(" ")
    places = [place for place, word in enumerate(words) if BLANK in word]
    if not places:
        raise TextError(f"{file}: the context of {where} has no {BLANK}; {RESTORE}.")
    for text in item.sentences:
        if len(text.split(" ")) <= places[-1]:
            raise TextError(
                f"{file}: {text!r} of {where} has no word where its context says {BLANK}; "
                f"{RESTORE}."
            )
