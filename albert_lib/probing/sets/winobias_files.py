"""WinoBias's files: the sentences of both halves, paired and checked; see `winobias`."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from albert_lib.errors import TextError
from albert_lib.files import read_text
from albert_lib.probing.sets.files import ReadItems, visible_files
from albert_lib.probing.templates import MASK
from albert_lib.records import RESTORE
from albert_lib.utf8 import split_lines

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
LISTS = {"male": "male_occupations.txt", "female": "female_occupations.txt"}


@dataclass(frozen=True)
class PronounSentence:
    """One sentence: its pronouns, and its text with [MASK] in place of each.

    Example:
        >>> PronounSentence("The driver left because [MASK] was late.", ("he",), "driver").pronouns
        ('he',)
    """

    text: str
    pronouns: tuple[str, ...]
    occupation: str  # whom they mean


@dataclass(frozen=True)
class PronounPair:
    """A sentence in both halves of the set; they differ in the pronoun's gender.

    Example:
        >>> text = "The driver left because [MASK] was late."
        >>> pro, anti = (PronounSentence(text, (word,), "driver") for word in ("he", "she"))
        >>> PronounPair(kind=1, number=1, pro=pro, anti=anti).anti.pronouns
        ('she',)
    """

    kind: int  # of TYPES
    number: int
    pro: PronounSentence
    anti: PronounSentence


def read(path: str | os.PathLike[str]) -> ReadItems[PronounPair]:
    """The pairs of a folder with the authors' files, or of one of these files and its other half.

    The files are pro_stereotyped_type1.txt.dev, anti_stereotyped_type1.txt.dev and so on; where
    the authors' two lists of occupations lie beside them, every pronoun is checked against them.
    A folder may hold both parts (.dev and .test). A line that is not in the authors' format, a
    pair whose halves do not match, and a file without its other half are left out and named
    (`ReadItems.dropped`). Raises TextError where no pair is left.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.probing.sets import winobias
        >>> with tempfile.TemporaryDirectory() as name:
        ...     for half, pronoun in (("pro", "he"), ("anti", "she")):
        ...         file = pathlib.Path(name) / f"{half}_stereotyped_type1.txt.dev"
        ...         _ = file.write_text(f"1 [The driver] met the nurse because [{pronoun}] left.")
        ...     (pair,) = winobias.read(name)
        >>> pair.pro.text, pair.pro.pronouns, pair.anti.pronouns, pair.pro.occupation
        ('The driver met the nurse because [MASK] left.', ('he',), ('she',), 'driver')
    """
    items: ReadItems[PronounPair] = ReadItems()
    for kind, pro_file in _pro_files(Path(path)):
        anti_file = pro_file.with_name(pro_file.name.replace("pro_", "anti_", 1))
        try:
            pro, anti = _sentences(pro_file, items), _sentences(anti_file, items)
        except TextError as problem:  # the other type and part may be whole
            items.leave_out(problem)
            continue
        occupations = _occupations(pro_file.parent)
        for number in sorted(pro.keys() | anti.keys()):
            items.take(partial(_pair_of, kind, number, pro, anti, pro_file, occupations))
    return items.checked()


def _pair_of(
    kind: int,
    number: int,
    pro: dict[int, PronounSentence],
    anti: dict[int, PronounSentence],
    pro_file: Path,
    occupations: dict[str, list[str]],
) -> PronounPair:
    """The pair of a number; TextError if one half lacks it or the halves do not match."""
    if number not in pro or number not in anti:
        raise TextError(
            f"{pro_file} and its other half do not hold the same sentences: number {number} is in "
            f"one alone; restore both as they were published."
        )
    item = PronounPair(kind, number, pro[number], anti[number])
    _check_pair(f"{pro_file}, number {number}", item, occupations)
    return item


def _pro_files(path: Path) -> list[tuple[int, Path]]:
    """The pro halves, each with its type."""
    if path.is_dir():
        found = visible_files(path, "pro_stereotyped_type[12].txt*")
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
    return [(int(kind[1]), file) for kind, file in zip(kinds, found, strict=True) if kind]


def _sentences(file: Path, items: ReadItems[PronounPair]) -> dict[int, PronounSentence]:
    """The sentences of one file by their number; `items` leave out what is not in the format."""
    sentences: dict[int, PronounSentence] = {}
    before = len(items.problems)
    for place, raw in enumerate(split_lines(read_text(file)), 1):
        if not raw.strip():
            continue
        try:
            numbered = re.match(r"\s*(\d{1,9})\s+(.*)", raw)
            if numbered is None or int(numbered[1]) in sentences:
                raise TextError(
                    f"{file}, line {place}: {raw[:60]!r} does not begin with a number of its own; "
                    f"{RESTORE}."
                )
            sentences[int(numbered[1])] = _sentence(file, place, numbered[2])
        except TextError as problem:
            items.leave_out(problem)
    if not sentences and len(items.problems) == before:
        raise TextError(f"{file} is empty; restore it as it was published.")
    return sentences


def _sentence(file: Path, place: int, written: str) -> PronounSentence:
    marked = [mention.strip().lower() for mention in re.findall(r"\[([^\]]*)\]", written)]
    pronouns = tuple(mention for mention in marked if mention in COUNTERPARTS)
    others = [mention for mention in marked if mention not in COUNTERPARTS]
    if not pronouns or len(others) != 1:
        raise TextError(
            f"{file}, line {place}: {written[:60]!r} must mark one occupation and its pronouns, "
            f"as in [The clerk] … [she]; {RESTORE}."
        )

    def plain(mention: re.Match[str]) -> str:
        word = mention[1].strip()
        return MASK if word.lower() in COUNTERPARTS else word

    text = re.sub(r"\[([^\]]*)\]", plain, written.strip())
    text = re.sub(r" (?='s\b)", "", text)  # the set writes "clerk 's", which no other text does
    return PronounSentence(text, pronouns, re.sub(r"^(the|an?) ", "", others[0]))


def _occupations(folder: Path) -> dict[str, list[str]]:
    """The occupations taken for male and for female, as far as the authors' lists are there."""
    files = {gender: folder / name for gender, name in LISTS.items()}
    return {
        gender: [line.strip().lower() for line in split_lines(read_text(file))]
        for gender, file in files.items()
        if file.is_file()
    }


def _check_pair(where: str, item: PronounPair, occupations: dict[str, list[str]]) -> None:
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
