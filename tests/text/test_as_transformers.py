"""What users of transformers type: it works and gives the same, or says what to type instead."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib import AlbertTokenizer
from albert_lib.errors import AlbertLibError, InputError
from albert_lib.files import data_folder
from albert_lib.text.transformers_names import ARGUMENTS, ATTRIBUTES

TEXTS = ["The old mill.", "a man", "He walks to the mill before dawn, and back."]
PAIRS = ["is old", "walks to the mill", "no"]


@pytest.fixture(scope="module")
def ours() -> AlbertTokenizer:
    return AlbertTokenizer.from_pretrained("english-8k", digit_comma_rule=False)


@pytest.fixture(scope="module")
def theirs() -> Any:
    from transformers import AlbertTokenizer as Reference

    return Reference.from_pretrained(data_folder() / "tokenizers" / "english-8k")


@pytest.mark.parametrize("tensors", ["pt", "np", None])
@pytest.mark.parametrize("pairs", [None, PAIRS])
@pytest.mark.parametrize(
    "options",
    [
        {"padding": True, "truncation": True, "max_length": 7},
        {"padding": "longest", "truncation": "longest_first", "max_length": 7},
        {"padding": "max_length", "truncation": True, "max_length": 30},
        {"padding": "max_length", "truncation": False},
        {"padding": True, "truncation": False, "return_token_type_ids": False},
        {"padding": True, "truncation": True, "return_attention_mask": False},
        {"padding": True, "truncation": True, "add_special_tokens": False},
    ],
)
def test_a_call_gives_what_transformers_gives(
    ours: AlbertTokenizer, theirs: Any, options: dict[str, Any], pairs: Any, tensors: Any
) -> None:
    expected = theirs(TEXTS, pairs, return_tensors=tensors, **options)
    found = ours(TEXTS, pairs, return_tensors=tensors, **options)
    assert found.keys() == expected.keys()
    for name in expected:
        if tensors is None:
            assert found[name] == expected[name]
        else:
            assert type(found[name]) is (torch.Tensor if tensors == "pt" else np.ndarray)
            assert found[name].tolist() == expected[name].tolist()
            assert found[name].dtype == expected[name].dtype


@pytest.mark.parametrize("truncation", ["only_first", "only_second", "longest_first", True])
@pytest.mark.parametrize("max_length", [5, 8, 9, 10, 12, 40])
def test_truncation_gives_what_transformers_gives(
    ours: AlbertTokenizer, theirs: Any, truncation: Any, max_length: int
) -> None:
    """And refuses where transformers does: the text to shorten is not long enough."""
    for first, second in zip(TEXTS, PAIRS, strict=True):
        try:
            expected = theirs(first, second, truncation=truncation, max_length=max_length)
        except Exception:
            with pytest.raises(
                InputError, match=r"has \d+ tokens?, \d+ must go; use truncation=True"
            ):
                ours(first, second, truncation=truncation, max_length=max_length)
            continue
        found = ours(
            first, second, truncation=truncation, max_length=max_length, return_tensors=None
        )
        assert dict(found) == dict(expected)


def test_without_padding_lists_are_ragged_and_tensors_refused(
    ours: AlbertTokenizer, theirs: Any
) -> None:
    found = ours(TEXTS, padding=False, return_tensors=None)
    assert dict(found) == dict(theirs(TEXTS))
    assert dict(ours(TEXTS[0], return_tensors=None)) == dict(theirs(TEXTS[0]))
    for tensors in ("pt", "np"):
        with pytest.raises(InputError, match=r"4 to .* no tensor without padding.*padding=True"):
            ours(TEXTS, padding=False, return_tensors=tensors)
    assert ours(TEXTS[:1], padding=False).input_ids.shape == (1, 6)
    for name, wrong in [("padding", "left"), ("truncation", "middle"), ("return_tensors", "tf")]:
        with pytest.raises(InputError, match=f"{name} is '{wrong}'; use"):
            ours(TEXTS, **{name: wrong})


def test_special_tokens_have_transformers_names(ours: AlbertTokenizer, theirs: Any) -> None:
    for role in ("pad", "unk", "cls", "sep", "mask"):
        for name in (f"{role}_token", f"{role}_token_id"):
            assert getattr(ours, name) == getattr(theirs, name)
    names = (
        "all_special_ids all_special_tokens special_tokens_map vocab_size model_max_length "
        "padding_side truncation_side pad_token_type_id"
    )
    for name in names.split():
        assert getattr(ours, name) == getattr(theirs, name), name
    assert list(ours.model_input_names) == theirs.model_input_names
    assert len(ours) == len(theirs)
    assert ours.get_vocab() == theirs.get_vocab()
    for pair in (False, True):
        assert ours.num_special_tokens_to_add(pair) == theirs.num_special_tokens_to_add(pair)


def test_ids_and_tokens_are_converted_as_in_transformers(
    ours: AlbertTokenizer, theirs: Any
) -> None:
    ids = theirs("The old [MASK] of 日本")["input_ids"]
    for given in (ids, tuple(ids), np.array(ids), torch.tensor(ids)):
        assert ours.convert_ids_to_tokens(given) == theirs.convert_ids_to_tokens(ids)
        assert ours.decode(given) == theirs.decode(ids)
    for skip in (False, True):
        expected = theirs.convert_ids_to_tokens(ids, skip_special_tokens=skip)
        assert ours.convert_ids_to_tokens(ids, skip_special_tokens=skip) == expected
        expected = theirs.batch_decode([ids, [2, 14, 3]], skip_special_tokens=skip)
        assert ours.batch_decode([ids, [2, 14, 3]], skip_special_tokens=skip) == expected
    assert ours.convert_ids_to_tokens(14) == theirs.convert_ids_to_tokens(14)
    tokens = ["▁the", "no such piece", "[MASK]", "s"]
    assert ours.convert_tokens_to_ids(tokens) == theirs.convert_tokens_to_ids(tokens)
    assert ours.convert_tokens_to_ids("▁the") == theirs.convert_tokens_to_ids("▁the")
    assert ours.convert_tokens_to_string(tokens) == theirs.convert_tokens_to_string(tokens)
    with pytest.raises(InputError, match="Id 8000 is not in this vocabulary"):
        ours.convert_ids_to_tokens([8000])


def test_tokenize_and_encode_as_in_transformers(ours: AlbertTokenizer, theirs: Any) -> None:
    for text, pair in zip(TEXTS, [None, *PAIRS[1:]], strict=True):
        for special in (False, True):
            assert ours.tokenize(text, pair, add_special_tokens=special) == theirs.tokenize(
                text, pair, add_special_tokens=special
            )
            expected = theirs.encode(text, pair, add_special_tokens=special)
            assert ours.encode(text, pair, add_special_tokens=special) == expected
    tensor = ours.encode(TEXTS[0], return_tensors="pt")
    assert torch.equal(tensor, theirs.encode(TEXTS[0], return_tensors="pt"))
    cut = {"truncation": True, "max_length": 4}
    assert ours.encode(TEXTS[0], **cut) == theirs.encode(TEXTS[0], **cut)
    assert len(ours.encode("man " * 600, truncation=True)) == 512


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_an_attribute_that_only_transformers_has_says_what_to_type(
    ours: AlbertTokenizer, name: str
) -> None:
    assert not hasattr(ours, name)
    with pytest.raises(AlbertLibError, match=rf"^AlbertTokenizer has no {name}: .+\.$"):
        getattr(ours, name)


@pytest.mark.parametrize("name", ARGUMENTS)
def test_an_argument_that_only_transformers_takes_says_what_to_type(
    ours: AlbertTokenizer, name: str
) -> None:
    with pytest.raises(InputError, match=rf"^AlbertTokenizer takes no {name}: .+\.$"):
        ours("a", **{name: True})


def test_what_nobody_has_is_an_ordinary_error(ours: AlbertTokenizer) -> None:
    with pytest.raises(AttributeError, match=r"^AlbertTokenizer has no milk\.$"):
        ours.milk  # noqa: B018
    with pytest.raises(TypeError, match="unexpected argument 'milk'"):
        ours("a", milk=1)
    batch = ours("a")
    with pytest.raises(AttributeError, match="no labels, only input_ids, attention_mask"):
        batch.labels  # noqa: B018


def test_it_goes_to_other_processes_and_back(ours: AlbertTokenizer) -> None:
    """`__getattr__` is asked before `__init__` has run there."""
    again = pickle.loads(pickle.dumps(ours))
    assert again.encode(TEXTS[0]) == ours.encode(TEXTS[0])
    batch = pickle.loads(pickle.dumps(ours(TEXTS)))
    assert torch.equal(batch.input_ids, ours(TEXTS).input_ids)
