"""What a model loses when its file holds shorter numbers.

    python -m benchmarks.stored_precision MODEL --held-out STORE [--rows 1024]

A layer that is applied L times meets its own rounding L times. The weights are rounded as a file
would hold them and then computed with in float32, so that the file alone is compared: size, the
largest change of any score, the change of the held-out loss (plain: 15 % of single tokens, all
shown as [MASK]) with its 95 % interval over the same rows, and how many answers change.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import torch

from albert_lib import AlbertForPreTraining, AlbertTokenizer
from albert_lib.corpus import TokenStore
from albert_lib.experiments.card import ratio_interval
from albert_lib.objectives import PretrainingBatch
from albert_lib.training.held_out_scores import (
    SEQUENCE_LENGTH,
    RowScores,
    rows_to_score,
    score_rows,
)

FORMATS = (torch.float32, torch.float16, torch.bfloat16)


def rounded(folder: Path, dtype: torch.dtype) -> tuple[AlbertForPreTraining, int]:
    """The model as it comes back from a file of `dtype`, and the bytes of that file."""
    with tempfile.TemporaryDirectory() as copy:
        AlbertForPreTraining.from_pretrained(folder, dtype=dtype).save_pretrained(copy)
        size = (Path(copy) / "model.safetensors").stat().st_size
        return AlbertForPreTraining.from_pretrained(copy, dtype=torch.float32), size


@torch.no_grad()
def scores_of(model: AlbertForPreTraining, batch: PretrainingBatch) -> torch.Tensor:
    """The scores of all pieces at the masked positions of a batch."""
    output = model(
        batch.input_ids,
        batch.attention_mask,
        batch.token_type_ids,
        masked_positions=batch.masked_positions,
    )
    return output.prediction_logits


def line(
    dtype: torch.dtype,
    size: int,
    exact: tuple[torch.Tensor, RowScores],
    short: tuple[torch.Tensor, RowScores],
) -> str:
    """A line of the table: what a format costs against the exact weights."""
    logits, rows = exact
    other_logits, other_rows = short
    change = other_rows.nats - rows.nats
    low, high = ratio_interval(change, rows.predictions)
    loss = float(change.sum() / rows.predictions.sum())
    answers = (logits.argmax(dim=-1) != other_logits.argmax(dim=-1)).double().mean().item()
    return (
        f"| {str(dtype).removeprefix('torch.')} | {size / 1e6:.1f} | "
        f"{(logits - other_logits).abs().max().item():.1e} | "
        f"{loss:+.1e} [{low:+.1e}, {high:+.1e}] | {100 * answers:.2f} |"
    )


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--held-out", type=Path, required=True, metavar="STORE")
    parser.add_argument("--rows", type=int, default=1024)
    options = parser.parse_args()
    tokenizer = AlbertTokenizer.from_pretrained(options.model)
    store = TokenStore.open(options.held_out)
    store.check_tokenizer(tokenizer)
    length = SEQUENCE_LENGTH
    batches = list(rows_to_score(store, tokenizer, options.rows, length, plain=True))
    print("| file | MB | largest change of a score | change of the loss, nats | answers % |")
    print("| --- | ---: | ---: | --- | ---: |")
    exact = None
    for dtype in FORMATS:
        model, size = rounded(options.model, dtype)
        found = scores_of(model, batches[0]), score_rows(model, batches, tokenizer)
        exact = exact or found
        print(line(dtype, size, exact, found), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
