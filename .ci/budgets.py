"""Whether the notebooks kept their time budgets in a test run that wrote a JUnit file.

python .ci/budgets.py build/tests.xml

nbval has run every cell already; running all notebooks again with `make run` would take minutes
to say the same. Exits with 1 when a budget was passed by more than a fifth, since the speed of a
shared machine moves (the same notebook took 134 and 165 seconds within an hour), or when a notebook
is missing from the file. `make run` makes no such allowance.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from xml.etree import ElementTree

import nbformat

from albert_lib.files import project_folder
from albert_lib.workbook.run import COURSE, COURSE_BUDGET, Run, summary, verdict

ALLOWANCE = 1.2


def main(report: str) -> int:
    """Print one line a notebook and return the exit status."""
    seconds: dict[str, float] = defaultdict(float)
    for cell in ElementTree.parse(report).iter("testcase"):
        seconds[cell.attrib["classname"]] += float(cell.attrib["time"])
    runs = []
    for path in sorted((project_folder() / "notebooks").glob("[0-9]*.ipynb")):
        took = seconds.get(f"notebooks.{path.name}")
        problem = "not in the report" if took is None else None
        runs.append(Run(path, nbformat.read(path, as_version=4), took or 0.0, problem))
        print(f"{path.stem:<32}{verdict(runs[-1])}")
    summary(runs)
    failed = any(run.problem or run.seconds > ALLOWANCE * run.budget for run in runs)
    course = sum(run.seconds for run in runs if COURSE.match(run.path.name))
    return int(failed or course > ALLOWANCE * COURSE_BUDGET)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
