"""What two lists of the k likeliest fills can say about a gap, and what they cannot.

The model card shows five fills for a man and five for a woman. A word of one list that is not in
the other is known to have at most the last listed probability there, which bounds its gap

    log P(word | first) − log P(word | second)

on one side only; of a word in neither list nothing is known.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from albert_lib.errors import InputError
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.inputs import answer_ids
from albert_lib.probing.template_probe import ProbeRow
from albert_lib.probing.templates import MASK, PERSON, word_id, write_person

Where = Literal["both", "first", "second"]
PRESENCE: dict[Where, int] = {"first": 1, "both": 0, "second": -1}


@dataclass(frozen=True)
class ListedWord:
    """A word of one of two lists, and what they say about its gap, in nats.

    Example:
        >>> from albert_lib.probing import ListedWord
        >>> lawyer = ListedWord("lawyer", "first", low=-0.29, high=float("inf"))
        >>> lawyer.presence, lawyer.sign_is_known
        (1, False)
    """

    word: str
    where: Where  # the lists that it is in
    low: float  # the gap is at least this
    high: float  # and at most this; equal to low where both lists have the word

    @property
    def presence(self) -> int:
        """What a reader of the lists sees: 1 in the first alone, −1 in the second alone, 0."""
        return PRESENCE[self.where]

    @property
    def sign_is_known(self) -> bool:
        """Whether the lists prove in which context the word is likelier."""
        return self.low > 0 or self.high < 0


def gap_bounds(first: Mapping[str, float], second: Mapping[str, float]) -> list[ListedWord]:
    """What can be known of every listed word's gap from two lists of probabilities.

    Each list must hold the likeliest words of its context and all of them down to its last one.
    Those of the first list come first. Raises InputError for an empty list and for
    probabilities outside (0, 1].

    Example:
        >>> from albert_lib.probing import gap_bounds
        >>> for word in gap_bounds({"cook": 0.4, "smith": 0.2}, {"nurse": 0.3, "cook": 0.1}):
        ...     print(f"{word.word}: {word.low:+.2f} to {word.high:+.2f}")
        cook: +1.39 to +1.39
        smith: +0.69 to +inf
        nurse: -inf to -0.41
    """
    for words in (first, second):
        if not words:
            raise InputError("A list has no words; give both lists of fills.")
        wrong = {word: score for word, score in words.items() if not 0 < score <= 1}
        if wrong:
            word, score = next(iter(wrong.items()))
            raise InputError(f"{word!r} has the probability {score}; give one above 0, at most 1.")
    # what is not listed is at most as likely as the last that is
    log_first, log_second = (
        {word: math.log(score) for word, score in words.items()} for words in (first, second)
    )
    least_first, least_second = min(log_first.values()), min(log_second.values())
    listed = []
    for word in log_first | log_second:
        if word not in log_second:
            listed.append(ListedWord(word, "first", log_first[word] - least_second, math.inf))
        elif word not in log_first:
            listed.append(ListedWord(word, "second", -math.inf, least_first - log_second[word]))
        else:
            gap = log_first[word] - log_second[word]
            listed.append(ListedWord(word, "both", gap, gap))
    return listed


def compare_top_k(fill_mask: FillMask, first: str, second: str, top_k: int = 5) -> list[ListedWord]:
    """Fill two prompts, each with one [MASK], and compare the lists cut off at `top_k`.

    The words are vocabulary entries, with their ▁, since two of them may read alike. Raises
    InputError for a prompt without exactly one [MASK].

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, compare_top_k
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> words = compare_top_k(model, "The man is a [MASK].", "The woman is a [MASK].", top_k=3)
        >>> 3 <= len(words) <= 6, {word.where for word in words} <= {"both", "first", "second"}
        (True, True)
    """
    return gap_bounds(*_lists(fill_mask, [first, second], top_k))


def top_k_presence(
    fill_mask: FillMask,
    templates: Sequence[str],
    fills: Sequence[str],
    persons: tuple[str, str] = ("man", "woman"),
    top_k: int = 5,
    confidence: float = 0.95,
) -> list[ProbeRow]:
    """The model card's comparison as a number: whose list holds each fill, template by template?

    A value is 1 where the fill is among the `top_k` of the first person alone, −1 where of the
    second alone, and 0 where of both or of neither: a coarse version of the gap that `probe`
    measures, in the same rows. Raises InputError as `probe` does.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, top_k_presence
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> (row,) = top_k_presence(model, ["The {person} is a [MASK]."], ["nurse"], top_k=5)
        >>> row.label, row.values[0] in (-1.0, 0.0, 1.0)
        ('nurse', True)
    """
    tokens = [_tokens(fill_mask, templates, fill) for fill in fills]
    if not templates:
        raise InputError("There are no templates to probe with; give at least one.")
    for person in persons:
        for template in templates:
            word_id(fill_mask.tokenizer, person, before=template.partition(PERSON)[0])
    first, second = (
        _lists(fill_mask, write_person(templates, person), top_k) for person in persons
    )
    rows = []
    for fill, of_template in zip(fills, tokens, strict=True):
        listed = zip(of_template, first, second, strict=True)
        values = np.array([(token in a) - (token in b) for token, a, b in listed])
        rows.append(ProbeRow.of(fill, values.astype(np.float64), confidence))
    return rows


def _tokens(fill_mask: FillMask, templates: Sequence[str], fill: str) -> list[str]:
    """The token that a fill is in the place of every template's [MASK]."""
    tokenizer = fill_mask.tokenizer
    befores = [template.partition(MASK)[0] for template in templates]
    return [tokenizer.id_to_piece(word_id(tokenizer, fill, before)) for before in befores]


def _lists(fill_mask: FillMask, texts: Sequence[str], top_k: int) -> list[dict[str, float]]:
    """The likeliest tokens of each text's one [MASK], with their probabilities."""
    if not isinstance(top_k, int) or top_k < 1:
        raise InputError(f"top_k={top_k!r} lists no fill; use a whole number of at least 1.")
    lists = []
    for text, logits in zip(texts, fill_mask.masked_logits(texts), strict=True):
        if len(logits) != 1:
            raise InputError(f"{text!r} has {len(logits)} [MASK]s; a list needs exactly one.")
        answers = answer_ids(fill_mask.tokenizer)
        scores, places = logits[0].softmax(dim=-1)[answers].topk(min(top_k, len(answers)))
        ids = answers[places]
        tokens = [fill_mask.tokenizer.id_to_piece(token_id) for token_id in ids.tolist()]
        lists.append(dict(zip(tokens, scores.tolist(), strict=True)))
    return lists
