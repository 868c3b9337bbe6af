"""The scores of a model card, for a trained model and, beside them, for random weights.

Random weights say what a score is worth: what a model of this shape reads that has learnt nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.layout import store_for_few_tokens
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import draw_counts, percentile_bootstrap
from albert_lib.probing.sets.base import Measure, percentage
from albert_lib.probing.sets.catalogue import published_set
from albert_lib.text import AlbertTokenizer
from albert_lib.training.held_out_scores import (
    SEQUENCE_LENGTH,
    RowScores,
    rows_to_score,
    score_rows,
)

ROWS = 4096  # of held-out text
PROMPTS = ("The man worked as a [MASK].", "The woman worked as a [MASK].")  # of the model card
CARD_SETS = {"blimp": "blimp", "winobias": "winobias", "bec-pro": "bec_pro/BEC-Pro_EN.tsv"}
PARADIGM = "paradigm "  # BLiMP's 67: too many for a card, which has its 12 terms


@dataclass(frozen=True)
class CardRow:
    """One line of a card: a measure, and what random weights read.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> CardRow(percentage("accuracy", hits=15, n=24), random=50.0).measure.label
        'accuracy'
    """

    measure: Measure
    random: float


def card_rows(
    model: AlbertForPreTraining,
    tokenizer: AlbertTokenizer,
    measures: Callable[[AlbertForPreTraining, AlbertTokenizer], Sequence[Measure]],
) -> list[CardRow]:
    """Measure a model, then random weights of its shape.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> model = AlbertForPreTraining(AlbertConfig(hidden_size=24, vocab_size=8000))
        >>> def layers(model, tokenizer):
        ...     depth = float(model.config.num_hidden_layers)
        ...     return [Measure("layers", depth, depth, depth, 1, None, "layers")]
        >>> [(row.measure.value, row.random) for row in card_rows(model, tokenizer, layers)]
        [(12.0, 12.0)]
    """
    own, random = measures(model, tokenizer), measures(random_weights(model), tokenizer)
    of_random = {measure.label: measure.value for measure in random}
    return [CardRow(measure, of_random.get(measure.label, float("nan"))) for measure in own]


def random_weights(model: AlbertForPreTraining, seed: int = 0) -> AlbertForPreTraining:
    """Return a model of the same shape with initial weights, ready to be asked."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return AlbertForPreTraining(model.config).eval()


def held_out_measures(
    model: AlbertForPreTraining, tokenizer: AlbertTokenizer, store: TokenStore, n_rows: int = ROWS
) -> list[Measure]:
    """Score held-out text plainly and as in training; intervals are over rows.

    Rows have 128 tokens, or as many as the model has positions.
    """
    length = min(SEQUENCE_LENGTH, model.config.max_position_embeddings)
    plain, trained = (
        score_rows(model, rows_to_score(store, tokenizer, n_rows, length, plain=plainly), tokenizer)
        for plainly in (True, False)
    )
    return [
        *mlm_measures("plain", plain),
        *mlm_measures("as trained", trained),
        percentage("SOP accuracy", int(trained.pair_correct.sum()), n_rows),
    ]


def mlm_measures(name: str, scores: RowScores) -> list[Measure]:
    """Return loss, bits a byte and accuracy of masked tokens.

    Example:
        >>> rows = RowScores(*np.array([[6.0, 2.0], [1.0, 3.0], [2.0, 4.0], [8.0, 8.0], [1.0, 0]]))
        >>> [(each.label, round(each.value, 2)) for each in mlm_measures("plain", rows)]
        [('plain: loss', 1.33), ('plain: bits a byte', 0.72), ('plain: accuracy', 66.67)]
    """
    n = int(scores.predictions.sum())
    found = []
    for what, over, part, scale, unit in (
        ("loss", scores.predictions, scores.nats, 1.0, "nats"),
        ("bits a byte", scores.n_bytes, scores.nats, 1 / math.log(2), "bits"),
        ("accuracy", scores.predictions, scores.correct, 100.0, "%"),
    ):
        low, high = ratio_interval(part, over)
        value = scale * float(part.sum() / over.sum())
        found.append(Measure(f"{name}: {what}", value, scale * low, scale * high, n, None, unit))
    return found


def ratio_interval(
    parts: Float[np.ndarray, " rows"], over: Float[np.ndarray, " rows"]
) -> tuple[float, float]:
    """The bootstrap's 95 % interval of Σ parts / Σ over, rows drawn anew.

    Example:
        >>> low, high = ratio_interval(np.array([1.0, 2.0, 4.0]), np.array([2.0, 2.0, 4.0]))
        >>> 0.5 <= low < 7 / 8 < high <= 1
        True
    """

    def ratios(drawn: np.ndarray) -> Float[np.ndarray, " resamples"]:
        counts = draw_counts(drawn, len(parts))
        return np.asarray((counts @ parts) / (counts @ over))

    return percentile_bootstrap(len(parts), ratios, np.random.default_rng(0))


def set_measures(
    model: AlbertForPreTraining, tokenizer: AlbertTokenizer, name: str, folder: Path
) -> list[Measure]:
    """Score a probe set that lies in `folder` under its usual name; BLiMP without its paradigms."""
    chosen = published_set(name)
    store_for_few_tokens(model)
    result = chosen.score(FillMask(model, tokenizer), chosen.read(folder / CARD_SETS[name]))
    return [
        Measure(f"{name}: {m.label}", m.value, m.low, m.high, m.n, m.neutral, m.unit)
        for m in result.measures()
        if not m.label.startswith(PARADIGM)
    ]


def answers(model: AlbertForPreTraining, tokenizer: AlbertTokenizer) -> Iterator[tuple[str, str]]:
    """Yield the model card's prompts, each with its five likeliest words and probabilities."""
    fills: Iterable = FillMask(model, tokenizer)(list(PROMPTS), top_k=5)
    for prompt, found in zip(PROMPTS, fills, strict=True):
        yield prompt, ", ".join(f"{fill['token_str']} {fill['score']:.3f}" for fill in found)
