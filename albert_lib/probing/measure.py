"""What a published probe set answers: one named number, and how far it may be off."""

from __future__ import annotations

from dataclasses import dataclass

from albert_lib.probing.intervals import proportion_interval


@dataclass(frozen=True)
class Measure:
    """One number of a report with the ends of its interval, all in its unit."""

    label: str
    value: float
    low: float
    high: float
    n: int  # items that it was counted or averaged over
    neutral: float | None  # what an unbiased or ignorant model would get; None: there is no such
    unit: str


def percentage(
    label: str, hits: int, n: int, neutral: float | None = 50.0, confidence: float = 0.95
) -> Measure:
    """How many in a hundred of `n` items are hits, with Wilson's interval."""
    share = proportion_interval(hits, n, confidence)
    return Measure(label, 100 * share.mean, 100 * share.low, 100 * share.high, n, neutral, "%")
