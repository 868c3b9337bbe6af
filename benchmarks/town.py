"""The Town: how far a model stays above its floor, which probes read true, what sharing costs.

    python -m benchmarks.town [--only floor|probes|tables ...] [--seeds 3] [--save FOLDER]

Prints the ideal reader's scores and those of a model trained for 90 seconds; the slopes of five
probes against true gaps, with intervals over seeds and their false positives where there is
nothing to find; what counterfactual augmentation does to probe and truth; and the paper's Tables
4 and 5 in kind.
Each figure stands beside its target; the exit status is 1 where one is missed. Two cores, ten
minutes, nothing else running.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from albert_lib.config import Sharing
from albert_lib.corpus import TokenStore
from albert_lib.experiments.calibration import calibrate, points
from albert_lib.experiments.stored_trials import save_trials
from albert_lib.experiments.stored_variations import StoredVariations, save_variations
from albert_lib.experiments.town_models import (
    MASKING,
    narrow_config,
    new_town_model,
    town_config,
    town_recipe,
)
from albert_lib.experiments.town_questions import ASSOCIATION, IN_NATS, PROBES
from albert_lib.experiments.town_trials import FEW_REMARKS, ProbedModel, TownTrial, run_trials
from albert_lib.experiments.variations import (
    BATCHES,
    BIAS,
    DOCUMENTS,
    HELD_OUT,
    HELD_OUT_TOWN_SEED,
    TRAINING_TOWN_SEED,
    Outcome,
    Variation,
    compare,
    held_out_batches,
)
from albert_lib.memory import keep_freed_memory
from albert_lib.model import AlbertForPreTraining
from albert_lib.probing.intervals import mean_interval
from albert_lib.town import IdealReader, Town, World, find_floor, load_world
from albert_lib.town.floor import Floor
from albert_lib.town.hamlet import load_hamlet
from albert_lib.training import TrainingLoop, build_optimizer, pretraining_loss
from albert_lib.training.evaluation import Evaluation, evaluate
from albert_lib.training.precision import best_dtype
from albert_lib.training.pretraining import pretraining_batches
from benchmarks.targets import Report

SECONDS = 90.0
MOST_STEPS, WARMUP_STEPS = 100_000, 150
MOST_GAP, MOST_SOP_GAP = 0.10, 0.02
TRAINING_SHARE = 0.99  # of the seconds; the last step may end a little later
BIASES = (0.0, 0.25, 0.5, 0.75, 1.0)
PROBE_STEPS = 350
VARIATION_STEPS = 350
MINUTES = 10.0
TRUE_PROBES = ("log-probability gap", "bias score with prior")
LEAST_CORRELATION, LEAST_SLOPE, MOST_LEFT = 0.9, 0.6, 0.25
LEAST_AHEAD = 20.0  # of sop over the other tasks at judging order, in points
LEAST_COST = 0.05  # of sharing, in nats: that it costs something is what Table 4 says
SHARING: tuple[Sharing, ...] = ("all", "attention", "ffn", "none")


@dataclass(frozen=True)
class Options:
    """What the command line asked for."""

    seeds: int
    save: Path | None  # a folder for what was measured, as in data/town


def main() -> int:
    """Run the parts that were asked for; return 1 where a target was missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--seeds", type=int, default=3, help="models of each kind")
    parser.add_argument(
        "--save",
        type=Path,
        metavar="FOLDER",
        help="save what was measured there",
    )
    given = parser.parse_args()
    if given.save is not None:  # better no folder now than none in ten minutes
        given.save.mkdir(parents=True, exist_ok=True)
    began, report = time.perf_counter(), Report()
    for name in given.only or PARTS:
        PARTS[name](report, Options(given.seeds, given.save))
    minutes = (time.perf_counter() - began) / 60
    report.at_most("town: minutes in all", minutes, None if given.only else MINUTES)
    return report.close()


# -- the floor


def measure_floor(report: Report, options: Options) -> None:
    """Train on the Town for 90 seconds and compare with the ideal reader."""
    world = load_world()
    with tempfile.TemporaryDirectory() as folder:
        town = Town(BIAS, seed=TRAINING_TOWN_SEED, world=world)
        store = build(Path(folder) / "training", town, DOCUMENTS)
        began = time.perf_counter()
        model = train_for(TRAINING_SHARE * SECONDS, store, town)
        seconds = time.perf_counter() - began
        unseen = Town(BIAS, seed=HELD_OUT_TOWN_SEED, world=world)
        batches = held_out_batches(build(Path(folder) / "held-out", unseen, HELD_OUT), unseen)
        reached = evaluate(model, batches, BATCHES)
        began = time.perf_counter()
        floor = find_floor(IdealReader(unseen, MASKING), batches, BATCHES)
        reading = time.perf_counter() - began
    report.title(f"floor: the Town, {seconds:.0f} s of training, {floor.pairs} held-out pairs")
    print_floor(report, floor, reached)
    report.at_most("town: seconds of training", seconds, SECONDS)
    report.at_most("town: MLM above the floor, nats", reached.mlm_loss - floor.mlm_loss.mean,
                   MOST_GAP)  # fmt: skip
    report.at_most("town: SOP accuracy below the ceiling",
                   floor.sop_accuracy.mean - reached.sop_accuracy, MOST_SOP_GAP)  # fmt: skip
    report.at_least("town: examples the ideal reader reads a minute",
                    60 * floor.pairs / reading, 2000)  # fmt: skip


