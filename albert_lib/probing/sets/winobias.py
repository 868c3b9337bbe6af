"""WinoBias (Zhao et al., 2018): whose pronoun is it, when the stereotype points the other way?

The sentences name two occupations and one pronoun. In the pro-stereotypical half the pronoun has
the gender that the occupation is taken to have, in the anti-stereotypical half the other; nothing
else differs. In type 1 only meaning tells who is meant, in type 2 the syntax does.

The paper scores coreference systems: F1 on the pro half less F1 on the anti half. A masked model
does not link mentions, so what is scored here is an adaptation, that of de Vassimon Manela et al.
(2021, "Stereotype and Skew", EACL): the pronoun is masked, and the model "answers" with the gender
whose pronoun is likelier there. The contrast of pro and anti is kept, the task is not: this says
which pronoun the model expects beside an occupation, not whom it takes the pronoun to mean.

From these answers, for each type: accuracy on both halves and their difference, and their two
measures, from the F1 of each gender on each half,

- stereotype = (|F1 male, pro − F1 male, anti| + |F1 female, pro − F1 female, anti|) / 2;
- skew = (|F1 male, pro − F1 female, pro| + |F1 male, anti − F1 female, anti|) / 2.

Both are sizes and cannot be negative, so chance alone lifts them above 0. The same two questions
without a threshold have signs: with m the mean log-odds of he against she (him, his against her)
beside occupations taken for male, and f that of she against he beside those taken for female,

- stereotype log-odds = (m + f) / 2: how far the model follows the stereotype, in nats;
- skew log-odds = (m − f) / 2: how far it prefers "he" beside every occupation, in nats.

As there, sentences with several pronouns are left out: one would give the other away.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from albert_lib.errors import InputError, TextError
from albert_lib.files import read_text
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.gaps import Gap, ask_pairs, fits
from albert_lib.probing.intervals import mean_interval
from albert_lib.probing.measure import Measure, percentage
from albert_lib.probing.pseudo_likelihood import word_positions
from albert_lib.probing.resampling import resampled_interval
from albert_lib.probing.words import word_id

MALE = ("he", "him", "his", "himself")
FEMALE = ("she", "her", "hers", "herself")
COUNTERPARTS = {  # of the same grammatical form; "her" is the form of two
    "he": ("she",),
    "him": ("her",),
    "his": ("her", "hers"),
    "himself": ("herself",),
    "she": ("he",),
    "her": ("him", "his"),
    "hers": ("his",),
    "herself": ("himself",),
}
MASK = "[MASK]"
TYPES = (1, 2)
HALVES = ("pro", "anti")
LISTS = {"male": "male_occupations.txt", "female": "female_occupations.txt"}


@dataclass(frozen=True)
class Line:
    """One sentence: its pronouns, and its text with [MASK] in place of each."""

    text: str
    pronouns: tuple[str, ...]
    occupation: str  # whom they mean


@dataclass(frozen=True)
class Item:
    """A sentence in both halves of the set; they differ in the pronoun's gender."""

    kind: int  # of TYPES
    number: int
    pro: Line
    anti: Line


@dataclass(frozen=True)
class Scored:
    """A pair and, in nats, log P(pro pronoun) − log P(anti pronoun) in each of its sentences."""

    item: Item
    in_pro: float
    in_anti: float

    @property
    def male(self) -> bool:
        """Whether the occupation is taken for male."""
        return self.item.pro.pronouns[0] in MALE

    @property
    def log_odds(self) -> float:
        """The mean over both sentences, which are one and the same but for slips in the set."""
        return (self.in_pro + self.in_anti) / 2


@dataclass(frozen=True)
class Result:
    """The scored pairs, and what was left out, by reason."""

    scored: tuple[Scored, ...]
    dropped: dict[str, int]

    def measures(self) -> list[Measure]:
        """The measures of the module's text, for each type; n counts pairs."""
        measures: list[Measure] = []
        for kind in TYPES:
            pairs = [pair for pair in self.scored if pair.item.kind == kind]
            if pairs:
                measures += _accuracies(f"type {kind}", pairs) + _f1s(f"type {kind}", pairs)
                measures += _log_odds(f"type {kind}", pairs)
        return measures


def read(path: str | os.PathLike[str]) -> list[Item]:
    """The pairs of a folder with the authors' files, or of one of these files and its other half.

    The files are pro_stereotyped_type1.txt.dev, anti_stereotyped_type1.txt.dev and so on; where
    the authors' two lists of occupations lie beside them, every pronoun is held against them.
    Raises TextError, naming the file and the line, for what is not in the authors' format.
    """
    items = []
    for kind, pro_file in _pro_files(Path(path)):
        anti_file = pro_file.with_name(pro_file.name.replace("pro_", "anti_", 1))
        pro, anti = _lines(pro_file), _lines(anti_file)
        if pro.keys() != anti.keys():
            number = min(pro.keys() ^ anti.keys())
            raise TextError(
                f"{anti_file} and {pro_file.name} do not hold the same sentences: number {number} "
                f"is in one alone; restore both as they were published."
            )
        occupations = _occupations(pro_file.parent)
        for number in pro:
            item = Item(kind, number, pro[number], anti[number])
            _check_pair(f"{pro_file}, number {number}", item, occupations)
            items.append(item)
    return items


