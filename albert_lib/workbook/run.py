"""Run notebooks without a browser, within their budgets.

`python -m albert_lib.workbook.run [--write] [--html build] [NOTEBOOK …]` prints one line per
notebook, with its seconds and its budget, and exits with status 1 when a cell fails or a budget
is exceeded.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from albert_lib.errors import WriteError, counted
from albert_lib.files import new_file, project_folder, ready_to_write
from albert_lib.workbook.canonical import canonical
from albert_lib.workbook.notebook_page import write_page

DEFAULT_BUDGET = 180  # seconds per notebook without albert.budget_seconds in its metadata
COURSE_BUDGET = 720  # seconds for chapters 1 to 6 together
COURSE = re.compile(r"0[1-6]_")
PATIENCE = 4  # budgets after which a cell is stopped: a slow machine is not an error


@dataclass(frozen=True)
class NotebookRun:
    """The run of one notebook: its outputs, its seconds, and the problem, if there was one."""

    path: Path
    notebook: NotebookNode
    seconds: float
    problem: str | None

    @property
    def budget(self) -> float:
        """The seconds the notebook may take."""
        return budget_of(self.notebook)

    @property
    def in_time(self) -> bool:
        """Whether the run stayed within its budget."""
        return self.seconds <= self.budget


def budget_of(notebook: NotebookNode) -> float:
    """The seconds a notebook may take: its metadata's albert.budget_seconds, or 180."""
    return float(notebook.metadata.get("albert", {}).get("budget_seconds", DEFAULT_BUDGET))


def run_notebook(path: Path) -> NotebookRun:
    """Execute the notebook at `path` in a fresh kernel and its own folder; the file is unchanged.

    A cell that raises stops the notebook, unless it has the tag raises-exception.
    """
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=PATIENCE * budget_of(notebook),
        kernel_name="python3",
        # Without this, the kernel's warning about unencrypted connections would break a line.
        extra_arguments=["--IPKernelApp.log_level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    started = time.perf_counter()
    problem = None
    try:
        client.execute()
    except CellExecutionError as error:
        problem = f"{error.ename}: {error.evalue}"
    except (CellTimeoutError, DeadKernelError) as error:
        problem = str(error).strip().splitlines()[0]
    return NotebookRun(path, notebook, time.perf_counter() - started, problem)


def write_notebook(path: Path, notebook: NotebookNode) -> None:
    """Replace the file at `path` in one step."""
    with new_file(path) as file:
        file.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the notebooks named on the command line, or all; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m albert_lib.workbook.run", description="Run notebooks without a browser."
    )
    parser.add_argument("notebooks", nargs="*", type=Path, help="by default all of notebooks/")
    parser.add_argument("--write", action="store_true", help="store the outputs in the notebooks")
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="write HTML pages there")
    options = parser.parse_args(arguments)
    paths = options.notebooks or sorted((project_folder() / "notebooks").glob("[0-9]*.ipynb"))
    if not paths:
        parser.error("there is no notebook in notebooks/; name one.")
    missing = [str(path) for path in paths if not path.is_file()]
    if missing:
        parser.error(f"{missing[0]} does not exist; name notebooks, or none to run them all.")

    try:
        for folder in {path.parent for path in paths if options.write} | {
            *filter(None, [options.html])
        }:
            ready_to_write(folder)  # now, and not after the minutes of a notebook
        return summary(list(run_all(paths, options)))
    except WriteError as problem:
        print(problem, file=sys.stderr)
        return 2


def run_all(paths: Sequence[Path], options: argparse.Namespace) -> Iterator[NotebookRun]:
    """Run one notebook after another, a line each; store and publish as the options say."""
    for path in paths:
        print(f"{path.stem:<32}", end="", flush=True)
        run = run_notebook(path)
        print(verdict(run), flush=True)
        if options.html:
            write_page(options.html, path, run.notebook)
        if options.write and run.problem is None:
            write_notebook(path, canonical(run.notebook))
        yield run


def verdict(run: NotebookRun) -> str:
    """The seconds, the budget and any problem of one notebook, in one line."""
    took = f"{run.seconds:5.0f} s of {run.budget:.0f} s"
    if run.problem is not None:
        return f"{took}  FAILED: {run.problem}"
    return took if run.in_time else f"{took}  OVER BUDGET"


def _what_to_do(runs: Sequence[NotebookRun]) -> str:
    """What a person does about a budget that was passed."""
    late = [run.path.name for run in runs if not run.in_time] or ["chapters 1 to 6 together"]
    threads = os.environ.get("OMP_NUM_THREADS")
    told = (
        f"OMP_NUM_THREADS is {threads} here: leave it unset, so that every core works"
        if threads
        else f"this machine has {counted(os.cpu_count() or 1, 'core')}, the budgets are for two"
    )
    return (
        f"Too late: {', '.join(late)}. Close other programs and run it again alone; {told}. If it "
        f"is late on a quiet machine as well, make it quicker, or raise its limit: "
        f"albert.budget_seconds in the notebook's metadata ({DEFAULT_BUDGET} s without one), and "
        f"COURSE_BUDGET in albert_lib/workbook/run.py for chapters 1 to 6."
    )


def summary(runs: Sequence[NotebookRun]) -> int:
    """Print the closing line; return 1 if anything failed or took too long."""
    course = sum(run.seconds for run in runs if COURSE.match(run.path.name))
    failed = sum(run.problem is not None for run in runs)
    late = sum(not run.in_time for run in runs)
    total = sum(run.seconds for run in runs)
    line = (
        f"{counted(len(runs), 'notebook')} in {total:.0f} s, chapters 1 to 6 in {course:.0f} s of "
    )
    line += f"{COURSE_BUDGET} s; {failed} failed, {late} over budget."
    print(line)
    if late or course > COURSE_BUDGET:
        print(_what_to_do(runs))
    return int(bool(failed or late or course > COURSE_BUDGET))


if __name__ == "__main__":
    sys.exit(main())
