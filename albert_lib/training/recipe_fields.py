"""What the recipes of pretraining and fine-tuning share: their fields say what they mean."""

from __future__ import annotations

import dataclasses
from typing import get_type_hints

from albert_lib.errors import ConfigError


class RecipeFields:
    """Base of a frozen dataclass whose fields are Annotated with their meaning."""

    @classmethod
    def meanings(cls) -> dict[str, str]:
        """Return what every field means, in a few words.

        Example:
            >>> from albert_lib.training import Recipe
            >>> Recipe.meanings()["steps"]
            'updates of the weights'
        """
        hints = get_type_hints(cls, include_extras=True)
        names = [field.name for field in dataclasses.fields(cls)]  # type: ignore[arg-type]
        return {name: hints[name].__metadata__[0] for name in names}

    def _require(self, name: str, holds: bool, requirement: str) -> None:
        """Raise ConfigError with a field's value and what it must be, unless that holds."""
        if not holds:
            raise ConfigError(f"{name} is {getattr(self, name)!r}; make it {requirement}.")
