"""Figures of chapter 8: what a size is made of, digits that agree, first weights, results."""

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
from albert_lib.paper import DownstreamRow
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK, VERMILION = COLORS[:4]
SKY = COLORS[5]
PARTS = {"embeddings": ORANGE, "attention": BLUE, "feed-forward": SKY, "the rest": BLACK}
TASKS = {
    "squad1_f1": "SQuAD 1.1 F1",
    "squad2_f1": "SQuAD 2.0 F1",
    "mnli": "MNLI",
    "sst2": "SST-2",
    "race": "RACE",
    "average": "average",
}
SIZES = ("base", "large", "xlarge", "xxlarge")
RELATIVES = {  # what the chosen configuration is drawn beside, all with the same vocabulary
    "albert-xlarge": AlbertConfig.preset("albert-xlarge-v1"),
    "BERT-large": AlbertConfig(
        embedding_size=1024,
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        sharing="none",
        project_equal_widths=False,
    ),
}


def parts(config: AlbertConfig) -> dict[str, int]:
    """The parameters of an AlbertModel with its pooler, by the parts that the bars show."""
    layers = config.layer_parameters()
    rows = config.vocab_size + config.max_position_embeddings + config.type_vocab_size
    found = {
        "embeddings": rows * config.embedding_size,
        "attention": layers["attention"],
        "feed-forward": layers["ffn"],
    }
    return {**found, "the rest": config.num_parameters() - sum(found.values())}


def draw_parameters(
    embedding_size: int, hidden_size: int, num_hidden_layers: int, sharing: str
) -> tuple[Figure, str]:
    """One stacked bar for the chosen sizes, with heads of 64 and an intermediate size of 4H."""
    chosen = AlbertConfig(
        embedding_size=embedding_size,
        hidden_size=hidden_size,
        num_hidden_layers=num_hidden_layers,
        num_attention_heads=hidden_size // 64,
        intermediate_size=4 * hidden_size,
        sharing=cast(Sharing, sharing),
    )
    bars = {"your choice": chosen, **RELATIVES}
    figure, axes = plt.subplots(figsize=(7.4, 2.7))
    left = np.zeros(len(bars))
    for part, color in PARTS.items():
        widths = np.array([parts(config)[part] / 1e6 for config in bars.values()])
        axes.barh(list(bars), widths, left=left, color=color, label=part, edgecolor="white")
        left += widths
    for place, total in enumerate(left):
        axes.annotate(
            f"{total:,.1f} M",
            (total, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
        )
    axes.invert_yaxis()
    axes.margins(x=0.16)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("parameters, millions")
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=len(PARTS))
    return figure, _parameters_in_words(chosen)


def _parameters_in_words(chosen: AlbertConfig) -> str:
    """What `draw_parameters` shows, for its alternative text."""
    shares = ", ".join(
        f"{part} {count / 1e6:,.1f} million" for part, count in parts(chosen).items()
    )
    beside = " and ".join(
        f"{name} with {config.num_parameters() / 1e6:.1f} million"
        for name, config in RELATIVES.items()
    )
    return (
        f"Stacked bars of parameters. Your choice (E = {chosen.embedding_size}, "
        f"H = {chosen.hidden_size}, L = {chosen.num_hidden_layers}, layers share: "
        f"{chosen.sharing}): {shares}, together {chosen.num_parameters() / 1e6:,.1f} million. "
        f"Below it {beside}."
    )


def draw_digits(differences: Mapping[str, Sequence[float]]) -> Figure:
    """Largest difference of the states after 0, 1, 2, … applications of the layer, by its cause."""
    figure, axes = plt.subplots(figsize=(7.0, 3.4))
    for (name, values), color, marker in zip(
        differences.items(), (VERMILION, BLUE), "so", strict=False
    ):
        depths = [depth for depth, value in enumerate(values) if value > 0]
        seen = [value for value in values if value > 0]  # 0 has no place on a logarithmic axis
        axes.plot(depths, seen, marker=marker, color=color, linestyle="-", markersize=4, label=name)
    axes.axhline(1e-5, color=BLACK, linestyle="--", linewidth=1.5)
    axes.annotate(
        "what our tests allow: 0.00001",
        (0, 1e-5),
        xytext=(0, 4),
        textcoords="offset points",
        va="bottom",
    )
    axes.set_yscale("log")
    axes.set_ylim(1e-8, 1e-1)
    axes.set_xlabel("applications of the layer")
    axes.set_ylabel("largest difference of a state")
    axes.legend(loc="upper right", ncols=2)
    return figure


