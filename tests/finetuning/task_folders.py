"""Small files of every task, in its own format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

PLACES = [f"the {word}" for word in ("mill", "river", "house", "garden", "church")]
OPINIONS = (("a joy to read", "1"), ("dull and slow", "0"))
HYPOTHESES = (
    ("It is wet.", "entailment"),
    ("It is dry.", "contradiction"),
    ("He sings.", "neutral"),
)


def sst2(folder: Path, n_rows: int = 12, labelled: bool = True) -> Path:
    lines = ["sentence\tlabel" if labelled else "index\tsentence"]
    for row in range(n_rows):
        text, label = OPINIONS[row % 2]
        lines.append(f"{text} {row}\t{label}" if labelled else f"{row}\t{text} {row}")
    return _written(folder / "sst2.tsv", "\n".join(lines) + "\n")


def mnli(folder: Path, n_rows: int = 12) -> Path:
    rows = [
        {"sentence1": f"It rains {row}.", "sentence2": text, "gold_label": label}
        for row, (text, label) in enumerate(HYPOTHESES * (n_rows // 3))
    ]
    return _written(folder / "mnli.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def squad(folder: Path, version: str, n_passages: int = 24, answers: bool = True) -> Path:
    """A passage a question; in version 2.0 every third has no answer."""
    paragraphs = []
    for number in range(n_passages):
        place = PLACES[number % len(PLACES)]
        context = f"On day {number} the old man walked to {place} before dawn."
        question: dict[str, Any] = {"id": f"q{number}", "question": "Where did he walk to?"}
        if answers:
            impossible = version == "2.0" and number % 3 == 2
            found = [{"text": place, "answer_start": context.index(place)}]
            question["answers"] = [] if impossible else found
        paragraphs.append({"context": context, "qas": [question]})
    content = {"version": version, "data": [{"title": "Days", "paragraphs": paragraphs}]}
    return _written(folder / f"squad-{version}.json", json.dumps(content))


def race(folder: Path, n_passages: int = 6) -> Path:
    for number in range(n_passages):
        options = [["a fox", "a hen", "a cow", "a pig"]]
        passage = {
            "article": "A fox slept by the mill.", "questions": ["Who slept?"],
            "options": options, "answers": ["ABCD"[number % 4]], "id": f"high{number}.txt",
        }  # fmt: skip
        _written(folder / "race" / "high" / f"{number}.txt", json.dumps(passage))
    return folder / "race"


def _written(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file
