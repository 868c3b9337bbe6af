"""Figures of chapter 2: masked spans and budgets; boxes of tokens and pairs have their own files.

Each `draw_…` returns a figure with its alternative text, as `show` and `explorer` take them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from albert_lib.objectives import MaskingConfig, choose_spans, find_words
from albert_lib.text import AlbertTokenizer
from albert_lib.workbook.drawings.chapter_02_pairs import (
    draw_order,
    draw_pairs,
    draw_shared_tokens,
    draw_table_5,
)
from albert_lib.workbook.drawings.pieces import (
    BLACK,
    BLUE,
    LINE_HEIGHT,
    ORANGE,
    SKY,
    WIDTH,
    draw_pieces,
    explain,
    masked_looks,
    n_lines,
    write_pieces,
)
from albert_lib.workbook.exercises.span_statistics import words_per_span

__all__ = [
    "draw_budgets",
    "draw_masked_by_position",
    "draw_masking",
    "draw_order",
    "draw_pairs",
    "draw_pieces",
    "draw_span_lengths",
    "draw_shared_tokens",
    "draw_table_5",
    "draw_treatment",
]

DRAWS = 300  # behind the bars of the explorer


def draw_masking(
    ids: Sequence[int], tokenizer: AlbertTokenizer, config: MaskingConfig, seed: int
) -> tuple[Figure, str]:
    """One draw of masked spans in a text, and the lengths of the spans of many draws."""
    words = find_words(np.array(ids), tokenizer.is_word_start, tokenizer.is_special)
    budget = int(config.budget(np.array([len(ids)]))[0])
    spans = choose_spans(words, budget, np.random.default_rng(seed), config.max_ngram)
    n_masked = sum(map(len, spans))
    rng = np.random.default_rng(0)
    lengths = [
        length
        for _ in range(DRAWS)
        for length in words_per_span(words, choose_spans(words, budget, rng, config.max_ngram))
    ]
    counts = np.bincount(lengths, minlength=config.max_ngram + 1)[1:]
    theory = expected_lengths(config.max_ngram)

    pieces = [tokenizer.id_to_piece(piece) for piece in ids]
    looks = masked_looks(ids, tokenizer, spans)
    figure, (text, bars) = plt.subplots(
        2, 1, figsize=(WIDTH, LINE_HEIGHT * n_lines(pieces) + 3.1), height_ratios=(1, 1.05)
    )
    write_pieces(text, pieces, looks)
    text.set_title(
        f"{n_masked} of {len(ids)} positions masked, {n_masked / len(ids):.1%}; "
        f"the budget is {budget}",
        loc="left",
        fontsize=11,
    )
    compare_lengths(bars, theory, {f"{DRAWS} draws on this text": counts / counts.sum()})
    explain(figure, set(looks))
    alt = (
        f"{n_masked} of the {len(ids)} tokens of the story are masked, in {len(spans)} spans of "
        f"{in_words(words_per_span(words, spans))} words. Below, the fractions of span lengths "
        f"over {DRAWS} draws: {percentages(counts / counts.sum())} for spans of "
        f"{in_words(range(1, config.max_ngram + 1))} words, where 1/n promises "
        f"{percentages(theory)}."
    )
    return figure, alt


def draw_treatment(
    written: Sequence[int], seen: Sequence[int], asked: Sequence[bool], tokenizer: AlbertTokenizer
) -> tuple[Figure, str]:
    """A text with the tokens that are asked for, and what the model sees in their place."""
    plain = masked_looks(written, tokenizer, [])
    looks = list(plain)
    for position in np.flatnonzero(asked).tolist():
        if seen[position] == tokenizer.mask_token_id:
            looks[position] = "masked"
        else:
            looks[position] = "unchanged" if seen[position] == written[position] else "random"
    rows = {
        "what is asked for": (
            [tokenizer.id_to_piece(int(piece)) for piece in written],
            ["masked" if ask else look for ask, look in zip(asked, plain, strict=True)],
        ),
        "what the model sees": ([tokenizer.id_to_piece(int(piece)) for piece in seen], looks),
    }
    counts = {look: looks.count(look) for look in ("masked", "unchanged", "random")}
    return draw_pieces(
        rows,
        f"The story twice, in boxes. Above, the {sum(counts.values())} masked tokens are marked. "
        f"Below, {counts['masked']} of them are [MASK]; tokens shown as they are: "
        f"{counts['unchanged']}; tokens that became a random one: {counts['random']}. What the "
        f"model sees reads: “{tokenizer.decode([int(piece) for piece in seen])}”",
    )


def expected_lengths(max_ngram: int) -> Float[np.ndarray, " ngrams"]:
    """P(n) ∝ 1/n."""
    weights = 1 / np.arange(1, max_ngram + 1)
    return weights / weights.sum()


def compare_lengths(
    axes: Axes,
    theory: Float[np.ndarray, " ngrams"],
    measured: Mapping[str, Float[np.ndarray, " ngrams"]],
) -> None:
    """Bars of the measured fractions of each span length, with what was promised as a line."""
    n = np.arange(1, len(theory) + 1)
    width = 0.7 / len(measured)
    for index, (label, shares) in enumerate(measured.items()):
        offset = (index - (len(measured) - 1) / 2) * width
        axes.bar(n + offset, shares, width * 0.94, color=(SKY, BLUE)[index % 2], label=label)
    axes.hlines(theory, n - 0.4, n + 0.4, color=BLACK, linestyle="-", label="promised by 1/n")
    axes.set_xticks(n)
    axes.set_xlim(0.4, max(3, len(n)) + 0.6)
    axes.set_xlabel("length of a run, in words")
    axes.set_ylabel("fraction of all spans")
    axes.yaxis.set_major_formatter(PercentFormatter(1))
    axes.grid(axis="x", visible=False)
    axes.legend()


def draw_span_lengths(
    theory: Float[np.ndarray, " ngrams"], measured: Mapping[str, Float[np.ndarray, " ngrams"]]
) -> tuple[Figure, str]:
    """How long the spans are, for several texts, beside the promise."""
    figure, axes = plt.subplots()
    compare_lengths(axes, theory, measured)
    found = "; ".join(f"{label}: {percentages(shares)}" for label, shares in measured.items())
    return figure, (
        f"Fractions of spans of one, two and three words. Promised: {percentages(theory)}. {found}."
        " Short spans are more frequent than promised, most of all in the short text."
    )


def draw_masked_by_position(
    predicted: Float[np.ndarray, " words"], measured: Float[np.ndarray, " words"]
) -> tuple[Figure, str]:
    """How often the first words of a segment are masked, beside a prediction."""
    figure, axes = plt.subplots()
    place = np.arange(1, len(measured) + 1)
    axes.bar(place, measured, color=SKY, label="counted")
    axes.plot(place, predicted, "o", color=BLACK, label="predicted from 1/n")
    axes.set_xticks(place)
    axes.set_xlabel("place of the word in its segment")
    axes.set_ylabel("how often it is masked")
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.grid(axis="x", visible=False)
    axes.set_ylim(0, 0.2)
    axes.set_yticks([0, 0.05, 0.1, 0.15, 0.2])
    axes.legend(loc="upper left", ncols=2)
    return figure, (
        "Bars of how often each of the first words of a segment is masked. The first is masked "
        f"in {measured[0]:.0%} of the draws, the second in {measured[1]:.0%}; from the third on "
        f"it is about {measured[2:].mean():.0%}. The predicted dots run along the bars."
    )


def draw_budgets(limit: int) -> tuple[Figure, str]:
    """The fraction of positions that are masked, by length, with and without a limit."""
    lengths = np.arange(5, 513)
    figure, axes = plt.subplots()
    shares = {
        "no limit": MaskingConfig().budget(lengths) / lengths,
        f"at most {limit}": MaskingConfig(max_predictions=limit).budget(lengths) / lengths,
    }
    for (label, share), color in zip(shares.items(), (BLUE, ORANGE), strict=True):
        axes.plot(lengths, share, color=color, label=label)
    last = shares[f"at most {limit}"][-1]
    axes.plot([512], [last], "o", color=BLACK)
    axes.annotate(
        f"{limit} of 512: {last:.1%}", (512, last), (-8, 24), textcoords="offset points", ha="right"
    )
    axes.set(xlabel="positions in the sequence", ylabel="fraction that is masked", ylim=(0, 0.3))
    axes.set_xticks([5, 64, 128, 256, 384, 512])
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.legend()
    return figure, (
        "The fraction of masked positions against the length of the sequence. Without a limit it "
        "is a saw-tooth that narrows to 15 %. With the limit it leaves that line a little above "
        f"128 positions and falls to {last:.1%} at 512."
    )


def percentages(shares: Float[np.ndarray, " values"]) -> str:
    """Shares as whole percentages: "55, 27 and 18 %"."""
    return f"{in_words([f'{100 * share:.0f}' for share in shares])} %"


def in_words(values: Sequence[object]) -> str:
    """A list as a clause: "1, 2 and 2"."""
    *firsts, last = map(str, values)
    return f"{', '.join(firsts)} and {last}" if firsts else last
