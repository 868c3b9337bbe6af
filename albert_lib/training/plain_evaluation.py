"""Masked tokens one by one, all shown as [MASK]: a question that can't be answered by copying.

Training masks spans of whole words and shows a tenth of them uncovered, so that its accuracy
depends on how it masks. Here 15 % of the single tokens are masked, each drawn on its own, and every
one of them reads [MASK]; so models that were trained in different ways can be compared. In bits a
byte of text, so can models with different vocabularies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.modes import evaluation_mode
from albert_lib.objectives import PretrainingBatches
from albert_lib.text import AlbertTokenizer
from albert_lib.training.precision import autocast

SEED = 2710  # of the masks: the same for every model
RATE = 0.15
SEQUENCE_LENGTH = 128
ROWS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class PlainScores:
    """What a model made of the masked tokens of each row; rows are the unit of intervals.

    Example:
        >>> scores = PlainScores(*np.array([[6.0, 2.0], [1.0, 3.0], [2.0, 4.0], [8.0, 8.0]]))
        >>> scores.loss, scores.accuracy, round(scores.bits_per_byte, 3)
        (1.3333333333333333, 0.6666666666666666, 0.721)
    """

    nats: Float[np.ndarray, " rows"]  # summed cross-entropy
    correct: Float[np.ndarray, " rows"]  # masked tokens whose likeliest prediction is right
    predictions: Float[np.ndarray, " rows"]  # masked tokens
    n_bytes: Float[np.ndarray, " rows"]  # their length as UTF-8, a space before a word included

    @property
    def loss(self) -> float:
        """Mean cross-entropy of a masked token, in nats."""
        return float(self.nats.sum() / self.predictions.sum())

    @property
    def accuracy(self) -> float:
        """Fraction of the masked tokens predicted correctly."""
        return float(self.correct.sum() / self.predictions.sum())

    @property
    def bits_per_byte(self) -> float:
        """Cross-entropy in bits, over the bytes that the masked tokens stand for."""
        return float(self.nats.sum() / math.log(2) / self.n_bytes.sum())


@torch.no_grad()
def plain_scores(
    model: AlbertForPreTraining,
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    n_rows: int,
    *,
    dtype: torch.dtype = torch.float32,
) -> PlainScores:
    """Score a model on the first `n_rows` rows of `store`: neighbouring segments, in order.

    A row has 128 tokens or, where a model has fewer, as many as it has positions. The same
    (vocabulary, store, length) always asks about the same tokens.
    """
    device = next(model.parameters()).device
    batches = PretrainingBatches(
        store,
        tokenizer,
        batch_size=ROWS_AT_ONCE,
        sequence_length=min(SEQUENCE_LENGTH, model.config.max_position_embeddings),
        short_sequence_probability=0.0,
        pair_objective="none",
        seed=SEED,
    )
    lengths = torch.from_numpy(byte_lengths(tokenizer))
    columns: list[Tensor] = []
    with evaluation_mode(model):
        for first in range(0, n_rows, ROWS_AT_ONCE):
            rows = slice(0, min(ROWS_AT_ONCE, n_rows - first))
            batch = batches.batch(first // ROWS_AT_ONCE, rows)
            ids = batch.input_ids.clone()
            ids.view(-1)[batch.masked_positions] = batch.masked_labels  # the text as it was
            masked = torch.from_numpy(draw_masked(ids.numpy(), tokenizer, first))
            shown = ids.masked_fill(masked, tokenizer.mask_token_id).to(device)
            positions, labels = masked.flatten().nonzero().squeeze(1), ids[masked]
            with autocast(device, dtype):
                logits = model(
                    shown,
                    attention_mask=batch.attention_mask.to(device),
                    token_type_ids=batch.token_type_ids.to(device),
                    masked_positions=positions.to(device),
                ).prediction_logits
            logits = logits.float().cpu()
            nats = F.cross_entropy(logits, labels, reduction="none")
            correct = logits.argmax(dim=-1) == labels
            each = torch.stack([nats, correct, torch.ones_like(nats), lengths[labels]]).double()
            row = positions // ids.shape[1]
            columns.append(torch.zeros(4, len(ids), dtype=torch.float64).index_add_(1, row, each))
    return PlainScores(*torch.cat(columns, dim=1).numpy())


def draw_masked(
    ids: Int[np.ndarray, "rows seq"], tokenizer: AlbertTokenizer, first_row: int
) -> Bool[np.ndarray, "rows seq"]:
    """Which tokens are masked: 15 % of those that are not special, and at least one a row.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> masked = draw_masked(np.full((1, 1000), 923), tokenizer, first_row=0)
        >>> int(masked.sum())
        150
    """
    masked = np.zeros(ids.shape, dtype=bool)
    for row, (own, found) in enumerate(zip(ids, masked, strict=True), first_row):
        places = np.flatnonzero(~tokenizer.is_special[own])
        count = max(1, round(RATE * len(places)))
        found[np.random.default_rng((SEED, row)).permutation(places)[:count]] = True
    return masked


def byte_lengths(tokenizer: AlbertTokenizer) -> Float[np.ndarray, " vocab"]:
    """How many bytes of UTF-8 every piece stands for, its ▁ counted as a space.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> ids = [tokenizer.convert_tokens_to_ids(piece) for piece in ("▁the", "£")]
        >>> byte_lengths(tokenizer)[ids].astype(int).tolist()
        [4, 2]
    """
    pieces = tokenizer.convert_ids_to_tokens(range(tokenizer.vocab_size))
    return np.array([len(piece.replace("▁", " ").encode()) for piece in pieces], dtype=np.float64)
