"""Reading documents: folders of text, JSON lines, the machine's own documentation."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from albert_lib.corpus.documentation import python_documentation
from albert_lib.corpus.layout import AUTO, checked_layout
from albert_lib.corpus.readers import (
    UNPACK,
    DocumentPart,
    documents_of,
    file_identity,
    kind_of,
    layout_of_file,
    parts_of_jsonl,
    parts_of_text,
)
from albert_lib.corpus.writing import checksum_of
from albert_lib.errors import TextError
from albert_lib.paths import closed, given_path
from albert_lib.text.sentences import Document, split_sentences

__all__ = [
    "Document",
    "Unit",
    "documentation_unit",
    "file_units",
    "python_documentation",
    "read_documents",
    "read_jsonl",
    "read_text_file",
    "read_text_folder",
    "sentences_of",
    "split_documents",
]

PACKED = ", ".join(UNPACK)


@dataclass(frozen=True)
class Unit:
    """What is read in one piece: a file, a file of a hub data set, or Python's documentation.

    Attributes:
        source: The source it belongs to, as the user named it.
        name: Its own name, for messages and lists.
        identity: What identifies its content, so that a resumed build can tell whether it still
            reads the same text.
        parts: Opens it and yields its documents part by part, the same ones at every call.
        size: Bytes on disk, or None where unknown.
        is_cut: Whether its paragraphs are single sentences already.
        licence: The licence that its source states, if any.
        layout: Tells how its lines make documents; None where that is no question.
        checksum: Reads all its bytes, and returns their CRC-32; None where it is no file.
    """

    source: str
    name: str
    identity: Mapping[str, int | str]
    parts: Callable[[], Iterator[DocumentPart]]
    size: int | None = None
    is_cut: bool = False
    licence: str | None = None
    layout: Callable[[], str] | None = None
    checksum: Callable[[], int] | None = None


def file_units(path: str | os.PathLike[str], field: str = "text", layout: str = AUTO) -> list[Unit]:
    """The text file at a path, or all text files in and under a folder, sorted by name.

    Text files are .txt and .jsonl, also compressed (.txt.xz, .jsonl.gz, …); names that begin with
    a dot are skipped. `field` is for JSON lines, `layout` for .txt files (`read_text_file`). Raises
    TextError when there is none.
    """
    checked_layout(layout)
    top = given_path(path)
    if top.is_file():
        if kind_of(top) not in (".txt", ".jsonl"):
            raise TextError(
                f"{top} is neither .txt nor .jsonl (nor one of these compressed as {PACKED}); "
                f"rename it to what it holds, or pass a folder."
            )
        return [file_unit(top, str(path), top.name, field, layout)]
    return [
        file_unit(file, str(path), file.relative_to(top).as_posix(), field, layout)
        for file in files_in(top, (".txt", ".jsonl"))
    ]


def file_unit(file: Path, source: str, name: str, field: str, layout: str) -> Unit:
    """Describe one text file."""
    identity = file_identity(file)
    checksum = partial(checksum_of, file, identity["bytes"])
    if kind_of(file) == ".jsonl":
        return Unit(
            source,
            name,
            identity,
            lambda: parts_of_jsonl(file, field),
            size=identity["bytes"],
            checksum=checksum,
        )
    return Unit(
        source,
        name,
        identity,
        lambda: parts_of_text(file, layout),
        size=identity["bytes"],
        layout=lambda: layout_of_file(file) if layout == AUTO else layout,
        checksum=checksum,
    )


def documentation_unit(source: str) -> Unit:
    """The prose of the documentation on this machine, as `python_documentation` gives it."""

    def parts() -> Iterator[DocumentPart]:
        return (DocumentPart(document, True) for document in python_documentation())

    packages = importlib.metadata.distributions()
    installed = sorted(f"{package.name}=={package.version}" for package in packages)
    identity = {"python": platform.python_version(), "packages": " ".join(installed)}
    return Unit(source, source, identity, parts, is_cut=True)


def sentences_of(units: Iterable[Unit]) -> Iterator[str]:
    """Yield every sentence of every unit; memory holds one paragraph at a time.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "a.txt")
        ...     _ = file.write_text("The mill is old. A man walks.")
        ...     list(sentences_of(file_units(file)))
        ['The mill is old.', 'A man walks.']
    """
    for unit in units:
        for part in unit.parts():
            for paragraph in part.paragraphs:
                yield from [paragraph] if unit.is_cut else split_sentences(paragraph)


def read_documents(
    path: str | os.PathLike[str], field: str = "text", layout: str = AUTO
) -> Iterator[Document]:
    """Read documents from a folder of text files, or from a .txt or .jsonl file.

    Files may be compressed; `field` is for JSON lines, `layout` for .txt files. Raises
    TextError for a path or file that cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.txt").write_text("The mill is old. It is dry.")
        ...     _ = Path(folder, "b.jsonl").write_text('{"text": "A man walks."}')
        ...     list(read_documents(folder))
        [['The mill is old.', 'It is dry.'], ['A man walks.']]
    """
    units = file_units(path, field, layout)
    parts = chain.from_iterable(unit.parts() for unit in units)
    return refuse_nothing(documents_of(parts), given_path(path))


def read_text_folder(path: str | os.PathLike[str]) -> Iterator[Document]:
    """Read every .txt file, compressed or not, in and under a folder, sorted by name.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.txt").write_text("The mill is old.")
        ...     list(read_text_folder(folder))
        [['The mill is old.']]
    """
    files = files_in(given_path(path), (".txt",))
    return refuse_nothing(chain.from_iterable(map(read_text_file, files)), Path(path))


def read_text_file(path: str | os.PathLike[str], layout: str = AUTO) -> Iterator[Document]:
    r"""Read the documents of one UTF-8 text file, in a layout of LAYOUTS or whichever it is in.

    - "documents": one sentence or paragraph per line, with blank lines between documents. Without
      a blank line, one document.
    - "wrapped": lines broken in mid-sentence, as in a printed book; a blank line ends a paragraph,
      and the file is one document.
    - "paragraphs": a line is a paragraph, blank lines mean nothing, and the file is one document.
      Recognised by a blank line after every line.

    With "auto", the first four million characters decide; the rest of the file is streamed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "a.txt")
        ...     _ = file.write_text("The mill is old.\nIt is dry.\n\nA man walks.\nHe is late.")
        ...     list(read_text_file(file))
        [['The mill is old.', 'It is dry.'], ['A man walks.', 'He is late.']]
    """
    return documents_of(parts_of_text(given_path(path), checked_layout(layout)))


def read_jsonl(path: str | os.PathLike[str], field: str = "text") -> Iterator[Document]:
    """Read one document a line from a file of JSON objects that have their text under `field`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder, "a.jsonl")
        ...     _ = file.write_text('{"body": "The mill is old. It is dry."}')
        ...     list(read_jsonl(file, field="body"))
        [['The mill is old.', 'It is dry.']]
    """
    path = given_path(path)
    if not path.is_file():
        raise TextError(f"{path} does not exist; check the path.")
    return refuse_nothing(documents_of(parts_of_jsonl(path, field)), path)


def split_documents(
    documents: Iterable[Document], held_out_every: int = 20
) -> tuple[list[Document], list[Document]]:
    """Hold out every `held_out_every`-th document; return the training and held-out documents.

    The same documents are always split the same way. With fewer documents, the last one is held
    out. Raises TextError for fewer than two. This is for documents that fit in memory;
    build-corpus splits a stream by the same rule.

    Example:
        >>> split_documents([["A."], ["B."], ["C."], ["D."]], held_out_every=2)
        ([['A.'], ['C.']], [['B.'], ['D.']])
    """
    documents = list(documents)
    if len(documents) < 2 or not is_whole(held_out_every) or held_out_every < 2:
        raise TextError(cannot_split(len(documents), held_out_every))
    step = min(held_out_every, len(documents))
    held_out = documents[step - 1 :: step]
    del documents[step - 1 :: step]
    return documents, held_out


def cannot_split(n_documents: int, held_out_every: int) -> str:
    """Say why documents cannot be split into two parts, and what to do.

    Example:
        >>> cannot_split(3, 1)
        'held_out_every is 1; make it a whole number of at least 2.'
    """
    if n_documents >= 2:
        return f"held_out_every is {held_out_every!r}; make it a whole number of at least 2."
    return (
        f"Splitting needs at least 2 documents, got {n_documents}; pass more text, say with "
        f"layout=… or --layout where a document ends, or hold none out (held_out_every=0)."
    )


def is_whole(value: object) -> bool:
    """Whether a value is a whole number; True and 2.0 are not.

    Example:
        >>> [is_whole(value) for value in (2, 2.0, True, "2")]
        [True, False, False, False]
    """
    return isinstance(value, int) and not isinstance(value, bool)


def files_in(folder: Path, kinds: tuple[str, ...]) -> list[Path]:
    """The files of these kinds in and under a folder, sorted by name, links followed.

    TextError if there is none, or if one of them, or a folder, cannot be read: nobody would see
    that its texts are missing.
    """
    if not folder.is_dir():
        raise TextError(f"{folder} does not exist; check the path.")
    names = (file.relative_to(folder) for file in visible_below(folder) if kind_of(file) in kinds)
    files = sorted(names, key=Path.as_posix)
    if not files:
        raise TextError(
            f"{folder} holds no {' or '.join(kinds)} file; put text there, in UTF-8, plain or "
            f"compressed ({PACKED})."
        )
    for name in files:
        if not (folder / name).is_file():
            raise TextError(
                f"{folder / name} is no file, or a link to one that is not there; remove it."
            )
    return [folder / name for name in files]


def visible_below(folder: Path) -> Iterator[Path]:
    """Yield what is in and under a folder and no folder itself, nor hidden; once where links turn.

    Example:
        >>> from albert_lib.files import data_folder
        >>> sorted(file.name for file in visible_below(data_folder() / "probes"))
        ['README.md', 'occupations.json', 'pairs.csv']
    """

    def refuse(problem: OSError) -> None:
        raise TextError(closed(problem.filename, problem))

    seen: set[str] = set()
    for top, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(top)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(top, name) for name in names if not name.startswith("."))


def refuse_nothing(documents: Iterator[Document], path: Path) -> Iterator[Document]:
    """Yield the documents; TextError at the end if there was none."""
    empty = True
    for document in documents:
        empty = False
        yield document
    if empty:
        raise TextError(f"{path} holds no text; pass a file or folder with some.")
