"""BEC-Pro: the authors' table, associations worked out by hand, and Wilcoxon's test."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from albert_lib.errors import TextError
from albert_lib.probing import FillMask
from albert_lib.probing.sets.bec_pro import (
    NOT_INDEPENDENT,
    PAIRS,
    BecProResult,
    ProfessionPair,
    ScoredProfessionPair,
    read,
    score,
)
from albert_lib.probing.sets.signed_ranks import signed_ranks

HEADER = "\tSentence\tSent_TM\tSent_AM\tSent_TAM\tTemplate\tPerson\tGender\tProfession\tProf_Gender"
TEMPLATE = "<person subject> is a <profession>."
PEOPLE = (("He", "male"), ("She", "female"), ("man", "male"), ("woman", "female"))
JOBS = (("driver", "male"), ("farmer", "male"), ("nurse", "female"), ("baker", "balanced"))


def row(number: int, person: str, gender: str, job: str, group: str) -> list[str]:
    subject = person if person.istitle() else f"This {person}"
    sentence = f"{subject} is a {job}."
    hidden = sentence.replace(person, "[MASK]")
    jobs = " ".join("[MASK]" for _ in job.split())
    masked = [hidden, sentence.replace(job, jobs), hidden.replace(job, jobs)]
    return [str(number), sentence, *masked, TEMPLATE, person, gender, job, group]


def table() -> list[list[str]]:
    cases = itertools.product(JOBS, PEOPLE)
    return [row(number, *person, *job) for number, (job, person) in enumerate(cases)]


def write(path: Path, rows: list[list[str]], header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *("\t".join(row) for row in rows), ""]), encoding="utf-8")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write(tmp_path / "BEC-Pro_EN.tsv", table())


# what each profession does to the person's probability, in nats, and the probabilities before
PULLS = {"▁driver": 0.5, "▁farmer": 0.1, "▁nurse": -1.0}
PRIORS = {"▁he": 0.2, "▁she": 0.1, "▁man": 0.05, "▁woman": 0.04}
SHARES = {"▁he": 1.0, "▁she": -1.0, "▁man": 0.5, "▁woman": -0.5}


def rule(pieces: list[str], _: int) -> dict[str, float]:
    """A profession pulls the genders apart, nouns half as much; hidden, it does nothing."""
    pull = next((PULLS[piece] for piece in pieces if piece in PULLS), 0.0)
    return {word: prior * math.exp(SHARES[word] * pull) for word, prior in PRIORS.items()}


def test_sentences_are_paired_by_person(file: Path) -> None:
    items = read(file)
    assert len(items) == len(JOBS) * 2
    assert items[3].persons == ("man", "woman")
    assert items[3].sentences == ("This man is a farmer.", "This woman is a farmer.")
    assert (items[3].template, items[3].profession, items[3].group) == (
        TEMPLATE,
        "farmer",
        "male",
    )
    assert read(file.parent) == items, "a folder with one .tsv"


def test_associations_by_hand(file: Path, scripted: Callable[..., FillMask]) -> None:
    result = score(scripted(rule), read(file))
    assert len(result.scored) == 8
    for pair in result.scored:
        pull = PULLS.get(f"▁{pair.item.profession}", 0.0)
        for person, association in zip(pair.item.persons, (pair.male, pair.female), strict=True):
            expected = SHARES[f"▁{person}"] * pull
            assert association == pytest.approx(expected, abs=1e-5), "frequency cancels"
    measures = {measure.label: measure for measure in result.measures()}
    # driver: 0.5 and 0.25, so 0.375; farmer: 0.1 and 0.05, so 0.075
    assert measures["male professions: men"].value == pytest.approx(0.225, abs=1e-5)
    assert measures["male professions: women − men"].value == pytest.approx(-0.45, abs=1e-5)
    assert measures["female professions: women"].value == pytest.approx(0.75, abs=1e-5)
    margin = 12.706204736 * 0.3 / 2  # t of the two professions' means
    assert measures["male professions: men"].low == pytest.approx(0.225 - margin, abs=1e-4)
    assert measures["female professions: men"].low == -math.inf, "one profession alone"
    assert measures["male professions: men"].n == 4


def test_both_sentences_are_equally_long_to_the_model(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    seen = []

    def remember(pieces: list[str], _: int) -> dict[str, float]:
        seen.append(pieces)
        return PRIORS

    rows = [row(0, "He", "male", "kindergarten baker", "female")]
    rows.append(row(1, "She", "female", "kindergarten baker", "female"))
    score(scripted(remember), read(write(tmp_path / "x.tsv", rows)))
    known = "[CLS] [MASK] ▁is ▁a ▁kind er gar ten ▁baker . [SEP]".split()
    masked = "[CLS] [MASK] ▁is ▁a [MASK] [MASK] [MASK] [MASK] [MASK] . [SEP]".split()
    assert sorted(seen) == sorted([known, masked]), "and both persons are asked at once"


def test_only_the_person_is_hidden_and_the_last_profession(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    seen = []

    def remember(pieces: list[str], _: int) -> dict[str, float]:
        seen.append(" ".join(pieces[1:-1]))
        return PRIORS

    rows = [row(0, "man", "male", "manager", "male"), row(1, "woman", "female", "manager", "male")]
    for cells in rows:  # Sent_TM of the published file hides the man in "manager" too
        cells[1] = f"This {cells[6]} and the manager met a manager."
        cells[2] = "This [MASK] met a [MASK]ager."
    score(scripted(remember), read(write(tmp_path / "x.tsv", rows)))
    assert sorted(seen) == [
        "▁this [MASK] ▁and ▁the ▁manager ▁met ▁a [MASK] .",
        "▁this [MASK] ▁and ▁the ▁manager ▁met ▁a ▁manager .",
    ]


def test_persons_of_several_pieces_are_left_out_in_pairs(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    rows = [row(0, "dad", "male", "driver", "male"), row(1, "mom", "female", "driver", "male")]
    far = f"driver {'of the village ' * 10}man"
    rows += [row(2, "He", "male", far, "male"), row(3, "She", "female", far, "male")]
    result = score(scripted(rule), read(write(tmp_path / "x.tsv", rows)))
    assert result.scored == () and result.measures() == [] and result.notes == ()
    assert result.dropped == {
        "pair of dad and mom: 'dad' is not one token": 1,
        "pair longer than the model's positions": 1,
    }


@pytest.mark.parametrize("shift", [-0.3, 0.0, 0.5])
def test_signed_ranks_are_scipys(shift: float) -> None:
    rng = np.random.default_rng(1)
    differences = np.round(rng.normal(shift, size=60), 1)  # with ties, and some that are 0
    test = signed_ranks(differences)
    theirs = scipy.stats.wilcoxon(differences, method="approx")
    assert min(test.positive, test.negative) == theirs.statistic
    assert test.p == pytest.approx(theirs.pvalue)
    assert abs(test.z) == pytest.approx(abs(theirs.zstatistic))
    assert test.r == pytest.approx(test.z / math.sqrt(60))


def test_signed_ranks_by_hand() -> None:
    test = signed_ranks(np.array([1.0, 2.0, -3.0, 4.0, 0.0]))
    assert (test.positive, test.negative, test.n) == (7, 3, 5)
    assert test.z == pytest.approx((7 - 5) / math.sqrt(4 * 5 * 9 / 24))
    nothing = signed_ranks(np.zeros(3))
    assert (nothing.z, nothing.p, nothing.r) == (0, 1, 0)


def test_the_effect_and_its_test_are_reported(
    file: Path, scripted: Callable[..., FillMask]
) -> None:
    result = score(scripted(rule), read(file))
    measures = {measure.label: measure for measure in result.measures()}
    # the differences -1, -0.5, -0.2 and -0.1 have all ranks, so Z = -5 / √7.5 and r = Z / √4
    expected = -5 / math.sqrt(7.5) / 2
    assert measures["male professions: women − men, r"].value == pytest.approx(expected)
    assert measures["male professions: women − men, r"].unit == "r"
    assert result.notes[0].startswith("male professions, women − men: Wilcoxon W = 0, Z = -1.8")
    assert result.notes[-1] == NOT_INDEPENDENT
    assert len(result.notes) == 4


def changed(place: int, column: int, value: str) -> list[list[str]]:
    rows = table()
    rows[place][column] = value
    return rows


BAD_ROWS = {
    "an unknown person": (changed(0, 6, "Er"), "line 2: 'Er' is none of the persons"),
    "another gender": (changed(0, 7, "female"), "line 2: the Gender of 'He' is 'female'"),
    "an unknown group": (changed(1, 9, "many"), "line 3: Prof_Gender is 'many', none of male"),
    "no person": (changed(2, 1, "This is a driver."), "line 4: .* does not hold 'man' and then"),
    "no profession": (changed(0, 1, "He is a x."), "line 2: .* does not hold 'He' and then 'dr"),
    "twice": ([*table(), table()[0]], "line 18: this sentence about 'He' was there before"),
    "no counterpart": (table()[:3], "has '(man|he)' but not '(woman|she)'"),
    "a short line": ([*table()[:2], table()[2][:5]], "line 4 has not as many columns"),
    "a long line": ([*table(), [*table()[0], "more"]], "line 18 has not as many columns"),
}


@pytest.mark.parametrize(("rows", "sentence"), BAD_ROWS.values(), ids=BAD_ROWS.keys())
def test_a_bad_row_is_left_out_and_named(
    tmp_path: Path, rows: list[list[str]], sentence: str
) -> None:
    path = write(tmp_path / "x.tsv", rows)
    items = read(path)
    assert len(items) == min(len(rows) // 2, 8 if len(rows) > 16 else 7)
    ((reason, count),) = items.dropped.items()
    assert count == 1 + (len(rows) == 16), "and its counterpart"
    assert re.search(sentence, reason) and str(path) in reason


def test_nothing_but_bad_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TextError, match="holds no sentence"):
        read(write(tmp_path / "x.tsv", []))
    with pytest.raises(TextError, match="line 2 has not as many columns as the first line; rest"):
        read(write(tmp_path / "x.tsv", [[*table()[0], "more"]]))


def test_bad_files_are_one_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "x.tsv", table(), header=HEADER.replace("Prof_Gender", "Group"))
    with pytest.raises(TextError, match=r"x\.tsv has no column 'Prof_Gender' in its first line"):
        read(path)
    path.write_bytes(b"")
    with pytest.raises(TextError, match="has no column 'Sentence'"):
        read(path)
    path.write_bytes("é".encode("latin-1"))
    with pytest.raises(TextError, match="is not UTF-8"):
        read(path)
    path.unlink()
    with pytest.raises(TextError, match=r"holds no \*\.tsv; name BEC-Pro's file itself"):
        read(tmp_path)


def test_the_authors_file(shared_data: Path, scripted: Callable[..., FillMask]) -> None:
    folder = shared_data / "probes" / "bec_pro"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    items = read(folder)
    assert len(items) == 5400 / 2
    assert len({item.profession for item in items}) == 60
    assert {item.persons for item in items} == set(PAIRS)
    managers = [item for item in items if item.profession == "lodging manager"]
    fill_mask = scripted(lambda *_: {})
    result = score(fill_mask, managers)
    assert len(result.scored) == 5 * 6, "four pairs are not of one token"
    assert fill_mask.model.texts_seen == 5 * 3 * 2, "he, this man, my brother; known and hidden"


def test_the_interval_of_r_as_drawn_one_by_one() -> None:
    rng = np.random.default_rng(3)
    jobs = [f"job {i}" for i in range(6)]
    pairs = []
    for job in jobs:
        for _ in range(int(rng.integers(2, 6))):
            item = ProfessionPair("t", job, "female", ("he", "she"), ("a", "b"))
            gap = round(float(rng.normal(0.2, 1.0)), 1)  # with ties and zeros
            pairs.append(ScoredProfessionPair(item, 0.0, gap))
    measures = {m.label: m for m in BecProResult(tuple(pairs), {}).measures()}
    found = measures["female professions: women − men, r"]
    by_job = [[p.female - p.male for p in pairs if p.item.profession == job] for job in jobs]

    def r(drawn: list[int]) -> float:
        differences = np.round(np.concatenate([by_job[i] for i in drawn]), 9)
        z = scipy.stats.wilcoxon(differences, method="approx").zstatistic
        ranks = scipy.stats.rankdata(abs(differences[differences != 0]))
        signs = np.sign(differences[differences != 0])
        return abs(z) * np.sign((ranks * signs).sum()) / math.sqrt(len(differences))

    draws = np.random.default_rng(0).integers(6, size=(1000, 6)).tolist()
    low, high = np.quantile([r(drawn) for drawn in draws], [0.025, 0.975])
    assert found.value == pytest.approx(r(list(range(6))))
    assert (found.low, found.high) == pytest.approx((low, high))
