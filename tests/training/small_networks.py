"""A network of a few weights, trained and saved in milliseconds."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from albert_lib.training import (
    History,
    Lamb,
    MuonWithAdamW,
    save_checkpoint,
)


def network(seed: int = 0, width: int = 3) -> nn.Sequential:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, width), nn.Tanh(), nn.Linear(width, 1))


def optimizer_for(model: nn.Module, kind: str) -> torch.optim.Optimizer:
    if kind == "lamb":
        return Lamb(model.parameters(), lr=0.01)
    if kind == "muon":
        matrices = [each for each in model.parameters() if each.ndim == 2]
        others = [each for each in model.parameters() if each.ndim != 2]
        groups = [{"params": matrices, "orthogonalize": True}, {"params": others}]
        return MuonWithAdamW(groups, lr=0.01)
    return torch.optim.AdamW(model.parameters(), lr=0.01, fused=kind == "fused adamw")


def take_step(model: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> None:
    inputs = torch.randn(5, 4, generator=torch.Generator().manual_seed(step))
    optimizer.zero_grad()
    model(inputs).square().sum().backward()
    optimizer.step()


def saved_run(folder: Path, steps: int = 3, kind: str = "lamb") -> nn.Module:
    """Checkpoints after every one of `steps` steps; the model as it was after the last."""
    model = network()
    optimizer = optimizer_for(model, kind)
    for step in range(1, steps + 1):
        take_step(model, optimizer, step)
        history = History([{"step": done} for done in range(1, step + 1)])
        save_checkpoint(folder, step, history, model=model, optimizer=optimizer, run={"seed": 7})
    return model


def names(folder: Path) -> list[str]:
    """The names in a folder, beside the rows of a run."""
    return sorted(path.name for path in folder.iterdir() if path.name != "history.jsonl")
