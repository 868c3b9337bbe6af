"""Pages on disk in a headless Chromium with the network shut: what is wrong with each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lab_in_browser import find_chromium
from playwright.sync_api import Page, Request, sync_playwright

# Everything that is asked of a page, in one call. Raw TeX: a formula between dollar signs or a
# command, outside of code; within <math> a backslash is a command that was not understood.
LOOK = r"""() => {
    const silent = ['', 'Image', 'No description has been provided for this image'];
    const problems = [];
    for (const image of document.images) {
        if (silent.includes((image.getAttribute('alt') || '').trim()))
            problems.push('an image without its text: ' + image.src.slice(0, 60));
        if (image.complete && image.naturalWidth === 0)
            problems.push('an image that does not load: ' + image.src.slice(0, 60));
    }
    const notProse = 'script, style, code, pre, math, .sig';
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const text = walker.currentNode.data;
        if (!/[$\\]|Loading widget|model not found/.test(text)) continue;
        const around = walker.currentNode.parentElement;
        const formula = around.closest('math');
        if (around.closest(notProse) && !(formula && text.includes('\\'))) continue;
        if (formula || /\$[^$]+\$|\$\$|\\[a-zA-Z]{2,}|\\[()[\]]/.test(text))
            problems.push('raw TeX: ' + text.trim().slice(0, 80));
        else if (/Loading widget|model not found/.test(text))
            problems.push('a widget without its still: ' + text.trim().slice(0, 80));
    }
    for (const formula of document.querySelectorAll('math'))
        if (!formula.closest('details') && formula.getBoundingClientRect().height < 4)
            problems.push('a formula that is not drawn: ' + formula.textContent);
    const open = document.querySelectorAll('details[open]').length;
    if (open) problems.push(open + ' folds are open');
    return {
        problems,
        links: [...document.links].map(link => link.href),
        anchors: [...document.querySelectorAll('[id], a[name]')].map(each => each.id || each.name),
        images: document.images.length,
        formulas: document.querySelectorAll('math').length,
        folds: document.querySelectorAll('details').length,
    };
}"""


@dataclass
class Seen:
    """What a page has, and what is wrong with it."""

    problems: list[str]
    links: list[str]
    anchors: set[str]
    images: int
    formulas: int
    folds: int


@dataclass
class Looker:
    """A browser that opens one page after another and notes what each asks for."""

    page: Page
    asked: list[str] = field(default_factory=list)

    def look(self, path: Path) -> Seen:
        """Open a page; what it asked the network for and its scripts' errors are problems too."""
        self.asked.clear()
        self.page.goto(path.as_uri(), wait_until="load")
        found = self.page.evaluate(LOOK)
        seen = Seen(**{**found, "anchors": set(found["anchors"])})
        seen.problems += self.asked
        return seen


@contextlib.contextmanager
def looking(width: int = 1280) -> Iterator[Looker]:
    """A browser without a network, in which pages are opened from disk."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--host-resolver-rules=MAP * ~NOTFOUND",
            ],
        )
        page = browser.new_page(viewport={"width": width, "height": 800})
        looker = Looker(page)

        def on_request(request: Request) -> None:
            if urlsplit(request.url).scheme not in ("file", "data", "blob"):
                looker.asked.append(f"a request leaves: {request.url}")

        page.on("request", on_request)
        page.on("requestfailed", lambda each: looker.asked.append(f"not found: {each.url}"))
        page.on("pageerror", lambda each: looker.asked.append(f"an error of a script: {each}"))
        yield looker
        browser.close()


def broken_links(seen: dict[Path, Seen]) -> list[str]:
    """The links between pages on disk that lead to no file, or to no place on a page."""
    broken = []
    for path, page in seen.items():
        for link in dict.fromkeys(page.links):
            parts = urlsplit(link)
            if parts.scheme == "file":
                target = Path(unquote(parts.path))
                anchors = seen[target].anchors if target in seen else {""}
                if not target.is_file():
                    broken.append(f"{path.name} links to {target}, which does not exist")
                elif target in seen and parts.fragment and unquote(parts.fragment) not in anchors:
                    broken.append(f"{path.name} links to {target.name}#{parts.fragment}")
    return broken


def look_at_all(paths: Iterable[Path]) -> dict[Path, Seen]:
    """Every page, opened one after another in one browser."""
    with looking() as looker:
        return {path: looker.look(path) for path in paths}
