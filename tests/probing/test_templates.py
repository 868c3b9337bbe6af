"""The probe sets keep the promises of their README."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from albert_lib.errors import InputError
from albert_lib.files import project_folder
from albert_lib.probing import TemplateSet, single_token_words, template_set, write_person
from albert_lib.text import AlbertTokenizer

FAMILIES = ("noun", "pronoun")
SHARED = Path(os.environ.get("ALBERT_SHARED_DATA", project_folder().parent / "shared" / "data"))
VOWELS = tuple("aeiou")


def words_of(chosen: TemplateSet) -> list[str]:
    pairs = chosen.persons + chosen.controls
    return [word for pair in pairs for word in pair] + list(chosen.fills + chosen.marked_fills)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_template_can_be_written(family: str) -> None:
    chosen = template_set(family=family)
    assert len(chosen.templates) >= 8
    for first, second in chosen.persons + chosen.controls:
        texts = write_person(chosen.templates, first) + write_person(chosen.templates, second)
        assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_article_fits_every_word(family: str) -> None:
    chosen = template_set(family=family)
    assert all(" a [MASK]" in template for template in chosen.templates)
    assert not [word for word in chosen.fills + chosen.marked_fills if word.startswith(VOWELS)]
    if any("a {person}" in template for template in chosen.templates):
        assert not [word for pair in chosen.persons for word in pair if word.startswith(VOWELS)]


@pytest.mark.parametrize("family", FAMILIES)
def test_no_word_twice_and_no_fill_marked(family: str) -> None:
    chosen = template_set(family=family)
    fills = chosen.fills + chosen.marked_fills
    assert len(set(fills)) == len(fills)
    assert not [fill for fill in chosen.fills if fill.endswith(("man", "ess", "wife"))]


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_is_one_piece_of_the_published_vocabulary(family: str) -> None:
    if not (SHARED / "albert" / "spiece.model").is_file():
        pytest.skip("the published spiece.model is not here (ALBERT_SHARED_DATA)")
    published = AlbertTokenizer.from_pretrained(SHARED / "albert")
    assert single_token_words(published, words_of(template_set(family=family)))[1] == {}


def test_the_shipped_vocabulary_can_be_probed(tokenizer: AlbertTokenizer) -> None:
    chosen = template_set()
    assert len(single_token_words(tokenizer, chosen.fills)[0]) >= 10
    assert len(single_token_words(tokenizer, chosen.marked_fills)[0]) >= 4
    persons = [word for pair in chosen.persons for word in pair]
    assert single_token_words(tokenizer, persons)[1] == {}


def test_unknown_sets_are_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"no family 'verb'.*noun, pronoun"):
        template_set(family="verb")
    with pytest.raises(InputError, match=r"weather\.json does not exist"):
        template_set("weather")
