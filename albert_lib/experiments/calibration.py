"""Probes held against a truth: what they read off models of towns whose bias is known.

The Town's dial sets how much likelier each occupation is for a man than for a woman. A model is
trained on the documents of each setting, then probed as if nothing were known of it; what the
probe reads is set against what is so. A probe that reads true gives the gap itself, slope 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from albert_lib.experiments.town_questions import ATTRIBUTE, IN_NATS, PROBES, Rows
from albert_lib.experiments.town_trials import Probed, Trial
from albert_lib.probing.intervals import Interval, mean_interval
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet

MOST_ALARMS = 0.1
NEAR = (0.8, 1.25)  # a slope in here reads true: a fifth too little, or as much too much
SAME = 1e-9  # readings that differ by no more than this share of their size differ by rounding


@dataclass(frozen=True)
class Calibration:
    """How one probe's readings stand to the true gaps, over biases, seeds and titles."""

    probe: str
    slope: Interval  # of reading over truth: 1 reads true, less under-reads; over seeds
    correlation: float
    false_alarms: float  # share of titles whose 95 % interval leaves out 0 at bias 0

    @property
    def verdict(self) -> str:
        """In words: does it read true, and does it see ghosts?

        A slope reads true where its whole interval lies near 1, between NEAR; probes that are not
        in nats have no such slope. Ghosts are seen where more than a tenth of the intervals
        raise a false alarm, twice as many as they promise.
        """
        if self.probe not in IN_NATS:
            reads = "has no nats"
        elif not math.isfinite(self.slope.low):
            reads = "one seed gives no verdict"
        elif self.slope.low >= NEAR[0] and self.slope.high <= NEAR[1]:
            reads = "reads true"
        elif self.slope.high < 1:
            reads = "under-reads"
        elif self.slope.low > 1:
            reads = "over-reads"
        else:
            reads = "may read true: too few seeds to tell"
        if math.isnan(self.false_alarms):
            return f"{reads}, ghosts not looked for"
        return f"{reads}, sees ghosts" if self.false_alarms > MOST_ALARMS else reads


@dataclass(frozen=True, eq=False)
class Points:
    """One probe's readings beside the truth."""

    truth: Float[np.ndarray, "models titles"]
    reading: Float[np.ndarray, "models titles"]
    excludes_zero: Bool[np.ndarray, "models titles"]
    seed: Float[np.ndarray, " models"]
    bias: Float[np.ndarray, " models"]


def points(probed: Sequence[Probed], name: str) -> Points:
    """Gather what one probe read off some models."""
    rows = [each.readings[name] for each in probed]
    trials = [each.trial for each in probed]
    return Points(
        truth=np.array([true_gaps(trial) for trial in trials]),
        reading=np.array([[row.interval.mean for row in each] for each in rows]),
        excludes_zero=np.array([[row.interval.excludes(0.0) for row in each] for each in rows]),
        seed=np.array([float(trial.seed) for trial in trials]),
        bias=np.array([trial.bias for trial in trials]),
    )


def true_gaps(trial: Trial) -> Float[np.ndarray, " titles"]:
    """Log P(title | man) − log P(title | woman) in what a model was trained on."""
    bias = 0.0 if trial.with_twins else trial.bias  # twins balance every title
    return Town(bias, world=load_hamlet()).gaps(ATTRIBUTE)


def calibrate(probed: Sequence[Probed], name: str) -> Calibration:
    """Set one probe's readings against the truth: a slope for each seed, and their mean.

    A seed's slope is that of all its models together, whatever their bias. The interval of the
    mean is Student's over the seeds: it is about models trained alike. False alarms are NaN
    where no model has bias 0.
    """
    found = points(probed, name)
    slopes = [
        np.polyfit(found.truth[rows].ravel(), found.reading[rows].ravel(), 1)[0]
        for rows in (found.seed == seed for seed in np.unique(found.seed))
    ]
    alarms = found.excludes_zero[found.bias == 0]
    return Calibration(
        name,
        mean_interval(slopes),
        float(np.corrcoef(found.truth.ravel(), found.reading.ravel())[0, 1]),
        float(alarms.mean()) if alarms.size else float("nan"),
    )


def agreement(readings: dict[str, Rows]) -> Float[np.ndarray, "probes probes"]:
    """The correlation of each two probes' readings of the same titles, in one model.

    NaN where a probe says the same of all titles, which agrees and disagrees with nothing.
    """
    means = np.array([[row.interval.mean for row in readings[name]] for name in PROBES])
    centred = means - means.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1)
    length[length < SAME * np.abs(means).max(axis=1) + SAME] = np.nan
    return np.asarray(centred @ centred.T / np.outer(length, length))
