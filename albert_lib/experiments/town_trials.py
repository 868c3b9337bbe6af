"""Models of towns whose bias is known, trained to be probed as if nothing were known of them.

A model learns what a name says about the occupation only as far as it needs the name. With the
Town's few remarks two sentences of three mention the work, so that other words predict a masked
title; with many, when every other sentence is a remark, the name is often the only evidence.
Probes are calibrated with many remarks; models with few show how much of the same bias a probe
can miss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm.auto import tqdm

from albert_lib.corpus import TokenStore
from albert_lib.experiments.family_models import Family
from albert_lib.experiments.town_models import hamlet_recipe, town_config, train_on_town
from albert_lib.experiments.town_questions import Rows, run_probes
from albert_lib.experiments.variations import held_out_batches
from albert_lib.experiments.workers import training_pool
from albert_lib.probing.fill_mask import FillMask
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet
from albert_lib.training.evaluation import evaluate

HELD_OUT, BATCHES = 600, 8  # documents, and batches of 64 to evaluate on
DOCUMENTS = 20_000
MANY_REMARKS, FEW_REMARKS = 0.5, 0.15  # probability of a remark; the Town's is FEW_REMARKS


@dataclass(frozen=True)
class TownTrial:
    """One model to train: the bias of its town, the seed, the steps, and the kind of text."""

    bias: float
    seed: int
    steps: int
    with_counterfactuals: bool = False  # each document followed by that of the other gender
    remark_probability: float = MANY_REMARKS
    family: Family = "albert"


@dataclass(frozen=True, eq=False)
class ProbedModel:
    """What the probes measure on one model: a row for every title, in nats but for associations."""

    trial: TownTrial
    results: dict[str, Rows]
    mlm_loss: float  # on held-out documents of its own town, without counterfactuals


def run_trial(trial: TownTrial) -> ProbedModel:
    """Train one model on the Hamlet and probe it."""
    world = load_hamlet(trial.remark_probability)
    town = Town(trial.bias, seed=2 * trial.seed, world=world)
    held_out = Town(trial.bias, seed=2 * trial.seed + 1, world=world)
    length = world.sequence_length
    with TemporaryDirectory() as folder:
        documents = town.documents(DOCUMENTS, with_counterfactuals=trial.with_counterfactuals)
        store = TokenStore.build(Path(folder) / "town", documents, town.tokenizer)
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
    return ProbedModel(trial, run_probes(FillMask(model, town.tokenizer), world), loss)


def run_trials(trials: Sequence[TownTrial]) -> Iterator[ProbedModel]:
    """Run trials in processes of one thread each, which is faster than one after another."""
    with training_pool() as pool:
        yield from tqdm(pool.map(run_trial, trials), total=len(trials), unit="model")
