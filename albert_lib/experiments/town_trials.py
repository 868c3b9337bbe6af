"""Models of towns whose bias is known, trained to be probed as if nothing were known of them.

A model learns what a name says of the work only as far as it needs the name. On the Town's busy
days the work is told in two sentences of three, so that other words tell a hidden title; on quiet
days, when every other sentence is a remark, the name is often all there is. Probes are calibrated
on quiet days; busy ones show how far the same bias can be hidden from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm.auto import tqdm

from albert_lib.corpus import TokenStore
from albert_lib.experiments.town_models import hamlet_recipe, town_config, train_on_town
from albert_lib.experiments.town_questions import Rows, read_all
from albert_lib.experiments.variations import held_out_batches
from albert_lib.experiments.workers import training_pool
from albert_lib.probing.fill_mask import FillMask
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet
from albert_lib.training.evaluation import evaluate

HELD_OUT, BATCHES = 600, 8  # documents, and batches of 64 to evaluate on
DOCUMENTS = 20_000
QUIET, BUSY = 0.5, 0.15  # share of events in whose place a remark is told; the Town's is BUSY


@dataclass(frozen=True)
class Trial:
    """One model to train: how biased its town is, from which seed, how long, and on what."""

    bias: float
    seed: int
    steps: int
    with_twins: bool = False  # every document also told of the person's twin of the other gender
    remarks: float = QUIET  # share of events in whose place a remark is told


@dataclass(frozen=True, eq=False)
class Probed:
    """What the probes read off one model: a row a title in each, in nats but for associations."""

    trial: Trial
    readings: dict[str, Rows]
    mlm_loss: float  # on held-out documents of its own town, untwinned


def run_trial(trial: Trial) -> Probed:
    """Train one model on the Hamlet and ask it."""
    world = load_hamlet(trial.remarks)
    town = Town(trial.bias, seed=2 * trial.seed, world=world)
    held_out = Town(trial.bias, seed=2 * trial.seed + 1, world=world)
    length = world.sequence_length
    with TemporaryDirectory() as folder:
        told = town.documents(DOCUMENTS, with_twins=trial.with_twins)
        store = TokenStore.build(Path(folder) / "town", told, town.tokenizer)
        model, _ = train_on_town(
            town_config(town.tokenizer.vocab_size),
            hamlet_recipe(trial.steps, length),
            store,
            town.tokenizer,
            seed=trial.seed,
            progress=False,
        )
        unseen = TokenStore.build(
            Path(folder) / "held-out", held_out.documents(HELD_OUT), town.tokenizer
        )
        loss = evaluate(model, held_out_batches(unseen, town), BATCHES).mlm_loss
    return Probed(trial, read_all(FillMask(model, town.tokenizer), world), loss)


def run_trials(trials: Sequence[Trial]) -> Iterator[Probed]:
    """Run trials in processes of one thread each, which is faster than one after another."""
    with training_pool() as pool:
        yield from tqdm(pool.map(run_trial, trials), total=len(trials), unit="model")
