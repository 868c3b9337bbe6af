"""BEC-Pro (Bartl, Nissim and Gatt, 2020): does a profession call for a man or for a woman?

The association of a person with a profession is log P(person | profession) − log P(person): in
"[MASK] is a taper." against "[MASK] is a [MASK].", both for "he". It is positive where the
profession makes the person likelier than it was; how frequent the person's word is cancels. The
professions are those in which, by United States statistics, mostly men work, mostly women, or
both. As in the paper (arXiv 2010.14534) there is a mean for each of these groups and each gender
of the person, and for each group a Wilcoxon signed-rank test of women's sentences against men's;
the effect size is r = Z / √(number of pairs).

What differs here:
- Both masked sentences are made from the file's Sentence, piece by piece. Its Sent_TAM has one
  [MASK] for every word of a profession; here it is one for every piece of the model's own
  vocabulary, so that both sentences are equally long to the model. And its Sent_TM hides "man"
  wherever these letters stand, so that 5 lines ask about a "lodging [MASK]ager".
- A person who is not one piece of that vocabulary is left out, with the person of the other gender
  (mom with dad). The authors score the first piece instead.
- The test is always Wilcoxon's, of paired persons. The authors' Python (bias_utils) first asks
  whether the differences look normal, compares the sentences about female professions with those
  about male ones, and divides W instead of Z by √n, which has no upper end.
- Intervals are over professions: 90 sentences about one profession are no 90 independent ones.
"""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Int

from albert_lib.errors import InputError, TextError
from albert_lib.files import read_text
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.gaps import Gap, ask_pairs, fits
from albert_lib.probing.intervals import mean_interval
from albert_lib.probing.measure import Measure
from albert_lib.probing.pseudo_likelihood import word_positions
from albert_lib.probing.resampling import resampled_interval
from albert_lib.probing.set_files import one_file
from albert_lib.probing.words import word_id
from albert_lib.text import AlbertTokenizer

PAIRS = (  # of the English file, who stands for whom
    ("he", "she"),
    ("man", "woman"),
    ("brother", "sister"),
    ("son", "daughter"),
    ("husband", "wife"),
    ("boyfriend", "girlfriend"),
    ("father", "mother"),
    ("uncle", "aunt"),
    ("dad", "mom"),
)
GENDERS = ("male", "female")
GROUPS = ("male", "female", "balanced")
COLUMNS = ("Sentence", "Template", "Person", "Gender", "Profession", "Prof_Gender")

TOO_SURE = (
    "Wilcoxon's test takes all pairs for independent, which sentences about one profession are "
    "not, so its p is too small; the intervals do not."
)


@dataclass(frozen=True)
class Item:
    """One template and profession, written about a man and about a woman."""

    template: str
    profession: str
    group: str  # of GROUPS: who mostly works in it
    persons: tuple[str, str]  # male, female
    sentences: tuple[str, str]


@dataclass(frozen=True)
class Scored:
    """A pair and both associations in nats."""

    item: Item
    male: float
    female: float


@dataclass(frozen=True)
class SignedRanks:
    """Wilcoxon's signed-rank test of differences: both rank sums, Z, p (two-sided) and r."""

    positive: float
    negative: float
    z: float
    p: float
    r: float
    n: int  # differences; those that are 0 count here, and in no rank


@dataclass(frozen=True)
class Result:
    """The scored pairs, and what was left out, by reason."""

    scored: tuple[Scored, ...]
    dropped: dict[str, int]

    def measures(self) -> list[Measure]:
        """For each group of professions: both means, female − male, and the effect size r.

        Values are means over the professions' own means, which weighs them equally; n counts
        pairs of sentences.
        """
        measures = []
        for group in GROUPS:
            pairs = [pair for pair in self.scored if pair.item.group == group]
            if pairs:
                measures += _of_group(f"{group} professions", pairs)
        return measures

    @property
    def notes(self) -> tuple[str, ...]:
        """Wilcoxon's test of each group, a sentence each, and what it takes for granted."""
        notes = []
        for group in GROUPS:
            found = [pair.female - pair.male for pair in self.scored if pair.item.group == group]
            if found:
                test = signed_ranks(np.array(found))
                notes.append(
                    f"{group} professions, women − men: Wilcoxon W = "
                    f"{min(test.positive, test.negative):.0f}, Z = {test.z:+.2f}, "
                    f"p = {test.p:.2g}, r = {test.r:+.2f}, {test.n} pairs."
                )
        return (*notes, TOO_SURE) if notes else ()


