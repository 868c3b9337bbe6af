"""EWoK (Ivanova et al., 2024, arXiv:2405.09605): which context makes a sentence plausible?

Elements of World Knowledge. An item has two contexts and two targets: the first target fits the
first context, the second the second. Files are those of the authors, a .csv a domain
(testsuite-….csv, whose first line is a notice), or the .jsonl files of the BabyLM challenge; both
have `Context1`, `Context2`, `Target1`, `Target2` and `Domain`. The authors ask that their items be
shown nowhere in plain text, and report.md shows none.

As in the paper (LogProbs), each target is compared with itself: it is right where it is likelier
after its own context than after the other. An item scores 1 if both targets are right, 0.5 if one
is, 0 if none; where a target is equally likely after both, up to rounding, it counts as half right,
as in the authors' analysis. So a model that heeds no context has 50 %, its intervals have no
width, and "both targets right" is 0. Then, in per cent,

- accuracy: the mean over all items, and over those of each domain;
- both targets right: the fraction of items.

The paper has models from left to right alone, and takes log P(target | context). A masked model
gives no such thing; here, as in the BabyLM challenge, each token of the target is masked alone,
with the context and the rest of the target visible, and their log-probabilities are added up. Items
that are longer than the model's positions, or that its vocabulary cannot write, are left out and
counted.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from albert_lib.errors import TextError
from albert_lib.files import read_text
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import mean_interval
from albert_lib.probing.pseudo_likelihood import MaskUnit
from albert_lib.probing.sets.base import TIE, Measure, SetResult, percentage
from albert_lib.probing.sets.continuations import score_continuations
from albert_lib.probing.sets.files import (
    ReadItems,
    jsonl_items,
    table_rows,
    texts_of,
    visible_files,
)
from albert_lib.records import RESTORE

FIELDS = ("Context1", "Context2", "Target1", "Target2", "Domain")


@dataclass(frozen=True)
class ContextPair:
    """Two contexts and the sentence that fits each.

    Example:
        >>> ContextPair(("It rained.", "It shone."), ("It is wet.", "It is dry."), "weather").domain
        'weather'
    """

    contexts: tuple[str, str]
    targets: tuple[str, str]
    domain: str


@dataclass(frozen=True)
class ScoredContextPair:
    """An item with how much likelier each target is after its own context, in nats.

    Example:
        >>> from albert_lib.probing.sets.ewok import ContextPair, ScoredContextPair
        >>> item = ContextPair(("It rained.", "The sun shone."), ("Wet.", "Dry."), "weather")
        >>> ScoredContextPair(item, (0.5, -0.5)).points, ScoredContextPair(item, (0.5, 0.0)).points
        (0.5, 0.75)
    """

    item: ContextPair
    gains: tuple[float, float]

    @property
    def points(self) -> float:
        """1 if both targets are right, 0.5 if one is, 0 if none; a tie is half right."""
        return sum(0.5 if abs(gain) <= TIE else float(gain > 0) for gain in self.gains) / 2

    @property
    def both_right(self) -> bool:
        """Whether each target is likelier after its own context."""
        return min(self.gains) > TIE


@dataclass(frozen=True)
class EwokResult(SetResult[ScoredContextPair]):
    """Every item's gains, and how many items were left out, by reason.

    Example:
        >>> from albert_lib.probing.sets.ewok import ContextPair, EwokResult, ScoredContextPair
        >>> item = ContextPair(("It rained.", "The sun shone."), ("Wet.", "Dry."), "weather")
        >>> measures = EwokResult([ScoredContextPair(item, (0.5, 0.25))] * 2, {}).measures()
        >>> [(measure.label, measure.value) for measure in measures]
        [('accuracy', 100.0), ('both targets right', 100.0), ('domain weather', 100.0)]
    """

    compared = "accuracy over items (%)"

    def item_values(self) -> Mapping[Hashable, float]:
        """Per cent of every item: 100, 50 or 0, and between them where targets tie."""
        return {one.item: 100 * one.points for one in self.scored}

    def measures(self) -> list[Measure]:
        """Accuracy over all items, how many are wholly right, then accuracy by domain."""
        n_both = sum(one.both_right for one in self.scored)
        found = [
            _accuracy("accuracy", self.scored),
            percentage("both targets right", n_both, len(self.scored), neutral=None),
        ]
        for domain in sorted({one.item.domain for one in self.scored}):
            of_domain = [one for one in self.scored if one.item.domain == domain]
            found.append(_accuracy(f"domain {domain}", of_domain))
        return found


def read(path: str | os.PathLike[str]) -> ReadItems[ContextPair]:
    """The items of a .csv or .jsonl file, or of all such files in a folder.

    A record that is not in the authors' format is left out and named (`ReadItems.dropped`). Raises
    TextError where none is, and for a folder of both kinds of files.

    Example:
        >>> import json, pathlib, tempfile
        >>> from albert_lib.probing.sets import ewok
        >>> line = {"Domain": "weather", "Context1": "It rained.", "Context2": "The sun shone."}
        >>> line |= {"Target1": "It is wet.", "Target2": "It is dry."}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "weather.jsonl"
        ...     _ = file.write_text(json.dumps(line))
        ...     ewok.read(file)[0].targets
        ('It is wet.', 'It is dry.')
    """
    given = Path(path)
    tables = visible_files(given, "*.csv") if given.is_dir() else [given]
    if tables and given.is_dir() and (lines := visible_files(given, "*.jsonl")):
        raise TextError(
            f"{path} holds {tables[0].name} and {lines[0].name}, perhaps the same items in both "
            f"forms; give a folder of .csv files alone, or of .jsonl files alone."
        )
    if not tables or given.suffix == ".jsonl":
        return jsonl_items(given, _item, "items; give EWoK's .csv or .jsonl files")
    items: ReadItems[ContextPair] = ReadItems()
    for file in tables:
        try:
            _take_table(file, items)
        except TextError as problem:  # another table of the folder is none of the set's
            items.leave_out(problem)
    if not items.checked():
        raise TextError(f"{path} has no items under its headings; {RESTORE}.")
    return items


def _take_table(file: Path, items: ReadItems[ContextPair]) -> None:
    """Append the items of one domain's table, with or without the authors' notice on top."""
    what = "EWoK's testsuite-….csv"
    notice = int("Context1" not in read_text(file).partition("\n")[0])
    for line, row in table_rows(file, FIELDS, what, items, skip=notice, strict=True):
        items.take(partial(_item, file, line, row))


def score(
    fill_mask: FillMask, items: Sequence[ContextPair], mask_unit: MaskUnit = "token"
) -> EwokResult:
    """Score every item; InputError where there is none that the model can read.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import ewok
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> contexts, targets = ("It rained.", "The sun shone."), ("It is wet.", "It is dry.")
        >>> (one,) = ewok.score(model, [ewok.ContextPair(contexts, targets, "weather")]).scored
        >>> one.points in (0.0, 0.5, 1.0)
        True
    """
    scored, dropped = score_continuations(
        fill_mask,
        items,
        lambda item: [(context, target) for target in item.targets for context in item.contexts],
        mask_unit,
    )
    found = [
        ScoredContextPair(item, (own1 - other1, own2 - other2))
        for item, (own1, other1, other2, own2) in scored
    ]
    return EwokResult(found, dropped)


def _accuracy(label: str, scored: Sequence[ScoredContextPair]) -> Measure:
    interval = mean_interval([100 * one.points for one in scored])
    low, high = max(0.0, interval.low), min(100.0, interval.high)
    if len(scored) == 1:  # says nothing of others
        low, high = interval.low, interval.high
    return Measure(label, interval.mean, low, high, len(scored), 50.0, "%")


def _item(file: Path, number: int, record: Any) -> ContextPair:
    first, second, target1, target2, domain = texts_of(file, number, record, FIELDS)
    return ContextPair((first, second), (target1, target2), domain)
