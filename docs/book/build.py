"""Make the book: the notebooks, the texts around them, and a page for every public name.

`python docs/book/build.py` gathers them in build/book-sources and lets Sphinx write build/book.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nbformat
from sphinx.cmd.build import build_main

BOOK = Path(__file__).resolve().parent
PROJECT = BOOK.parent.parent
sys.path[:0] = [str(PROJECT), str(BOOK)]

from public_names import api_pages  # noqa: E402

from albert_lib.errors import AlbertLibError  # noqa: E402

# The texts of the repository that are pages, as patterns, and the pictures that they show.
IN_CONTENTS = ("CONTRIBUTING.md", "CHANGELOG.md", "docs/*.md", "benchmarks/README.md")
BY_LINKS_ALONE = ("data/**/README.md",)
NOTEBOOKS = "notebooks/[0-9]*.ipynb"
PICTURES = ("docs/*.png",)
CONTENTS = """

```{{toctree}}
:caption: The notebooks
:hidden:

{notebooks}
```

```{{toctree}}
:caption: Around them
:hidden:

Words <docs/glossary>
Who is harmed by which error? <docs/ethics>
docs/teaching
Speed, measured <benchmarks/README>
CONTRIBUTING
CHANGELOG
```

```{{toctree}}
:caption: The library
:hidden:

api/index
```
"""


class BookError(AlbertLibError, ValueError):
    """Something that cannot be a page of the book."""


def main() -> int:
    """Gather the pages and write the book; return the exit status."""
    sources, out = PROJECT / "build" / "book-sources", PROJECT / "build" / "book"
    try:
        if gather(sources):  # Sphinx would leave the old page where it is
            shutil.rmtree(out, ignore_errors=True)
    except AlbertLibError as problem:
        print(problem, file=sys.stderr)
        return 1
    return write(sources, out)


def gather(folder: Path) -> bool:
    """Put every page of the book into `folder`; a file that is there and the same is left alone.

    Returns whether a page of an earlier book is gone. Raises BookError for a notebook that is
    damaged, was stored without its outputs, or failed.
    """
    names = [path.relative_to(PROJECT).as_posix() for path in sorted(PROJECT.glob(NOTEBOOKS))]
    listed = CONTENTS.format(notebooks="\n".join(name.removesuffix(".ipynb") for name in names))
    pages = {name: checked_notebook(PROJECT / name) for name in names}
    pages["index.md"] = (PROJECT / "README.md").read_bytes() + listed.encode()
    for pattern in (*IN_CONTENTS, *BY_LINKS_ALONE, *PICTURES):
        for path in PROJECT.glob(pattern):
            text = path.read_bytes()
            alone = pattern in BY_LINKS_ALONE
            pages[path.relative_to(PROJECT).as_posix()] = out_of_contents(text) if alone else text
    pages |= {f"{name}.rst": text.encode() for name, text in api_pages().items()}
    for name, text in pages.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.is_file() or place.read_bytes() != text:
            place.write_bytes(text)
    gone = [
        place
        for place in folder.rglob("*")
        if place.is_file() and place.relative_to(folder).as_posix() not in pages
    ]
    for place in gone:
        place.unlink()
    return bool(gone)


def out_of_contents(text: bytes) -> bytes:
    """A text that says of itself, to Sphinx, that the contents do not list it."""
    if text.startswith(b"---\n"):  # a model card, which has its own header
        return b"---\norphan: true\n" + text.removeprefix(b"---\n")
    return b"---\norphan: true\n---\n" + text


def checked_notebook(path: Path) -> bytes:
    """A stored notebook, if it can be read and every cell of it was run without an error."""
    again = f"store it anew with `python -m albert_lib.workbook.run --write {path.name}`."
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except Exception as problem:  # whatever a damaged file leads nbformat into
        raise BookError(f"{path} is not a notebook ({type(problem).__name__}); {again}") from None
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type == "code" and cell.source.strip():
            errors = [each for each in cell.outputs if each.output_type == "error"]
            if errors and "raises-exception" not in cell.metadata.get("tags", []):
                raise BookError(f"{path}: cell {number} ended in {errors[0].ename}; {again}")
            if cell.execution_count is None:
                raise BookError(f"{path}: cell {number} was stored without being run; {again}")
    return path.read_bytes()


def write(sources: Path, out: Path) -> int:
    """Write the pages in `sources` as HTML into `out`; return the exit status, not 0 on a warning.

    What Sphinx remembers of pages that had a warning is thrown away, so that it warns again.
    """
    remembered = out.with_name(f"{out.name}-doctrees")
    options = ["-q", "-W", "--keep-going", "-b", "html", "-c", str(BOOK), "-d", str(remembered)]
    status: int = build_main([*options, str(sources), str(out)])
    if status:
        shutil.rmtree(remembered, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
