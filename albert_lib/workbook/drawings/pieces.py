"""Tokens in boxes, as chapter 2 shows a sequence: words unbroken, each box with its look."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from albert_lib.text import AlbertTokenizer
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK = COLORS[:3]
SKY = COLORS[5]
LINE = 84  # characters of one line of tokens
MARGIN = 0.6  # left and right of a token's text, in characters
WORD_GAP = 0.8  # between two words, in characters
WIDTH = 8.4  # of a figure with tokens, in inches
LINE_HEIGHT = 0.38  # of a line of tokens, in inches


@dataclass(frozen=True)
class Look:
    """How the box of a token looks, and what the legend says it means."""

    meaning: str
    face: str
    ink: str = BLACK


LOOKS = {
    "plain": Look("in view", "white"),
    "special": Look("special token", "#DDDDDD", "#444444"),
    "masked": Look("masked", BLUE, "white"),
    "unchanged": Look("shown as itself", SKY),
    "random": Look("shown as a random token", ORANGE),
    "earlier": Look("comes first in its document", "white"),
    "later": Look("comes after it", "#CFE8F7"),
    "other": Look("from another document", "#CFE8F7"),
    "shared": Look("in both segments", ORANGE),
}


def places(pieces: Sequence[str]) -> list[tuple[float, int]]:
    """Where each token stands, in characters from the left, and in which line."""
    words: list[list[str]] = []
    for piece in pieces:
        continues = piece[:1].isalnum() or piece in (".", ",")
        if words and continues:
            words[-1].append(piece)
        else:
            words.append([piece])

    found: list[tuple[float, int]] = []
    left, line = 0.0, 0
    for word in words:
        widths = [len(piece) + 2 * MARGIN for piece in word]
        if left + sum(widths) > LINE:
            left, line = 0.0, line + 1
        for width in widths:
            found.append((left, line))
            left += width
        left += WORD_GAP
    return found


def n_lines(pieces: Sequence[str]) -> int:
    """How many lines the tokens take."""
    return 1 + max(line for _, line in places(pieces))


def write_pieces(axes: Axes, pieces: Sequence[str], looks: Sequence[str]) -> None:
    """Write tokens into `axes`, each in a box with its look, as many lines as it takes."""
    for piece, look, (left, line) in zip(pieces, looks, places(pieces), strict=True):
        width = len(piece) + 2 * MARGIN
        style = LOOKS[look]
        axes.add_patch(
            Rectangle((left, line + 0.1), width, 0.8, facecolor=style.face, edgecolor="#888888")
        )
        axes.text(
            left + width / 2,
            line + 0.52,
            piece,
            color=style.ink,
            family="monospace",
            fontsize=9.5,
            ha="center",
            va="center",
        )
    axes.set(xlim=(-0.5, LINE + 0.5), ylim=(n_lines(pieces), 0))
    axes.axis("off")


def explain(figure: Figure, looks: Collection[str]) -> None:
    """Add the legend of the looks that occur."""
    patches = [
        Patch(facecolor=style.face, edgecolor="#888888", label=style.meaning)
        for name, style in LOOKS.items()
        if name in looks
    ]
    figure.legend(
        handles=patches,
        loc="outside lower left",
        ncols=len(patches),
        fontsize=10,
        columnspacing=1.4,
    )


def draw_pieces(
    rows: Mapping[str, tuple[Sequence[str], Sequence[str]]], alt: str
) -> tuple[Figure, str]:
    """Rows of boxes: for each title, the tokens and their looks."""
    heights = [n_lines(pieces) for pieces, _ in rows.values()]
    figure, all_axes = plt.subplots(
        len(rows),
        1,
        figsize=(WIDTH, LINE_HEIGHT * (sum(heights) + 0.9 * len(rows) + 0.9)),
        height_ratios=heights,
        squeeze=False,
    )
    for axes, (title, (pieces, looks)) in zip(all_axes[:, 0], rows.items(), strict=True):
        write_pieces(axes, pieces, looks)
        axes.set_title(title, loc="left", fontsize=10.5)
    explain(figure, {look for _, looks in rows.values() for look in looks})
    return figure, alt


def masked_looks(
    ids: Sequence[int], tokenizer: AlbertTokenizer, spans: Sequence[range]
) -> list[str]:
    """The look of each token of a sequence: masked, special or plain."""
    masked = {position for span in spans for position in span}
    return [
        "masked" if position in masked else "special" if tokenizer.is_special[token] else "plain"
        for position, token in enumerate(ids)
    ]
