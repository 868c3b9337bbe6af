"""What the official scripts of SQuAD print for 55 answers, each alone in a file of one question.

Both were run on each case (evaluate-v1.1.py and evaluate-v2.0.py). An error is the name of what the
script stopped with.
"""

from __future__ import annotations

from typing import NamedTuple

Printed = tuple[float, float] | str  # exact match and F1 in percent, one decimal; or the error


class OfficialCase(NamedTuple):
    """A prediction, None if it is missing, its gold answers, and what each version gives it."""

    name: str
    golds: list[str]
    prediction: str | None
    v1: Printed
    v2: Printed


RIGHT, WRONG = (100.0, 100.0), (0.0, 0.0)
FOUR_FIFTHS, TWO_THIRDS = (0.0, 80.0), (0.0, 66.7)
NO_WORDS = (100.0, 0.0)  # version 1.1: the same text, but no word in common
NO_GOLD, MISSING = "ValueError", "ZeroDivisionError"


def same(name: str, gold: str, prediction: str, printed: Printed) -> OfficialCase:
    """A case of one gold answer on which both versions agree."""
    return OfficialCase(name, [gold], prediction, printed, printed)


def several(name: str, golds: list[str], prediction: str, printed: Printed) -> OfficialCase:
    """A case of several gold answers on which both versions agree."""
    return OfficialCase(name, golds, prediction, printed, printed)


OFFICIAL_CASES = [
    same("exact", "Denver Broncos", "Denver Broncos", RIGHT),
    same("case", "Denver Broncos", "denver BRONCOS", RIGHT),
    same("leading article", "the Denver Broncos", "Denver Broncos", RIGHT),
    same("trailing period", "Denver Broncos", "Denver Broncos.", RIGHT),
    same("partial 1 of 2", "Denver Broncos", "Broncos", TWO_THIRDS),
    same("superset 3 v 2", "Denver Broncos", "Denver Broncos team", FOUR_FIFTHS),
    same("no overlap", "Denver Broncos", "Carolina Panthers", WRONG),
    several(
        "several golds, best 2nd",
        ["Santa Clara, California", "Levi's Stadium"],
        "levis stadium",
        RIGHT,
    ),
    several("EM and F1 from different golds", ["a b", "b c d"], "b c", FOUR_FIFTHS),
    same("empty pred, has gold", "Denver", "", WRONG),
    OfficialCase("missing pred, has gold", ["Denver"], None, WRONG, MISSING),
    OfficialCase("no gold, empty pred", [], "", NO_GOLD, RIGHT),
    OfficialCase("no gold, some pred", [], "Denver", NO_GOLD, WRONG),
    OfficialCase("no gold, missing pred", [], None, WRONG, MISSING),
    OfficialCase("no gold, article-only pred", [], "the", NO_GOLD, RIGHT),
    OfficialCase("no gold, punctuation-only pred", [], "...", NO_GOLD, RIGHT),
    OfficialCase("gold is empty string, empty pred", [""], "", NO_WORDS, RIGHT),
    OfficialCase("gold is empty string, some pred", [""], "Denver", WRONG, WRONG),
    OfficialCase("punctuation-only gold and same pred", ["!!!"], "!!!", NO_WORDS, RIGHT),
    OfficialCase("punctuation-only gold, pred word", ["!!!"], "Denver", WRONG, WRONG),
    OfficialCase(
        "punctuation-only gold + real gold, empty pred", ["!!!", "Denver"], "", NO_WORDS, WRONG
    ),
    OfficialCase("article-only gold, same", ["The"], "The", NO_WORDS, RIGHT),
    OfficialCase('article-only gold, pred "A"', ["The"], "A", NO_WORDS, RIGHT),
    OfficialCase('gold "a" + "Denver", pred "a"', ["a", "Denver"], "a", NO_WORDS, WRONG),
    same("repeated tokens pred", "new york", "new new york", FOUR_FIFTHS),
    same("repeated tokens gold", "new new york", "new york", FOUR_FIFTHS),
    same("repeat both 2v3", "no no", "no no no", FOUR_FIFTHS),
    same("word order", "york new", "new york", (0.0, 100.0)),
    same("hyphen glued", "24-10", "2410", RIGHT),
    same("hyphen vs space", "anglo-saxon", "anglo saxon", WRONG),
    same("en dash gold vs hyphen pred", "24\u201310", "24-10", WRONG),
    same("en dash kept both", "24\u201310", "24\u201310", RIGHT),
    same("curly apostrophe vs straight", "Levi\u2019s", "Levi's", WRONG),
    same("curly quotes around", "\u201cImagine\u201d", "Imagine", WRONG),
    same("ellipsis char", "wait\u2026", "wait", WRONG),
    same("currency \u00a3100 vs 100", "\u00a3100", "100", WRONG),
    same("currency $100 vs 100", "$100", "100", RIGHT),
    same("accent \u00e9 vs e", "Beyonc\u00e9", "Beyonce", WRONG),
    same("NFC vs NFD", "Beyonc\u00e9", "Beyonce\u0301", WRONG),
    same("no-break space inside", "12\u00a0km", "12 km", RIGHT),
    same("zero-width space", "12\u200bkm", "12km", WRONG),
    same("double space", "12  km", "12 km", RIGHT),
    same("newline", "12\nkm", "12 km", RIGHT),
    same("Turkish dotted I", "\u0130stanbul", "i\u0307stanbul", RIGHT),
    same("German \u00df", "Stra\u00dfe", "STRASSE", WRONG),
    same('article glued by punctuation "the-end"', "the-end", "end", WRONG),
    same('article after apostrophe "a\'s"', "a's", "s", WRONG),
    same('article in "A.D."', "A.D.", "AD", RIGHT),
    same('"an" inside word', "an animal", "animal", RIGHT),
    same('article next to \u00e9: "a\u00e9"', "a\u00e9 b", "b", TWO_THIRDS),
    same('article beside en dash "the\u2013end"', "the\u2013end", "end", WRONG),
    same("full-width digits", "\uff11\uff12", "12", WRONG),
    same("underscore", "foo_bar", "foobar", RIGHT),
    same("numbers as words", "two", "2", WRONG),
    OfficialCase("only spaces pred, no gold", [], "   ", NO_GOLD, RIGHT),
]
