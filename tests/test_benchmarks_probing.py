"""Scores are those of minicons, to the last digits, wherever both mask the same."""

from __future__ import annotations

import builtins
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import InputError
from benchmarks import probing

needs_minicons = pytest.mark.skipif(
    importlib.util.find_spec("minicons") is None,
    reason="minicons is not installed (the extra benchmark-probing)",
)


@pytest.fixture(autouse=True)
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vocabularies of a few sentences, which cut more words and are sooner made."""
    monkeypatch.setattr(probing, "TEXTS", 100)
    monkeypatch.setattr(probing, "PIECES", 500)


@needs_minicons
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of what minicons imports
@pytest.mark.parametrize("family", probing.FAMILIES)
def test_digits_are_those_of_minicons(family: str, tmp_path: Path) -> None:
    both = probing.write_model(family, tmp_path / family)
    sentences = ["The users' files, if any, are written anew.", *probing.prose(8)]
    for metric in probing.METRICS:
        largest, n_compared, n_others = probing.largest_difference(both, sentences, metric)
        assert largest < probing.MOST_DIFFERENCE and n_compared > 50
        # an ALBERT of transformers has a full stop in the word before it
        assert (n_others > 0) == (family == "albert" and metric == "within_word_l2r")
    totals = probing.theirs_in_batches(both, sentences, 4)
    assert len(totals) == len(sentences) and max(totals) < 0


def test_what_is_masked_with_a_token_is_the_rest_of_its_word() -> None:
    words = [None, 0, 0, 0, 1, None]
    assert [probing.masked(words, place) for place in (1, 2, 3, 4)] == [[1, 2, 3], [2, 3], [3], [4]]


def test_without_minicons_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] == "minicons":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"not installed.*benchmark-probing"):
        probing.write_model("bert", Path("nowhere"))
