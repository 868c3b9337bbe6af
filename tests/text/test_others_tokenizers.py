"""Tokenizers that others wrote: the same ids as theirs, or a sentence that names what differs."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from transformers import AddedToken, AutoTokenizer

from albert_lib import AlbertTokenizer
from albert_lib.errors import TokenizerError
from albert_lib.files import data_folder
from albert_lib.text import normalize
from albert_lib.text.aligned_tokens import align_tokens
from albert_lib.text.train_vocabulary import PUBLISHED_SETTINGS

SPIECE = data_folder() / "tokenizers" / "english-8k" / "spiece.model"
MARKED = ["a [MASK] b", "x[MASK]y (z) windmill 12, 2000, cab ½ ... é", "<s> [CLS] and <pad>"]
SPECIAL = ["[CLS]", "[SEP]", "[MASK]"]
HARMLESS: dict[str, dict[str, Any]] = {
    "as published": {},
    "no rules for characters": {"normalization_rule_name": "identity"},
    "nfkc": {"normalization_rule_name": "nfkc"},
    "lower-casing rules": {"normalization_rule_name": "nmt_nfkc_cf"},
    "spaces kept": {"remove_extra_whitespaces": False, "allow_whitespace_only_pieces": True},
    "over scripts and numbers": {"split_by_unicode_script": False, "split_by_number": False},
    "digits apart": {"split_digits": True},
    "over spaces": {"split_by_whitespace": False},
    "symbols of one's own": {"user_defined_symbols": ["mill", "(", ".", "the", "ab"]},
    "special tokens as symbols": {"control_symbols": [], "user_defined_symbols": SPECIAL},
    "more control pieces": {"bos_id": 5, "eos_id": 6},
    "unknown first": {"pad_id": 3, "unk_id": 0},
}
REFUSED: dict[str, dict[str, Any]] = {
    "model_type=bpe": {"model_type": "bpe"},
    "model_type=word": {"model_type": "word", "vocab_size": 100},
    "model_type=char": {"model_type": "char", "vocab_size": 50},
    "byte_fallback=true": {"byte_fallback": True, "vocab_size": 800},
    "add_dummy_prefix=false": {"add_dummy_prefix": False},
    "treat_whitespace_as_suffix=true": {"treat_whitespace_as_suffix": True},
    "user_defined_symbols that go on behind a space (mill▁is)": {
        "user_defined_symbols": ["mill▁is"]
    },
}
Train = Callable[[dict[str, Any]], bytes]


@pytest.fixture(scope="module")
def train(texts: list[str]) -> Train:
    """Train a SentencePiece model on the texts, with settings of one's own."""

    def model(settings: dict[str, Any]) -> bytes:
        written = io.BytesIO()
        SentencePieceTrainer.train(
            sentence_iterator=iter([normalize(text) for text in texts if text.strip()] * 3),
            model_writer=written,
            minloglevel=3,
            num_threads=1,
            **{"vocab_size": 400, **PUBLISHED_SETTINGS, **settings},
        )
        return written.getvalue()

    return model


def ids_of_transformers(folder: Path, texts: list[str]) -> list[list[int]]:
    return list(AutoTokenizer.from_pretrained(folder)(texts)["input_ids"])


@pytest.mark.parametrize("settings", HARMLESS.values(), ids=HARMLESS)
def test_a_vocabulary_is_read_whatever_it_was_trained_with(
    train: Train, texts: list[str], tmp_path: Path, settings: dict[str, Any]
) -> None:
    """SentencePiece's own ids, those of transformers for what we write, and back from it alone."""
    model = train(settings)
    (tmp_path / "spiece.model").write_bytes(model)
    tokenizer = AlbertTokenizer.from_pretrained(tmp_path, digit_comma_rule=False)
    theirs = SentencePieceProcessor(model_proto=model)
    for text in texts:
        assert tokenizer.encode_sentences([text])[0] == theirs.encode(normalize(text))
    tokenizer.save_pretrained(tmp_path / "saved")
    expected = [tokenizer.encode(text) for text in texts + MARKED]
    assert ids_of_transformers(tmp_path / "saved", texts + MARKED) == expected
    (tmp_path / "saved" / "spiece.model").unlink()
    again = AlbertTokenizer.from_pretrained(tmp_path / "saved")
    assert [again.encode(text) for text in texts + MARKED] == expected
    assert again.pieces == tokenizer.pieces
    assert not again.is_special[again.encode_sentences(["[MASK] and [SEP]"])[0]].any()


