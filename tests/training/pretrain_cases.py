"""A program for torchrun: pretrain every case of a list, and leave what each process saw.

    torchrun … pretrain_cases.py WORLD CASES OUTPUT

WORLD holds tokenizer, train and held-out. CASES is a JSON file of name → {model, recipe, and
perhaps saves, stops_at or dies_at}. Each process writes OUTPUT/NAME-RANK.json (its history and
the ids of its rows, step by step) and .safetensors (its weights); a case that saves has its run in
OUTPUT/NAME.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.diagnosis import Measurements
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import PretrainingBatch
from albert_lib.text import AlbertTokenizer
from albert_lib.training import (
    History,
    PretrainingRun,
    Recipe,
    distributed,
    pretrain,
    pretraining_loss,
)
from albert_lib.training.saved_tensors import weights


def main(world: Path, cases: Path, output: Path) -> None:
    """Pretrain the cases one after another."""
    torch.set_num_threads(1)
    with distributed.joined("cpu"):
        for name, case in json.loads(cases.read_text()).items():
            run_case(world, name, case, output)


def run_case(world: Path, name: str, case: dict[str, Any], output: Path) -> None:
    """Pretrain one case and write what came of it."""
    seen: list[list[list[int]]] = []
    own_parts = PretrainingRun.own_parts

    def record_parts(run: PretrainingRun, step: int) -> Any:
        parts = own_parts(run, step)
        seen.append([row for part in parts for row in part.input_ids.tolist()])
        return parts

    def on_step(row: dict[str, float]) -> None:
        first_attempt = os.environ["TORCHELASTIC_RESTART_COUNT"] == "0"
        if row["step"] == case.get("dies_at") and distributed.rank() == 1 and first_attempt:
            os.kill(os.getpid(), signal.SIGKILL)
        if row["step"] == case.get("stops_at"):
            raise KeyboardInterrupt

    torch.manual_seed(distributed.rank())  # the first one's weights are what counts
    model = AlbertForPreTraining(AlbertConfig(**case["model"]))
    history = History()
    PretrainingRun.own_parts = record_parts  # type: ignore[method-assign]
    with contextlib.suppress(KeyboardInterrupt):
        history = pretrain(
            model,
            TokenStore.open(world / "train"),
            AlbertTokenizer.from_pretrained(world / "tokenizer"),
            Recipe(**case["recipe"]),
            held_out=TokenStore.open(world / "held-out"),
            measure=Measurements,
            loss_function=weighted_loss if case.get("weighted") else None,
            output=output / name if case.get("saves") else None,
            progress=False,
            on_step=on_step,
        )
    PretrainingRun.own_parts = own_parts  # type: ignore[method-assign]
    found = output / f"{name}-{distributed.rank()}"
    found.with_suffix(".json").write_text(json.dumps({"rows": history.rows, "seen": seen}))
    save_file(weights(model), found.with_suffix(".safetensors"))


def weighted_loss(model: nn.Module, batch: PretrainingBatch) -> dict[str, Tensor]:
    """A caller's own loss: the order of pairs counts a tenth."""
    losses = pretraining_loss(model, batch)
    return {**losses, "loss": losses["mlm_loss"] + 0.1 * losses["sop_loss"]}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
