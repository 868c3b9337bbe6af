"""How fast a pretraining step is beside transformers', and how much of the machine it uses.

    python -m benchmarks.throughput [--rounds 5] [--case small|base|tiny]

Both train the same shape on the same batch, without dropout, with PyTorch's fused AdamW and
gradients cut to length 1, each in the precision in which it is faster. Rounds alternate; what is
printed are medians, and the median ratio of a round. The peak is what this machine reached
a moment ago in plain matrix products of the encoder's own shapes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
import transformers
from torch import Tensor, nn

from albert_lib import AlbertConfig, AlbertForPreTraining
from albert_lib.objectives.batches import PretrainingBatch
from albert_lib.training.loop import train_step
from albert_lib.training.precision import PRECISIONS, autocast
from albert_lib.training.pretraining import pretraining_loss

MASKED_SHARE = 0.15
SETTLING_STEPS = 2  # before the clock starts: memory is allocated, kernels are chosen


@dataclass(frozen=True)
class Case:
    """A shape to train: sequences, pieces a sequence, and the model."""

    batch_size: int
    length: int
    config: AlbertConfig

    @property
    def operations(self) -> float:
        """Floating-point operations in the matrix products of a step, masked scores alone.

        Two for each multiplication and addition; twice as many again for the backward pass.
        """
        config, tokens = self.config, self.batch_size * self.length
        layers = config.num_hidden_layers * config.inner_group_num
        wide, inner = config.hidden_size, config.intermediate_size
        products = tokens * config.embedding_size * wide
        products += layers * tokens * (4 * wide * wide + 2 * wide * inner)
        products += layers * 2 * tokens * self.length * wide  # scores, and mixing by them
        masked = round(MASKED_SHARE * tokens)
        products += masked * config.embedding_size * (wide + config.vocab_size)
        return 3 * 2 * products


CASES = {
    "small": Case(
        32,
        128,
        AlbertConfig(
            hidden_size=256, num_hidden_layers=6, num_attention_heads=4, intermediate_size=1024
        ),
    ),
    "base": Case(16, 128, AlbertConfig()),
    "tiny": Case(  # says nothing about speed; to see whether all of this runs
        2,
        16,
        AlbertConfig(
            vocab_size=200,
            embedding_size=16,
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
        ),
    ),
}
USUAL = ("small", "base")


def main() -> int:
    """Print a paragraph a case."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--case", choices=CASES, action="append")
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    for name in options.case or USUAL:
        report(name, CASES[name], options.rounds)
    return 0


def report(name: str, case: Case, rounds: int) -> None:
    """Time both in turn and print what came out."""
    config = case.config
    print(
        f"{name}: H={config.hidden_size} L={config.num_hidden_layers} V={config.vocab_size}, "
        f"{case.batch_size} x {case.length} pieces, {torch.get_num_threads()} threads"
    )
    batch = make_batch(case)
    ours, our_type = fastest(our_step(case, batch, dtype) for dtype in PRECISIONS.values())
    theirs, their_type = fastest(their_step(case, batch, dtype) for dtype in PRECISIONS.values())
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    mine, other = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    tokens = case.batch_size * case.length
    speed, peak = case.operations / mine, matrix_peak(case, our_type)
    print(f"  albert_lib    {tokens / mine:9,.0f} tokens/s in {our_type}")
    print(f"  transformers  {tokens / other:9,.0f} tokens/s in {their_type}")
    print(f"  {ratio:.2f} times as fast")
    print(
        f"  matrix products at {speed / 1e9:,.0f} of {peak / 1e9:,.0f} GFLOP/s: {speed / peak:.0%}"
    )


@dataclass(frozen=True)
class Step:
    """A training step that can be taken again and again, and the precision it runs in."""

    take: Callable[[], object]
    dtype: torch.dtype


def make_batch(case: Case) -> PretrainingBatch:
    """Random pieces without padding, masked where a text would be."""
    generator = torch.Generator().manual_seed(0)
    shape = (case.batch_size, case.length)
    ids = torch.randint(5, case.config.vocab_size, shape, generator=generator)
    segments = (torch.arange(case.length) >= case.length // 2).long().expand(shape).contiguous()
    tokens = case.batch_size * case.length
    masked = torch.randperm(tokens, generator=generator)[: round(MASKED_SHARE * tokens)]
    positions = masked.sort().values
    return PretrainingBatch(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        token_type_ids=segments,
        masked_positions=positions,
        masked_labels=ids.flatten()[positions],
        sop_labels=torch.arange(case.batch_size) % 2,
    )


def our_step(case: Case, batch: PretrainingBatch, dtype: torch.dtype) -> Step:
    """The step that `pretrain` takes."""
    torch.manual_seed(0)
    model = AlbertForPreTraining(case.config).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    return Step(
        lambda: train_step(model, batch, pretraining_loss, optimizer, lr=1e-4, dtype=dtype), dtype
    )


def their_step(case: Case, batch: PretrainingBatch, dtype: torch.dtype) -> Step:
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

    return Step(take, dtype)


def fastest(steps: Iterable[Step]) -> tuple[Callable[[], object], torch.dtype]:
    """Of the same step in several precisions, the one that takes least time."""
    best, least = None, float("inf")
    for step in steps:
        for _ in range(SETTLING_STEPS):
            step.take()
        taken = seconds(step.take)
        if taken < least:
            best, least = step, taken
    assert best is not None, "there is a precision"
    return best.take, best.dtype


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


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
