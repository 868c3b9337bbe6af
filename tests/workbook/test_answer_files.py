"""Right answers are kept as files that run alone, and only those; what is kept is loaded again."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from albert_lib.errors import AlbertLibError
from albert_lib.files import answers_folder, project_folder
from albert_lib.workbook.answer_files import answer_path, forget, keep_answer, kept_answers
from albert_lib.workbook.checks import check
from albert_lib.workbook.exercise import ExerciseError, find_exercise
from albert_lib.workbook.standalone import NotStandalone, names_used, standalone_source

LOSS = """
import torch.nn.functional as F
from torch import Tensor

NOT_ASKED = -100

def asked(labels, value=NOT_ASKED):
    return labels != value

def mlm_loss(logits: Tensor, labels: Tensor) -> Tensor:
    chosen = asked(labels)
    if not chosen.any():
        return logits.float().sum() * 0
    return F.cross_entropy(logits[chosen].float(), labels[chosen])
"""


def run(notebook: InteractiveShell, *cells: str) -> None:
    for cell in cells:
        notebook.run_cell(cell, store_history=True).raise_error()


def said(notebook: InteractiveShell, capsys: pytest.CaptureFixture[str], *cells: str) -> str:
    """What the check of 4.3 says to the cells' mlm_loss."""
    run(notebook, *cells)
    capsys.readouterr()
    check("4.3", notebook.user_ns["mlm_loss"])
    return capsys.readouterr().out


