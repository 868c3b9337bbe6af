"""Figures of chapter 1: lattices of pieces, pieces in boxes, vocabulary sizes, pairs in a batch.

Each function returns the figure with its alternative text, as `show` and `explorer` take them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter

from albert_lib.text import AlbertTokenizer, Edge, TokenizedBatch, lattice
from albert_lib.text.unigram import WORD_START
from albert_lib.workbook.measured import here
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK, VERMILION = COLORS[:4]
LIGHT_BLUE, LIGHT_ORANGE, LIGHT_GREY = "#CFE8F7", "#FBE3B5", "#E6E6E6"
WIDTH = 8.4  # inches, of every wide figure
PATH_LOOKS = ((BLUE, "-", 3.0), (ORANGE, "--", 2.6))  # colour, stroke, width of each way shown


# Lattices.


def draw_lattice(
    text: str,
    scores: Mapping[str, float],
    ways: Mapping[str, Sequence[str]],
    *,
    best_sums: bool = True,
) -> tuple[Figure, str]:
    """Every piece that fits into a ▁-marked text as an arc, and one or two ways to go through.

    Nodes are the positions between the letters; below each stands, with `best_sums`, the best sum
    of any way that leads there. `ways` maps a name to the pieces of a way, which may end before the
    text does; those that agree are drawn as one.
    """
    edges = lattice(text, scores)
    longest = max(edge.end - edge.start for edge in edges)
    figure, axes = plt.subplots(figsize=(WIDTH, 2.5 + 0.36 * longest))
    for edge in edges:
        _arc(axes, edge, "0.72", "-", 1.2)
        _arc_label(axes, edge)
    distinct = _merged(ways)
    for (name, pieces), looks in zip(distinct.items(), PATH_LOOKS, strict=False):
        _way(axes, name, pieces, scores, looks)
    _nodes(axes, text, edges, best_sums)
    axes.set(xlim=(-0.9, len(text) + 0.3), ylim=(-1.5, _height(longest) + 0.55))
    axes.axis("off")
    if distinct:
        figure.legend(loc="outside upper left", fontsize=11)
    routes = "; ".join(
        f"{name}, {' + '.join(pieces)} with {sum(scores[piece] for piece in pieces):.2f}"
        for name, pieces in distinct.items()
    )
    return figure, (
        f"A lattice: {len(text) + 1} positions around the letters of {text}, and {len(edges)} "
        "arcs, one for each piece that fits, with its score. "
        f"{f'Highlighted: {routes}.' if routes else 'Nothing is chosen yet.'}"
    )


def best_scores(n_positions: int, edges: Sequence[Edge]) -> list[float]:
    """The best sum of scores of any way to each position; the edges come from left to right."""
    best = [0.0] + [-math.inf] * (n_positions - 1)
    for edge in edges:
        best[edge.end] = max(best[edge.end], best[edge.start] + edge.score)
    return best


def _merged(ways: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Ways with the same pieces under one name that joins theirs."""
    names: dict[tuple[str, ...], list[str]] = {}
    for name, pieces in ways.items():
        names.setdefault(tuple(pieces), []).append(name)
    return {" and ".join(joined): pieces for pieces, joined in names.items()}


def _way(
    axes: Axes,
    name: str,
    pieces: Sequence[str],
    scores: Mapping[str, float],
    looks: tuple[str, str, float],
) -> None:
    """The arcs of one way, and its sum in the legend; `looks` are colour, stroke and width."""
    total = sum(scores[piece] for piece in pieces)
    label = f"{name}: {' + '.join(pieces)} = {_number(total, 2)}"
    start = 0
    for piece in pieces:
        edge = Edge(start, start + len(piece), piece, scores[piece])
        _arc(axes, edge, *looks, label if start == 0 else None)
        start = edge.end


def _height(length: int) -> float:
    """How high the arc of a piece rises above the line of positions."""
    return 0.0 if length == 1 else 0.35 + 0.62 * (length - 1)


