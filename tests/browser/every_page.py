"""Every page of the book in Chromium with the network shut: `make book-test`, two minutes.

Of a test of `make test`'s length, test_pages.py looks at a small book in the same way.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest
from pages_in_browser import Seen, broken_links, look_at_all, looking

import albert_lib

PROJECT = Path(__file__).resolve().parent.parent.parent
BOOK = PROJECT / "build" / "book"
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("[0-9]*.ipynb"))
FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@pytest.fixture(scope="module")
def pages() -> dict[Path, Seen]:
    return look_at_all(sorted(BOOK.rglob("*.html")))


def test_nothing_is_wrong_with_any_page(pages: dict[Path, Seen]) -> None:
    assert len(pages) > 300
    wrong = [
        f"{path.relative_to(BOOK)}: {problem}"
        for path, page in pages.items()
        for problem in page.problems
    ]
    assert not wrong, "\n".join(wrong)


def test_no_link_is_broken(pages: dict[Path, Seen]) -> None:
    broken = broken_links(pages)
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_shows_each_figure_once_and_every_fold_and_formula(
    path: Path, pages: dict[Path, Seen]
) -> None:
    cells = nbformat.read(path, as_version=4).cells
    texts = [cell.source for cell in cells if cell.cell_type == "markdown"]
    outputs = [out for cell in cells for out in cell.get("outputs", ()) if "data" in out]
    texts += [out.data["text/markdown"] for out in outputs if "text/markdown" in out.data]
    shown = [out.data["text/html"] for out in outputs if "text/html" in out.data]
    page = pages[BOOK / "notebooks" / f"{path.stem}.html"]
    assert page.formulas == sum(len(FORMULA.findall(CODE.sub("", text))) for text in texts)
    assert page.images == sum(html.count("<img") for html in shown)
    assert page.folds == sum(text.count("<details") for text in (*texts, *shown))


def test_a_text_has_its_own_title() -> None:
    texts = [path for folder in ("data", "docs") for path in (PROJECT / folder).rglob("*.md")]
    assert len(texts) > 10
    for path in texts:
        (title,) = re.findall(r"^# (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)[:1]
        page = (BOOK / path.relative_to(PROJECT)).with_suffix(".html").read_text(encoding="utf-8")
        (heading,) = re.findall(r"<h1>(.*?)<a", page)
        assert re.sub(r"<[^>]*>", "", heading).lower() == title.replace("`", "").lower()


def test_every_public_name_has_a_page() -> None:
    folders = [each.name for each in pkgutil.iter_modules(albert_lib.__path__) if each.ispkg]
    modules = [importlib.import_module(f"albert_lib.{folder}") for folder in folders]
    public = {
        name: f"{module.__name__}.{name}"
        for module in modules
        for name in getattr(module, "__all__", ())
    }
    tops = set(albert_lib.__all__) - {"__version__"} - public.keys()
    names = {*public.values(), *(f"albert_lib.{name}" for name in tops)}
    assert len(names) > 200
    missing = [name for name in names if not (BOOK / "api" / f"{name}.html").is_file()]
    assert not missing


def test_search_finds_a_chapter_and_a_name_without_a_network() -> None:
    with looking() as looker:
        looker.page.goto(f"{(BOOK / 'search.html').as_uri()}?q=masking")
        looker.page.wait_for_selector("ul.search li", timeout=30_000)
        looker.page.wait_for_function("() => /finished|found/i.test(document.body.innerText)")
        found = looker.page.locator("ul.search li a").evaluate_all(
            "links => links.map(l => l.href)"
        )
        assert not looker.asked
    assert any("notebooks/02_masking.html" in link for link in found)
    assert any("/api/" in link for link in found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_chapter_fits_a_telephone(path: Path) -> None:
    with looking(width=400) as looker:
        looker.page.goto((BOOK / "notebooks" / f"{path.stem}.html").as_uri())
        assert looker.page.evaluate("document.documentElement.scrollWidth") <= 400
