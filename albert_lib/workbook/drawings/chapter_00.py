"""Figures of notebook 00: fills of a gap, the way from text to answers, the published sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from albert_lib.paper import ConfigurationRow
from albert_lib.probing.fill_mask import Fill
from albert_lib.workbook.measured import here
from albert_lib.workbook.style import COLORS

BLUE, ORANGE, BLACK = COLORS[:3]
# sentence → model → its fills, likeliest first
Answers = Mapping[str, Mapping[str, Sequence[Fill]]]


def draw_fills(answers: Answers) -> tuple[Figure, str]:
    """Bars of the likeliest fills: a row of panels for each sentence, a column for each model."""
    models = list(next(iter(answers.values())))
    longest = max(len(fills) for row in answers.values() for fills in row.values())
    figure, grid = plt.subplots(
        len(answers),
        len(models),
        figsize=(4.0 * len(models) + 0.4, (0.27 * longest + 0.75) * len(answers) + 0.3),
        squeeze=False,
        sharex="row",
    )
    for panels, (sentence, row) in zip(grid, answers.items(), strict=True):
        for axes, (model, fills) in zip(panels, row.items(), strict=True):
            color = ORANGE if model == models[0] and len(models) > 1 else BLUE
            _draw_bars(axes, fills, color)
            above = sentence if axes is panels[0] else ""
            axes.set_title(f"{above}\n{model}", loc="left", fontsize=10.5)
    for axes in grid[-1]:
        axes.set_xlabel("probability of the token")
    return figure, f"Bars of the likeliest fills. {here(_in_words(answers))}"


def _draw_bars(axes: Axes, fills: Sequence[Fill], color: str) -> None:
    places = range(len(fills))
    axes.barh(places, [fill["score"] for fill in fills], color=color, height=0.65)
    axes.set_yticks(places, [visible(fill) for fill in fills])
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.locator_params(axis="x", nbins=4)


def visible(fill: Fill) -> str:
    """The token of a fill as a reader can see it; the bare word start is only a space."""
    return fill["token_str"].strip() or "(a space)"


def _in_words(answers: Answers) -> str:
    return "; ".join(
        f"{sentence} {model}: {', '.join(visible(fill) for fill in fills)}"
        for sentence, row in answers.items()
        for model, fills in row.items()
    )


@dataclass(frozen=True)
class Stop:
    """One stop of the journey: what there is now, an example, and the notebook that makes it."""

    name: str
    example: str
    notebook: str


WIDTH, HEIGHT = 1.72, 1.12  # of a box
ACROSS, DOWN = 2.05, 1.75  # from the middle of one box to the next
FILL_OF = {
    "01": "#D9ECF7",
    "02": "#FBE3B5",
    "03": "#D5EFE6",
    "04": "#F6DCEB",
    "05": "#E4E4E4",
    "06": "#FFFFFF",
}
ROWS = ("Text becomes ids", "Ids become questions", "Mistakes teach; the taught can be asked")


def draw_journey(tokens: Sequence[str], ids: Sequence[int]) -> tuple[Figure, str]:
    """The whole course as a map, from a document to the answers of a trained model.

    `tokens` and `ids` are of the toy sentence: its first few are the examples.
    """
    figure, axes = plt.subplots(figsize=(10.4, 5.2))
    axes.set(xlim=(-1.0, 9.3), ylim=(-4.2, 1.0))
    axes.axis("off")
    for row, stops in enumerate(_stops(tokens, ids)):
        y = -DOWN * row
        left = 0.2 if row else -0.82  # beside the arrow that comes down from the row above
        axes.text(left, y + 0.68, ROWS[row], fontsize=11, weight="bold")
        for column, stop in enumerate(stops):
            x = ACROSS * column
            _draw_stop(axes, stop, x, y)
            if column:
                _arrow(axes, (x - ACROSS + WIDTH / 2, y), (x - WIDTH / 2, y))
        if row:
            _turn(axes, y)
    return figure, (
        "A map in three rows of boxes joined by arrows. Text becomes ids: document, sentence, "
        "tokens, ids (notebook 01), token store (02). Ids become questions: segment pair, masked "
        "batch (02), hidden states (03), two heads, two losses (04). Mistakes teach: LAMB step, "
        "checkpoint (05), fill-mask, log-odds, interval (06)."
    )


def _stops(tokens: Sequence[str], ids: Sequence[int]) -> tuple[tuple[Stop, ...], ...]:
    """The stops of each row of the map, with the beginning of the toy sentence as example."""
    return (
        (
            Stop("document", "a list of\nsentences", "01"),
            Stop("sentence", "The old baker\nwalks …", "01"),
            Stop("tokens", " ".join(tokens[1:3]) + "\n" + " ".join(tokens[3:5]), "01"),
            Stop("ids", " ".join(map(str, ids[:4])) + " …", "01"),
            Stop("token store", "all ids,\none file on disk", "02"),
        ),
        (
            Stop("segment pair", "A then B, or\nswapped?", "02"),
            Stop("masked batch", "the old [MASK]\nwalks to …", "02"),
            Stop("hidden states", "one vector\na token", "03"),
            Stop("two heads", "which token?\nwhich order?", "04"),
            Stop("two losses", "MLM + SOP,\nin nats", "04"),
        ),
        (
            Stop("LAMB step", "weights move, then\nthe next batch", "05"),
            Stop("checkpoint", "weights on disk,\nresumable", "05"),
            Stop("fill-mask", "a probability\nfor every token", "06"),
            Stop("log-odds", "two fills\ncompared", "06"),
            Stop("interval", "how sure\nwe may be", "06"),
        ),
    )


def _draw_stop(axes: Axes, stop: Stop, x: float, y: float) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - WIDTH / 2 + 0.06, y - HEIGHT / 2 + 0.06),
            WIDTH - 0.12,
            HEIGHT - 0.12,
            boxstyle="round,pad=0.06",
            facecolor=FILL_OF[stop.notebook],
            edgecolor=BLACK,
        )
    )
    axes.text(x, y + 0.3, stop.name, ha="center", va="center", fontsize=10.5, weight="bold")
    axes.text(x, y - 0.13, stop.example, ha="center", va="center", fontsize=9)
    axes.text(x + WIDTH / 2 - 0.04, y - HEIGHT / 2 + 0.1, stop.notebook, ha="right", fontsize=8)


def _arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    axes.annotate("", xy=end, xytext=start, arrowprops={"arrowstyle": "->", "color": BLACK})


def _turn(axes: Axes, y: float) -> None:
    """The line from the end of the row above to the first box of the row at `y`."""
    above, between, edge = y + DOWN, y + 0.98, 4 * ACROSS + WIDTH / 2
    corners = [(edge, above), (edge + 0.15, above), (edge + 0.15, between), (0.0, between)]
    axes.plot(*zip(*corners, strict=True), color=BLACK, linewidth=1.2, linestyle="-")
    _arrow(axes, (0.0, between), (0.0, y + HEIGHT / 2))


def draw_sizes(rows: Sequence[ConfigurationRow]) -> tuple[Figure, str]:
    """Parameters of the published models as bars; ALBERT's in another colour than BERT's."""
    figure, axes = plt.subplots(figsize=(7.6, 3.0))
    millions = [row.parameters_millions for row in rows]
    bars = axes.barh(
        [row.model for row in rows],
        millions,
        color=[ORANGE if row.shared else BLUE for row in rows],
    )
    shapes = [f"{row.num_hidden_layers} × {row.hidden_size:,}" for row in rows]
    labels = [f"{count}M  ({shape})" for count, shape in zip(millions, shapes, strict=True)]
    axes.bar_label(bars, labels, padding=4, fontsize=10)
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    axes.set(xlim=(0, 430), xlabel="parameters, millions (in brackets: layers × width)")
    named = ", ".join(f"{row.model} {row.parameters_millions}" for row in rows)
    return figure, f"Bars of the parameters of six published models, in millions: {named}."


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


@dataclass(frozen=True)
class Station:
    """A notebook on the map of the course: its number, its name, and what it is about."""

    number: str
    name: str
    question: str


ROAD = (
    Station("00", "Start here", "What is all this?"),
    Station("01", "Tokenization", "Where does\na word end?"),
    Station("02", "Masking", "What is asked?"),
    Station("03", "The encoder", "Who reads?"),
    Station("04", "The heads", "How wrong\nis it?"),
    Station("05", "Pretraining", "What does\nreading change?"),
    Station("06", "Bias probing", "What may a\nnumber claim?"),
)
SIDE_ROADS = {
    "05": (
        Station("05b", "Stuck runs", "Why does it\nnot learn?"),
        Station("05c", "The floor", "How far could\nit have gone?"),
    ),
    "06": (Station("06b", "Other causes", "What else moves\na reading?"),),
}
ONWARD = (
    Station("07", "Fine-tuning", "What is it\ngood for?"),
    Station("08", "Checkpoints", "Are the digits\nthe card's?"),
    Station("09", "Scaling up", "What does a\nbig one cost?"),
)

STATION_STEP, STATION_DOWN = 1.75, 1.55  # from the middle of one box to the next


def draw_course() -> tuple[Figure, str]:
    """The notebooks as roads: the course from left to right, side roads down, three onward."""
    figure, axes = plt.subplots(figsize=(10.4, 4.2))
    axes.set(xlim=(-0.95, 6 * STATION_STEP + 0.95), ylim=(-3.65, 0.95))
    axes.axis("off")
    axes.text(-0.72, 0.68, "The course", fontsize=11, weight="bold")
    for column, station in enumerate(ROAD):
        x = STATION_STEP * column
        _draw_station(axes, station, x, 0.0)
        if column:
            _arrow(axes, (x - STATION_STEP + 0.72, 0.0), (x - 0.72, 0.0))
        for row, side in enumerate(SIDE_ROADS.get(station.number, ()), start=1):
            _draw_station(axes, side, x, -STATION_DOWN * row, dashed=True)
            start = -STATION_DOWN * (row - 1) - 0.5
            axes.plot([x, x], [start, -STATION_DOWN * row + 0.5], color=BLACK, linestyle=":")
    axes.text(-0.72, 0.68 - 1.5 * STATION_DOWN, "Onward, in any order", fontsize=11, weight="bold")
    for column, station in enumerate(ONWARD):
        _draw_station(axes, station, STATION_STEP * column, -1.5 * STATION_DOWN)
    axes.text(
        STATION_STEP * 5 - 0.9, -STATION_DOWN, "Side roads", fontsize=11, weight="bold", ha="right",
        va="center",
    )  # fmt: skip
    course = ", ".join(f"{station.number} {station.name}" for station in ROAD)
    sides = "; ".join(
        f"{', '.join(f'{side.number} {side.name}' for side in roads)} from {number}"
        for number, roads in SIDE_ROADS.items()
    )
    onward = ", ".join(f"{station.number} {station.name}" for station in ONWARD)
    return figure, (
        f"A map of the notebooks. The course is one road: {course}. Side roads, dashed: {sides}. "
        f"Onward, in any order: {onward}."
    )


def _draw_station(axes: Axes, station: Station, x: float, y: float, dashed: bool = False) -> None:
    axes.add_patch(
        FancyBboxPatch(
            (x - 0.66, y - 0.44), 1.32, 0.88, boxstyle="round,pad=0.06",
            facecolor=FILL_OF.get(station.number[:2], "#FFFFFF"), edgecolor=BLACK,
            linestyle="--" if dashed else "-",
        )
    )  # fmt: skip
    axes.text(x, y + 0.27, station.number, ha="center", va="center", fontsize=11, weight="bold")
    axes.text(x, y + 0.05, station.name, ha="center", va="center", fontsize=10)
    axes.text(x, y - 0.25, station.question, ha="center", va="center", fontsize=8.5)
