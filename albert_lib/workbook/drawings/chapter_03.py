"""Figures of chapter 3: factorisation, sharing, attention, and how far a repetition moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from albert_lib.config import AlbertConfig, Sharing
from albert_lib.model.costs import training_flops
from albert_lib.paper import paper_table
from albert_lib.workbook.measured import here
from albert_lib.workbook.style import COLORS

VOCABULARY = 30_000  # pieces, in every published size
TRAINING_BYTES = 16  # a parameter in float32: itself, its gradient, the optimizer's two averages
LENGTH = 512  # tokens of a full sequence
HEADS = ("mlm_head", "sop_head")  # parts of training_flops
MARKERS = ("o", "s", "^", "D")
TOKEN_SIZE = 8  # points: 12 pixels, in rows of 15


def draw_factorisation(
    embedding_size: int, hidden_size: int, vocab_size: int = VOCABULARY
) -> tuple[Figure, str]:
    """What the words cost with one table and with two matrices, beside the paper's Table 3."""
    one_table = vocab_size * hidden_size
    table, projection = vocab_size * embedding_size, embedding_size * hidden_size
    break_even = one_table / (vocab_size + hidden_size)
    figure, (cost, quality) = plt.subplots(1, 2, width_ratios=(1, 1.15))

    _draw_costs(cost, one_table, table, projection)
    cost.set_ylabel("parameters, millions")
    cost.set_title(f"equal at E = {break_even:,.1f}")
    cost.margins(y=0.12)

    _draw_table_3(quality)
    quality.axvline(embedding_size, color=COLORS[3], linestyle=":")
    quality.annotate(
        f"E = {embedding_size}",
        (embedding_size, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -2),
        textcoords="offset points",
        color=COLORS[3],
        va="top",
    )
    ratio = one_table / (table + projection)
    compared = f"{ratio:.1f} times fewer" if ratio >= 1 else f"{1 / ratio:.2f} times as many"
    alt = (
        f"Left: a table of {vocab_size:,} pieces at H = {hidden_size} holds {one_table / 1e6:.1f} "
        f"million numbers; factorised through E = {embedding_size} it holds "
        f"{(table + projection) / 1e6:.1f} million, {compared}; both are equal at "
        f"E = {break_even:,.1f}. Right: the paper's average score rises with E when no layer is "
        f"shared, and is highest at E = 128 when all are."
    )
    return figure, alt


def _draw_costs(cost: Axes, one_table: int, table: int, projection: int) -> None:
    """Two bars with their heights: one table, and the narrow table with its projection on top."""
    cost.bar("one table\nV × H", one_table / 1e6, color=COLORS[2])
    cost.bar("factorised\nV × E + E × H", table / 1e6, color=COLORS[0])
    cost.bar("factorised\nV × E + E × H", projection / 1e6, bottom=table / 1e6, color=COLORS[1])
    for place, total in enumerate((one_table, table + projection)):
        cost.annotate(
            f"{total / 1e6:.1f} M",
            (place, total / 1e6),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
        )


def _draw_table_3(axes: Axes) -> None:
    rows = paper_table("table_3")
    for sharing, name, color, marker in (
        ("none", "no layer shared", COLORS[2], "s"),
        ("all", "all layers shared", COLORS[0], "o"),
    ):
        chosen = [row for row in rows if row.sharing == sharing]
        widths = [row.embedding_size for row in chosen]
        scores = [row.average for row in chosen]
        axes.plot(widths, scores, marker=marker, color=color, linestyle="-", label=name)
    axes.set_xscale("log", base=2)
    axes.set_xticks([32, 64, 128, 256, 512, 1024], ["32", "64", "128", "256", "512", "1024"])
    axes.set_xlabel("width E of a word's row")
    axes.set_ylabel("average score, percent")
    axes.set_title("The paper's Table 3")
    axes.set_ylim(78.5, 83.2)
    axes.legend(loc="center right", bbox_to_anchor=(1, 0.46), fontsize=9)


def draw_parts(parts: Mapping[str, int]) -> Figure:
    """One bar for each part of a model, longest at the top, with its number of parameters."""
    ordered = sorted(parts.items(), key=lambda part: part[1])
    figure, axes = plt.subplots(figsize=(7, 3.2))
    bars = axes.barh(
        [name for name, _ in ordered], [count / 1e6 for _, count in ordered], color=COLORS[0]
    )
    axes.bar_label(bars, [f"{count:,}" for _, count in ordered], padding=4, fontsize=9)
    axes.set_xlabel("parameters, millions")
    axes.margins(x=0.2)
    axes.grid(axis="y", visible=False)
    return figure