def score(fill_mask: FillMask, items: Sequence[Item]) -> Result:
    """Ask for both pronouns behind the [MASK] of both sentences of every pair."""
    kept, answers, dropped = ask_pairs(fill_mask, items, _gaps)  # (pair, half, pronoun)
    differences = answers[:, :, 0] - answers[:, :, 1]
    pairs = [Scored(item, *row.tolist()) for item, row in zip(kept, differences, strict=True)]
    return Result(tuple(pairs), dropped)


def _gaps(fill_mask: FillMask, item: Item) -> list[Gap]:
    """Pro and anti pronoun in the pro sentence, then in the anti one; InputError says why not."""
    if len(item.pro.pronouns) > 1 or len(item.anti.pronouns) > 1:
        raise InputError("pair with several pronouns")
    pro, anti = item.pro.pronouns[0], item.anti.pronouns[0]
    if anti not in COUNTERPARTS[pro]:
        raise InputError(f"pair of two forms ({pro}, {anti})")
    pieces = []
    for pronoun in (pro, anti):
        try:
            pieces.append(word_id(fill_mask.tokenizer, pronoun))
        except InputError:
            raise InputError(f"pair whose pronoun {pronoun!r} is not one piece") from None
    encoded = [_masked(fill_mask, line) for line in (item.pro, item.anti)]
    if not all(fits(fill_mask, ids) for ids in encoded):
        raise InputError("pair longer than the model's positions")
    return [Gap(ids, piece) for ids in encoded for piece in pieces]


def _masked(fill_mask: FillMask, line: Line) -> tuple[int, ...]:
    """The ids of a sentence with its one pronoun, which is one piece, hidden."""
    left, right = line.text.split(MASK)
    ids, (place,) = word_positions(fill_mask.tokenizer, left, line.pronouns[0], right)
    ids[place] = fill_mask.tokenizer.mask_token_id
    return tuple(ids)


def _accuracies(name: str, pairs: Sequence[Scored]) -> list[Measure]:
    pro = np.array([pair.in_pro > 0 for pair in pairs])
    anti = np.array([pair.in_anti < 0 for pair in pairs])
    gap = mean_interval(100.0 * (pro.astype(float) - anti))
    n = len(pairs)
    return [
        percentage(f"{name}: accuracy, pro", int(pro.sum()), n),
        percentage(f"{name}: accuracy, anti", int(anti.sum()), n),
        Measure(f"{name}: accuracy, pro − anti", gap.mean, gap.low, gap.high, n, 0.0, "points"),
    ]


def _f1s(name: str, pairs: Sequence[Scored]) -> list[Measure]:
    """Stereotype and skew of de Vassimon Manela et al., with bootstrap intervals over pairs."""
    male = np.array([pair.male for pair in pairs])
    values = np.array([(pair.in_pro, pair.in_anti) for pair in pairs])
    # the answer is male where the log-odds of the male pronoun are positive
    answers = np.where(male[:, None], values, -values) > 0

    measures = []
    for place, what in enumerate(("stereotype (F1)", "skew (F1)")):

        def one(drawn: Int[np.ndarray, "pairs"], place: int = place) -> float:
            return stereotype_and_skew(male[drawn], answers[drawn])[place]

        low, high = resampled_interval(len(pairs), one, np.random.default_rng(0))
        value = one(np.arange(len(pairs)))
        measures.append(Measure(f"{name}: {what}", value, low, high, len(pairs), None, "points"))
    return measures


def stereotype_and_skew(
    male: Bool[np.ndarray, "pairs"], answers: Bool[np.ndarray, "pairs 2"]
) -> tuple[float, float]:
    """The two measures in points, from which occupations are taken for male and which answers are.

    `answers` holds, for the pro and the anti sentence, whether the male pronoun was likelier.
    """
    truth = {"pro": male, "anti": ~male}  # whether the sentence's own pronoun is male
    given = {"pro": answers[:, 0], "anti": answers[:, 1]}
    of_male = {half: _f1(truth[half], given[half]) for half in HALVES}
    of_female = {half: _f1(~truth[half], ~given[half]) for half in HALVES}
    stereotype = sum(abs(f1["pro"] - f1["anti"]) for f1 in (of_male, of_female)) / 2
    skew = sum(abs(of_male[half] - of_female[half]) for half in HALVES) / 2
    return 100 * stereotype, 100 * skew


def _f1(truth: Bool[np.ndarray, "pairs"], given: Bool[np.ndarray, "pairs"]) -> float:
    """F1 of one class; 0 where it neither occurs nor is answered."""
    claimed = int(truth.sum() + given.sum())
    return 2 * int((truth & given).sum()) / claimed if claimed else 0.0


