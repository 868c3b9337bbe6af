"""JupyterLab in a headless Chromium: one private server, one page, nothing leaving the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from lab_server import LOOPBACK, running_lab
from playwright.sync_api import (
    ConsoleMessage,
    Locator,
    Page,
    Response,
    Route,
    WebSocket,
    sync_playwright,
)

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STILL_RUNNING = """() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')]
    .some(prompt => prompt.textContent.includes('*'))"""

# Text and pictures of the output that a control lies in, without the controls' own words.
OUTPUT_BESIDE = """control => {
    const output = control.closest('.jp-Cell-outputArea').cloneNode(true);
    output.querySelectorAll(
        '.albert-dial :is(label, input, select, .albert-dial-value), .albert-dial-steps')
        .forEach(dial => dial.remove());
    const images = [...output.querySelectorAll('img')].map(image => image.alt + image.src);
    return [output.textContent, ...images].join(' ');
}"""


def find_chromium() -> str | None:
    """The browser to drive: the one named by ALBERT_LIB_CHROMIUM, else one on PATH, else None."""
    named = os.environ.get("ALBERT_LIB_CHROMIUM")
    return named or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)


@dataclass
class Complaints:
    """Everything a browser can object to; a test asks that all four lists stay empty."""

    console: list[str] = field(default_factory=list)
    page_errors: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        """The complaints as one list of readable lines."""
        return [
            f"{kind}: {line}"
            for kind in ("console", "page_errors", "blocked", "failed")
            for line in getattr(self, kind)
        ]


class NotebookPage:
    """One notebook open in JupyterLab, with the few gestures that tests and screenshots need."""

    def __init__(self, page: Page, complaints: Complaints) -> None:
        self.page = page
        self.complaints = complaints

    def run_all_cells(self, timeout: float = 240.0) -> None:
        """Choose Run → Run All Cells and wait, at most `timeout` seconds, until none is busy."""
        self.page.click("text=/^Run$/")
        self.page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
        self.page.wait_for_timeout(500)  # let the first prompt turn into [*]
        self.page.wait_for_function(f"() => !({STILL_RUNNING})()", timeout=timeout * 1000)
        self.page.wait_for_timeout(1000)  # widgets draw after their cell is done

    def dials(self) -> Locator:
        """All sliders and choices of the notebook, in reading order."""
        return self.page.locator(".jp-Notebook .albert-dial :is(input, select)")

    def questions(self) -> Locator:
        """All questions of the notebook, each with its buttons, in reading order."""
        return self.page.locator(".jp-Notebook .albert-dial-buttons")

    def steps(self) -> Locator:
        """All rows of buttons for what may come next, in reading order."""
        return self.page.locator(".jp-Notebook .albert-dial-steps")

    def output_beside(self, control: Locator) -> str:
        """What the cell of a control shows, without what the controls themselves say.

        That is its text and its images with their alternative text, in one string to compare.
        """
        return str(control.evaluate(OUTPUT_BESIDE))

    def wait_for_change(self, control: Locator, before: str, timeout: float = 60.0) -> bool:
        """Whether the output beside a control becomes another than `before` within `timeout`."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.output_beside(control) != before:
                return True
            self.page.wait_for_timeout(100)
        return False

    def errors(self) -> list[str]:
        """The tracebacks that cells ended in."""
        outputs = self.page.locator(".jp-RenderedText[data-mime-type*='error']")
        return [str(text) for text in outputs.all_inner_texts()]

    def unfinished_prompts(self) -> list[str]:
        """The prompts of code cells that hold something and have not run."""
        prompts = self.page.locator(".jp-CodeCell .jp-InputPrompt").all_inner_texts()
        return [prompt for prompt in prompts if not any(c.isdigit() for c in prompt)]

    def images_without_alternative_text(self) -> int:
        """How many pictures a person who cannot see would not be told about."""
        # JupyterLab writes alt="Image" where the notebook says nothing
        silent = "img:not([alt]), img[alt=''], img[alt='Image']"
        return self.page.locator(".jp-OutputArea").locator(silent).count()

    def screenshot(self, path: str | os.PathLike[str]) -> None:
        """Write what the window shows now to `path` as PNG."""
        self.page.screenshot(path=str(path))


@contextlib.contextmanager
def open_in_lab(
    notebook: str | os.PathLike[str], *, width: int = 1280, height: int = 960
) -> Iterator[NotebookPage]:
    """Open a copy of `notebook` in JupyterLab, kernel ready; everything is shut down afterwards.

    The server has private configuration folders, so a person's own settings neither show
    nor change, and the notebook's folder in the project stays as it is.
    """
    chromium = find_chromium()
    if chromium is None:
        raise FileNotFoundError("No Chromium on PATH; install it or set ALBERT_LIB_CHROMIUM.")
    with tempfile.TemporaryDirectory(prefix="albert-lab-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        (home / "notebooks").mkdir()
        copy = Path(shutil.copy(notebook, home / "notebooks"))
        with running_lab(home) as address, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium,
                args=[
                    "--no-sandbox",
                    "--disable-dev-shm-usage",
                    f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {LOOPBACK}",
                ],
            )
            context = browser.new_context(
                viewport={"width": width, "height": height}, reduced_motion="reduce"
            )
            complaints = Complaints()
            context.route("**/*", lambda route: only_this_machine(route, complaints))
            page = context.new_page()
            listen(page, complaints)
            page.goto(f"{address}/lab/tree/{copy.name}?reset")
            page.wait_for_selector(".jp-Notebook", timeout=60_000)
            # The toolbar calls itself idle before a kernel exists; the status bar does not.
            page.wait_for_selector("#jp-main-statusbar >> text=/\\| Idle/", timeout=60_000)
            yield NotebookPage(page, complaints)
            browser.close()


def is_here(address: str) -> bool:
    """Whether fetching `address` stays on this machine."""
    parts = urlsplit(address)
    return parts.scheme in ("data", "blob") or parts.hostname == LOOPBACK


def only_this_machine(route: Route, complaints: Complaints) -> None:
    """Let requests to this machine pass; stop and note any other."""
    if is_here(route.request.url):
        route.continue_()
    else:
        complaints.blocked.append(route.request.url)
        route.abort()


def listen(page: Page, complaints: Complaints) -> None:
    """Note every console error, page error, failed response and WebSocket to elsewhere."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            complaints.console.append(message.text)

    def on_response(response: Response) -> None:
        if response.status >= 400:
            complaints.failed.append(f"{response.status} {response.url}")

    def on_websocket(websocket: WebSocket) -> None:
        if not is_here(websocket.url):  # seen, and unresolvable anyway
            complaints.blocked.append(websocket.url)

    page.on("console", on_console)
    page.on("pageerror", lambda problem: complaints.page_errors.append(str(problem)))
    page.on("response", on_response)
    page.on("websocket", on_websocket)