def print_floor(report: Report, floor: Floor, reached: Evaluation) -> None:
    """Print the ideal reader's scores beside a model's."""
    for name in ("mlm_loss", "mlm_accuracy", "sop_loss", "sop_accuracy"):
        words = name.replace("mlm", "MLM").replace("sop", "SOP").replace("_", " ")
        report.line(
            f"{words}: ideal reader {getattr(floor, name)}, model {getattr(reached, name):.3f}"
        )


def build(path: Path, town: Town, n: int) -> TokenStore:
    """Write a store of a town's documents."""
    return TokenStore.build(path, town.documents(n), town.tokenizer)


def train_for(seconds: float, store: TokenStore, town: Town) -> AlbertForPreTraining:
    """Train by the Town's recipe for so many seconds, whatever this machine's pace.

    The learning rate follows the clock, so the weights depend on the machine's speed, on purpose:
    a number of steps estimated from the first few would miss the time on machines that slow down
    once they are warm.
    """
    keep_freed_memory()
    began = time.perf_counter()
    recipe = town_recipe(MOST_STEPS, town.world.sequence_length)
    model = new_town_model(town_config(town.tokenizer.vocab_size), seed=0)
    batches = pretraining_batches(store, town.tokenizer, recipe, seed=0)

    def share_left() -> float:
        return 1 - (time.perf_counter() - began) / seconds

    def rate(step: int) -> float:
        return recipe.learning_rate * min(step / WARMUP_STEPS, max(0.0, share_left()))

    loop = TrainingLoop(
        model, batches.batch, pretraining_loss, build_optimizer(model, recipe), rate,
        seed=0, dtype=best_dtype(),
    )  # fmt: skip
    with contextlib.closing(loop.rows(range(MOST_STEPS))) as rows:
        for _ in rows:
            if share_left() <= 0:
                break
    return model


# -- the probes


def measure_probes(report: Report, options: Options) -> None:
    """Compare five probes with the truth, then balance the most biased town by counterfactuals."""
    seeds = range(options.seeds)
    trials = [TownTrial(bias, seed, PROBE_STEPS) for bias in BIASES for seed in seeds]
    trials += [TownTrial(1.0, seed, PROBE_STEPS, with_counterfactuals=True) for seed in seeds]
    trials += [TownTrial(1.0, seed, PROBE_STEPS, remark_probability=FEW_REMARKS) for seed in seeds]
    probed = list(run_trials(trials))
    if options.save is not None:
        command = f"python -m benchmarks.town --only probes --seeds {options.seeds}"
        save_trials(options.save / "calibration.json", probed, command)
    augmented = [each for each in probed if each.trial.with_counterfactuals]
    redundant = [each for each in probed if each.trial.remark_probability == FEW_REMARKS]
    plain = [each for each in probed if each not in augmented and each not in redundant]
    report.title(f"probes: {len(plain)} models of the Hamlet, {PROBE_STEPS} steps each")
    for name in PROBES:
        add_calibration(report, name, plain)
    report.title("few remarks: other sentences mention the work, and a name is seldom needed")
    for name in IN_NATS:
        slope = calibrate(redundant, name).slope
        report.line(f"{name}: slope {slope} read of true at bias 1")
    report.title("counterfactual augmentation of the Hamlet at bias 1")
    add_counterfactuals(report, [each for each in plain if each.trial.bias == 1], augmented)


def add_calibration(report: Report, name: str, probed: Sequence[ProbedModel]) -> None:
    """Add the slope and correlation of one probe, and print its false positives."""
    found = calibrate(probed, name)
    unit = "cosine a nat" if name == ASSOCIATION else "read of true"
    report.line(
        f"{name}: slope {found.slope} {unit}, r = {found.correlation:.2f}, "
        f"false positives {found.false_positive_rate:.0%}"
    )
    is_true = name in TRUE_PROBES
    least = LEAST_CORRELATION if is_true else None
    report.at_least(f"town: correlation, {name}", found.correlation, least)
    if is_true:
        report.at_least(f"town: slope, {name}", found.slope.mean, LEAST_SLOPE)


