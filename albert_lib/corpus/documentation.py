"""English prose from the documentation that comes with Python and installed packages."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import re
import sysconfig
from collections.abc import Iterator, Sequence
from pathlib import Path

from albert_lib.text.sentences import Document, split_sentences

PACKAGES = tuple(
    "torch numpy matplotlib sympy networkx mpmath huggingface_hub safetensors tqdm fsspec filelock "
    "IPython ipykernel ipywidgets traitlets jupyterlab jupyterlab_server jupyter_server "
    "jupyter_client jupyter_core notebook nbformat nbconvert nbclient tornado zmq jedi parso "
    "prompt_toolkit pygments jinja2 fontTools PIL pyparsing dateutil packaging requests urllib3 "
    "httpx anyio attr jsonschema referencing babel bs4 psutil debugpy asttokens stack_data "
    "setuptools pip".split()
)
"""Packages that come with the workbook; those that are not installed are skipped."""

NOT_DOCUMENTATION = frozenset(
    "test tests testing idle_test _vendor vendored _vendored site-packages __pycache__ "
    "idlelib lib2to3".split()
)
DOCSTRING = re.compile(r"^[ \t]*[rRuU]?(\"\"\"|''')(.+?)\1", re.DOTALL | re.MULTILINE)
SHORTEST_DOCUMENT = 2  # sentences: with fewer there is no order to predict

HEADING_RULE = re.compile(r"([=\-~^*#`'\"+._:])\1{2,}")  # a line such as ---------
FIELD = re.compile(r"(:\w[^:]*:(?!`)|@\w+|\.\. |\|)")  # :param x:  @return  .. directive  |table
BULLET = re.compile(r"([-*+•]|\(?\d+[.)]|\(?[a-z][.)])\s+")
SECTION_OF_LISTS = re.compile(
    r"(other )?(parameters|params|args|arguments|keyword arguments|keywords|kwargs|attributes|"
    r"returns?|yields?|receives|raises|warns|methods|examples?|usage|see also|references|"
    r"shape|inputs?|outputs?|todo|doctests?|authors?|copyright|license|internal)( \w+)?:*",
    re.IGNORECASE,
)

# Linear time: possessive "++" never backtracks, and the lookbehind starts a match only at the
# beginning of a word or of white space. Otherwise a line of colons or spaces takes quadratic time.
ROLE_NAME = r"(?<![\w:+.-])([\w+.-]*+):[\w:+.-]{2,}+(?<=:)"  # :class: and what stands before it
ROLE_WITH_TITLE = re.compile(rf"(?:{ROLE_NAME})?`([^`<>]++)<[^`<>]*+>`_{{0,2}}")  # `a <b>`
ROLE = re.compile(rf"{ROLE_NAME}`[~!]?([^`]*+)`")  # :class:`name`
QUOTED_CODE = re.compile(r"``([^`]*)``|`([^`]*)`_{0,2}")
EMPHASIS = re.compile(r"(?<![\w*])(\*{1,2})(?=\S)([^*]+?)(?<=\S)\1(?![\w*])")
FOOTNOTE = re.compile(r"(?<!\s)\s*+\[[\w#*.]{1,12}\]_")

WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
PLAIN_WORD = re.compile(r"[A-Z]?[a-z]+(?:['’-][A-Za-z]?+[a-z]*+)*+|[A-Z]{1,6}s?")  # no camelCase
CODE = re.compile(r"[_=<>{}\[\]|\\/@#$%^~*+`]|\(\)|\w\.\w|\s[.,;:]|\.\.|---|::|\(\s|\w\(")
LATIN = re.compile(r"\b(e\.g|i\.e)\.")
FUNCTION_WORDS = frozenset(
    "the a an this that these those it its they them their there he she we you your our i his her "
    "of to in on at by for from with without into as than about over under between through "
    "and or but not no nor if when while because so then also only both either neither "
    "is are was were be been being has have had do does did will would can could may might must "
    "should shall which who whose what where how all any some each every other one such more most "
    "same see use used using does".split()
)


def python_documentation(packages: Sequence[str] = PACKAGES) -> Iterator[Document]:
    """Yield the prose of pydoc's topics, the standard library and installed packages.

    A document is the text of one topic or one module, in order. It has only sentences that read
    like English, each once. Sources are read as text; nothing is imported or run. The same
    versions of Python and the packages give the same documents in the same order.

    Example:
        >>> document = next(python_documentation(packages=()))
        >>> len(document) >= SHORTEST_DOCUMENT
        True
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
    tables = [node for node in ast.walk(ast.parse(read_source(file))) if isinstance(node, ast.Dict)]
    for table in tables:
        for _, topic in sorted(ast.literal_eval(table).items()):
            yield [topic]


