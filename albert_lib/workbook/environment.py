"""Checks whether this machine is ready for the workbook, and says what to do if not."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from packaging.requirements import Requirement

from albert_lib.errors import counted
from albert_lib.files import (
    HOME_VARIABLE,
    build_folder,
    data_folder,
    in_checkout,
    project_folder,
    ready_to_write,
)
from albert_lib.openmp import how_threads_wait
from albert_lib.processors import usable_processors
from albert_lib.workbook.measured import here

OLDEST_PYTHON = (3, 11)
INSTALL = "run `make lab` in the project's folder, or install as the README says, then restart"


@dataclass(frozen=True)
class Check:
    """One thing the workbook needs: whether it is fulfilled, what was found, and the remedy."""

    name: str
    ok: bool
    detail: str
    remedy: str


def environment_check() -> None:
    """Print a line for each thing the workbook needs: [OK], or [FAIL] and what to do."""
    results = checks()
    for result in results:
        mark = "[OK]  " if result.ok else "[FAIL]"
        print(f"{mark} {result.name} {here(result.detail)}")
        if not result.ok:
            print(f"       → {result.remedy}")
    failed = sum(not result.ok for result in results)
    print(
        "Everything is ready."
        if not failed
        else f"{counted(failed, 'problem')} to repair before you go on."
    )


def checks() -> list[Check]:
    """Run every check; none of them raises or changes anything."""
    return [
        _python(),
        _own_environment(),
        *_packages(),
        _guarded("PyTorch computes a gradient", _torch_works, INSTALL),
        _guarded("processors, and how threads wait while others use them", _processors, INSTALL),
        _guarded("the precision of matrix products is chosen", _precision, INSTALL),
        _guarded(
            "the memory order of large matrices is chosen",
            _matrix_order,
            "set ALBERT_LIB_MATRIX_ORDER to packed, rows or columns, or unset it",
        ),
        _guarded(
            "the build folder can be written",
            _build_is_writable,
            f"make room and permission for {build_folder()}, or set {HOME_VARIABLE} to a folder of "
            "your own",
        ),
        _guarded(
            "the tokenizer that comes with the project is there",
            _tokenizer_is_there,
            "clone or install the project again: its data lacks tokenizers/english-8k",
        ),
    ]


def _python() -> Check:
    wanted = ".".join(map(str, OLDEST_PYTHON))
    return Check(
        f"Python {wanted} or later",
        sys.version_info >= OLDEST_PYTHON,
        platform.python_version(),
        f"install Python {wanted} or later and {INSTALL}",
    )


def _own_environment() -> Check:
    """A virtual or conda environment: the system's Python holds other programs' packages."""
    conda = os.path.isdir(os.path.join(sys.prefix, "conda-meta"))
    virtual = sys.prefix != sys.base_prefix
    kind = "conda" if conda else "virtual" if virtual else "the system's Python"
    return Check("the kernel runs in an environment of its own", conda or virtual, kind, INSTALL)


def _packages() -> Iterator[Check]:
    """A check for every required package: its version must be in the required range."""
    for wanted in _requirements():
        try:
            version = importlib.metadata.version(wanted.name)
        except importlib.metadata.PackageNotFoundError:
            version = "missing"
        fits = version != "missing" and wanted.specifier.contains(version, prereleases=True)
        limits = ", ".join(sorted(map(str, wanted.specifier), reverse=True))
        yield Check(f"{wanted.name} {limits}", fits, version, INSTALL)


def _requirements() -> list[Requirement]:
    """The requirements in pyproject.toml, or outside a checkout those of the installed package."""
    if in_checkout():
        file = project_folder() / "pyproject.toml"
        lines = tomllib.loads(file.read_text(encoding="utf-8"))["project"]["dependencies"]
    else:
        lines = importlib.metadata.requires("albert_lib") or []
    found = [Requirement(line) for line in lines]
    return [each for each in found if each.marker is None or each.marker.evaluate({"extra": ""})]


def _guarded(name: str, look: Callable[[], str], remedy: str) -> Check:
    """Run `look`, which returns what it found or raises."""
    try:
        return Check(name, True, look(), remedy)
    except Exception as problem:  # report whatever is broken, and go on with the other checks
        detail = " ".join(str(problem).split())
        return Check(name, False, f"{type(problem).__name__}: {detail}", remedy)


def _torch_works() -> str:
    torch = importlib.import_module("torch")
    point = torch.ones(3, requires_grad=True)
    (point**2).sum().backward()
    if point.grad.tolist() != [2.0, 2.0, 2.0]:
        raise ArithmeticError(f"the gradient of x² at 1 came out as {point.grad.tolist()}")
    device = "a GPU" if torch.cuda.is_available() else f"{torch.get_num_threads()} CPU threads"
    return device


def _processors() -> str:
    return f"{usable_processors()}; {how_threads_wait()}"


def _precision() -> str:
    torch = importlib.import_module("torch")
    precision = importlib.import_module("albert_lib.training.precision")
    return str(precision.choose_precision(torch.device("cpu")))


def _matrix_order() -> str:
    return str(importlib.import_module("albert_lib.model.layout").matrix_order())


def _build_is_writable() -> str:
    ready_to_write(build_folder())
    return "yes"


def _tokenizer_is_there() -> str:
    text = importlib.import_module("albert_lib.text")
    folder = data_folder() / "tokenizers" / "english-8k"
    return f"{text.AlbertTokenizer.from_pretrained(folder).vocab_size} pieces"
