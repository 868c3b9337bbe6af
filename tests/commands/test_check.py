"""python -m albert_lib check FILE: the workbook's checks for people who prefer an editor."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from albert_lib.__main__ import main
from albert_lib.workbook.exercise import all_exercises

Run = Callable[..., str]
WRONG = '''
import torch

print("this is not seen")


def mlm_loss(logits, labels):
    """A mean over all places, also those that are not asked for."""
    scores = logits.flatten(0, -2).float().log_softmax(-1)
    return -scores[:, 0].mean()


def lamb_update(parameter, gradient, exp_avg, exp_avg_sq, *, lr, betas, eps, weight_decay):
    raise ValueError("not yet")
'''


def checked(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, Any]:
    status = main(["check", *map(str, words)])
    printed = capsys.readouterr()
    assert printed.err == ""
    return status, printed.out, json.loads(printed.out.splitlines()[-1])


def test_the_librarys_own_functions_are_right(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = []
    for exercise in all_exercises().values():
        module = exercise.solution.__module__
        lines.append(f"import {module}")
        lines.append(f"{exercise.name} = {module}.{exercise.solution.__qualname__}")
    file = tmp_path / "my_albert.py"
    file.write_text("\n".join(lines))
    status, printed, found = checked(capsys, file)
    assert status == 0
    assert found["right"] == list(all_exercises())
    assert found["points"] == found["of"] == sum(e.points for e in all_exercises().values())
    assert "Exercise 4.3: right." in printed


def test_each_function_gets_its_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "my_albert.py"
    file.write_text(WRONG)
    status, printed, found = checked(capsys, file, "--only", "4.3", "5.1", "1.2")
    assert status == 1
    assert (found["wrong"], found["raised"], found["missing"]) == (["4.3"], ["5.1"], ["1.2"])
    assert found["points"] == 0
    assert "mlm_loss\nExercise 4.3: not right yet." in printed
    assert 'raise ValueError("not yet")' in printed, "the line of the file"
    assert "this is not seen" not in printed
    assert f"Not in {file}: 1.2 " in printed


REFUSED = {
    "a syntax error": ("def mlm_loss(:\n", "cannot be run: SyntaxError in line 1"),
    "an error": ("import math\nmath.sqrt(-1)\n", "cannot be run: ValueError in line 2"),
    "an exit": ("raise SystemExit(3)\n", "cannot be run: SystemExit in line 1"),
}


@pytest.mark.parametrize(("content", "sentence"), REFUSED.values(), ids=REFUSED.keys())
def test_a_file_that_cannot_be_run_is_one_sentence(
    refusal: Run, tmp_path: Path, content: str, sentence: str
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(content)
    assert sentence in refusal("check", file)


def test_what_is_not_there_is_one_sentence(refusal: Run, tmp_path: Path) -> None:
    assert "does not exist" in refusal("check", tmp_path / "nowhere.py")
    (tmp_path / "mine.py").write_text("")
    assert "There is no exercise '4.99'" in refusal("check", tmp_path / "mine.py", "--only", "4.99")


KEPT = """
from dataclasses import dataclass

import torch

Labels = list[int]


@dataclass
class Order:
    scores: torch.Tensor
    labels: torch.Tensor

    def right(self) -> torch.Tensor:
        return self.scores[torch.arange(len(self.labels)), self.labels]


def sop_loss(logits, labels, chosen: Labels | None = None):
    order = Order(logits.float(), labels)
    return (order.scores.logsumexp(dim=-1) - order.right()).mean()


def pooled_cls(hidden, pooler):
    return pooler(hidden[:, 0])
"""


def test_right_ones_are_kept_where_it_is_asked_for(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALBERT_LIB_HOME", str(tmp_path / "home"))
    file = tmp_path / "my_albert.py"
    file.write_text(KEPT)
    _, printed, found = checked(capsys, file, "--only", "4.4", "4.5")
    assert found["right"] == ["4.5"] and found["wrong"] == ["4.4"]
    assert "kept" not in printed and not (tmp_path / "home").exists()
    _, printed, _ = checked(capsys, file, "--only", "4.4", "4.5", "--keep")
    assert printed.count("(here: kept for your own ALBERT in") == 1
    kept = [path.name for path in (tmp_path / "home" / "answers").iterdir()]
    assert kept == ["answer_sop_loss.py"]
    text = (tmp_path / "home" / "answers" / kept[0]).read_text()
    assert "@dataclass\nclass Order:" in text and "Labels = list[int]" in text
    assert "pooled_cls" not in text
