"""finetuning.json beside a fine-tuned model: how long its inputs were, when it says nothing."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from albert_lib.errors import ConfigError
from albert_lib.files import read_json, write_json
from albert_lib.finetuning.recipes import FinetuningRecipe

FINETUNING_FILE = "finetuning.json"
LENGTHS = ("max_length", "question_length", "advance")
THRESHOLD = "null_threshold"
BEYOND_ALL = 1e9  # above every margin


def finite(margin: float) -> float:
    """A margin or threshold that JSON can hold: infinity, where nothing decides, as 10⁹."""
    return min(max(margin, -BEYOND_ALL), BEYOND_ALL)


def save_settings(folder: Path, recipe: FinetuningRecipe, **more: float | int) -> None:
    """Write the task, the lengths of the recipe, and more numbers such as the null threshold."""
    lengths = {name: getattr(recipe, name) for name in LENGTHS}
    write_json(folder / FINETUNING_FILE, {"task": recipe.task, **lengths, **more})


def load_settings(folder: Path, recipe: FinetuningRecipe) -> tuple[FinetuningRecipe, float | None]:
    """The recipe with the lengths of the model's own training, and its threshold, if it has them.

    Raises ConfigError for a model of another task and for what is no number.
    """
    file = folder / FINETUNING_FILE
    if not file.is_file():
        return recipe, None
    settings = read_json(file, ConfigError)
    if not isinstance(settings, dict) or settings.get("task") != recipe.task:
        raise ConfigError(f"{file} is not of a model for {recipe.task}; name the task it says.")
    try:
        recipe = recipe.replace(**{name: settings[name] for name in LENGTHS if name in settings})
    except (ConfigError, TypeError) as problem:
        raise ConfigError(f"{file}: {problem}") from None
    return recipe, _threshold(file, settings)


def _threshold(file: Path, settings: dict[str, Any]) -> float | None:
    value = settings.get(THRESHOLD)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"{file}: {THRESHOLD} is {value!r}; make it a finite number.")
    return float(value)
