"""Faults planted in pretraining runs against the causes that `diagnose` names.

    python -m benchmarks.diagnosis --seeds 5
    python -m benchmarks.diagnosis --text english --only "labels shuffled"

Prints, for every fault, how often which cause was named; then the ranges of the numbers that
decide, in healthy runs and in those with the fault. Exits with 1 unless each fault has its own
cause named, and no other, in every run.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm.auto import tqdm

from albert_lib.diagnosis import diagnose
from albert_lib.training import History
from benchmarks.planted_faults import FAULTS, HEALTHY, english_workshop, run, small_workshop

DECIDED_BY = {  # cause → the numbers that decide it
    "labels visible": ["visible_share"],
    "labels off by one": ["neighbour_share"],
    "other labels": ["label_surprise"],
    "labels shuffled": ["kept_share", "label_surprise"],
    "attention mask": ["text_attended", "padding_attended"],
    "no gradient": ["gradient_words", "gradient_encoder", "gradient_mlm_head"],
    "too much masked": ["hidden_share", "mlm_loss"],
    "too few predictions": ["hidden_share", "predictions"],
    "output not tied": ["tied_share"],
    "loss diluted": ["counted_share"],
    "padding": ["text_share"],
    "segments missing": ["segment_share"],
    "late divergence": ["mlm_loss", "unigram_entropy"],
    "rate too high": ["hearing", "commonest_answer"],
    "rate too low": ["mlm_loss", "uniform_loss", "unigram_entropy"],
    "overfitting": ["mlm_loss", "held_out_mlm_loss"],
}
WORKSHOPS = {"small": small_workshop, "english": english_workshop}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the faults asked for, print both tables, return 0 if every cause was named right."""
    cases = {**FAULTS, **HEALTHY}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=2, help="runs of each fault")
    parser.add_argument("--text", choices=WORKSHOPS, default="small", help="what is trained on")
    parser.add_argument("--only", nargs="+", choices=cases, default=list(cases), metavar="FAULT")
    parser.add_argument("--save", type=Path, help="folder for the histories")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    named: dict[str, Counter[str]] = {name: Counter() for name in options.only}
    histories: dict[str, list[History]] = {name: [] for name in options.only}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workshop = WORKSHOPS[options.text](Path(folder))
        for name in tqdm(options.only, "faults"):
            for seed in range(options.seeds):
                history = run(workshop, cases[name], seed)
                histories[name].append(history)
                named[name].update(diagnose(history).causes or ("nothing",))
                if options.save is not None:
                    options.save.mkdir(parents=True, exist_ok=True)
                    history.save(options.save / f"{options.text}-{name}-{seed}.json")
    print_matrix(named)
    print_ranges(histories)
    right = {name: Counter({cases[name].cause or "nothing": options.seeds}) for name in named}
    return 0 if named == right else 1


def print_matrix(named: dict[str, Counter[str]]) -> None:
    """Print a line a fault: the causes named, and in how many runs."""
    print(f"\n{'planted':26}named by diagnose, in so many runs")
    for name, causes in named.items():
        print(f"{name:26}{', '.join(f'{cause} {n}' for cause, n in causes.items())}")


def print_ranges(histories: dict[str, list[History]]) -> None:
    """Print, for every cause, what decides it: in healthy runs, and in each fault that has it."""
    healthy = [each for name in histories if name in HEALTHY for each in histories[name]]
    for cause, columns in DECIDED_BY.items():
        planted = {n: runs for n, runs in histories.items() if n in FAULTS}
        planted = {n: runs for n, runs in planted.items() if FAULTS[n].cause == cause}
        for column in columns if planted else ():
            print(f"\n{cause}: {column}")
            for name, runs in {"healthy": healthy, **planted}.items():
                if values := [each.column(column)[-1] for each in runs if column in each.columns()]:
                    print(f"    {name:26}{min(values):.3g} to {max(values):.3g}")


if __name__ == "__main__":
    raise SystemExit(main())
