"""What every test run needs: checked calls, and nbval's settings from whatever folder it starts."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from beartype import BeartypeConf
from beartype.claw import beartype_packages
from jaxtyping import install_import_hook

ROOT = Path(__file__).resolve().parent
# Called for every character, byte or field, and by no test with values of another type:
# `without_shape_checks` turns jaxtyping off alone.
CALLED_OFTEN = {
    f"albert_lib.{name}"
    for name in (
        "corpus.documentation",
        "corpus.layout",
        "corpus.readers",
        "text.aligned_text",
        "text.hf_export",
        "text.normalize",
        "text.sentence_marks",
        "text.sentences",
        "text.spiece_file",
        "text.unigram",
        "text.width",
        "text.wire_format",
        "utf8",
    )
}
SETTINGS = ROOT / "tests" / "notebooks" / "nbval.cfg"


def hold_calls_to_their_signatures() -> None:
    """Check types and shapes at every call of the library, in the tests.

    jaxtyping's check costs tens of microseconds a call, beartype's alone about one. The workbook
    compares values millions of times, and few of its modules name a shape.
    """
    often = [
        name for name in modules() if is_called_often(name) and "jaxtyping" not in source(name)
    ]
    install_import_hook(sorted({*modules()} - {*often}), "beartype.beartype")
    beartype_packages(often, conf=BeartypeConf(claw_is_pep526=False))


def is_called_often(module: str) -> bool:
    """Whether beartype alone checks this module, if it names no shape."""
    return module.startswith("albert_lib.workbook.") or module in CALLED_OFTEN


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
