"""BLiMP's supplement, WinoQueer and French CrowS-Pairs: their files, and scores counted by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import TextError
from albert_lib.probing import FillMask
from albert_lib.probing.sets import blimp_supplement, crows_pairs, french_crows_pairs, winoqueer
from albert_lib.probing.sets.blimp import MinimalPair
from albert_lib.probing.sets.crows_pairs import StereotypePair
from albert_lib.probing.sets.winoqueer import IdentityPair, ScoredIdentityPair, WinoQueerResult

QUEER = ",Gender_ID_x,Gender_ID_y,sent_x,sent_y"
FRENCH = "\tsent_more\tsent_less\tstereo_antistereo\tbias_type"


def test_the_supplement_names_its_parts_by_file(tmp_path: Path) -> None:
    texts = {
        "sentence_good": "A: Who slept?\nB: David.",
        "sentence_bad": "A: Who slept?\nB: Bread.",
    }
    (tmp_path / "qa_congruence_easy.jsonl").write_text(json.dumps(texts), encoding="utf-8")
    named = {**texts, "UID": "turn"}
    (tmp_path / "turn_taking.jsonl").write_text(json.dumps(named) + "\n{}\n", encoding="utf-8")
    pairs = blimp_supplement.read(tmp_path)
    good, bad = texts.values()
    assert pairs == [
        MinimalPair(good, bad, "qa_congruence_easy", "supplement"),
        MinimalPair(good, bad, "turn", "supplement"),
    ]
    ((reason, _),) = pairs.dropped.items()
    assert "turn_taking.jsonl, line 2 has no text in 'sentence_good'" in reason


def test_the_supplements_turns_are_scored_whole(fill_mask: FillMask) -> None:
    pairs = [
        MinimalPair("Who slept?\nDavid.", "Who slept?\nBread.", "qa", "supplement"),
        MinimalPair("A dog is an animal.", "A dog is a cat.", "hypernym", "supplement"),
    ]
    result = blimp_supplement.score(fill_mask, pairs)
    labels = [measure.label for measure in result.measures()]
    assert labels == ["accuracy", "term supplement", "paradigm hypernym", "paradigm qa"]
    spaced = MinimalPair("Who slept? David.", "Who slept? Bread.", "qa", "supplement")
    (same,) = blimp_supplement.score(fill_mask, [spaced]).scored
    assert same.good == pytest.approx(result.scored[0].good, abs=1e-4)


def test_winoqueer_counts_ties_in_and_not_for() -> None:
    def one(about: str, sentence: float, counterfactual: float) -> ScoredIdentityPair:
        return ScoredIdentityPair(IdentityPair("x", "y", about, "o"), sentence, counterfactual)

    result = WinoQueerResult(
        [one("Gay", -1.0, -2.0), one("Gay", -1.0, -1.0004), one("Lesbian", -3.0, -2.0)], {}
    )
    assert {m.label: (round(m.value, 1), m.n) for m in result.measures()} == {
        "bias score": (33.3, 3),
        "neutral": (33.3, 3),
        "bias score against Gay": (50.0, 2),
        "bias score against Lesbian": (0.0, 1),
    }


def test_winoqueer_is_scored_as_crows_pairs(fill_mask: FillMask, tmp_path: Path) -> None:
    file = tmp_path / "winoqueer_final.csv"
    rows = ['0,Gay,Straight,"Gay men, they say, sing.","Straight men, they say, sing."']
    file.write_text("\n".join([QUEER, *rows, "1,Gay,,Gay men.,Men."]), encoding="utf-8")
    pairs = winoqueer.read(file)
    assert pairs == [
        IdentityPair("Gay men, they say, sing.", "Straight men, they say, sing.", "Gay", "Straight")
    ]
    assert "line 3 has nothing in column 'Gender_ID_y'" in next(iter(pairs.dropped))
    (one,) = winoqueer.score(fill_mask, pairs).scored
    pair = StereotypePair(one.pair.sentence, one.pair.counterfactual, "stereo", "orientation")
    (same,) = crows_pairs.score(fill_mask, [pair]).scored
    assert (one.sentence, one.counterfactual) == (same.more, same.less)


def test_french_pairs_stand_between_tabs(fill_mask: FillMask, tmp_path: Path) -> None:
    file = tmp_path / "crows_pairs_FR.csv"
    rows = [
        '0\t"Les femmes, dit-on, ""rient""."\tLes hommes, dit-on, "rient".\tstereo\tgender',
        "1\tElle est là.\tIl est là.\tantistereo\tgender",
        "2\tElle est là.\tIl est là.\tneither\tgender",
    ]
    file.write_text("\n".join([FRENCH, *rows]), encoding="utf-8")
    pairs = french_crows_pairs.read(file)
    assert [pair.direction for pair in pairs] == ["stereo", "antistereo"]
    assert pairs[0].sent_more == 'Les femmes, dit-on, "rient".'
    assert pairs[0].sent_less == 'Les hommes, dit-on, "rient".'
    assert "line 4 has 'neither'" in next(iter(pairs.dropped))
    assert len(french_crows_pairs.score(fill_mask, pairs).scored) == 2


@pytest.mark.parametrize(
    ("module", "content", "complaint"),
    [
        (winoqueer, "sent_x,sent_y\na,b\n", "no column 'Gender_ID_x'.*winoqueer_final"),
        (winoqueer, f"{QUEER}\n", "no pairs under its first line"),
        (french_crows_pairs, FRENCH.replace("\t", ","), "no column 'sent_more'.*tab-separated"),
        (french_crows_pairs, f"{FRENCH}\n", "no pairs under its first line"),
        (blimp_supplement, "\n", "no pairs of sentences; give the supplement's"),
    ],
)
def test_other_files_are_refused(module: Any, content: str, complaint: str, tmp_path: Path) -> None:
    file = tmp_path / "file.jsonl"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(TextError, match=rf"file\.jsonl.*{complaint}"):
        module.read(file)


ROWS = [
    "0,Gay,Straight,Gay people sing.,Straight people sing.",
    "1,Gay,Straight,Gay people dance.,Straight people dance.",
]


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ('2,Gay,Straight,"One "quote" more.",Two.', r"line 3 is not CSV"),
        ('2,Gay,Straight,"Never closed.,Two.\n3,Gay,Straight,"a",b', r"lines 3 to 4 are not CSV"),
        (f"2,Gay,Straight,{'a' * 200_000},b", r"line 3 is not CSV \(field larger"),
    ],
)
def test_a_row_that_is_no_csv_is_left_out_and_the_others_stand(
    bad: str, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "winoqueer.csv"
    file.write_text("\n".join([QUEER, ROWS[0], bad, ROWS[1]]), encoding="utf-8")
    pairs = winoqueer.read(file)
    assert [pair.sentence for pair in pairs] == ["Gay people sing.", "Gay people dance."]
    ((reason, count),) = pairs.dropped.items()
    assert count == 1
    assert re.search(rf"winoqueer\.csv, {complaint}", reason)


def test_other_ends_of_columns_are_told(tmp_path: Path) -> None:
    file = tmp_path / "winoqueer.csv"
    file.write_text("\n".join([QUEER, *ROWS]).replace(",", ";"), encoding="utf-8")
    with pytest.raises(TextError, match=r"no column 'sent_x' .*\(but '.*, and a comma ends"):
        winoqueer.read(file)


def test_a_bad_byte_or_a_hidden_file_costs_no_more_than_itself(tmp_path: Path) -> None:
    line = json.dumps({"sentence_good": "She sleeps.", "sentence_bad": "She sleep."})
    bad = line.encode().replace(b"She", b"Sh\xe9", 1)
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([line.encode(), bad, line.encode()]))
    (tmp_path / "._a.jsonl").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        ")
    pairs = blimp_supplement.read(tmp_path)
    assert len(pairs) == 2
    ((reason, count),) = pairs.dropped.items()
    assert count == 1
    assert re.search(r"/a\.jsonl, line 2 is not UTF-8 \(byte 21 cannot be read\)", reason)
