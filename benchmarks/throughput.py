"""How fast a pretraining step is beside transformers', and how much of the machine it uses.

    python -m benchmarks.throughput [--rounds 5] [--case small|small-float32|base|tiny]

Both train the same shape on the same batch, with no dropout but the order head's, with PyTorch's
fused AdamW and gradients cut to length 1, each in the precision in which it is faster (or in
float32, as machines without bfloat16 do). Each has a process of its own, so that neither profits
from what the other does to memory. Rounds alternate; what is printed are medians, and the median
ratio of a round. The peak is what this machine reached a moment ago in plain matrix products of the
encoder's own shapes; the operations are those really done. Exits with 1 where a target is missed.

How many times as fast it can be depends on the machine. Where bfloat16 has matrix units (its
products run at least four times as fast as float32's), the products take a small part of the usual
implementation's time, and the targets are 8 and 3.5. Where it has none, the products alone decide:
"at most" says how many times as fast a step would be that did nothing else.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import Connection
from typing import Any

import torch
import transformers
from torch import Tensor, nn

from albert_lib import AlbertConfig, AlbertForPreTraining
from albert_lib.corpus import TokenStore, python_documentation
from albert_lib.memory import keep_freed_memory, peak_memory
from albert_lib.model.costs import spared_flops, training_flops
from albert_lib.objectives import PretrainingBatch, PretrainingBatches
from albert_lib.training.loop import train_step
from albert_lib.training.precision import PRECISIONS, autocast
from albert_lib.training.pretraining_losses import pretraining_loss
from benchmarks.common import load_tokenizer, seconds
from benchmarks.targets import Report

MASKED_SHARE = 0.15
BATCHES, DOCUMENTS = 100, 150
SETTLING_STEPS = 2  # before the clock starts: memory is allocated, kernels are chosen
DATA = 0.05  # of a step, at most, for making its batch
MATRIX_UNITS = 4.0  # times float32's speed that bfloat16 reaches where it has units of its own


@dataclass(frozen=True)
class Case:
    """A shape to train: sequences, tokens a sequence, the model, and what is asked of it."""

    batch_size: int
    length: int
    config: AlbertConfig
    precisions: tuple[str, ...] = tuple(PRECISIONS)
    times: float | None = None  # as fast as transformers, on any machine
    times_with_units: float | None = None  # and on one with matrix units
    share: float | None = None  # of the peak
    memory: float | None = None  # of what transformers' step takes, at most

    @property
    def masked(self) -> int:
        """Pieces to be named in a batch."""
        return round(MASKED_SHARE * self.batch_size * self.length)

    @property
    def operations(self) -> float:
        """Floating-point operations in the matrix products of a step of ours, as it takes them."""
        shape = (self.config, self.batch_size, self.length, self.masked)
        return float(sum(training_flops(*shape).values()) - spared_flops(*shape))


SMALL = AlbertConfig(
    hidden_size=256, num_hidden_layers=6, num_attention_heads=4, intermediate_size=1024
)
TINY = AlbertConfig(
    vocab_size=200,
    embedding_size=16,
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
)
CASES = {
    "small": Case(32, 128, SMALL, times=2.0, times_with_units=8.0, memory=0.5),
    "small-float32": Case(32, 128, SMALL, precisions=("float32",), times=2.0),
    "base": Case(16, 128, AlbertConfig(), times_with_units=3.5, share=0.5),
    "tiny": Case(2, 16, TINY),  # says nothing about speed; to see whether all of this runs
}
USUAL = ("small", "small-float32", "base")


def main() -> int:
    """Print a paragraph a case; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", choices=CASES, action="append")
    options = parser.parse_args()
    report = Report()
    for name in options.case or USUAL:
        measure(name, options.rounds, report)
    return report.close()


def measure(name: str, rounds: int, report: Report) -> None:
    """Time both in turn and print what came out."""
    case, config = CASES[name], CASES[name].config
    report.title(
        f"{name}: H={config.hidden_size} L={config.num_hidden_layers} V={config.vocab_size}, "
        f"{case.batch_size} x {case.length} tokens, {torch.get_num_threads()} threads"
    )
    with fastest("albert_lib", name) as ours, fastest("transformers", name) as theirs:
        types = ours.precision, theirs.precision
        pairs = [(ours.step(), theirs.step()) for _ in range(rounds)]
        memory = ours.memory(), theirs.memory()
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    tokens = case.batch_size * case.length
    speed, peak = case.operations / mine, matrix_peak(case, PRECISIONS[types[0]])
    units = matrix_peak(case, torch.bfloat16) / matrix_peak(case, torch.float32)
    for who, seconds_, dtype in zip(
        ("albert_lib", "transformers"), (mine, other), types, strict=True
    ):
        report.line(f"{who:13s} {tokens / seconds_:9,.0f} tokens/s in {dtype}")
    has_units = units >= MATRIX_UNITS and "bfloat16" in case.precisions
    report.line(f"bfloat16's products are {units:.1f} times as fast as float32's on this machine")
    report.line(f"at most {other * peak / case.operations:.2f} times: doing nothing but products")
    target = case.times_with_units if has_units else case.times
    report.at_least(f"{name}: times as fast as transformers", ratio, target)
    report.line(f"matrix products at {speed / 1e9:,.0f} of {peak / 1e9:,.0f} GFLOP/s")
    report.at_least(f"{name}: share of the peak", speed / peak, case.share)
    report.line(f"memory beside the batch: {memory[0]:,.0f} and {memory[1]:,.0f} MB")
    report.at_most(f"{name}: memory, ours over transformers'", memory[0] / memory[1], case.memory)
    making = seconds_for_a_batch(case)
    report.at_most(f"{name}: share of a step that making its batch takes", making / mine, DATA)


