"""Figures of chapter 9: work, memory, what sharing saves, speeds, traffic, a budget."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from albert_lib.accelerators import accelerators
from albert_lib.config import AlbertConfig
from albert_lib.model import costs
from albert_lib.training import History, Recipe
from albert_lib.training.stage_plan import plan_stages
from albert_lib.workbook.drawings.chapter_08 import RELATIVES, SIZES
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK, VERMILION = COLORS[:4]
PINK, SKY, GREEN = COLORS[4:7]
GREY = "#9A9A9A"
LENGTH = 512
PAPER_TOKENS = 125_000 * 4096 * LENGTH  # read in each of the paper's runs
SHARE_OF_PEAK = 0.45  # published for BERT-large on an A100, at length 128
MODELS = {
    "BERT-base": AlbertConfig(embedding_size=768, sharing="none", project_equal_widths=False),
    "BERT-large": RELATIVES["BERT-large"],
    **{f"ALBERT-{size}": AlbertConfig.preset(f"albert-{size}-v2") for size in SIZES},
}
LINKS = {  # bytes a second in one direction
    "10 Gbit/s Ethernet": 10e9 / 8,
    "100 Gbit/s Ethernet": 100e9 / 8,
    "NVLink of an H100": 450e9,
}
WORK = {  # part of training_flops → its name and colour
    "feed_forward": ("feed-forward", SKY),
    "attention_maps": ("attention: maps", BLUE),
    "attention_scores": ("attention: scores", BLACK),
    "mlm_head": ("MLM head", ORANGE),
    "embedding_projection": ("projection", GREY),
}
HELD = {  # part of state_bytes → its name and colour
    "weights": ("weights", BLUE),
    "gradients": ("gradients", SKY),
    "optimizer": ("running means", GREEN),
    "copies": ("narrow copies", GREY),
}


def draw_work(length: int, masking_rate: float, scored: str) -> tuple[Figure, str]:
    """What the work of a training step consists of, a bar a model; its sum stands behind it."""
    figure, axes = plt.subplots(figsize=(7.6, 3.2))
    left = np.zeros(len(MODELS))
    predictions = length if scored == "every token" else max(1, round(masking_rate * length))
    flops = {
        name: costs.training_flops(config, 1, length, predictions)
        for name, config in MODELS.items()
    }
    totals = np.array([sum(parts.values()) for parts in flops.values()])
    for part, (label, color) in WORK.items():
        widths = 100 * np.array([parts[part] for parts in flops.values()]) / totals
        axes.barh(list(MODELS), widths, left=left, color=color, label=label, edgecolor="white")
        left += widths
    for place, total in enumerate(totals):
        axes.annotate(f" {total / length / 1e9:,.2f} billion", (100, place), va="center")
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlim(0, 128)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel("share of the operations, percent; behind it, operations a token")
    _legend_above(figure, axes)
    base = flops["ALBERT-base"]
    whole = sum(base.values())
    alt = (
        f"Stacked bars, one a model, of a step at length {length} with the vocabulary scored at "
        f"{'every token' if scored == 'every token' else f'{predictions} masked tokens'}. In "
        f"ALBERT-base attention's scores are {base['attention_scores'] / whole:.0%} and the MLM "
        f"head {base['mlm_head'] / whole:.1%} of {whole / length / 1e9:.2f} billion operations a "
        f"token; ALBERT-xxlarge needs {totals[-1] / length / 1e9:.2f} billion."
    )
    return figure, alt


def draw_memory(sequences: int, precision: str) -> tuple[Figure, str]:
    """What training holds, a bar a model, beside two cards' memory."""
    matrix_bytes = costs.FLOAT32 if precision == "float32" else costs.BFLOAT16
    states = {name: costs.state_bytes(config, matrix_bytes) for name, config in MODELS.items()}
    activations = [
        (
            costs.training_bytes(config, sequences, LENGTH, 20 * sequences, matrix_bytes)
            - sum(states[name].values())
        )
        / 1e9
        for name, config in MODELS.items()
    ]
    figure, axes = plt.subplots(figsize=(7.6, 3.2))
    left = np.zeros(len(MODELS))
    for part, (label, color) in HELD.items():
        widths = np.array([held[part] / 1e9 for held in states.values()])
        axes.barh(list(MODELS), widths, left=left, color=color, label=label)
        left += widths
    axes.barh(list(MODELS), activations, left=left, color=ORANGE, label="activations")
    totals = left + activations
    for place, total in enumerate(totals):
        axes.annotate(f" {total:,.1f}", (total, place), va="center")
    for memory in (16, 80):
        if memory < 1.6 * totals.max():
            axes.axvline(memory, color=VERMILION, linestyle="--")
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("10⁹ bytes; dashed: a card of 16, and of 80")
    _legend_above(figure, axes)
    told = ", ".join(f"{name} {total:,.1f}" for name, total in zip(MODELS, totals, strict=True))
    alt = (
        f"Stacked bars of what training holds with {sequences} sequences of {LENGTH} in "
        f"{precision}, in 10⁹ bytes: {told}. Of ALBERT-xxlarge's, activations are "
        f"{activations[-1] / totals[-1]:.0%}; of BERT-large's, {activations[1] / totals[1]:.0%}."
    )
    return figure, alt


