"""Formulas as MathML: drawn as they are meant, or refused in a sentence."""

from __future__ import annotations

import re

import nbformat
import pytest

from albert_lib.files import project_folder
from albert_lib.workbook.formulas import FormulaError, formula_mathml


def test_a_formula_is_an_element_that_browsers_draw() -> None:
    drawn = formula_mathml(r" \frac{1}{n} ", block=True)
    assert drawn.startswith("<math ") and drawn.endswith("</math>")
    assert 'display="block"' in drawn and "<mfrac>" in drawn
    assert 'display="inline"' in formula_mathml("n < 2") and "&#x0003C;" in formula_mathml("n < 2")


@pytest.mark.parametrize("sign", "_%#&$")
def test_escaped_signs_in_words_stand_for_themselves(sign: str) -> None:
    words = re.findall("<mtext>(.*?)</mtext>", formula_mathml(rf"\text{{max\{sign}n}}"))
    assert words == [f"max{sign}n"]


@pytest.mark.parametrize(
    ("tex", "said"),
    [
        (r"\frac12 + \unheardof x", r"uses \unheardof, which cannot be drawn"),
        (r"\text{\unheardof}", r"uses \unheardof, which cannot be drawn"),
        (r"{x", "has braces that do not match"),
        (r"x}", "has braces that do not match"),
        (r"\left( x", "cannot be drawn"),
    ],
)
def test_what_cannot_be_drawn_is_said(tex: str, said: str) -> None:
    with pytest.raises(FormulaError, match=re.escape(said)) as caught:
        formula_mathml(tex)
    assert f"The formula ${tex}$ " in str(caught.value)


def test_a_backslash_and_braces_that_are_meant_are_drawn() -> None:
    drawn = formula_mathml(r"\backslash \{x\}")
    assert "\\" not in drawn and "&#x0005C;" in drawn


def test_every_formula_of_the_notebooks_can_be_drawn() -> None:
    n_formulas = 0
    for path in (project_folder() / "notebooks").glob("[0-9]*.ipynb"):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                text = re.sub(r"```.*?```|`[^`\n]*`", "", cell.source, flags=re.DOTALL)
                for block, inline in re.findall(r"(?s)\$\$(.+?)\$\$|\$([^$\n]+)\$", text):
                    formula_mathml(block or inline, block=bool(block))
                    n_formulas += 1
    assert n_formulas > 100
