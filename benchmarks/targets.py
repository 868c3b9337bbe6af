"""What every benchmark prints: a figure beside its target, and whether it was reached."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

COLLECT = "ALBERT_LIB_BENCH_FIGURES"  # a file to add the figures to, a JSON object a line


@dataclass(frozen=True)
class Figure:
    """One measured figure; `target` is None where nothing is asked of it on this machine."""

    name: str
    value: float
    relation: str  # ">=" or "<="
    target: float | None

    @property
    def reached(self) -> bool:
        """Whether the figure is on the right side of its target; a NaN never is."""
        if self.target is None:
            return True
        return self.value >= self.target if self.relation == ">=" else self.value <= self.target

    def __str__(self) -> str:
        words = f"{self.name}: {self.value:,.4g}"
        if self.target is None:
            return f"{words} (no target on this machine)"
        verdict = "reached" if self.reached else "MISSED"
        return f"{words} (target {self.relation} {self.target:,.4g}: {verdict})"


@dataclass
class Report:
    """The figures of one command, printed as they come."""

    figures: list[Figure] = field(default_factory=list)

    def title(self, text: str) -> None:
        """Print a line that begins a paragraph."""
        print(text, flush=True)

    def line(self, text: str) -> None:
        """Print a line below it."""
        print(f"  {text}", flush=True)

    def at_least(self, name: str, value: float, target: float | None) -> None:
        """Add a figure that should not be smaller than `target`."""
        self._add(Figure(name, value, ">=", target))

    def at_most(self, name: str, value: float, target: float | None) -> None:
        """Add a figure that should not be larger than `target`."""
        self._add(Figure(name, value, "<=", target))

    def _add(self, figure: Figure) -> None:
        self.figures.append(figure)
        self.line(str(figure))
        if collected := os.environ.get(COLLECT):
            with Path(collected).open("a", encoding="utf-8") as file:
                print(json.dumps(asdict(figure)), file=file)

    def close(self) -> int:
        """Say what was missed; return the exit status, 1 where anything was."""
        missed = [figure for figure in self.figures if not figure.reached]
        for figure in missed:
            print(f"missed: {figure}", flush=True)
        return 1 if missed else 0


def peak_memory() -> float:
    """Megabytes of memory that this process has had resident at most."""
    try:
        import resource
    except ImportError:  # Windows has none; a figure that cannot be had misses its target
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1e6 if sys.platform == "darwin" else 1e3)  # bytes there, kilobytes elsewhere
