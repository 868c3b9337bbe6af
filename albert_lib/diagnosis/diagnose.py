"""Why a pretraining curve is stuck: an answer from the run's history."""

from __future__ import annotations

from dataclasses import dataclass

from albert_lib.diagnosis.curve import SHORTEST_RUN, Curve
from albert_lib.diagnosis.rules import RULES, Problem
from albert_lib.errors import ConfigError
from albert_lib.training.history import History

NO_PROBLEM = "No known problem shows in the numbers; while the loss falls, go on."


@dataclass(frozen=True)
class Diagnosis:
    """What a history shows: `print` it.

    `summary` says where the curve is; `problems` what is probably wrong, the surest first;
    `not_judged` names the causes for which this history lacks the numbers.
    """

    summary: str
    problems: tuple[Problem, ...]
    not_judged: tuple[str, ...]

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of the causes found."""
        return tuple(problem.cause for problem in self.problems)

    def __str__(self) -> str:
        lines = [self.summary, *map(str, self.problems)]
        if self.not_judged:
            lines.append(
                f"Not judged, because this history lacks the numbers: "
                f"{', '.join(self.not_judged)}. Training with held-out text and "
                f"`measure=Measurements` records them."
            )
        elif not self.problems:
            lines.append(NO_PROBLEM)
        return "\n".join(lines)


def diagnose(history: History) -> Diagnosis:
    """Say where a pretraining curve is and, if it is stuck, what the cause probably is.

    Works from the history alone, so from that of a checkpoint too. A cause is not named beside
    one found before it that explains the same numbers: with wrong labels, say, the curve says
    nothing about the learning rate. Raises ConfigError for a history without an MLM loss.

    Example:
        >>> rows = [{"step": n, "mlm_loss": 9.0, "learning_rate": 0.0} for n in range(1, 81)]
        >>> diagnosis = diagnose(History(rows))
        >>> diagnosis.causes
        ('rate too low',)
        >>> diagnosis.problems[0].evidence
        'The learning rate was 0 at all 80 steps.'
    """
    if "mlm_loss" not in history.columns():
        raise ConfigError(
            "The history has no column mlm_loss, so there is nothing to diagnose; give the "
            "history of a pretraining run of one step or more."
        )
    curve = Curve(history)
    problems: list[Problem] = []
    not_judged: list[str] = []
    for rule in RULES:
        if not curve.columns.issuperset(rule.needs):
            not_judged.append(rule.cause)
            continue
        if any(problem.cause in rule.unless for problem in problems):
            continue
        if (sentences := rule.judge(curve)) is not None:
            problems.append(Problem(rule.cause, *sentences))
    return Diagnosis(summarize(curve), tuple(problems), tuple(not_judged))


def summarize(curve: Curve) -> str:
    """Say in one or two sentences where the loss is, against its marks, and whether it moves."""
    done = int(curve.last("step"))  # more than curve.steps where few rows were kept
    where = f"After {done} steps the training MLM loss is {curve.recent:.2f} nats a token"
    if curve.columns.issuperset(("uniform_loss", "unigram_entropy")):
        uniform, unigram = curve.last("uniform_loss"), curve.last("unigram_entropy")
        side = "below" if curve.recent < unigram else "above"
        where += (
            f", {abs(curve.recent - unigram):.2f} {side} the unigram entropy of {unigram:.2f} "
            f"(ln V is {uniform:.2f})"
        )
    if curve.is_falling:
        return f"{where}. It is still falling."
    if curve.steps < SHORTEST_RUN <= done:
        return f"{where}. Too few losses were kept to say whether it moves."
    if curve.steps < SHORTEST_RUN:
        return f"{where}. The run is too short to say whether it moves."
    moved = "fell" if curve.recent_fall >= 0 else "rose"
    change = f"{moved} by {abs(curve.recent_fall):.2f}"
    sentence = f"From the third quarter of the run to the last it {change}"
    if curve.is_rising:
        return f"{where}. {sentence}: it is getting worse."
    return f"{where}. {sentence}, which may be chance."
