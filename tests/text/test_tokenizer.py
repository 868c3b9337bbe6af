"""The tokenizer against transformers and against published encodings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from unchecked import errors_of

from albert_lib import AlbertTokenizer
from albert_lib.errors import AlbertLibError, InputError, TokenizerError

MARKED = [
    "Hello I'm a [MASK] model.",
    "The man worked as a [MASK].",
    "[MASK] [MASK]",
    "un[MASK]able",
    "a  [MASK]  , b",
    "[CLS] already [SEP] marked [SEP]",
    "not a mask: [mask] [ MASK ] MASK",
]
Build = Callable[..., Any]


@pytest.fixture(scope="module")
def plain(any_tokenizer: AlbertTokenizer) -> AlbertTokenizer:
    """Without the digit-comma rule, which transformers 5 dropped."""
    return AlbertTokenizer(any_tokenizer.model, digit_comma_rule=False)


def test_published_encodings(published: AlbertTokenizer) -> None:
    """From the tests of google-research/albert and of transformers."""
    assert published.encode("this is a test", add_special_tokens=False) == [48, 25, 21, 1289]
    fox = published.encode("The quick brown fox jumps over the lazy dog.")
    assert fox == [2, 14, 2231, 886, 2385, 17659, 84, 14, 16792, 1952, 9, 3]
    accents = AlbertTokenizer(published.model, keep_accents=True)
    ids = accents.encode("I was born in 92000, and this is falsé.", add_special_tokens=False)
    assert ids == [31, 23, 386, 19, 561, 3050, 15, 17, 48, 25, 8256, 18, 1, 9]
    assert [published.piece_id(p) for p in ("▁modeling", "▁lawyer", "▁nope!")] == [12807, 3672, 1]


def test_ids_agree_with_transformers(
    plain: AlbertTokenizer, texts: list[str], hugging_face: Build
) -> None:
    reference = hugging_face(plain)
    assert [plain.encode(t) for t in texts + MARKED] == reference(texts + MARKED)["input_ids"]


def test_switches_agree_with_transformers(
    english_tokenizer: AlbertTokenizer, texts: list[str], hugging_face: Build
) -> None:
    for settings in ({"do_lower_case": False}, {"keep_accents": True}):
        tokenizer = AlbertTokenizer(english_tokenizer.model, **settings)
        reference = hugging_face(tokenizer, **settings)
        expected = reference(texts[:60])["input_ids"]
        assert [tokenizer.encode(text) for text in texts[:60]] == expected


def test_decoding_agrees_with_transformers(
    plain: AlbertTokenizer, texts: list[str], hugging_face: Build
) -> None:
    reference = hugging_face(plain)
    for text in texts + MARKED:
        ids = plain.encode(text)
        for skip in (False, True):
            expected = reference.decode(ids, skip_special_tokens=skip)
            assert plain.decode(ids, skip_special_tokens=skip) == expected


def test_batches_agree_with_transformers(
    plain: AlbertTokenizer, texts: list[str], hugging_face: Build
) -> None:
    """Every combination of short and long in pairs, cut at even and odd lengths."""
    reference = hugging_face(plain)
    firsts = [*texts[20:24], texts[0], "a"]
    pairs = [(first, second) for first in firsts for second in firsts]
    for max_length in (5, 6, 17, 24, 512):
        ours = plain([a for a, _ in pairs], [b for _, b in pairs], max_length=max_length)
        theirs = reference(
            pairs, truncation=True, max_length=max_length, padding=True, return_tensors="pt"
        )
        assert ours.keys() == theirs.keys()
        for name, tensor in theirs.items():
            assert torch.equal(ours[name], tensor), (name, max_length)
    ours = plain(firsts, max_length=9, pad_to=12)
    theirs = reference(firsts, truncation=True, max_length=9)
    assert ours.input_ids.tolist() == [ids + [0] * (12 - len(ids)) for ids in theirs["input_ids"]]


def test_a_batch_by_hand(english_tokenizer: AlbertTokenizer) -> None:
    the, man, dot = map(english_tokenizer.piece_id, ("▁the", "▁man", "."))
    batch = english_tokenizer(["The man.", "man"], ["the", "the man the"], max_length=6)
    assert batch.input_ids.tolist() == [[2, the, man, 3, the, 3], [2, man, 3, the, man, 3]]
    assert batch.token_type_ids.tolist() == [[0, 0, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1]]
    batch = english_tokenizer(["The man.", "man"])
    assert batch.input_ids.tolist() == [[2, the, man, dot, 3], [2, man, 3, 0, 0]]
    assert batch.attention_mask.tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert set(dict(**batch)) == {"input_ids", "attention_mask", "token_type_ids"}
    assert {tensor.dtype for tensor in batch.to("cpu").values()} == {torch.int64}
    assert english_tokenizer("man").input_ids.tolist() == [[2, man, 3]]


def test_long_texts_are_cut_to_the_positions(english_tokenizer: AlbertTokenizer) -> None:
    assert english_tokenizer("man " * 600).input_ids.shape == (1, 512)
    assert len(english_tokenizer.encode("man " * 600)) == 602


def test_a_call_is_as_long_as_the_model_it_is_for(
    english_tokenizer: AlbertTokenizer, hugging_face: Build, tmp_path: Path
) -> None:
    """A longer max_length is granted; the default is what the tokenizer was made or saved for."""
    long_text = "man " * 2000
    assert english_tokenizer(long_text, max_length=1024).input_ids.shape == (1, 1024)
    assert english_tokenizer(long_text, truncation=False).input_ids.shape == (1, 2002)
    english_tokenizer.save_pretrained(tmp_path)
    assert AlbertTokenizer.from_pretrained(tmp_path).model_max_length == 512
    for_long = AlbertTokenizer(english_tokenizer.model, model_max_length=1024)
    for_long.save_pretrained(tmp_path)
    again = AlbertTokenizer.from_pretrained(tmp_path)
    assert again.model_max_length == 1024
    assert again(long_text).input_ids.shape == (1, 1024)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["model_max_length"] == 1024
    for wrong in (0, -1, 7.5, True, "many"):
        config["model_max_length"] = wrong
        (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
        if wrong == 0:
            assert AlbertTokenizer.from_pretrained(tmp_path).model_max_length == 512
            continue
        with pytest.raises(TokenizerError, match=r"model_max_length is .*; make it a number"):
            AlbertTokenizer.from_pretrained(tmp_path)


def test_offsets_point_at_the_pieces(any_tokenizer: AlbertTokenizer, texts: list[str]) -> None:
    """Cut the normalised text by the offsets: each part is its piece, written without ▁."""
    for text in texts + MARKED:
        ids, offsets = any_tokenizer.encode_with_offsets(text)
        assert ids == any_tokenizer.encode(text, add_special_tokens=False)
        normalized = any_tokenizer.normalize(text)
        for piece_id, (start, end) in zip(ids, offsets, strict=True):
            piece = any_tokenizer.id_to_piece(piece_id).removeprefix("▁")
            if piece_id != any_tokenizer.unk_token_id and normalized.isascii():
                assert normalized[start:end] == piece


def test_offsets_by_hand(english_tokenizer: AlbertTokenizer) -> None:
    assert english_tokenizer.normalize(" The  [MASK],man ") == "the [MASK] ,man"
    assert english_tokenizer.encode_with_offsets(" The  [MASK],man ")[1] == [
        (0, 3), (4, 10), (11, 11), (11, 12), (12, 15),
    ]  # fmt: skip


def test_sentences_in_bulk(any_tokenizer: AlbertTokenizer, texts: list[str]) -> None:
    assert any_tokenizer.encode_sentences(texts) == [
        any_tokenizer.encode(text, add_special_tokens=False) for text in texts
    ]
    assert any_tokenizer.encode_sentences([]) == []
    one_thread = any_tokenizer.encode_sentences(texts, num_threads=1)
    assert one_thread == any_tokenizer.encode_sentences(texts)
    smuggled = any_tokenizer.encode_sentences(["[MASK] and [SEP]"])[0]
    assert not any_tokenizer.is_special[smuggled].any()


def test_saved_and_loaded(english_tokenizer: AlbertTokenizer, tmp_path: Path) -> None:
    text = "Ürsula's ``cat'' sat in 2000, on £5."
    for settings in ({}, {"do_lower_case": False}, {"keep_accents": True, "replace_quotes": False}):
        tokenizer = AlbertTokenizer(english_tokenizer.model, **settings)
        tokenizer.save_pretrained(tmp_path / "saved")
        loaded = AlbertTokenizer.from_pretrained(tmp_path / "saved")
        assert loaded.encode(text) == tokenizer.encode(text)
        assert loaded.fingerprint == tokenizer.fingerprint
    assert english_tokenizer.encode(text) != loaded.encode(text)
    assert sorted(p.name for p in (tmp_path / "saved").iterdir()) == [
        "SHA256SUMS",
        "spiece.model",
        "tokenizer.json",
        "tokenizer_config.json",
    ]


def test_hub_settings_are_understood(english_tokenizer: AlbertTokenizer, tmp_path: Path) -> None:
    english_tokenizer.save_pretrained(tmp_path)
    settings = tmp_path / "tokenizer_config.json"
    settings.write_text(json.dumps({"do_lower_case": False, "remove_space": True}))
    assert AlbertTokenizer.from_pretrained(tmp_path).normalize("A É") == "A E"
    settings.unlink()
    assert AlbertTokenizer.from_pretrained(str(tmp_path)).normalize("A É") == "a e"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not valid JSON"),
        ("[]", "not hold a JSON object"),
        ('{"keep_accents": "no"}', "says keep_accents is 'no'"),
    ],
)
def test_bad_settings(
    english_tokenizer: AlbertTokenizer, tmp_path: Path, content: str, message: str
) -> None:
    english_tokenizer.save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(content)
    with pytest.raises(TokenizerError, match=rf"tokenizer_config\.json.*{message}"):
        AlbertTokenizer.from_pretrained(tmp_path)


def test_missing_and_damaged_files(tmp_path: Path) -> None:
    with pytest.raises(TokenizerError, match=r"spiece\.model does not exist; .* there, or"):
        AlbertTokenizer.from_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(TokenizerError, match=r"tokenizer\.json holds no model; copy or download"):
        AlbertTokenizer.from_pretrained(tmp_path)
    (tmp_path / "spiece.model").write_bytes(b"half a model")
    with pytest.raises(TokenizerError, match=r"spiece\.model cannot be used.*damaged"):
        AlbertTokenizer.from_pretrained(tmp_path)
    with pytest.raises(AlbertLibError):
        AlbertTokenizer.from_pretrained(tmp_path / "nowhere" / "at" / "all")


def test_lengths_are_whole_numbers() -> None:
    calls = [
        f"tokenizer('a', {name}={wrong})"
        for name in ("max_length", "pad_to")
        for wrong in ("2.5", "True", "'8'", "float('nan')")
    ]
    setting_up = (
        "from albert_lib import AlbertTokenizer as T; tokenizer = T.from_pretrained('english-8k')"
    )
    for call, error in errors_of(calls, setting_up).items():
        name = "max_length" if "max_length" in call else "pad_to"
        assert re.fullmatch(rf"InputError: {name} is .*; give a number of tokens\.", error), call


def test_texts_are_texts() -> None:
    setting_up = (
        "from albert_lib import AlbertTokenizer\n"
        "tokenizer = AlbertTokenizer.from_pretrained('english-8k')"
    )
    calls = ["tokenizer(['a', ('b', 'c')])", "tokenizer(['a', 'b'], ['c', None])"]
    first, second = errors_of(calls, setting_up).values()
    assert first.startswith("InputError: texts[1] is ('b', 'c'), not a text; pass strings")
    assert second.startswith("InputError: pairs[1] is None, not a text; pass strings")


def test_impossible_requests(english_tokenizer: AlbertTokenizer) -> None:
    ask = english_tokenizer
    with pytest.raises(InputError, match=r"max_length=2 leaves no room .* at least 3"):
        ask.encode("a", max_length=2)
    with pytest.raises(InputError, match=r"max_length=4 leaves no room .* at least 5"):
        ask("a", "b", max_length=4)
    with pytest.raises(InputError, match="4 tokens does not fit into 3"):
        ask("the man", pad_to=3)
    assert ask("the man", pad_to=4).input_ids.shape == (1, 4), "padding to its own length"
    with pytest.raises(InputError, match="model_max_length=0 leaves no room"):
        AlbertTokenizer(ask.model, model_max_length=0)
    with pytest.raises(InputError, match="no texts"):
        ask([])
    with pytest.raises(InputError, match="has 2 texts and pairs has 1;"):
        ask(["a", "b"], ["c"])
