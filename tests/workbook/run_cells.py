"""Runs cells as a notebook's kernel does, in a process of its own, and prints what they print.

`python run_cells.py < CELLS.json`, a list of sources. The first cell that raises ends it with 1.
"""

from __future__ import annotations

import json
import sys

from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config


def main() -> int:
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    for cell in json.load(sys.stdin):
        if not shell.run_cell(cell, store_history=True).success:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
