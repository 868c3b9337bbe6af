"""A model's predictions on held-out text, row by row, so that figures have intervals.

Two ways to mask. As in training: spans of whole words, a fifth of them not shown as [MASK]. The
accuracy then depends on how a model was trained to be asked, and a tenth of the answers stand
there to be copied. And plainly: 15 % of the single tokens, each drawn on its own, all of them shown
as [MASK]. So models of different recipes can be compared; in bits a byte of text, so can models
of different vocabularies.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int, Real
from torch import Tensor

from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.modes import evaluation_mode
from albert_lib.objectives import MaskingConfig, PretrainingBatch, PretrainingBatches
from albert_lib.text import AlbertTokenizer
from albert_lib.training.evaluation import predictions_of

SEED = 2710  # of the masks and pairs: the same for every model
RATE = 0.15
SEQUENCE_LENGTH = 128
ROWS_AT_ONCE = 32


@dataclass(frozen=True, eq=False)
class RowScores:
    """What a model made of each row; rows are the units of intervals.

    Example:
        >>> columns = np.array([[6.0, 2.0], [1.0, 3.0], [2.0, 4.0], [8.0, 8.0], [1.0, 0.0]])
        >>> scores = RowScores(*columns)
        >>> [round(each, 3) for each in (scores.loss, scores.accuracy, scores.bits_per_byte)]
        [1.333, 0.667, 0.721]
        >>> round(scores.perplexity, 3)
        3.794
    """

    nats: Float[np.ndarray, " rows"]  # cross-entropy, summed over the masked tokens
    correct: Float[np.ndarray, " rows"]  # masked tokens whose likeliest prediction is right
    predictions: Float[np.ndarray, " rows"]  # masked tokens
    n_bytes: Float[np.ndarray, " rows"]  # their length as UTF-8, the space before a word included
    pair_correct: Float[np.ndarray, " rows"]  # 1 where the pair's class is predicted, else 0

    @property
    def loss(self) -> float:
        """Mean cross-entropy of a masked token, in nats."""
        return float(self.nats.sum() / self.predictions.sum())

    @property
    def perplexity(self) -> float:
        """As among how many equally likely tokens the model chooses; see `perplexity`."""
        return perplexity(self.nats, self.predictions)

    @property
    def accuracy(self) -> float:
        """Fraction of the masked tokens that are predicted correctly."""
        return float(self.correct.sum() / self.predictions.sum())

    @property
    def bits_per_byte(self) -> float:
        """Cross-entropy in bits, over the bytes that the masked tokens stand for."""
        return bits_per_byte(self.nats, self.n_bytes)

    @property
    def pair_accuracy(self) -> float:
        """Fraction of the pairs whose class is predicted correctly; of SOP: the order."""
        return float(self.pair_correct.mean())


def perplexity(nats: Float[np.ndarray, " rows"], predictions: Real[np.ndarray, " rows"]) -> float:
    """The exponential of the mean cross-entropy of a prediction, over all rows together.

    As among so many equally likely tokens the model chooses: V where it knows nothing, 1 where
    it is always certain and right. `nats` are summed over the predictions of a row, and a row may
    have none. Perplexities of different vocabularies cannot be compared; `bits_per_byte` can.

    Example:
        >>> nats = np.array([math.log(8), 0.0, 2 * math.log(2)])
        >>> round(perplexity(nats, np.array([1, 0, 2])), 6)  # 8 · 2 · 2, to the power 1/3
        3.174802
    """
    return math.exp(nats.sum() / predictions.sum())


def bits_per_byte(nats: Float[np.ndarray, " rows"], n_bytes: Real[np.ndarray, " rows"]) -> float:
    """The cross-entropy of all rows in bits, over the bytes that the predicted tokens stand for.

    Example:
        >>> nats = np.array([math.log(8), 0.0, 2 * math.log(2)])  # 3, 0 and 2 bits
        >>> round(bits_per_byte(nats, np.array([4, 0, 6])), 6)
        0.5
    """
    return float(nats.sum() / math.log(2) / n_bytes.sum())


@torch.no_grad()
def score_rows(
    model: AlbertForPreTraining,
    batches: Iterable[PretrainingBatch],
    tokenizer: AlbertTokenizer,
    *,
    dtype: torch.dtype = torch.float32,
) -> RowScores:
    """Score a model on every row of some batches, without dropout."""
    device = next(model.parameters()).device
    lengths = torch.from_numpy(byte_lengths(tokenizer))
    columns: list[Tensor] = []
    with evaluation_mode(model):
        for batch in batches:
            output = predictions_of(model, batch.to(device), dtype)
            logits, labels = output.prediction_logits.float().cpu(), batch.masked_labels
            nats = F.cross_entropy(logits, labels, reduction="none").double()
            correct = (logits.argmax(dim=-1) == labels).double()
            tokens = torch.stack([nats, correct, torch.ones_like(nats), lengths[labels]])
            n_rows, length = batch.input_ids.shape
            row = batch.masked_positions // length
            pairs = output.sop_logits.argmax(dim=-1).cpu() == batch.sop_labels
            sums = torch.zeros(4, n_rows, dtype=torch.float64).index_add_(1, row, tokens)
            columns.append(torch.cat([sums, pairs.double()[None]]))
    return RowScores(*torch.cat(columns, dim=1).numpy())


def rows_to_score(
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    n_rows: int,
    sequence_length: int,
    *,
    plain: bool,
) -> Iterator[PretrainingBatch]:
    """Yield the first `n_rows` rows of a held-out store, as pairs or plainly masked.

    With `plain` every row is neighbouring text in its own order. The same (vocabulary, store,
    length) always gives the same rows and masks.
    """
    batches = PretrainingBatches(
        store,
        tokenizer,
        batch_size=ROWS_AT_ONCE,
        sequence_length=sequence_length,
        masking=MaskingConfig(rate=RATE),
        short_sequence_probability=0.0,
        pair_objective="none" if plain else "sop",
        seed=SEED,
    )
    for first in range(0, n_rows, ROWS_AT_ONCE):
        rows = slice(0, min(ROWS_AT_ONCE, n_rows - first))
        batch = batches.batch(first // ROWS_AT_ONCE, rows)
        yield plainly_masked(batch, tokenizer, first) if plain else batch


def plainly_masked(
    batch: PretrainingBatch, tokenizer: AlbertTokenizer, first_row: int
) -> PretrainingBatch:
    """The same text with 15 % of its single tokens masked, all of them shown as [MASK].

    `first_row` is the number of the batch's first row, by which masks are drawn.
    """
    text = batch.input_ids.clone()
    text.view(-1)[batch.masked_positions] = batch.masked_labels
    masked = torch.from_numpy(draw_masked(text.numpy(), tokenizer, first_row))
    return replace(
        batch,
        input_ids=text.masked_fill(masked, tokenizer.mask_token_id),
        masked_positions=masked.flatten().nonzero().squeeze(1),
        masked_labels=text[masked],
    )


def draw_masked(
    ids: Int[np.ndarray, "rows seq"], tokenizer: AlbertTokenizer, first_row: int
) -> Bool[np.ndarray, "rows seq"]:
    """Which tokens are masked: each that is not special with 15 %, and at least one a row.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> masked = draw_masked(np.full((1, 100_000), 2517), tokenizer, first_row=0)
        >>> round(float(masked.mean()), 2)
        0.15
    """
    masked = np.zeros(ids.shape, dtype=bool)
    for row, (own, found) in enumerate(zip(ids, masked, strict=True), first_row):
        places = np.flatnonzero(~tokenizer.is_special[own])
        rng = np.random.default_rng((SEED, row))
        chosen = places[rng.random(len(places)) < RATE]
        found[chosen if len(chosen) else rng.choice(places, 1)] = True
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
