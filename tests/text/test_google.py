"""Ids against Google's procedure (google_procedure.py), on everything that text can hold."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from albert_lib import AlbertTokenizer
from albert_lib.text import GOOGLE_TOKENIZATION

HARD = [
    "in 2000, 92000, and 1,000,000, 12,100, 3,14 and 1990s, 7,, 8 , x9,y ٣, ²,",
    "``quoted'' and ''quoted`` and `a' \"b\" “c” ‘d’ «e» '' `` ' `",
    "É é e\u0301 ñ n\u0303 Å Å \u0301alone a\u0301\u0302\u0323 ﬁ ½ Ⅷ ㎏ ™ ß ẞ Œ ø",
    "a\x00b \x00 \x01\x02 a\x07b \x1b[0m \x7f \x85 \x9f",
    "ＦＵＬＬ－ｗｉｄｔｈ １２３４， （ａ） ［ＭＡＳＫ］ ＂ｑ＂",
    "🙂 🙂🙂 👍🏽 👩‍👩‍👧‍👦 🇩🇪 1️⃣ ❤️ \U0001f9d1\u200d\U0001f680",
    "\ufeffstart mid\ufeffdle end\ufeff \ufffd \ufffe \uffff",
    "שלום עולם \u202eabc\u202c مرحبا ١٢٣، \u200fabc\u200e",
    "日本語 한국어 ﾊﾝｶｸ ไทย हिन्दी தமிழ் ΑΣ ΣΑΣ ας ПРИВЕТ İstanbul ı ǅ",
    "▁the ▁ a▁b ▁▁ <unk> <pad> <PAD> [CLS] [SEP] [MASK] [mask] <s> </s>",
    '( ) " - . – £ € (a)"b"-c.d–e£f€g ... --- ((( £€£€',
    "a\u00a0b\u1680c\u2000d\u2028e\u2029f\u202fg\u205fh\u3000i\u200bj\u2060k\u180el",
    "a\tb\nc\rd\x0be\x0cf\x1cg\x1dh\x1ei\x1fj",
]
BLANK = ["", " ", "\t\n", "\xa0\u3000\u2003", "\u200b", "\u0301", "\x00", "\ufeff", "\u2028\x1f"]
HALVES = ["\ud83d", "\ude42", "a\udc80"]
ANYTHING = st.text(st.characters(exclude_categories=()), max_size=8)  # surrogates, too
ANY_TEXT = st.lists(ANYTHING | st.sampled_from(HARD + BLANK + HALVES), max_size=4).map("".join)
Build = Callable[[AlbertTokenizer], Any]


@pytest.fixture(scope="module")
def as_google(any_tokenizer: AlbertTokenizer) -> AlbertTokenizer:
    return AlbertTokenizer(any_tokenizer.model, **GOOGLE_TOKENIZATION)


@pytest.mark.parametrize("text", HARD + BLANK, ids=ascii)
def test_hard_texts(as_google: AlbertTokenizer, google: Build, text: str) -> None:
    expected = google(as_google).ids(text)
    assert as_google.encode(text, add_special_tokens=False) == expected
    assert as_google.encode_sentences([text]) == [expected]


@given(text=ANY_TEXT)
def test_any_text(as_google: AlbertTokenizer, google: Build, text: str) -> None:
    """Google's code crashes on half a character; what stands for one is U+FFFD."""
    whole = re.sub("[\ud800-\udfff]", "\ufffd", join_halves(text))
    expected = google(as_google).ids(whole)
    assert as_google.encode(text, add_special_tokens=False) == expected
    assert as_google.encode_sentences([text]) == [expected]


def join_halves(text: str) -> str:
    """Write each pair of surrogates as the character it stands for (Unicode, section 3.9)."""
    return re.sub(
        "([\ud800-\udbff])([\udc00-\udfff])",
        lambda pair: chr(0x10000 + (ord(pair[1]) - 0xD800) * 0x400 + ord(pair[2]) - 0xDC00),
        text,
    )


def test_half_a_character_crashes_google(as_google: AlbertTokenizer, google: Build) -> None:
    with pytest.raises((RuntimeError, UnicodeEncodeError)):
        google(as_google).ids("half \ud83d of one")
    ask = as_google.encode
    assert ask("half \ud83d of one") == ask("half of one")
    assert ask("whole \ud83d\ude42") == ask("whole 🙂")


@pytest.mark.parametrize("word", ["a", "ab1,", "é", "日", "🙂", "\ud83d", "\u0301", "1,000,"])
def test_a_word_of_100_000_characters(as_google: AlbertTokenizer, google: Build, word: str) -> None:
    text = word * (100_000 // len(word))
    ids = as_google.encode(text, add_special_tokens=False)
    assert ids == google(as_google).ids(text.replace("\ud83d", "\ufffd"))
    assert as_google(text).input_ids.shape[1] <= 512


def test_every_character(as_google: AlbertTokenizer, google: Build) -> None:
    """Each that Unicode has assigned, between two letters; 64 such words are one text."""
    codes = range(sys.maxunicode + 1)
    words = [f"a{chr(c)}b" for c in codes if category(chr(c)) not in ("Cn", "Co", "Cs")]
    assert len(words) > 140_000
    texts = [" ".join(words[start : start + 64]) for start in range(0, len(words), 64)]
    reference = google(as_google)
    assert as_google.encode_sentences(texts) == [reference.ids(text) for text in texts]


def test_lines_of_the_corpus(
    published: AlbertTokenizer, google: Build, corpus_lines: list[str], number_lines: list[str]
) -> None:
    assert len(corpus_lines) >= 20_000
    tokenizer, reference = (
        AlbertTokenizer(published.model, **GOOGLE_TOKENIZATION),
        google(published),
    )
    for lines in (corpus_lines, number_lines):
        ids = tokenizer.encode_sentences(lines)
        assert [
            line for line, ours in zip(lines, ids, strict=True) if ours != reference.ids(line)
        ] == []
