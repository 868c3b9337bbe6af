"""The pages about the library: one for every public name, and one for each folder that has some."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from types import ModuleType

from sphinx.pycode import ModuleAnalyzer

import albert_lib

FOLDERS = (  # in the order of the notebooks
    *("text", "corpus", "objectives", "model", "training", "diagnosis", "town", "probing"),
    *("finetuning", "workbook"),
)
# Methods that a class has from these are described by Python and PyTorch.
FOREIGN = "Module, Optimizer, Exception, object, dict, tuple, list, str, int, Enum, IntEnum"

INDEX = """The library
===========

Every public name of ``albert_lib`` has a page, made of its docstring and its examples, which the
tests run. Those below can be imported from the package itself, all of them from the folder they are
listed under.

.. toctree::

{folders}

From ``albert_lib``
-------------------

{names}
"""


def public_modules() -> Iterator[ModuleType]:
    """The folders that name what they offer, in reading order."""
    for folder in FOLDERS:
        yield importlib.import_module(f"albert_lib.{folder}")


def documented() -> dict[str, object]:
    """Every public name, dotted, with what it stands for: under its folder, or else the package."""
    found = {
        f"{module.__name__}.{name}": getattr(module, name)
        for module in public_modules()
        for name in module.__all__
    }
    known = {name.rpartition(".")[2] for name in found}
    for name in albert_lib.__all__:
        if name not in known and not name.startswith("_"):
            found[f"albert_lib.{name}"] = getattr(albert_lib, name)
    return found


def api_pages() -> dict[str, str]:
    """Every page about the library: its path without suffix, and its reStructuredText."""
    names = documented()
    homes = {name.rpartition(".")[2]: name for name in names}
    pages = {f"api/{name}": _name_page(name, value) for name, value in names.items()}
    for module in public_modules():
        links = (_link(f"{module.__name__}.{name}", names) for name in module.__all__)
        described = f".. automodule:: {module.__name__}\n   :no-members:\n\n"
        pages[f"api/{module.__name__}"] = _titled(module.__name__, described + "\n".join(links))
    pages["api/albert_lib.errors"] = _titled(
        "albert_lib.errors", ".. automodule:: albert_lib.errors\n   :members:\n"
    )
    folders = [*(module.__name__ for module in public_modules()), "albert_lib.errors"]
    tops = [homes[name] for name in albert_lib.__all__ if name in homes]
    pages["api/index"] = INDEX.format(
        folders="\n".join(f"   {folder}" for folder in folders),
        names="\n".join(_link(name, names) for name in tops),
    )
    return pages


def constant_home(name: str) -> tuple[str, str]:
    """The module that defines a constant, and the docstring that follows it there.

    Raises LookupError for a constant without one.
    """
    folder, _, short = name.rpartition(".")
    for module in sorted(sys.modules):
        if module.startswith(f"{folder}."):
            said = ModuleAnalyzer.for_module(module).find_attr_docs().get(("", short))
            if said:
                return module, " ".join(said).strip()
    raise LookupError(f"{name} has no docstring; write one below its definition.")


def _titled(title: str, text: str) -> str:
    return f"{title}\n{'=' * len(title)}\n\n{text}\n"


def _link(name: str, names: dict[str, object]) -> str:
    value = names[name]
    plain = inspect.isclass(value) or inspect.isroutine(value)
    said = (inspect.getdoc(value) or "") if plain else constant_home(name)[1]
    first = said.split("\n\n")[0].replace("\n", " ")
    return f"* :doc:`{name.rpartition('.')[2]} <{name}>`: {first}"


def _name_page(name: str, value: object) -> str:
    folder, _, short = name.rpartition(".")
    up = "index" if folder == "albert_lib" else folder
    if inspect.isclass(value):
        how = (
            f".. autoclass:: {name}\n   :members:\n   :inherited-members: {FOREIGN}\n"
            f"   :special-members: __call__, __getitem__, __len__, __iter__\n"
        )
    elif inspect.isroutine(value):
        how = f".. autofunction:: {name}\n"
    else:
        how = f".. autodata:: {constant_home(name)[0]}.{short}\n"
    return ":orphan:\n\n" + _titled(short, f"In :doc:`{folder} <{up}>`.\n\n{how}")