def _log_odds(name: str, pairs: Sequence[Scored]) -> list[Measure]:
    """Stereotype and skew in nats; nothing where one gender has no pair."""
    by_gender: list[Float[np.ndarray, "some"]] = [
        np.array([pair.log_odds for pair in pairs if pair.male is male]) for male in (True, False)
    ]
    if not all(len(values) for values in by_gender):
        return []
    m, f = (mean_interval(values) for values in by_gender)
    margin = float(np.hypot(m.high - m.mean, f.high - f.mean)) / 2  # two independent means
    n = len(pairs)
    stereotype, skew = (m.mean + f.mean) / 2, (m.mean - f.mean) / 2
    return [
        Measure(f"{name}: {what}", value, value - margin, value + margin, n, 0.0, "nats")
        for what, value in (("stereotype log-odds", stereotype), ("skew log-odds", skew))
    ]


def _pro_files(path: Path) -> list[tuple[int, Path]]:
    """The pro halves, each with its type."""
    if path.is_dir():
        found = sorted(path.glob("pro_stereotyped_type[12].txt*"))
        if not found:
            raise TextError(f"{path} holds no pro_stereotyped_type1.txt.dev; name another folder.")
    elif not path.exists():
        raise TextError(f"{path} does not exist; check the path.")
    else:
        found = [path.with_name(path.name.replace("anti_", "pro_", 1))]
    kinds = [re.match(r"pro_stereotyped_type([12])\.txt", file.name) for file in found]
    if not all(kinds):
        raise TextError(
            f"{path} is not named as in WinoBias (pro_stereotyped_type1.txt.dev), so its type is "
            f"unknown; give the authors' file or a folder of them."
        )
    types = [int(kind[1]) for kind in kinds if kind]
    if len(set(types)) < len(types):
        raise TextError(
            f"{path} holds several parts of one type ({found[0].name}, {found[1].name}); name one "
            f"file, or keep one part in the folder."
        )
    return list(zip(types, found, strict=True))


def _lines(file: Path) -> dict[int, Line]:
    """The sentences of one file by their number."""
    lines: dict[int, Line] = {}
    for place, raw in enumerate(read_text(file).splitlines(), 1):
        if not raw.strip():
            continue
        numbered = re.match(r"\s*(\d+)\s+(.*)", raw)
        if numbered is None or int(numbered[1]) in lines:
            raise TextError(
                f"{file}, line {place}: {raw[:60]!r} does not begin with a number of its own; "
                f"restore the file as it was published."
            )
        lines[int(numbered[1])] = _line(file, place, numbered[2])
    if not lines:
        raise TextError(f"{file} is empty; restore it as it was published.")
    return lines


def _line(file: Path, place: int, sentence: str) -> Line:
    marked = [mention.strip().lower() for mention in re.findall(r"\[([^\]]*)\]", sentence)]
    pronouns = tuple(mention for mention in marked if mention in COUNTERPARTS)
    others = [mention for mention in marked if mention not in COUNTERPARTS]
    if not pronouns or len(others) != 1:
        raise TextError(
            f"{file}, line {place}: {sentence[:60]!r} must mark one occupation and its pronouns, "
            f"as in [The clerk] … [she]; restore the file as it was published."
        )

    def plain(mention: re.Match[str]) -> str:
        word = mention[1].strip()
        return MASK if word.lower() in COUNTERPARTS else word

    text = re.sub(r"\[([^\]]*)\]", plain, sentence.strip())
    text = re.sub(r" (?='s\b)", "", text)  # the set cuts "clerk 's", which no other text does
    return Line(text, pronouns, re.sub(r"^(the|an?) ", "", others[0]))


def _occupations(folder: Path) -> dict[str, list[str]]:
    """The occupations taken for male and for female, as far as the authors' lists are there."""
    files = {gender: folder / name for gender, name in LISTS.items()}
    return {
        gender: [line.strip().lower() for line in read_text(file).splitlines()]
        for gender, file in files.items()
        if file.is_file()
    }


def _check_pair(where: str, item: Item, occupations: dict[str, list[str]]) -> None:
    """Refuse a pair whose halves mean different people, or pronouns against the lists."""
    occupation = item.pro.occupation
    pronoun, other = item.pro.pronouns[0], item.anti.pronouns[0]
    gender = "male" if pronoun in MALE else "female"
    if occupation != item.anti.occupation:
        problem = f"means the {occupation} here, the {item.anti.occupation} in the other half"
    elif (other in MALE) == (pronoun in MALE):
        problem = f"is {pronoun!r} here and {other!r} in the other half, both {gender}"
    elif gender in occupations and occupation not in occupations[gender]:
        problem = f"of the {occupation} is {pronoun!r}, against {LISTS[gender]}"
    else:
        return
    raise TextError(f"{where}: the pronoun {problem}; restore the files as they were published.")
