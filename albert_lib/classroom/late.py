"""Points for being late, by a rule in a file."""

from __future__ import annotations

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from albert_lib.errors import AlbertLibError
from albert_lib.files import read_toml

NUMBERS = ("grace_minutes", "percent_a_day", "most_percent")


class LateRuleError(AlbertLibError, ValueError):
    """A file of late points that cannot be read as one."""


@dataclass(frozen=True)
class LateRule:
    """When each assignment is due, and what a day of lateness costs, in percent of the points won.

    A day that has begun counts as a whole one; up to `grace_minutes` nothing is lost.

    Example:
        >>> noon = datetime.datetime(2027, 1, 8, 12, tzinfo=datetime.UTC)
        >>> rule = LateRule({"02_masking": noon}, percent_a_day=10.0, most_percent=50.0)
        >>> rule.points_lost("02_masking", noon + datetime.timedelta(hours=25), points=9.0)
        1.8
    """

    due: Mapping[str, datetime.datetime] = field(default_factory=dict)
    grace_minutes: float = 0.0
    percent_a_day: float = 0.0
    most_percent: float = 100.0

    def points_lost(
        self, assignment: str, handed_in: datetime.datetime | None, points: float
    ) -> float:
        """What of these points is lost; nothing where a time is not known."""
        due = self.due.get(assignment)
        if due is None or handed_in is None:
            return 0.0
        late = handed_in - due
        if late <= datetime.timedelta(minutes=self.grace_minutes):
            return 0.0
        days = math.ceil(late / datetime.timedelta(days=1))
        return round(points * min(self.most_percent, days * self.percent_a_day) / 100, 6)

    @classmethod
    def from_file(cls, file: Path) -> LateRule:
        """Read a rule from TOML: a table `due` of times, and numbers in a table `late`.

        A time without a zone is one of this machine's. Raises LateRuleError for anything else.
        """
        held = read_toml(file, LateRuleError)
        due, late = held.get("due", {}), held.get("late", {})
        wrong = [name for name in held if name not in ("due", "late")]
        wrong += [name for name in late if name not in NUMBERS]
        wrong += [name for name, value in late.items() if not _is_share(name, value)]
        wrong += [name for name, at in due.items() if not isinstance(at, datetime.datetime)]
        if wrong:
            raise LateRuleError(
                f"{file}: {wrong[0]!r} is none of its settings, or has no such value; it takes "
                f"[due] with a date and time for each assignment, and [late] with "
                f"{', '.join(NUMBERS)}, which are numbers from 0."
            )
        times = {name: at if at.tzinfo else at.astimezone() for name, at in due.items()}
        return cls(times, **{name: float(value) for name, value in late.items()})


def _is_share(name: str, value: Any) -> bool:
    most = math.inf if name == "grace_minutes" else 100
    return type(value) in (int, float) and 0 <= value <= most
