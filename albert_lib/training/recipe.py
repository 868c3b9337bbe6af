"""Everything that decides how a pretraining run goes, beside the model and the text."""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import Annotated, Any, Literal, get_args

from albert_lib.errors import ConfigError
from albert_lib.objectives import MaskingConfig, PairObjective
from albert_lib.training.precision import Precision
from albert_lib.training.recipe_fields import RecipeFields
from albert_lib.training.stages import Stage, built, rate_in_stages

OptimizerName = Literal["lamb", "adamw", "muon"]
CHOICES = {"optimizer": OptimizerName, "precision": Precision, "pair_objective": PairObjective}
AT_LEAST_ONE = ("steps", "batch_size", "sequence_length", "accumulation", "evaluation_batches")
NOT_NEGATIVE = (
    "warmup_steps", "weight_decay", "seed", "evaluate_every", "checkpoint_every", "keep_every",
)  # fmt: skip
NESTED = ("masking", "stages")  # fields that are no single number or word
POSITIVE = ("learning_rate", "max_grad_norm")


@dataclass(frozen=True)
class Recipe(RecipeFields):
    """One pretraining run: how long, how fast, on what examples.

    The defaults are sized for a small model and minutes on two CPU cores. The paper's own are
    steps=125_000, batch_size=4096, sequence_length=512, learning_rate=0.00176 (section 4.1); of
    warm-up it says nothing, and the command in Google's README has 3,125 steps. `batch_size` counts
    the whole batch, over all its parts and all processes. Held-out text is masked and cut as the
    recipe says, whatever a stage does, so that a run has one curve. Raises ConfigError for values
    of another type and for values that cannot work together.

    Example:
        >>> recipe = Recipe(steps=200, warmup_steps=20)
        >>> recipe.replace(steps=10)
        Traceback (most recent call last):
        albert_lib.errors.ConfigError: warmup_steps is 20; make it at most the 10 steps.
    """

    steps: Annotated[int, "updates of the weights"] = 1000
    batch_size: Annotated[int, "sequences in a batch, over all parts and processes"] = 32
    sequence_length: Annotated[int, "tokens in a sequence, special tokens included"] = 64
    learning_rate: Annotated[float, "peak learning rate, reached at the end of warm-up"] = 0.005
    warmup_steps: Annotated[int, "steps over which the learning rate rises from 0"] = 100
    optimizer: Annotated[OptimizerName, "lamb (the paper's), adamw or muon"] = "lamb"
    weight_decay: Annotated[float, "weight decay; biases and LayerNorms have none"] = 0.01
    max_grad_norm: Annotated[float, "norm to which a larger gradient is clipped"] = 1.0
    masking: Annotated[MaskingConfig, "which tokens are masked, and what replaces them"] = field(
        default_factory=MaskingConfig
    )
    pair_objective: Annotated[
        PairObjective,
        "sop (the paper's: are the segments in order?), nsp (BERT's: do they follow each other?) "
        "or none",
    ] = "sop"
    short_sequence_probability: Annotated[
        float, "probability that a document is read in shorter pairs"
    ] = 0.1
    seed: Annotated[int, "seed of the batches and of dropout; the weights have their own"] = 0
    precision: Annotated[
        Precision, "of matrix products: float32, bfloat16, or auto: by what the processor offers"
    ] = "auto"
    accumulation: Annotated[int, "gradient accumulation: parts of a batch, to save memory"] = 1
    compile: Annotated[bool, "use torch.compile; needs a C++ compiler"] = False
    evaluate_every: Annotated[int, "steps between evaluations; 0: never"] = 100
    evaluation_batches: Annotated[int, "held-out batches in each evaluation"] = 16
    checkpoint_every: Annotated[int, "steps between checkpoints; 0: only at the end"] = 100
    keep_every: Annotated[int, "steps between models that are kept in models/; 0: none"] = 0
    stages: Annotated[tuple[Stage, ...], "what changes along the way (stages.py)"] = ()
    average_decay: Annotated[
        float, "of a running mean of the weights, which is evaluated and saved; 0: none"
    ] = 0.0
    unigram_bias: Annotated[
        bool, "start the MLM head's output bias at the log frequencies of the tokens"
    ] = False

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            if isinstance(each.default, (bool, int, float)):
                checked = self._checked_number(each.name, type(each.default))
                object.__setattr__(self, each.name, checked)
        if not isinstance(self.masking, MaskingConfig):
            raise ConfigError(f"masking is {self.masking!r}; make it a MaskingConfig.")
        self._check_ranges()
        self._check_stages()
        for name, allowed in CHOICES.items():
            words = get_args(allowed)
            self._require(name, getattr(self, name) in words, f"one of {', '.join(words)}")

    def _checked_number(self, name: str, kind: type) -> bool | int | float:
        """Return a field's value as Python's own number; ConfigError for another type."""
        value = getattr(self, name)
        is_bool = isinstance(value, bool)
        if kind is bool:
            self._require(name, is_bool, "True or False")
            return bool(value)
        if kind is int:
            is_whole = not is_bool and hasattr(value, "__index__")
            self._require(name, is_whole, "a whole number")
            self._require(name, abs(operator.index(value)) < 2**63, "a number below 2⁶³")
            return operator.index(value)
        is_finite = not is_bool and isinstance(value, Real) and math.isfinite(value)
        self._require(name, is_finite, "a finite number")
        return float(value)

    def _check_ranges(self) -> None:
        for name in AT_LEAST_ONE:
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in NOT_NEGATIVE:
            self._require(name, getattr(self, name) >= 0, "0 or more")
        for name in POSITIVE:
            self._require(name, getattr(self, name) > 0, "above 0")
        self._require("average_decay", 0 <= self.average_decay < 1, "at least 0 and below 1")
        is_probability = 0 <= self.short_sequence_probability <= 1
        self._require("short_sequence_probability", is_probability, "between 0 and 1")
        self._require(
            "warmup_steps", self.warmup_steps <= self.steps, f"at most the {self.steps} steps"
        )
        self._require(
            "accumulation", self.accumulation <= self.batch_size, f"at most {self.batch_size} rows"
        )

    def _check_stages(self) -> None:
        object.__setattr__(self, "stages", tuple(self.stages))
        for stage in self.stages:
            if not isinstance(stage, Stage):
                raise ConfigError(f"stages has {stage!r}; give it Stage(steps=...) objects.")
        together = sum(stage.steps for stage in self.stages)
        if self.stages and together != self.steps:
            raise ConfigError(
                f"steps is {self.steps}, but the stages have {together} together; make the two "
                f"the same."
            )

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of `step`, counted from 0.

        With stages it is `rate_in_stages`, else `warmup_linear`.

        Example:
            >>> recipe = Recipe(steps=100, warmup_steps=10, learning_rate=0.01)
            >>> [recipe.learning_rate_at(step) for step in (0, 10, 100)]
            [0.0, 0.01, 0.0]
        """
        peak, warmup_steps = self.learning_rate, self.warmup_steps
        if self.stages:
            return rate_in_stages(step, self.stages, peak=peak, warmup_steps=warmup_steps)
        return warmup_linear(step, peak=peak, warmup_steps=warmup_steps, total_steps=self.steps)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "The recipe") -> Recipe:
        """Return the recipe of a dict such as `to_dict` gives; what is left out is the default.

        With stages, steps may be left out too: they are those of the stages. Raises ConfigError,
        beginning with `source`, for a field that a recipe doesn't have and for a wrong value.

        Example:
            >>> stages = [{"steps": 6}, {"steps": 3, "masking": {"rate": 0.4}}]
            >>> recipe = Recipe.from_dict({"warmup_steps": 2, "stages": stages})
            >>> recipe.steps, recipe.stages[1].masking.rate
            (9, 0.4)
        """
        given = dict(values)
        if wrong := sorted(given.keys() - cls.__dataclass_fields__):
            raise ConfigError(
                f"{source} has no field {wrong[0]}; it has {', '.join(cls.__dataclass_fields__)}."
            )
        tables = given.get("stages", ())
        if not (isinstance(tables, list | tuple) and all(isinstance(t, Mapping) for t in tables)):
            raise ConfigError(f"{source}: stages is {tables!r}; make it a list of tables.")
        given["stages"] = tuple(
            Stage.from_dict(table, f"{source}: stage {number}")
            for number, table in enumerate(tables, 1)
        )
        if given["stages"]:
            given.setdefault("steps", sum(stage.steps for stage in given["stages"]))
        return built(cls, given, source)

    def replace(self, **changes: Any) -> Recipe:
        """Return the same recipe with some fields changed.

        Example:
            >>> Recipe().replace(optimizer="muon").optimizer
            'muon'
        """
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON values; those of masking and of every stage are dicts.

        Example:
            >>> Recipe(steps=200).to_dict()["steps"]
            200
        """
        values = dataclasses.asdict(self)
        return {**values, "stages": list(values["stages"])}


def warmup_linear(step: int, *, peak: float, warmup_steps: int, total_steps: int) -> float:
    """Return the learning rate used at `step`, counted from 0.

    It rises from 0 at step 0 to `peak` at `warmup_steps`, then falls to 0 at `total_steps`
    (google-research/albert's README: 3,125 of 125,000 steps are warm-up). The same schedule as
    transformers' get_linear_schedule_with_warmup. In Google's code the decay begins at step 0, so
    that the rate drops by warmup_steps / total_steps of the peak where warm-up ends.

    Example:
        >>> [warmup_linear(n, peak=0.1, warmup_steps=2, total_steps=6) for n in range(0, 7, 2)]
        [0.0, 0.1, 0.05, 0.0]
    """
    if step < warmup_steps:
        return peak * step / warmup_steps
    remaining = max(0, total_steps - step)
    return peak * remaining / max(1, total_steps - warmup_steps)
