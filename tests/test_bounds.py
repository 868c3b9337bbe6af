"""`make test-oldest` tests every lower bound: one that is never installed is named."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from packaging.utils import canonicalize_name
from packaging.version import Version

SCRIPT = Path(__file__).parents[1] / ".ci" / "oldest.py"


@pytest.fixture(scope="module")
def oldest() -> ModuleType:
    spec = importlib.util.spec_from_file_location("oldest", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def lowest(oldest: ModuleType) -> dict[str, Version]:
    return {
        canonicalize_name(requirement.name): Version(
            next(each.version for each in requirement.specifier if each.operator == ">=")
        )
        for requirement in oldest.direct_requirements()
    }


def test_lower_bounds_that_are_installed_pass(
    oldest: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [f"{name}=={version}" for name, version in lowest(oldest).items()]
    resolved = tmp_path / "oldest.txt"
    resolved.write_text("\n".join([*lines, "colorama==0.4 ; sys_platform == 'win32'"]))
    assert oldest.main(str(resolved)) == 0
    assert "Every lower bound" in capsys.readouterr().out


def test_a_bound_that_is_never_installed_is_named(oldest: ModuleType) -> None:
    resolved = lowest(oldest) | {"tqdm": Version("4.99")}
    (problem,) = oldest.untested_bounds(resolved)
    assert problem.startswith("tqdm>=4.66") and problem.endswith("write >=4.99.")


def test_what_trains_vocabularies_is_one_version(oldest: ModuleType) -> None:
    """Sentencepiece 0.2.0 learns other pieces from the same text; the numbers would not hold."""
    assert lowest(oldest)["sentencepiece"] >= Version("0.2.3")
