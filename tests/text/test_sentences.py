"""Cutting paragraphs into sentences."""

from __future__ import annotations

import re
import sys

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from albert_lib.text import split_sentences
from albert_lib.text.sentence_marks import TERMINALS


@pytest.mark.parametrize(
    "sentences",
    [
        ["The baker walks.", "The mill is old!", "Is it dawn?", "Yes."],
        ['"Come in," he said.', '"It is late."', "She went."],
        ["He asked (twice.)", "[Nobody knew.]", "“Really?!”", "‘No.’", "2000 was dry."],
        ["Mr. and Mrs. Smith saw Dr. J. R. Jones of St. Ives, vol. 3, c. 1900.", "He left."],
        ["The U.S. Army, e.g. General Grant, i.e. Ulysses, was there in Jan. 1864.", "So it was."],
        ["Her brother is not as tall as I.", "She is."],
        ["Wait...", "What?", "Ångström measured it.", "Über alles."],
        ["It cost 3.50 and www.example.org said so.", "Fine."],
        ["no capitals here.", "none at all!", "as in some corpora."],
        ["a title without an end"],
    ],
)
def test_worked_by_hand(sentences: list[str]) -> None:
    """Each list joined by spaces comes apart again."""
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        ["बिल्ली सोती है।", "कुत्ता दौड़ता है?", "बारिश 3.50 की है॥", "हम चलते हैं।"],
        ["بلی سو رہی ہے۔", "کیا بارش ہے؟", "ہم چلتے ہیں۔"],
        ["القطة نائمة.", "هل جاء د. محمد؟", "نعم!"],
        ["Կատուն քնած է։", "Շունը վազում է։"],
        ["ድመቷ ተኝታለች።", "ውሻው ይሮጣል፧", "አዎ።"],
        ["ကြောင်က အိပ်နေတယ်။", "ခွေးက ပြေးတယ်။"],
        ["ឆ្មាកំពុងដេក។", "ឆ្កែរត់៕"],
        ["Мама мыла раму.", "Это написал А. С. Пушкин, т. е. поэт.", "Ёж спал!"],
        ["Il dit : « Oui. »", "Élodie part."],
        ["Er sagte: „Ja.“", "Übel war es."],
        ["¿Qué hora es?", "¡Ya voy!", "Él duerme."],
        ["კატას სძინავს.", "ძაღლი გარბის."],
        ["고양이가 잔다.", "개가 뛴다!"],
    ],
)
def test_every_script_with_a_space(sentences: list[str]) -> None:
    assert split_sentences(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "sentences",
    [
        [
            "猫が寝ています。",
            "犬は走る！",
            "「雨です。」",
            "「行く？」と言った。",
            "３．５です．",
            "終",
        ],
        ["猫睡了。", "他说：“你好。”我走。", "真的吗?", "好!", "我走了.", "他来了……是吗？"],
        ["बिल्ली सोती है।", "कुत्ता दौड़ता है।"],
        ["بلی سو رہی ہے۔", "کیا بارش ہے؟", "ہم چلتے ہیں۔"],
    ],
)
def test_every_script_without_a_space(sentences: list[str]) -> None:
    assert split_sentences("".join(sentences)) == sentences


@pytest.mark.parametrize("text", ["a.b", "3。5", "what?so", "(1).x", "é.g", "www.münchen.de 。x"])
def test_a_mark_inside_of_a_word_or_number_is_no_end(text: str) -> None:
    assert len(split_sentences(text)) == 1 + text.count("。x")


def test_the_marks_are_those_of_unicode() -> None:
    ours = re.compile(f"[{TERMINALS}]")
    theirs = regex.compile(r"\p{Sentence_Terminal}")
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    assert list(filter(ours.match, characters)) == list(filter(theirs.match, characters))


def test_lower_case_goes_on() -> None:
    assert split_sentences("He said yes. and left.") == ["He said yes. and left."]


@given(st.text("ab AB.?!\"'(\n0。」「は।", max_size=60))
def test_loses_nothing(paragraph: str) -> None:
    sentences = split_sentences(paragraph)
    assert "".join("".join(sentences).split()) == "".join(paragraph.split())
    assert all(sentence == sentence.strip() != "" for sentence in sentences)
