"""Calibration: what probes measure on models of towns whose bias is known, against the truth.

The Town's bias sets how much likelier each occupation is for a man than for a woman. A model is
trained on the documents of each setting, then probed as if nothing were known of it; what the
probe measures is compared with the true gaps. A probe that reads true gives the gap itself, slope
1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from albert_lib.experiments.town_questions import ATTRIBUTE, IN_NATS, PROBES, Rows
from albert_lib.experiments.town_trials import ProbedModel, TownTrial
from albert_lib.probing.intervals import Interval, mean_interval
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet

MAX_FALSE_POSITIVE_RATE = 0.1  # twice what 95 % intervals promise
NEAR = (0.8, 1.25)  # a slope in here reads true: a fifth too little, or as much too much
ROUNDING = 1e-9  # values that differ by no more than this fraction of their size are equal


@dataclass(frozen=True)
class Calibration:
    """How what one probe measures relates to the true gaps, over biases, seeds and titles.

    Example:
        >>> from albert_lib.experiments.calibration import Calibration
        >>> from albert_lib.probing import Interval
        >>> slope = Interval(0.95, 0.9, 1.0, 0.95, n_values=8)
        >>> Calibration("log-probability gap", slope, 0.99, false_positive_rate=0.04).verdict
        'reads true'
    """

    probe: str
    slope: Interval  # of measured over true gap: 1 reads true, less under-reads; over seeds
    correlation: float
    false_positive_rate: float  # of the titles at bias 0, whose 95 % interval leaves out 0

    @property
    def verdict(self) -> str:
        """In words: does it read true, and has it too many false positives?

        A slope reads true where its whole interval lies near 1, between NEAR; probes that are not
        in nats have no such slope. False positives are too many above MAX_FALSE_POSITIVE_RATE.
        """
        if self.probe not in IN_NATS:
            reads = "not in nats"
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
        if math.isnan(self.false_positive_rate):
            return f"{reads}, false positives not measured"
        too_many = self.false_positive_rate > MAX_FALSE_POSITIVE_RATE
        return f"{reads}, too many false positives" if too_many else reads


@dataclass(frozen=True, eq=False)
class Points:
    """What one probe measured beside the truth."""

    truth: Float[np.ndarray, "models titles"]
    measured: Float[np.ndarray, "models titles"]
    excludes_zero: Bool[np.ndarray, "models titles"]
    seed: Float[np.ndarray, " models"]
    bias: Float[np.ndarray, " models"]


def points(probed: Sequence[ProbedModel], name: str) -> Points:
    """Gather what one probe measured on some models."""
    rows = [each.results[name] for each in probed]
    trials = [each.trial for each in probed]
    return Points(
        truth=np.array([true_gaps(trial) for trial in trials]),
        measured=np.array([[row.interval.mean for row in each] for each in rows]),
        excludes_zero=np.array([[row.interval.excludes(0.0) for row in each] for each in rows]),
        seed=np.array([float(trial.seed) for trial in trials]),
        bias=np.array([trial.bias for trial in trials]),
    )


def true_gaps(trial: TownTrial) -> Float[np.ndarray, " titles"]:
    """Log P(title | man) − log P(title | woman) in what a model was trained on, in nats.

    Example:
        >>> from albert_lib.experiments.calibration import true_gaps
        >>> from albert_lib.experiments.town_trials import TownTrial
        >>> float(true_gaps(TownTrial(bias=0.5, seed=0, steps=1)).max().round(9))
        1.5
    """
    bias = 0.0 if trial.with_counterfactuals else trial.bias  # counterfactuals balance every title
    return Town(bias, world=load_hamlet()).gaps(ATTRIBUTE)


def calibrate(probed: Sequence[ProbedModel], name: str) -> Calibration:
    """Compare what one probe measured with the truth: a slope for each seed, and their mean.

    A seed's slope is that of all its models together, whatever their bias. The interval of the
    mean is Student's over the seeds: it is about models trained alike. The false positive rate is
    NaN where no model has bias 0.
    """
    found = points(probed, name)
    slopes = [
        calibration_slope(found.truth[rows], found.measured[rows])
        for rows in (found.seed == seed for seed in np.unique(found.seed))
    ]
    positives = found.excludes_zero[found.bias == 0]
    return Calibration(
        name,
        mean_interval(slopes),
        float(np.corrcoef(found.truth.ravel(), found.measured.ravel())[0, 1]),
        float(positives.mean()) if positives.size else float("nan"),
    )


def calibration_slope(
    truth: Float[np.ndarray, "models titles"], measured: Float[np.ndarray, "models titles"]
) -> float:
    """What is measured for a true nat: the slope of the least-squares line through all points.

    The line has an intercept of its own, so that a shift common to all points changes nothing.

    Example:
        >>> import numpy as np
        >>> from albert_lib.experiments.calibration import calibration_slope
        >>> truth = np.array([[-2.0, 0.0, 2.0]])
        >>> round(calibration_slope(truth, 0.75 * truth + 0.5), 6)
        0.75
    """
    x = truth - truth.mean()
    return float((x * measured).sum() / (x * x).sum())  # its own mean drops out: x adds up to 0


def agreement(results: dict[str, Rows]) -> Float[np.ndarray, "probes probes"]:
    """The correlation of what each two probes measure of the same titles, in one model.

    NaN where a probe gives all titles the same value.
    """
    means = np.array([[row.interval.mean for row in results[name]] for name in PROBES])
    centred = means - means.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1)
    length[length < ROUNDING * np.abs(means).max(axis=1) + ROUNDING] = np.nan
    return np.asarray(centred @ centred.T / np.outer(length, length))
