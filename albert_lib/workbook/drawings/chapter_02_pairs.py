"""Figures of chapter 2: pairs of segments, and what they can teach."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from albert_lib.corpus import TokenStore
from albert_lib.objectives import PairPlan
from albert_lib.paper import paper_table
from albert_lib.text import AlbertTokenizer
from albert_lib.workbook.drawings.pieces import BLACK, BLUE, ORANGE, SKY, WIDTH, draw_pieces

LAST_BAR = 12  # shared tokens: this many or more


def draw_pairs(
    store: TokenStore, plans: Sequence[PairPlan], document: int = 0
) -> tuple[Figure, str]:
    """Where the segments of a document lie in it, epoch by epoch."""
    sentences = store.sentence_starts[
        store.document_starts[document] : store.document_starts[document + 1] + 1
    ]
    begin, end = int(sentences[0]), int(sentences[-1])
    figure, axes = plt.subplots(figsize=(WIDTH, 1.5 + 0.42 * len(plans)))
    for index, (left, right) in enumerate(pairwise(sentences)):
        span(axes, 0, int(left) - begin, int(right) - begin, "#EEEEEE", f"sentence {index + 1}")
    for epoch, plan in enumerate(plans):
        inside = (plan.first_start >= begin) & (plan.first_start < end)
        for pair in np.flatnonzero(inside):
            parts = (
                (plan.first_start[pair], plan.first_end[pair], SKY, "1st"),
                (plan.second_start[pair], plan.second_end[pair], ORANGE, "2nd"),
            )
            for left, right, color, label in parts:
                span(axes, epoch + 1, int(left) - begin, int(right) - begin, color, label)
    axes.set(xlim=(-0.5, end - begin + 0.5), ylim=(len(plans) + 0.6, -0.6))
    axes.set_yticks(
        range(len(plans) + 1), ["document", *(f"epoch {epoch}" for epoch in range(len(plans)))]
    )
    axes.set_xlabel("token of the document")
    axes.grid(visible=False)
    return figure, (
        f"A document of {len(sentences) - 1} sentences as a bar, and below it one row for each of "
        f"{len(plans)} epochs. In each row the document is covered by pairs of neighbouring "
        "segments, marked with which is written first. The places where they are cut and their "
        "order differ from epoch to epoch; thin gaps are tokens that were trimmed away."
    )


def span(axes: Axes, row: int, left: int, right: int, color: str, label: str) -> None:
    """A labelled bar from token `left` up to `right`."""
    axes.barh(row, right - left, left=left, height=0.74, color=color, edgecolor="white")
    if right - left >= 3:
        axes.text((left + right) / 2, row, label, ha="center", va="center", fontsize=9.5)


def draw_order(
    documents: tuple[Sequence[str], Sequence[str]],
    tokenizer: AlbertTokenizer,
    common: Collection[int],
    n_first: int,
    kind: str,
) -> tuple[Figure, str]:
    """A pair made of the first document's first sentences and what the kind of pair puts beside.

    `kind` is "in order", "swapped" or "another document"; `common` holds tokens that do not count
    as shared.
    """
    beginning = encoded(documents[0][:n_first], tokenizer)
    other = kind == "another document"
    rest = encoded(documents[int(other)][n_first:], tokenizer)
    shared = (set(beginning) & set(rest)) - set(common)
    parts = [(beginning, "earlier"), (rest, "other" if other else "later")]
    if kind == "swapped":
        parts.reverse()

    pieces, looks = ["[CLS]"], ["special"]
    for ids, look in parts:
        pieces += [tokenizer.id_to_piece(piece) for piece in ids] + ["[SEP]"]
        looks += ["shared" if piece in shared else look for piece in ids] + ["special"]
    questions = {
        "in order": "NSP asks: do they belong together? Yes.   SOP asks: swapped? No",
        "swapped": "NSP never asks about it.   SOP asks: swapped? Yes",
        "another document": "NSP asks: do they belong together? No.   SOP never asks about it",
    }
    figure, alt = draw_pieces({questions[kind]: (pieces, looks)}, "")
    alt = (
        f"A pair of segments, {kind}: “{tokenizer.decode(parts[0][0])}” and "
        f"“{tokenizer.decode(parts[1][0])}” Number of uncommon tokens that both have: "
        f"{len(shared)}. {questions[kind]}."
    )
    return figure, alt


def encoded(sentences: Sequence[str], tokenizer: AlbertTokenizer) -> list[int]:
    """The ids of some sentences in a row, without special tokens."""
    return [piece for ids in tokenizer.encode_sentences(sentences) for piece in ids]


def draw_shared_tokens(
    neighbours: Int[np.ndarray, " pairs"], strangers: Int[np.ndarray, " pairs"]
) -> tuple[Figure, str]:
    """How many tokens two segments share: what NSP has to tell apart, and what SOP has."""
    figure, (nsp, sop) = plt.subplots(1, 2, sharey=True, figsize=(WIDTH, 3.3))
    histogram(nsp, neighbours, -0.2, BLUE, "neighbours")
    histogram(nsp, strangers, 0.2, ORANGE, "strangers")
    nsp.set_title("Next-sentence prediction")
    histogram(sop, neighbours, -0.2, BLUE, "in order")
    histogram(sop, neighbours, 0.2, SKY, "swapped")
    sop.set_title("Sentence-order prediction")
    nsp.set_ylabel("share of the pairs")
    ticks = range(0, LAST_BAR + 1, 2)
    for axes in (nsp, sop):
        axes.set_xlabel("uncommon tokens that both have")
        axes.set_xticks(ticks, [*ticks[:-1], f"{LAST_BAR}+"])
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.grid(axis="x", visible=False)
        axes.legend()
    return figure, (
        "Two histograms of the number of uncommon tokens that two segments share. Left: most "
        "strangers share none or one, neighbours share more, and the two shapes overlap little. "
        "Right: pairs in order and swapped pairs have exactly the same bars."
    )


def histogram(
    axes: Axes, counts: Int[np.ndarray, " pairs"], offset: float, color: str, label: str
) -> None:
    """Bars of how many pairs share 0, 1, 2 … tokens."""
    shares = np.bincount(np.minimum(counts, LAST_BAR), minlength=LAST_BAR + 1) / len(counts)
    axes.bar(np.arange(LAST_BAR + 1) + offset, shares, 0.4, color=color, label=label)


def draw_table_5(counter_nsp: float) -> tuple[Figure, str]:
    """The paper's Table 5 beside a reader that counts shared tokens; `counter_nsp` is a share."""
    names = {"none": "ALBERT, MLM alone", "nsp": "ALBERT, MLM + NSP", "sop": "ALBERT, MLM + SOP"}
    rows = paper_table("table_5")
    labels = ["counting shared tokens", *(names[row.sentence_loss] for row in rows)]
    accuracies = {
        "asked NSP": [100 * counter_nsp, *(row.nsp_accuracy for row in rows)],
        "asked SOP": [50.0, *(row.sop_accuracy for row in rows)],
    }
    figure, axes = plt.subplots(figsize=(WIDTH, 3.4))
    place = np.arange(len(labels))
    for (label, values), offset, color in zip(
        accuracies.items(), (-0.2, 0.2), (ORANGE, BLUE), strict=True
    ):
        bars = axes.barh(place + offset, values, 0.38, color=color, label=label)
        axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=9.5)
    axes.axvline(50, color=BLACK, linestyle=":", linewidth=1.5)
    axes.annotate("chance", (50, -0.62), xytext=(4, 0), textcoords="offset points", fontsize=9.5)
    axes.set(xlabel="right answers, percent", xlim=(0, 100), ylim=(len(labels) - 0.4, -0.85))
    axes.set_yticks(place, labels)
    axes.grid(axis="y", visible=False)
    figure.legend(loc="outside lower right", ncols=2)
    return figure, (
        "Bars of accuracy when asked NSP and when asked SOP. Counting shared tokens does well at "
        "NSP and is at chance at SOP. The paper's model trained on NSP reaches 90.5 % at NSP but "
        "52.0 % at SOP; trained on SOP, 86.5 % at SOP and 78.9 % at NSP."
    )
