"""What the rules of a diagnosis need of a loss curve: where it is, and whether it still moves."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from albert_lib.training.history import History

WINDOW = 25  # steps over which a loss is averaged: single batches are too noisy to read
SHORTEST_RUN = 50  # steps: before that, a slow run and a young one look alike


class Curve:
    """The training MLM loss of a history, in nats, and the columns beside it.

    Example:
        >>> curve = Curve(History([{"step": 1, "mlm_loss": 9.0}, {"step": 2, "mlm_loss": 8.0}]))
        >>> curve.steps, curve.recent, curve.last("mlm_loss")
        (2, 8.0, 8.0)
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.columns = set(history.columns())
        self.mlm_loss = history.column("mlm_loss")

    @property
    def steps(self) -> int:
        """Steps whose loss is in the history: all that were done, unless few rows were kept."""
        return len(self.mlm_loss)

    def last(self, name: str) -> float:
        """Return the last value of a column."""
        return float(self.history.column(name)[-1])

    @property
    def recent(self) -> float:
        """Mean of the last steps, 25 at most."""
        return float(self.mlm_loss[-min(WINDOW, max(1, self.steps // 4)) :].mean())

    @property
    def lowest(self) -> tuple[int, float]:
        """The step after which the mean of 25 steps was lowest, and that mean."""
        window = min(WINDOW, self.steps)
        means = np.convolve(self.mlm_loss, np.full(window, 1 / window), "valid")
        place = int(means.argmin())
        return place + window, float(means[place])

    @property
    def unigram_progress(self) -> float:
        """How far the loss has fallen from ln V (0) to the unigram entropy (1), and beyond."""
        uniform, unigram = self.last("uniform_loss"), self.last("unigram_entropy")
        return (uniform - self.recent) / (uniform - unigram)

    @property
    def is_settled(self) -> bool:
        """Whether the loss has hardly fallen since the second quarter of the run."""
        second, last = np.array_split(self.mlm_loss, 4)[1::2]
        whole_fall = self.last("uniform_loss") - self.last("unigram_entropy")
        return self.steps >= SHORTEST_RUN and float(second.mean() - last.mean()) < 0.05 * whole_fall

    @property
    def recent_fall(self) -> float:
        """How far the mean fell from the third quarter of the run to the last, in nats."""
        third, fourth = np.array_split(self.mlm_loss[self.steps // 2 :], 2)
        return float(third.mean() - fourth.mean()) if len(third) and len(fourth) else 0.0

    @property
    def standard_error(self) -> float:
        """Standard error of `recent_fall`."""
        third, fourth = np.array_split(self.mlm_loss[self.steps // 2 :], 2)
        return float(np.sqrt(standard_error(third) ** 2 + standard_error(fourth) ** 2))

    @property
    def is_falling(self) -> bool:
        """Whether the last quarter lies below the one before by more than chance."""
        return self.recent_fall > self.margin

    @property
    def is_rising(self) -> bool:
        """Whether the last quarter lies above the one before by more than chance."""
        return -self.recent_fall > self.margin

    @property
    def margin(self) -> float:
        """The nats by which the last quarter may differ from the one before by chance."""
        return max(3 * self.standard_error, 0.005 * self.recent)


def standard_error(values: Float[np.ndarray, " steps"]) -> float:
    """Return the standard error of the mean, by differences of neighbours, which ignore a slope.

    Example:
        >>> round(standard_error(np.array([1.0, 2.0, 1.0, 2.0])), 3)
        0.354
    """
    if len(values) < 3:
        return float("inf")
    return float(np.sqrt((np.diff(values) ** 2).mean() / 2 / len(values)))
