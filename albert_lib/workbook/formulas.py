"""TeX formulas as MathML, which browsers draw by themselves, without a script or a network."""

from __future__ import annotations

import re

from latex2mathml.converter import convert

from albert_lib.errors import AlbertLibError

TEXT = re.compile(r"\\(?:text|mathrm|operatorname)\{[^{}]*\}")
ESCAPED = re.compile(r"\\([_%#&$ ])")  # in words these signs stand for themselves


class FormulaError(AlbertLibError, ValueError):
    """A formula that cannot be drawn as it was meant."""


def formula_mathml(tex: str, block: bool = False) -> str:
    r"""The formula `tex`, without its dollar signs, as a <math> element; `block`: on its own line.

    Raises FormulaError for a command that the converter does not know, which it would print as it
    stands, and for braces that do not match.

    Example:
        >>> from albert_lib.workbook.formulas import formula_mathml
        >>> formula_mathml(r"\sqrt{H}").count("msqrt")
        2
    """
    words = TEXT.sub(lambda found: ESCAPED.sub(r"\1", found[0]), tex.strip())
    braces = re.sub(r"\\.", "", words)
    if braces.count("{") != braces.count("}"):
        raise FormulaError(f"The formula ${tex.strip()}$ has braces that do not match; mend it.")
    try:
        drawn: str = convert(words, display="block" if block else "inline")
    except Exception as problem:  # the converter's own errors have no common base
        raise FormulaError(
            f"The formula ${tex.strip()}$ cannot be drawn ({type(problem).__name__}); mend its TeX."
        ) from problem
    if "\\" in drawn:  # a \backslash comes out as a character reference
        unknown = re.findall(r"\\[A-Za-z]*", drawn)
        raise FormulaError(
            f"The formula ${tex.strip()}$ uses {unknown[0]}, which cannot be drawn; write it with "
            f"other commands."
        )
    return drawn
