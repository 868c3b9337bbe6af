"""BLiMP (Warstadt et al., 2020, arXiv:1912.00582): which of two sentences is grammatical?

No bias set, but the yardstick beside one: a model that does not know "she helps herself" from
"she helps himself" has nothing to say about who is a nurse. Files are those of the authors
(alexwarstadt/blimp, data/*.jsonl): one pair a line, with `sentence_good`, `sentence_bad`, its
paradigm `UID` and its `linguistics_term`; a paradigm is a file of sentences from one template.

A pair is right if the good sentence has the higher pseudo-log-likelihood, every piece masked
alone (Salazar et al., 2020, arXiv:1910.14659); `together="word"` hides the rest of a word with
it (Kauf and Ivanova, 2023). A tie is wrong; one published pair, in principle_A_case_2, is the
same sentence twice. The overall accuracy is the mean over paradigms, and its interval is over
paradigms too: sentences from one template are alike. Those of terms and paradigms are over
sentences.

The authors compare sums of a left-to-right model, which a masked one does not have. A pair that
is longer than the model's positions is left out and counted.
"""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from albert_lib.errors import InputError, TextError
from albert_lib.files import read_text
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import mean_interval
from albert_lib.probing.measure import Measure, percentage
from albert_lib.probing.pseudo_likelihood import Together, pseudo_log_likelihood

FIELDS = ("sentence_good", "sentence_bad", "UID", "linguistics_term")


@dataclass(frozen=True)
class Pair:
    """A grammatical sentence and one that differs from it in little and is not."""

    good: str
    bad: str
    paradigm: str
    term: str  # the phenomenon, such as anaphor_agreement; several paradigms may share one


@dataclass(frozen=True)
class ScoredPair:
    """A pair with the pseudo-log-likelihoods of its sentences, in nats."""

    pair: Pair
    good: float
    bad: float

    @property
    def is_right(self) -> bool:
        """Whether the model finds the grammatical sentence likelier."""
        return self.good > self.bad


@dataclass(frozen=True)
class Result:
    """Every pair's scores, and how many pairs were left out, by reason."""

    scored: Sequence[ScoredPair]
    dropped: Mapping[str, int]

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


def read(path: str | os.PathLike[str]) -> list[Pair]:
    """The pairs of a .jsonl file, or of all such files in a folder, in the order of their names.

    Raises TextError naming file and line for what is not in the authors' format.
    """
    files = sorted(Path(path).glob("*.jsonl")) if Path(path).is_dir() else [Path(path)]
    pairs = [
        _pair(file, number, line)
        for file in files
        for number, line in enumerate(read_text(file).splitlines(), start=1)
        if line.strip()
    ]
    if not pairs:
        raise TextError(f"{path} has no pairs of sentences; give BLiMP's .jsonl files.")
    return pairs


def score(fill_mask: FillMask, items: Sequence[Pair], together: Together = "piece") -> Result:
    """Score every pair; InputError where there is none that fits into the model's positions."""
    tokenizer, longest = fill_mask.tokenizer, fill_mask.model.config.max_position_embeddings
    encoded = [(pair, tokenizer.encode(pair.good), tokenizer.encode(pair.bad)) for pair in items]
    fitting = [one for one in encoded if max(len(one[1]), len(one[2])) <= longest]
    if not fitting:
        raise InputError(
            f"None of {len(items)} pairs fits into the model's {longest} positions; give pairs, "
            f"or a model that reads longer texts."
        )
    texts = [ids for _, good, bad in fitting for ids in (good, bad)]
    totals = [one.total for one in pseudo_log_likelihood(fill_mask, texts, together=together)]
    dropped = Counter({f"pair longer than {longest} pieces": len(items) - len(fitting)})
    return Result(
        scored=[
            ScoredPair(pair, good, bad)
            for (pair, _, _), good, bad in zip(fitting, totals[::2], totals[1::2], strict=True)
        ],
        dropped=+dropped,  # without what did not happen
    )


def _accuracies(kind: str, answers: Mapping[str, Sequence[bool]]) -> list[Measure]:
    return [
        percentage(f"{kind} {name}", sum(right), len(right))
        for name, right in sorted(answers.items())
    ]


def _pair(file: Path, number: int, line: str) -> Pair:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as problem:
        raise TextError(
            f"{file}, line {number} is not JSON ({problem.msg}); restore the file as it was "
            f"published."
        ) from None
    for name in FIELDS:
        value = record.get(name) if isinstance(record, dict) else None
        if not isinstance(value, str) or not value.strip():
            raise TextError(
                f"{file}, line {number} has no text in {name!r}; restore the file as it was "
                f"published."
            )
    return Pair(
        good=record["sentence_good"],
        bad=record["sentence_bad"],
        paradigm=record["UID"],
        term=record["linguistics_term"],
    )
