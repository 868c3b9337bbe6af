"""Stages of a run: what changes along the way while the weights stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from albert_lib.errors import ConfigError
from albert_lib.objectives import MaskingConfig
from albert_lib.objectives.draws import check_number, check_whole_number

WHOLE_NUMBERS = (
    "num_hidden_layers", "sequence_length", "batch_size", "accumulation", "copy_positions"
)  # fmt: skip


@dataclass(frozen=True)
class Stage:
    """A part of a run. What is None is as in the recipe, and the depth as in the stage before.

    The learning rate goes in a straight line from where the stage before has left it (after
    warm-up: the peak) to `final_rate` times the peak. 1.0 in every stage but the last keeps it
    constant; 0.0 in the last lets it fall to zero.

    Raises ConfigError for values of another type or out of range.

    Attributes:
        steps: Updates of the weights in this stage.
        num_hidden_layers: How many times the shared layer is applied.
        masking: The masking rate, the spans, and what is shown instead of a masked token.
        sequence_length: Tokens in a sequence, special tokens included.
        batch_size: Sequences in a batch, over all parts and processes.
        accumulation: Parts of a batch.
        final_rate: The learning rate at the end of the stage, as a fraction of the peak.
        copy_positions: Before its first step, the table's first so many positions, which the
            stages before have trained, are copied over the rest (`copied_positions`).

    Example:
        >>> stages = (Stage(600), Stage(300, num_hidden_layers=4, final_rate=0.0))
        >>> stages[1].num_hidden_layers, stages[1].batch_size
        (4, None)
    """

    steps: int
    num_hidden_layers: int | None = None
    masking: MaskingConfig | None = None
    sequence_length: int | None = None
    batch_size: int | None = None
    accumulation: int | None = None
    final_rate: float = 1.0
    copy_positions: int | None = None

    def __post_init__(self) -> None:
        check_whole_number(self.steps, "steps", least=1)
        for name in WHOLE_NUMBERS:
            if (value := getattr(self, name)) is not None:
                check_whole_number(value, name, 1, ", or None to leave it as it is")
        if not (self.masking is None or isinstance(self.masking, MaskingConfig)):
            raise ConfigError(f"masking is {self.masking!r}; make it a MaskingConfig.")
        check_number(self.final_rate, "final_rate")
        if not 0 <= self.final_rate <= 1:
            raise ConfigError(f"final_rate is {self.final_rate}; make it between 0 and 1.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "A stage") -> Stage:
        """Return a stage from a table, as in a recipe's file; masking is a table inside it.

        Raises ConfigError, beginning with `source`, for what no stage can change, such as the
        width of a layer.

        Example:
            >>> Stage.from_dict({"steps": 9, "masking": {"rate": 0.4}}).masking.rate
            0.4
            >>> Stage.from_dict({"steps": 9, "hidden_size": 64})  # doctest: +ELLIPSIS
            Traceback (most recent call last):
            albert_lib.errors.ConfigError: A stage can't change hidden_size: ...
        """
        known = [each.name for each in fields(cls)]
        if wrong := sorted(values.keys() - set(known)):
            raise ConfigError(
                f"{source} can't change {wrong[0]}: the weights stay those of the stage before. "
                f"It may set {', '.join(known)}."
            )
        if "steps" not in values:
            raise ConfigError(f"{source} has no steps; write how many it takes.")
        return built(cls, values, source)


Settings = TypeVar("Settings")


def built(cls: type[Settings], values: Mapping[str, Any], source: str) -> Settings:
    """Return a Stage or Recipe of these fields, masking's own in a table among them.

    Raises ConfigError, beginning with `source`, for values that cannot work.

    Example:
        >>> built(Stage, {"steps": 9, "masking": {"rate": 0.4}}, "A stage").masking.rate
        0.4
    """
    given = dict(values)
    try:
        if isinstance(given.get("masking"), Mapping):
            given["masking"] = masking_from(given["masking"])
        return cls(**given)
    except ConfigError as problem:
        raise ConfigError(f"{source}: {problem}") from None


def masking_from(values: Mapping[str, Any]) -> MaskingConfig:
    """Return a MaskingConfig from a table; ConfigError for a field that it doesn't have.

    Example:
        >>> masking_from({"rate": 0.4, "random_probability": 0.0}).rate
        0.4
    """
    known = [each.name for each in fields(MaskingConfig)]
    if wrong := sorted(values.keys() - set(known)):
        raise ConfigError(f"masking has no field {wrong[0]}; it has {', '.join(known)}.")
    return MaskingConfig(**values)


def rate_in_stages(step: int, stages: Sequence[Stage], *, peak: float, warmup_steps: int) -> float:
    """Return the learning rate of `step`: warm-up from 0, then a straight line in every stage.

    Example:
        >>> stages = (Stage(4), Stage(4, final_rate=0.0))
        >>> [rate_in_stages(n, stages, peak=0.1, warmup_steps=2) for n in (0, 1, 2, 4, 6, 8)]
        [0.0, 0.05, 0.1, 0.1, 0.05, 0.0]
    """
    if step < warmup_steps:
        return peak * step / warmup_steps
    before, first = 1.0, 0
    for stage in stages:
        end = first + stage.steps
        if step < end:
            begins = max(first, warmup_steps)
            done = (step - begins) / (end - begins)
            return peak * (before + (stage.final_rate - before) * done)
        if end > warmup_steps:  # a stage within warm-up leaves the rate where warm-up puts it
            before = stage.final_rate
        first = end
    return peak * before
