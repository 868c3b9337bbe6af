"""Everything that decides how a pretraining run goes, beside the model and the text."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, get_args, get_type_hints

from albert_lib.errors import ConfigError
from albert_lib.objectives import MaskingConfig, PairObjective

OptimizerName = Literal["lamb", "adamw", "muon"]
Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class Recipe:
    """One pretraining run: how long, how fast, on what examples.

    The defaults are sized for a small model and minutes on two CPU cores. The paper's own are
    steps=125_000, batch_size=4096, sequence_length=512, learning_rate=0.00176,
    warmup_steps=3125 (section 4.1). `batch_size` counts the whole batch, over all its parts and
    all processes. Raises ConfigError when values cannot work together.
    """

    steps: Annotated[int, "how many updates of the weights"] = 1000
    batch_size: Annotated[int, "sequences in a batch"] = 32
    sequence_length: Annotated[int, "pieces in a sequence, specials included"] = 64
    learning_rate: Annotated[float, "the highest rate, at the end of warm-up"] = 0.005
    warmup_steps: Annotated[int, "steps over which the rate climbs from 0"] = 100
    optimizer: Annotated[OptimizerName, "lamb (the paper's), adamw or muon"] = "lamb"
    weight_decay: Annotated[float, "pull of weights towards 0; spares biases and LayerNorms"] = 0.01
    max_grad_norm: Annotated[float, "length to which a longer gradient is cut"] = 1.0
    masking: Annotated[MaskingConfig, "how pieces are chosen and hidden"] = field(
        default_factory=MaskingConfig
    )
    pair_objective: Annotated[
        PairObjective,
        "sop (the paper's: is the order kept?), nsp (BERT's: do they follow?) or none",
    ] = "sop"
    short_sequence_probability: Annotated[float, "share of documents read in shorter pairs"] = 0.1
    seed: Annotated[int, "of the batches and of dropout; the weights have theirs already"] = 0
    precision: Annotated[Precision, "of matrix products; auto measures the machine"] = "auto"
    accumulation: Annotated[int, "parts of a batch worked through in turn, to save memory"] = 1
    compile: Annotated[bool, "let torch.compile rewrite the model; takes a C++ compiler"] = False
    evaluate_every: Annotated[int, "steps between looks at held-out text; 0: never"] = 100
    evaluation_batches: Annotated[int, "held-out batches in each look"] = 16
    checkpoint_every: Annotated[int, "steps between checkpoints; 0: only when done"] = 100

    def __post_init__(self) -> None:
        counts = ("steps", "batch_size", "sequence_length", "accumulation", "evaluation_batches")
        for name in counts:
            self._require(name, getattr(self, name) >= 1, "at least 1")
        for name in ("warmup_steps", "weight_decay", "seed", "evaluate_every", "checkpoint_every"):
            self._require(name, getattr(self, name) >= 0, "0 or more")
        is_share = 0 <= self.short_sequence_probability <= 1
        self._require("short_sequence_probability", is_share, "between 0 and 1")
        for name in ("learning_rate", "max_grad_norm"):
            self._require(name, getattr(self, name) > 0, "above 0")
        self._require(
            "warmup_steps", self.warmup_steps <= self.steps, f"at most the {self.steps} steps"
        )
        self._require(
            "accumulation", self.accumulation <= self.batch_size, f"at most {self.batch_size} rows"
        )
        for name, allowed in (
            ("optimizer", OptimizerName),
            ("precision", Precision),
            ("pair_objective", PairObjective),
        ):
            words = get_args(allowed)
            self._require(name, getattr(self, name) in words, f"one of {', '.join(words)}")

    def _require(self, name: str, holds: bool, requirement: str) -> None:
        if not holds:
            raise ConfigError(f"{name} is {getattr(self, name)!r}; make it {requirement}.")

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return what every field means, in a few words."""
        hints = get_type_hints(cls, include_extras=True)
        return {name: hints[name].__metadata__[0] for name in cls.__dataclass_fields__}

    def replace(self, **changes: Any) -> Recipe:
        """Return the same recipe with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON values, masking's own among them as a dict."""
        return dataclasses.asdict(self)
