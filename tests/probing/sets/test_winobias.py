"""WinoBias: the authors' lines, and scores worked out by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from albert_lib.errors import TextError
from albert_lib.probing import FillMask
from albert_lib.probing.sets.winobias import (
    PronounPair,
    PronounSentence,
    ScoredPronounPair,
    WinoBiasResult,
    read,
    score,
    stereotype_and_skew,
)

PRO = """1 [The driver] met the nurse because [he] was late.
2 The driver met [the nurse] because [she] was early.
3 The guard liked [the clerk] and thanked [her].
4 The clerk liked [the guard] 's hat and thanked [him].
"""
ANTI = """1 [The driver] met the nurse because [she] was late.
2 The driver met [the nurse] because [he] was early.
3 The guard liked [the clerk] and thanked [him].
4 The clerk liked [the guard] 's hat and thanked [her].
"""


def write(folder: Path, pro: str = PRO, anti: str = ANTI, kind: int = 1) -> Path:
    (folder / f"pro_stereotyped_type{kind}.txt.dev").write_text(pro, encoding="utf-8")
    (folder / f"anti_stereotyped_type{kind}.txt.dev").write_text(anti, encoding="utf-8")
    return folder


def write_lists(folder: Path, male: str, female: str) -> None:
    (folder / "male_occupations.txt").write_text(male, encoding="utf-8")
    (folder / "female_occupations.txt").write_text(female, encoding="utf-8")


def chances(pieces: list[str], _: int) -> dict[str, float]:
    """He is four times as likely as she, and twice as likely again where someone was late."""
    if "▁late" in pieces:
        return {"▁he": 0.64, "▁she": 0.08}
    if "▁early" in pieces:
        return {"▁he": 0.4, "▁she": 0.1}
    return {"▁him": 0.1, "▁her": 0.4} if "▁hat" in pieces else {"▁him": 0.2, "▁her": 0.4}


def test_a_line_is_a_text_a_pronoun_and_whom_it_means(tmp_path: Path) -> None:
    items = read(write(tmp_path))
    assert items[3] == PronounPair(
        kind=1,
        number=4,
        pro=PronounSentence(
            "The clerk liked the guard's hat and thanked [MASK].", ("him",), "guard"
        ),
        anti=PronounSentence(
            "The clerk liked the guard's hat and thanked [MASK].", ("her",), "guard"
        ),
    )
    assert [item.pro.occupation for item in items] == ["driver", "nurse", "clerk", "guard"]
    for name in ("pro", "anti"):
        assert read(tmp_path / f"{name}_stereotyped_type1.txt.dev") == items


def test_spaces_in_brackets_and_several_pronouns_are_read(tmp_path: Path) -> None:
    pro = "7 [ nurse] and the driver met, and [she] liked [her] hat."
    anti = "7 The [a nurse] and the driver met, and [he] liked [his] hat."
    (item,) = read(write(tmp_path, pro, anti, kind=2))
    assert (item.kind, item.pro.pronouns, item.anti.pronouns) == (2, ("she", "her"), ("he", "his"))
    assert item.pro.text == "nurse and the driver met, and [MASK] liked [MASK] hat."
    assert item.anti.occupation == "nurse"


def test_scores_by_hand(tmp_path: Path, scripted: Callable[..., FillMask]) -> None:
    result = score(scripted(chances), read(write(tmp_path)))
    logs = [math.log(8), -math.log(4), math.log(2), -math.log(4)]
    assert [pair.in_pro for pair in result.scored] == pytest.approx(logs, abs=1e-5)
    assert [pair.in_anti for pair in result.scored] == pytest.approx(logs, abs=1e-5)
    measures = {measure.label: measure for measure in result.measures()}
    assert measures["type 1: accuracy, pro"].value == 50
    assert measures["type 1: accuracy, anti"].value == 50
    assert measures["type 1: accuracy, pro − anti"].value == 0
    m = (math.log(8) - math.log(4)) / 2  # he : she of the driver, him : her of the guard
    f = (-math.log(4) + math.log(2)) / 2  # she : he of the nurse, her : him of the clerk
    assert measures["type 1: stereotype log-odds"].value == pytest.approx((m + f) / 2, abs=1e-5)
    assert measures["type 1: skew log-odds"].value == pytest.approx((m - f) / 2, abs=1e-5)
    assert {measure.n for measure in measures.values()} == {4}
    assert not [label for label in measures if label.startswith("type 2")]
    # answers: male, male, female, female; true in pro: male, female, female, male. So F1 is one
    # half of each gender, on both halves.
    assert measures["type 1: stereotype (F1)"].value == pytest.approx(0)
    assert measures["type 1: skew (F1)"].value == pytest.approx(0)


def test_identical_sentences_are_asked_once(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    fill_mask = scripted(chances)
    score(fill_mask, read(write(tmp_path)))
    assert fill_mask.model.texts_seen == 4, "two pronouns in two halves each"


def test_the_mask_takes_the_place_of_the_pronouns_piece(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    seen = []

    def remember(pieces: list[str], place: int) -> dict[str, float]:
        seen.append(pieces[place - 1 :])
        return {"▁him": 0.5}

    score(scripted(remember), read(write(tmp_path))[2:3])
    assert seen == [["ed", "[MASK]", ".", "[SEP]"]], "and no ▁ before the full stop"


def pairs(male: list[bool], values: list[float]) -> WinoBiasResult:
    scored = []
    for number, (is_male, value) in enumerate(zip(male, values, strict=True)):
        pronouns = ("he", "she") if is_male else ("she", "he")
        lines = (PronounSentence("[MASK]", (pronoun,), "x") for pronoun in pronouns)
        scored.append(ScoredPronounPair(PronounPair(1, number, *lines), value, value))
    return WinoBiasResult(tuple(scored), {})


@pytest.mark.parametrize("skew", [0.0, 5.0, -5.0])
def test_a_liking_for_one_pronoun_is_skew_and_no_stereotype(skew: float) -> None:
    male = [True] * 30 + [False] * 10  # as many of both are not needed
    values = [skew if is_male else -skew for is_male in male]
    measures = {m.label: m.value for m in pairs(male, values).measures()}
    assert measures["type 1: stereotype log-odds"] == pytest.approx(0)
    assert measures["type 1: skew log-odds"] == pytest.approx(skew)


def test_the_interval_is_that_of_half_a_sum_of_independent_means() -> None:
    men, women = [1.0, 2.0, 3.0, 6.0], [10.0, 12.0, 17.0]
    measures = {m.label: m for m in pairs([True] * 4 + [False] * 3, men + women).measures()}
    margins = [
        scipy.stats.sem(values) * scipy.stats.t.ppf(0.975, len(values) - 1)
        for values in (men, women)
    ]
    for what, value in (("stereotype", (3 + 13) / 2), ("skew", (3 - 13) / 2)):
        measure = measures[f"type 1: {what} log-odds"]
        assert measure.value == pytest.approx(value)
        assert measure.high - value == pytest.approx(math.hypot(*margins) / 2)
        assert value - measure.low == pytest.approx(math.hypot(*margins) / 2)


def test_the_interval_holds_the_true_stereotype_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    male = [True] * 15 + [False] * 15
    held = 0
    for _ in range(200):
        values = 0.4 + rng.normal(size=30) + np.where(male, 1.0, -1.0)
        (measure,) = (
            m for m in pairs(male, values.tolist()).measures() if m.label.endswith("e log-odds")
        )
        held += measure.low <= 0.4 <= measure.high
    assert 183 <= held <= 198


def test_stereotype_and_skew_at_their_ends() -> None:
    male = np.array([True, True, False, False])
    follows = np.stack([np.where(male, 1, -1)] * 2, axis=1)
    always_he = np.ones((4, 2), dtype=np.int64)
    assert np.squeeze(stereotype_and_skew(male, follows)) == pytest.approx((100, 0))
    # F1 of male is 2/3 on both halves, of female 0
    assert np.squeeze(stereotype_and_skew(male, always_he)) == pytest.approx((0, 200 / 3))


def test_what_cannot_be_asked_is_counted_by_reason(
    tmp_path: Path, scripted: Callable[..., FillMask]
) -> None:
    far = " and the very late driver" * 8
    pro = (
        "1 [The clerk] met the driver and [she] liked [her] hat.\n"
        "2 [The clerk] met the driver and the hat was [hers].\n"
        "3 [The clerk] met the driver; the driver saw [her].\n"
        f"4 [The clerk] met the driver{far} and [she] left.\n"
    )
    anti = pro.replace("[she]", "[he]").replace("[her]", "[his]").replace("[hers]", "[his]")
    anti = anti.replace("saw [his]", "saw [he]")
    result = score(scripted(chances), read(write(tmp_path, pro, anti)))
    assert result.dropped == {
        "pair with several pronouns": 1,
        "pair whose pronoun 'hers' is not one token": 1,
        "pair of two forms (her, he)": 1,
        "pair longer than the model's positions": 1,
    }
    assert result.scored == () and result.measures() == []


def test_pronouns_are_held_against_the_lists(tmp_path: Path) -> None:
    write_lists(write(tmp_path), "driver\nguard\n", "nurse\nclerk\n")
    assert len(read(tmp_path)) == 4
    write_lists(tmp_path, "driver\n", "nurse\nclerk\n")
    items = read(tmp_path)
    assert [item.number for item in items] == [1, 2, 3]
    (reason,) = items.dropped
    assert "number 4: the pronoun of the guard is 'him', against male_occupations.txt" in reason


BAD_LINES = {
    "no number": (PRO.replace("2 The", "The"), "line 2: .* number of its"),
    "a number twice": (
        f"{PRO}4 The clerk liked [the guard] [him].",
        "line 5: .* number of its",
    ),
    "no pronoun": (PRO.replace("[her]", "her"), "line 3: .* must mark one occupation"),
    "no occupation": (PRO.replace("[the clerk]", "her"), "line 3: .* must mark one occupation"),
    "other sentences": (PRO.replace("\n3 ", "\n5 "), "number 3 is in one alone"),
    "another person": (
        PRO.replace("[The driver] met the nurse", "The driver met [the nurse]"),
        "number 1: the pronoun means the nurse here, the driver in the other half",
    ),
    "one gender": (PRO.replace("[he]", "[she]"), "number 1: .* 'she' here and 'she' in the other"),
    "a sentence more": (f"{PRO}5 [The driver] met the guard [he].", "number 5 is in one alone"),
}


@pytest.mark.parametrize(("pro", "sentence"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_left_out_and_named(tmp_path: Path, pro: str, sentence: str) -> None:
    items = read(write(tmp_path, pro))
    assert len(items) == (4 if pro.startswith(PRO) else 3)
    ((reason, count),) = items.dropped.items()
    assert count in (1, 2), "a line that is left out leaves its other half alone"
    assert re.search(sentence, reason) and "pro_stereotyped_type1.txt.dev" in reason


@pytest.mark.parametrize(
    ("pro", "sentence"),
    [("\n", "is empty; rest"), ("1 The driver met [her].", "line 1: .* must mark one occupation")],
)
def test_nothing_but_bad_lines_is_refused(tmp_path: Path, pro: str, sentence: str) -> None:
    with pytest.raises(TextError, match=rf"pro_stereotyped_type1\.txt\.dev.*{sentence}"):
        read(write(tmp_path, pro))


def test_both_parts_of_a_folder_are_read(tmp_path: Path) -> None:
    write(tmp_path)
    for half, text in (("pro", PRO), ("anti", ANTI)):
        (tmp_path / f"{half}_stereotyped_type1.txt.test").write_text(text)
        (tmp_path / f"{half}_stereotyped_type2.txt.test").write_text(text)
    items = read(tmp_path)
    assert [item.kind for item in items] == [1] * 8 + [2] * 4
    assert items.dropped == {}


def test_a_bad_file_costs_its_own_half_alone(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "pro_stereotyped_type2.txt.dev").write_text("")
    (tmp_path / "pro_stereotyped_type1.txt.test").write_text(PRO)
    (tmp_path / "._pro_stereotyped_type1.txt.dev").write_bytes(b"\0\5\x16\7Mac OS X")
    items = read(tmp_path)
    assert [item.kind for item in items] == [1] * 4
    ((reason, count),) = items.dropped.items()
    assert count == 2
    assert "anti_stereotyped_type1.txt.test does not exist" in reason
    assert "pro_stereotyped_type2.txt.dev is empty" in reason


def test_bad_files_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TextError, match=r"holds no pro_stereotyped_type1\.txt\.dev"):
        read(tmp_path)
    with pytest.raises(TextError, match=r"dev\.txt does not exist"):
        read(tmp_path / "dev.txt")
    (tmp_path / "dev.txt").write_text(PRO)
    with pytest.raises(TextError, match="is not named as in WinoBias"):
        read(tmp_path / "dev.txt")
    write(tmp_path)
    anti = tmp_path / "anti_stereotyped_type1.txt.dev"
    anti.write_bytes(ANTI.encode().replace(b"early", "spät".encode("latin-1")))
    with pytest.raises(TextError, match=r"anti_\S* is not UTF-8"):
        read(tmp_path)
    anti.unlink()
    with pytest.raises(TextError, match=r"anti_stereotyped_type1\.txt\.dev does not exist"):
        read(tmp_path)


def test_the_authors_development_files(
    shared_data: Path, scripted: Callable[..., FillMask]
) -> None:
    folder = shared_data / "probes" / "winobias"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    items = read(folder)
    assert [sum(item.kind == kind for item in items) for kind in (1, 2)] == [396, 396]
    assert len({item.pro.occupation for item in items}) == 40
    result = score(scripted(lambda *_: {}), items)
    assert result.dropped == {"pair with several pronouns": 16, "pair of two forms (her, he)": 1}
    assert all(pair.log_odds == pytest.approx(0) for pair in result.scored)
    males = [sum(pair.male for pair in result.scored if pair.item.kind == kind) for kind in (1, 2)]
    assert males == [192, 195], "of 387 and 388: about half"


def test_the_f1_intervals_as_drawn_one_by_one() -> None:
    rng = np.random.default_rng(5)
    male = (rng.random(30) < 0.6).tolist()
    result = pairs(male, rng.normal(0.3, 1.0, size=30).tolist())

    def f1(wanted: list[bool], answered: list[bool]) -> float:
        hits = sum(a and b for a, b in zip(wanted, answered, strict=True))
        both = sum(wanted) + sum(answered)
        return 2 * hits / both if both else 0.0

    def plain(drawn: list[int]) -> tuple[float, float]:
        chosen = [result.scored[i] for i in drawn]
        scores = {}
        for half, is_pro in (("pro", True), ("anti", False)):
            truth = [one.male is is_pro for one in chosen]  # the pronoun there is male
            says = [(one.in_pro if is_pro else one.in_anti) > 0 for one in chosen]
            is_male = [s is one.male for s, one in zip(says, chosen, strict=True)]
            scores[half, 1] = f1(truth, is_male)
            scores[half, 0] = f1([not t for t in truth], [not m for m in is_male])
        stereotype = sum(abs(scores["pro", g] - scores["anti", g]) for g in (0, 1)) * 50
        skew = sum(abs(scores[half, 1] - scores[half, 0]) for half in ("pro", "anti")) * 50
        return stereotype, skew

    draws = np.random.default_rng(0).integers(30, size=(1000, 30)).tolist()
    resampled = np.array([plain(drawn) for drawn in draws])
    measures = {measure.label: measure for measure in result.measures()}
    for place, what in enumerate(("stereotype", "skew")):
        found = measures[f"type 1: {what} (F1)"]
        assert found.value == pytest.approx(plain(list(range(30)))[place])
        low, high = np.quantile(resampled[:, place], [0.025, 0.975])
        assert (found.low, found.high) == pytest.approx((low, high))
        assert found.low < found.high
