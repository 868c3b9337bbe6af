"""What every test run needs: checked calls, and nbval's settings from whatever folder it starts."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from beartype import BeartypeConf
from beartype.claw import beartype_packages
from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parent
# They have annotations that beartype's hook cannot follow: of NamedTuple, ParamSpec and typeshed.
NOT_FOLLOWED = {
    f"albert_lib.{name}"
    for name in (
        "__main__",
        "probing.sets.files",
        "text.settings",
        "text.tokenizer_files",
        "text.unigram_json",
        "worker_pool",
    )
}
SETTINGS = ROOT / "tests" / "notebooks" / "nbval.cfg"


def hold_calls_to_their_signatures() -> None:
    """Check types and shapes at every call of the library, in the tests.

    jaxtyping's check costs tens of microseconds a call, beartype's alone about one. So jaxtyping
    is for the modules that name a shape.
    """
    named = modules()
    slowly = [name for name in named if name in NOT_FOLLOWED or "jaxtyping" in source(name)]
    install_import_hook(slowly, "beartype.beartype")
    others = sorted({*named} - {*slowly})
    beartype_packages(others, conf=BeartypeConf(claw_is_pep526=False))


def modules() -> list[str]:
    """The library's modules, but no package: its name would stand for all that is in it."""
    files = sorted((ROOT / "albert_lib").rglob("*.py"))
    names = [file.relative_to(ROOT).with_suffix("").parts for file in files]
    return [".".join(name) for name in names if name[-1] != "__init__"]


def source(module: str) -> str:
    """The text of a module."""
    return (ROOT / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")


hold_calls_to_their_signatures()  # before anything imports the library


def pytest_collect_file(file_path: Path) -> None:
    """Import the library's module by its name, before its examples are looked for.

    Else pytest runs the file first, the package that the file imports runs it again, and the
    examples see two classes of one name.
    """
    if file_path.suffix == ".py" and file_path.is_relative_to(ROOT / "albert_lib"):
        parts = file_path.relative_to(ROOT).with_suffix("").parts
        if parts[-1] != "__main__":  # a command: it would run
            importlib.import_module(".".join(parts).removesuffix(".__init__"))


def pytest_configure(config: pytest.Config) -> None:
    """Compare what nbval.cfg lets be compared, in this environment, unless the caller says else."""
    if not getattr(config.option, "nbval", False):
        return
    if config.option.nbval_sanitize_with is None:
        config.option.nbval_sanitize_with = str(SETTINGS)
    if not config.option.nbval_kernel_name:
        config.option.nbval_current_env = True
