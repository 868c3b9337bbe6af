"""probe: a published probe set on a model, as a table and as a report with intervals."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

import albert_lib
from albert_lib.commands import probe_curve
from albert_lib.commands.computing import (
    PYTORCH,
    FirstBatchKept,
    add_computing_arguments,
    computing,
    difference_line,
)
from albert_lib.commands.texts import columns
from albert_lib.errors import InputError
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.sets.catalogue import SETS, PublishedSet, published_set
from albert_lib.probing.sets.comparison import item_values, paired_comparison
from albert_lib.probing.sets.provenance import provenance
from albert_lib.probing.sets.report import (
    FIGURE,
    NUMBERS,
    PAGE,
    REPORT_FILES,
    Report,
    measures_table,
    write_report,
)
from albert_lib.report_folder import folder_to_replace

MODELS = ("model", "checkpoints", "compare")
ALL_TO_THE_RIGHT = (False, True, True, True, True, False)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments; without any, the command lists the sets."""
    parser.add_argument(
        "set",
        nargs="?",
        metavar="SET",
        default=argparse.SUPPRESS,
        help=f"{', '.join(SETS)}; without it, list them and the data that each reads",
    )
    add_models(parser)
    add_computing_arguments(parser)
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE_OR_FOLDER",
        default=argparse.SUPPRESS,
        help="the set as its authors published it; nothing is downloaded",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        default=argparse.SUPPRESS,
        help=f"write {PAGE}, {NUMBERS} and {FIGURE} there; of --checkpoints, "
        f"{probe_curve.NUMBERS} and {probe_curve.CURVE}",
    )
    parser.add_argument(
        "--limit",
        type=int,
        metavar="N",
        default=argparse.SUPPRESS,
        help="score only N items drawn at random, for a first look",
    )
    parser.add_argument("--seed", type=int, default=0, help="random seed of --limit")


def add_models(parser: argparse.ArgumentParser) -> None:
    """Describe the three ways to name models."""
    parser.add_argument(
        "--model",
        metavar="FOLDER_OR_ID",
        default=argparse.SUPPRESS,
        help="folder of a model and its tokenizer, or a published one such as albert-base-v2",
    )
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="RUN",
        default=argparse.SUPPRESS,
        help="instead of --model: every model that pretrain --keep-every has kept in a run's "
        "folder, as a curve",
    )
    parser.add_argument(
        "--compare",
        nargs=2,
        metavar=("FIRST", "SECOND"),
        default=argparse.SUPPRESS,
        help="instead of --model: two models on the items that both can score, and the paired "
        "interval of their difference",
    )


def run(options: argparse.Namespace) -> int:
    """Score the set, print its table, and write the report if --output is given."""
    if "set" not in options:
        print_sets()
        return 0
    chosen = published_set(options.set)
    check_models(options)
    if "output" in options:
        if "compare" in options:
            raise InputError("--compare prints a table and writes no report; leave --output out.")
        folder_to_replace(
            options.output, probe_curve.CURVE_FILES if "checkpoints" in options else REPORT_FILES
        )
    if "compare" in options:
        print_comparison(chosen, options)
        return 0
    if "checkpoints" in options:
        run_curve(chosen, options)
        return 0
    report = scored_report(chosen, options, options.model)
    try:
        if "output" in options:
            write_report(options.output, report)
    finally:  # hours of work are on the screen, whatever has become of the place for the files
        print_report(report)
    if "output" in options:
        print(f"\n{options.output}: {PAGE}, {NUMBERS} and {FIGURE}")
    return 0


def check_models(options: argparse.Namespace) -> None:
    """Raise InputError unless the models are named in one way, and the data too."""
    given = [name for name in MODELS if name in options]
    if len(given) > 1:
        raise InputError(f"--{given[0]} and --{given[1]} are both given; give one of them.")
    for name in ("data",) if given else ("model", "data"):
        if name not in options:
            raise InputError(f"--{name} is missing; {options.set} needs --model and --data.")


def print_comparison(chosen: PublishedSet, options: argparse.Namespace) -> None:
    """Score the same items with both models, and print their difference."""
    asked = drawn(chosen.read(options.data), options)
    results = []
    for model in options.compare:
        fill_mask = open_model(model, options)
        results.append(chosen.score(fill_mask, asked))
        print_difference(fill_mask, model, options)
    first, second = (item_values(result) for result in results)
    both = paired_comparison(first, second)
    names = [Path(model).name for model in options.compare]
    rows = [
        ("", results[0].compared),
        (names[0], f"{both.first:.3f}"),
        (names[1], f"{both.second:.3f}"),
        (
            "second − first",
            f"{both.difference.mean:.3f}, 95 % interval {both.difference.low:.3f} to "
            f"{both.difference.high:.3f}",
        ),
        ("items", f"{both.n_common} that both can score; {both.n_single} more by one alone"),
    ]
    print("\n".join(columns(rows, right=(False, False))))
    print(f"\n{both.verdict}.")


