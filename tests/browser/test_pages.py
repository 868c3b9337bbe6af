"""Pages to read, in Chromium with the network shut: a small book, a page of `make run`, a bad one.

`make book-test` looks at every page of the whole book in the same way (every_page.py).
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from lab_in_browser import find_chromium
from pages_in_browser import broken_links, look_at_all, looking

from albert_lib.workbook.notebook_page import write_page

PROJECT = Path(__file__).resolve().parent.parent.parent
pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(
        find_chromium() is None or sys.platform == "win32",
        reason="needs Chromium on PATH (or ALBERT_LIB_CHROMIUM) and a POSIX system",
    ),
]

TEXT = r"""# Small

An inline $x_1 \le \sqrt{2}$, code `$a$ \frac`, [the front page](../README.md), and

$$p(n) = \frac{1/n}{\sum_{k=1}^{\text{max\_ngram}} 1/k}$$
"""


def small_notebook(path: Path) -> Path:
    """A quiz, an explorer, a figure and a fold of notebook 02, as they are stored."""
    stored = nbformat.read(PROJECT / "notebooks" / "02_masking.ipynb", as_version=4)
    shown = [cell for cell in stored.cells if any("data" in out for out in cell.get("outputs", ()))]
    signs = ('quiz("2.1")', "explorer(", "show(", 'reveal("2.1")')
    kept = [next(cell for cell in shown if sign in cell.source) for sign in signs]
    cells = [nbformat.v4.new_markdown_cell(TEXT), *kept]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=stored.metadata), path)
    return path


def build_small_book(notebook: Path, folder: Path) -> subprocess.CompletedProcess[str]:
    program = PROJECT / "tests" / "browser" / "small_book.py"
    command = [sys.executable, str(program), str(notebook), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_small_book_and_a_page_of_make_run_need_no_network(tmp_path: Path) -> None:
    notebook = small_notebook(tmp_path / "01_small.ipynb")
    built = build_small_book(notebook, tmp_path)
    assert built.returncode == 0 and not built.stderr, built.stderr
    book = tmp_path / "book"
    run_page = write_page(tmp_path, notebook, nbformat.read(notebook, as_version=4))

    seen = look_at_all([*sorted(book.rglob("*.html")), run_page])
    assert not {path.name: page.problems for path, page in seen.items() if page.problems}
    assert not [link for link in broken_links(seen) if run_page.name not in link]
    chapter = book / "notebooks" / "01_small.html"
    for page in (seen[chapter], seen[run_page]):
        assert (page.formulas, page.images, page.folds) == (2, 2, 4)  # three options, a source

    links = {link.partition("#")[0] for page in seen.values() for link in page.links}
    for target in (
        "source/albert_lib/objectives/masking.py.html",  # in the HTML of an output
        "source/albert_lib/training/loop.py.html",
        "source/albert_lib/diagnosis/diagnose.py.html",
        "api/albert_lib.diagnosis.html",
        "api/albert_lib.diagnosis.Measurements.html",
    ):
        assert (book / target).as_uri() in links
    with looking() as looker:
        looker.page.goto(f"{(book / 'search.html').as_uri()}?q=measurements")
        looker.page.wait_for_selector("ul.search li a[href*='Measurements']", timeout=30_000)
        assert not looker.asked


BAD = r"""<html><body><p>$\frac{1}{2}$ and \alpha</p><img src="x.png">
<img alt="far" src="http://elsewhere.invalid/x.png"><details open>right</details>
<math><mi>\foo</mi></math><p>Loading widget...</p><a href="none.html">on</a><a href="#no">here</a>
</body></html>"""


def test_a_page_that_needs_mending_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(BAD, encoding="utf-8")
    seen = look_at_all([page])
    assert {problem.partition(":")[0] for problem in seen[page].problems} == {
        "a request leaves",
        "a widget without its still",
        "an image that does not load",
        "an image without its text",
        "not found",
        "raw TeX",
        "1 folds are open",
    }
    assert sum("raw TeX" in problem for problem in seen[page].problems) == 2
    assert len(broken_links(seen)) == 2


def damage(path: Path, what: str) -> None:
    notebook = nbformat.read(path, as_version=4)
    if what == "not run":
        notebook.cells[1].execution_count = None
    else:
        error = nbformat.v4.new_output("error", ename="ValueError", evalue="no", traceback=[])
        notebook.cells[1].outputs = [error]
    nbformat.write(notebook, path)
    if what == "cut":
        path.write_bytes(path.read_bytes()[:1000])


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("not run", "01_small.ipynb: cell 2 was stored without being run; store it anew"),
        ("failed", "01_small.ipynb: cell 2 ended in ValueError; store it anew"),
        ("cut", "01_small.ipynb is not a notebook (NotJSONError); store it anew"),
    ],
)
def test_a_broken_notebook_is_one_sentence(
    what: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])
    build = runpy.run_path(str(PROJECT / "docs" / "book" / "build.py"))
    notebook = small_notebook(tmp_path / "01_small.ipynb")
    assert build["checked_notebook"](notebook) == notebook.read_bytes()
    damage(notebook, what)
    with pytest.raises(build["BookError"], match=re.escape(said)):
        build["checked_notebook"](notebook)
