"""The paper's Tables 4 and 5 on the Town: what sharing costs and what pair objectives teach.

Each variation is trained on the same documents for as many steps, from several seeds, and
evaluated on the same held-out documents: masked tokens, SOP and NSP. As in the paper's Table 5 a
model is also evaluated on the pair objective that it was not trained for, with the head it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory

from tqdm.auto import tqdm

from albert_lib.config import Sharing
from albert_lib.corpus import TokenStore
from albert_lib.experiments.town_models import MASKING, hamlet_recipe, narrow_config, train_on_town
from albert_lib.experiments.workers import training_pool
from albert_lib.objectives import PretrainingBatches
from albert_lib.objectives.pair_objective import PairObjective
from albert_lib.town import Town, World
from albert_lib.training.evaluation import Evaluation, evaluate
from albert_lib.training.history import History

BIAS = 0.5
TRAINING_TOWN_SEED, HELD_OUT_TOWN_SEED = 1, 2  # models have their own
DOCUMENTS, HELD_OUT = 40_000, 2_000
BATCH_SIZE, BATCHES = 64, 16
EVALUATIONS = 6  # while a model is trained


@dataclass(frozen=True)
class Variation:
    """One model to train."""

    sharing: Sharing = "all"
    pair_objective: PairObjective = "sop"
    seed: int = 0
    steps: int = 1000


@dataclass(frozen=True, eq=False)
class Outcome:
    """How well it does on held-out documents, in pairs of SOP and of NSP."""

    variation: Variation
    sop: Evaluation
    nsp: Evaluation
    curve: History  # "step" and the held-out columns, in pairs of SOP, while it was trained


def held_out_batches(
    store: TokenStore, town: Town, pair_objective: PairObjective = "sop"
) -> PretrainingBatches:
    """Return the held-out batches: whole documents, masked as in the paper but word by word."""
    return PretrainingBatches(
        store,
        town.tokenizer,
        batch_size=BATCH_SIZE,
        sequence_length=town.world.sequence_length,
        masking=MASKING,
        pair_objective=pair_objective,
        short_sequence_probability=0.0,
        seed=HELD_OUT_TOWN_SEED,
    )


def train_variation(variation: Variation, world: World, training: Path, held_out: Path) -> Outcome:
    """Train one variation on a store of documents and evaluate it on another."""
    town, unseen = Town(BIAS, world=world), TokenStore.open(held_out)
    model, history = train_on_town(
        narrow_config(town.tokenizer.vocab_size, variation.sharing),
        hamlet_recipe(variation.steps, world.sequence_length, variation.pair_objective),
        TokenStore.open(training),
        town.tokenizer,
        seed=variation.seed,
        held_out=held_out_batches(unseen, town),
        evaluate_every=ceil(variation.steps / EVALUATIONS),
        progress=False,
    )
    sop, nsp = (
        evaluate(model, held_out_batches(unseen, town, objective), BATCHES)
        for objective in ("sop", "nsp")
    )
    return Outcome(variation, sop, nsp, held_out_rows(history))


def held_out_rows(history: History) -> History:
    """Return the rows of a run that have held-out columns, and of those only "step" and these."""
    return History(
        [
            {name: row[name] for name in row if name == "step" or name.startswith("held_out_")}
            for row in history.rows
            if "held_out_mlm_loss" in row
        ]
    )


def compare(variations: Sequence[Variation], world: World) -> Iterator[Outcome]:
    """Train all, two at a time with one thread each; yield in the order given."""
    with TemporaryDirectory() as folder, training_pool() as pool:
        paths = Path(folder) / "training", Path(folder) / "held-out"
        for path, seed, n in zip(
            paths, (TRAINING_TOWN_SEED, HELD_OUT_TOWN_SEED), (DOCUMENTS, HELD_OUT), strict=True
        ):
            town = Town(BIAS, seed=seed, world=world)
            TokenStore.build(path, town.documents(n), town.tokenizer)
        trained = pool.map(
            partial(train_variation, world=world, training=paths[0], held_out=paths[1]), variations
        )
        yield from tqdm(trained, total=len(variations), unit="model")
