"""The fuzzer in short; `make damaged` runs a thousand inputs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzz import outcome
from kinds import KINDS, Inputs, Wrong

from albert_lib.errors import InputError

FUZZER = Path(__file__).parent / "fuzz.py"


def test_damaged_files_work_or_are_refused_in_a_sentence() -> None:
    """In a process of its own: here a type checker would refuse wrong types before we do."""
    done = subprocess.run(
        [sys.executable, str(FUZZER), "--count", "400"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.splitlines()[-1]
    counts = re.fullmatch(
        r"400 damaged inputs of 10 kinds: worked (\d+), refused in a sentence (\d+), "
        r"traceback 0, silently wrong 0",
        last,
    )
    assert counts is not None, last
    worked, refused = map(int, counts.groups())
    assert worked + refused == 400 and worked > 20 and refused > 200


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (None, "worked"),
        (InputError("x.json is torn; copy it again."), "refused"),
        (InputError("no sentence"), "traceback"),
        (InputError("two\nlines."), "traceback"),
        (KeyError("x"), "traceback"),
        (Wrong("other ids"), "wrong"),
    ],
    ids=str,
)
def test_the_fuzzer_tells_what_became_of_an_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, raised: Exception | None, expected: str
) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"healthy")
    inputs = Inputs.__new__(Inputs)
    inputs.replaced = {}

    def damage(given: Inputs, _: object) -> None:
        given.replace(file, b"damaged")
        if raised is not None:
            raise raised

    monkeypatch.setitem(KINDS, "questions", damage)
    assert outcome(inputs, "questions", 0, 0)[0] == expected
    assert file.read_bytes() == b"healthy"
