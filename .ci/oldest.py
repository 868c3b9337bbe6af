"""Check that a list of the lowest versions is what pyproject.toml calls lowest.

    uv pip compile --resolution lowest-direct --extra test pyproject.toml -o build/oldest.txt
    python .ci/oldest.py build/oldest.txt

A lower bound that another package forbids is never installed, so it is never tested: it is named
here, with the version to raise it to.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def direct_requirements() -> list[Requirement]:
    """What the package and its test extra ask for on this machine."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    requirements = map(Requirement, lines)
    return [each for each in requirements if each.marker is None or each.marker.evaluate()]


def untested_bounds(resolved: dict[str, Version]) -> list[str]:
    """A sentence for every lower bound that the resolved versions do not reach."""
    problems = []
    for requirement in direct_requirements():
        bounds = [each.version for each in requirement.specifier if each.operator == ">="]
        installed = resolved[canonicalize_name(requirement.name)]
        if not bounds:
            problems.append(f"{requirement.name} has no lower bound; write >={installed}.")
        elif max(map(Version, bounds)) != installed:
            problems.append(
                f"{requirement.name}>={bounds[0]} cannot be installed with the rest; write "
                f">={installed}."
            )
    return problems


def main(path: str) -> int:
    """Print what is wrong; 0 if nothing is."""
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    pins = [line.partition(";")[0].strip().split("==") for line in lines if "==" in line]
    problems = untested_bounds({canonicalize_name(name): Version(pin) for name, pin in pins})
    print("\n".join(problems) or "Every lower bound of pyproject.toml is the version installed.")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
