"""The mutants are what they say: one change each, in code, and never in words or types."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

import pytest
from mutations import mutants
from which_tests import PROJECT, Selection

SOURCE = '''
"""A docstring with 1 < 2."""
from typing import Literal


def clip(value: int, low: Literal[0, 1] = 0, *, strict: bool = True) -> int | None:
    """Return at most 3."""
    if value < low and strict:
        raise ValueError(f"{value + 1} is below {low - 1}")
    for each in zip([value], [low], strict=True):
        print(each)
        continue
    return min(value + 1, 3)
'''


def changes() -> set[tuple[str, str]]:
    return {(mutant.before, mutant.after) for mutant in mutants("clip.py", SOURCE)}


def test_every_kind_of_change_is_made() -> None:
    line = "return min(value + 1, 3)"
    test = "if value < low and strict:"
    assert changes() >= {
        (test, "if value <= low and strict:"),
        (test, "if value < low or strict:"),
        (test, "if not (value < low and strict):"),
        (line, "return max(value + 1, 3)"),
        (line, "return min(value - 1, 3)"),
        (line, "return min(value + 2, 3)"),
        (line, "return min(value + 1, 2)"),
        (line, "return min(3, value + 1)"),
        (line, "return None"),
        ("print(each)", "pass"),
        ("continue", "pass"),
    }


def test_words_types_and_promises_stay() -> None:
    touched = {before for before, _ in changes()}
    assert not [line for line in touched if "raise" in line or '"""' in line or "import" in line]
    in_signature = {after for before, after in changes() if before.startswith("def clip")}
    assert all("Literal[0, 1]" in after for after in in_signature) and len(in_signature) == 2
    in_loop = {after for before, after in changes() if before.startswith("for each")}
    assert all("strict=True" in after for after in in_loop)


def test_each_mutant_is_the_source_with_one_line_changed() -> None:
    found = mutants("clip.py", SOURCE)
    for mutant in found:
        pairs = zip(SOURCE.splitlines(), mutant.apply(SOURCE).splitlines(), strict=True)
        different = [(before.strip(), after.strip()) for before, after in pairs if before != after]
        assert different == [(mutant.before, mutant.after)]
    assert len({mutant.id for mutant in found}) == len(found)


def test_an_edit_elsewhere_leaves_a_mutant_its_name() -> None:
    moved = mutants("clip.py", "X = [2]\n" + SOURCE)
    assert {mutant.id for mutant in mutants("clip.py", SOURCE)} < {mutant.id for mutant in moved}


def test_the_most_telling_tests_come_first() -> None:
    far, slow, quick = "tests/b/test_c.py::one", "tests/a/test_b.py::slow", "tests/a/test_b.py::two"
    selection = Selection(
        {far: 0.1, slow: 2.0, quick: 0.2, "tests/c/test_d.py::no": 0.1},
        {"albert_lib/a/b.py": {3: [far]}},
    )
    assert selection.tests_of("albert_lib/a/b.py", 3) == [quick, slow, far]
    assert selection.tests_of("albert_lib/a/b.py", 9) == [quick, slow, far], "run when loaded"


@pytest.mark.skipif(sys.platform == "win32", reason="the runner forks")
def test_a_fault_is_noticed_by_the_tests_of_its_line_and_only_there(tmp_path: Path) -> None:
    from mutant_trials import _fork, _plant, os

    copy = tmp_path / "copy"
    (copy / "tests").mkdir(parents=True)
    (copy / "pyproject.toml").write_text('[tool.pytest.ini_options]\naddopts = "-q"\n')
    (copy / "clip.py").write_text("def low(x): return x < 1\n")
    (copy / "tests" / "test_clip.py").write_text(
        "import clip\ndef test_low(): assert clip.low(0)\ndef test_edge(): assert not clip.low(1)\n"
    )

    def ask(*tests: str) -> int:
        pid = _fork(copy, [f"tests/test_clip.py::{test}" for test in tests])
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    assert ask("test_low", "test_edge") == 0
    _plant(copy / "clip.py", "def low(x): return x <= 1\n")
    assert ask("test_low") == 0
    assert ask("test_low", "test_edge") == 1
    assert (copy / "killer.txt").read_text() == "tests/test_clip.py::test_edge"


def test_every_change_that_is_excused_could_still_be_made() -> None:
    entries = tomllib.loads((PROJECT / "tests/mutants/equivalent.toml").read_text("utf-8"))
    for entry in entries.get("mutant", []):
        source = (PROJECT / entry["file"]).read_text(encoding="utf-8")
        possible = {(each.before, each.after) for each in mutants(entry["file"], source)}
        assert (entry["before"], entry["after"]) in possible, entry
        assert len(entry["reason"]) > 20