def _arc(
    axes: Axes, edge: Edge, color: str, stroke: str, width: float, label: str | None = None
) -> None:
    """Half an ellipse from the start of a piece to its end; a straight line for one letter."""
    angle = np.linspace(np.pi, 0, 60)
    middle, half = (edge.start + edge.end) / 2, (edge.end - edge.start) / 2
    axes.plot(
        middle + half * np.cos(angle),
        _height(edge.end - edge.start) * np.sin(angle),
        color=color,
        linestyle=stroke,
        linewidth=width,
        label=label,
        zorder=1 if label is None and color == "0.72" else 2,
    )


def _arc_label(axes: Axes, edge: Edge) -> None:
    """The piece and its score: at the top of an arc, under a single letter's line."""
    middle = (edge.start + edge.end) / 2
    single = edge.end == edge.start + 1
    axes.text(
        middle,
        -0.1 if single else _height(edge.end - edge.start),
        f"{edge.piece}\n{_number(edge.score)}",
        ha="center",
        va="top" if single else "center",
        fontsize=9.5,
        linespacing=1.05,
        zorder=4,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
    )


def _nodes(axes: Axes, text: str, edges: Sequence[Edge], best_sums: bool) -> None:
    """The positions as numbered circles, and below each, if asked, the best sum up to there."""
    for position, best in enumerate(best_scores(len(text) + 1, edges)):
        axes.plot(position, 0, "o", color="white", markeredgecolor=BLACK, markersize=15, zorder=5)
        axes.text(position, -0.02, str(position), ha="center", va="center", fontsize=9, zorder=6)
        if best_sums:
            axes.text(position, -1.2, _number(best), ha="center", fontsize=9.5, weight="bold")
    if best_sums:
        axes.text(-0.35, -1.2, "best\nsum", ha="right", va="center", fontsize=9.5, weight="bold")


def _number(value: float, digits: int = 1) -> str:
    """A number with a true minus sign, and 0 without decimals."""
    return "0" if value == 0 else f"{value:.{digits}f}".replace("-", "−")


# Pieces in boxes.


def draw_cuts(rows: Mapping[str, Sequence[str]]) -> tuple[Figure, str]:
    """One sentence cut by several vocabularies: a row of boxes each, words in turns of colour.

    The vocabularies are taken to be learnt on this machine, so the alternative text says what
    they cut through `here`.
    """
    margin, gap = 0.9, 0.35  # in characters
    figure, axes = plt.subplots(figsize=(WIDTH, 0.55 + 0.52 * len(rows)))
    widest = 0.0
    for row, pieces in enumerate(rows.values()):
        place, n_words = 0.0, 0
        for piece in pieces:
            n_words += piece.startswith(WORD_START)
            width = len(piece) + margin
            face = LIGHT_BLUE if n_words % 2 else LIGHT_ORANGE
            axes.add_patch(Rectangle((place, row - 0.36), width, 0.72, facecolor=face, ec="0.45"))
            axes.text(
                place + width / 2,
                row,
                piece,
                ha="center",
                va="center",
                fontsize=8.5,
                family="monospace",
            )
            place += width + gap
        widest = max(widest, place)
    axes.set(xlim=(-0.3, widest), ylim=(len(rows) - 0.4, -0.6))
    labels = [f"{name}\n{len(pieces)} tokens" for name, pieces in rows.items()]
    axes.set_yticks(range(len(rows)), labels, fontsize=9.5)
    axes.set_xticks([])
    axes.grid(visible=False)
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    counts = "; ".join(f"{name}: {' '.join(pieces)}" for name, pieces in rows.items())
    return figure, (
        "The toy sentence in boxes, a box a token, one row for each vocabulary. The larger the "
        f"vocabulary, the fewer and longer the boxes. {here(counts)}"
    )


# Vocabulary sizes.