def elsewhere(script: str, modules: Path, folder: Path) -> str:
    """What a script prints in a process of its own, that finds the modules of one folder."""
    environment = {**os.environ, "PYTHONPATH": str(modules)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_right_answer_is_kept_with_what_it_uses_and_nothing_else(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    run(notebook, "import json\nOTHER = 7\ndef another():\n    return OTHER")
    out = said(notebook, capsys, LOSS)
    assert "Exercise 4.3: right." in out
    assert out.count("(here: kept for your own ALBERT in") == 1 and str(home) in out
    text = (home / "answers" / "answer_mlm_loss.py").read_text()
    for part in ("import torch.nn.functional as F", "from torch import Tensor", "NOT_ASKED = -100"):
        assert f"\n{part}\n" in text
    assert text.index("NOT_ASKED") < text.index("def asked") < text.index("def mlm_loss")
    assert not {"json", "OTHER", "another"} & set(text.replace("(", " ").split())


def test_a_kept_file_runs_alone_in_a_fresh_process(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str], home: Path, tmp_path: Path
) -> None:
    said(notebook, capsys, LOSS)
    script = "import torch; from answer_mlm_loss import mlm_loss; "
    script += "loss = mlm_loss(torch.zeros(1, 3, 10), torch.tensor([[-100, 7, 2]])); "
    script += "print(round(loss.item(), 4))"
    assert elsewhere(script, home / "answers", tmp_path) == "2.3026\n"


def test_kept_answers_come_back_in_another_process(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said(notebook, capsys, LOSS)
    script = "from albert_lib.workbook import kept_answers; print(list(kept_answers()))"
    assert elsewhere(script, project_folder(), tmp_path) == "['4.3']\n"


def test_classes_aliases_decorators_lambdas_and_small_tensors_are_kept(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        notebook,
        "from __future__ import annotations\nimport functools\nimport math\nimport torch",
        "from dataclasses import dataclass\nfrom torch.nn.functional import cross_entropy",
        "Pair = tuple[torch.Tensor, torch.Tensor]\nWEIGHTS = 1 / torch.tensor([1.0, 1.0])",
        "LOWEST = -math.inf\nfirst = lambda pair: pair.logits.float() * WEIGHTS[0]",
        "@dataclass\nclass Asked:\n    logits: torch.Tensor\n    labels: torch.Tensor",
        "@functools.cache\ndef ignored():\n    return -100",
    )
    answer = """
@torch.enable_grad()
def mlm_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    def pick(pair: Pair) -> Asked:
        chosen = pair[1] != ignored()
        return Asked(pair[0][chosen], pair[1][chosen])

    pair = pick((logits, labels))
    if len(pair.labels) == 0 or LOWEST > 0:
        return logits.float().sum() * 0
    return cross_entropy(first(pair), pair.labels)
"""
    assert "kept for your own ALBERT in" in said(notebook, capsys, answer)
    text = answer_path("4.3").read_text()
    for part in ("@dataclass\nclass Asked:", "first = lambda", "@functools.cache", "WEIGHTS = 1 /"):
        assert part in text
    assert text.index("from __future__") < text.index("import functools")
    forget("4.3")
    assert kept_answers() == {}


def changed(old: str, new: str, before: str = "") -> str:
    """The loss with one part exchanged, behind other lines."""
    assert old in LOSS
    return before + LOSS.replace(old, new)


INDENTED = "".join(f"    {line}\n" for line in changed("= -100", "= ignored").splitlines())
REFUSED = {
    "made by exec": (
        changed("asked(labels)", "helper(asked(labels))", "exec('def helper(x): return x')\n"),
        "the source of helper cannot be had",
    ),
    "a lambda in a list": (
        changed("asked(labels)", "step(asked(labels))", "all = [lambda x: x]\nstep = all[0]\n"),
        "step is a lambda inside of another line",
    ),
    "an open file": (
        changed("    chosen", "    log.write('')\n    chosen", "log = open('/dev/null', 'w')\n"),
        "it uses log, a TextIOWrapper that cannot be written down",
    ),
    "data of the notebook": (
        changed("asked(labels)", "asked(labels, -data[100])", "data = list(range(5000))\n"),
        "letters of data; give it as an argument",
    ),
    "made in another function": (
        f"def make(ignored):\n{INDENTED}    return mlm_loss\nmlm_loss = make(-100)",
        "of the function that it was made in",
    ),
    "not a function": (
        LOSS + "\nclass Loss:\n    def __call__(self, logits, labels):\n"
        "        return right(logits, labels)\nright = mlm_loss\nmlm_loss = Loss()",
        "only a function can be kept",
    ),
    "state that has changed since": (LOSS + "\nNOT_ASKED = 3\n", "alone, it"),
}


@pytest.mark.parametrize(("cell", "reason"), REFUSED.values(), ids=list(REFUSED))
def test_what_does_not_stand_alone_stays_right_and_is_not_kept(
    cell: str, reason: str, notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    out = said(notebook, capsys, cell)
    assert "Exercise 4.3: right." in out
    assert out.count("could not be kept") == 1 and reason in out
    assert not answer_path("4.3").exists()


def test_a_wrong_answer_takes_nothing_away_and_a_later_right_one_replaces_it(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    said(notebook, capsys, LOSS)
    first = answer_path("4.3").read_text()
    wrong = "def mlm_loss(logits, labels): return logits.sum()"
    assert "not right yet" in said(notebook, capsys, wrong)
    assert answer_path("4.3").read_text() == first
    assert "right." in said(notebook, capsys, LOSS.replace("chosen", "picked"))
    assert "picked" in answer_path("4.3").read_text()


@pytest.mark.parametrize(
    ("variable", "value"), [("NBGRADER_EXECUTION", "autograde"), ("ALBERT_LIB_CHECK_SEED", "7")]
)
def test_nothing_is_kept_where_a_class_is_graded_or_a_seed_is_ruled(
    variable: str,
    value: str,
    notebook: InteractiveShell,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, value)
    assert "kept" not in said(notebook, capsys, LOSS)
    assert not answers_folder().exists()


def test_the_library_s_own_is_not_kept_as_anybody_s(capsys: pytest.CaptureFixture[str]) -> None:
    check("4.3", find_exercise("4.3").solution)
    assert "that is the library's own" in capsys.readouterr().out
    assert not answers_folder().exists()


def test_a_folder_that_cannot_be_written_is_said(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    home.write_text("a file where the folder should be")
    out = said(notebook, capsys, LOSS)
    assert "Exercise 4.3: right." in out and "cannot be written [" in out


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("def mlm_loss(logits, labels:\n", "SyntaxError"),
        ("mlm_loss = 3\n", "has no function mlm_loss"),
        ("def other(logits, labels):\n    return 0\n", "no function mlm_loss"),
        ("def mlm_loss(logits, labels):\n    return logits.sum()\n", "answers otherwise"),
        ("def mlm_loss(logits, labels):\n    return nothing\n", "raises NameError"),
        ("raise SystemExit\n", "SystemExit"),
    ],
)
def test_a_damaged_or_wrong_file_is_said_and_counts_as_not_solved(text: str, reason: str) -> None:
    answers_folder().mkdir(parents=True)
    answer_path("4.3").write_text(text)
    lines: list[str] = []
    assert kept_answers(lines.append) == {}
    assert len(lines) == 1 and reason in lines[0] and "not solved" in lines[0]


def test_a_file_of_bytes_is_said() -> None:
    answers_folder().mkdir(parents=True)
    answer_path("4.3").write_bytes(b"\xff\xfe\x00")
    lines: list[str] = []
    assert kept_answers(lines.append) == {} and "cannot be read" in lines[0]


def test_random_answers_are_kept_and_judged_again(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        notebook,
        """
def choose_spans(words, budget, rng):
    hidden, spans = set(), []
    for first in rng.permutation(len(words)):
        n = int(rng.choice([1, 2, 3], p=[6 / 11, 3 / 11, 2 / 11]))
        for n in range(n, 0, -1):
            chosen = words[first : first + n]
            span = range(chosen[0].start, chosen[-1].stop)
            whole = len(span) == sum(map(len, chosen)) and hidden.isdisjoint(span)
            if whole and len(hidden) + len(span) <= budget:
                spans.append(span)
                hidden.update(span)
                break
    return spans
""",
    )
    check("2.2", notebook.user_ns["choose_spans"])
    assert "kept for your own ALBERT" in capsys.readouterr().out
    assert list(kept_answers()) == ["2.2"]
    path = answer_path("2.2")
    path.write_text(path.read_text().replace("[6 / 11, 3 / 11, 2 / 11]", "[1 / 3, 1 / 3, 1 / 3]"))
    lines: list[str] = []
    assert kept_answers(lines.append) == {} and "not right any more" in lines[0]


def test_forgetting_one_and_all(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    said(notebook, capsys, LOSS)
    (answers_folder() / "notes.py").write_text("mine")
    forget("5.1")
    assert answer_path("4.3").exists()
    forget()
    assert not answer_path("4.3").exists() and (answers_folder() / "notes.py").exists()
    with pytest.raises(ExerciseError):
        forget("4.99")


def test_keeping_and_loading_leave_the_global_random_numbers_alone(
    notebook: InteractiveShell, capsys: pytest.CaptureFixture[str]
) -> None:
    noisy = LOSS.replace("chosen = asked", "torch.rand(1); np.random.rand()\n    chosen = asked")
    said(notebook, capsys, "import torch\nimport numpy as np", noisy)
    states = torch.get_rng_state(), np.random.get_state()[2]  # noqa: NPY002
    assert list(kept_answers()) == ["4.3"]
    keep_answer(find_exercise("4.3"), notebook.user_ns["mlm_loss"])
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[2] == states[1]  # noqa: NPY002


def test_answers_lie_in_the_platform_s_place_and_not_in_the_checkout(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ALBERT_LIB_HOME")
    assert not answers_folder().is_relative_to(project_folder())


def test_names_of_inner_scopes_are_not_mistaken_for_the_notebook_s() -> None:
    source = """
@decorate
def f(a: Type, b=DEFAULT, *rest: Other) -> Result:
    batch = [size for size in a if size > LIMIT]
    def inner():
        nonlocal batch
        return batch, helper(b)
    return inner
"""
    used = names_used(source)
    assert used == ["DEFAULT", "LIMIT", "Other", "Result", "Type", "decorate", "helper"]


def test_a_module_beside_the_notebook_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beside.py").write_text("def one():\n    return 1\n")
    (tmp_path / "written.py").write_text(
        "import beside\nfrom beside import one\n\n"
        "def f():\n    return beside.one()\n\ndef g():\n    return one()\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    name = "written"
    written = importlib.import_module(name)
    for function in (written.f, written.g):
        with pytest.raises(NotStandalone, match="a file of your own"):
            standalone_source(function, "f", "")
    assert issubclass(NotStandalone, AlbertLibError)
