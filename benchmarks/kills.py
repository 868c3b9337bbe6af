"""Whether pretraining that is killed again and again ends as if it had been left alone.

    python -m benchmarks.kills [--kills 20] [--seed 0] [--steps 40]

One run of `python -m albert_lib pretrain` is left alone. Then the same run is killed with SIGKILL
at random instants and started again; when it ends all the same, the next one begins, until all
kills are spent. It saves after every step. Half of the instants are drawn from the time a whole run
takes; the other half from a checkpoint's write, somewhere in the run. A kill hit a write when it
left an unfinished folder. At the end of every run its weights, its optimiser's state and its
history must be those of the run left alone, bit for bit, or the exit status is 1.
"""

from __future__ import annotations

import argparse
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from albert_lib import AlbertTokenizer, TokenStore
from albert_lib.files import data_folder, project_folder
from albert_lib.text import python_documentation
from albert_lib.training import History, load_latest

DOCUMENTS = 150
MODEL = "--embedding-size 128 --hidden-size 256 --num-hidden-layers 2 --num-attention-heads 4"
RECIPE = (
    "--batch-size 4 --sequence-length 32 --warmup-steps 5 --evaluate-every 0 "
    "--checkpoint-every 1 --precision float32 --device cpu"
)
LEFTOVERS = {  # what lies about after a kill, and what it interrupted
    r"\.checkpoint-\d+-(?!old)": "a write",
    r"\.checkpoint-\d+-old": "a removal",
    r"\.model-": "the final model's write",
}
IMPATIENCE = 120.0  # seconds after which a write that never comes is no longer waited for


@dataclass(frozen=True)
class Pace:
    """How long a run takes that nobody disturbs, in seconds."""

    start: float  # until its first checkpoint begins
    whole: float
    write: float  # of one checkpoint, roughly


def main() -> int:
    """Kill, resume and compare; print a line a kill and a summary."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0, help="of the instants")
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build_corpus(folder / "corpus")
        pace = left_alone(folder / "alone", options.steps)
        print(
            f"left alone: {pace.whole:.1f} s, {pace.start:.1f} of them before the first "
            f"checkpoint; a write takes {pace.write * 1e3:.0f} ms",
            flush=True,
        )
        hits, different = kill_and_compare(folder, options, pace)
    told = ", ".join(f"{number} in {what}" for what, number in sorted(hits.items()))
    print(f"{options.kills} kills in {time.perf_counter() - began:.0f} s: {told}")
    if different:
        print(f"{different} runs ended otherwise than the one left alone")
    elif not hits["a write"]:
        print("no kill hit a write: nothing is shown about that")
    else:
        print("every run ended as the one left alone, bit for bit")
    return int(bool(different) or not hits["a write"])


def build_corpus(path: Path) -> None:
    """Store a little of Python's documentation."""
    tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
    TokenStore.build(path, islice(python_documentation(packages=()), DOCUMENTS), tokenizer)


def start(output: Path, steps: int) -> subprocess.Popen[bytes]:
    """Start the run, or start it again where it was killed."""
    words = [*MODEL.split(), *RECIPE.split(), "--steps", str(steps)]
    words += ["--corpus", str(output.parent / "corpus"), "--output", str(output)]
    return subprocess.Popen(
        [sys.executable, "-m", "albert_lib", "pretrain", *words],
        cwd=project_folder(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run to end; raise RuntimeError with its own words when it failed."""
    _, words = process.communicate()
    if process.returncode:
        raise RuntimeError(f"a run failed by itself: {words.decode(errors='replace')}")


def left_alone(output: Path, steps: int) -> Pace:
    """Run without a kill, and look how long it takes."""
    began = time.perf_counter()
    process = start(output, steps)
    wait_for_write(process, output)
    first = time.perf_counter()
    while process.poll() is None and not (output / "checkpoint-00000001").exists():
        time.sleep(0.001)
    written = time.perf_counter()
    finish(process)
    return Pace(first - began, time.perf_counter() - began, written - first)


def kill_and_compare(
    folder: Path, options: argparse.Namespace, pace: Pace
) -> tuple[Counter[str], int]:
    """Spend all kills; return what they hit, and how many runs ended otherwise."""
    instants = instants_to_kill(random.Random(options.seed), options.kills, pace)
    hits: Counter[str] = Counter()
    different = run = 0
    while sum(hits.values()) < options.kills:
        run += 1
        output = folder / f"run-{run}"
        for delay, in_write in instants:
            process = start(output, options.steps)
            what = kill(process, output, delay, in_write)
            if what is None:
                instants = prepended((delay, in_write), instants)
                break
            hits[what] += 1
            newest = max((path.name for path in output.glob("checkpoint-*")), default="none")
            print(f"run {run}: killed after {delay:5.2f} s in {what}; {newest}", flush=True)
        else:
            finish(start(output, options.steps))
        if problem := difference(output, folder / "alone"):
            different += 1
            print(f"run {run}: {problem}")
    return hits, different


def instants_to_kill(draw: random.Random, kills: int, pace: Pace) -> Iterator[tuple[float, float]]:
    """Yield seconds to wait, and then seconds into the next write (below 0: at once)."""
    for number in range(kills):
        if number % 2:
            training = pace.whole - pace.start
            yield pace.start + draw.random() * training / 2, draw.random() * pace.write
        else:
            yield draw.random() * pace.whole, -1.0


def prepended(
    first: tuple[float, float], rest: Iterator[tuple[float, float]]
) -> Iterator[tuple[float, float]]:
    """Yield `first`, then `rest`."""
    yield first
    yield from rest


def kill(
    process: subprocess.Popen[bytes], output: Path, delay: float, in_write: float
) -> str | None:
    """Kill a run after `delay`; return what it was doing, or None when it had ended before."""
    before = hidden(output)
    try:
        process.wait(delay)
    except subprocess.TimeoutExpired:
        if in_write >= 0:
            wait_for_write(process, output)
            time.sleep(in_write)
        process.kill()
    finish_killed(process)
    if process.returncode == 0:
        return None
    left = hidden(output) - before
    for pattern, what in LEFTOVERS.items():
        if any(re.match(pattern, name) for name in left):
            return what
    return "a step" if any(output.glob("checkpoint-*")) else "the start"


def finish_killed(process: subprocess.Popen[bytes]) -> None:
    """Wait for a run to end, by the kill or well; raise RuntimeError when it failed by itself."""
    _, words = process.communicate()
    if process.returncode not in (0, -9, 1):
        raise RuntimeError(f"a run failed by itself: {words.decode(errors='replace')}")


def wait_for_write(process: subprocess.Popen[bytes], output: Path) -> None:
    """Wait until a new unfinished folder appears, or the run ends."""
    before, began = hidden(output), time.perf_counter()
    while process.poll() is None and time.perf_counter() - began < IMPATIENCE:
        if any(re.match(r"\.checkpoint-\d+-(?!old)", name) for name in hidden(output) - before):
            return
        time.sleep(0.001)


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
