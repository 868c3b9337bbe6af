"""A run's history as a doctor reads it: where the loss is, against its marks, and if it moves."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from albert_lib.training.history import History

WINDOW = 25  # steps over which a loss is averaged: single batches are too noisy to read
SHORT = 50  # steps: before that, a slow run and a young one look alike


class Readings:
    """A history as the rules read it."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.columns = set(history.columns())
        self.mlm_loss = history.column("mlm_loss")

    @property
    def steps(self) -> int:
        """Steps done."""
        return len(self.mlm_loss)

    def last(self, name: str) -> float:
        """The newest value of a column."""
        return float(self.history.column(name)[-1])

    @property
    def recent(self) -> float:
        """The MLM loss of training, mean of the last steps, in nats."""
        return float(self.mlm_loss[-min(WINDOW, max(1, self.steps // 4)) :].mean())

    @property
    def counted(self) -> float:
        """How far the loss has come from ln V (0) to the unigram entropy (1), and beyond."""
        uniform, unigram = self.last("uniform_loss"), self.last("unigram_entropy")
        return (uniform - self.recent) / (uniform - unigram)

    @property
    def is_settled(self) -> bool:
        """Whether the loss was where it is before the run's first half was over."""
        second, last = np.array_split(self.mlm_loss, 4)[1::2]
        way = self.last("uniform_loss") - self.last("unigram_entropy")
        return self.steps >= SHORT and float(second.mean() - last.mean()) < 0.05 * way

    @property
    def recent_fall(self) -> float:
        """How far the mean MLM loss fell from the third quarter of the run to the last, in nats."""
        third, fourth = np.array_split(self.mlm_loss[self.steps // 2 :], 2)
        return float(third.mean() - fourth.mean()) if len(third) and len(fourth) else 0.0

    @property
    def noise(self) -> float:
        """Standard error of `recent_fall`."""
        third, fourth = np.array_split(self.mlm_loss[self.steps // 2 :], 2)
        return float(np.sqrt(standard_error(third) ** 2 + standard_error(fourth) ** 2))

    @property
    def is_falling(self) -> bool:
        """Whether the last quarter lies below the one before by more than chance would have it."""
        return self.recent_fall > self.chance

    @property
    def is_rising(self) -> bool:
        """Whether it lies above the one before by more than chance would have it."""
        return -self.recent_fall > self.chance

    @property
    def chance(self) -> float:
        """Nats that a quarter may lie from the one before by chance."""
        return max(3 * self.noise, 0.005 * self.recent)


def standard_error(values: Float[np.ndarray, " steps"]) -> float:
    """Standard error of the mean, from neighbours' differences so that a slope does not count."""
    if len(values) < 3:
        return float("inf")
    return float(np.sqrt((np.diff(values) ** 2).mean() / 2 / len(values)))
