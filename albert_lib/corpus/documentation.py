"""The machine's own English: the prose of the documentation that comes with Python."""

from __future__ import annotations

import ast
import importlib.util
import re
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from albert_lib.corpus.prose import prose_sentences
from albert_lib.text.sentences import Document

PACKAGES = tuple(
    "torch numpy matplotlib sympy networkx mpmath huggingface_hub safetensors tqdm fsspec filelock "
    "IPython ipykernel ipywidgets traitlets jupyterlab jupyterlab_server jupyter_server "
    "jupyter_client jupyter_core notebook nbformat nbconvert nbclient tornado zmq jedi parso "
    "prompt_toolkit pygments jinja2 fontTools PIL pyparsing dateutil packaging requests urllib3 "
    "httpx anyio attr jsonschema referencing babel bs4 psutil debugpy asttokens stack_data "
    "setuptools pip".split()
)
"""What an installation of the workbook brings with it; what is absent is passed over."""

NOT_DOCUMENTATION = frozenset(
    "test tests testing idle_test _vendor vendored _vendored site-packages __pycache__ "
    "idlelib lib2to3".split()
)
DOCSTRING = re.compile(r"^[ \t]*[rRuU]?(\"\"\"|''')(.+?)\1", re.DOTALL | re.MULTILINE)
SHORTEST_DOCUMENT = 2  # sentences: with fewer there is no order to predict


def python_documentation(packages: Sequence[str] = PACKAGES) -> Iterator[Document]:
    """Yield the prose of pydoc's topics, the standard library and installed packages.

    A document is what one topic or one module says, in order. Only sentences that read like
    English are kept, each once. Sources are read as text; nothing is imported or run. The same
    versions of Python and the packages give the same documents in the same order.
    """
    seen: set[str] = set()
    for docstrings in documented_texts(packages):
        document = []
        for docstring in docstrings:
            for sentence in prose_sentences(docstring):
                if sentence not in seen:
                    seen.add(sentence)
                    document.append(sentence)
        if len(document) >= SHORTEST_DOCUMENT:
            yield document


def documented_texts(packages: Sequence[str]) -> Iterator[list[str]]:
    """Yield the docstrings of each topic, then of each module, package by package."""
    yield from pydoc_topics(standard_library() / "pydoc_data" / "topics.py")
    for folder in [standard_library(), *map(package_path, packages)]:
        if folder is not None:
            for file in source_files(folder):
                yield docstrings_of(file)


def pydoc_topics(file: Path) -> Iterator[list[str]]:
    """Yield the language reference's topics as pydoc carries them, in alphabetical order."""
    tables = [node for node in ast.walk(ast.parse(read(file))) if isinstance(node, ast.Dict)]
    for table in tables:
        for _, topic in sorted(ast.literal_eval(table).items()):
            yield [topic]


def standard_library() -> Path:
    """Where the modules that come with Python lie."""
    return Path(sysconfig.get_path("stdlib"))


def package_path(name: str) -> Path | None:
    """Where a package or module lies, without importing it; None if it is not installed."""
    specification = importlib.util.find_spec(name)
    if specification is None:
        return None
    if specification.submodule_search_locations:
        return Path(next(iter(specification.submodule_search_locations)))
    return Path(specification.origin) if specification.origin else None


def source_files(path: Path) -> list[Path]:
    """The Python sources of a package, sorted by name, without its tests and vendored copies."""
    if path.is_file():
        return [path]
    files = [
        file
        for file in path.rglob("*.py")
        if NOT_DOCUMENTATION.isdisjoint(file.relative_to(path).parts)
    ]
    return sorted(files, key=lambda file: file.relative_to(path).as_posix())


def docstrings_of(file: Path) -> list[str]:
    """The docstrings of a module, its classes and its functions, in the order they stand in.

    Every triple-quoted text that begins a line is taken for one. So are then the texts handed
    to functions such as NumPy's add_newdoc and PyTorch's add_docstr, by which compiled code gets
    its documentation; what is no prose falls to the filter.
    """
    return [match[2] for match in DOCSTRING.finditer(read(file))]


def read(file: Path) -> str:
    """The text of a source file; nothing if it cannot be read, since it is one of thousands."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