def draw_first_weights(weights: Mapping[str, Float[Tensor, "weights"]], deviation: float) -> Figure:
    """How often a freshly drawn weight lies how far from 0, in deviations; logarithmic."""
    figure, axes = plt.subplots(figsize=(7.0, 3.2))
    edges = np.linspace(-6, 6, 61)
    for (name, drawn), color, line in zip(
        weights.items(), (BLUE, VERMILION), ("-", "--"), strict=True
    ):
        counts, _ = np.histogram(drawn.numpy() / deviation, edges)
        axes.stairs(counts, edges, color=color, linestyle=line, linewidth=2, label=name)
    axes.set_yscale("log")
    axes.set_ylim(0.7, 2e7)
    axes.set_xlabel(f"weight, in deviations of {deviation}")
    axes.set_ylabel("how many weights")
    axes.legend(loc="upper right")
    return figure


def draw_results(paper: Sequence[DownstreamRow], card: Sequence[DownstreamRow]) -> Figure:
    """A panel a task: the paper's table as rings, the card's v1 and v2 as marks, over the size."""
    sources = {
        "the paper, Table 2": ([row for row in paper if row.model.startswith("albert")], "o"),
        "the card, v1": ([row for row in card if row.version == "v1"], "x"),
        "the card, v2": ([row for row in card if row.version == "v2"], "^"),
    }
    looks = {"o": (BLACK, 12, "none"), "x": (BLUE, 7, BLUE), "^": (ORANGE, 7, ORANGE)}
    figure, grid = plt.subplots(2, 3, figsize=(8.2, 5.0), sharex=True)
    for axes, (task, title) in zip(grid.flat, TASKS.items(), strict=True):
        for name, (rows, marker) in sources.items():
            color, size, face = looks[marker]
            axes.plot(
                [SIZES.index(row.model.removeprefix("albert-")) for row in rows],
                [getattr(row, task) for row in rows],
                marker,
                color=color,
                markersize=size,
                markerfacecolor=face,
                markeredgewidth=2 if marker != "^" else 1,
                label=name,
            )
        axes.set_title(title)
        axes.set_xticks(range(len(SIZES)), SIZES, fontsize=9)
        axes.margins(x=0.15, y=0.15)
    for axes in grid[:, 0]:
        axes.set_ylabel("score, percent")
    handles = grid[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=len(sources))
    return figure


def draw_worth(rows: Sequence[DownstreamRow], millions: Mapping[str, float]) -> Figure:
    """Average score against what is stored, and against what it costs: Table 2's six models."""
    figure, panels = plt.subplots(1, 2, figsize=(8.2, 3.5), sharey=True)
    for axes, values in zip(
        panels,
        (millions, {row.model: row.speed or 0.0 for row in rows}),
        strict=True,
    ):
        for row in rows:
            shared = row.model.startswith("albert")
            axes.plot(
                values[row.model],
                row.average,
                "o" if shared else "s",
                color=BLUE if shared else BLACK,
                markersize=8,
            )
            _name(axes, row.model, values[row.model], row.average)
        axes.set_xscale("log")
        axes.margins(x=0.32, y=0.14)
    panels[0].set_ylabel("average score, percent")
    panels[0].set_xlabel("parameters, millions (logarithmic)")
    panels[0].set_xticks([10, 30, 100, 300], ["10", "30", "100", "300"], minor=False)
    panels[1].set_xlabel("training speed, BERT-large = 1 (logarithmic)")
    panels[1].set_xticks([0.3, 1, 3, 6], ["0.3", "1", "3", "6"], minor=False)
    for axes in panels:
        axes.tick_params(axis="x", which="minor", labelbottom=False)
    return figure


def _name(axes: Axes, model: str, x: float, y: float) -> None:
    above = model.startswith("albert")  # the BERTs below their marks: the names would meet
    axes.annotate(
        model,
        (x, y),
        xytext=(0, 8 if above else -8),
        textcoords="offset points",
        ha="center",
        va="bottom" if above else "top",
        fontsize=9,
    )
