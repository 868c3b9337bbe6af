"""COMPS (Misra et al., 2023, EACL): which concept has the property, and what inherits it?

Two sentences give one property to two concepts, only one of which has it: a sock absorbs sweat, a
stocking does not. Files are those of the authors (kanishkamisra/comps, data/comps/*.jsonl; BabyLM
has them too): one pair a line, with `prefix_acceptable`, `prefix_unacceptable`, the
`property_phrase` that follows either, and `negative_sample_type`, how the wrong concept was chosen.
In comps_base the concepts are named; in comps_wugs a new word is said to be one of them and should
inherit the property; in comps_wugs_dist another new word stands between to distract.

As in the paper a pair is right if the property is likelier after the right concept: its phrase is
the same in both, and log P(phrase | prefix) is compared. For masked models the authors take the
pseudo-log-likelihood of the phrase's tokens, each masked alone with all others visible;
`mask_unit="word"` masks the rest of a word with it (Kauf and Ivanova, 2023). In per cent,

- accuracy, for each file: over all its pairs;
- the same for each way in which the wrong concept was chosen: in the paper random ones are easy,
  and those that share the category or many properties are hard.

A tie, up to rounding, is not right: a model that does not heed the concept has 0 %. Pairs share
concepts and properties, so the intervals, which take them for independent, are narrower than they
should be. Pairs that are longer than the model's positions, or that its vocabulary cannot write,
are left out and counted.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.pseudo_likelihood import MaskUnit
from albert_lib.probing.sets.base import TIE, Measure, SetResult, percentage
from albert_lib.probing.sets.continuations import score_continuations
from albert_lib.probing.sets.files import ReadItems, jsonl_items, texts_of

FIELDS = ("prefix_acceptable", "prefix_unacceptable", "property_phrase", "negative_sample_type")


@dataclass(frozen=True)
class ConceptPair:
    """A property, and two beginnings of a sentence of which one should have it.

    Example:
        >>> ConceptPair("A bird", "A fish", "can fly.", "comps_base", "taxonomic").acceptable
        'A bird'
    """

    acceptable: str
    unacceptable: str
    property_phrase: str
    part: str  # the file, such as comps_base
    negative: str  # how the wrong concept was chosen, such as taxonomic


@dataclass(frozen=True)
class ScoredConceptPair:
    """A pair with the log-probability of the property after either beginning, in nats.

    Example:
        >>> from albert_lib.probing.sets.comps import ConceptPair, ScoredConceptPair
        >>> pair = ConceptPair("A bird", "A fish", "can fly.", "comps_base", "taxonomic")
        >>> [ScoredConceptPair(pair, -8.0, other).is_right for other in (-9.5, -8.0)]
        [True, False]
    """

    pair: ConceptPair
    acceptable: float
    unacceptable: float

    @property
    def is_right(self) -> bool:
        """Whether the property is likelier after the right concept; a tie is not right."""
        return self.acceptable - self.unacceptable > TIE


@dataclass(frozen=True)
class CompsResult(SetResult[ScoredConceptPair]):
    """Every pair's scores, and how many pairs were left out, by reason.

    Example:
        >>> from albert_lib.probing.sets.comps import CompsResult, ConceptPair, ScoredConceptPair
        >>> pair = ConceptPair("A bird", "A fish", "can fly.", "comps_base", "taxonomic")
        >>> result = CompsResult([ScoredConceptPair(pair, -8.0, -9.5)], {})
        >>> [(measure.label, measure.value) for measure in result.measures()]
        [('comps_base: accuracy', 100.0), ('comps_base: taxonomic', 100.0)]
    """

    compared = "accuracy over pairs (%)"

    def item_values(self) -> Mapping[Hashable, float]:
        """100 for every pair whose property is likelier after the right concept, else 0."""
        return {one.pair: 100.0 * one.is_right for one in self.scored}

    def measures(self) -> list[Measure]:
        """Accuracy of every file, each followed by that of every kind of wrong concept."""
        found = []
        for part in sorted({one.pair.part for one in self.scored}):
            of_part = [one for one in self.scored if one.pair.part == part]
            found.append(_accuracy(f"{part}: accuracy", of_part))
            for negative in sorted({one.pair.negative for one in of_part}):
                of_kind = [one for one in of_part if one.pair.negative == negative]
                found.append(_accuracy(f"{part}: {negative}", of_kind))
        return found


def read(path: str | os.PathLike[str]) -> ReadItems[ConceptPair]:
    """The pairs of a .jsonl file, or of all such files in a folder, in the order of their names.

    A line that is not in the authors' format is left out and named (`ReadItems.dropped`). Raises
    TextError where no line is.

    Example:
        >>> import json, pathlib, tempfile
        >>> from albert_lib.probing.sets import comps
        >>> line = {"prefix_acceptable": "A bird", "prefix_unacceptable": "A fish"}
        >>> line |= {"property_phrase": "can fly.", "negative_sample_type": "taxonomic"}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "comps_base.jsonl"
        ...     _ = file.write_text(json.dumps(line))
        ...     comps.read(file)[0].part
        'comps_base'
    """
    return jsonl_items(Path(path), _pair, "pairs of concepts; give COMPS's .jsonl files")


def score(
    fill_mask: FillMask, items: Sequence[ConceptPair], mask_unit: MaskUnit = "token"
) -> CompsResult:
    """Score every pair; InputError where there is none that the model can read.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import comps
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> pair = comps.ConceptPair("A bird", "A fish", "can fly.", "comps_base", "taxonomic")
        >>> (one,) = comps.score(model, [pair]).scored
        >>> one.acceptable < 0 and one.unacceptable < 0
        True
    """
    scored, dropped = score_continuations(
        fill_mask,
        items,
        lambda pair: [
            (prefix, pair.property_phrase) for prefix in (pair.acceptable, pair.unacceptable)
        ],
        mask_unit,
    )
    return CompsResult([ScoredConceptPair(pair, *both) for pair, both in scored], dropped)


def _accuracy(label: str, scored: Sequence[ScoredConceptPair]) -> Measure:
    return percentage(label, sum(one.is_right for one in scored), len(scored))


def _pair(file: Path, number: int, record: Any) -> ConceptPair:
    acceptable, unacceptable, phrase, negative = texts_of(file, number, record, FIELDS)
    return ConceptPair(acceptable, unacceptable, phrase, file.stem, negative)
