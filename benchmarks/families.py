"""Probes on a BERT and a RoBERTa that learnt the Town for as long as our ALBERT.

    python -m benchmarks.families [--seeds 3] [--save FOLDER]

Trains both families of transformers on the Hamlet at three settings of the dial, asks them with the
same probes as ALBERT, and prints each probe's slope and correlation beside those on ALBERT of the
same towns (data/town/calibration.json), with the interval of their difference over seeds. First
come the processor's seconds of a step, for which the numbers of steps were chosen. `--save` writes
families.json there. Half a minute a model and core: ten minutes at three seeds.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from albert_lib.corpus import TokenStore
from albert_lib.experiments.family_calibration import calibrate_family
from albert_lib.experiments.family_models import (
    FAMILY_STEPS,
    OTHER_FAMILIES,
    Family,
    family_tokenizer,
    train_family,
)
from albert_lib.experiments.family_trials import run_family_trials
from albert_lib.experiments.stored_trials import load_trials, save_trials
from albert_lib.experiments.town_models import hamlet_recipe, town_config, train_on_town
from albert_lib.experiments.town_questions import SENTENCE_PROBES
from albert_lib.experiments.town_trials import MANY_REMARKS, TownTrial
from albert_lib.files import data_folder
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet
from benchmarks.common import cpu_seconds
from benchmarks.targets import Report

BIASES = (1.0, 0.0, 0.5)
TRIED, DOCUMENTS = 40, 4_000  # steps that are timed, and documents for them
SAME = (0.8, 1.25)  # the seconds of a training beside ALBERT's


def main() -> int:
    """Train, ask and print; return 1 where a family was not trained for as long as ALBERT."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=3, help="models of each kind")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="save what was measured there")
    options = parser.parse_args()
    report = Report()
    add_seconds(report)
    trials = [
        TownTrial(bias, seed, FAMILY_STEPS[family], family=family)
        for seed in range(options.seeds)
        for bias in BIASES
        for family in OTHER_FAMILIES
    ]
    probed = list(run_family_trials(trials))
    if options.save is not None:
        options.save.mkdir(parents=True, exist_ok=True)
        command = f"python -m benchmarks.families --seeds {options.seeds}"
        save_trials(options.save / "families.json", probed, command)
    albert, _ = load_trials(data_folder() / "town" / "calibration.json")
    for family in OTHER_FAMILIES:
        report.title(f"{family}: {len(trials) // 2} models, and ALBERTs of the same towns")
        for name in SENTENCE_PROBES:
            found = calibrate_family(albert, probed, name, family)
            report.line(
                f"{name}: slope {found.own.slope}, r = {found.own.correlation:.2f}; ALBERT "
                f"{found.albert.slope}, r = {found.albert.correlation:.2f}; difference "
                f"{found.difference}: {found.verdict}"
            )
    return report.close()


def add_seconds(report: Report) -> None:
    """Add how long a whole training takes beside ALBERT's, in seconds of one core, in turns."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    town = Town(1.0, world=load_hamlet(MANY_REMARKS))
    documents = list(town.documents(DOCUMENTS))
    with tempfile.TemporaryDirectory() as folder:
        store = TokenStore.build(Path(folder) / "town", documents, town.tokenizer)
        work: dict[Family, Callable[[], object]] = {"albert": lambda: train_albert(store, town)}
        for family in OTHER_FAMILIES:
            tokenizer = family_tokenizer(family, documents)
            work[family] = lambda family=family, tokenizer=tokenizer: train_family(
                family, documents, tokenizer, steps=TRIED, seed=0
            )
        for run in work.values():  # what is slow once
            run()
        of_step = {family: min(cpu_seconds(run) for _ in range(3)) for family, run in work.items()}
    torch.set_num_threads(threads)
    whole = {name: FAMILY_STEPS[name] * spent / TRIED for name, spent in of_step.items()}
    report.title("seconds of one core for all steps")
    for family in OTHER_FAMILIES:
        ratio = whole[family] / whole["albert"]
        report.line(f"{family} {whole[family]:.1f}, ALBERT {whole['albert']:.1f}")
        report.at_least(f"families: {family}'s training over ALBERT's", ratio, SAME[0])
        report.at_most(f"families: {family}'s training over ALBERT's", ratio, SAME[1])


def train_albert(store: TokenStore, town: Town) -> None:
    """So many steps of `town_trials`' ALBERT."""
    recipe = hamlet_recipe(TRIED, town.world.sequence_length)
    config = town_config(town.tokenizer.vocab_size)
    train_on_town(config, recipe, store, town.tokenizer, progress=False)


if __name__ == "__main__":
    raise SystemExit(main())
