"""Reading documents: folders of text, JSON lines, the machine's own documentation."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from albert_lib.errors import TextError
from albert_lib.files import read_text
from albert_lib.text.documentation import python_documentation
from albert_lib.text.sentences import Document, split_sentences

__all__ = [
    "Document",
    "python_documentation",
    "read_documents",
    "read_jsonl",
    "read_text_file",
    "read_text_folder",
    "split_documents",
]

BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
UNFINISHED = re.compile(r"[^.?!:;\"'”’)\]…]$")  # how a line ends that goes on below


def read_documents(path: str | os.PathLike[str], field: str = "text") -> Iterator[Document]:
    """Read documents from a folder of .txt files, a .txt file, or a .jsonl file.

    `field` is for JSON lines. TextError says what is wrong with the path or a file.
    """
    path = Path(path)
    if path.suffix == ".jsonl" and path.is_file():
        return read_jsonl(path, field)
    if path.suffix == ".txt" and path.is_file():
        return refuse_nothing(read_text_file(path), path)
    if path.is_file():
        raise TextError(
            f"{path} is neither .txt nor .jsonl; rename it to what it holds, or pass a folder."
        )
    return read_text_folder(path)


def read_text_folder(path: str | os.PathLike[str]) -> Iterator[Document]:
    """Read every .txt file in and under a folder, in the order of their names."""
    folder = Path(path)
    if not folder.is_dir():
        raise TextError(f"{folder} does not exist; check the path.")
    files = sorted(folder.rglob("*.txt"), key=lambda file: file.relative_to(folder).as_posix())
    if not files:
        raise TextError(f"{folder} holds no .txt file; put text there, as UTF-8.")
    return refuse_nothing(chain.from_iterable(map(read_text_file, files)), folder)


def read_text_file(path: str | os.PathLike[str]) -> Iterator[Document]:
    """Read the documents of one UTF-8 text file, in whichever of the usual layouts it is.

    - A sentence or a paragraph a line, a blank line between documents: as many documents.
    - Lines broken in mid-sentence, as in a printed book, or a blank line after every line: there
      the blank line ends a paragraph, and the file is one document.
    - No blank line: one document.
    """
    blocks = [block.splitlines() for block in BLANK_LINES.split(read_text(path).strip())]
    if is_hard_wrapped(blocks):
        return documents_of([[" ".join(lines) for lines in blocks]])
    if all(len(lines) <= 1 for lines in blocks):
        return documents_of([list(chain.from_iterable(blocks))])
    return documents_of(blocks)


def read_jsonl(path: str | os.PathLike[str], field: str = "text") -> Iterator[Document]:
    """Read one document a line from a file of JSON objects that have their text under `field`."""
    path = Path(path)
    if not path.is_file():
        raise TextError(f"{path} does not exist; check the path.")
    return refuse_nothing(documents_of(jsonl_paragraphs(path, field)), path)


def split_documents(
    documents: Iterable[Document], held_out_every: int = 20
) -> tuple[list[Document], list[Document]]:
    """Set every `held_out_every`-th document aside; return those to train on and those held out.

    The same documents are always split the same way. Of fewer documents than that, the last one
    is held out; of a single one nothing can be, which is a TextError.
    """
    documents = list(documents)
    if len(documents) < 2 or held_out_every < 2:
        raise TextError(
            f"{len(documents)} documents cannot be split with held_out_every={held_out_every}; "
            f"both must be at least 2."
        )
    step = min(held_out_every, len(documents))
    held_out = documents[step - 1 :: step]
    del documents[step - 1 :: step]
    return documents, held_out


def is_hard_wrapped(blocks: Iterable[list[str]]) -> bool:
    """Whether most lines that have another one below them stop in mid-sentence."""
    followed = [line.rstrip() for lines in blocks for line in lines[:-1]]
    unfinished = sum(UNFINISHED.search(line) is not None for line in followed)
    return unfinished > len(followed) / 2


def documents_of(texts: Iterable[list[str]]) -> Iterator[Document]:
    """Cut the paragraphs of each text into sentences; leave out texts without any."""
    for paragraphs in texts:
        document = [sentence for paragraph in paragraphs for sentence in split_sentences(paragraph)]
        if document:
            yield document


def jsonl_paragraphs(path: Path, field: str) -> Iterator[list[str]]:
    """Yield the lines of the text in each JSON object of a file."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            where = f"{path}, line {number},"
            try:
                record = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError:
                raise TextError(f"{where} is not UTF-8; save the file again as UTF-8.") from None
            except json.JSONDecodeError as problem:
                raise TextError(
                    f"{where} is not valid JSON ({problem.msg}); write one object a line."
                ) from None
            text = record.get(field) if isinstance(record, dict) else None
            if not isinstance(text, str):
                raise TextError(
                    f'{where} has no text under "{field}"; name the right field with field=….'
                )
            yield text.encode("utf-8", "replace").decode().splitlines()  # JSON allows half pairs


def refuse_nothing(documents: Iterator[Document], path: Path) -> Iterator[Document]:
    """Pass documents on; TextError at the end if there was not one."""
    empty = True
    for document in documents:
        empty = False
        yield document
    if empty:
        raise TextError(f"{path} holds no text; pass one that does.")
