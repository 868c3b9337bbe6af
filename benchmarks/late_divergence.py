"""A run that learns and then loses it all: how often the layer is applied, and the rate.

    python -m benchmarks.late_divergence [--save FOLDER]

Six runs read the 160 short days of `benchmarks.planted_faults` with the same seed and batches. In
all the rate climbs to the last step. One applies its layer 12 times. One is kicked: KICKED_STEPS
are taken at KICK times a rate that is well borne, after which the loss jumps and comes back. Four
differ from the first in one thing each: the layer is applied twice; the rate is a quarter; the
norms stand before each half of the layer; twelve layers have weights of their own. Exits with 1
unless `diagnose` names late divergence in the first and the last, and nothing in the others. --save
keeps their histories: of the first two all losses, for the doctor's desk of notebook 05b; of the
others means.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from albert_lib import AlbertForPreTraining
from albert_lib.diagnosis import Measurements, diagnose
from albert_lib.model.attention import select_positions
from albert_lib.model.layer import AlbertLayer
from albert_lib.training import History, Recipe, pretrain
from albert_lib.training.history import Row
from benchmarks.planted_faults import Workshop, small_workshop

RATE = 0.024
STEPS = 800
EVALUATIONS = 20
EVERY_STEP = ("step", "mlm_loss", "learning_rate")  # what a kept row has that is no look
KICK, KICKED_STEPS = 8.0, range(500, 505)
MEAN_OVER = 25  # steps, as in a diagnosis


class KickedRate(Recipe):
    """A recipe whose rate is far too high for a few steps, as if their batches were broken."""

    def learning_rate_at(self, step: int) -> float:
        """The recipe's rate; for KICKED_STEPS times KICK."""
        usual = super().learning_rate_at(step)
        return KICK * usual if step in KICKED_STEPS else usual


@dataclass(frozen=True)
class Case:
    """One of the runs, and what `diagnose` must name in it."""

    layers: int
    rate: float
    cause: str | None = None
    recipe: type[Recipe] = Recipe
    sharing: str = "all"
    norms_first: bool = False
    whole: bool = False  # keep every step's loss


CASES = {
    "late-divergence": Case(12, RATE, "late divergence", whole=True),
    "spike": Case(12, RATE / 4, recipe=KickedRate, whole=True),
    "applied-twice": Case(2, RATE),
    "quarter-rate": Case(12, RATE / 4),
    "norms-first": Case(12, RATE, norms_first=True),
    "not-shared": Case(12, RATE, "late divergence", sharing="none"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, print a line for each, return 0 if every cause was named right."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--save", type=Path, help="folder for the histories")
    parser.add_argument("--only", nargs="+", choices=CASES, default=list(CASES), metavar="RUN")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    right = True
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workshop = small_workshop(Path(folder))
        print(f"unigram entropy of the text: {workshop.store.unigram_entropy():.2f} nats")
        for name in options.only:
            history = train(workshop, CASES[name])
            print(described(name, history), flush=True)
            right &= diagnose(history).causes == tuple(filter(None, [CASES[name].cause]))
            if options.save is not None:
                options.save.mkdir(parents=True, exist_ok=True)
                kept = thinned(history) if CASES[name].whole else averaged(history)
                kept.save(options.save / f"{name}.json")
    return 0 if right else 1


def train(workshop: Workshop, case: Case) -> History:
    """Pretrain one of the cases; return its history."""
    torch.manual_seed(0)
    model = AlbertForPreTraining(
        workshop.config.replace(num_hidden_layers=case.layers, sharing=case.sharing)
    )
    if case.norms_first:
        put_norms_first(model)
    recipe = workshop.recipe.replace(
        steps=STEPS,
        learning_rate=case.rate,
        warmup_steps=STEPS,
        optimizer="muon",
        evaluate_every=STEPS // EVALUATIONS,
    )
    return pretrain(
        model, workshop.store, workshop.tokenizer, case.recipe(**vars(recipe)),
        held_out=workshop.held_out, measure=Measurements, progress=False,
    )  # fmt: skip


def put_norms_first(model: AlbertForPreTraining) -> None:
    """Normalise what enters each half of the layer, not what leaves it: pre-LayerNorm.

    The norm that is usual above the last layer is left to the MLM head, which has one.
    """

    def forward(
        layer: AlbertLayer,
        hidden: Tensor,
        attention_mask: Tensor | None = None,
        output_attentions: bool = False,
        positions: Tensor | None = None,
        cls_only: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        attended, probabilities = layer.attention(
            layer.attention_norm(hidden), attention_mask, output_attentions, positions, cls_only
        )
        hidden = hidden if positions is None else select_positions(hidden, positions)
        hidden = (hidden[:, :1] if cls_only else hidden) + attended
        hidden = hidden + layer.feed_forward(layer.feed_forward_norm(hidden))
        return hidden if positions is None else hidden[0], probabilities

    for layer in model.modules():
        if isinstance(layer, AlbertLayer):
            layer.forward = partial(forward, layer)  # type: ignore[method-assign]


def described(name: str, history: History) -> str:
    """A run's lowest loss, its last one, and what `diagnose` says, in a line."""
    means = averaged(history)
    losses = means.column("mlm_loss")
    lowest = int(losses.argmin())
    causes = ", ".join(diagnose(history).causes) or "nothing"
    return (
        f"{name:16}{losses[lowest]:.2f} nats at step {means.rows[lowest]['step']}, highest after "
        f"it {losses[lowest:].max():.2f}, {losses[-1]:.2f} at the end; diagnose names {causes}"
    )


def thinned(history: History) -> History:
    """Of a step its loss and its rate, of a look everything but the time; four digits of each."""
    rows = []
    for row in history.rows:
        names = [name for name in row if name != "seconds"] if "hearing" in row else EVERY_STEP
        rows.append({name: rounded(row[name]) for name in names})
    return History(rows)


def averaged(history: History) -> History:
    """The mean loss of every MEAN_OVER steps."""
    losses = history.column("mlm_loss")
    ends = range(MEAN_OVER, len(losses) + 1, MEAN_OVER)
    rows: list[Row] = [
        {"step": end, "mlm_loss": rounded(float(np.mean(losses[end - MEAN_OVER : end])))}
        for end in ends
    ]
    return History(rows)


def rounded(value: int | float) -> int | float:
    """The value in four significant digits; a whole number as it is."""
    return value if isinstance(value, int) else float(f"{value:.4g}")


if __name__ == "__main__":
    raise SystemExit(main())