def draw_sizes(
    tokens_per_word: Mapping[int, float], embedding_size: int, hidden_size: int
) -> tuple[Figure, str]:
    """What a larger vocabulary brings (fewer tokens a word) and what it costs (parameters)."""
    sizes = np.array(list(tokens_per_word))
    figure, (gain, cost) = plt.subplots(1, 2, figsize=(WIDTH, 3.6))
    gain.plot(sizes, list(tokens_per_word.values()), "o-", color=BLUE)
    gain.axhline(1, color=BLACK, linestyle=":")
    gain.annotate("every word one token", (sizes[0], 1), (0, 4), textcoords="offset points")
    gain.set(title="What it brings", ylabel="tokens per word, held-out text", ylim=(0.8, None))
    for width, color, stroke, name in (
        (hidden_size, ORANGE, "s--", f"V × {hidden_size}, as BERT has it"),
        (embedding_size, BLUE, "o-", f"V × {embedding_size}, as ALBERT has it"),
    ):
        cost.plot(sizes, sizes * width / 1e6, stroke, color=color, label=name)
    cost.set(title="What it costs", ylabel="word embeddings, million parameters")
    cost.legend()
    for axes in (gain, cost):
        axes.set_xlabel("pieces in the vocabulary (V)")
    gain.set_xscale("log")  # each step to the right doubles the size
    gain.set_xticks(sizes, [f"{size:,}" for size in sizes])
    gain.minorticks_off()
    cost.xaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:,.0f}"))
    cost.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    measured = ", ".join(f"{size:,}: {value:.2f}" for size, value in tokens_per_word.items())
    return figure, (
        "Left: tokens per word fall with the size of the vocabulary, steeply at first, then ever "
        f"more slowly towards 1. {here(measured)} Right: the parameters of the word embeddings "
        f"grow in proportion to the size, {hidden_size // embedding_size} times as fast with "
        f"{hidden_size} numbers a piece as with {embedding_size}."
    )


# Pairs.


def draw_batch(batch: TokenizedBatch, tokenizer: AlbertTokenizer) -> tuple[Figure, str]:
    """The three rows of numbers of every sequence in a batch, under its tokens."""
    n_sequences, width = batch.input_ids.shape
    titles = ("token", "input_ids", "token_type_ids", "attention_mask")
    figure, axes = plt.subplots(figsize=(WIDTH, 0.3 + 1.5 * n_sequences))
    for index in range(n_sequences):
        ids = batch.input_ids[index].tolist()
        segments = batch.token_type_ids[index].tolist()
        mask = batch.attention_mask[index].tolist()
        rows: Sequence[Sequence[object]] = (
            [tokenizer.id_to_piece(token) for token in ids],
            ids,
            segments,
            mask,
        )
        for line, (title, values) in enumerate(zip(titles, rows, strict=True)):
            top = index * (len(titles) + 0.7) + line
            axes.text(-0.2, top + 0.5, title, ha="right", va="center", fontsize=9)
            for column, (value, segment, is_token) in enumerate(
                zip(values, segments, mask, strict=True)
            ):
                face = (LIGHT_BLUE, LIGHT_ORANGE)[segment] if is_token else LIGHT_GREY
                axes.add_patch(Rectangle((column, top), 1, 1, facecolor=face, edgecolor="white"))
                _write_in_cell(axes, str(value), column, top, 8 if line == 0 else 9, is_token)
    bottom = n_sequences * (len(titles) + 0.7) - 0.7
    axes.set(xlim=(-2.3, width), ylim=(bottom + 0.05, -0.05))
    axes.axis("off")
    lengths = " and ".join(str(int(length)) for length in batch.attention_mask.sum(1))
    return figure, (
        f"{n_sequences} pairs as one batch of {width} columns; they hold {lengths} tokens. For "
        "each, four rows: the tokens [CLS] A [SEP] B [SEP], their ids, the segment (0 from [CLS] "
        "to the first [SEP], then 1), and the attention mask (1 for tokens, 0 for the grey "
        "padding at the end of the shorter pair)."
    )


def _write_in_cell(
    axes: Axes, text: str, column: int, top: float, fontsize: int, is_token: bool
) -> None:
    """Text in the middle of a cell: special tokens bold, padding grey."""
    axes.text(
        column + 0.5,
        top + 0.5,
        text,
        ha="center",
        va="center",
        fontsize=fontsize,
        weight="bold" if text in ("[CLS]", "[SEP]") else "normal",
        color=BLACK if is_token else "0.4",
    )