def read(path: str | os.PathLike[str]) -> list[Item]:
    """The pairs of BEC-Pro_EN.tsv, or of a folder that holds exactly one .tsv file.

    Raises TextError, naming the file and the line, for what is not in the authors' format, and
    for a sentence without its counterpart about the other gender.
    """
    file = one_file(Path(path), "*.tsv", "BEC-Pro's file")
    male_of = {word: pair for pair in PAIRS for word in pair}
    sentences: dict[tuple[str, ...], str] = {}
    groups: dict[tuple[str, str, str], str] = {}
    for line, row in _rows(file):
        person = row["Person"].lower()
        _check(file, line, row, male_of)
        key = (row["Template"], row["Profession"], person)
        if key in sentences:
            raise TextError(
                f"{file}, line {line}: this sentence about {row['Person']!r} was there before; "
                f"restore the file as it was published."
            )
        sentences[key] = row["Sentence"]
        groups[key] = row["Prof_Gender"]
    items = []
    for (template, profession, person), group in groups.items():
        other = next(word for word in male_of[person] if word != person)
        if (template, profession, other) not in sentences:
            raise TextError(
                f"{file}: {template!r} with {profession!r} has {person!r} but not {other!r}; "
                f"restore the file as it was published."
            )
        if person == male_of[person][0]:
            texts = tuple(sentences[template, profession, word] for word in (person, other))
            items.append(Item(template, profession, group, (person, other), (texts[0], texts[1])))
    return items


def score(fill_mask: FillMask, items: Sequence[Item]) -> Result:
    """The association of both persons of every pair that the vocabulary has a piece for."""
    kept, answers, dropped = ask_pairs(fill_mask, items, _gaps)  # (pair, person, sentence)
    associations = answers[:, :, 0] - answers[:, :, 1]
    pairs = [Scored(item, *row.tolist()) for item, row in zip(kept, associations, strict=True)]
    return Result(tuple(pairs), dropped)


def signed_ranks(differences: Float[np.ndarray, "pairs"]) -> SignedRanks:
    """Wilcoxon's signed-rank test with its normal approximation, ties corrected for.

    As scipy.stats.wilcoxon(method="approx"), which does not say which of the two sums is larger.
    """
    # here and not at the top, where they would cost everybody a second
    from scipy.special import ndtr
    from scipy.stats import rankdata

    n = len(differences)
    moved = differences[differences != 0]
    if len(moved) == 0:
        return SignedRanks(0.0, 0.0, 0.0, 1.0, 0.0, n)
    ranks = rankdata(abs(moved))
    positive, negative = float(ranks[moved > 0].sum()), float(ranks[moved < 0].sum())
    _, ties = np.unique(ranks, return_counts=True)
    m = len(moved)
    variance = m * (m + 1) * (2 * m + 1) / 24 - float((ties**3 - ties).sum()) / 48
    z = (positive - m * (m + 1) / 4) / math.sqrt(variance)
    return SignedRanks(positive, negative, z, 2 * float(ndtr(-abs(z))), z / math.sqrt(n), n)


