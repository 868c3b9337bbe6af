"""A report of one probe set on one model: a page to read, its numbers as JSON, and a figure."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from albert_lib.files import write_json
from albert_lib.probing.sets.base import Measure
from albert_lib.probing.sets.provenance import Provenance
from albert_lib.report_folder import new_report

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

REPORT_FILES = PAGE, NUMBERS, FIGURE = "report.md", "report.json", "measures.png"
DECIMALS = {"%": 1, "points": 1}  # of other units: three
HEADINGS = ("measure", "value", "95 % interval", "neutral", "n", "unit")
CAUTION = (
    "An interval says how far a number would move with other items of the same kind. It says "
    "nothing about other sets, other seeds of the same model, or what a system built on the model "
    "would do. Of twenty intervals around nothing, one leaves out its neutral value by chance."
)
KEY = "upright line: neutral value; filled: the 95 % interval leaves it out"
BLUE, GREY = "#0072B2", "0.45"


@dataclass(frozen=True)
class Report:
    """All that a reader needs in order to take the numbers for what they are.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> report = Report(
        ...     set_name="blimp", paper="Warstadt et al., 2020", model="mine", data="blimp.jsonl",
        ...     n_read=24, n_asked=20, seed=0, measures=[percentage("accuracy", hits=15, n=20)],
        ...     dropped={}, notes=(), about="Higher is better.",
        ... )
        >>> report.left_out
        ['4 of 24 items: 20 were drawn at random, with seed 0.']
    """

    set_name: str
    paper: str
    model: str
    data: str
    n_read: int  # items in the data
    n_asked: int  # of these: fewer where a limit was set
    seed: int  # of the draw, where there was one
    measures: Sequence[Measure]
    dropped: Mapping[str, int]  # items that could not be scored, by reason
    notes: Sequence[str]
    about: str  # how the set is scored
    made: Provenance | None = None

    @property
    def left_out(self) -> list[str]:
        """What is not in the numbers, and why, a sentence each."""
        sentences = [f"{count} × {reason}." for reason, count in self.dropped.items()]
        if self.n_asked < self.n_read:
            sentences.insert(
                0,
                f"{self.n_read - self.n_asked} of {self.n_read} items: {self.n_asked} were drawn "
                f"at random, with seed {self.seed}.",
            )
        return sentences


def on_one_line(text: str) -> str:
    r"""A name out of somebody's files as a table or figure can hold it: on one line, in UTF-8.

    Example:
        >>> on_one_line("two\nlines"), on_one_line("half a pair: \ud83d")
        ('two lines', 'half a pair: \\ud83d')
    """
    return " ".join(text.encode("utf-8", "backslashreplace").decode().split())


def measures_table(measures: Sequence[Measure]) -> list[tuple[str, ...]]:
    """The rows of the table, its headings first, as text.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> from albert_lib.probing.sets.report import measures_table
        >>> measures_table([percentage("metric score", hits=15, n=24)])[1]
        ('metric score', '62.5', '42.7 to 78.8', '50.0', '24', '%')
    """
    rows: list[tuple[str, ...]] = [HEADINGS]
    for measure in measures:
        neutral = "" if measure.neutral is None else format_value(measure.neutral, measure.unit)
        low, high = (format_value(end, measure.unit) for end in (measure.low, measure.high))
        interval = f"{low} to {high}"
        if not _is_known(measure):
            interval = "unknown"
        value = format_value(measure.value, measure.unit)
        label = on_one_line(measure.label)
        rows.append((label, value, interval, neutral, str(measure.n), measure.unit))
    return rows


def format_value(value: float, unit: str) -> str:
    """A number with the decimals of its unit: one for "%" and "points", three for others.

    Example:
        >>> from albert_lib.probing.sets.report import format_value
        >>> format_value(62.51, "%"), format_value(0.5, "nats")
        ('62.5', '0.500')
    """
    return f"{value:.{DECIMALS.get(unit, 3)}f}"


def write_report(folder: str | os.PathLike[str], report: Report) -> None:
    """Write report.md, report.json and measures.png; the folder appears whole or not at all.

    A report that is already there is replaced. Raises InputError where the folder holds anything
    else, WriteError where it cannot be written.

    Example:
        >>> import tempfile
        >>> from albert_lib.probing.sets.base import percentage
        >>> report = Report(
        ...     set_name="blimp", paper="Warstadt et al., 2020", model="mine", data="blimp.jsonl",
        ...     n_read=24, n_asked=20, seed=0, measures=[percentage("accuracy", hits=15, n=20)],
        ...     dropped={}, notes=(), about="Higher is better.",
        ... )
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_report(f"{folder}/report", report)
        ...     sorted(file.name for file in Path(folder, "report").iterdir())
        ['measures.png', 'report.json', 'report.md']
    """
    with new_report(folder, REPORT_FILES) as unfinished:
        draw(report).savefig(unfinished / FIGURE, dpi=110)
        write_json(unfinished / NUMBERS, numbers(report))
        # names of files may hold bytes that are not UTF-8
        (unfinished / PAGE).write_text(page(report), encoding="utf-8", errors="backslashreplace")


def numbers(report: Report) -> dict[str, Any]:
    """The report's numbers for JSON, which has no infinity: an unknown end is null.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> from albert_lib.probing.sets.report import Report, numbers
        >>> measures = [percentage("accuracy", hits=15, n=24)]
        >>> report = Report("blimp", "2020", "m", "d", 24, 24, 0, measures, {}, (), "")
        >>> numbers(report)["measures"][0]["value"]
        62.5
    """
    measures = [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(measure).items()
        }
        for measure in report.measures
    ]
    return {
        "set": report.set_name,
        "model": report.model,
        "data": report.data,
        "items": report.n_read,
        "items_asked": report.n_asked,
        "seed": report.seed,
        "confidence": 0.95,
        "measures": measures,
        "dropped": dict(report.dropped),
        "notes": list(report.notes),
        "made": None if report.made is None else asdict(report.made),
    }


def page(report: Report) -> str:
    """The report in Markdown.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> from albert_lib.probing.sets.report import Report, page
        >>> measures = [percentage("accuracy", hits=15, n=24)]
        >>> report = Report("blimp", "2020", "m", "d", 24, 24, 0, measures, {}, (), "")
        >>> page(report).splitlines()[0]
        '# blimp on m'
    """
    rows = [
        " | ".join(cell.replace("|", "\\|") for cell in row)
        for row in measures_table(report.measures)
    ]
    lines = [
        f"# {report.set_name} on {report.model}",
        "",
        f"{report.paper}; {report.n_asked} items of {report.data}.",
        "",
        f"| {rows[0]} |",
        "| --- | ---: | ---: | ---: | ---: | --- |",
        *(f"| {row} |" for row in rows[1:]),
        "",
        f"![{alternative_text(report.measures)}]({FIGURE})",
        "",
        "## Left out",
        "",
        *([f"- {sentence}" for sentence in report.left_out] or ["Nothing: every item is scored."]),
    ]
    if report.notes:
        lines += ["", "## Notes", "", *(f"- {note}" for note in report.notes)]
    lines += ["", "## How this is scored", "", report.about, "", CAUTION, ""]
    if report.made is not None:
        command, *rest = report.made.sentences()
        lines += ["## How to make it again", "", f"    {command}", ""]
        lines += [*(f"- {sentence}" for sentence in rest), ""]
    return "\n".join(lines)


def alternative_text(measures: Sequence[Measure]) -> str:
    """What the figure shows, for those who do not see it.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> from albert_lib.probing.sets.report import alternative_text
        >>> print(alternative_text([percentage("accuracy", hits=24, n=24)])[-73:])
        by a short upright line, 1 have an interval that leaves it out: accuracy.
    """
    units = list(dict.fromkeys(measure.unit for measure in measures))
    clear = [on_one_line(measure.label) for measure in measures if _is_clear(measure)]
    asked = sum(measure.neutral is not None for measure in measures)
    text = (
        f"The {len(measures)} measures of the table as points with their intervals, "
        f"a panel a unit ({', '.join(units)})."
    )
    if asked:
        text += (
            f" Of {asked} with a neutral value, marked by a short upright line, {len(clear)} "
            f"have an interval that leaves it out{': ' + '; '.join(clear) if clear else ''}."
        )
    return text.replace("[", "(").replace("]", ")")


def draw(report: Report) -> Figure:
    """A row for every measure, a panel for every unit; filled where the neutral value is left out.

    The figure belongs to no window and changes no setting of matplotlib's.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> from albert_lib.probing.sets.report import Report, draw
        >>> measures = [percentage("accuracy", hits=15, n=24)]
        >>> report = Report("blimp", "2020", "m", "d", 24, 24, 0, measures, {}, (), "")
        >>> len(draw(report).axes)
        1
    """
    # here and not at the top: most who import this package draw nothing
    from matplotlib.figure import Figure

    units = list(dict.fromkeys(measure.unit for measure in report.measures)) or [""]
    panels = {unit: [m for m in report.measures if m.unit == unit] for unit in units}
    heights = [max(len(rows), 1) + 1.5 for rows in panels.values()]
    figure = Figure(figsize=(8.0, 0.24 * sum(heights) + 0.8), layout="constrained")
    title = on_one_line(f"{report.set_name} on {Path(report.model).name}")
    figure.suptitle(title, fontweight="bold", parse_math=False)
    grid = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)
    figure.supxlabel(KEY, fontsize=9)
    for axes, (unit, rows) in zip(grid[:, 0], panels.items(), strict=True):
        _draw_panel(axes, rows, unit)
    return figure


def _draw_panel(axes: Axes, measures: Sequence[Measure], unit: str) -> None:
    for place, measure in enumerate(measures):
        clear = _is_clear(measure)
        color = BLUE if clear else GREY
        if _is_known(measure):
            axes.plot([measure.low, measure.high], [place, place], color=color, linewidth=2.5)
        face = color if clear else "white"
        axes.plot(measure.value, place, "o", color=color, markerfacecolor=face, markersize=6)
        if measure.neutral is not None:
            ends = [place - 0.4, place + 0.4]
            axes.plot([measure.neutral] * 2, ends, color="black", linewidth=1.2)
    labels = [on_one_line(measure.label) for measure in measures]
    axes.set_yticks(range(len(measures)), labels, fontsize=9, parse_math=False)
    axes.set_ylim(len(measures) - 0.3, -0.7)
    axes.set_xlabel(unit)
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)


def _is_known(measure: Measure) -> bool:
    return math.isfinite(measure.low) and math.isfinite(measure.high)


def _is_clear(measure: Measure) -> bool:
    """Whether the interval leaves out the neutral value."""
    if measure.neutral is None or not _is_known(measure):
        return False
    return not measure.low <= measure.neutral <= measure.high