@pytest.mark.parametrize("setting", REFUSED)
def test_a_setting_that_no_albert_has_is_named(train: Train, tmp_path: Path, setting: str) -> None:
    (tmp_path / "spiece.model").write_bytes(train(REFUSED[setting]))
    with pytest.raises(TokenizerError, match=rf"cannot be used\. .*{re.escape(setting)}"):
        AlbertTokenizer.from_pretrained(tmp_path)


@pytest.fixture(scope="module", params=["english-8k", "published"])
def from_transformers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """What transformers saves of a spiece.model: no spiece.model, and ( . - as added tokens."""
    model = SPIECE
    if request.param == "published":
        model = request.getfixturevalue("shared_data") / "albert" / "spiece.model"
    folder = tmp_path_factory.mktemp("model")
    (folder / "spiece.model").write_bytes(model.read_bytes())
    (folder / "config.json").write_text('{"model_type": "albert"}')
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["covid", "New York", AddedToken("word", single_word=True)])
    tokenizer.add_tokens([AddedToken("<ent>", normalized=False)])
    tokenizer.save_pretrained(folder / "theirs")
    assert not (folder / "theirs" / "spiece.model").exists()
    yield folder / "theirs"


ADDED = [
    "The COVID case in New York, <ent>and<ent> covidiot x[MASK]y",
    "covid",
    " covid-19 is new york's (covid) <ENT> <pad> é",
    "word words sword",
]


def test_what_transformers_saves_has_its_ids(
    from_transformers: Path, texts: list[str], tmp_path: Path
) -> None:
    """With the tokens added to it, and when saved as a spiece.model and read again by both."""
    tokenizer = AlbertTokenizer.from_pretrained(from_transformers)
    assert len(tokenizer) == tokenizer.piece_id("<ent>") + 1 == tokenizer.piece_id("covid") + 3
    expected = ids_of_transformers(from_transformers, texts + ADDED)
    assert [tokenizer.encode(text) for text in texts + ADDED] == expected
    tokenizer.save_pretrained(tmp_path)
    assert ids_of_transformers(tmp_path, texts + ADDED) == expected
    again = AlbertTokenizer.from_pretrained(tmp_path / "spiece.model")  # the file is as good
    for text, ids in zip(texts + ADDED, expected, strict=True):
        assert again.encode(text) == ids
        assert again.encode_with_offsets(text)[0] == align_tokens(again, text).ids == ids[1:-1]
    assert again.encode_sentences(["(covid)"]) == [again.encode("(covid)")[1:-1]]


@pytest.mark.parametrize("lacking", [["[MASK]"], ["<pad>"], ["[SEP]", "[MASK]"]], ids=str)
@pytest.mark.parametrize("place", ["added_tokens.json", "tokenizer_config.json"])
def test_special_tokens_may_be_added_ones(
    train: Train, texts: list[str], tmp_path: Path, lacking: list[str], place: str
) -> None:
    control = [token for token in SPECIAL if token not in lacking]
    changes = {"pad_id": -1, "unk_id": 0} if "<pad>" in lacking else {}
    (tmp_path / "spiece.model").write_bytes(train({"control_symbols": control, **changes}))
    ids = {token: 400 + number for number, token in enumerate([*lacking, "covid"])}
    described = {str(number): {"content": token} for token, number in ids.items()}
    content = ids if place == "added_tokens.json" else {"added_tokens_decoder": described}
    (tmp_path / place).write_text(json.dumps(content))
    tokenizer = AlbertTokenizer.from_pretrained(tmp_path, digit_comma_rule=False)
    assert len(tokenizer) == 400 + len(ids)
    assert [tokenizer.piece_id(token) for token in ids] == list(ids.values())
    assert tokenizer.is_special[[ids[token] for token in lacking]].all()
    assert ids["covid"] in tokenizer.encode("the COVID case")
    tokenizer.save_pretrained(tmp_path / "saved")
    expected = [tokenizer.encode(text) for text in texts[:60] + MARKED + ADDED]
    assert ids_of_transformers(tmp_path / "saved", texts[:60] + MARKED + ADDED) == expected


