"""Whether torch.compile makes a pretraining step faster on this machine.

    python -m benchmarks.compiling [--layers 3] [--rounds 9] [--device cpu]

Steps of the model as it is and as torch.compile rewrites it alternate, on batches that differ in
their number of masked tokens, in float32 and in bfloat16; printed are the seconds that compiling
took and the median ratio of a round. There is no target: `compile` is off by default.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle

import torch

from albert_lib import AlbertConfig, AlbertForPreTraining
from albert_lib.training.loop import train_step
from albert_lib.training.precision import PRECISIONS, compiled
from albert_lib.training.pretraining_losses import pretraining_loss
from benchmarks.common import seconds
from benchmarks.targets import Report
from benchmarks.throughput import Case, make_batch

SETTLING_STEPS = 4  # the last kernels are compiled in the second


def main() -> int:
    """Print a ratio for each precision."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--layers", type=int, default=3, help="more take longer to compile")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    config = AlbertConfig(
        vocab_size=8000,
        hidden_size=256,
        num_hidden_layers=options.layers,
        num_attention_heads=4,
        intermediate_size=1024,
    )
    case, report = Case(8, 128, config), Report()
    report.title(f"H=256 L={options.layers}, 8 x 128 tokens, {torch.get_num_threads()} threads")
    for name, dtype in PRECISIONS.items():
        plain = steps(case, dtype, options.device, compile_it=False)
        began = time.perf_counter()
        rewritten = steps(case, dtype, options.device, compile_it=True)
        report.line(f"{name}: ready after {time.perf_counter() - began:.0f} s")
        ratios = [seconds(plain) / seconds(rewritten) for _ in range(options.rounds)]
        report.at_least(f"compiled, {name}: times as fast", statistics.median(ratios), None)
    return report.close()


def steps(case: Case, dtype: torch.dtype, device: str, *, compile_it: bool) -> Callable[[], object]:
    """Return a training step to be taken again and again, once it is warm."""
    torch.manual_seed(0)
    model = AlbertForPreTraining(case.config).to(device).train()
    forward = compiled(model) if compile_it else model
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    whole = make_batch(case)
    batches = cycle(
        replace(
            whole,
            masked_positions=whole.masked_positions[fewer:],
            masked_labels=whole.masked_labels[fewer:],
        )
        for fewer in range(3)
    )

    def take() -> object:
        return train_step(
            model, next(batches), lambda _, part: pretraining_loss(forward, part), optimizer,
            lr=1e-4, dtype=dtype,
        )["loss"]  # fmt: skip

    for _ in range(SETTLING_STEPS):
        take()
    return take


if __name__ == "__main__":
    raise SystemExit(main())
