"""fill-mask: the likeliest tokens for every [MASK], as a table or as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from typing import cast

from albert_lib.commands.computing import (
    FirstBatchKept,
    add_computing_arguments,
    computing,
    difference_line,
)
from albert_lib.commands.texts import add_model_argument, add_text_arguments, columns, texts_from
from albert_lib.probing import FillMask
from albert_lib.probing.fill_mask import Fill, Fills

TOP_K = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    add_text_arguments(parser, 'a text with [MASK] in it, such as "The man is a [MASK]."')
    add_model_argument(parser)
    add_computing_arguments(parser)
    parser.add_argument(
        "--targets",
        action="append",
        default=argparse.SUPPRESS,
        metavar="WORD,WORD,…",
        help="score only these words; may be repeated",
    )
    parser.add_argument(
        "--top-k",
        type=int,
        default=argparse.SUPPRESS,
        help=f"answers for each [MASK] (default: {TOP_K}, or every target)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print JSON as transformers' fill-mask pipeline returns it: a list of answers for one "
        "TEXT, otherwise a list of such lists",
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for every answer: probability, token, and the text with the token filled in."""
    texts = texts_from(options)
    targets = targets_from(options)
    top_k = getattr(options, "top_k", TOP_K if targets is None else max(len(targets), 1))
    fill_mask = FirstBatchKept.from_pretrained(options.model, **computing(options))
    answers = fill_mask(texts, top_k=top_k, targets=targets)
    if options.precision != "float32":
        exact = FillMask.from_pretrained(options.model, **computing(options, "float32"))
        difference = fill_mask.difference_from(exact)
        line = difference_line(options, "probability of the first texts", difference)
        print(line, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        alone = len(texts) == 1 and "file" not in options
        print(json.dumps(answers[0] if alone else answers, indent=2, ensure_ascii=False))
        return 0
    for text, fills in zip(texts, answers, strict=True):
        if len(texts) > 1:
            print(text)
        print_fills(fills)
    return 0


def targets_from(options: argparse.Namespace) -> list[str] | None:
    """The words of every --targets; None without one."""
    if "targets" not in options:
        return None
    words = ",".join(options.targets).split(",")
    return [word.strip() for word in words if word.strip()]


def print_fills(fills: Fills) -> None:
    """Print the answers for each [MASK] of one text, numbered where there are several."""
    several = isinstance(fills[0], list)
    for number, answers in enumerate(cast(list[list[Fill]], fills if several else [fills]), 1):
        if several:
            print(f"[MASK] number {number}")
        rows = [
            (format_probability(fill["score"]), fill["token_str"], fill["sequence"])
            for fill in answers
        ]
        for line in columns(rows, right=(True, False, False)):
            print(f"  {line}")


def format_probability(probability: float) -> str:
    """Four decimals, or two significant digits of a probability below 0.001."""
    return f"{probability:.4f}" if probability >= 0.001 else f"{probability:.1e}"