def standard_library() -> Path:
    """The folder of the modules that come with Python."""
    return Path(sysconfig.get_path("stdlib"))


def package_path(name: str) -> Path | None:
    """The path of a package or module, without importing it; None if it is not installed."""
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

    Every triple-quoted string at the start of a line counts as one. That includes the strings
    passed to NumPy's add_newdoc and PyTorch's add_docstr, which document compiled code; what is
    not prose is filtered out later.
    """
    return [match[2] for match in DOCSTRING.finditer(read_source(file))]


def read_source(file: Path) -> str:
    """The text of a source file; "" if it cannot be read, since it is one of thousands."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def prose_sentences(docstring: str) -> list[str]:
    r"""The sentences of a docstring that read like English, in order, without markup.

    Example:
        >>> prose_sentences("Return the *old* mill of :class:`~town.Town` to it.\n\n>>> 1")
        ['Return the old mill of Town to it.']
    """
    return [
        sentence
        for paragraph in paragraphs(inspect.cleandoc(docstring))
        for sentence in split_sentences(plain_text(paragraph))
        if reads_like_english(sentence)
    ]


def paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs of prose in a cleaned docstring, each as one line.

    Left out: sections that are lists (parameters, returns, examples …), indented blocks,
    headings, field lists, directives, tables and interpreter sessions. An item of a bulleted
    list is a paragraph.
    """
    in_list_section = False
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines = block.splitlines() or [""]
        if is_heading(lines):
            in_list_section = SECTION_OF_LISTS.fullmatch(lines[0].strip()) is not None
            lines = lines[2:]
        elif SECTION_OF_LISTS.fullmatch(lines[0].strip()) and lines[0].strip().endswith(":"):
            continue  # "Args:" and what is indented under it
        if in_list_section:
            continue
        paragraph: list[str] = []
        for line in lines:
            stripped = line.strip()
            bullet = BULLET.match(stripped)
            if bullet or is_not_prose(line):
                yield " ".join(paragraph)
                paragraph = []
            if bullet:
                paragraph = [stripped[bullet.end() :]]
            elif line.startswith((" ", "\t")) and not paragraph:
                continue
            elif not is_not_prose(line):
                paragraph.append(stripped)
        yield " ".join(paragraph)


def is_heading(lines: list[str]) -> bool:
    """Whether a block begins with a title that is underlined."""
    return len(lines) > 1 and HEADING_RULE.fullmatch(lines[1].strip()) is not None


def is_not_prose(line: str) -> bool:
    """Whether a line is a rule, a field, a directive, a table row or an interpreter prompt.

    Example:
        >>> [is_not_prose(line) for line in ("-----", ":param x: it", "The mill is old.")]
        [True, True, False]
    """
    stripped = line.strip()
    return (
        stripped.startswith((">>>", "...", "$ ", "In [", "Out["))
        or FIELD.match(stripped) is not None
        or HEADING_RULE.fullmatch(stripped.replace(" ", "")) is not None
    )


def plain_text(paragraph: str) -> str:
    """Remove reStructuredText's marks, but not the words inside them.

    Example:
        >>> plain_text("See :func:`mill.grind` and ``flour``, *now* [1]_.")
        'See grind and flour, now.'
    """
    text = ROLE_WITH_TITLE.sub(lambda m: (m[1] or "") + (m[2].rstrip() or " "), paragraph)
    text = ROLE.sub(lambda match: match[1] + match[2].rpartition(".")[2], text)
    text = QUOTED_CODE.sub(lambda match: match[1] or match[2] or "", text)
    text = EMPHASIS.sub(r"\2", text)
    return " ".join(FOOTNOTE.sub("", text).split())


def reads_like_english(sentence: str) -> bool:
    """Whether a sentence looks like English prose, not like code, a title or a list.

    It begins with a capital, ends with . ? or !, and has 4 to 60 words, at least four in five of
    them plain words and one in six a function word (the, of, is …); nothing in it looks like code.

    Example:
        >>> reads_like_english("The mill is old."), reads_like_english("Set x_max to mill.top().")
        (True, False)
    """
    if not sentence[0].isupper() or sentence.rstrip("\"')’”")[-1:] not in (".", "?", "!"):
        return False
    if CODE.search(LATIN.sub("", sentence)) or sentence.count("(") != sentence.count(")"):
        return False
    words = WORD.findall(sentence)
    if not 4 <= len(words) <= 60:
        return False
    n_plain = sum(PLAIN_WORD.fullmatch(word) is not None for word in words)
    n_function = sum(word.lower() in FUNCTION_WORDS for word in words)
    return n_plain >= 0.8 * len(words) and n_function >= len(words) / 6
