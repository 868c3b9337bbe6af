"""Whether the notebooks kept their time budgets in a test run that wrote a JUnit file.

python .ci/budgets.py build/notebooks.xml

nbval has run every cell already; running all notebooks again with `make run` would take minutes
to say the same. Exits with 1 when a budget was passed or a notebook is missing from the file.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from xml.etree import ElementTree

import nbformat

from albert_lib.files import project_folder
from albert_lib.workbook.run import NotebookRun, summary, verdict


def main(report: str) -> int:
    """Print one line a notebook and return the exit status."""
    seconds: dict[str, float] = defaultdict(float)
    for cell in ElementTree.parse(report).iter("testcase"):
        seconds[cell.attrib["classname"]] += float(cell.attrib["time"])
    runs = []
    for path in sorted((project_folder() / "notebooks").glob("[0-9]*.ipynb")):
        took = seconds.get(f"notebooks.{path.name}")
        problem = "not in the report" if took is None else None
        runs.append(NotebookRun(path, nbformat.read(path, as_version=4), took or 0.0, problem))
        print(f"{path.stem:<32}{verdict(runs[-1])}")
    return summary(runs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
