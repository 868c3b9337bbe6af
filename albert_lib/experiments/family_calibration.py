"""Whether what was calibrated on ALBERT holds for models of other families.

Models of two families learnt the same towns, seed by seed, for the same seconds (`family_trials`).
What a probe measures on the one is held against the truth, and its slope against the other's of the
same seed: of the difference there is an interval over seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from albert_lib.errors import InputError
from albert_lib.experiments.calibration import Calibration, calibrate
from albert_lib.experiments.town_questions import IN_NATS
from albert_lib.experiments.town_trials import ProbedModel
from albert_lib.probing.intervals import Interval, mean_interval

ALIKE = 0.2  # slopes that differ by no more, as NEAR is about 1 in `calibration`


@dataclass(frozen=True)
class FamilyCalibration:
    """One probe on models of one family, beside ALBERT's of the same towns and seeds.

    Example:
        >>> slope = Interval(0.4, 0.3, 0.5, 0.95, n_values=4)
        >>> found = Calibration("log-probability gap", slope, 0.9, false_positive_rate=0.04)
        >>> FamilyCalibration("bert", found, found, Interval(-0.4, -0.5, -0.3, 0.95, 4)).verdict
        'another slope'
    """

    family: str
    own: Calibration
    albert: Calibration
    difference: Interval  # of the slopes, own − ALBERT's, over seeds

    @property
    def verdict(self) -> str:
        """Whether ALBERT's slope may be used for this family, in words."""
        if self.own.probe not in IN_NATS:
            return "not in nats"
        if self.difference.low >= -ALIKE and self.difference.high <= ALIKE:
            return "the same slope"
        if self.difference.excludes(0.0):
            return "another slope"
        return "too few seeds to tell"


def calibrate_family(
    albert: Sequence[ProbedModel], others: Sequence[ProbedModel], name: str, family: str
) -> FamilyCalibration:
    """Compare a probe's slopes on one family with those on ALBERT, over the towns that both learnt.

    Raises InputError where a family has no models, or they share no town with ALBERT's.
    """
    own = {_town(each): each for each in others if each.trial.family == family}
    ours = {
        _town(each): each
        for each in albert
        if each.trial.family == "albert" and not each.trial.with_counterfactuals
    }
    common = [town for town in own if town in ours]
    if not common:
        raise InputError(
            f"No model of the family {family!r} learnt a town that an ALBERT learnt too; train "
            f"both with the same biases, seeds and remarks."
        )
    pairs = [(own[town], ours[town]) for town in common]
    seeds = sorted({one.trial.seed for one, _ in pairs})
    differences = []
    for seed in seeds:
        of_seed = [pair for pair in pairs if pair[0].trial.seed == seed]
        slopes = [calibrate([pair[side] for pair in of_seed], name).slope.mean for side in (0, 1)]
        differences.append(slopes[0] - slopes[1])
    return FamilyCalibration(
        family,
        calibrate([one for one, _ in pairs], name),
        calibrate([other for _, other in pairs], name),
        mean_interval(differences),
    )


def _town(probed: ProbedModel) -> tuple[float, int, float]:
    """What a model was told: the town's bias, its seed, and how many remarks."""
    return probed.trial.bias, probed.trial.seed, probed.trial.remark_probability
