"""How each task is fine-tuned: one recipe a task, the same for every size of the model.

The paper's values are its Table 14. Where Google's published commands do otherwise, the recipe
called "google" has what they do. Three things the two leave alone are worth knowing:

- Body dropout of 0 is the paper's; no fine-tuning script of Google's sets it. They take it from the
  checkpoint, so a base, large or xlarge model of version 1 trains with 0.1 there.
- The scripts for SQuAD 1.1 have no dropout before the head, whatever the table says.
- SQuAD's steps are counted from questions, not from the windows that a long passage is cut into.

The paper's scores are those of the best of all checkpoints of a run, one every 100 steps, by the
development set (google-research/albert issues 30 and 56): a median of several runs' last weights
lies lower.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from albert_lib.errors import ConfigError, quoted
from albert_lib.files import read_toml
from albert_lib.finetuning.models import TASKS, Task
from albert_lib.objectives.draws import check_number, check_seed, check_whole_number
from albert_lib.training.precision import Precision
from albert_lib.training.recipe_fields import RecipeFields

RecipeName = Literal["paper", "google", "small"]
AT_LEAST_ONE = ("steps", "batch_size", "question_length", "advance", "accumulation")
NOT_NEGATIVE = ("warmup_steps", "evaluate_every", "checkpoint_every", "keep_every")
ABOVE_ZERO = ("learning_rate", "eps", "max_grad_norm")
SHORTEST_INPUT = 8  # tokens: special ones and a few of text


def check_choice(name: str, value: object, words: tuple[str, ...]) -> None:
    """Raise ConfigError unless `value` is one of some words.

    Example:
        >>> check_choice("task", "cola", ("sst2", "mnli"))
        Traceback (most recent call last):
        albert_lib.errors.ConfigError: task is 'cola'; make it one of sst2, mnli.
    """
    if not (isinstance(value, str) and value in words):
        raise ConfigError(f"{name} is {quoted(value)}; make it one of {', '.join(words)}.")


@dataclass(frozen=True)
class FinetuningRecipe(RecipeFields):
    """One fine-tuning run: how long, how fast, and how long its inputs are.

    `batch_size` counts the whole batch, over all its parts and all processes; a row of RACE is a
    question with its four options, so 32 of them are 128 sequences. The optimizer is AdamW as
    Google has it, without bias correction. Raises ConfigError for a value that cannot work.

    Example:
        >>> recipe = finetuning_recipe("sst2").replace(steps=300)
        Traceback (most recent call last):
        albert_lib.errors.ConfigError: warmup_steps is 1256; make it at most the 300 steps.
    """

    task: Annotated[Task, "sst2, mnli, race, squad1 or squad2"]
    learning_rate: Annotated[float, "peak learning rate, which the end of warm-up doesn't reach"]
    batch_size: Annotated[int, "rows in a batch, over all parts and processes"]
    steps: Annotated[int, "updates of the weights"]
    warmup_steps: Annotated[int, "steps over which the learning rate rises from 0"]
    max_length: Annotated[int, "tokens in an input, special tokens included"]
    question_length: Annotated[
        int, "of SQuAD's questions, the first so many tokens; of RACE's with option, the last"
    ] = 64
    advance: Annotated[int, "tokens from the start of a window of a passage to the next"] = 128
    body_dropout: Annotated[
        float | None, "dropout inside the encoder; left out: that of the checkpoint"
    ] = 0.0
    head_dropout: Annotated[float, "dropout of what a head reads"] = 0.1
    weight_decay: Annotated[float, "weight decay; biases and LayerNorms have none"] = 0.01
    eps: Annotated[float, "of AdamW: added to the root of the mean squared gradient"] = 1e-6
    max_grad_norm: Annotated[float, "norm to which a larger gradient is clipped"] = 1.0
    seed: Annotated[int, "of the head's first weights, the batches and dropout"] = 0
    precision: Annotated[
        Precision, "of matrix products: float32, bfloat16, or auto: by what the processor offers"
    ] = "auto"
    accumulation: Annotated[int, "gradient accumulation: parts of a batch, to save memory"] = 1
    evaluate_every: Annotated[int, "steps between evaluations; 0: never"] = 100
    checkpoint_every: Annotated[int, "steps between checkpoints; 0: only at the end"] = 100
    keep_every: Annotated[int, "steps between models that are kept in models/; 0: none"] = 0

    def __post_init__(self) -> None:
        check_choice("task", self.task, TASKS)
        check_choice("precision", self.precision, get_args(Precision))
        for name in AT_LEAST_ONE:
            check_whole_number(getattr(self, name), name, least=1)
        for name in NOT_NEGATIVE:
            check_whole_number(getattr(self, name), name, least=0)
        check_whole_number(self.max_length, "max_length", least=SHORTEST_INPUT)
        check_seed(self.seed)
        for name in (*ABOVE_ZERO, "weight_decay", "head_dropout"):
            check_number(getattr(self, name), name)
        for name in ABOVE_ZERO:
            self._require(name, getattr(self, name) > 0, "above 0")
        self._require("weight_decay", self.weight_decay >= 0, "0 or more")
        self._check_dropout("head_dropout", self.head_dropout)
        if self.body_dropout is not None:
            check_number(self.body_dropout, "body_dropout")
            self._check_dropout("body_dropout", self.body_dropout)
        self._require(
            "warmup_steps", self.warmup_steps <= self.steps, f"at most the {self.steps} steps"
        )
        self._require(
            "accumulation", self.accumulation <= self.batch_size, f"at most {self.batch_size} rows"
        )

    def _check_dropout(self, name: str, rate: float) -> None:
        self._require(name, 0 <= rate < 1, "at least 0 and below 1")

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of `step`, counted from 0, as `decay_from_start` has it.

        Example:
            >>> recipe = finetuning_recipe("mnli")
            >>> [f"{recipe.learning_rate_at(step):.3g}" for step in (0, 999, 1000, 10000)]
            ['0', '3e-05', '2.7e-05', '0']
        """
        return decay_from_start(
            step,
            peak=self.learning_rate,
            warmup_steps=self.warmup_steps,
            total_steps=self.steps,
        )

    def model_changes(self) -> dict[str, float]:
        """Return the fields of AlbertConfig that the recipe settles: its dropout rates.

        Example:
            >>> finetuning_recipe("sst2", "google").model_changes()
            {'classifier_dropout_prob': 0.1}
        """
        changes = {"classifier_dropout_prob": float(self.head_dropout)}
        if self.body_dropout is not None:
            for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
                changes[name] = float(self.body_dropout)
        return changes

    def clamped(self, positions: int) -> tuple[FinetuningRecipe, tuple[str, ...]]:
        r"""Return the recipe for a model with so many positions, and a sentence for each change.

        A question may fill half of an input. Windows overlap by half or more, so that an answer
        is whole in one of them. What fits stays as it is.

        Example:
            >>> recipe, changed = finetuning_recipe("race").clamped(128)
            >>> print(*changed, sep="\n")
            max_length is 128 instead of 512: the model has 128 positions.
            question_length is 64 instead of 128: half of an input of 128 tokens.
            advance is 64 instead of 128: half of an input of 128 tokens.
        """
        check_whole_number(positions, "positions", least=SHORTEST_INPUT)
        if self.max_length <= positions:
            return self, ()
        half = positions // 2
        of_input = f"half of an input of {positions} tokens"
        changes = {"max_length": (positions, f"the model has {positions} positions")}
        for name in ("question_length", "advance"):
            changes[name] = (min(getattr(self, name), half), of_input)
        changes = {n: change for n, change in changes.items() if change[0] != getattr(self, n)}
        sentences = tuple(
            f"{name} is {value} instead of {getattr(self, name)}: {reason}."
            for name, (value, reason) in changes.items()
        )
        return self.replace(**{name: value for name, (value, _) in changes.items()}), sentences

    def replace(self, **changes: Any) -> FinetuningRecipe:
        """Return the same recipe with some fields changed.

        Example:
            >>> finetuning_recipe("mnli").replace(batch_size=32).batch_size
            32
        """
        return dataclasses.replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return all fields as JSON values.

        Example:
            >>> finetuning_recipe("squad2").to_dict()["max_length"]
            512
        """
        return dataclasses.asdict(self)


def decay_from_start(step: int, *, peak: float, warmup_steps: int, total_steps: int) -> float:
    """Return Google's learning rate of `step`, counted from 0: it falls before it has risen.

    A straight line from `peak` at step 0 to 0 at `total_steps`, replaced below `warmup_steps` by
    one that rises from 0. The two do not meet: where warm-up ends, the rate drops at once by the
    factor 1 - warmup_steps / total_steps (google-research/albert optimization.py). Pretraining's
    `warmup_linear` has no such jump.

    Example:
        >>> rates = [decay_from_start(n, peak=8.0, warmup_steps=4, total_steps=8) for n in range(9)]
        >>> rates
        [0.0, 2.0, 4.0, 6.0, 4.0, 3.0, 2.0, 1.0, 0.0]
    """
    if step < warmup_steps:
        return peak * step / warmup_steps
    return peak * max(0, total_steps - step) / total_steps


PAPER_RECIPES: dict[str, FinetuningRecipe] = {
    recipe.task: recipe
    for recipe in (
        FinetuningRecipe("sst2", 1e-5, 32, 20935, 1256, 512),
        FinetuningRecipe("mnli", 3e-5, 128, 10000, 1000, 512),
        FinetuningRecipe("squad1", 5e-5, 48, 3649, 365, 384),
        FinetuningRecipe("squad2", 3e-5, 48, 8144, 814, 512),
        FinetuningRecipe("race", 2e-5, 32, 12000, 1000, 512, question_length=128, body_dropout=0.1),
    )
}
# What Google's scripts and the commands in its README do otherwise: the body's dropout is the
# checkpoint's; SQuAD 1.1 rounds its tenth of warm-up down and has no dropout before its head; SQuAD
# 2.0 is two epochs of 130,319 questions.
GOOGLE_DIFFERS: dict[str, dict[str, Any]] = {
    "sst2": {},
    "mnli": {"max_length": 128},
    "squad1": {"warmup_steps": 364, "head_dropout": 0.0},
    "squad2": {"learning_rate": 5e-5, "steps": 5429, "warmup_steps": 542, "max_length": 384},
    "race": {"learning_rate": 1e-5},
}
# For a model of a few million parameters, whose learning rate is several times the paper's, and for
# files of thousands of examples: one epoch of SST-2, five of 7,999 pairs of MNLI, and so on. Its
# inputs have 128 tokens, because albert-mini-en's further positions are nearly untrained.
SMALL_DIFFERS: dict[str, dict[str, Any]] = {
    "sst2": {"learning_rate": 3e-4, "steps": 2105, "warmup_steps": 210},
    "mnli": {"learning_rate": 1e-4, "batch_size": 32, "steps": 1250, "warmup_steps": 250},
    "squad1": {"learning_rate": 3e-4, "batch_size": 32, "steps": 800, "warmup_steps": 80},
    "squad2": {"learning_rate": 3e-4, "batch_size": 32, "steps": 800, "warmup_steps": 80},
    "race": {
        "learning_rate": 1e-4, "batch_size": 8, "steps": 555, "warmup_steps": 56,
        "body_dropout": 0.0,
    },
}  # fmt: skip
SMALL_LENGTHS = {"max_length": 128, "question_length": 64, "advance": 64}


def finetuning_recipe(task: Task, name: RecipeName = "paper") -> FinetuningRecipe:
    """Return a task's recipe: the paper's, what Google's commands do, or one for small models.

    Raises ConfigError for a task or a name that is not known.

    Example:
        >>> finetuning_recipe("squad2").learning_rate, finetuning_recipe("squad2", "google").steps
        (3e-05, 5429)
    """
    check_choice("task", task, TASKS)
    check_choice("name", name, get_args(RecipeName))
    paper = PAPER_RECIPES[task]
    if name == "google":
        return paper.replace(**{"body_dropout": None, **GOOGLE_DIFFERS[task]})
    if name == "small":
        return paper.replace(**{**SMALL_LENGTHS, **SMALL_DIFFERS[task]})
    return paper


def read_finetuning_recipe(
    path: str | os.PathLike[str], task: Task, **changes: Any
) -> FinetuningRecipe:
    r"""Return a task's recipe from a TOML file, with some fields changed.

    The file has fields of `FinetuningRecipe`; those that it leaves out are the paper's, or those
    of the recipe that it names as `like`. Raises ConfigError naming the file when it cannot be
    read, is for another task, or says what no recipe can.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "recipe.toml"
        ...     _ = path.write_text('like = "small"\nlearning_rate = 1e-4')
        ...     recipe = read_finetuning_recipe(path, "sst2", seed=3)
        >>> recipe.learning_rate, recipe.steps, recipe.seed
        (0.0001, 2105, 3)
    """
    values = read_toml(path, ConfigError)
    fields = FinetuningRecipe.__dataclass_fields__
    if wrong := sorted(values.keys() - fields.keys() - {"like"}):
        raise ConfigError(f"{path} has no field {wrong[0]}; it may have like, {', '.join(fields)}.")
    if values.get("task", task) != task:
        raise ConfigError(
            f"{path} is for the task {quoted(values['task'])}, not {task}; name another file."
        )
    name = values.pop("like", "paper")
    try:
        check_choice("like", name, get_args(RecipeName))
        return finetuning_recipe(task, name).replace(**{**values, **changes})
    except ConfigError as problem:
        raise ConfigError(f"{path}: {problem}") from None


def recipe_names() -> Mapping[str, str]:
    """Return the names of the recipes, and where each comes from.

    Example:
        >>> list(recipe_names())
        ['paper', 'google', 'small']
    """
    return {
        "paper": "Table 14 of the paper",
        "google": "the commands and scripts that Google published",
        "small": "for models of a few million parameters, such as albert-mini-en",
    }
