"""The machine's own English, and telling prose from code, lists and markup."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import pytest

from albert_lib.corpus import documentation, python_documentation
from albert_lib.corpus.documentation import (
    docstrings_of,
    package_path,
    prose_sentences,
    source_files,
)
from albert_lib.text import Document

SOURCE = '''
"""The module says what it is for.

It says so in two sentences.
"""
import sys
sys.exit("nobody may run this file")
TEMPLATE = """The template is a text that is no docstring at all."""

class Baker:
    r"""The baker has a docstring of his own."""

    def walk(self):
        """The module says what it is for."""

add_docstr(
    walk,
    r"""
The text is handed to a function that sets the docstring.
""",
)
'''

TOPICS = """topics = {
    'WALK': 'The walk is the last topic. The bread is the first topic.',
    'BREAD': 'The bread is the first topic. It '
             'is a short one.',
}"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that must not be imported, beside an almost empty standard library."""
    package = tmp_path / "albert_bakery"
    (package / "tests").mkdir(parents=True)
    (package / "__init__.py").write_text(SOURCE)
    (package / "tests" / "walk.py").write_text('"""The tests are no documentation. So it is."""')
    (package / "latin.py").write_bytes(b'"""The caf\xe9 is not UTF-8. It is left out."""')
    (package / "short.py").write_text('"""The single sentence has no order."""')
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "library" / "pydoc_data").mkdir(parents=True)
    (tmp_path / "library" / "pydoc_data" / "topics.py").write_text(TOPICS)
    (tmp_path / "library" / "pydoc_data" / "__init__.py").write_text("")
    monkeypatch.setattr(documentation, "standard_library", lambda: tmp_path / "library")
    return package


def test_a_package(packages: Path) -> None:
    """Every sentence once, in order, nothing run, one-sentence modules left out."""
    documents = list(python_documentation(packages=("albert_bakery", "not_installed_at_all")))
    assert documents == [
        ["The bread is the first topic.", "It is a short one."],
        [
            "The module says what it is for.",
            "It says so in two sentences.",
            "The baker has a docstring of his own.",
            "The text is handed to a function that sets the docstring.",
        ],
    ]
    assert "albert_bakery" not in sys.modules


def test_files_of_a_package(packages: Path) -> None:
    assert package_path("albert_bakery") == packages
    assert package_path("not_installed_at_all") is None
    names = [file.name for file in source_files(packages)]
    assert names == ["__init__.py", "latin.py", "short.py"]
    assert docstrings_of(packages / "latin.py") == []
    assert len(docstrings_of(packages / "__init__.py")) == 4


def test_pydoc_topics_come_first_and_are_english() -> None:
    documents: list[Document] = list(islice(python_documentation(packages=()), 50))
    assert documents == list(islice(python_documentation(packages=()), 50))
    sentences = [sentence for document in documents for sentence in document]
    assert len(set(sentences)) == len(sentences)
    assert any("optimization is requested at compile time." in sentence for sentence in sentences)
    assert sum(len(sentence.split()) for sentence in sentences) > 5000


NUMPY_STYLE = """Return the sum of the elements
    over a given axis.

    The result is a new array, e.g. of the same type as
    :class:`~numpy.ndarray`; see `the guide <guide.html>`_ for *more* of ``this`` [1]_.

    Parameters
    ----------
    a : array_like
        The elements to sum are given here by the caller.

    This is still a part of the list above it.

    Notes
    -----
    The sum of an empty array is the neutral element.  It is zero.

    - An item that is a whole sentence is prose as well.
    - items that are not

    >>> sum([1, 2]) is the same as this one.
    3

    Returns
    -------
    This tells what it is that the function returns.

    See also::

        An indented block is an example and not a part of the prose.
    """


def test_numpy_style() -> None:
    assert prose_sentences(NUMPY_STYLE) == [
        "Return the sum of the elements over a given axis.",
        "The result is a new array, e.g. of the same type as ndarray; "
        "see the guide for more of this.",
        "The sum of an empty array is the neutral element.",
        "An item that is a whole sentence is prose as well.",
    ]


def test_google_style() -> None:
    text = """Opens the file if it is there.

    Args:
        path: The path of the file that is to be opened.

        mode: The way in which it is to be opened.

    Raises:
        OSError: If the file is not there or is not readable.

    The file is closed when the block ends.
    """
    assert prose_sentences(text) == [
        "Opens the file if it is there.",
        "The file is closed when the block ends.",
    ]


@pytest.mark.parametrize(
    "not_prose",
    [
        "",
        "the sentence begins with a small letter and is not one.",
        "The sentence never ends as it should",
        "Too short.",
        "Calls the_function of the module on each of them.",
        "If x = 3 then the result is the same as before.",
        "The function foo() is called for each of them.",
        "See https://example.org for all of the details.",
        "The path is in os.path and is the same as before.",
        "It is in the list (as it was before.",
        "Alpha Beta Gamma Delta Epsilon Zeta Eta Theta.",
        "The A1 B2 C3 D4 E5 of it.",
        ":param x: The number that is to be added to the sum.",
        ".. note:: The note that is in a directive is not read.",
        "| The row of a table is | not a sentence of the text. |",
    ],
)
def test_is_left_out(not_prose: str) -> None:
    assert prose_sentences(not_prose) == []