def run_curve(chosen: PublishedSet, options: argparse.Namespace) -> None:
    """Score every kept model of a run, and write the curve if --output is given."""
    curve = probe_curve.probe_curve(
        options.checkpoints, lambda model: scored_report(chosen, options, str(model))
    )
    if "output" in options:
        probe_curve.write_curve(options.output, curve)
        print(f"\n{options.output}: {probe_curve.NUMBERS} and {probe_curve.CURVE}")


def scored_report(chosen: PublishedSet, options: argparse.Namespace, model: str) -> Report:
    """Score the set's items; InputError where the model can score none of them."""
    items = chosen.read(options.data)
    asked = drawn(items, options)
    fill_mask = open_model(model, options)
    words = command_words(options, model)
    made = provenance(words, model, options.data, albert_lib.__version__, **computing(options))
    result = chosen.score(fill_mask, asked)
    print_difference(fill_mask, model, options)
    dropped = {**items.dropped, **result.dropped}
    if not result.scored:
        reasons = "; ".join(f"{count} × {reason}" for reason, count in dropped.items())
        raise InputError(
            f"No item of {options.data} can be scored with {model} ({reasons}); use a "
            f"model with another vocabulary, or longer texts."
        )
    return Report(
        set_name=options.set,
        paper=chosen.paper,
        model=model,
        data=str(options.data),
        n_read=len(items),
        n_asked=len(asked),
        seed=options.seed,
        measures=result.measures(),
        dropped=dropped,
        notes=result.notes,
        about=chosen.about,
        made=made,
    )


def open_model(model: str, options: argparse.Namespace) -> FillMaskWithProgress:
    """Load a model as the options say."""
    return FillMaskWithProgress.from_pretrained(model, order_head=True, **computing(options))


def print_difference(
    fill_mask: FillMaskWithProgress, model: str, options: argparse.Namespace
) -> None:
    """Say how far the first batch's probabilities are from float32's, where that is not used."""
    if options.precision != "float32":
        exact = FillMask.from_pretrained(model, order_head=True, **computing(options, "float32"))
        difference = fill_mask.difference_from(exact)
        print(difference_line(options, "probability of the first texts", difference))


def command_words(options: argparse.Namespace, model: str) -> list[str]:
    """The arguments that make one model's report."""
    words = ["probe", options.set, "--model", model, "--data", str(options.data)]
    if options.engine != PYTORCH:
        words += ["--engine", options.engine]
    if options.precision != "float32":
        words += ["--precision", options.precision]
    if "limit" in options:
        words += ["--limit", str(options.limit), "--seed", str(options.seed)]
    return words


def print_sets() -> None:
    """Print one line per set: its name, its paper, what --data takes."""
    rows = [("set", "paper", "--data")]
    rows += [(name, chosen.paper, chosen.data) for name, chosen in SETS.items()]
    print("\n".join(columns(rows, right=(False, False, False))))


def print_report(report: Report) -> None:
    """Print the table, what was left out and the notes."""
    print("\n".join(columns(measures_table(report.measures), right=ALL_TO_THE_RIGHT)))
    for title, sentences in (("Left out", report.left_out), ("Notes", report.notes)):
        if sentences:
            print(f"\n{title}:", *sentences, sep="\n  ")


def drawn(items: Sequence[Any], options: argparse.Namespace) -> list[Any]:
    """All items, or --limit of them drawn without replacement, in their own order."""
    if "limit" not in options or options.limit >= len(items):
        return list(items)
    if options.seed < 0:
        raise InputError(f"--seed is {options.seed}; make it 0 or more.")
    if options.limit < 1:
        raise InputError(f"--limit {options.limit} asks for no item; make it at least 1.")
    rng = np.random.default_rng(options.seed)
    places = np.sort(rng.choice(len(items), size=options.limit, replace=False))
    return [items[place] for place in places]


class FillMaskWithProgress(FirstBatchKept):
    """A FillMask with a progress bar, where standard error is a terminal."""

    bar: tqdm
    remaining = 0  # sequences still to be scored

    def expect_sequences(self, n_sequences: int) -> None:
        """Start a bar for that many sequences."""
        self.remaining = n_sequences
        self.bar = tqdm(total=n_sequences, unit="text", disable=not sys.stderr.isatty())

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Yield the batches; advance the bar after each, and close it after the last."""
        if self.remaining == 0:
            self.expect_sequences(len(lengths))
        for chosen in super().batches(lengths):
            yield chosen
            self.bar.update(len(chosen))
            self.remaining = max(0, self.remaining - len(chosen))
        if self.remaining == 0:
            self.bar.close()
