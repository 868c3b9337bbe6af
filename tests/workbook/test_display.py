"""Figures, questions and dials: what they display, and what stands in where no kernel runs."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from albert_lib.workbook import figures, hints, widgets
from albert_lib.workbook.exercise import all_exercises
from albert_lib.workbook.style import COLORS, use_style
from albert_lib.workbook.widgets import choice, explorer, slider

Bundle = dict[str, Any]


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[Bundle]:
    """Everything that is displayed, as bundles with their metadata under "metadata"."""
    bundles: list[Bundle] = []

    def remember(bundle: Any, raw: bool = False, metadata: Any = None) -> None:
        bundles.append({**bundle, "metadata": metadata} if raw else {"object": bundle})

    for module in (figures, widgets, hints):
        monkeypatch.setattr(module, "display", remember)
    return bundles


@pytest.fixture
def shown_widgets(monkeypatch: pytest.MonkeyPatch) -> list[ipywidgets.Widget]:
    """The widgets that are displayed, in order."""
    seen: list[ipywidgets.Widget] = []
    display = widgets.display_widget

    def remember(widget: ipywidgets.Widget, stand_in: Any) -> None:
        seen.append(widget)
        display(widget, stand_in)

    monkeypatch.setattr(widgets, "display_widget", remember)
    monkeypatch.setattr("albert_lib.workbook.questions.display_widget", remember)
    return seen


def a_line(height: float = 1.0) -> Figure:
    figure, axes = plt.subplots()
    axes.plot([0, height])
    return figure


def test_figure_carries_its_alternative_text_everywhere(displayed: list[Bundle]) -> None:
    figures.show(a_line(), 'A line "up" & on.')
    (bundle,) = displayed
    assert bundle["text/plain"] == 'A line "up" & on.'
    assert 'alt="A line &quot;up&quot; &amp; on."' in bundle["text/html"]
    assert bundle["metadata"] == {"image/png": {"alt": 'A line "up" & on.'}}
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert not plt.get_fignums()


def test_figure_without_alternative_text_is_refused(displayed: list[Bundle]) -> None:
    with pytest.raises(figures.FigureError, match="no alternative text"):
        figures.show(a_line(), " ")


def test_same_figure_is_the_same_file(displayed: list[Bundle]) -> None:
    figures.show(a_line(), "one")
    figures.show(a_line(), "one")
    assert displayed[0] == displayed[1]


def test_neighbouring_colours_differ_in_lightness() -> None:
    use_style()

    def lightness(color: str) -> float:
        red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
        return 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2

    values = [lightness(color) for color in COLORS]
    assert all(abs(a - b) > 0.07 for a, b in itertools.pairwise(values))


def test_explorer_redraws_when_a_dial_moves(
    displayed: list[Bundle], shown_widgets: list[ipywidgets.Widget]
) -> None:
    explorer(
        lambda height, kind: (a_line(height), f"A line to {height:.2f}, {kind}"),
        height=slider("height", 0.5, 0.0, 2.0, 0.25),
        kind=choice("kind", ["plain", "fancy"]),
    )
    height, kind, screen = shown_widgets[0].children
    first = screen.value
    assert 'alt="A line to 0.50, plain"' in first
    height.value = 1.0
    kind.value = "fancy"
    assert 'alt="A line to 1.00, fancy"' in screen.value
    assert not plt.get_fignums()

    (bundle,) = displayed  # moving a dial adds no output
    assert first.removesuffix(">") in bundle["text/html"]
    assert bundle["text/plain"] == ("A line to 0.50, plain\n[drawn for height 0.50, kind plain]")
    assert bundle["metadata"]["image/png"]["alt"] == bundle["text/plain"]


def test_explorer_shows_text_too(displayed: list[Bundle]) -> None:
    explorer(lambda n: f"{n} < 4", n=slider("words", 3, 1, 5))
    assert "3 &lt; 4" in displayed[0]["text/html"] and "image/png" not in displayed[0]


def test_hints_come_one_by_one_and_stay_at_the_last(displayed: list[Bundle]) -> None:
    hints._hints_given.clear()
    for _ in range(4):
        hints.hint("4.3")
    texts = [bundle["object"].data for bundle in displayed]
    assert [text[:11] for text in texts] == [f"**Hint {n} of" for n in (1, 2, 3, 3)]
    hints.hint("4.3", 1)
    assert displayed[-1]["object"].data == texts[0]
    with pytest.raises(hints.HintError, match="1, 2 and 3"):
        hints.hint("4.3", 4)


@pytest.mark.parametrize("id", all_exercises())
def test_reveal_shows_the_tested_code_folded(id: str, displayed: list[Bundle]) -> None:
    hints.reveal(id)
    exercise = all_exercises()[id]
    (bundle,) = displayed
    assert bundle["text/html"].startswith("<details>")
    assert exercise.name in bundle["text/html"]
    assert hints.source_file(exercise).startswith("albert_lib/")
    assert f'href="../{hints.source_file(exercise)}"' in bundle["text/html"]
