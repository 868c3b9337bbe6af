"""A notebook as one HTML file that needs no network: formulas drawn, pictures with their text."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode

from albert_lib.files import new_file
from albert_lib.workbook.canonical import WIDGET_VIEW, canonical
from albert_lib.workbook.formulas import formula_mathml

# nbconvert's page without what it would fetch: require.js, MathJax and Mermaid.
TEMPLATE = """
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
{%- block notebook_css -%}
{{ super() }}
<style>
.jp-RenderedHTMLCommon math[display="block"] { overflow-x: auto; overflow-y: hidden; }
.jp-RenderedHTMLCommon table { display: block; overflow-x: auto; }
</style>
{%- endblock -%}
"""


class _FormulaRenderer(IPythonRenderer):
    """Markdown as nbconvert renders it, with formulas as MathML."""

    def block_math(self, body: str) -> str:
        return formula_mathml(body, block=True)

    def inline_math(self, body: str) -> str:
        return formula_mathml(body)

    def latex_environment(self, name: str, body: str) -> str:
        return formula_mathml(f"\\begin{{{name}}}{body}\\end{{{name}}}", block=True)


class _Exporter(HTMLExporter):
    """nbconvert's exporter of HTML, for pages that fetch nothing."""

    raw_template = TEMPLATE

    def default_filters(self) -> Iterator[tuple[str, Callable[..., object]]]:
        """Those of nbconvert, but for the text of cells and outputs."""
        yield from super().default_filters()
        yield "markdown2html", _markdown_html


def _markdown_html(source: str) -> str:
    renderer = _FormulaRenderer(escape=False, anchor_link_text="¶")
    rendered: str = MarkdownWithMath(renderer=renderer).render(source)
    return rendered


def write_page(folder: Path, path: Path, notebook: NotebookNode) -> Path:
    """Write the notebook as one HTML file into `folder`, with links to the other pages.

    It fetches nothing when it is opened. Raises FormulaError for TeX that cannot be drawn.
    """
    page = canonical(without_progress_bars(notebook))
    for cell in page.cells:
        if cell.cell_type == "markdown":
            cell.source = re.sub(r"(\]\((?:\./)?[\w-]+)\.ipynb\b", r"\1.html", cell.source)
    body, _ = _Exporter().from_notebook_node(page, {"metadata": {"name": path.stem}})
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{path.stem}.html"
    with new_file(target) as file:
        file.write_text(body, encoding="utf-8")
    return target


def without_progress_bars(notebook: NotebookNode) -> NotebookNode:
    """A copy without widgets that have no static output, such as a progress bar at 0 %."""
    page = copy.deepcopy(notebook)
    for cell in page.cells:
        if cell.cell_type == "code":
            cell.outputs = [
                output
                for output in cell.outputs
                if WIDGET_VIEW not in output.get("data", {}) or "text/html" in output.data
            ]
    return page
