"""A Sphinx extension: links to files of the repository lead to pages of the book.

To a chapter or a text, where the book has it as a page; to a folder's page about the library; else
to a page with the file's text in colours, which this makes.
"""

from __future__ import annotations

import importlib
import inspect
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from public_names import documented
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import TextLexer, get_lexer_for_filename
from pygments.util import ClassNotFound
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

PROJECT = Path(__file__).resolve().parent.parent.parent
HREF = re.compile(r'(<a\b[^>]*\bhref=")([^"#:]+)(#[^"]*)?(")')
COLOURED = HtmlFormatter(linenos="inline", anchorlinenos=True, lineanchors="line", wrapcode=True)


def page_of(app: Sphinx, docname: str, target: str) -> str | None:
    """The page of the book that a relative link of a page leads to; None for no such file."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(docname), target.partition("#")[0]))
    place = PROJECT / path
    if path.startswith("..") or not place.exists():
        return None
    if path == "albert_lib":
        return "api/index"
    named = ("index" if path == "README.md" else re.sub(r"\.(md|ipynb)$", "", path),)
    named += ("api/" + path.replace("/", "."),)
    for page in named:
        if page in app.env.found_docs:
            return page
    file = f"{path}/__init__.py" if place.is_dir() else path
    shown_files(app.env).setdefault(docname, set()).add(file)
    return f"source/{file}"


def shown_files(env: BuildEnvironment) -> dict[str, set[str]]:
    """The files that get a page because a page links to them, by that page; kept with the book."""
    if not hasattr(env, "albert_shown_files"):
        env.albert_shown_files = {}
    shown: dict[str, set[str]] = env.albert_shown_files
    return shown


def forget(app: Sphinx, env: BuildEnvironment, docname: str) -> None:
    """A page is read anew: what it linked to counts no more."""
    shown_files(env).pop(docname, None)


def mend_links(app: Sphinx, doctree: nodes.document) -> None:
    """Let the links of texts, and those in the notebooks' outputs, lead to pages."""
    docname = app.env.current_document.docname

    def address(target: str) -> str | None:
        page = page_of(app, docname, target)
        return page and app.builder.get_relative_uri(docname, page)

    def mended(found: re.Match[str]) -> str:
        before, target, anchor, after = found.groups()
        return f"{before}{address(target) or target}{anchor or ''}{after}"

    for node in list(doctree.findall(pending_xref)):
        if node["reftype"] == "myst" and node["refdomain"] != "doc":
            uri = address(node["reftarget"])
            if uri:
                inner = node.children[0].children
                node.replace_self(nodes.reference("", "", *inner, internal=True, refuri=uri))
    for raw in doctree.findall(nodes.raw):
        raw.children = [nodes.Text(HREF.sub(mended, raw.astext()))]


def file_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The pages with the text of the files that are linked, or in which a public name is."""
    pages = app.env.found_docs
    values = (value for name, value in documented().items() if f"api/{name}" in pages)
    homes = (home for value in values for home in files_of(value))
    for path in sorted({*homes, *set().union(*shown_files(app.env).values())}):
        try:
            lexer = get_lexer_for_filename(path)
        except ClassNotFound:
            lexer = TextLexer()
        text = highlight((PROJECT / path).read_text(encoding="utf-8"), lexer, COLOURED)
        yield f"source/{path}", {"title": path, "body": f"<h1>{path}</h1>\n{text}"}, "page.html"


def files_of(value: object) -> Iterator[str]:
    """The library's files in which a value and, of a class, its bases are written."""
    for each in inspect.getmro(value) if inspect.isclass(value) else (value,):
        place = place_of(each)
        if place:
            yield place[0]


def place_of(value: Any) -> tuple[str, int] | None:
    """The file and the line in which a value is written; None for a constant or another's."""
    value = inspect.unwrap(value.fget if isinstance(value, property) else value)
    try:
        file = Path(inspect.getsourcefile(value) or "").relative_to(PROJECT).as_posix()
        return file, inspect.getsourcelines(value)[1]
    except (TypeError, ValueError, OSError):
        return None


def linkcode_resolve(domain: str, info: dict[str, str]) -> str | None:
    """Where a public name is written, as a link from the page about it."""
    value: Any = importlib.import_module(info["module"])
    for part in info["fullname"].split("."):
        value = getattr(value, part, None)
    place = place_of(value)
    return place and f"../source/{place[0]}.html#line-{place[1]}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Take over the links that name no page."""
    app.connect("env-purge-doc", forget)
    app.connect("doctree-read", mend_links)
    app.connect("html-collect-pages", file_pages)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
