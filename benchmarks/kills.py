"""Whether pretraining that is killed again and again ends as if it had not been.

    python -m benchmarks.kills [--kills 20] [--seed 0] [--steps 30] [what else pretrain takes]

One run of `python -m albert_lib pretrain` is not killed. Then the same run is killed with SIGKILL
at random instants and started again, five times; then it may end, and the next one begins, until
all kills are used. It saves after every step. The first kill of each run comes before its first
checkpoint; half of the others are drawn from the time that the rest of the run takes, half from a
checkpoint's write somewhere in it. A kill hit a write when it left an unfinished folder. At the
end of every run its weights, its optimizer's state and its history must be those of the run that
was not killed, bit for bit, or the exit status is 1. Then a fifth as many builds of a corpus are
killed while their workers start (killed_builds). Other arguments go to pretrain: --compile, say.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from albert_lib import TokenStore
from albert_lib.corpus import python_documentation
from albert_lib.files import project_folder
from albert_lib.training import History, load_latest
from benchmarks.common import load_tokenizer
from benchmarks.killed_builds import kill_builds
from benchmarks.targets import Report

DOCUMENTS = 150
MODEL = "--embedding-size 128 --hidden-size 256 --num-hidden-layers 2 --num-attention-heads 4"
RECIPE = (
    "--batch-size 4 --sequence-length 32 --warmup-steps 5 --evaluate-every 0 "
    "--checkpoint-every 1 --precision float32 --device cpu"
)
A_WRITE = r"\.checkpoint-\d+-(?!old)"
LEFTOVERS = {  # what lies about after a kill, and what it interrupted
    A_WRITE: "in a write",
    r"\.checkpoint-\d+-old": "in a removal",
    r"\.model-": "in the final model's write",
}
KILLS_A_RUN = 5  # then it may end and is compared
NOWHERE = -1.0
AT_START = "before the first checkpoint"
KILLED = 1 if os.name == "nt" else -9


@dataclass(frozen=True)
class Instant:
    """When to kill: after a share of the time that is left, in a write or wherever it is."""

    share: float
    in_write: float  # after this share of the next write, or NOWHERE
    in_start: bool = False  # of the time until the first checkpoint begins, not of all


@dataclass(frozen=True)
class Pace:
    """How long a run takes that nobody disturbs, in seconds."""

    start: float  # until its first checkpoint begins
    step: float  # and its checkpoint
    write: float  # of one checkpoint, roughly

    def corrected(self, delay: float, ended: float) -> Pace:
        """Return the pace after a run that ended by itself when it was to be killed after `delay`.

        The first run may have compiled what later ones find compiled.
        """
        faster = 0.9 * min(1.0, ended / delay)
        return Pace(faster * self.start, faster * self.step, self.write)

    def delay(self, instant: Instant, steps: int) -> float:
        """Return the seconds to wait before the kill, with so many steps to go."""
        if instant.in_start:
            return instant.share * self.start
        if instant.in_write == NOWHERE:
            return instant.share * (self.start + steps * self.step)
        return self.start + 0.8 * instant.share * steps * self.step  # a write is still to come


def main() -> int:
    """Kill, resume and compare; print a line a kill and a summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the instants")
    parser.add_argument("--steps", type=int, default=30)
    options, options.more = parser.parse_known_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_corpus(folder / "corpus")
        pace = left_alone(folder / "alone", options)
        print(
            f"left alone: {pace.start:.1f} s until the first checkpoint, then "
            f"{pace.step * 1e3:.0f} ms a step, {pace.write * 1e3:.0f} of them to write it",
            flush=True,
        )
        hits, different = kill_and_compare(folder, options, pace)
        builds = options.kills // KILLS_A_RUN
        wrong = kill_builds(folder, builds, random.Random(options.seed))
    told = ", ".join(f"{number} {what}" for what, number in sorted(hits.items()))
    print(f"{options.kills} kills in {time.perf_counter() - began:.0f} s: {told}")
    report = Report()
    report.at_most("kills: runs that ended otherwise than the one left alone", different, 0)
    report.at_least("kills: hit a write", hits["in a write"], 1)
    report.at_least("kills: before the first checkpoint", hits[AT_START], 1)
    report.at_most(f"kills: of {builds} builds, left something or ended otherwise", wrong, 0)
    return report.close()


def build_corpus(path: Path) -> None:
    """Store a little of Python's documentation."""
    tokenizer = load_tokenizer()
    TokenStore.build(path, islice(python_documentation(packages=()), DOCUMENTS), tokenizer)


