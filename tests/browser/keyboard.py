"""Whoever has no mouse: every control of a notebook is reached by Tab and moved by its keys."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from lab_in_browser import NotebookPage
from playwright.sync_api import Locator

TABS = 40  # at most, from a cell to a control in its output
MOST_STEPS = 30  # of a row of buttons whose steps come to an end
HAS_FOCUS = "control => control === document.activeElement"
NAME = "control => [...control.labels ?? []].map(label => label.textContent).join(' ').trim()"
RING = """control => {
    const looks = getComputedStyle(control);
    return looks.outlineStyle !== 'none' && parseFloat(looks.outlineWidth) >= 2;
}"""
# What a person could turn or press in a widget that is none of ours.
STRANGERS = ".jp-Notebook .jupyter-widgets :is(input, select, textarea, button, [role=slider])"
# The key that moves a control away from where it is: at the upper end, back.
KEY = """control => control.tagName === 'SELECT'
    ? (control.selectedIndex < control.options.length - 1 ? 'ArrowDown' : 'ArrowUp')
    : (Number(control.value) < Number(control.max) ? 'ArrowRight' : 'ArrowLeft')"""
STATE = "control => control.tagName === 'SELECT' ? control.selectedIndex : Number(control.value)"


def focus_with_tab(notebook: NotebookPage, control: Locator) -> bool:
    """Go from the control's cell, selected, to the control by Tab alone; whether it came there."""
    # a cell in command mode, as after Escape
    control.evaluate("control => control.closest('.jp-Cell').focus()")
    for _ in range(TABS):
        notebook.page.keyboard.press("Tab")
        if control.evaluate(HAS_FOCUS):
            return True
    return False


def problems_of_dial(notebook: NotebookPage, dial: Locator, folder: Path) -> Iterator[str]:
    """Move one slider or choice by a key; say what is wrong, and keep a picture in `folder`."""
    name = str(dial.evaluate(NAME))
    if not name:
        yield "a dial has no label"
    if not focus_with_tab(notebook, dial):
        yield f"{name}: Tab does not lead to it"
        return
    if not dial.evaluate(RING):
        yield f"{name}: nothing shows that it has the focus"
    before, place, key = notebook.output_beside(dial), dial.evaluate(STATE), dial.evaluate(KEY)
    notebook.page.keyboard.press(key)
    if dial.evaluate(STATE) == place:
        yield f"{name}: {key} does not move it"
    if not notebook.wait_for_change(dial, before):
        yield f"{name}: what it controls did not change"
    if not dial.evaluate(HAS_FOCUS):
        yield f"{name}: it loses the focus when it is moved"
    if dial.evaluate("control => control.type === 'range' && !control.ariaValueText"):
        yield f"{name}: its value is not said in words"
    photograph(dial, folder, name)


def problems_of_question(notebook: NotebookPage, question: Locator, folder: Path) -> Iterator[str]:
    """Press the first button by Enter and the second by Space; say what is wrong."""
    name = str(question.locator("p").first.inner_text())[:60]
    for place, key in enumerate(("Enter", "Space")):
        button = question.locator("button").nth(place)
        if not focus_with_tab(notebook, button):
            yield f"{name}: Tab does not lead to button {place}"
            continue
        if not button.evaluate(RING):
            yield f"{name}: nothing shows that button {place} has the focus"
        before = notebook.output_beside(button)
        notebook.page.keyboard.press(key)
        if not notebook.wait_for_change(button, before):
            yield f"{name}: {key} on button {place} says nothing"
        if not button.evaluate(HAS_FOCUS):
            yield f"{name}: {key} takes the focus from button {place}"
        if button.get_attribute("aria-pressed") != "true":
            yield f"{name}: button {place} does not say that it is pressed"
    said = question.locator("[role=status]").inner_text()
    if not re.match(r"(✓ Right|✗ Not this): ", said):
        yield f"{name}: no verdict is said in words, but {said!r}"
    photograph(question, folder, name)


def problems_of_steps(notebook: NotebookPage, steps: Locator, folder: Path) -> Iterator[str]:
    """Walk to the end by Enter, always the first way, then one step back; say what is wrong."""
    name = str(steps.locator("p").first.inner_text())
    if not focus_with_tab(notebook, steps.locator("button").first):
        yield f"{name}: Tab does not lead to its first button"
        return
    for step in range(MOST_STEPS):
        before, words = notebook.output_beside(steps), steps.inner_text()
        only_way = steps.locator("button").count() == 1
        if not steps.locator("button").first.evaluate(RING):
            yield f"{name}: nothing shows that its button has the focus"
        notebook.page.keyboard.press("Enter")
        if not notebook.wait_for_change(steps, before) or not other_words(notebook, steps, words):
            yield f"{name}: step {step} changes nothing"
            return
        if not steps.locator("button").first.evaluate(HAS_FOCUS):
            yield f"{name}: step {step} takes the focus from its buttons"
        at_the_end = step > 0 and steps.locator("button").count() == 1
        if step == 0 or at_the_end:
            photograph(steps, folder, f"{name} {step}")
        if step > 0 and only_way:  # that step was the way back from the end
            break
    else:
        yield f"{name}: no end after {MOST_STEPS} steps"
    if not steps.locator("[role=status]").inner_text():
        yield f"{name}: nothing is said of the way"


def other_words(notebook: NotebookPage, steps: Locator, words: str, timeout: float = 60.0) -> bool:
    """Whether the buttons and what is said of them become others than `words`."""
    deadline = time.monotonic() + timeout
    while steps.inner_text() == words:
        if time.monotonic() > deadline:
            return False
        notebook.page.wait_for_timeout(100)
    return True


def problems_of_widgets(notebook: NotebookPage, folder: Path) -> list[str]:
    """Drive every control of a notebook whose cells have run; what is wrong, one line each."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    problems: list[str] = []
    strangers = notebook.page.locator(f"{STRANGERS}:not(.albert-dial *)").count()
    if strangers:
        problems.append(f"{strangers} controls are none of albert_lib/workbook/dials.py")
    for dial in notebook.dials().all():
        problems += problems_of_dial(notebook, dial, folder)
    for question in notebook.questions().all():
        problems += problems_of_question(notebook, question, folder)
    for steps in notebook.steps().all():
        problems += problems_of_steps(notebook, steps, folder)
    return problems


def photograph(control: Locator, folder: Path, name: str) -> None:
    """Keep a picture of the output that a control lies in, numbered in the order of the test."""
    number = len(list(folder.glob("*.png"))) + 1
    words = "_".join(re.findall(r"[a-z0-9]+", name.lower()))[:40]
    output = control.locator("xpath=ancestor::*[contains(@class, 'jp-Cell-outputArea')]")
    output.screenshot(path=str(folder / f"{number:02}_{words}.png"))
