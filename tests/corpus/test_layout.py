"""The layout of a text file: recognised by what wrapping looks like, in any script, or said."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from albert_lib.corpus import read_text_file
from albert_lib.corpus.layout import DOCUMENTS, PARAGRAPHS, WRAPPED, recognised_layout
from albert_lib.errors import TextError

# Two documents of two sentences each, a sentence a line.
TWO_DOCUMENTS = {
    "English": "the cat sleeps\nthe dog runs\n\nit rains outside\nwe walk\n",
    "Hindi": "बिल्ली सोती है।\nकुत्ता दौड़ता है।\n\nबारिश होती है।\nहम चलते हैं।\n",
    "Japanese": "猫が寝ています。\n犬が走ります。\n\n雨が降ります。\n私たちは歩きます。\n",
    "Urdu": "بلی سو رہی ہے۔\nکتا دوڑتا ہے۔\n\nبارش ہوتی ہے۔\nہم چلتے ہیں۔\n",
    "Armenian": "Կատուն քնած է։\nՇունը վազում է։\n\nԱնձրև է գալիս։\nՄենք քայլում ենք։\n",
    "Thai": "แมวนอนหลับ\nสุนัขวิ่ง\n\nฝนตก\nเราเดิน\n",
    "Arabic": "القطة نائمة\nالكلب يركض\n\nهل تمطر؟\nنحن نمشي\n",
    "subtitles": "Where are you going\nI Don't know\n\nWait for Me\nWhy\n",
    "questions": "Где кошка?\nКто там?\n\nИдёт ли дождь?\nКуда мы идём?\n",
}
PROSE = {
    "English": "The old baker walks to the mill before dawn and nobody sees him there. " * 9,
    "small letters": "the old baker walks to the mill before dawn and nobody sees him there. " * 9,
    "Russian": "Старый пекарь идёт на мельницу до рассвета, и никто его там не видит. " * 9,
    "Hindi": "बूढ़ा नानबाई भोर से पहले चक्की तक पैदल जाता है और कोई उसे वहाँ नहीं देखता। " * 9,
    "Arabic": "يمشي الخباز العجوز إلى الطاحونة قبل الفجر ولا يراه أحد هناك. " * 9,
    "Japanese": "年老いたパン屋は夜明け前に水車小屋まで歩いて行くが誰もその姿を見ない。" * 9,
}


@pytest.mark.parametrize("language", TWO_DOCUMENTS)
def test_a_sentence_a_line_is_two_documents(tmp_path: Path, language: str) -> None:
    text = TWO_DOCUMENTS[language]
    (tmp_path / "a.txt").write_text(text, encoding="utf-8")
    documents = [block.split("\n") for block in text.strip().split("\n\n")]
    assert list(read_text_file(tmp_path / "a.txt")) == documents


@pytest.mark.parametrize("language", PROSE)
@pytest.mark.parametrize("width", [33, 40, 50, 100])
def test_wrapped_prose_is_one_document_in_any_script(
    tmp_path: Path, language: str, width: int
) -> None:
    prose = PROSE[language].strip()
    lines = textwrap.wrap(prose, width)
    (tmp_path / "a.txt").write_text("\n".join([*lines, "", *lines]), encoding="utf-8")
    (document,) = read_text_file(tmp_path / "a.txt")
    assert "".join(document) == prose.replace(". ", ".").replace("। ", "।") * 2
    assert len(document) == 2 * 9


@pytest.mark.parametrize(
    ("blocks", "layout"),
    [
        (["to be or not to be\nthat is the question", "whether tis nobler"], DOCUMENTS),
        (["Shall I compare thee to a day\nThou art more lovely and more\nRough winds"], DOCUMENTS),
        (["床前明月光\n疑是地上霜\n举头望明月\n低头思故乡", "白日依山尽\n黄河入海流"], DOCUMENTS),
        (["The man said\n“come in”\nand\nleft", "He sat\nand slept"], WRAPPED),
        (["one line", "another line"], PARAGRAPHS),
    ],
)
def test_small_cases_by_hand(blocks: list[str], layout: str) -> None:
    assert recognised_layout([block.split("\n") for block in blocks]) == layout


@pytest.mark.parametrize(
    "blank",
    ["", " \t", "\u00a0", "\u3000", "\u200b", "\ufeff", "\u200f\u2060", "\u00ad", "\f", "\x1f"],
    ids=ascii,
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=ascii)
def test_a_line_on_which_nothing_is_seen_is_blank(tmp_path: Path, blank: str, end: str) -> None:
    lines = ["the cat sleeps", "the dog runs", blank, "it rains", "\u200fwe walk"]
    (tmp_path / "a.txt").write_bytes(end.join(lines).encode())
    documents = list(read_text_file(tmp_path / "a.txt"))
    assert [len(document) for document in documents] == [2, 2]


def test_the_layout_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("The mill\nis old.\n\nA man\nwalks.\n")
    assert list(read_text_file(file)) == [["The mill is old.", "A man walks."]]
    assert list(read_text_file(file, DOCUMENTS)) == [["The mill", "is old."], ["A man", "walks."]]
    assert list(read_text_file(file, PARAGRAPHS)) == [["The mill", "is old.", "A man", "walks."]]
    assert list(read_text_file(file, WRAPPED)) == list(read_text_file(file))
    with pytest.raises(TextError, match="layout is 'book'; make it auto, documents or"):
        read_text_file(file, "book")
