"""Whether a model of a learner's pieces gives the library's numbers, and which piece does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from albert_lib.config import AlbertConfig
from albert_lib.objectives import PretrainingBatch
from albert_lib.training import pretraining_loss
from albert_lib.workbook.my_model import MyAlbert
from albert_lib.workbook.my_pieces import MODEL_PIECES, Pieces

LARGEST_AGREEING = 1e-5
SEQUENCES, LENGTH = 4, 24  # of the batch
MOVED_BY = 0.05  # so that every bias and every scale counts: fresh ones are 0 and 1
SEED = 14


@dataclass(frozen=True)
class Disagreement:
    """The largest differences from the library's numbers, in the order of computing.

    Example:
        >>> found = Disagreement({"logits": 0.0, "losses": 0.5})
        >>> found.agrees, found.largest, found.first
        (False, 0.5, 'losses')
    """

    differences: Mapping[str, float]

    @property
    def largest(self) -> float:
        """The largest of all; infinite where a number is none."""
        return max(self.differences.values())

    @property
    def agrees(self) -> bool:
        """Whether all differences are at most 1e-5."""
        return self.largest <= LARGEST_AGREEING

    @property
    def first(self) -> str:
        """What differs first."""
        return next(name for name, gap in self.differences.items() if gap > LARGEST_AGREEING)


def disagreement(config: AlbertConfig, pieces: Pieces) -> Disagreement:
    """How far a model of these pieces is from the library's with the same weights.

    Both see one drawn batch, with padding and unevenly masked, without dropout. A model that
    raises differs without end. Global random numbers are left as they were.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(SEED)
        mine = MyAlbert(config, pieces).eval()
        with torch.no_grad():
            for parameter in mine.parameters():
                parameter.add_(MOVED_BY * torch.randn_like(parameter))
        library = mine.as_library()
        batch = drawn_batch(config)
    expected = pretraining_loss(library, batch)
    expected["loss"].backward()
    try:
        found = mine.losses(batch)
        found["loss"].backward()
        given = batch.input_ids, batch.attention_mask, batch.token_type_ids
        with torch.no_grad():
            outputs = [model(*given, masked_positions=batch.masked_positions)
                       for model in (mine, library)]  # fmt: skip
        scores = ("prediction_logits", "sop_logits")
        return Disagreement(
            {
                "logits": max(gap(*(output[name] for output in outputs)) for name in scores),
                "losses": max(gap(found[name], expected[name]) for name in expected),
                "gradients": max(
                    gap(own.grad, other.grad)
                    for own, other in zip(mine.parameters(), library.parameters(), strict=True)
                ),
            }
        )
    except Exception:  # a piece gives what the next one cannot take
        return Disagreement({"logits": math.inf})


def find_disagreeing(config: AlbertConfig, pieces: Pieces) -> list[str]:
    """The learner's pieces that must be the library's for the numbers to agree.

    The first single one whose exchange brings agreement; else the first several, as few as an
    exchange one after another finds; none if not even the exchange of all does it.
    """

    def agrees(exchanged: list[str]) -> bool:
        return disagreement(config, pieces.with_library(exchanged)).agrees

    own = [id for id in pieces.own if id in MODEL_PIECES]
    for id in own:
        if agrees([id]):
            return [id]
    exchanged: list[str] = []
    for id in own:
        exchanged.append(id)
        if agrees(exchanged):
            break
    else:
        return []
    for id in exchanged[:-1]:
        without = [other for other in exchanged if other != id]
        if agrees(without):
            exchanged = without
    return exchanged


def gap(one: Tensor | None, other: Tensor | None) -> float:
    """The largest difference of two tensors; infinite for other shapes, for nan and for None.

    Example:
        >>> gap(torch.ones(2), torch.zeros(2)), gap(torch.ones(2), torch.zeros(3))
        (1.0, inf)
    """
    if one is None or other is None or one.shape != other.shape:
        return math.inf
    largest = (one.detach() - other.detach()).abs().max().item()
    return math.inf if math.isnan(largest) else largest


def drawn_batch(config: AlbertConfig) -> PretrainingBatch:
    """A small batch of random ids from torch's generator: all but its first sequence are padded.

    Example:
        >>> batch = drawn_batch(AlbertConfig(vocab_size=100))
        >>> batch.input_ids.shape, len(batch.masked_positions) == len(batch.masked_labels)
        (torch.Size([4, 24]), True)
    """
    length = min(LENGTH, config.max_position_embeddings)
    ends = length - 3 * torch.arange(SEQUENCES)[:, None]
    places = torch.arange(length)
    is_text = (places < ends).long()
    ids = torch.randint(5, config.vocab_size, (SEQUENCES, length)) * is_text
    masked = (torch.rand(SEQUENCES, length) < 0.3) & (is_text == 1) & (places > 0)
    positions = masked.flatten().nonzero()[:, 0]
    return PretrainingBatch(
        input_ids=ids,
        attention_mask=is_text,
        token_type_ids=(places > ends // 2).long() * is_text,
        masked_positions=positions,
        masked_labels=torch.randint(5, config.vocab_size, (len(positions),)),
        sop_labels=torch.tensor([0, 1, 1, 0]),
    )
