"""Figures of chapter 7, answers: windows on a passage, where an answer begins, saying nothing."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from albert_lib.finetuning import SpanWindow
from albert_lib.workbook.measured import here
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK, VERMILION, PINK, SKY = COLORS[:6]
STATES = {"whole": "answer whole", "cut": "answer cut", "elsewhere": "no answer here"}


def draw_windows(windows: Sequence[SpanWindow], answer: tuple[int, int]) -> tuple[Figure, str]:
    """A row a window, its tokens where they lie in the passage; dark where it has best context."""
    passage = windows[0].passage
    figure, axes = plt.subplots(figsize=(8.4, 0.9 + 0.5 * len(windows)))
    for row, window in enumerate(windows):
        for place, best in enumerate(window.best_context.tolist()):
            axes.add_patch(Rectangle(
                (window.first + place - 0.5, row - 0.32), 1, 0.64, edgecolor="white",
                facecolor=BLUE if best else SKY,
            ))  # fmt: skip
        axes.annotate(
            STATES.get(window.answer_place, "unanswerable"), (len(passage.ids), row), va="center",
            fontsize=9,
        )  # fmt: skip
    left, right = answer
    axes.axvspan(left - 0.5, right + 0.5, color=ORANGE, alpha=0.45, zorder=3)
    axes.set(xlim=(-0.5, len(passage.ids) * 1.22), ylim=(len(windows) - 0.4, -0.6))
    axes.set_yticks(range(len(windows)), [f"window {n}" for n in range(1, len(windows) + 1)])
    axes.set_xticks(range(0, len(passage.ids), 10))
    axes.set_xlabel("token of the passage")
    axes.grid(visible=False)
    places = ", ".join(STATES.get(window.answer_place, "none") for window in windows)
    alt = (
        f"{len(windows)} windows as rows over the {len(passage.ids)} tokens of a passage, each "
        "beginning further on and overlapping the one before. Dark is the part that a window "
        "shows in better context than any other: the middle of each. A vertical band marks the "
        f"answer. From the first window to the last: {places}."
    )
    return figure, alt


def draw_span_probabilities(
    tokens: Sequence[str],
    starts: Float[np.ndarray, "seq"],
    ends: Float[np.ndarray, "seq"],
    answer: tuple[int, int] | None = None,
    title: str = "",
) -> tuple[Figure, str]:
    """Two bars a token, how probable it is as the first and as the last one of the answer."""
    places = np.arange(len(tokens))
    figure, axes = plt.subplots(figsize=(max(6.0, 0.42 * len(tokens)), 3.3))
    axes.bar(places - 0.2, starts, width=0.4, color=BLUE, label="answer starts here")
    axes.bar(places + 0.2, ends, width=0.4, color=ORANGE, hatch="//", label="answer ends here")
    if answer is not None:
        axes.axvspan(answer[0] - 0.5, answer[1] + 0.5, color=SKY, alpha=0.35, zorder=0)
    axes.set_xticks(places, tokens, rotation=60, ha="right", fontsize=9)
    axes.set(ylabel="probability", ylim=(0, 1), title=title)
    axes.legend(loc="upper right", fontsize=9)
    first, last = int(np.argmax(starts)), int(np.argmax(ends))
    found = f"{tokens[first]} {starts[first]:.2f}, {tokens[last]} {ends[last]:.2f}"
    alt = (
        "For each token two bars, the probability that the answer starts and that it ends there; "
        f"the best span is shaded. The highest start and the highest end: {here(found)}."
    )
    return figure, alt


def threshold_scores(
    null_scores: Sequence[float],
    answered: Sequence[float],
    impossible: Sequence[bool],
    threshold: float,
) -> tuple[float, float]:
    """F1 in percent over the questions with an answer, and over those without one.

    `answered` is what each question's best span gets.
    """
    silent = np.asarray(null_scores) > threshold
    without = np.asarray(impossible)
    each = np.where(silent, without.astype(float), np.where(without, 0.0, answered))
    return 100 * float(each[~without].mean()), 100 * float(each[without].mean())


def draw_threshold(
    null_scores: Sequence[float],
    answered: Sequence[float],
    impossible: Sequence[bool],
    threshold: float,
) -> tuple[Figure, str]:
    """Null scores of both kinds of questions, the threshold, and the scores at every threshold."""
    scores, without = np.asarray(null_scores), np.asarray(impossible)
    low, high = min(scores.min(), threshold) - 0.5, max(scores.max(), threshold) + 0.5
    figure, (counts, curve) = plt.subplots(2, 1, figsize=(7.0, 4.6), sharex=True)
    edges = np.linspace(low, high, 31)
    counts.hist(scores[~without], edges, color=BLUE, label="has an answer")
    counts.hist(scores[without], edges, color=ORANGE, alpha=0.75, hatch="//", label="has none")
    counts.set_ylabel("questions")
    counts.legend(loc="upper center", fontsize=9)
    grid = np.linspace(low, high, 200)
    both = np.array([threshold_scores(null_scores, answered, impossible, t) for t in grid])
    part = without.mean()
    curve.plot(grid, both[:, 0], color=BLUE, linestyle="-", label="with an answer")
    curve.plot(grid, both[:, 1], color=ORANGE, linestyle="--", label="without")
    curve.plot(grid, both @ [1 - part, part], color=BLACK, linestyle="-", label="all")
    curve.set(ylabel="F1, percent", ylim=(-3, 103),
              xlabel="null score: left of the threshold is answered")  # fmt: skip
    curve.legend(loc="lower center", ncols=3, fontsize=9)
    has, none = threshold_scores(null_scores, answered, impossible, threshold)
    overall = (1 - part) * has + part * none
    for axes in (counts, curve):
        axes.axvline(threshold, color=VERMILION, linestyle="-.")
    curve.plot([threshold], [overall], "o", color=VERMILION)
    counts.set_title(
        f"threshold {threshold:.1f}: F1 {overall:.0f} ({has:.0f} with, {none:.0f} without)"
    )
    alt = (
        "Above, the null scores of questions with an answer, mostly low, and of those without, "
        "mostly higher. Below, F1 against the threshold: that of answerable questions rises, that "
        f"of the others falls, and over all there is a best place between. At {threshold:.1f}: "
        f"{here(f'F1 {overall:.0f}, {has:.0f} with an answer, {none:.0f} without')}."
    )
    return figure, alt
