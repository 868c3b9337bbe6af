"""fill-mask: the likeliest pieces behind every [MASK], as a table."""

from __future__ import annotations

import argparse
from typing import cast

from albert_lib.probing import FillMask
from albert_lib.probing.fill_mask import Fill


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("text", help='a text with [MASK] in it, such as "The man is a [MASK]."')
    parser.add_argument("--model", required=True, help="folder of a model and tokenizer, or hub id")
    parser.add_argument("--top-k", type=int, default=5, help="answers for each [MASK]")


def run(options: argparse.Namespace) -> int:
    """Print a line an answer: its probability, the piece, and the text with it in place."""
    fills = FillMask.from_pretrained(options.model)(options.text, top_k=options.top_k)
    several = isinstance(fills[0], list)
    for number, answers in enumerate(cast(list[list[Fill]], fills if several else [fills]), 1):
        if several:
            print(f"[MASK] number {number}")
        width = max(len(fill["token_str"]) for fill in answers)
        for fill in answers:
            print(f"  {fill['score']:8.4f}  {fill['token_str']:<{width}}  {fill['sequence']}")
    return 0
