"""Telling prose from code, lists and markup in documentation."""

from __future__ import annotations

import pytest

from albert_lib.corpus.prose import prose_sentences

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
