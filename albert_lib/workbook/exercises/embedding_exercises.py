"""Exercise 3.1: three rows of width E, added, normalised, and projected to H."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from albert_lib.model.embeddings import factorized_embedding
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.drawn_modules import draw_linear, draw_norm, draw_table

Drawn = dict[str, Any]


def draw_ids(rng: np.random.Generator, batch: int = 0, length: int = 0) -> Drawn:
    """A few ids in two segments, and the modules that embed them; E and H differ."""
    batch = batch or int(rng.integers(1, 4))
    length = length or int(rng.integers(1, 7))
    vocab, narrow = int(rng.integers(4, 9)), int(rng.integers(3, 5))
    wide = narrow + int(rng.choice([-1, 1, 2]))
    begins_b = rng.integers(1, length + 1, size=(batch, 1))  # where segment B begins
    return {
        "input_ids": torch.from_numpy(rng.integers(vocab, size=(batch, length))),
        "token_type_ids": torch.from_numpy((np.arange(length) >= begins_b).astype(np.int64)),
        "words": draw_table(rng, vocab, narrow),
        "positions": draw_table(rng, length + int(rng.integers(1, 4)), narrow),
        "segments": draw_table(rng, 2, narrow),
        "norm": draw_norm(rng, narrow),
        "projection": draw_linear(rng, narrow, wide),
    }


def one_token_and_one_text(rng: np.random.Generator) -> Sequence[Drawn]:
    """A single token, several texts of one token, one text of several."""
    return [draw_ids(rng, 1, 1), draw_ids(rng, 3, 1), draw_ids(rng, 1, 5)]


def embed(
    input_ids: Tensor,
    token_type_ids: Tensor,
    words: nn.Embedding,
    positions: nn.Embedding,
    segments: nn.Embedding,
    norm: nn.LayerNorm,
    projection: nn.Linear,
    *,
    first: int = 0,
    without: str = "",
    normalised: str = "the sum",
    root: bool = False,
    bias: bool = True,
    words_of: str = "input_ids",
    projected: bool = True,
) -> Tensor:
    """The embedding with parts of it done wrong."""
    length = input_ids.shape[1]
    word = words(input_ids if words_of == "input_ids" else token_type_ids)
    if root:
        word = word * words.embedding_dim**0.5
    places = torch.arange(first, first + length).expand_as(input_ids)
    others = [("segments", segments(token_type_ids)), ("positions", positions(places))]
    added = [part for name, part in others if name != without]
    word = torch.zeros_like(word) if without == "words" else word
    if normalised == "words alone":
        narrow = norm(word) + sum(added)
    elif normalised == "without scale and shift":
        narrow = F.layer_norm(word + sum(added), norm.normalized_shape, eps=norm.eps)
    else:
        narrow = word + sum(added)
    if normalised == "the sum":
        narrow = norm(narrow)
    if not projected:
        return narrow
    return F.linear(narrow, projection.weight, projection.bias if bias else None)


EMBEDDING = Exercise(
    id="3.1",
    title="From ids into the room",
    difficulty=1,
    minutes=15,
    points=2,
    solution=factorized_embedding,
    draw=draw_ids,
    borders=one_token_and_one_text,
    tolerance=1e-5,
    gradients=("words", "positions", "segments", "norm", "projection"),
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "no words",
            partial(embed, without="words"),
            "The words are missing: every token gets the same vector at its place, whatever it "
            "is. Add words(input_ids).",
        ),
        Misconception(
            "words of the segments",
            partial(embed, words_of="token_type_ids"),
            "You look the words up by token_type_ids, so that there are two words in all. Each "
            "table has ids of its own: words take input_ids, segments take token_type_ids.",
        ),
        Misconception(
            "not projected",
            partial(embed, projected=False),
            "Your vectors are E wide, as the tables are. The projection brings them to the width H "
            "of the layers; it comes last, after the norm.",
        ),
        Misconception(
            "no segments",
            partial(embed, without="segments"),
            "The segments are missing: a token of segment B gets the same vector as in segment A, "
            "and the model could not tell which text of a pair it stands in. Add "
            "segments(token_type_ids).",
        ),
        Misconception(
            "no positions",
            partial(embed, without="positions"),
            "The positions are missing. Attention itself does not see the order of its keys, so "
            "without them “the mill before dawn” and “dawn before the mill” are one bag of "
            "words. Add a row of `positions` for each place 0, 1, 2, …",
        ),
        Misconception(
            "positions from 1",
            partial(embed, first=1),
            "You count the positions from 1. [CLS] stands at position 0, and a table of 512 rows "
            "would have no row for the last token of a full sequence.",
        ),
        Misconception(
            "no norm",
            partial(embed, normalised="nothing"),
            "You project the sum as it is. The LayerNorm comes between: first the sum of the "
            "three rows is normalised, then projected.",
        ),
        Misconception(
            "norm of the words alone",
            partial(embed, normalised="words alone"),
            "You normalise the words' rows and add the others to the result. What the norm takes "
            "is the sum of all three.",
        ),
        Misconception(
            "norm without scale and shift",
            partial(embed, normalised="without scale and shift"),
            "Your norm only centres and divides. `norm` has a scale and a shift of its own for "
            "every number, its weight and bias: call norm(…) itself. In a fresh model they are 1 "
            "and 0, and nobody would notice.",
        ),
        Misconception(
            "times the root of E",
            partial(embed, root=True),
            "You multiply the words' rows by √E, as the first Transformer did (Vaswani et al. "
            "2017, section 3.4). BERT and ALBERT do not: the LayerNorm brings the sum to one "
            "length anyway.",
        ),
        Misconception(
            "projection without bias",
            partial(embed, bias=False),
            "Your projection is the matrix alone. A linear map of PyTorch also adds its bias; "
            "projection(…) does both.",
        ),
    ),
    hints=(
        "`input_ids` and `token_type_ids` are (batch, seq). Each table makes (…, E) of them, the "
        "norm keeps E, the projection makes (batch, seq, H). The positions are the same in every "
        "text: (seq, E) is enough, it is added to each.",
        "Three rows a token, added: what the word is, which segment it is in, where it stands "
        "(0, 1, 2, …). Then the norm, which has the width E. The projection is last, because "
        "everything before it is to be narrow.",
        "`places = torch.arange(input_ids.shape[1])`, then "
        "`projection(norm(words(input_ids) + segments(token_type_ids) + positions(places)))`.",
    ),
)
