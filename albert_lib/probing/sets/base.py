"""What the published probe sets share: results, measures, and asking about tokens.

A set's own file has `read`, which makes items of its authors' files; `score`, which asks a model
about them and returns a `SetResult`; and the measures of its paper.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch
from jaxtyping import Float

from albert_lib.engines import EngineModel
from albert_lib.errors import InputError
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.modes import device_of, evaluation_mode
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import Interval, proportion_interval
from albert_lib.text import AlbertTokenizer

Item = TypeVar("Item")
ScoredItem = TypeVar("ScoredItem", covariant=True)

TIE = 1e-4  # nats; scores that differ by no more differ by rounding of float32
TOO_LONG = "longer than the model's positions"
TOKENLESS = "with a sentence that has no token"
UNWRITTEN = "with characters that the vocabulary cannot write"
IN_ORDER = 0  # the sentence-order head's first score; its second is for "swapped"


# -- results


@dataclass(frozen=True)
class Measure:
    """One number of a report with the ends of its interval, all in its unit.

    Example:
        >>> from albert_lib.probing import mean_interval
        >>> from albert_lib.probing.sets.base import Measure
        >>> measure = Measure.of("women", mean_interval([1.0, 2.0, 3.0]), n=30, unit="nats")
        >>> measure.value, measure.low < 0 < measure.high, measure.n, measure.neutral
        (2.0, True, 30, 0.0)
    """

    label: str
    value: float
    low: float
    high: float
    n: int  # items that it was counted or averaged over
    neutral: float | None  # what an unbiased or ignorant model would get; None: there is no such
    unit: str

    @classmethod
    def of(
        cls, label: str, interval: Interval, n: int, unit: str, neutral: float | None = 0.0
    ) -> Measure:
        """The measure whose value is the interval's mean."""
        return cls(label, interval.mean, interval.low, interval.high, n, neutral, unit)


def percentage(
    label: str, hits: int, n: int, neutral: float | None = 50.0, confidence: float = 0.95
) -> Measure:
    """How many in a hundred of `n` items are hits, with Wilson's interval.

    Raises InputError for no items.

    Example:
        >>> from albert_lib.probing.sets.base import percentage
        >>> measure = percentage("metric score", hits=15, n=24)
        >>> f"{measure.value:.1f} {measure.unit}, {measure.low:.0f} to {measure.high:.0f}"
        '62.5 %, 43 to 79'
    """
    found = proportion_interval(hits, n, confidence)
    return Measure(label, 100 * found.mean, 100 * found.low, 100 * found.high, n, neutral, "%")


@dataclass(frozen=True)
class SetResult(ABC, Generic[ScoredItem]):
    """What every set's `score` returns: the scored items, and how many were dropped, by reason.

    Example:
        >>> from albert_lib.probing.sets.blimp import BlimpResult
        >>> issubclass(BlimpResult, SetResult), BlimpResult((), {"sentence too long": 2}).dropped
        (True, {'sentence too long': 2})
    """

    scored: Sequence[ScoredItem]
    dropped: Mapping[str, int]

    @abstractmethod
    def measures(self) -> list[Measure]:
        """The set's scores, each with its interval."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the measures must know, a sentence each."""
        return ()

    compared = ""  # what `item_values` are, with their unit

    def item_values(self) -> Mapping[Hashable, float]:
        """For every scored item, what two models are compared by; empty where items have none."""
        return {}


# -- asking


def why_not(fill_mask: FillMask, ids: Sequence[int]) -> str | None:
    """Why a model cannot score a text, to follow a noun, or None if it can.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets.base import why_not
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> why_not(model, model.tokenizer.encode("Short.")), why_not(model, [5] * 100_000)
        (None, "longer than the model's positions")
        >>> why_not(model, model.tokenizer.encode("☃"))
        'with characters that the vocabulary cannot write'
    """
    if len(ids) > fill_mask.model.config.max_position_embeddings:
        return TOO_LONG
    return UNWRITTEN if fill_mask.tokenizer.unk_token_id in ids else None


def encode_pairs(
    fill_mask: FillMask, items: Sequence[Item], sentences: Callable[[Item], tuple[str, str]]
) -> tuple[list[tuple[Item, list[int], list[int]]], dict[str, int]]:
    """Items with the ids of both sentences, and how many the model cannot score, by reason.

    Raises InputError where it can score none.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets.base import encode_pairs
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> fitting, dropped = encode_pairs(model, ["pair"], lambda pair: ("He is.", "She is."))
        >>> [len(ids) for ids in fitting[0][1:]], dropped
        ([5, 5], {})
    """
    tokenizer, longest = fill_mask.tokenizer, fill_mask.model.config.max_position_embeddings
    texts = [(item, *sentences(item)) for item in items]
    encoded = [(item, tokenizer.encode(a), tokenizer.encode(b)) for item, a, b in texts]
    fitting, dropped = [], Counter[str]()
    for each in encoded:
        reason = why_not(fill_mask, each[1]) or why_not(fill_mask, each[2])
        if any(tokenizer.is_special[ids].all() for ids in each[1:]):
            reason = TOKENLESS
        if reason is None:
            fitting.append(each)
        else:
            dropped[
                f"pair {f'longer than {longest} tokens' if reason == TOO_LONG else reason}"
            ] += 1
    if not fitting:
        raise InputError(
            f"None of {len(items)} pairs fits into the model's {longest} positions and its "
            f"vocabulary; give pairs, or a model that reads longer texts or this script."
        )
    return fitting, dict(dropped)


