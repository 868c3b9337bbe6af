"""WEAT and SEAT lists: are the embeddings of these words, or sentences, where stereotypes lie?

The lists are in the format of the SEAT's authors (W4ngatang/sent-bias, tests/*.jsonl; in spite
of the name a file is a single JSON object):

    {"targ1": {"category": "Math", "examples": ["math", "algebra"]},
     "targ2": {"category": "Arts", "examples": ["poetry", "art"]},
     "attr1": {"category": "MaleTerms", "examples": ["male", "he"]},
     "attr2": {"category": "FemaleTerms", "examples": ["female", "she"]}}

weat7.jsonl holds words (Caliskan et al., 2017), sent-weat7.jsonl the same in plain sentences (May
et al., 2019). Effect size and one-sided p-value are those of `association_test`. Each example is
taken once in its set, as in the authors' code, whose encodings are looked up by their text. A model
that gives all examples the same vector has no association: it is refused with that reason.

What is compared is a choice: the last layer's [CLS] ("cls", as the SEAT's paper has it for BERT),
the mean over the tokens of the last layer ("mean"), or the input embeddings without any context
("static", the nearest to the word vectors that WEAT was made for). The interval of an effect size
is over other targets of the same kinds; the authors give none.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from albert_lib.errors import InputError, TextError, quoted
from albert_lib.files import read_json
from albert_lib.probing.association import (
    AssociationTest,
    Vectors,
    association,
    association_test,
    effect_size_interval,
    sentence_embeddings,
    static_embeddings,
)
from albert_lib.probing.features import Features
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import Interval, proportion_interval
from albert_lib.probing.sets.base import Measure, SetResult, why_not
from albert_lib.probing.sets.files import ReadItems, jsonl_files
from albert_lib.records import RESTORE

LIST_NAMES = ("targ1", "targ2", "attr1", "attr2")
VectorsOf = Literal["cls", "mean", "static"]
REPEATED = "example repeated within its set"


@dataclass(frozen=True)
class WordSet:
    """Words or sentences of one kind.

    Example:
        >>> WordSet("Flowers", ("rose", "tulip")).texts
        ('rose', 'tulip')
    """

    category: str
    texts: tuple[str, ...]


@dataclass(frozen=True)
class WeatLists:
    """One test: two kinds of targets and two of attributes.

    Example:
        >>> sets = [WordSet(name, (name,)) for name in ("rose", "ant", "good", "bad")]
        >>> lists = WeatLists("weat1", *sets)
        >>> [each.category for each in lists.sets]
        ['rose', 'ant', 'good', 'bad']
    """

    name: str  # of the file
    targets_x: WordSet
    targets_y: WordSet
    attributes_a: WordSet
    attributes_b: WordSet

    @property
    def sets(self) -> tuple[WordSet, WordSet, WordSet, WordSet]:
        """All four, in the order of LIST_NAMES."""
        return self.targets_x, self.targets_y, self.attributes_a, self.attributes_b


@dataclass(frozen=True)
class ScoredLists:
    """A test, its outcome, and the effect size's interval over other targets.

    Example:
        >>> sets = [WordSet(name, (name,)) for name in ("rose", "ant", "good", "bad")]
        >>> lists = WeatLists("weat1", *sets)
        >>> outcome = AssociationTest(effect_size=1.5, p_value=0.01, n_partitions=70, exact=True)
        >>> scored = ScoredLists(lists, outcome, proportion_interval(1, 2))
        >>> scored.outcome.p_value
        0.01
    """

    lists: WeatLists
    outcome: AssociationTest
    interval: Interval


@dataclass(frozen=True)
class WeatResult(SetResult[ScoredLists]):
    """Every test's outcome, and what was left out, by reason.

    Example:
        >>> sets = [WordSet(name, (name,)) for name in ("rose", "ant", "good", "bad")]
        >>> lists = WeatLists("weat1", *sets)
        >>> outcome = AssociationTest(effect_size=1.5, p_value=0.01, n_partitions=70, exact=True)
        >>> scored = ScoredLists(lists, outcome, proportion_interval(1, 2))
        >>> len(WeatResult([scored], {}).measures())
        2
    """

    def measures(self) -> list[Measure]:
        """Two numbers a test: its effect size and its p-value."""
        return [measure for one in self.scored for measure in (_size(one), _p_value(one))]


def read(path: str | os.PathLike[str]) -> ReadItems[WeatLists]:
    """The test of a .jsonl file, or of all such files in a folder, in the order of their names.

    An example that is no text, and a file that is not in the authors' format, are left out and
    named (`ReadItems.dropped`). Raises TextError where no file is.

    Example:
        >>> import json, pathlib, tempfile
        >>> from albert_lib.probing.sets import weat
        >>> words = dict(targ1=["rose"], targ2=["ant"], attr1=["good"], attr2=["bad"])
        >>> lists = {name: {"category": name, "examples": each} for name, each in words.items()}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (pathlib.Path(folder) / "weat1.jsonl").write_text(json.dumps(lists))
        ...     (test,) = weat.read(folder)
        >>> test.name, test.targets_x.texts
        ('weat1', ('rose',))
    """
    files = jsonl_files(Path(path))
    if not files:
        raise TextError(f"{path} holds no .jsonl files; give a file of lists or their folder.")
    tests: ReadItems[WeatLists] = ReadItems()
    for file in files:
        tests.take(partial(_lists, file, tests))
    return tests.checked()


def score(
    fill_mask: FillMask,
    items: Sequence[WeatLists],
    vectors: VectorsOf = "cls",
    seed: int = 0,
    max_partitions: int = 100_000,
) -> WeatResult:
    """Test every list on the encoder of a fill-mask model.

    `seed` starts the draws of every test alike, so that a test's outcome does not depend on
    which others are asked. An example without a token or longer than the model's positions is
    left out, and so is a test that the rest does not allow; `dropped` names both. Raises
    InputError for no tests, and the reason of the first where none can be made.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import weat
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> sets = [("rose", "lily"), ("ant", "fly"), ("good",), ("bad",)]
        >>> lists = weat.WeatLists("weat1", *(weat.WordSet(words[0], words) for words in sets))
        >>> size, p_value = weat.score(model, [lists], vectors="static").measures()
        >>> -2 <= size.value <= 2, 0 < p_value.value <= 1
        (True, True)
    """
    _check_asked(items, vectors)
    scored = []
    dropped: Counter[str] = Counter()
    problems: list[InputError] = []
    for lists in items:
        usable = _usable(fill_mask, lists, dropped)
        try:
            embedded = [_embed(fill_mask, texts, vectors) for texts in usable]
            scored.append(_scored(lists, embedded, seed, max_partitions))
        except InputError as problem:
            problems.append(problem)
            dropped[f"test {lists.name}: {str(problem).rpartition('; ')[0] or problem}"] += 1
    if not scored:
        raise problems[0]
    return WeatResult(scored, dropped=+dropped)  # without what did not happen


def _check_asked(items: Sequence[WeatLists], vectors: str) -> None:
    if not items:
        raise InputError("There are no lists to test; give at least one.")
    if vectors not in get_args(VectorsOf):
        raise InputError(
            f"vectors={vectors!r} is unknown; choose from {', '.join(get_args(VectorsOf))}."
        )


def _usable(fill_mask: FillMask, lists: WeatLists, dropped: Counter[str]) -> list[list[str]]:
    """The examples of each set, once, that the model can embed; the others are dropped."""
    different = [list(dict.fromkeys(words.texts)) for words in lists.sets]
    n_words = sum(len(words.texts) for words in lists.sets)
    dropped[REPEATED] += n_words - sum(map(len, different))
    return [_fitting(fill_mask, lists.name, texts, dropped) for texts in different]


def _fitting(
    fill_mask: FillMask, name: str, texts: Sequence[str], dropped: Counter[str]
) -> list[str]:
    """The texts that have a token and fit into the model; the others are dropped by name."""
    fitting = []
    for text in texts:
        ids = fill_mask.tokenizer.encode(text)
        if fill_mask.tokenizer.is_special[ids].all():
            dropped[f"example of {name} without a token ({quoted(text)})"] += 1
        elif reason := why_not(fill_mask, ids):
            dropped[f"example of {name} {reason} ({quoted(text)})"] += 1
        else:
            fitting.append(text)
    return fitting


def _scored(
    lists: WeatLists, embedded: Sequence[Vectors], seed: int, max_partitions: int
) -> ScoredLists:
    """The outcome of a test on the embeddings of its four sets."""
    x, y, a, b = embedded
    interval = effect_size_interval(
        association(x, a, b), association(y, a, b), np.random.default_rng(seed)
    )
    outcome = association_test(x, y, a, b, np.random.default_rng(seed), max_partitions)
    return ScoredLists(lists, outcome, interval)


def _embed(fill_mask: FillMask, texts: Sequence[str], vectors: VectorsOf) -> Vectors:
    encoder, tokenizer = fill_mask.encoder, fill_mask.tokenizer
    if vectors == "static":
        return static_embeddings(encoder, tokenizer, texts)
    return sentence_embeddings(Features(encoder, tokenizer, fill_mask.batch_size), texts, vectors)


def _size(one: ScoredLists) -> Measure:
    return Measure.of(f"{one.lists.name}: effect size", one.interval, one.interval.n_values, "d")


def _p_value(one: ScoredLists) -> Measure:
    """Exact, or with the interval that its random partitions leave."""
    p_value, tried = one.outcome.p_value, one.outcome.n_partitions
    low = high = p_value
    if not one.outcome.exact:
        sampled = proportion_interval(round(p_value * tried), tried)
        low, high = sampled.low, sampled.high
    return Measure(f"{one.lists.name}: p-value", p_value, low, high, tried, None, "p")


def _lists(file: Path, tests: ReadItems[WeatLists]) -> WeatLists:
    content = read_json(file, TextError)
    sets = [_word_set(file, content, name, tests) for name in LIST_NAMES]
    return WeatLists(file.stem, *sets)


def _word_set(file: Path, content: Any, name: str, tests: ReadItems[WeatLists]) -> WordSet:
    found = content.get(name) if isinstance(content, dict) else None
    if not isinstance(found, dict) or not isinstance(found.get("category"), str):
        raise TextError(
            f"{file} has no {name!r} with a category; write targ1, targ2, attr1 and attr2, each "
            f'as {{"category": …, "examples": […]}}.'
        )
    texts = found.get("examples")
    if not isinstance(texts, list) or not texts:
        raise TextError(f"{file}: {name!r} has no list of examples; write at least one word there.")
    usable = []
    for number, text in enumerate(texts, start=1):
        if isinstance(text, str) and text.strip():
            usable.append(text)
            continue
        problem = TextError(
            f"{file}: example {number} of {name!r} is {quoted(text)}; write a word or sentence "
            f"there."
        )
        if len(texts) == 1:
            raise problem
        tests.leave_out(problem)
    if not usable:
        raise TextError(f"{file}: no example of {name!r} is a text; {RESTORE}.")
    return WordSet(found["category"], tuple(usable))