def start(output: Path, options: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start the run, or start it again where it was killed; its words go to a file.

    A pipe that nobody empties would fill and hold up a run that has much to say.
    """
    words = [*MODEL.split(), *RECIPE.split(), "--steps", str(options.steps), *options.more]
    words += ["--corpus", str(output.parent / "corpus"), "--output", str(output)]
    with words_of(output).open("wb") as said:
        return subprocess.Popen(
            [sys.executable, "-m", "albert_lib", "pretrain", *words],
            cwd=project_folder(),
            stdout=subprocess.DEVNULL,
            stderr=said,
        )


def words_of(output: Path) -> Path:
    """Return the file that receives what a run says on standard error."""
    return output.with_name(f"{output.name}-said.txt")


def finish(process: subprocess.Popen[bytes], output: Path, *, killed: bool = False) -> None:
    """Wait for a run to end, well or `killed`; RuntimeError with its own words if it failed."""
    ends = (0, KILLED) if killed else (0,)
    if process.wait() not in ends:
        words = words_of(output).read_text(encoding="utf-8", errors="replace")
        raise RuntimeError(f"a run failed by itself: {words}")


def left_alone(output: Path, options: argparse.Namespace) -> Pace:
    """Run without a kill, and look how long it takes."""
    began = time.perf_counter()
    process = start(output, options)
    wait_for_write(process, output)
    first = time.perf_counter()
    while process.poll() is None and not (output / "checkpoint-00000001").exists():
        time.sleep(0.001)
    written = time.perf_counter()
    finish(process, output)
    step = (time.perf_counter() - first) / options.steps
    return Pace(first - began, step, written - first)


def kill_and_compare(
    folder: Path, options: argparse.Namespace, pace: Pace
) -> tuple[Counter[str], int]:
    """Spend all kills; return what they hit, and how many runs ended otherwise."""
    instants = draw_instants(random.Random(options.seed), options.kills)
    hits: Counter[str] = Counter()
    different = run = 0
    while instants:
        run += 1
        output, kills, ended = folder / f"run-{run}", 0, False
        while instants and kills < KILLS_A_RUN and not ended:
            instant = instants[0]
            delay = pace.delay(instant, options.steps - steps_saved(output))
            began = time.perf_counter()
            what = kill(start(output, options), output, delay, instant.in_write * pace.write)
            ended = what is None
            if what is None:
                pace = pace.corrected(delay, time.perf_counter() - began)
            else:
                instants.popleft()
                kills += 1
                hits[what] += 1
                told = f"{delay:5.2f} s {what}, {steps_saved(output)} steps saved"
                print(f"run {run}: killed after {told}", flush=True)
        if not ended:
            finish(start(output, options), output)
        if problem := difference(output, folder / "alone"):
            different += 1
            print(f"run {run}: {problem}")
    return hits, different


def draw_instants(draw: random.Random, kills: int) -> deque[Instant]:
    """Draw the first of each run from its start, half of the rest from writes, in any order."""
    starts = -(-kills // KILLS_A_RUN)
    rest = kills - starts
    instants = [Instant(draw.random(), NOWHERE) for _ in range(rest - rest // 2)]
    instants += [Instant(draw.random(), draw.random()) for _ in range(rest // 2)]
    draw.shuffle(instants)
    for run in range(starts):
        instants.insert(run * KILLS_A_RUN, Instant(draw.random(), NOWHERE, in_start=True))
    return deque(instants)


def steps_saved(output: Path) -> int:
    """Return the steps done by the newest checkpoint."""
    names = (path.name for path in output.glob("checkpoint-*"))
    return max((int(name.rpartition("-")[2]) for name in names), default=0)


def kill(
    process: subprocess.Popen[bytes], output: Path, delay: float, in_write: float
) -> str | None:
    """Kill a run after `delay`; return what it was doing, or None when it had ended before."""
    before = hidden(output)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        while in_write >= 0 and process.poll() is None:
            unfinished = wait_for_write(process, output)
            time.sleep(in_write)
            if unfinished & hidden(output):
                break
            in_write /= 2  # it was over sooner
        process.kill()
    finish(process, output, killed=True)
    if process.returncode == 0:
        return None
    left = hidden(output) - before
    for pattern, what in LEFTOVERS.items():
        if any(re.match(pattern, name) for name in left):
            return what
    return AT_START if steps_saved(output) == 0 else "elsewhere"


def wait_for_write(process: subprocess.Popen[bytes], output: Path) -> set[str]:
    """Wait until a new unfinished folder appears, and return its name, or until the run ends."""
    before = hidden(output)
    while process.poll() is None:
        new = hidden(output) - before
        if any(re.match(A_WRITE, name) for name in new):
            return new
        time.sleep(0.001)
    return set()


def hidden(output: Path) -> set[str]:
    """Return the names of the unfinished folders in a run's folder."""
    return {path.name for path in output.glob(".*")}


def difference(output: Path, alone: Path) -> str | None:
    """Say in what a run that ended differs from the one left alone, or None."""
    ours, theirs = load_latest(output), load_latest(alone)
    if ours is None or theirs is None or ours.step != theirs.step:
        return "it has not the same last checkpoint"
    pairs = [
        (each / "model.safetensors", other / "model.safetensors")
        for each, other in ((ours.folder, theirs.folder), (output / "model", alone / "model"))
    ]
    pairs.append((ours.folder / "optimizer.safetensors", theirs.folder / "optimizer.safetensors"))
    for own, other in pairs:
        if own.read_bytes() != other.read_bytes():
            return f"{own.parent.name}/{own.name} is not the same"
    if without_time(ours.history) != without_time(theirs.history):
        return "its history is not the same"
    return None


def without_time(history: History) -> list[dict[str, float]]:
    """Return the rows without what no two runs have in common."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history.rows]


if __name__ == "__main__":
    raise SystemExit(main())