def draw_sharing(table: Mapping[str, Mapping[str, float]]) -> Figure:
    """Each quantity of `table` (name → sharing → value) relative to all shared, a group each."""
    figure, axes = plt.subplots(figsize=(7.6, 3.4))
    modes = list(next(iter(table.values())))
    places = np.arange(len(table))
    for number, (mode, color) in enumerate(zip(modes, (BLUE, SKY, ORANGE, BLACK), strict=True)):
        heights = [values[mode] / values["all"] for values in table.values()]
        axes.bar(places + 0.2 * (number - 1.5), heights, 0.18, color=color, label=mode)
    axes.axhline(1, color=VERMILION, linestyle="--", linewidth=1)
    axes.set_xticks(places, [textwrap.fill(name, 14) for name in table], fontsize=9)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("times as much as\nwith all shared")
    axes.legend(title="layers share", ncols=2)
    return figure


def draw_readiness(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]]) -> Figure:
    """How much of the gradient is final, over the backward pass; both in percent."""
    figure, axes = plt.subplots(figsize=(7.0, 3.4))
    for (name, (times, bytes_ready)), color, line in zip(
        curves.items(), (BLUE, BLACK), ("-", "--"), strict=True
    ):
        axes.step(times, bytes_ready, where="post", color=color, linestyle=line, label=name)
    axes.set_xlabel("backward pass, percent of its time")
    axes.set_ylabel("gradient that is final,\npercent of its bytes")
    axes.set_xlim(0, 101)
    axes.set_ylim(0, 104)
    axes.legend(loc="upper left")
    return figure


def draw_speeds(speeds: Mapping[str, Mapping[str, float]]) -> Figure:
    """Training speeds relative to BERT-large (source → model → speed), logarithmic."""
    figure, axes = plt.subplots(figsize=(7.6, 3.6))
    looks = (("o", BLACK, "none", 12), ("s", ORANGE, ORANGE, 7), ("^", BLUE, BLUE, 8))
    for (source, values), (marker, color, face, size) in zip(speeds.items(), looks, strict=True):
        axes.plot(
            list(values),
            list(values.values()),
            marker,
            color=color,
            markerfacecolor=face,
            markersize=size,
            markeredgewidth=2 if face == "none" else 1,
            label=source,
        )
    axes.set_yscale("log")
    axes.set_yticks([0.1, 0.2, 0.5, 1, 2, 5], ["0.1", "0.2", "0.5", "1", "2", "5"], minor=False)
    axes.tick_params(axis="y", which="minor", labelleft=False)
    axes.tick_params(axis="x", labelsize=9)
    axes.set_ylabel("speed, BERT-large = 1\n(logarithmic)")
    axes.margins(x=0.08, y=0.12)
    axes.legend(loc="upper right")
    return figure


def step_seconds(config: AlbertConfig, sequences: int, peak: float, share: float) -> float:
    """How long one worker computes at a step over `sequences` of 512, at a share of its peak."""
    operations = costs.flops_a_token(config, LENGTH) * LENGTH * sequences
    return operations / (peak * share)


def sending_seconds(config: AlbertConfig, workers: int, bytes_a_second: float) -> float:
    """How long the gradients of a step, in float32, are on their way round a ring."""
    return costs.ring_bytes(costs.state_bytes(config)["gradients"], workers) / bytes_a_second