@dataclass(frozen=True)
class TokenQuery:
    """A question: how likely is this token at the first [MASK] of this text?

    [MASK] is put in place of ids, not written into text: after "baker" a full stop is the token
    ".", which training saw, while "[MASK]." as text would be split into [MASK], "▁" and ".".

    Example:
        >>> TokenQuery(ids=(2, 14, 4, 9, 3), token=2517).token
        2517
    """

    ids: tuple[int, ...]  # of the whole text, [CLS] and [SEP] included
    token: int


def query_log_probabilities(
    fill_mask: FillMask, queries: Sequence[TokenQuery]
) -> Float[np.ndarray, "queries"]:
    """The log-probability of every query's token in its text, in nats.

    A text that is asked about several tokens goes through the model once. Every text must hold
    a [MASK] and be one that the model can score (`why_not`). A row of logits over 30,000 tokens
    takes 120 kB, so each is dropped once its one number is read.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets.base import TokenQuery, query_log_probabilities
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> ids = tuple(model.tokenizer.encode("He is a [MASK]."))
        >>> queries = [TokenQuery(ids, token) for token in (20, 21)]
        >>> (query_log_probabilities(model, queries) < 0).tolist()
        [True, True]
    """
    asked: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for number, query in enumerate(queries):
        asked[query.ids].append(number)
    texts = [torch.tensor(ids) for ids in asked]
    mask = fill_mask.tokenizer.mask_token_id
    first = [(ids == mask).nonzero().squeeze(1)[:1] for ids in texts]
    of_text = list(asked.values())
    answers = np.empty(len(queries))
    for index, logits in fill_mask.logits_at(texts, first):
        log_probabilities = logits[0].double().log_softmax(dim=-1)
        for number in of_text[index]:
            answers[number] = float(log_probabilities[queries[number].token])
    return answers


def query_pairs(
    fill_mask: FillMask,
    items: Sequence[Item],
    queries_of: Callable[[FillMask, Item], list[TokenQuery]],
) -> tuple[list[Item], Float[np.ndarray, "asked 2 2"], dict[str, int]]:
    """Ask the four queries of every item: the items asked, the answers, the dropped by reason.

    `queries_of` raises InputError, saying why, for an item that cannot be asked.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets.base import TokenQuery, query_pairs
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> ids = tuple(model.tokenizer.encode("He is a [MASK]."))
        >>> four = [TokenQuery(ids, token) for token in (20, 21, 20, 21)]
        >>> asked, answers, dropped = query_pairs(model, ["one"], lambda model, item: four)
        >>> asked, answers.shape, dropped
        (['one'], (1, 2, 2), {})
    """
    dropped: Counter[str] = Counter()
    asked: list[Item] = []
    queries: list[TokenQuery] = []
    for item in items:
        try:
            queries += queries_of(fill_mask, item)
            asked.append(item)
        except InputError as reason:
            dropped[str(reason)] += 1
    return asked, query_log_probabilities(fill_mask, queries).reshape(-1, 2, 2), dict(dropped)


@torch.no_grad()
def order_probabilities(
    fill_mask: FillMask, model: AlbertForPreTraining | EngineModel, pairs: Sequence[tuple[str, str]]
) -> Float[np.ndarray, "pairs"]:
    """The probability that the first text of each pair comes before the second.

    From the sentence-order head of `model`, which is the one in `fill_mask`, passed again for its
    type. Pairs must fit into its positions.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets.base import order_probabilities
        >>> folder = data_folder() / "checkpoints" / "albert-mini-en"
        >>> model = FillMask.from_pretrained(folder, order_head=True)
        >>> (chance,) = order_probabilities(model, model.model, [("He rose.", "He went out.")])
        >>> bool(0 < chance < 1)
        True
    """
    tokenizer = fill_mask.tokenizer
    assert isinstance(tokenizer, AlbertTokenizer)  # no other model has this head
    device = device_of(model)
    nowhere = torch.empty(0, dtype=torch.long, device=device)  # no vocabulary needs scoring
    lengths = [len(tokenizer.encode(first, second)) for first, second in pairs]
    answers = np.empty(len(pairs))
    with evaluation_mode(model):
        for chosen in fill_mask.batches(lengths):
            firsts, seconds = zip(*(pairs[index] for index in chosen), strict=True)
            batch = tokenizer(list(firsts), list(seconds)).to(device)
            logits = model(**batch, masked_positions=nowhere).sop_logits
            answers[chosen] = logits.double().softmax(dim=-1)[:, IN_ORDER].cpu().numpy()
    return answers
