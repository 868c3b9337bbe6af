"""How a unigram model segments a word: the best segmentation (Viterbi), and the sum over all.

A vocabulary gives each piece a score, the logarithm of its probability. The score of a
segmentation is the sum over its pieces, and the model takes the one with the highest sum (Kudo,
2018, arXiv 1804.10959). This is SentencePiece's algorithm written to be read; the tokenizer
itself calls SentencePiece, and the tests hold the two against each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby

WORD_START = "▁"  # U+2581, SentencePiece's mark for the space before a word
UNKNOWN_PENALTY = 10.0  # an unknown character scores this much less than the rarest piece


@dataclass(frozen=True)
class Edge:
    """A piece that could stand at text[start:end], with its score.

    Example:
        >>> Edge(0, 2, "▁m", -5.0).piece
        '▁m'
    """

    start: int
    end: int
    piece: str
    score: float


def mark_words(text: str) -> str:
    """Put ▁ before every word in place of the spaces.

    Example:
        >>> mark_words("the mill")
        '▁the▁mill'
    """
    return "".join(WORD_START + word for word in text.split())


def lattice(
    text: str, scores: Mapping[str, float], unknown_score: float | None = None
) -> list[Edge]:
    """Every piece that fits somewhere in the text, from left to right, short before long.

    A character that is no piece of its own becomes an edge of `unknown_score` (by default 10
    less than the lowest score), so that every text has a segmentation.

    Example:
        >>> for edge in lattice("▁mi", {"▁": -3.0, "▁m": -5.0, "i": -4.0}):
        ...     print(edge.start, edge.end, edge.piece, edge.score)
        0 1 ▁ -3.0
        0 2 ▁m -5.0
        1 2 m -15.0
        2 3 i -4.0
    """
    if unknown_score is None:
        unknown_score = min(scores.values(), default=0.0) - UNKNOWN_PENALTY
    longest = max(map(len, scores), default=1)
    edges = []
    for start in range(len(text)):
        for end in range(start + 1, min(start + longest, len(text)) + 1):
            piece = text[start:end]
            if piece in scores:
                edges.append(Edge(start, end, piece, scores[piece]))
            elif end == start + 1:
                edges.append(Edge(start, end, piece, unknown_score))
    return edges


def best_segmentation(
    text: str, scores: Mapping[str, float], unknown_score: float | None = None
) -> list[str]:
    """Segment a ▁-marked text into the pieces whose scores have the highest sum.

    Of two segmentations with the same sum, the one whose last piece is longer wins. Neighbouring
    unknown characters come back as one piece, as in SentencePiece.

    Example:
        >>> scores = {"▁": -6.0, "▁walk": -9.0, "s": -4.0, "▁wal": -8.0, "k": -5.0}
        >>> best_segmentation("▁walks", scores)
        ['▁walk', 's']
    """
    best_score = [0.0] + [-float("inf")] * len(text)  # of the best way to each position
    last_edge: dict[int, Edge] = {}  # the last edge of that segmentation
    for edge in lattice(text, scores, unknown_score):
        score = best_score[edge.start] + edge.score
        if score > best_score[edge.end]:
            best_score[edge.end] = score
            last_edge[edge.end] = edge

    pieces = []
    position = len(text)
    while position > 0:  # from the end of the text back to its start
        edge = last_edge[position]
        pieces.append(edge.piece)
        position = edge.start
    return join_unknown(pieces[::-1], scores)


def marginal_log_likelihood(
    text: str, scores: Mapping[str, float], unknown_score: float | None = None
) -> float:
    """The logarithm of the probability of a ▁-marked text: of all its segmentations together.

    This is the forward algorithm, Viterbi with a sum of probabilities in place of the maximum;
    what is kept are logarithms, for the probability of a long text is too small for a float.
    Learning a vocabulary maximises it (Kudo, 2018, equation 3).

    Example:
        >>> scores = {"▁": -6.0, "▁walk": -9.0, "s": -4.0, "▁wal": -8.0, "k": -5.0}
        >>> round(marginal_log_likelihood("▁walks", scores), 3)  # ▁walk + s alone has -13
        -12.982
    """
    forward = [0.0] + [-math.inf] * len(text)  # log probability of the text before each position
    for edge in lattice(text, scores, unknown_score):
        way = forward[edge.start] + edge.score
        higher, lower = max(way, forward[edge.end]), min(way, forward[edge.end])
        forward[edge.end] = higher + math.log1p(math.exp(lower - higher))
    return forward[-1]


def join_unknown(pieces: list[str], scores: Mapping[str, float]) -> list[str]:
    """Join neighbouring pieces that the vocabulary lacks into one piece each.

    Example:
        >>> join_unknown(["▁the", "日", "本"], {"▁the": -1.0})
        ['▁the', '日本']
    """
    joined: list[str] = []
    for is_known, group in groupby(pieces, key=lambda piece: piece in scores):
        neighbours = list(group)
        joined += neighbours if is_known else ["".join(neighbours)]
    return joined