class Trainer:
    """A process that takes training steps of one of the two libraries when asked."""

    def __init__(self, library: str, case: str, precision: str) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, end = context.Pipe()
        self.process = context.Process(
            target=work, args=(library, case, precision, torch.get_num_threads(), end), daemon=True
        )
        self.process.start()
        self.precision = precision
        self.pace: float = self.pipe.recv()  # seconds of a settled step

    def __enter__(self) -> Trainer:
        return self

    def __exit__(self, *_: object) -> None:
        self.pipe.send("stop")
        self.process.join()

    def ask(self, what: str) -> Any:
        """Send a word and wait for what comes back."""
        self.pipe.send(what)
        return self.pipe.recv()

    def step(self) -> float:
        """Seconds that one step took."""
        return float(self.ask("step"))

    def memory(self) -> float:
        """Megabytes by which the process has grown at most since it had its batch."""
        return float(self.ask("memory"))


def fastest(library: str, case_name: str) -> Trainer:
    """A trainer in the precision in which the library's step is faster; the others have ended.

    Each has a process of its own, so what is measured afterwards, memory above all, holds nothing
    of the other precision.
    """
    quickest, *others = sorted(
        (Trainer(library, case_name, precision) for precision in CASES[case_name].precisions),
        key=lambda trainer: trainer.pace,
    )
    for other in others:
        with other:
            pass
    return quickest


def work(library: str, case_name: str, precision: str, threads: int, pipe: Connection) -> None:
    """What the process does: take a few steps to settle, then steps until told to stop."""
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    case = CASES[case_name]
    batch = make_batch(case)
    before = megabytes()
    if library == "albert_lib":
        keep_freed_memory()  # as `pretrain` does
    make_step = our_step if library == "albert_lib" else their_step
    step = make_step(case, batch, PRECISIONS[precision])
    pipe.send(min(seconds(step) for _ in range(SETTLING_STEPS)))
    while (asked := pipe.recv()) != "stop":
        pipe.send(seconds(step) if asked == "step" else megabytes() - before)


def megabytes() -> float:
    """This process's peak memory; a figure that cannot be had, NaN, reaches no target."""
    peak = peak_memory()
    return float("nan") if peak is None else peak / 1e6


def make_batch(case: Case) -> PretrainingBatch:
    """Random tokens without padding, masked where a text would be."""
    generator = torch.Generator().manual_seed(0)
    shape = (case.batch_size, case.length)
    ids = torch.randint(5, case.config.vocab_size, shape, generator=generator)
    segments = (torch.arange(case.length) >= case.length // 2).long().expand(shape).contiguous()
    tokens = case.batch_size * case.length
    masked = torch.randperm(tokens, generator=generator)[: case.masked]
    positions = masked.sort().values
    return PretrainingBatch(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        token_type_ids=segments,
        masked_positions=positions,
        masked_labels=ids.flatten()[positions],
        sop_labels=torch.arange(case.batch_size) % 2,
    )


def seconds_for_a_batch(case: Case) -> float:
    """How long a batch of this shape takes to make, pairs and masking included, on average."""
    tokenizer = load_tokenizer()
    with tempfile.TemporaryDirectory() as folder:
        store = TokenStore.build(
            folder, islice(python_documentation(packages=()), DOCUMENTS), tokenizer
        )
        batches = PretrainingBatches(
            store, tokenizer, batch_size=case.batch_size, sequence_length=case.length
        )
        batches.batch(0)
        return seconds(lambda: [batches.batch(1 + step) for step in range(BATCHES)]) / BATCHES


def our_step(case: Case, batch: PretrainingBatch, dtype: torch.dtype) -> Callable[[], object]:
    """The step that `pretrain` takes."""
    torch.manual_seed(0)
    model = AlbertForPreTraining(case.config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    return lambda: train_step(model, batch, pretraining_loss, optimizer, lr=1e-4, dtype=dtype)


def their_step(case: Case, batch: PretrainingBatch, dtype: torch.dtype) -> Callable[[], object]:
    """The step of a loop around transformers' AlbertForPreTraining, as its documentation has it."""
    torch.manual_seed(0)
    model = transformers.AlbertForPreTraining(transformers.AlbertConfig(**case.config.to_dict()))
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    labels: Tensor = torch.full(batch.input_ids.shape, -100)
    labels.view(-1)[batch.masked_positions] = batch.masked_labels

    def take() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast("cpu", dtype):
            loss = model(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                token_type_ids=batch.token_type_ids,
                labels=labels,
                sentence_order_label=batch.sop_labels,
            ).loss
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()

    return take


@torch.no_grad()
def matrix_peak(case: Case, dtype: torch.dtype) -> float:
    """Operations a second in the products of a layer, each shape as often as it comes there."""
    config, tokens = case.config, case.batch_size * case.length
    wide, inner = config.hidden_size, config.intermediate_size
    operations = taken = 0.0
    for inputs, outputs, times in ((wide, wide, 4), (wide, inner, 1), (inner, wide, 1)):
        left = torch.randn(tokens, inputs).to(dtype)
        right = torch.randn(outputs, inputs).to(dtype)

        def product(left: Tensor = left, right: Tensor = right) -> Tensor:
            return nn.functional.linear(left, right)

        product()
        taken += times * statistics.median(seconds(product) for _ in range(15))
        operations += times * 2.0 * tokens * inputs * outputs
    return operations / taken


if __name__ == "__main__":
    raise SystemExit(main())
