"""Longer sequences for a model that has read short ones: its positions copied, or as drawn.

    python -m benchmarks.longer_sequences MODEL --corpus CORPUS [--trained 128] [--steps 200]

MODEL has trained its first positions alone; CORPUS is what `build-corpus` writes, with a held-out
part. The model goes on in sequences of 384, once as it is and once after `copy_positions`, on the
same batches. What is printed is a table in Markdown: the loss of plainly masked held-out tokens
(15 % of single ones, all shown as [MASK]), among the positions that were trained before and among
those beyond, before the first step and after the last.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

from albert_lib import AlbertForPreTraining, AlbertTokenizer
from albert_lib.corpus import TokenStore
from albert_lib.objectives import MaskingConfig, PretrainingBatch
from albert_lib.training import Recipe, copy_positions, pretrain
from albert_lib.training.held_out_scores import rows_to_score

LENGTH = 384


@torch.no_grad()
def losses(model: AlbertForPreTraining, batch: PretrainingBatch) -> Tensor:
    """The loss of every masked token of a batch, in nats."""
    logits = model(
        batch.input_ids,
        batch.attention_mask,
        batch.token_type_ids,
        masked_positions=batch.masked_positions,
    ).prediction_logits
    return torch.nn.functional.cross_entropy(logits, batch.masked_labels, reduction="none")


def near_and_far(
    model: AlbertForPreTraining, batches: list[PretrainingBatch], trained: int
) -> tuple[float, float]:
    """The mean loss at positions below `trained`, and at those from there on."""
    model.eval()
    every = torch.cat([losses(model, batch) for batch in batches])
    at = torch.cat([batch.masked_positions % batch.input_ids.shape[1] for batch in batches])
    return every[at < trained].mean().item(), every[at >= trained].mean().item()


def recipe(steps: int, batch_size: int, rate: float) -> Recipe:
    """Sequences of 384, masked as the paper masks, at a rate that falls to zero."""
    return Recipe(
        steps=steps,
        batch_size=batch_size,
        sequence_length=LENGTH,
        learning_rate=rate,
        warmup_steps=min(20, steps // 2),
        optimizer="muon",
        weight_decay=0.01,
        short_sequence_probability=0.0,
        masking=MaskingConfig(rate=0.15),
    )


def parsed(words: list[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--trained", type=int, default=128, help="positions trained before")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.0003)
    parser.add_argument("--rows", type=int, default=256, help="held-out rows")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    """Print the table."""
    options = parsed(words)
    tokenizer = AlbertTokenizer.from_pretrained(options.model)
    text, held_out = (TokenStore.open(options.corpus / name) for name in ("train", "held-out"))
    held_out.check_tokenizer(tokenizer)
    batches = list(rows_to_score(held_out, tokenizer, options.rows, LENGTH, plain=True))
    print(f"| positions from {options.trained} on | at | up to {options.trained} | beyond |")
    print("| --- | --- | ---: | ---: |")
    for name in ("as they are", "copied"):
        model = AlbertForPreTraining.from_pretrained(options.model)
        if name == "copied":
            copy_positions(model, options.trained)
        for when in ("the start", f"step {options.steps}"):
            if when != "the start":
                chosen = recipe(options.steps, options.batch_size, options.rate)
                pretrain(model, text, tokenizer, chosen, progress=False)
            near, far = near_and_far(model, batches, options.trained)
            print(f"| {name} | {when} | {near:.2f} | {far:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