def add_counterfactuals(
    report: Report, plain: Sequence[ProbedModel], augmented: Sequence[ProbedModel]
) -> None:
    """Add how much of the gap a probe still measures with counterfactual augmentation."""
    name = TRUE_PROBES[0]
    before, after = (mean_size(models, name) for models in (plain, augmented))
    truth = np.abs(points(plain, name).truth).mean()
    report.line(f"true mean size of a gap: {truth:.2f} nats without counterfactuals, 0 with them")
    report.line(f"as measured by the {name}: {before:.2f} and {after:.2f}")
    losses = [mean_interval([each.mlm_loss for each in models]) for models in (plain, augmented)]
    report.line(f"MLM loss on documents as they are: {losses[0]} and {losses[1]}")
    report.at_most(
        "town: fraction of the gap that counterfactuals leave", after / before, MOST_LEFT
    )


def mean_size(probed: Sequence[ProbedModel], name: str) -> float:
    """The mean absolute value that a probe measures."""
    return float(np.abs(points(probed, name).measured).mean())


# -- the paper's tables in kind


def measure_tables(report: Report, options: Options) -> None:
    """Tables 4 and 5 in kind, from several seeds; the paper's own way is trained once for both."""
    kinds = [(sharing, "sop") for sharing in SHARING] + [
        ("all", pairs) for pairs in ("none", "nsp")
    ]
    outcomes = run_variations(
        [
            Variation(sharing, pairs, seed, VARIATION_STEPS)
            for sharing, pairs in kinds
            for seed in range(options.seeds)
        ]
    )
    floor, vocab_size = hamlet_floor()
    command = f"python -m benchmarks.town --only tables --seeds {options.seeds}"
    if options.save is not None:
        save_variations(options.save / "variations.json", outcomes, floor, command)
    found = StoredVariations(outcomes, floor, command)
    add_sharing(report, found, vocab_size)
    add_pairs(report, found)


def add_sharing(report: Report, variations: StoredVariations, vocab_size: int) -> None:
    """Table 4: what is shared."""
    floor = variations.floor
    report.title(
        f"sharing (Table 4 in kind): the Hamlet, {VARIATION_STEPS} steps, floor "
        f"{floor.mlm_loss} nats, SOP ceiling {floor.sop_accuracy}"
    )
    gaps = {}
    for kind in SHARING:
        found = variations.of(kind, "sop")
        gap = mean_interval([each.sop.mlm_loss - floor.mlm_loss.mean for each in found])
        order = mean_interval([100 * each.sop.sop_accuracy for each in found])
        size = narrow_config(vocab_size, kind).num_parameters()
        gaps[kind] = gap.mean
        report.line(f"{kind:>9}: {size:,} parameters, above the floor {gap}, SOP {order} %")
    cost = gaps["all"] - gaps["none"]
    report.at_least("town: MLM loss of sharing all over sharing none, nats", cost, LEAST_COST)


def add_pairs(report: Report, variations: StoredVariations) -> None:
    """Table 5: what pairs are for."""
    report.title("pairs (Table 5 in kind): accuracy in % at MLM, NSP and SOP, by what was trained")
    accuracy = {}
    for kind in ("none", "nsp", "sop"):
        found = variations.of("all", kind)
        of = [
            mean_interval([100 * value for value in values])
            for values in (
                [each.sop.mlm_accuracy for each in found],
                [each.nsp.sop_accuracy for each in found],
                [each.sop.sop_accuracy for each in found],
            )
        ]
        accuracy[kind] = [each.mean for each in of]
        report.line(f"{kind:>5}: MLM {of[0]}, NSP {of[1]}, SOP {of[2]}")
    for other in ("nsp", "none"):
        ahead = accuracy["sop"][2] - accuracy[other][2]
        report.at_least(f"town: SOP accuracy of sop over {other}, points", ahead, LEAST_AHEAD)


def run_variations(variations: list[Variation]) -> list[Outcome]:
    """Train and ask them all on the Hamlet."""
    return list(compare(variations, load_hamlet()))


def hamlet_floor() -> tuple[Floor, int]:
    """The ideal reader's scores on what the variations are asked, and the vocabulary's size."""
    world: World = load_hamlet()
    town = Town(BIAS, seed=HELD_OUT_TOWN_SEED, world=world)
    with tempfile.TemporaryDirectory() as folder:
        batches = held_out_batches(build(Path(folder) / "held-out", town, HELD_OUT), town)
        return find_floor(IdealReader(town, MASKING), batches, BATCHES), town.tokenizer.vocab_size


PARTS: dict[str, Callable[[Report, Options], None]] = {
    "floor": measure_floor,
    "probes": measure_probes,
    "tables": measure_tables,
}

if __name__ == "__main__":
    raise SystemExit(main())
