"""BEC-Pro (Bartl, Nissim and Gatt, 2020): does a profession call for a man or for a woman?

The association of a person with a profession is log P(person | profession) − log P(person): in
"[MASK] is a taper." against "[MASK] is a [MASK].", both for "he". It is positive where the
profession makes the person likelier than it was; how frequent the person's word is cancels. The
professions are those in which, by United States statistics, mostly men work, mostly women, or
both. As in the paper (arXiv 2010.14534) there is a mean for each of these groups and each gender
of the person, and for each group a Wilcoxon signed-rank test of women's sentences against men's;
the effect size is r = Z / √(number of pairs).

What differs here:
- Both masked sentences are made from the file's Sentence, token by token. Its Sent_TAM has one
  [MASK] for every word of a profession; here it is one for every token, so that both sentences are
  equally long to the model. And its Sent_TM masks "man" wherever these letters stand, so that 5
  lines ask about a "lodging [MASK]ager".
- A person who is not one token of the model's vocabulary is left out, with the person of the other
  gender (mom with dad). The authors score the first token instead.
- The test is always Wilcoxon's, of paired persons. The authors' Python (bias_utils) first asks
  whether the differences look normal, compares the sentences about female professions with those
  about male ones, and divides W instead of Z by √n, which has no upper end.
- Intervals are over professions: 90 sentences about one profession are no 90 independent ones.

A model that finds all persons equally likely everywhere has associations, differences and r of 0;
differences that are 0 up to rounding have no rank.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float

from albert_lib.errors import InputError, TextError
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import Drawn, draw_counts, mean_interval, percentile_bootstrap
from albert_lib.probing.pseudo_likelihood import word_positions
from albert_lib.probing.sets.base import (
    Measure,
    SetResult,
    TokenQuery,
    query_pairs,
    why_not,
)
from albert_lib.probing.sets.files import ReadItems, one_file, table_rows
from albert_lib.probing.sets.signed_ranks import rank_sums, signed_ranks
from albert_lib.records import RESTORE

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

NOT_INDEPENDENT = (
    "Wilcoxon's test takes all pairs for independent, which sentences about one profession are "
    "not, so its p is too small; the intervals do not."
)


@dataclass(frozen=True)
class ProfessionPair:
    """One template and profession, written about a man and about a woman.

    Example:
        >>> texts = ("He is a nurse.", "She is a nurse.")
        >>> pair = ProfessionPair("<person> is a nurse.", "nurse", "female", ("He", "She"), texts)
        >>> pair.profession, pair.group
        ('nurse', 'female')
    """

    template: str
    profession: str
    group: str  # of GROUPS: who mostly works in it
    persons: tuple[str, str]  # male, female
    sentences: tuple[str, str]


@dataclass(frozen=True)
class ScoredProfessionPair:
    """A pair and both associations in nats.

    Example:
        >>> texts = ("He is a nurse.", "She is a nurse.")
        >>> pair = ProfessionPair("<person> is a nurse.", "nurse", "female", ("He", "She"), texts)
        >>> scored = ScoredProfessionPair(pair, male=-0.5, female=0.25)
        >>> scored.female - scored.male
        0.75
    """

    item: ProfessionPair
    male: float
    female: float


@dataclass(frozen=True)
class BecProResult(SetResult[ScoredProfessionPair]):
    """The scored pairs, and what was left out, by reason.

    Example:
        >>> texts = ("He is a nurse.", "She is a nurse.")
        >>> pair = ProfessionPair("<person> is a nurse.", "nurse", "female", ("He", "She"), texts)
        >>> result = BecProResult([ScoredProfessionPair(pair, male=-0.5, female=0.25)], {})
        >>> result.measures()[0].value
        -0.5
    """

    compared = "association, female − male (nats)"

    def item_values(self) -> Mapping[Hashable, float]:
        """How much more the profession goes with the woman than with the man, pair by pair."""
        return {one.item: one.female - one.male for one in self.scored}

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
        return (*notes, NOT_INDEPENDENT) if notes else ()


def read(path: str | os.PathLike[str]) -> ReadItems[ProfessionPair]:
    r"""The pairs of BEC-Pro_EN.tsv, or of a folder that holds exactly one .tsv file.

    A line that is not in the authors' format, and a sentence without its counterpart about the
    other gender, are left out and named (`ReadItems.dropped`). Raises TextError where nothing is
    left.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.probing.sets import bec_pro
        >>> people = (("He", "male"), ("She", "female"))
        >>> rows = [(f"{who} is a nurse.", "…", who, sex, "nurse", "female") for who, sex in people]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     lines = ["\t".join(row) for row in (bec_pro.COLUMNS, *rows)]
        ...     _ = (pathlib.Path(folder) / "BEC-Pro_EN.tsv").write_text("\n".join(lines))
        ...     (pair,) = bec_pro.read(folder)
        >>> pair.persons, pair.sentences
        (('he', 'she'), ('He is a nurse.', 'She is a nurse.'))
    """
    file = one_file(Path(path), "*.tsv", "BEC-Pro's file")
    pair_of = {word: pair for pair in PAIRS for word in pair}
    items: ReadItems[ProfessionPair] = ReadItems()
    rows = _rows(file, pair_of, items)
    for (template, profession, person), (sentence, group) in rows.items():
        male, female = pair_of[person]
        other = female if person == male else male
        if (template, profession, other) not in rows:
            items.leave_out(
                TextError(
                    f"{file}: {template!r} with {profession!r} has {person!r} but not {other!r}; "
                    f"{RESTORE}."
                )
            )
        elif person == male:
            sentences = (sentence, rows[template, profession, female][0])
            items.append(ProfessionPair(template, profession, group, (male, female), sentences))
    return items.checked()


def score(fill_mask: FillMask, items: Sequence[ProfessionPair]) -> BecProResult:
    """The association of both persons of every pair that the vocabulary has a token for.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import bec_pro
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> sentences = ("He is a nurse.", "She is a nurse.")
        >>> pair = bec_pro.ProfessionPair("…", "nurse", "female", ("he", "she"), sentences)
        >>> result = bec_pro.score(model, [pair])
        >>> [measure.label for measure in result.measures()][:2]
        ['female professions: men', 'female professions: women']
    """
    asked, answers, dropped = query_pairs(fill_mask, items, _queries)  # (pair, person, sentence)
    associations = answers[:, :, 0] - answers[:, :, 1]
    pairs = [
        ScoredProfessionPair(item, *row.tolist())
        for item, row in zip(asked, associations, strict=True)
    ]
    return BecProResult(tuple(pairs), dropped)


def _of_group(name: str, pairs: Sequence[ScoredProfessionPair]) -> list[Measure]:
    professions, which = np.unique([pair.item.profession for pair in pairs], return_inverse=True)
    values = np.array([(pair.male, pair.female) for pair in pairs])
    means = np.array([values[which == i].mean(axis=0) for i in range(len(professions))])
    n = len(pairs)
    measures = [
        Measure.of(f"{name}: {label}", mean_interval(column), n, "nats")
        for label, column in (
            ("men", means[:, 0]),
            ("women", means[:, 1]),
            ("women − men", means[:, 1] - means[:, 0]),
        )
    ]
    differences = values[:, 1] - values[:, 0]

    def effects(drawn: Drawn) -> Float[np.ndarray, "resamples"]:
        counts = draw_counts(drawn, len(professions))[:, which]
        _, _, z = rank_sums(differences, counts)
        return np.asarray(z / np.sqrt(counts.sum(axis=1)))

    low, high = percentile_bootstrap(len(professions), effects, np.random.default_rng(0))
    r = signed_ranks(differences).r
    return [*measures, Measure(f"{name}: women − men, r", r, low, high, n, 0.0, "r")]


def _queries(fill_mask: FillMask, item: ProfessionPair) -> list[TokenQuery]:
    """For each person, the sentence and the sentence without its profession; or InputError."""
    queries = []
    for person, sentence in zip(item.persons, item.sentences, strict=True):
        token, masked = _masked(fill_mask.tokenizer, sentence, person, item.profession)
        if token is None:
            raise InputError(f"pair of {' and '.join(item.persons)}: {person!r} is not one token")
        queries += [TokenQuery(tuple(ids), token) for ids in masked]
    for query in queries:
        if reason := why_not(fill_mask, query.ids):
            raise InputError(f"pair {reason}")
    return queries


def _masked(
    tokenizer: AnyTokenizer, sentence: str, person: str, profession: str
) -> tuple[int | None, tuple[list[int], list[int]]]:
    """The person's token, as the sentence writes it, and None if it has several or none.

    Then the ids of the sentence with its person masked, and with the profession masked too.
    """
    parts = _parts(sentence, person, profession)
    assert parts is not None  # `read` has looked
    before, who, between, what, after = parts.groups()
    ids, places = word_positions(tokenizer, before, who, between + what + after)
    _, more_places = word_positions(tokenizer, before + who + between, what, after)
    without_person, without_both = np.array(ids), np.array(ids)
    without_person[places] = tokenizer.mask_token_id
    without_both[places + more_places] = tokenizer.mask_token_id
    token = ids[places[0]] if len(places) == 1 else None
    known = token is not None and token != tokenizer.unk_token_id
    return token if known else None, (without_person.tolist(), without_both.tolist())


def _parts(sentence: str, person: str, profession: str) -> re.Match[str] | None:
    """A sentence split around its person and, after that, its profession."""
    pattern = rf"(.*?)\b({re.escape(person)})\b(.* )({re.escape(profession)})\b(.*)"
    return re.fullmatch(pattern, sentence, flags=re.IGNORECASE)


def _rows(
    file: Path, pair_of: dict[str, tuple[str, str]], items: ReadItems[ProfessionPair]
) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Sentence and group by template, profession and person; `items` leave out what is amiss."""
    rows: dict[tuple[str, str, str], tuple[str, str]] = {}
    what = "the authors' tab-separated file"
    for line, row in table_rows(file, COLUMNS, what, items, delimiter="\t", quoting=csv.QUOTE_NONE):
        problem = _problem(row, pair_of)
        if problem is None:
            key = (row["Template"], row["Profession"], row["Person"].lower())
            if key not in rows:
                rows[key] = row["Sentence"], row["Prof_Gender"]
                continue
            problem = f": this sentence about {row['Person']!r} was there before"
        items.leave_out(TextError(f"{file}, line {line}{problem}; {RESTORE}."))
    if not rows and not items.problems:
        raise TextError(f"{file} holds no sentence; give the authors' file.")
    return rows


def _problem(row: dict[str, Any], pairs: dict[str, tuple[str, str]]) -> str | None:
    """What is amiss in a row, to stand behind the number of its line."""
    if None in row or None in row.values():
        return " has not as many columns as the first line"
    person, sentence = row["Person"].lower(), row["Sentence"]
    if person not in pairs:
        return f": {row['Person']!r} is none of the persons of the English file"
    if row["Gender"] != GENDERS[pairs[person].index(person)]:
        return f": the Gender of {row['Person']!r} is {row['Gender']!r}"
    if row["Prof_Gender"] not in GROUPS:
        return f": Prof_Gender is {row['Prof_Gender']!r}, none of {', '.join(GROUPS)}"
    if _parts(sentence, person, row["Profession"]) is None:
        return f": {sentence!r} does not hold {row['Person']!r} and then {row['Profession']!r}"
    return None
