"""A book of one chapter and one folder of the library: `python small_book.py NOTEBOOK FOLDER`."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
FRONT_PAGE = """# A small book

It links to [a file](albert_lib/training/loop.py) and to [a folder](albert_lib/diagnosis).

```{toctree}
notebooks/01_small
api/albert_lib.diagnosis
```
"""


def main(notebook: Path, folder: Path) -> int:
    """Write FOLDER/book as docs/book/build.py would, if there were no more than that."""
    build = runpy.run_path(str(PROJECT / "docs" / "book" / "build.py"))
    pages = {
        f"{name}.rst": text.encode()
        for name, text in build["api_pages"]().items()
        if name.startswith("api/albert_lib.diagnosis")
    }
    pages["index.md"] = FRONT_PAGE.encode()
    try:
        pages["notebooks/01_small.ipynb"] = build["checked_notebook"](notebook)
    except build["BookError"] as problem:
        print(problem, file=sys.stderr)
        return 1
    for name, text in pages.items():
        place = folder / "sources" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
    status: int = build["write"](folder / "sources", folder / "book")
    return status


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
