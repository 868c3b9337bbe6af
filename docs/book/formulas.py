"""A Sphinx extension: formulas as MathML, as in the pages of `make run`."""

from __future__ import annotations

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

from albert_lib.workbook.formulas import FormulaError, formula_mathml

logger = logging.getLogger(__name__)


def drawn(node: nodes.math | nodes.math_block, block: bool) -> str:
    """The formula as MathML; one that cannot be drawn is a warning, which says where it stands."""
    try:
        return formula_mathml(node.astext(), block=block)
    except FormulaError as problem:
        logger.warning(str(problem), location=node)
        return ""


def draw_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(drawn(node, block=False))
    raise nodes.SkipNode


def draw_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own; a wide one scrolls."""
    self.body.append(f'<div class="math">{drawn(node, block=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Make this the way in which formulas are written."""
    app.add_html_math_renderer("mathml", (draw_inline, None), (draw_block, None))
    app.config.html_math_renderer = "mathml"
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
