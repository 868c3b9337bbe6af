"""Steps of training while others use the processors, beside PyTorch as it comes.

    python -m benchmarks.neighbours [--rounds 5] [--seconds 3] [--all]

The quick recipe in processes that take turns: alone, beside one busy neighbour, beside two. A
neighbour is an endless loop that this command starts and ends. Before a turn is counted, its
process trains for a while, because albert_lib looks twice a second what others use. The targets are
of the medians of all rounds, on two processors; with --all, other ways to have OpenMP wait are
measured as well. Every process draws the same batches, so that with as many threads the losses have
to be the same in every bit. Exits with 1 where a target is missed. Nothing else should run:
whatever does is one more neighbour, also of those who are "alone".
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from statistics import median

import torch

from albert_lib import AlbertForPreTraining
from albert_lib.corpus import TokenStore, python_documentation
from albert_lib.experiments.quick import quick_config, quick_recipe
from albert_lib.files import project_folder
from albert_lib.openmp import WAIT_SETTINGS
from albert_lib.processors import THREAD_SETTINGS, usable_processors
from albert_lib.training import pretrain
from benchmarks.common import load_tokenizer
from benchmarks.targets import Report

TODAY, OURS = "PyTorch as it comes", "albert_lib"
CONTENDERS = {  # GNU's OpenMP spins 300,000 times by itself; said by a user, it is left alone
    TODAY: {"GOMP_SPINCOUNT": "300000"},
    OURS: {},
}
OTHERS = {
    "always asleep": {"OMP_WAIT_POLICY": "PASSIVE"},
    "1,000 spins": {"GOMP_SPINCOUNT": "1000"},
    "10,000 spins": {"GOMP_SPINCOUNT": "10000"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
NEIGHBOURS = (0, 1, 2)
TIMES_BESIDE_TWO, TIMES_ALONE = 2.5, 0.95
DOCUMENTS = 300
SETTLING = 3.0  # seconds: four quiet looks, half a second apart, until threads spin again
FIRST_STEPS = 10  # not counted: memory is taken, kernels are chosen
ENDLESS = 1_000_000


class Contender:
    """A process that trains when told to."""

    def __init__(self, store: str, settings: dict[str, str]) -> None:
        ignored = {*WAIT_SETTINGS, *THREAD_SETTINGS}
        environment = {k: v for k, v in os.environ.items() if k not in ignored}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.neighbours", "--train", store],
            cwd=project_folder(), env={**environment, **settings}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        self.threads = int(self.answer())

    def answer(self) -> str:
        """The next line that the process writes."""
        assert self.process.stdout is not None
        if not (line := self.process.stdout.readline()):
            raise SystemExit("a contender ended; its error stands above")
        return line

    def steps_a_second(self, seconds: float) -> float:
        """Train for a while, then for `seconds` or a step, whichever is longer; its pace."""
        assert self.process.stdin is not None
        print(seconds, file=self.process.stdin, flush=True)
        return float(self.answer())

    def losses(self) -> list[str]:
        """End the process; the loss of every step it took, in all its bits."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.answer().split()


def main() -> int:
    """Print paces and ratios; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--all", action="store_true", help="other ways to wait, too")
    parser.add_argument("--train", metavar="STORE", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        return train_when_told(options.train)
    report, paces = Report(), dict[tuple[str, int], list[float]]()
    with tempfile.TemporaryDirectory() as folder:
        TokenStore.build(folder, islice(python_documentation(), DOCUMENTS), load_tokenizer())
        ways = CONTENDERS | (OTHERS if options.all else {})
        contenders = {name: Contender(folder, settings) for name, settings in ways.items()}
        threads = contenders[OURS].threads
        report.title(f"neighbours: {usable_processors().usable} processors, {threads} threads")
        for _ in range(options.rounds):
            for count in NEIGHBOURS:
                with busy(count):
                    for name, contender in contenders.items():
                        pace = contender.steps_a_second(options.seconds)
                        paces.setdefault((name, count), []).append(pace)
        ended = {name: contender.losses() for name, contender in contenders.items()}
    losses = [ended[name] for name in ways if contenders[name].threads == threads]
    for name in ways:
        figures = (f"{median(paces[name, count]):6.2f} beside {count}" for count in NEIGHBOURS)
        report.line(f"{name:20s} steps a second: {', '.join(figures)}")
    ratio = [median(paces[OURS, n]) / median(paces[TODAY, n]) for n in NEIGHBOURS]
    on_two = usable_processors().usable == 2
    report.at_least(
        "neighbours: times today's steps, alone", ratio[0], TIMES_ALONE if on_two else None
    )
    report.at_least("neighbours: beside one", ratio[1], None)
    report.at_least("neighbours: beside two", ratio[2], TIMES_BESIDE_TWO if on_two else None)
    report.at_most("neighbours: losses that differ", differing(losses), 0)
    return report.close()


def differing(losses: list[list[str]]) -> int:
    """At how many of the steps that two processes both took their losses are not the same."""
    return sum(a != b for one, two in pairwise(losses) for a, b in zip(one, two, strict=False))


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep `count` neighbours busy inside the block."""
    loop = [sys.executable, "-S", "-c", "while True: pass"]
    neighbours = [subprocess.Popen(loop) for _ in range(count)]
    try:
        yield
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()


def train_when_told(store: str) -> int:
    """Train by the quick recipe, for as many seconds as each line of the input says."""
    turn, losses = Turn(), list[str]()

    def on_step(row: dict[str, float]) -> None:
        losses.append(float(row["loss"]).hex())
        if len(losses) == FIRST_STEPS:
            print(torch.get_num_threads(), flush=True)
            turn.wait()
        elif len(losses) > FIRST_STEPS:
            turn.step()

    tokenizer = load_tokenizer()
    torch.manual_seed(0)
    model = AlbertForPreTraining(quick_config(tokenizer.vocab_size))
    recipe = quick_recipe(ENDLESS).replace(evaluate_every=0, checkpoint_every=0)
    with contextlib.suppress(EOFError):
        pretrain(
            model, TokenStore.open(store), tokenizer, recipe, progress=False, on_step=on_step
        )  # fmt: skip
    print(*losses, flush=True)
    return 0


class Turn:
    """Counts the steps of a turn; at its end the process waits for the next."""

    def wait(self) -> None:
        """Wait to be told for how many seconds to train; EOFError when there is no more."""
        self.seconds = float(input())
        self.begin, self.steps, self.counts = time.perf_counter() + SETTLING, 0, False

    def step(self) -> None:
        """Count a step; say the pace when the time is over."""
        now = time.perf_counter()
        if self.counts:
            self.steps += 1
            if now > self.begin + self.seconds:
                print(self.steps / (now - self.begin), flush=True)
                self.wait()
        elif now > self.begin:
            self.begin, self.counts = now, True


if __name__ == "__main__":
    raise SystemExit(main())
