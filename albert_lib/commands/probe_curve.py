"""A probe set on every model that a run has kept: how its scores came about."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from albert_lib.errors import InputError
from albert_lib.paths import open_folder
from albert_lib.probing.sets.report import Report, format_value, on_one_line
from albert_lib.report_folder import new_report

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CURVE_FILES = NUMBERS, CURVE = "curve.csv", "curve.png"
HEADINGS = ("step", "measure", "value", "low", "high", "n", "unit")


def kept_models(run: Path) -> dict[int, Path]:
    """Return the models in a run's folder by the steps that they have taken.

    Those that `keep_every` has kept, in models/. Raises InputError where there is none.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("step-00000200", "step-00000100", "notes"):
        ...         (Path(folder) / "models" / name).mkdir(parents=True)
        ...     list(kept_models(Path(folder)))
        [100, 200]
    """
    found = {}
    for path in open_folder(run / "models", InputError).glob("step-*"):
        if number := re.fullmatch(r"step-(\d+)", path.name):
            found[int(number[1])] = path
    if not found:
        raise InputError(
            f"{run} holds no models by step; train with --keep-every STEPS, which writes them into "
            f"its models/."
        )
    return dict(sorted(found.items()))


def probe_curve(run: Path, scored: Callable[[Path], Report]) -> dict[int, Report]:
    """Score every kept model of a run, and print the first measure of each as it comes."""
    found = {}
    for step, model in kept_models(run).items():
        report = found[step] = scored(model)
        measure = report.measures[0]
        value, low, high = (
            format_value(each, measure.unit) for each in (measure.value, measure.low, measure.high)
        )
        label = on_one_line(measure.label)
        print(f"{step:9,}  {label} {value} {measure.unit}, {low} to {high}", flush=True)
    return found


def write_curve(folder: Path, curve: dict[int, Report]) -> None:
    """Write all measures as curve.csv and the first one as curve.png, whole or not at all."""
    with new_report(folder, CURVE_FILES) as unfinished:
        with (unfinished / NUMBERS).open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(HEADINGS)
            for step, report in curve.items():
                for m in report.measures:
                    label = on_one_line(m.label)
                    writer.writerow([step, label, m.value, m.low, m.high, m.n, m.unit])
        draw_curve(curve).savefig(unfinished / CURVE, dpi=150)


def draw_curve(curve: dict[int, Report]) -> Figure:
    """Draw the first measure over the steps, its interval as a band, the neutral value as a line.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> measures = [percentage("accuracy", hits=15, n=24)]
        >>> report = Report("blimp", "2020", "m", "d", 24, 24, 0, measures, {}, (), "")
        >>> draw_curve({100: report, 200: report}).axes[0].get_ylabel()
        'accuracy (%)'
    """
    # here and not at the top: most who run a command draw nothing
    from matplotlib.figure import Figure

    measures = [report.measures[0] for report in curve.values()]
    steps, first = list(curve), measures[0]
    figure = Figure(figsize=(6.4, 3.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(steps, [m.value for m in measures], marker="o", markersize=4)
    axes.fill_between(steps, [m.low for m in measures], [m.high for m in measures], alpha=0.2)
    if first.neutral is not None:
        axes.axhline(first.neutral, color="black", linewidth=1)
    axes.set_xlabel("step")
    axes.set_ylabel(f"{on_one_line(first.label)} ({first.unit})", parse_math=False)
    axes.set_title(next(iter(curve.values())).set_name)
    axes.spines[["top", "right"]].set_visible(False)
    return figure
