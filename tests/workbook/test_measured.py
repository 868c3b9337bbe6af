"""Numbers of one machine: a verdict that is compared, a value that is not."""

from __future__ import annotations

import re

import pytest

from albert_lib.files import project_folder
from albert_lib.workbook.measured import NumberError, band, here

CONFIGURATION = project_folder() / "tests" / "notebooks" / "nbval.cfg"


def sanitized(text: str) -> str:
    """What nbval compares, read from the file as nbval reads it."""
    lines = CONFIGURATION.read_text(encoding="ascii")
    for pattern, replacement in re.findall(
        r"^regex: (.*)$\n^replace: (.*)$", lines, flags=re.MULTILINE
    ):
        text = re.sub(pattern, replacement, text)
    return text


def printed(capsys: pytest.CaptureFixture[str], value: float) -> str:
    band("held-out MLM loss", value, 4.9, 6.1, "nats")
    return capsys.readouterr().out


def test_inside(capsys: pytest.CaptureFixture[str]) -> None:
    line = "held-out MLM loss: inside the promised 4.90 to 6.10 nats (here: 5.43)\n"
    assert printed(capsys, 5.43) == line


def test_two_machines_inside_the_band_print_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    assert sanitized(printed(capsys, 5.43)) == sanitized(printed(capsys, 6.1))


@pytest.mark.parametrize("value", [4.8, 6.2, float("nan")])
def test_outside_differs_and_says_what_to_do(
    value: float, capsys: pytest.CaptureFixture[str]
) -> None:
    text = printed(capsys, value)
    assert sanitized(text) != sanitized(printed(capsys, 5.43))
    assert "Restart the kernel" in text


def test_nothing_inside_here_escapes_the_sanitizer() -> None:
    text = here("3 s (2 cores)\nand")
    assert sanitized(f"took {text}.") == "took HERE."


def test_band_upside_down_is_refused() -> None:
    with pytest.raises(NumberError, match="give low first"):
        band("loss", 1.0, 2.0, 1.0)
