"""Figure of notebook 06b: one probe on models of three families that learnt the same towns."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from albert_lib.experiments.calibration import Calibration
from albert_lib.experiments.family_calibration import FamilyCalibration
from albert_lib.experiments.town_questions import IN_NATS
from albert_lib.workbook.style import COLORS

NAMES = {"albert": "ALBERT", "bert": "BERT", "roberta": "RoBERTa"}
MARKS = "os^"
APART = 0.22  # rows of one probe


def families_figure(found: Sequence[FamilyCalibration]) -> Figure:
    """A group of rows a probe: slopes with intervals over seeds, and correlations, by family."""
    figure, (slopes, correlations) = plt.subplots(
        1, 2, figsize=(9.4, 3.9), sharey=True, width_ratios=(1.6, 1)
    )
    for group, probe in enumerate(IN_NATS):
        for number, (family, each) in enumerate(_by_family(found, probe)):
            place = group + APART * (number - 1)
            slopes.plot([each.slope.low, each.slope.high], [place] * 2, "-", color=COLORS[number],
                        linewidth=3)  # fmt: skip
            label = NAMES[family] if group == 0 else None
            for axes, value in ((slopes, each.slope.mean), (correlations, each.correlation)):
                axes.plot(value, place, MARKS[number], color=COLORS[number], markersize=8,
                          markeredgecolor="white", linestyle="none", label=label)  # fmt: skip
    slopes.axvline(1, color="black", linestyle="--", linewidth=1.2)
    slopes.set_xlim(min(0.0, slopes.get_xlim()[0]), max(1.2, slopes.get_xlim()[1]))
    slopes.set_xlabel("slope: nats read for a true nat")
    slopes.set_yticks(range(len(IN_NATS)), IN_NATS)
    slopes.set_ylim(len(IN_NATS) - 0.5, -0.5)
    correlations.set_xlim(0, 1.05)
    correlations.set_xlabel("correlation with the true gaps")
    correlations.legend(loc="lower left")
    return figure


def families_in_words(found: Sequence[FamilyCalibration]) -> str:
    """What `families_figure` shows, for its alternative text."""
    rows = [
        f"{probe}: "
        + ", ".join(
            f"{NAMES[family]} {each.slope} and r = {each.correlation:.2f}"
            for family, each in _by_family(found, probe)
        )
        for probe in IN_NATS
    ]
    return f"Slopes with intervals over seeds, and correlations, by family. {'; '.join(rows)}."


def _by_family(found: Sequence[FamilyCalibration], probe: str) -> list[tuple[str, Calibration]]:
    """ALBERT's calibration of a probe, then every other family's."""
    of_probe = [each for each in found if each.own.probe == probe]
    return [("albert", of_probe[0].albert), *((each.family, each.own) for each in of_probe)]
