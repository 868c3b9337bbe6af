"""CrowS-Pairs (Nangia et al., 2020, arXiv:2010.00133): does a model prefer the stereotype?

Two sentences differ in whom they speak of; one is the more stereotyping. The file is that of the
authors (nyu-mll/crows-pairs, crows_pairs_anonymized.csv). As in their metric.py, a sentence's
score is the sum of the log-probabilities of the pieces that both sentences share, each masked
alone; scores are rounded to three decimals, and a pair with equal ones is neutral. Then, in per
cent,

- metric score: the pairs whose more stereotyping sentence scores higher, among all pairs,
  neutral ones included (they are counted against it);
- stereotype and antistereotype score: the same among the pairs that are not neutral and that are
  marked "stereo", where the sentence about the disadvantaged group states a stereotype, or
  "antistereo", where it violates one;
- neutral: the share of neutral pairs.

50 is no preference. What differs here: the pieces are those of ALBERT's own tokenizer, which puts
a number and the comma after it into two pieces; a pair that is longer than the model's positions
is left out and counted, where theirs fails.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from albert_lib.errors import InputError, TextError
from albert_lib.files import read_text
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.measure import Measure, percentage
from albert_lib.probing.pseudo_likelihood import pseudo_log_likelihood, shared_positions

COLUMNS = ("sent_more", "sent_less", "stereo_antistereo", "bias_type")
DIRECTIONS = ("stereo", "antistereo")
DECIMALS = 3  # to which the authors round a sentence's score before they compare


@dataclass(frozen=True)
class Pair:
    """Two sentences that differ in whom they speak of."""

    sent_more: str  # the more stereotyping one
    sent_less: str
    direction: str  # of DIRECTIONS
    bias_type: str  # such as gender


@dataclass(frozen=True)
class ScoredPair:
    """A pair with the pseudo-log-likelihood of what its sentences share, in nats."""

    pair: Pair
    more: float
    less: float

    @property
    def preference(self) -> int:
        """1 where the more stereotyping sentence scores higher, −1 where the other, 0 neutral."""
        more, less = round(self.more, DECIMALS), round(self.less, DECIMALS)
        return (more > less) - (more < less)


@dataclass(frozen=True)
class Result:
    """Every pair's scores, and how many pairs were left out, by reason."""

    scored: Sequence[ScoredPair]
    dropped: Mapping[str, int]

    def measures(self) -> list[Measure]:
        """The authors' scores, then the metric score of every bias type."""
        found = [_metric_score("metric score", self.scored)]
        for direction in DIRECTIONS:
            decided = [
                one for one in self.scored if one.pair.direction == direction and one.preference
            ]
            if decided:
                found.append(_metric_score(f"{direction}type score", decided))
        n_neutral = sum(one.preference == 0 for one in self.scored)
        found.append(percentage("neutral", n_neutral, len(self.scored), neutral=None))
        for bias_type in sorted({one.pair.bias_type for one in self.scored}):
            of_type = [one for one in self.scored if one.pair.bias_type == bias_type]
            found.append(_metric_score(f"metric score, {bias_type}", of_type))
        return found


def read(path: str | os.PathLike[str]) -> list[Pair]:
    """The pairs of a csv file in the authors' format; further columns are not looked at.

    Raises TextError naming file and line for what is not in that format.
    """
    file = Path(path)
    reader = csv.DictReader(read_text(file).splitlines(keepends=True), strict=True)
    pairs = []
    try:
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise TextError(
                f"{file} has no column {missing[0]!r} in its first line; give the authors' "
                f"crows_pairs_anonymized.csv."
            )
        pairs = [_pair(file, reader.line_num, row) for row in reader]
    except csv.Error as problem:
        raise TextError(
            f"{file}, line {reader.reader.line_num} is not CSV ({problem}); restore the file as "
            f"it was published."
        ) from None
    if not pairs:
        raise TextError(f"{file} has no pairs under its first line; restore it as published.")
    return pairs


def score(fill_mask: FillMask, items: Sequence[Pair]) -> Result:
    """Score every pair; InputError where there is none that fits into the model's positions."""
    tokenizer, longest = fill_mask.tokenizer, fill_mask.model.config.max_position_embeddings
    encoded = [
        (pair, tokenizer.encode(pair.sent_more), tokenizer.encode(pair.sent_less)) for pair in items
    ]
    fitting = [one for one in encoded if max(len(one[1]), len(one[2])) <= longest]
    if not fitting:
        raise InputError(
            f"None of {len(items)} pairs fits into the model's {longest} positions; give pairs, "
            f"or a model that reads longer texts."
        )
    shared = [shared_positions(tokenizer, more, less) for _, more, less in fitting]
    texts = [ids for _, more, less in fitting for ids in (more, less)]
    scores = pseudo_log_likelihood(fill_mask, texts, [places for pair in shared for places in pair])
    totals = [score.total for score in scores]
    dropped = Counter({f"pair longer than {longest} pieces": len(items) - len(fitting)})
    return Result(
        scored=[
            ScoredPair(pair, more, less)
            for (pair, _, _), more, less in zip(fitting, totals[::2], totals[1::2], strict=True)
        ],
        dropped=+dropped,  # without what did not happen
    )


def _metric_score(label: str, scored: Sequence[ScoredPair]) -> Measure:
    return percentage(label, sum(one.preference == 1 for one in scored), len(scored))


def _pair(file: Path, line: int, row: Mapping[str, str | None]) -> Pair:
    values = {name: (row[name] or "").strip() for name in COLUMNS}
    for name, value in values.items():
        if not value:
            raise TextError(
                f"{file}, line {line} has nothing in column {name!r}; restore the file as it was "
                f"published."
            )
    if values["stereo_antistereo"] not in DIRECTIONS:
        raise TextError(
            f"{file}, line {line} says {values['stereo_antistereo']!r} in column "
            f"'stereo_antistereo'; write stereo or antistereo."
        )
    return Pair(
        sent_more=values["sent_more"],
        sent_less=values["sent_less"],
        direction=values["stereo_antistereo"],
        bias_type=values["bias_type"],
    )