def _of_group(name: str, pairs: Sequence[Scored]) -> list[Measure]:
    professions = sorted({pair.item.profession for pair in pairs})
    values: list[Float[np.ndarray, "some 2"]] = [
        np.array([(p.male, p.female) for p in pairs if p.item.profession == profession])
        for profession in professions
    ]
    means = np.array([rows.mean(axis=0) for rows in values])  # (professions, gender)
    n = len(pairs)
    measures = []
    for label, column in (
        ("men", means[:, 0]),
        ("women", means[:, 1]),
        ("women − men", means[:, 1] - means[:, 0]),
    ):
        found = mean_interval(column)
        measures.append(
            Measure(f"{name}: {label}", found.mean, found.low, found.high, n, 0.0, "nats")
        )

    def effect(drawn: Int[np.ndarray, "professions"]) -> float:
        rows = np.concatenate([values[place] for place in drawn])
        return signed_ranks(rows[:, 1] - rows[:, 0]).r

    low, high = resampled_interval(len(values), effect, np.random.default_rng(0))
    r = effect(np.arange(len(values)))
    return [*measures, Measure(f"{name}: women − men, r", r, low, high, n, 0.0, "r")]


def _gaps(fill_mask: FillMask, item: Item) -> list[Gap]:
    """For each person, the sentence and the sentence without its profession; or InputError."""
    gaps = []
    for person, sentence in zip(item.persons, item.sentences, strict=True):
        try:
            piece = word_id(fill_mask.tokenizer, person)
        except InputError:
            raise InputError(
                f"pair of {' and '.join(item.persons)}: {person!r} is not one piece"
            ) from None
        hidden = [
            tuple(ids) for ids in _hidden(fill_mask.tokenizer, sentence, person, item.profession)
        ]
        gaps += [Gap(ids, piece) for ids in hidden]
    if not all(fits(fill_mask, gap.ids) for gap in gaps):
        raise InputError("pair longer than the model's positions")
    return gaps


def _hidden(
    tokenizer: AlbertTokenizer, sentence: str, person: str, profession: str
) -> tuple[list[int], list[int]]:
    """The ids of a sentence with its person hidden, and with the profession hidden too."""
    parts = _parts(sentence, person, profession)
    assert parts is not None  # `read` has looked
    before, who, between, what, after = parts.groups()
    ids, places = word_positions(tokenizer, before, who, between + what + after)
    _, more_places = word_positions(tokenizer, before + who + between, what, after)
    without_person, without_both = np.array(ids), np.array(ids)
    without_person[places] = tokenizer.mask_token_id
    without_both[places + more_places] = tokenizer.mask_token_id
    return without_person.tolist(), without_both.tolist()


def _parts(sentence: str, person: str, profession: str) -> re.Match[str] | None:
    """A sentence cut around its person and, behind, its profession."""
    pattern = rf"(.*?)\b({re.escape(person)})\b(.* )({re.escape(profession)})\b(.*)"
    return re.fullmatch(pattern, sentence, flags=re.IGNORECASE)


def _rows(file: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows with their line numbers; TextError for missing columns and cut-off lines."""
    reader = csv.DictReader(io.StringIO(read_text(file)), delimiter="\t", quoting=csv.QUOTE_NONE)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise TextError(
            f"{file} has no column {missing[0]!r} in its first line; give the authors' "
            f"tab-separated file."
        )
    rows = []
    for row in reader:
        if None in row or None in row.values():
            raise TextError(
                f"{file}, line {reader.line_num} has not as many columns as the first line; "
                f"restore the file as it was published."
            )
        rows.append((reader.line_num, row))
    if not rows:
        raise TextError(f"{file} holds no sentence; give the authors' file.")
    return rows


def _check(file: Path, line: int, row: dict[str, str], pairs: dict[str, tuple[str, str]]) -> None:
    person, sentence = row["Person"].lower(), row["Sentence"]
    if person not in pairs:
        problem = f"{row['Person']!r} is none of the persons of the English file"
    elif row["Gender"] != GENDERS[pairs[person].index(person)]:
        problem = f"the Gender of {row['Person']!r} is {row['Gender']!r}"
    elif row["Prof_Gender"] not in GROUPS:
        problem = f"Prof_Gender is {row['Prof_Gender']!r}, none of {', '.join(GROUPS)}"
    elif _parts(sentence, person, row["Profession"]) is None:
        problem = f"{sentence!r} does not hold {row['Person']!r} and then {row['Profession']!r}"
    else:
        return
    raise TextError(f"{file}, line {line}: {problem}; restore the file as it was published.")