@pytest.mark.parametrize("ids", [{"[MASK]": 9000}, {"covid": 7}, {"▁the": 8000}, {"a": -1}, [1]])
def test_added_tokens_of_another_vocabulary_are_refused(tmp_path: Path, ids: Any) -> None:
    (tmp_path / "spiece.model").write_bytes(SPIECE.read_bytes())
    (tmp_path / "added_tokens.json").write_text(json.dumps(ids))
    with pytest.raises(TokenizerError, match=r"of one model\.|gives 'a' no id|JSON object"):
        AlbertTokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("ids", "sentence"),
    [
        ({"covid": 7}, "the added token 'covid' has the id 7, in the vocabulary that of '"),
        ({"▁the": 8000}, "the added token '▁the' has the id 8000, in the vocabulary 14; give"),
        ({"covid": 8009}, "added tokens have the ids 8009, but those after the vocabulary's 8000"),
        ({"": 8000}, "has the added token '', which no text holds; remove it there"),
        ({"a\0b": 8000}, "which no text holds"),
        ({"\ud800": 8000}, "which no text holds"),
    ],
)
def test_added_tokens_that_cannot_be_are_told_with_their_place(
    tmp_path: Path, ids: dict[str, int], sentence: str
) -> None:
    (tmp_path / "spiece.model").write_bytes(SPIECE.read_bytes())
    (tmp_path / "added_tokens.json").write_text(json.dumps(ids))
    with pytest.raises(TokenizerError, match=sentence) as refused:
        AlbertTokenizer.from_pretrained(tmp_path)
    assert str(refused.value).startswith(str(tmp_path))


def test_a_list_of_added_tokens_that_is_none_is_told(tmp_path: Path) -> None:
    (tmp_path / "spiece.model").write_bytes(SPIECE.read_bytes())
    (tmp_path / "tokenizer_config.json").write_text('{"added_tokens_decoder": ["covid"]}')
    with pytest.raises(TokenizerError, match=r"tokenizer_config\.json has no object in 'added_tok"):
        AlbertTokenizer.from_pretrained(tmp_path)


def change(folder: Path, path: list[str], value: Any) -> None:
    """Change one value of the folder's tokenizer.json, which holds no spiece.model."""
    AlbertTokenizer.from_pretrained("english-8k").save_pretrained(folder)
    (folder / "spiece.model").unlink()
    content = inner = json.loads((folder / "tokenizer.json").read_text())
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    (folder / "tokenizer.json").write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("path", "value", "sentence"),
    [
        (["model"], {"type": "WordPiece", "vocab": {}}, "holds a WordPiece model, but an ALBERT"),
        (["model"], {"type": "BPE", "vocab": {}}, "holds a BPE model"),
        (["model", "byte_fallback"], True, "Unigram model with byte_fallback"),
        (["normalizer"], {"type": "NFKC"}, "normalises text by NFKC"),
        (["normalizer"], {"type": "Replace", "pattern": {"String": "a"}, "content": "b"}, "Repla"),
        (["normalizer"], {"type": "Precompiled", "precompiled_charsmap": "!"}, "no tokenizer of"),
        (["pre_tokenizer"], None, "splits words by nothing"),
        (["pre_tokenizer"], {"type": "ByteLevel"}, "splits words by ByteLevel"),
        (
            ["pre_tokenizer"],
            {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first"},
            "prepend_scheme=first",
        ),
        (["model", "vocab"], [["a", 0.0], ["b"]], "is no tokenizer of the tokenizers library"),
        (["model", "vocab"], [["<pad>", float("nan")]], "is no tokenizer of"),
        (["model", "vocab"], [["<pad>", 0.0], ["<unk>", 0.0], ["c", -1.0]], r"of one model\."),
        (["added_tokens"], [], r"^$"),
    ],
    ids=str,
)
def test_other_kinds_of_tokenizer_json_are_named(
    tmp_path: Path, path: list[str], value: Any, sentence: str
) -> None:
    change(tmp_path, path, value)
    if sentence == "^$":  # the pieces alone are enough
        tokenizer = AlbertTokenizer.from_pretrained(tmp_path)
        assert tokenizer.encode("the [MASK]") == [2, 14, 4, 3]
        return
    with pytest.raises(TokenizerError, match=sentence) as caught:
        AlbertTokenizer.from_pretrained(tmp_path)
    assert str(tmp_path / "tokenizer.json") in str(caught.value)


def test_a_wordpiece_vocabulary_and_a_pointer_are_told_for_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("[PAD]\n[UNK]\n")
    with pytest.raises(TokenizerError, match=r"holds a WordPiece vocabulary \(vocab\.txt\)"):
        AlbertTokenizer.from_pretrained(tmp_path)
    for name in ("spiece.model", "tokenizer.json"):
        (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1\n")
        with pytest.raises(TokenizerError, match=rf"{name} is a Git LFS pointer, .*git lfs pull"):
            AlbertTokenizer.from_pretrained(tmp_path)
        (tmp_path / name).unlink()