def draw_attention(
    attentions: Sequence[Float[Tensor, "1 heads seq seq"]],
    tokens: Sequence[str],
    repetitions: Sequence[int],
) -> Figure:
    """Who looks at whom: one map a head (across) and repetition (down, counted from 1).

    Four heads are as wide as JupyterLab's column in a window of 1,280 pixels, so that the page
    does not shrink the tokens' names.
    """
    heads = attentions[0].shape[1]
    figure, grid = plt.subplots(
        len(repetitions),
        heads,
        figsize=(1.7 * heads + 0.8, 1.7 * len(repetitions) + 1.6),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="compressed",  # square maps leave no gaps
    )
    for row, repetition in zip(grid, repetitions, strict=True):
        for head, axes in enumerate(row):
            weights = attentions[repetition - 1][0, head].detach().numpy()
            image = axes.imshow(weights, vmin=0, vmax=0.4)
            axes.grid(visible=False)
            axes.tick_params(length=2, pad=1)
            if repetition == repetitions[0]:
                axes.set_title(f"head {head + 1}", fontsize=10)
        row[0].set_ylabel(f"repetition {repetition}", fontsize=10)
    _name_tokens(grid, tokens)
    figure.supylabel("the token that looks", fontsize=10)
    figure.supxlabel("what it looks at", fontsize=10)
    scale = figure.colorbar(image, ax=grid, location="top", shrink=0.5, aspect=40, extend="max")
    scale.set_label("share of its attention")
    return figure


def _name_tokens(grid: np.ndarray, tokens: Sequence[str]) -> None:
    """The tokens to the left of the first column of maps and under the last row."""
    names = [token.replace("▁", "_") for token in tokens]  # the block reaches into the next row
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(names)), names, fontsize=TOKEN_SIZE)
    for axes in grid[-1]:
        axes.set_xticks(range(len(names)), names, rotation=90, fontsize=TOKEN_SIZE)


def draw_gelu(
    inputs: Float[Tensor, "points"], difference: Float[Tensor, "points"], name: str
) -> Figure:
    """How far two forms of an activation are apart, over their input."""
    figure, axes = plt.subplots(figsize=(7, 2.8))
    axes.axhline(0, color=COLORS[2], linewidth=1, linestyle="-")
    axes.plot(inputs.numpy(), difference.numpy() * 1e4, color=COLORS[0], linestyle="-")
    axes.set_xlabel("input of the activation")
    axes.set_ylabel(f"{name},\nten-thousandths")
    return figure


def draw_sharing(num_hidden_layers: int, sharing: str) -> tuple[Figure, str]:
    """Memory and operations of L layers of the base size, shared and not."""
    base = AlbertConfig.preset("albert-base-v2")
    chosen = base.replace(num_hidden_layers=num_hidden_layers, sharing=cast(Sharing, sharing))
    depths = np.arange(1, 49)
    figure, (memory, work) = plt.subplots(1, 2)
    for mode, color, label in (
        ("none", COLORS[2], "share: none"),
        (sharing, COLORS[0], f"share: {sharing}"),
    )[: 1 if sharing == "none" else 2]:
        config = base.replace(sharing=cast(Sharing, mode))
        gigabytes = [
            training_gigabytes(config.replace(num_hidden_layers=int(depth))) for depth in depths
        ]
        memory.plot(depths, gigabytes, color=color, linestyle="-", label=label)
    work.plot(
        depths,
        [forward_flops(base.replace(num_hidden_layers=int(d))) / 1e9 for d in depths],
        color=COLORS[3],
        linestyle="-",
    )
    stored, worked = training_gigabytes(chosen), forward_flops(chosen) / 1e9
    _mark_depth(memory, num_hidden_layers, stored, f"{stored:.2f} GB")
    _mark_depth(work, num_hidden_layers, worked, f"{worked:.2f}")
    memory.set_title("Memory of the weights")
    memory.set_ylabel("gigabytes while training")
    memory.legend(loc="upper left")
    work.set_title("Work, whatever is shared")
    work.set_ylabel("billion operations a token")
    unshared = training_gigabytes(chosen.replace(sharing="none"))
    alt = (
        f"Base size with {num_hidden_layers} layers, sharing {sharing}: weights, gradients and "
        f"optimizer averages take {stored:.2f} gigabytes, against {unshared:.2f} with nothing "
        f"shared; one forward pass takes {worked:.2f} billion operations a token, the same in "
        f"every sharing mode and proportional to the layers."
    )
    return figure, alt


def _mark_depth(axes: Axes, num_hidden_layers: int, value: float, label: str) -> None:
    """A dot at the chosen number of layers, and room around it for its label."""
    axes.plot(num_hidden_layers, value, "o", color=COLORS[1], markersize=9, zorder=5)
    axes.annotate(
        label,
        (num_hidden_layers, value),
        xytext=(7, -4),
        textcoords="offset points",
        ha="left",
        va="top",
    )
    axes.set_xlabel("layers L")
    axes.set_xlim(0, 56)
    top = axes.get_ylim()[1]
    axes.set_ylim(-0.07 * top, 1.1 * top)


