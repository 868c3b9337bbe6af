"""The machine's own English."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import pytest

from albert_lib.corpus import documentation, python_documentation
from albert_lib.corpus.documentation import docstrings_of, package_path, source_files
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
