"""BLiMP (Warstadt et al., 2020, arXiv:1912.00582): which of two sentences is grammatical?

No bias set, but the yardstick beside one: a model that does not know "she helps herself" from
"she helps himself" has nothing to say about who is a nurse. Files are those of the authors
(alexwarstadt/blimp, data/*.jsonl): one pair a line, with `sentence_good`, `sentence_bad`, its
paradigm `UID` and its `linguistics_term`; a paradigm is a file of sentences from one template.

A pair is right if the good sentence has the higher pseudo-log-likelihood, each token masked
alone (Salazar et al., 2020, arXiv:1910.14659); `mask_unit="word"` masks the rest of a word with
it (Kauf and Ivanova, 2023). The overall accuracy is the mean over paradigms, and its interval is
over paradigms too: sentences from one template are alike. Those of terms and paradigms are over
sentences.

A tie, up to rounding, is not right: a model that gives both sentences of every pair the same
score reads 0 %. One published pair, in principle_A_case_2, is the same sentence twice. (A model
that gives every token the same probability prefers the sentence with fewer tokens.)

The authors compare sums of a left-to-right model, which a masked one does not have. A pair that
is longer than the model's positions is left out and counted.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import mean_interval
from albert_lib.probing.pseudo_likelihood import MaskUnit, pseudo_log_likelihood
from albert_lib.probing.sets.base import (
    TIE,
    Measure,
    SetResult,
    encode_pairs,
    percentage,
)
from albert_lib.probing.sets.files import ReadItems, jsonl_items, texts_of

FIELDS = ("sentence_good", "sentence_bad", "UID", "linguistics_term")


@dataclass(frozen=True)
class MinimalPair:
    """A grammatical sentence and one that differs from it in little and is not.

    Example:
        >>> MinimalPair("She sleeps.", "She sleep.", "agreement_1", "agreement").good
        'She sleeps.'
    """

    good: str
    bad: str
    paradigm: str
    term: str  # the phenomenon, such as anaphor_agreement; several paradigms may share one


@dataclass(frozen=True)
class ScoredMinimalPair:
    """A pair with the pseudo-log-likelihoods of its sentences, in nats.

    Example:
        >>> from albert_lib.probing.sets.blimp import MinimalPair, ScoredMinimalPair
        >>> pair = MinimalPair("She sleeps.", "She sleep.", "agreement_1", "agreement")
        >>> [ScoredMinimalPair(pair, -8.0, bad).is_right for bad in (-9.5, -8.0)]
        [True, False]
    """

    pair: MinimalPair
    good: float
    bad: float

    @property
    def is_right(self) -> bool:
        """Whether the model finds the grammatical sentence likelier; a tie is not right."""
        return self.good - self.bad > TIE


@dataclass(frozen=True)
class BlimpResult(SetResult[ScoredMinimalPair]):
    """Every pair's scores, and how many pairs were left out, by reason.

    Example:
        >>> from albert_lib.probing.sets.blimp import BlimpResult, MinimalPair, ScoredMinimalPair
        >>> pair = MinimalPair("She sleeps.", "She sleep.", "agreement_1", "agreement")
        >>> result = BlimpResult([ScoredMinimalPair(pair, -8.0, -9.5)], {})
        >>> [(measure.label, measure.value) for measure in result.measures()][:2]
        [('accuracy', 100.0), ('term agreement', 100.0)]
    """

    compared = "accuracy over pairs (%)"

    def item_values(self) -> Mapping[Hashable, float]:
        """100 for every pair whose grammatical sentence is the likelier one, else 0."""
        return {one.pair: 100.0 * one.is_right for one in self.scored}

    def measures(self) -> list[Measure]:
        """Accuracy over all paradigms, then of every term, then of every paradigm."""
        of_terms, of_paradigms = defaultdict(list), defaultdict(list)
        for one in self.scored:
            of_terms[one.pair.term].append(one.is_right)
            of_paradigms[one.pair.paradigm].append(one.is_right)
        paradigms = _accuracies("paradigm", of_paradigms)
        overall = mean_interval([measure.value for measure in paradigms])
        low, high = max(0.0, overall.low), min(100.0, overall.high)
        if len(paradigms) == 1:
            low, high = paradigms[0].low, paradigms[0].high
        accuracy = Measure("accuracy", overall.mean, low, high, len(self.scored), 50.0, "%")
        return [accuracy, *_accuracies("term", of_terms), *paradigms]


def read(path: str | os.PathLike[str]) -> ReadItems[MinimalPair]:
    """The pairs of a .jsonl file, or of all such files in a folder, in the order of their names.

    A line that is not in the authors' format is left out and named (`ReadItems.dropped`). Raises
    TextError where no line is.

    Example:
        >>> import json, pathlib, tempfile
        >>> from albert_lib.probing.sets import blimp
        >>> line = {"sentence_good": "She sleeps.", "sentence_bad": "She sleep."}
        >>> line |= {"UID": "agreement_1", "linguistics_term": "agreement"}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "agreement_1.jsonl"
        ...     _ = file.write_text(json.dumps(line))
        ...     blimp.read(file)[0].bad
        'She sleep.'
    """
    return jsonl_items(Path(path), _pair, "pairs of sentences; give BLiMP's .jsonl files")


def score(
    fill_mask: FillMask, items: Sequence[MinimalPair], mask_unit: MaskUnit = "token"
) -> BlimpResult:
    """Score every pair; InputError where there is none that fits into the model's positions.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import blimp
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> pair = blimp.MinimalPair("She sleeps.", "She sleep.", "agreement_1", "agreement")
        >>> (one,) = blimp.score(model, [pair]).scored
        >>> one.good < 0 and one.bad < 0
        True
    """
    fitting, dropped = encode_pairs(fill_mask, items, lambda pair: (pair.good, pair.bad))
    texts = [ids for _, good, bad in fitting for ids in (good, bad)]
    totals = [one.total for one in pseudo_log_likelihood(fill_mask, texts, mask_unit=mask_unit)]
    scored = [
        ScoredMinimalPair(pair, good, bad)
        for (pair, _, _), good, bad in zip(fitting, totals[::2], totals[1::2], strict=True)
    ]
    return BlimpResult(scored, dropped)


def _accuracies(kind: str, answers: Mapping[str, Sequence[bool]]) -> list[Measure]:
    return [
        percentage(f"{kind} {name}", sum(right), len(right))
        for name, right in sorted(answers.items())
    ]


def _pair(file: Path, number: int, record: Any) -> MinimalPair:
    return MinimalPair(*texts_of(file, number, record, FIELDS))