def training_gigabytes(config: AlbertConfig) -> float:
    """Weights, gradients and two optimizer averages of an AlbertModel, float32, in 10⁹ bytes."""
    return TRAINING_BYTES * config.num_parameters() / 1e9


def forward_flops(config: AlbertConfig, length: int = LENGTH) -> int:
    """Multiplications and additions of one token's forward pass through the encoder."""
    parts = training_flops(config, 1, length, predictions=0)
    return sum(parts[name] for name in parts if name not in HEADS) // (3 * length)


def draw_gradients(
    cosines: Float[Tensor, "depths depths"], lengths: Float[Tensor, "depths"]
) -> Figure:
    """Length of each depth's gradient of one shared matrix, and the cosine of any two."""
    depths = np.arange(1, len(lengths) + 1)
    figure, (bars, agreement) = plt.subplots(1, 2, width_ratios=(1, 1.1), figsize=(7, 3.2))
    bars.bar(depths, lengths.numpy(), color=COLORS[0])
    bars.set_xlabel("depth")
    bars.set_ylabel("length of its gradient")
    bars.set_xticks(depths)
    image = agreement.imshow(cosines.numpy(), vmin=0, vmax=1)
    for row in range(len(depths)):
        for column in range(len(depths)):
            value = float(cosines[row, column])
            agreement.text(
                column,
                row,
                f"{value:.1f}",
                ha="center",
                va="center",
                fontsize=8,
                color="black" if value > 0.55 else "white",
            )
    agreement.set_xticks(range(len(depths)), [str(depth) for depth in depths])
    agreement.set_yticks(range(len(depths)), [str(depth) for depth in depths])
    agreement.set_xlabel("depth")
    agreement.set_ylabel("depth")
    agreement.grid(visible=False)
    figure.colorbar(image, ax=agreement, label="cosine of two gradients", extend="min")
    return figure


def draw_motion(
    motions: Mapping[str, tuple[Sequence[float], Sequence[float]]], trained_depth: int | None = None
) -> Figure:
    """Distance and angle between input and output of every repetition, one line a model.

    Each value of `motions` is (distances, degrees). Beyond `trained_depth` the background is
    shaded: the model was never trained to go there.
    """
    figure, panels = plt.subplots(1, 2, figsize=(7.4, 3.4))
    for panel, (axes, label) in enumerate(
        zip(panels, ("L2 distance moved", "angle turned, degrees"), strict=True)
    ):
        for number, (name, motion) in enumerate(motions.items()):
            values = motion[panel]
            axes.plot(
                range(1, len(values) + 1),
                values,
                marker=MARKERS[number],
                color=COLORS[number],
                markersize=5 if len(values) < 10 else 3,
                label=name,
            )
        longest = max(len(motion[panel]) for motion in motions.values())
        if trained_depth is not None and longest > trained_depth:
            axes.axvspan(trained_depth + 0.5, longest + 0.5, color="0.9", zorder=0)
        axes.set_xlabel("repetition of the layer")
        axes.set_ylabel(label)
        axes.set_ylim(bottom=0)
        if longest < 10:
            axes.set_xticks(range(1, longest + 1))
    panels[1].legend(loc="upper right")
    return figure


def draw_depth(
    losses: Sequence[float], repetitions: int, trained_depth: int, answers: Mapping[str, float]
) -> tuple[Figure, str]:
    """The loss after 1, 2, … repetitions, with one of them marked, and its likeliest answers.

    `answers` are pieces with their probabilities. Beyond `trained_depth` the background is shaded.
    """
    figure, (valley, bars) = plt.subplots(1, 2, figsize=(8.4, 3.4), width_ratios=(1.25, 1))
    depths = range(1, len(losses) + 1)
    valley.axvspan(trained_depth + 0.5, len(losses) + 0.5, color="0.9", zorder=0)
    valley.plot(depths, losses, marker=MARKERS[0], color=COLORS[0])
    valley.plot(
        repetitions, losses[repetitions - 1], marker=MARKERS[3], color=COLORS[1], markersize=11,
        markeredgecolor="black",
    )  # fmt: skip
    valley.set_xticks(depths)
    valley.set_ylim(bottom=0)
    valley.set_xlabel("repetitions of the layer\n(shaded: more than in training)")
    valley.set_ylabel("loss, nats a masked token")
    names = [piece.replace("▁", "_") for piece in answers]
    bars.barh(names, list(answers.values()), color=COLORS[0])
    bars.invert_yaxis()
    bars.set_xlim(0, max(0.4, 1.1 * max(answers.values())))
    bars.set_xlabel(f"probability after {repetitions}")
    bars.grid(axis="y", visible=False)
    curve = ", ".join(f"{loss:.1f}" for loss in losses)
    likeliest = ", ".join(f"{piece} {value:.2f}" for piece, value in answers.items())
    return figure, (
        f"Left, the loss over the repetitions of the layer: {here(curve)}. It is marked at "
        f"{repetitions}. Right, the likeliest answers there: {here(likeliest)}."
    )
