"""Why is the curve stuck? An answer from what the run wrote down."""

from __future__ import annotations

from dataclasses import dataclass

from albert_lib.diagnosis.curve import SHORT, Readings
from albert_lib.diagnosis.rules import RULES, Finding
from albert_lib.errors import ConfigError
from albert_lib.training.history import History

NOTHING = "Nothing that is known to go wrong shows in the numbers; while it falls, go on."


@dataclass(frozen=True)
class Diagnosis:
    """What a history shows: `print` it.

    `standing` says where the curve is; `findings` what is probably wrong, the surest first;
    `unjudged` names the causes that this history does not hold the numbers to tell.
    """

    standing: str
    findings: tuple[Finding, ...]
    unjudged: tuple[str, ...]

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of the causes found."""
        return tuple(finding.cause for finding in self.findings)

    def __str__(self) -> str:
        lines = [self.standing, *map(str, self.findings)]
        if self.unjudged:
            lines.append(
                f"Not judged, because this history lacks the numbers: {', '.join(self.unjudged)}. "
                f"Training with held-out text records those that this run can have."
            )
        elif not self.findings:
            lines.append(NOTHING)
        return "\n".join(lines)


def diagnose(history: History) -> Diagnosis:
    """Say where a pretraining curve stands and, if something holds it up, what that likely is.

    Works from the history alone, so from a checkpoint's history.json too. A cause that another
    one, found before it, explains as well is not named beside it: where the labels are wrong the
    curve says nothing about the rate. Raises ConfigError for a history
    without an MLM loss.
    """
    if "mlm_loss" not in history.columns():
        raise ConfigError(
            "The history has no column mlm_loss, so there is nothing to diagnose; give the "
            "history of a pretraining run of one step or more."
        )
    read = Readings(history)
    findings: list[Finding] = []
    unjudged: list[str] = []
    for rule in RULES:
        if not read.columns.issuperset(rule.needs):
            unjudged.append(rule.cause)
            continue
        if any(finding.cause in rule.unless for finding in findings):
            continue
        if (sentences := rule.judge(read)) is not None:
            findings.append(Finding(rule.cause, *sentences))
    return Diagnosis(describe_standing(read), tuple(findings), tuple(unjudged))


def describe_standing(read: Readings) -> str:
    """Say in one or two sentences where the loss is, against its marks, and whether it moves."""
    where = f"After {read.steps} steps the training MLM loss is {read.recent:.2f} nats a piece"
    if read.columns.issuperset(("uniform_loss", "unigram_entropy")):
        uniform, unigram = read.last("uniform_loss"), read.last("unigram_entropy")
        side = "below" if read.recent < unigram else "above"
        where += (
            f", {abs(read.recent - unigram):.2f} {side} the unigram entropy of {unigram:.2f} "
            f"(ln V is {uniform:.2f})"
        )
    if read.is_falling:
        return f"{where}. It is still falling."
    if read.steps < SHORT:
        return f"{where}. That is too short a run to say whether it moves."
    moved = "fell" if read.recent_fall >= 0 else "rose"
    by = f"From the third quarter of the run to the last it {moved} by {abs(read.recent_fall):.2f}"
    if read.is_rising:
        return f"{where}. {by}: it is getting worse."
    return f"{where}. {by}, which may be chance."
