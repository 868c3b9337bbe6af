"""Notebooks run without a browser: outputs kept in one form, budgets, errors, pages, nbval."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from albert_lib.files import project_folder
from albert_lib.workbook import run
from albert_lib.workbook.canonical import KERNEL, WIDGET_VIEW, canonical

ONE_OF_EVERYTHING = [
    "import matplotlib.pyplot as plt\n"
    "from albert_lib.workbook import band, choice, explorer, here, hint\n"
    "from albert_lib.workbook import quiz, reveal, show, slider",
    "figure, axes = plt.subplots()\nshow(figure, f'Empty axes {here(0.3)}.')",
    "import time\nband('seconds', time.time() % 60, 0, 60, 's')",
    "quiz('2.2')",
    "def draw(share, kind):\n"
    "    figure, axes = plt.subplots()\n"
    "    axes.bar(['a', 'b'], [share, 1 - share])\n"
    "    return figure, f'Two bars, {share:.2f}, {kind}.'\n\n\n"
    "dial = slider('share', 0.15, 0.05, 0.5, 0.05)\n"
    "explorer(draw, share=dial, kind=choice('kind', ['one', 'two']))",
    "dial.value = 0.3",
    "def mlm_loss(logits, labels):\n    raise NotImplementedError",
    "from albert_lib.workbook import check\n\ncheck('4.3', mlm_loss)",
    "hint('4.3')\nreveal('4.3')",
    "from tqdm.auto import tqdm\n\nfor _ in tqdm(range(3)):\n    print('step')",
]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernels, too, use the package in this folder."""
    paths = [str(project_folder()), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


def write(path: Path, *sources: str, **metadata: Any) -> Path:
    cells = [new_markdown_cell("# Test\n\n[on](02_next.ipynb#top)"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells, metadata=metadata), path)
    return path


def test_one_of_everything_is_stored_canonically_and_passes_nbval(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "01_all.ipynb", *ONE_OF_EVERYTHING)
    assert run.main(["--write", "--html", str(tmp_path / "build"), str(path)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("01_all") and "s of 180 s" in out and "0 failed" in out

    stored = path.read_text(encoding="utf-8")
    assert WIDGET_VIEW not in stored and '"widgets"' not in stored and '"version"' not in stored
    notebook = nbformat.reads(stored, as_version=4)
    assert all(cell.execution_count for cell in notebook.cells if cell.cell_type == "code")
    assert [output.get("name") for output in notebook.cells[-1].outputs].count("stdout") == 1

    page = (tmp_path / "build" / "01_all.html").read_text(encoding="utf-8")
    assert 'href="02_next.html#top"' in page and "2 spans of 3 words are 6 words" in page
    assert 'alt="Two bars, 0.15, one."' in page and "0/3" not in page

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval"]
    command += ["--nbval-current-env", "-c", os.devnull, "--rootdir", str(tmp_path), str(path)]
    settings = project_folder() / "tests" / "notebooks" / "nbval.cfg"
    command += [f"--nbval-sanitize-with={settings}"]
    outcome = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert f"{len(ONE_OF_EVERYTHING)} passed" in outcome.stdout, outcome.stdout


def test_cell_that_fails_and_budget_that_is_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = write(tmp_path / "01_bad.ipynb", "1 / 0", "print('never')")
    slow = write(tmp_path / "02_slow.ipynb", "1 + 1", albert={"budget_seconds": 0.01})
    slow_before = slow.read_bytes()
    monkeypatch.setattr(run, "PATIENCE", 6000)  # so that it is late, not given up
    assert run.main([str(bad), str(slow)]) == 1
    first, second, last, advice = capsys.readouterr().out.splitlines()
    assert "FAILED: ZeroDivisionError: division by zero" in first
    assert "OVER BUDGET" in second
    assert "1 failed, 1 over budget" in last
    assert advice.startswith("Too late: 02_slow.ipynb. Close other programs and run it again")
    assert "albert.budget_seconds in the notebook's metadata (180 s without one)" in advice
    assert slow.read_bytes() == slow_before


@pytest.mark.parametrize(("threads", "told"), [("1", "is 1 here: leave it unset"), (None, " core")])
def test_advice_on_a_passed_budget_knows_the_threads(
    threads: str | None, told: str, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if threads:
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
    late = [
        run.NotebookRun(Path(f"0{n}_a.ipynb"), new_notebook(), 150.0, None) for n in range(1, 7)
    ]
    assert run.summary(late) == 1
    out = capsys.readouterr().out
    assert "Too late: chapters 1 to 6 together." in out and told in out


def test_course_has_a_budget_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    def took(name: str, seconds: float) -> run.NotebookRun:
        return run.NotebookRun(Path(name), new_notebook(), seconds, None)

    assert run.summary([took(f"0{n}_a.ipynb", 119.0) for n in range(1, 7)]) == 0
    assert run.summary([took(f"0{n}_a.ipynb", 121.0) for n in range(1, 7)]) == 1
    assert run.summary([took(f"0{n}_a.ipynb", 121.0) for n in (0, 1, 2, 3, 4, 5, 7)]) == 0


def test_missing_notebook_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run.main([str(tmp_path / "none.ipynb")])
    assert "does not exist" in capsys.readouterr().err


def test_pages_that_cannot_be_written_are_said_before_a_notebook_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    path = write(tmp_path / "01_a.ipynb", "1 / 0")
    assert run.main(["--html", str(tmp_path / "file" / "build"), str(path)]) == 2
    printed = capsys.readouterr()
    assert "cannot be written (Not a directory)" in printed.err and not printed.out


def test_canonical_form_keeps_what_matters_and_changes_nothing_twice() -> None:
    cell = new_code_cell("x", metadata={"nbgrader": {"grade_id": "a"}, "execution": {"t": "now"}})
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="a\n"),
        nbformat.v4.new_output("display_data", data={WIDGET_VIEW: {"model_id": "1"}}),
        nbformat.v4.new_output("stream", name="stdout", text="b\n"),
    ]
    notebook = new_notebook(
        cells=[cell], metadata={"albert": {"budget_seconds": 9}, "widgets": {}, "toc": 1}
    )
    kept = canonical(notebook)
    assert kept.metadata == {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "albert": {"budget_seconds": 9},
    }
    assert kept.cells[0].metadata == {"nbgrader": {"grade_id": "a"}}
    assert [(output.name, output.text) for output in kept.cells[0].outputs] == [
        ("stdout", "a\nb\n")
    ]
    assert json.dumps(canonical(kept)) == json.dumps(kept)
    assert "widgets" in notebook.metadata


@pytest.mark.parametrize(
    ("seconds", "left_out", "status", "said"),
    [
        (1, None, 0, "0 failed, 0 over budget"),
        (1000, None, 1, "OVER BUDGET"),
        (1, "09_scaling_up", 1, "FAILED: not in the report"),
    ],
)
def test_budgets_are_read_off_what_nbval_took(
    seconds: int, left_out: str | None, status: int, said: str, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    names = [path.stem for path in (project_folder() / "notebooks").glob("[0-9]*.ipynb")]
    assert "09_scaling_up" in names
    cells = [
        f'<testcase classname="notebooks.{name}.ipynb" name="Cell {number}" time="{share}"/>'
        for name in names
        if name != left_out
        for number, share in enumerate((0.25 * seconds, 0.75 * seconds))
    ]
    report = tmp_path / "tests.xml"
    report.write_text(f"<testsuites><testsuite>{''.join(cells)}</testsuite></testsuites>")
    budgets = runpy.run_path(str(project_folder() / ".ci" / "budgets.py"))
    assert budgets["main"](str(report)) == status
    assert said in capsys.readouterr().out
