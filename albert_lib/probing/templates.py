"""Template sets: sentences with a place for a person and one for a fill, and words that fit.

A template reads "The {person} worked as a [MASK]."; writing each word of a pair into it gives
two sentences that differ in nothing else.

A probability belongs to a token. A word that is split into several has none of its own, and
scoring its first token instead ("▁nurs" for "nursery") would score every word that begins alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from albert_lib.errors import InputError
from albert_lib.files import data_folder, read_json
from albert_lib.probing.transformers_tokenizer import TransformersTokenizer
from albert_lib.text import AlbertTokenizer
from albert_lib.text.unigram import WORD_START

AnyTokenizer = AlbertTokenizer | TransformersTokenizer
PERSON = "{person}"
MASK = "[MASK]"


@dataclass(frozen=True)
class TemplateSet:
    """One family of templates with the words that fit them (data/probes).

    Example:
        >>> from albert_lib.probing import TemplateSet
        >>> pair = ("man", "woman")
        >>> few = TemplateSet(("The {person} is a [MASK].",), (pair,), (), ("nurse",), ())
        >>> few.persons
        (('man', 'woman'),)
    """

    templates: tuple[str, ...]
    persons: tuple[tuple[str, str], ...]  # pairs whose difference is asked about
    controls: tuple[tuple[str, str], ...]  # pairs alike in it: how far mere wording moves a probe
    fills: tuple[str, ...]
    marked_fills: tuple[str, ...]  # carry a gender in themselves: a probe must see a gap here


def template_set(name: str = "occupations", family: str = "noun") -> TemplateSet:
    """Read a template set of this project: family "noun" (The man …) or "pronoun" (He …).

    Raises InputError for an unknown name or family.

    Example:
        >>> from albert_lib.probing import template_set
        >>> nouns = template_set("occupations", family="noun")
        >>> nouns.templates[0].format(person="man"), nouns.persons[0]
        ('The man worked as a [MASK].', ('man', 'woman'))
    """
    path = data_folder() / "probes" / f"{name}.json"
    content = read_json(path, InputError)
    if family not in content["families"]:
        raise InputError(
            f"{path} has no family {family!r} of templates; "
            f"choose from {', '.join(content['families'])}."
        )
    chosen = content["families"][family]
    return TemplateSet(
        templates=tuple(chosen["templates"]),
        persons=tuple((first, second) for first, second in chosen["persons"]),
        controls=tuple((first, second) for first, second in chosen["controls"]),
        fills=tuple(content["fills"]),
        marked_fills=tuple(content["marked_fills"]),
    )


def write_person(templates: Sequence[str], person: str) -> list[str]:
    """Write one person into every template.

    Raises InputError naming a template that has no place for a person, or not exactly one
    [MASK].

    Example:
        >>> from albert_lib.probing import write_person
        >>> write_person(["The {person} worked as a [MASK]."], "woman")
        ['The woman worked as a [MASK].']
    """
    for template in templates:
        if PERSON not in template or template.count(MASK) != 1:
            raise InputError(
                f"The template {template!r} must hold {PERSON} and exactly one {MASK}, "
                f'as in "The {PERSON} worked as a {MASK}."'
            )
    return [template.replace(PERSON, person) for template in templates]


def word_id(tokenizer: AnyTokenizer, word: str, before: str = "a ") -> int:
    """The id of the token that is this whole word, which starts with ▁: "nurse" → id of ▁nurse.

    The vocabulary may also hold `nurse` without the mark, a token for the inside of words; a
    probe that reads that one measures something else. The token itself ("▁nurse") is accepted
    too. In other models' vocabularies the token may depend on the text `before` the word: RoBERTa
    has one for "nurse" after a space and another for the beginning of a text. Raises InputError
    naming the tokens of a word that has several.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import word_id
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers/english-8k")
        >>> tokenizer.id_to_piece(word_id(tokenizer, "nurse"))
        '▁nurse'
    """
    tokens = _pieces(tokenizer, word, before)
    token = tokens[0] if len(tokens) == 1 else ""
    token_id = tokenizer.piece_id(token)
    if token and token == word and token_id >= 0 and not _is_word(tokenizer, token):
        raise InputError(
            f"{word!r} is a token of this vocabulary, but no word that it has learnt, and so never "
            f"an answer; choose a word."
        )
    if token_id in (tokenizer.unk_token_id, -1) or not _is_word(tokenizer, token):
        raise InputError(
            f"{word!r} is not one token of this vocabulary ({' '.join(tokens) or 'it is empty'}); "
            f"choose a word that is, because only a whole token has a probability."
        )
    return token_id


def _pieces(tokenizer: AnyTokenizer, word: str, before: str = "a ") -> list[str]:
    if isinstance(tokenizer, TransformersTokenizer):
        return tokenizer.word_pieces(word, before)
    return [word] if word.startswith(WORD_START) else tokenizer.tokenize(word)


def _is_word(tokenizer: AnyTokenizer, token: str) -> bool:
    if isinstance(tokenizer, TransformersTokenizer):
        return tokenizer.begins_word(token)
    return token.startswith(WORD_START) and token != WORD_START


def single_token_words(
    tokenizer: AnyTokenizer, words: Iterable[str]
) -> tuple[list[str], dict[str, list[str]]]:
    """Divide words into those that are one token and the others, each with its tokens.

    Report the second part beside every result: a probe cannot see a word that has no token of
    its own.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import single_token_words
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers/english-8k")
        >>> single_token_words(tokenizer, ["nurse", "electrician"])
        (['nurse'], {'electrician': ['▁electric', 'ian']})
    """
    single: list[str] = []
    split: dict[str, list[str]] = {}
    for word in words:
        try:
            word_id(tokenizer, word)
        except InputError:
            split[word] = _pieces(tokenizer, word)
        else:
            single.append(word)
    return single, split
