"""python -m albert_lib diagnose: the folder of a run in, sentences out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from albert_lib.training import History, save_checkpoint

Run = Callable[..., str]


def save_run(folder: Path, history: History) -> None:
    model = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    save_checkpoint(folder, len(history), history, model=model, optimizer=optimizer, run={})


def test_the_newest_checkpoint_is_diagnosed(tmp_path: Path, run: Run) -> None:
    rows = [{"step": step, "mlm_loss": 9.0, "learning_rate": 0.0} for step in range(1, 81)]
    save_run(tmp_path, History(rows[:40]))
    save_run(tmp_path, History(rows))
    lines = run("diagnose", tmp_path).splitlines()
    assert lines[0].startswith("After 80 steps the training MLM loss is 9.00 nats a token.")
    assert lines[1].startswith("rate too low: The learning rate was 0 at all 80 steps.")
    assert lines[2].startswith("Not judged,")


def test_a_folder_without_a_run_is_refused(tmp_path: Path, refusal: Run) -> None:
    assert f"{tmp_path} holds no checkpoint" in refusal("diagnose", tmp_path)
