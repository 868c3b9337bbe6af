"""Our head's last product and cross-entropy beside PyTorch's linear_cross_entropy, in one run.

    python -m benchmarks.cross_entropy [--repeats 9]

Forward and backward, from the head's E numbers a prediction to the gradients of these, of the word
embeddings and of the bias. Times are medians over repeats in which the ways take turns; peak memory
is that of a fresh process a way. PyTorch's has two forms: the plain one, which is F.linear and
F.cross_entropy, and the chunked one, which never stores the logits of all rows.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
from collections.abc import Callable
from multiprocessing.connection import Connection

import torch
import torch.nn.functional as F
from torch import Tensor

from albert_lib.memory import peak_memory
from albert_lib.model.cross_entropy import mean_cross_entropy
from benchmarks.common import seconds

SHAPES = {  # predictions, vocabulary, embedding size
    "published": (600, 30_000, 128),
    "town": (1000, 450, 128),
    "small": (64, 2_000, 64),
}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Loss = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def ours(states: Tensor, words: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """The logits, and cross-entropy with its gradient in one pass over them."""
    return mean_cross_entropy(F.linear(states, words, bias), labels)


def linear_then_cross_entropy(
    states: Tensor, words: Tensor, bias: Tensor, labels: Tensor
) -> Tensor:
    """What every textbook writes."""
    return F.cross_entropy(F.linear(states, words, bias).float(), labels)


def plain(states: Tensor, words: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """PyTorch's function as it is called by default."""
    return F.linear_cross_entropy(states, words, labels, linear_bias=bias)


def chunked(states: Tensor, words: Tensor, bias: Tensor, labels: Tensor) -> Tensor:
    """The same with the chunks that PyTorch chooses for this machine."""
    options = torch.nn.LinearCrossEntropyOptions()
    return F.linear_cross_entropy(states, words, labels, linear_bias=bias, options=options)


WAYS: dict[str, Loss] = {
    "F.linear + mean_cross_entropy (ours)": ours,
    "F.linear + F.cross_entropy": linear_then_cross_entropy,
    "linear_cross_entropy": plain,
    "linear_cross_entropy, chunked": chunked,
}


def main() -> int:
    """Print a table; return 1 if a way of PyTorch's is as fast as ours in every case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    if not hasattr(F, "linear_cross_entropy"):
        print(f"PyTorch {torch.__version__} has no linear_cross_entropy; 2.13 has.")
        return 0
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads")
    faster = {name: True for name in WAYS if WAYS[name] is not ours}
    for shape in SHAPES:
        for dtype in DTYPES:
            times = measure_times(shape, dtype, options.repeats)
            print(f"{shape} {SHAPES[shape]}, {dtype}")
            for name, time in times.items():
                ratio = times[next(iter(WAYS))] / time
                memory = measure_memory(name, shape, dtype)
                print(
                    f"  {name:<38}{time * 1e3:9.2f} ms {ratio:6.2f} times as fast {memory:7.0f} MB"
                )
                if name in faster:
                    faster[name] &= ratio >= 1
    return int(any(faster.values()))


def step(name: str, shape: str, dtype: str) -> Callable[[], None]:
    """One forward and backward pass of a way."""
    rows, vocabulary, width = SHAPES[shape]
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(rows, width, generator=generator)
    words = 0.05 * torch.randn(vocabulary, width, generator=generator)
    labels = torch.randint(vocabulary, (rows,), generator=generator)
    tensors = [t.requires_grad_() for t in (states, words, torch.zeros(vocabulary))]

    def work() -> None:
        for tensor in tensors:
            tensor.grad = None
        # As under autocast: weights stay in float32 and are cast at every step.
        cast = [tensor.to(DTYPES[dtype]) for tensor in tensors]
        WAYS[name](cast[0], cast[1], cast[2], labels).backward()

    return work


def measure_times(shape: str, dtype: str, repeats: int) -> dict[str, float]:
    """Median seconds of every way, taking turns."""
    steps = {name: step(name, shape, dtype) for name in WAYS}
    for work in steps.values():
        work()
    turns = [{name: seconds(work) for name, work in steps.items()} for _ in range(repeats)]
    return {name: statistics.median(turn[name] for turn in turns) for name in WAYS}


def measure_memory(name: str, shape: str, dtype: str) -> float:
    """Megabytes by which a fresh process grows over one step; NaN where that cannot be had."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=report_growth, args=(name, shape, dtype, there))
    process.start()
    growth = float(here.recv())
    process.join()
    return growth


def report_growth(name: str, shape: str, dtype: str, pipe: Connection) -> None:
    """Take one step and send by how much the peak rose."""
    work = step(name, shape, dtype)
    before = peak_memory()
    work()
    after = peak_memory()
    pipe.send(float("nan") if before is None or after is None else (after - before) / 1e6)


if __name__ == "__main__":
    raise SystemExit(main())
