"""evaluate: a model's scores, with intervals.

Of a pretrained model those of its card, with random weights beside them; of a fine-tuned one those
of its task.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from albert_lib.commands.finetune import DEV_SPLITS, say_scores
from albert_lib.commands.task_model import add_task_arguments, answer_task
from albert_lib.commands.texts import columns
from albert_lib.corpus import TokenStore, read_documents
from albert_lib.errors import InputError, TextError
from albert_lib.experiments import card
from albert_lib.experiments.task_scores import score_task
from albert_lib.files import build_folder, new_file, project_folder, read_text, ready_beside
from albert_lib.finetuning import TASKS
from albert_lib.model import AlbertForPreTraining
from albert_lib.probing.loading import fitting_tokenizer
from albert_lib.probing.sets.report import format_value
from albert_lib.text import AlbertTokenizer

DATA_VARIABLE = "ALBERT_SHARED_DATA"
CARD_HELD_OUT_EVERY = 100  # documents; as albert-mini-en's corpus was built
BEGIN, END = "<!-- scores -->", "<!-- end of scores -->"
HEADINGS = ("score", "model", "95 % interval", "random weights", "of", "unit")
TO_THE_RIGHT = (False, True, True, True, True, False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "subject",
        metavar="FOLDER_OR_TASK",
        help=f"folder of a pretrained model, with both heads, and its tokenizer; or, with --model "
        f"and --data, a task: {', '.join(TASKS)}",
    )
    task = parser.add_argument_group("of a task")
    task.add_argument("--model", metavar="FOLDER", help="of a model fine-tuned on the task")
    add_task_arguments(task)
    parser.add_argument(
        "--held-out",
        type=Path,
        metavar="STORE",
        help="held-out text: a folder that build-corpus wrote, or one store of it",
    )
    parser.add_argument(
        "--probes",
        type=Path,
        metavar="FOLDER",
        help=f"folder with {', '.join(card.CARD_SETS.values())} as their authors published them",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help=f"take both from the folder that {DATA_VARIABLE} names: texts in corpus/, of which "
        f"every {CARD_HELD_OUT_EVERY}th document is held out, and sets in probes/",
    )
    parser.add_argument(
        "--rows", type=int, default=card.ROWS, help="rows of held-out text that are scored"
    )
    parser.add_argument(
        "--card",
        type=Path,
        metavar="FILE",
        help=f"put the table into this file too, between {BEGIN} and {END}",
    )


def run(options: argparse.Namespace) -> int:
    """Score the model and print the table; of a task its scores, the last line one JSON object."""
    if options.subject in TASKS:
        return run_task(options)
    options.model = options.subject
    if options.rows < 2:
        raise InputError(f"--rows is {options.rows}; make it at least 2.")
    if options.card is not None:
        split_card(options.card)  # now, and not after an hour
        ready_beside(options.card)
    model = AlbertForPreTraining.from_pretrained(options.model).eval()
    tokenizer = fitting_tokenizer(options.model, model.config)
    rows = list(measured(options, model, tokenizer))
    lines = [f"{prompt} {words}" for prompt, words in card.answers(model, tokenizer)]
    print("\n".join([*columns([HEADINGS, *rows], right=TO_THE_RIGHT), "", *lines]))
    if options.card is not None:
        before, _, after = split_card(options.card)
        with new_file(options.card) as unfinished:
            unfinished.write_text(before + as_markdown(rows, lines) + after, encoding="utf-8")
    return 0


def run_task(options: argparse.Namespace) -> int:
    """Score a fine-tuned model on its task."""
    task = options.subject
    data, predictions, threshold = answer_task(options, task, DEV_SPLITS.get(task, "validation"))
    scores = score_task(data, predictions, threshold)
    say_scores(task, scores)
    print(json.dumps(scores))
    return 0


def measured(
    options: argparse.Namespace, model: AlbertForPreTraining, tokenizer: AlbertTokenizer
) -> Iterator[tuple[str, ...]]:
    """Yield the lines of the table, what was asked for in turn."""
    store = held_out_store(options, tokenizer)
    if store is not None:
        measure = partial(card.held_out_measures, store=store, n_rows=options.rows)
        yield from map(cells, card.card_rows(model, tokenizer, measure))
    probes = shared_folder("probes") if options.all else options.probes
    if probes is not None:
        for name in card.CARD_SETS:
            of_set = partial(card.set_measures, name=name, folder=probes)
            yield from map(cells, card.card_rows(model, tokenizer, of_set))


def held_out_store(options: argparse.Namespace, tokenizer: AlbertTokenizer) -> TokenStore | None:
    """Open the held-out text that was asked for; with --all it is encoded first, once."""
    if not options.all:
        if options.held_out is None:
            return None
        inner = options.held_out / "held-out"
        store = TokenStore.open(inner if inner.is_dir() else options.held_out)
    else:
        place = build_folder() / "evaluation" / tokenizer.fingerprint[:16]
        if not (place / "store.json").is_file():
            documents = read_documents(shared_folder("corpus"))
            held_out = islice(documents, CARD_HELD_OUT_EVERY - 1, None, CARD_HELD_OUT_EVERY)
            TokenStore.build(place, held_out, tokenizer, progress=sys.stderr.isatty())
        store = TokenStore.open(place)
    store.check_tokenizer(tokenizer)
    return store


def shared_folder(name: str) -> Path:
    """Return a folder of the data that --all takes; InputError where there is none."""
    root = os.environ.get(DATA_VARIABLE) or project_folder().parent / "shared" / "data"
    folder = Path(root) / name
    if not folder.is_dir():
        raise InputError(
            f"{folder} is missing; let {DATA_VARIABLE} name a folder with corpus/ and probes/, or "
            f"give --held-out and --probes instead of --all."
        )
    return folder


def cells(row: card.CardRow) -> tuple[str, ...]:
    """Return a row of the table as text."""
    measure, unit = row.measure, row.measure.unit
    low, high, value, random = (
        format_value(each, unit) for each in (measure.low, measure.high, measure.value, row.random)
    )
    return (measure.label, value, f"{low} to {high}", random, f"{measure.n:,}", unit)


def as_markdown(rows: list[tuple[str, ...]], answers: list[str]) -> str:
    """Return the table and the answers as the card has them.

    Example:
        >>> print(as_markdown([("SOP", "61.0", "60 to 62", "50.0", "9", "%")], ["A [MASK]. b"]))
        <BLANKLINE>
        | score | model | 95 % interval | random weights | of | unit |
        | --- | ---: | ---: | ---: | ---: | --- |
        | SOP | 61.0 | 60 to 62 | 50.0 | 9 | % |
        <BLANKLINE>
        - A [MASK]. b
        <BLANKLINE>
    """
    table = [f"| {' | '.join(row)} |" for row in (HEADINGS, *rows)]
    table.insert(1, "| --- | ---: | ---: | ---: | ---: | --- |")
    return "\n".join(["", *table, "", *(f"- {line}" for line in answers), ""])


def split_card(file: Path) -> tuple[str, str, str]:
    """Return a card's text up to its scores, the scores, and the text after them."""
    text = read_text(file)
    before, begin, rest = text.partition(BEGIN)
    scores, end, after = rest.partition(END)
    if not (begin and end):
        raise TextError(
            f"{file} has no place for scores; write {BEGIN} and {END} into it, a line each."
        )
    return before + begin, scores, end + after