def draw_traffic(workers: int, sequences: int, link: str) -> tuple[Figure, str]:
    """Seconds of computing and of sending in a step of each model, on A100s."""
    peak = accelerators()["A100 80GB"].peak
    computing = [step_seconds(c, sequences, peak, SHARE_OF_PEAK) for c in MODELS.values()]
    sending = [sending_seconds(c, workers, LINKS[link]) for c in MODELS.values()]
    figure, axes = plt.subplots(figsize=(7.6, 3.4))
    places = np.arange(len(MODELS))
    axes.barh(places - 0.19, computing, 0.36, color=BLUE, label="computing")
    axes.barh(places + 0.19, sending, 0.36, color=ORANGE, label="sending gradients")
    for place, (works, sends) in enumerate(zip(computing, sending, strict=True)):
        text = f" {sends / works:.2g} × its computing"
        axes.annotate(text, (sends, place + 0.19), va="center", fontsize=9)
    axes.set_yticks(places, list(MODELS))
    axes.invert_yaxis()
    axes.set_xlim(0, 1.42 * max(computing + sending))  # room for the words behind a bar
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("seconds a step")
    _legend_above(figure, axes)
    told = ", ".join(
        f"{name} {sends / works:.2g} times"
        for name, works, sends in zip(MODELS, computing, sending, strict=True)
    )
    alt = (
        f"Two bars a model: computing and sending in one step of {sequences} sequences a worker, "
        f"{workers} workers, {link}. Sending takes, measured in times of computing: {told}."
    )
    return figure, alt


def _legend_above(figure: Figure, axes: Axes) -> None:
    """One row of names, small enough for five of them."""
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="outside upper center",
        ncols=len(labels),
        fontsize=9,
        columnspacing=1.2,
        handlelength=1.4,
    )


def draw_budget(hours: int, device: str, share: float) -> tuple[Figure, str]:
    """How much of the paper's run each size gets through in `hours` on one device."""
    operations = 3600 * hours * accelerators()[device].peak * share
    sizes = {name: config for name, config in MODELS.items() if name.startswith("ALBERT")}
    shares = [
        100 * operations / (costs.flops_a_token(config) * PAPER_TOKENS) for config in sizes.values()
    ]
    figure, axes = plt.subplots(figsize=(7.0, 2.6))
    axes.barh(list(sizes), shares, color=BLUE)
    for place, value in enumerate(shares):
        tokens = value / 100 * PAPER_TOKENS / 1e9
        axes.annotate(
            f"{value:.1f} %: {tokens:,.1f} billion tokens",
            (value, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
        )
    axes.axvline(100, color=VERMILION, linestyle="--")
    axes.set_xscale("log")
    axes.set_xlim(0.1, 3000)
    axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"], minor=False)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set_xlabel("percent of the paper's run (logarithmic)")
    told = ", ".join(f"{name} {value:.1f} %" for name, value in zip(sizes, shares, strict=True))
    alt = (
        f"Bars of how much of the paper's 262 billion tokens is read in {hours} hours on one "
        f"{device} at {share:.0%} of its peak: {told}."
    )
    return figure, alt


def run_operations(config: AlbertConfig, recipe: Recipe) -> Float[np.ndarray, " steps"]:
    """Operations spent after every step of a run, whose stages may change its depth."""
    spent: list[float] = []
    for stage in plan_stages(recipe, config.num_hidden_layers):
        deep = config.replace(num_hidden_layers=stage.num_hidden_layers)
        rows, length = stage.recipe.batch_size, stage.recipe.sequence_length
        predictions = round(stage.recipe.masking.rate * rows * length)
        step = sum(costs.training_flops(deep, rows, length, predictions).values())
        spent += [float(step)] * len(stage.steps)
    return np.cumsum(spent)


def draw_growth(
    runs: Mapping[str, History], spent: Mapping[str, Float[np.ndarray, " steps"]]
) -> Figure:
    """Held-out losses over the operations that each run has spent; stages of other depth marked."""
    figure, axes = plt.subplots(figsize=(7.2, 3.6))
    for (name, history), color, marker in zip(runs.items(), (BLUE, VERMILION), "os", strict=False):
        steps, losses = history.curve("held_out_mlm_loss")
        work = spent[name][steps - 1] / 1e12
        axes.plot(work, losses, marker=marker, markersize=4, color=color, label=name)
        each = np.diff(spent[name], prepend=0.0)
        for border in np.flatnonzero(np.diff(each)) + 1:
            axes.axvline(spent[name][border - 1] / 1e12, color=color, linestyle=":")
            axes.annotate("grown", (spent[name][border - 1] / 1e12, losses[0]), xytext=(4, 0),
                          textcoords="offset points", fontsize=9, color=color)  # fmt: skip
    axes.set_ylim(bottom=0)
    axes.set_xlabel("operations, 10¹²")
    axes.set_ylabel("held-out MLM loss, nats a token")
    axes.legend(loc="upper right")
    return figure
