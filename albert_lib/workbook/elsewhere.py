"""A function that runs in another process, as a check meets it while a class is graded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Call = tuple[Sequence[Any], dict[str, Any]]  # what is passed by position, and by name


class StoppedElsewhere(Exception):
    """What stopped a function that runs in another process.

    Its text is what is said of the function: "your function raised …"; `place` is the line of the
    function where that happened, if it is known.
    """

    def __init__(self, said: str, place: str | None = None) -> None:
        super().__init__(said)
        self.place = place


class FunctionElsewhere:
    """A function whose calls go to another process; one that knows what comes next is quicker."""

    def __call__(self, *positional: Any, **named: Any) -> Any:
        """What the function answers there; StoppedElsewhere where it raises."""
        raise NotImplementedError

    def foresee(self, calls: Sequence[Call]) -> None:
        """Be told that the next calls will be these, in this order, unless one of them raises."""
        raise NotImplementedError
