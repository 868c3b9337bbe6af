"""Run a notebook in JupyterLab and photograph it.

python tests/browser/screenshot.py notebooks/02_masking.ipynb shot.png --dial 0 --presses 5
"""

from __future__ import annotations

import argparse
from pathlib import Path

from keyboard import focus_with_tab
from lab_in_browser import open_in_lab


def main() -> None:
    """Read the command line, take the picture, say what the browser complained about."""
    parser = argparse.ArgumentParser(
        description="Run every cell of a notebook in JupyterLab and write a PNG of the window."
    )
    parser.add_argument("notebook", type=Path, help="notebook to open (a copy is used)")
    parser.add_argument("png", type=Path, help="picture to write")
    parser.add_argument("--dial", type=int, help="move this dial (0 is the first) and show it")
    parser.add_argument("--key", default="ArrowRight", help="key to press on it")
    parser.add_argument("--presses", type=int, default=3, help="how often to press it")
    parser.add_argument("--find", help="scroll to the first place with this text")
    parser.add_argument("--width", type=int, default=1280, help="window width in pixels")
    parser.add_argument("--height", type=int, default=960, help="window height in pixels")
    parser.add_argument("--timeout", type=float, default=240, help="seconds the cells may take")
    parser.add_argument("--no-run", action="store_true", help="show stored outputs, run nothing")
    parser.add_argument("--hide-sidebar", action="store_true", help="close the file browser first")
    options = parser.parse_args()

    with open_in_lab(options.notebook, width=options.width, height=options.height) as notebook:
        if options.hide_sidebar:
            notebook.page.keyboard.press("Control+b")
        if not options.no_run:
            notebook.run_all_cells(options.timeout)
        if options.dial is not None:
            dial = notebook.dials().nth(options.dial)
            focus_with_tab(notebook, dial)
            for _ in range(options.presses):
                before = notebook.output_beside(dial)
                notebook.page.keyboard.press(options.key)
                changed = notebook.wait_for_change(dial, before, timeout=20)
                print(f"dial {options.dial}: {'its output changed' if changed else 'NO change'}")
        if options.find is not None:
            notebook.page.locator(f".jp-Notebook :text('{options.find}')").first.evaluate(
                "place => place.scrollIntoView({block: 'start'})"
            )
            notebook.page.wait_for_timeout(500)
        options.png.parent.mkdir(parents=True, exist_ok=True)
        notebook.screenshot(options.png)
        print(f"wrote {options.png}; {notebook.dials().count()} dials in the notebook")
        for line in notebook.complaints.all():
            print(line)


if __name__ == "__main__":
    main()
