"""Figures of chapter 4: the two heads, what they cost, and where their losses begin."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache

import matplotlib.pyplot as plt
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from albert_lib.config import AlbertConfig
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK = COLORS[:3]
SKY = "#BFDFF2"  # light enough to write on
DEVIATIONS = np.geomspace(0.005, 1.0, 40)
POSITIONS = 16  # masked positions that a starting loss is averaged over
BYTES_PER_LOGIT = 4  # float32


def draw_heads(config: AlbertConfig) -> tuple[Figure, str]:
    """The way from a final state to the scores, a box a step, for both heads."""
    vocab, narrow, wide = config.vocab_size, config.embedding_size, config.hidden_size
    steps = {
        "MLM head · at every masked position": [
            ("final state of the [MASK]", f"{wide} numbers (H)", "white"),
            ("dense, H → E", f"{wide} × {narrow}", SKY),
            ("activation (GELU), LayerNorm", f"{narrow} numbers (E)", SKY),
            ("× word embeddings (tied) + bias", f"{narrow} × {vocab:,}", ORANGE),
            ("a score for every piece", f"{vocab:,} numbers (V)", "white"),
        ],
        "SOP head · once a sequence": [
            ("final state of [CLS]", f"{wide} numbers (H)", "white"),
            ("pooler: dense, H → H", f"{wide} × {wide}", SKY),
            ("tanh", f"{wide} numbers (H)", SKY),
            ("dense, H → 2", f"{wide} × 2", SKY),
            ("in order, swapped", "2 numbers", "white"),
        ],
    }
    figure, columns = plt.subplots(1, 2, figsize=(8.4, 4.2))
    for axes, (title, boxes) in zip(columns, steps.items(), strict=True):
        _draw_column(axes, title, boxes)
    alt = (
        "Two columns of boxes, read downwards. Left, the MLM head: the final state of the mask, "
        "a dense map from H to E, activation and LayerNorm, the product with the tied word "
        "embeddings plus a bias, a score for every piece. Right, the SOP head: the final state of "
        "[CLS], the pooler's dense map and tanh, a dense map to two scores."
    )
    return figure, alt


def _draw_column(axes: Axes, title: str, boxes: Sequence[tuple[str, str, str]]) -> None:
    axes.set(xlim=(0, 1), ylim=(-len(boxes) + 0.4, 0.5), title=title)
    axes.axis("off")
    for row, (step, shape, colour) in enumerate(boxes):
        axes.text(
            0.5,
            -row,
            f"{step}\n{shape}",
            ha="center",
            va="center",
            fontsize=10,
            bbox={"boxstyle": "round,pad=0.4", "facecolor": colour, "edgecolor": BLACK},
        )
        if row:
            axes.annotate(
                "",
                xy=(0.5, -row + 0.31),
                xytext=(0.5, -row + 0.69),
                arrowprops={"arrowstyle": "->", "color": BLACK},
            )


@lru_cache(maxsize=8)
def unit_logits(vocab_size: int, embedding_size: int) -> Float[Tensor, "positions vocab"]:
    """What an untrained MLM head would say if its output matrix had deviation 1.

    The head ends in LayerNorm, so every vector that meets the matrix has length √E, whatever
    came before. With deviation s these scores are multiplied by s.
    """
    generator = torch.Generator().manual_seed(4)
    vectors = F.layer_norm(
        torch.randn(POSITIONS, embedding_size, generator=generator), (embedding_size,)
    )
    return vectors @ torch.randn(vocab_size, embedding_size, generator=generator).T


def starting_loss(deviation: float, vocab_size: int, embedding_size: int) -> float:
    """The MLM loss in nats before training, averaged over every piece as the right answer."""
    logits = deviation * unit_logits(vocab_size, embedding_size)
    return float((logits.logsumexp(dim=-1) - logits.mean(dim=-1)).mean())


def draw_starting_loss(
    deviation: float, vocab_size: int = 8000, embedding_size: int = 128
) -> tuple[Figure, str]:
    """What an untrained head believes, and what that costs, against the deviation it began with."""
    figure, (beliefs, costs) = plt.subplots(1, 2, figsize=(9.0, 3.8), width_ratios=(1, 1.4))
    logits = deviation * unit_logits(vocab_size, embedding_size)[0]
    likeliest = logits.softmax(dim=-1).topk(20).values
    _draw_beliefs(beliefs, likeliest, vocab_size)
    loss = starting_loss(deviation, vocab_size, embedding_size)
    _draw_costs(costs, deviation, loss, vocab_size, embedding_size)
    alt = (
        f"Left, bars: with initial deviation {deviation:g} the likeliest of {vocab_size:,} pieces "
        f"has probability {_rough(float(likeliest[0]))}. Right, a curve: the loss before training "
        f"stays at ln V while the deviation is small, bends up when it passes about a tenth, and "
        f"stays far below the dashed ln V + σ²/2 near 1. The dot is at about {loss:.0f} nats."
    )
    return figure, alt


def _draw_beliefs(axes: Axes, likeliest: Float[Tensor, "20"], vocab_size: int) -> None:
    """The probabilities of the likeliest pieces, and the line where all are equally likely."""
    axes.bar(range(1, 21), likeliest, color=BLUE)
    axes.axhline(1 / vocab_size, color=BLACK, linestyle="--", label="all alike, 1/V")
    axes.set(yscale="log", ylim=(1e-5, 2), xlabel="the 20 likeliest pieces")
    axes.set(ylabel="probability", title="What it believes")
    axes.legend(loc="upper right")


def _draw_costs(
    axes: Axes, deviation: float, loss: float, vocab_size: int, embedding_size: int
) -> None:
    """The loss over the deviation, found and by formula, with a dot at the chosen deviation."""
    found = [starting_loss(s, vocab_size, embedding_size) for s in DEVIATIONS]
    sigma = DEVIATIONS * math.sqrt(embedding_size)
    axes.plot(DEVIATIONS, found, color=BLUE, label="found")
    axes.plot(
        DEVIATIONS,
        math.log(vocab_size) + sigma**2 / 2,
        color=ORANGE,
        linestyle="--",
        label="ln V + σ²/2",
    )
    axes.axhline(math.log(vocab_size), color=BLACK, linestyle=":", label="ln V")
    axes.plot([deviation], [loss], "o", color=BLACK, markersize=9)
    top = 1.15 * found[-1]
    axes.annotate(
        f"{loss:.2f} nats",
        (deviation, loss),
        xytext=(-8, 10),
        textcoords="offset points",
        ha="right" if deviation > 0.03 else "center",
        fontweight="bold",
    )
    axes.set(xscale="log", ylim=(0, top), xlabel="initial deviation s")
    axes.set(ylabel="loss before training, nats", title="What that costs")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 0.98))


def _rough(probability: float) -> str:
    """A probability in words that rounding cannot tip over."""
    return "above one half" if probability > 0.5 else "below one half"


def draw_reported_and_true(
    reported: Sequence[float], true: Sequence[float], correct: Sequence[float]
) -> tuple[Figure, str]:
    """The number a wrong mean prints while training, beside the loss at the masked tokens."""
    figure, axes = plt.subplots(figsize=(7.0, 3.8))
    steps = range(len(reported))
    axes.plot(steps, true, color=ORANGE, linestyle="-", label="wrong mean: loss at masked tokens")
    axes.plot(steps, correct, color=BLUE, linestyle="--", label="right mean: loss at masked tokens")
    axes.plot(steps, reported, color=BLACK, linestyle="-", label="wrong mean: what it prints")
    axes.set(xlabel="training step", ylabel="loss, nats", ylim=(0, None))
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.42))
    alt = (
        "Three curves over training steps, all from ln V. What the wrong mean prints falls "
        "fastest and ends far below the other two; the true loss at the masked tokens stays high, "
        "and under the right mean it is no worse than under the wrong one."
    )
    return figure, alt


def draw_row_gradients(
    names: Sequence[str],
    as_input: Sequence[float],
    as_output: Sequence[float],
) -> tuple[Figure, str]:
    """How strongly each use of the tied table pulls at some of its rows."""
    figure, axes = plt.subplots(figsize=(7.4, 0.34 * len(names) + 1.3))
    rows = np.arange(len(names))
    axes.scatter(as_input, rows, s=70, color=BLUE, label="at the entrance", zorder=3)
    axes.scatter(as_output, rows, s=70, color=ORANGE, marker="D", label="at the exit", zorder=3)
    axes.set_yticks(rows, names)
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="length of the gradient on the row")
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, ncols=2)
    alt = (
        "Rows of the tied table, with the length of their gradient on a logarithmic axis. Tokens "
        "of the sentence have a dot for their use as input. Every row has a small diamond for "
        "its use as output, and only the masked answer has a large one."
    )
    return figure, alt


def head_cost(
    config: AlbertConfig, batch: int, length: int, predictions: int
) -> dict[str, dict[str, int]]:
    """Forward operations (multiplications and additions) and bytes of logits, by part."""
    narrow, wide = config.embedding_size, config.hidden_size
    positions = batch * length
    layer = 2 * 4 * wide**2 + 2 * 2 * wide * config.intermediate_size + 2 * 2 * length * wide
    encoder = positions * (config.num_hidden_layers * layer + 2 * narrow * wide)
    head = 2 * (wide * narrow + narrow * config.vocab_size)  # for one position
    asked = batch * predictions
    return {
        "operations": {"encoder": encoder, "everywhere": positions * head, "masked": asked * head},
        "bytes": {
            "everywhere": positions * config.vocab_size * BYTES_PER_LOGIT,
            "masked": asked * config.vocab_size * BYTES_PER_LOGIT,
        },
    }


def draw_head_cost(
    size: str, vocab_size: int, batch: int, length: int, predictions: int
) -> tuple[Figure, str]:
    """What scoring the vocabulary costs, at every position and at the masked ones alone."""
    config = AlbertConfig.preset(f"albert-{size}-v2").replace(vocab_size=vocab_size)
    predictions = min(predictions, length)
    cost = head_cost(config, batch, length, predictions)
    figure, (memory, work) = plt.subplots(1, 2, figsize=(9.0, 2.8))
    gigabytes = [cost["bytes"][where] / 1e9 for where in ("everywhere", "masked")]
    _label_bars(memory, ["every position", "masked only"], gigabytes, [ORANGE, BLUE], "{:.2f}")
    memory.set(xlabel="gigabytes", title="One copy of the logits")
    trillions = [cost["operations"][part] / 1e12 for part in ("encoder", "everywhere", "masked")]
    _label_bars(
        work,
        ["encoder", "head, everywhere", "head, masked"],
        trillions,
        [SKY, ORANGE, BLUE],
        "{:.3f}",
    )
    work.set(xlabel="trillion operations", title="One forward pass")
    alt = (
        f"Bars for {batch} sequences of {length} tokens with {predictions} predictions each and "
        f"a vocabulary of {vocab_size:,}: the logits take {gigabytes[0]:.2f} gigabytes at every "
        f"position, {gigabytes[1]:.2f} at the masked ones. In operations, the encoder of the "
        f"{size} size does {trillions[0]:.3f} trillion, the head {trillions[1]:.3f} everywhere and "
        f"{trillions[2]:.3f} at the masked positions."
    )
    return figure, alt


def _label_bars(
    axes: Axes, names: Sequence[str], values: Sequence[float], colours: Sequence[str], form: str
) -> None:
    """Horizontal bars from top to bottom, each with its number behind it."""
    bars = axes.barh(names, values, color=colours)
    axes.bar_label(bars, [form.format(value) for value in values], padding=4)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.25 * max(values))
    axes.grid(False, axis="y")


def draw_ladder(losses: Mapping[str, float]) -> tuple[Figure, str]:
    """Losses in nats as bars, from the most to the least, with their perplexities."""
    figure, axes = plt.subplots(figsize=(8.4, 0.55 * len(losses) + 1.3))
    shades = [BLACK, ORANGE, BLUE, SKY]
    _label_bars(axes, list(losses), list(losses.values()), shades[: len(losses)], "{:.2f}")
    for row, loss in enumerate(losses.values()):
        colour = "white" if shades[row] in (BLACK, BLUE) else "black"
        axes.text(0.1, row, f"like 1 of {math.exp(loss):,.0f}", color=colour, va="center")
    axes.set(xlabel="loss at the masked tokens, nats")
    alt = (
        f"Bars for the loss of {len(losses)} readers, from the top: {'; '.join(losses)}. The "
        f"second is about two thirds as long as the first."
    )
    return figure, alt


def draw_fills(words: Sequence[str], scores: Sequence[float], title: str) -> Figure:
    """The likeliest pieces for a gap, with their probabilities."""
    figure, axes = plt.subplots(figsize=(7.0, 0.3 * len(words) + 1.2))
    rows = [str(row) for row in range(len(words))]  # two pieces may be written alike: by number
    _label_bars(axes, rows, scores, [BLUE] * len(words), "{:.3f}")
    axes.set_yticks(range(len(words)), words)
    axes.set(xlabel="probability", title=title)
    return figure
