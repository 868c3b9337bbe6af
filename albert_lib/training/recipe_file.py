"""A recipe as a TOML file, stages and all: what a run needs beside its text and its model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from albert_lib.errors import ConfigError
from albert_lib.files import read_toml
from albert_lib.training.recipe import Recipe


def read_recipe(path: str | os.PathLike[str], **changes: Any) -> Recipe:
    r"""Return the recipe in a TOML file, with some fields changed.

    The file has the fields of `Recipe`, those of masking in a table, and a table a stage:

        learning_rate = 0.001
        masking.rate = 0.15

        [[stages]]
        steps = 6000
        masking = {rate = 0.4, mask_probability = 0.9, random_probability = 0.1}

        [[stages]]
        steps = 3000
        num_hidden_layers = 4
        final_rate = 0.0

    `changes` are as in the file; fields of `masking` that it leaves out stay. Raises ConfigError
    naming the file when it cannot be read or says what no recipe can.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "recipe.toml"
        ...     _ = path.write_text("steps = 500\nmasking.rate = 0.4")
        ...     recipe = read_recipe(path, masking={"max_ngram": 1})
        >>> recipe.steps, recipe.masking.rate, recipe.masking.max_ngram
        (500, 0.4, 1)
    """
    return Recipe.from_dict(merged(read_toml(path, ConfigError), changes), str(path))


def merged(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return `values` with the changes; tables are merged field by field.

    Example:
        >>> merged({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}, "d": 4})
        {'a': {'b': 1, 'c': 3}, 'd': 4}
    """
    result = dict(values)
    for name, value in changes.items():
        before = result.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            value = merged(before, value)
        result[name] = value
    return result
