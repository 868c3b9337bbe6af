"""Our Muon beside PyTorch's: time of a step, difference of an update, loss after equal steps.

    python -m benchmarks.muon [--steps 150] [--rounds 15]

`MuonWithAdamW` moves a model's matrices by Muon and the rest by AdamW. Beside it stand
torch.optim.Muon (2.9 and later) for the matrices, with the same settings (its match_rms_adamw is
our length of a step), and torch.optim.AdamW for the rest. Timed are both optimizers' steps alone,
in CPU seconds of one thread, at the shapes of the Town's model and of the quick recipe; compared
are the updates of one step; and a model of the Hamlet is trained from the same start on the same
batches with each.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from albert_lib import AlbertConfig, AlbertForPreTraining, TokenStore
from albert_lib.experiments.quick import quick_config
from albert_lib.experiments.town_models import hamlet_recipe, new_town_model, town_config
from albert_lib.objectives import PretrainingBatches
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet
from albert_lib.training import Recipe, TrainingLoop, build_optimizer, pretraining_loss
from albert_lib.training.muon import muon_groups
from albert_lib.training.pretraining import pretraining_batches
from benchmarks.targets import Report

RATE = 0.003
SETTLING_STEPS = 2
DOCUMENTS = 12_000
LAST = 20  # steps over which the loss is averaged at the end


class TorchMuonWithAdamW(torch.optim.Optimizer):
    """PyTorch's Muon and AdamW on the groups of `muon_groups`, as one optimizer."""

    def __init__(self, model: AlbertForPreTraining, recipe: Recipe) -> None:
        groups = muon_groups(model, recipe.weight_decay)
        super().__init__(groups, {"lr": recipe.learning_rate})
        inner = [group for group in self.param_groups if group.get("orthogonalize")]
        others = [group for group in self.param_groups if not group.get("orthogonalize")]
        self.parts = [
            torch.optim.Muon(named(inner), lr=recipe.learning_rate, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(named(others), lr=recipe.learning_rate, eps=1e-6, fused=True),
        ]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every parameter by the learning rate of this step."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = self.param_groups[0]["lr"]
            part.step()


def named(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The parameters and decay of some groups."""
    return [{name: group[name] for name in ("params", "weight_decay")} for group in groups]


def main() -> int:
    """Print the figures; nothing is asked of the machine."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    torch.set_num_threads(1)
    report = Report()
    report.title(f"Muon: PyTorch {torch.__version__} beside ours, one thread")
    for name, config in (("Town", town_config(500)), ("quick", quick_config(8000))):
        add_step_time(report, name, config, options.rounds)
    with tempfile.TemporaryDirectory() as folder:
        add_losses(report, Path(folder), options.steps)
    return report.close()


def add_step_time(report: Report, name: str, config: AlbertConfig, rounds: int) -> None:
    """Add the time of an optimizer's step at one shape, and how far the updates differ."""
    models = [model_with_gradients(config) for _ in range(2)]
    recipe = Recipe(learning_rate=RATE, optimizer="muon")
    optimizers = [build_optimizer(models[0], recipe), TorchMuonWithAdamW(models[1], recipe)]
    before = nn.utils.parameters_to_vector(models[0].parameters()).detach().clone()
    for optimizer in optimizers:
        optimizer.step()
    moves = [nn.utils.parameters_to_vector(m.parameters()).detach() - before for m in models]
    difference = ((moves[0] - moves[1]).norm() / moves[0].norm()).item()
    for _ in range(SETTLING_STEPS):
        for optimizer in optimizers:
            optimizer.step()
    times = [[cpu_seconds(each.step) for each in optimizers] for _ in range(rounds)]
    ours, theirs = (1e3 * statistics.median(column) for column in zip(*times, strict=True))
    report.line(f"{name}: a step of the optimizer, ours {ours:.1f} ms, PyTorch's {theirs:.1f} ms")
    report.at_least(f"muon, {name}: times as fast as PyTorch's", theirs / ours, None)
    report.at_most(f"muon, {name}: difference of an update over its norm", difference, None)


def cpu_seconds(work: Callable[[], object]) -> float:
    """The processor's time that one call takes, whatever else runs."""
    began = time.process_time()
    work()
    return time.process_time() - began


def model_with_gradients(config: AlbertConfig) -> AlbertForPreTraining:
    """A model whose parameters all have a gradient, the same in every call."""
    torch.manual_seed(0)
    model = AlbertForPreTraining(config)
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    return model


def add_losses(report: Report, folder: Path, steps: int) -> None:
    """Add the training loss of a model of the Hamlet at the end of so many steps with each."""
    town = Town(0.5, seed=1, world=load_hamlet())
    store = TokenStore.build(folder / "days", town.documents(DOCUMENTS), town.tokenizer)
    recipe = hamlet_recipe(steps, town.world.sequence_length)
    batches = pretraining_batches(store, town.tokenizer, recipe, seed=0)
    losses = {}
    for name, make in (("ours", build_optimizer), ("PyTorch's", TorchMuonWithAdamW)):
        model = new_town_model(town_config(town.tokenizer.vocab_size), seed=0)
        losses[name] = train(model, batches, recipe, make(model, recipe))
        report.line(f"Hamlet, {steps} steps: MLM loss {losses[name]:.4f} nats with {name}")
    report.at_most(
        "muon: MLM loss with ours over PyTorch's, nats", losses["ours"] - losses["PyTorch's"], None
    )


def train(
    model: AlbertForPreTraining,
    batches: PretrainingBatches,
    recipe: Recipe,
    optimizer: torch.optim.Optimizer,
) -> float:
    """Train in float32; return the mean MLM loss of the last steps."""
    loop = TrainingLoop(
        model, batches.batch, pretraining_loss, optimizer, recipe.learning_rate_at, seed=0
    )
    losses = [float(row["mlm_loss"]) for row in loop.rows(range(recipe.steps))]
    return statistics.mean(losses[-LAST:])


if __name__ == "__main__":
    raise SystemExit(main())
