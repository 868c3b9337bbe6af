"""What a message tells a person to do, done: the folder loads, or the call works."""

from __future__ import annotations

import io
import json
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from sentencepiece import SentencePieceTrainer

from albert_lib import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForSequenceClassification,
    AlbertModel,
    AlbertTokenizer,
    FillMask,
)
from albert_lib.errors import AlbertLibError
from albert_lib.model.weights import _INSTEAD
from albert_lib.text.batch import make_batch
from albert_lib.text.train_vocabulary import PUBLISHED_SETTINGS
from albert_lib.text.transformers_names import ARGUMENTS, ATTRIBUTES

LINES = ["the old mill by the river", "a man walks to the mill", "who sang in the old house"] * 5
NAME = "albert.pooler.bias"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"
Change = Callable[[Path], Any]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model of three classes with its tokenizer, of 32 pieces."""
    folder = tmp_path_factory.mktemp("healthy")
    AlbertTokenizer(trained({})).save_pretrained(folder)
    AlbertForSequenceClassification(
        AlbertConfig(
            vocab_size=60, embedding_size=8, hidden_size=16, num_hidden_layers=2,
            num_attention_heads=2, intermediate_size=32, labels=("a", "b", "c"),
        )
    ).save_pretrained(folder)  # fmt: skip
    (folder / "SHA256SUMS").unlink()  # others write none
    return folder


def trained(settings: dict[str, Any]) -> bytes:
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=written, minloglevel=3, num_threads=1,
        hard_vocab_limit=False, **{"vocab_size": 60, **PUBLISHED_SETTINGS, **settings},
    )  # fmt: skip
    return written.getvalue()


def write(name: str, content: bytes | str | dict[str, Any]) -> Change:
    if isinstance(content, dict):
        content = json.dumps(content)
    content = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(content)


def remove(*names: str) -> Change:
    return lambda folder: [(folder / name).unlink() for name in names]


def both(*changes: Change) -> Change:
    return lambda folder: [change(folder) for change in changes]


def change_json(name: str, **values: Any) -> Change:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({**content, **values}))

    return change


def change_tensors(**tensors: torch.Tensor | None) -> Change:
    def change(folder: Path) -> None:
        file = folder / "model.safetensors"
        changed: dict[str, Any] = {**load_file(file), **tensors}
        save_file({name: tensor for name, tensor in changed.items() if tensor is not None}, file)

    return change


def cut(name: str) -> Change:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:-50])


def train_here(folder: Path) -> None:
    AlbertTokenizer.train(LINES, 36).save_pretrained(folder)


HEADER = b'{"a":{"dtype":"F128","shape":[1],"data_offsets":[0,16]}}'
UNKNOWN_FORMAT = struct.pack("<Q", len(HEADER)) + HEADER + bytes(16)
AGAIN = None  # the healthy files again: copied, downloaded, restored
no_spiece = remove("spiece.model", "tokenizer.json")
no_config = remove("tokenizer_config.json")

# what goes wrong, what the message says of a way out, and that way
TOKENIZERS: list[tuple[Change, str, Change | None]] = [
    (no_spiece, "put the spiece.model of the checkpoint there", write("spiece.model", trained({}))),
    (no_spiece, "or the tokenizer.json that transformers writes", AGAIN),
    (cut("spiece.model"), "copy spiece.model again", AGAIN),
    (cut("spiece.model"), "or train the tokenizer again", train_here),
    (write("spiece.model", POINTER), "or download the file itself", AGAIN),
    (
        write("spiece.model", trained({"control_symbols": []})),
        "use the spiece.model of an ALBERT",
        AGAIN,
    ),
    (write("spiece.model", trained({"control_symbols": []})), "or train a tokenizer", train_here),
    *(
        (
            write("spiece.model", trained({name: wrong})),
            f"train it with {name}={str(right).lower()}",
            write("spiece.model", trained({name: right})),
        )
        for name, wrong, right in [
            ("model_type", "bpe", "unigram"),
            ("add_dummy_prefix", False, True),
            ("treat_whitespace_as_suffix", True, False),
        ]
    ),
    (both(no_spiece, write("vocab.txt", "a")), "choose a model that has a spiece.model", AGAIN),
    (
        both(remove("spiece.model"), change_json("tokenizer.json", model={"type": "BPE"})),
        "choose a model that has a spiece.model",
        AGAIN,
    ),
    (
        both(remove("spiece.model"), change_json("tokenizer.json", normalizer={"type": "NFC"})),
        "use a spiece.model that was trained on text as AlbertTokenizer normalises it",
        train_here,
    ),
    (write("tokenizer_config.json", "{"), "restore or rebuild it", AGAIN),
    (write("tokenizer_config.json", "[]"), "restore or remove it", no_config),
    (
        change_json("tokenizer_config.json", keep_accents="no"),
        "make it true or false",
        change_json("tokenizer_config.json", keep_accents=False),
    ),
    (
        change_json("tokenizer_config.json", model_max_length="many"),
        "make it a number of tokens",
        change_json("tokenizer_config.json", model_max_length=512),
    ),
    (write("added_tokens.json", "[]"), "restore or remove it", remove("added_tokens.json")),
    (
        write("added_tokens.json", {"covid": 99}),
        "give the token files and the vocabulary of one model",
        write("added_tokens.json", {"covid": 32}),
    ),
]
MODELS: list[tuple[Change, str, Change | None]] = [
    (cut("model.safetensors"), "copy or download it again", AGAIN),
    (remove("model.safetensors"), "save or download the model into that folder", AGAIN),
    (write("model.safetensors", POINTER), "or download the file itself", AGAIN),
    (write("config.json", POINTER), "or download the file itself", AGAIN),
    (write("config.json", "[]"), "restore it from its source", AGAIN),
    (write("model.safetensors", UNKNOWN_FORMAT), "save the weights as float32", AGAIN),
    (change_tensors(**{NAME: torch.full((16,), torch.nan)}), "or copy the file again", AGAIN),
    (
        change_tensors(**{NAME: torch.zeros(16, dtype=torch.int8)}),
        "fetch the weights as they were before they were quantised",
        AGAIN,
    ),
    (
        change_tensors(**{"pooler.bias": torch.zeros(16)}),
        "keep one of the two",
        change_tensors(**{"pooler.bias": None}),
    ),
    (
        change_json("config.json", num_attention_heads=3),
        "choose a divisor of hidden_size",
        change_json("config.json", num_attention_heads=4),
    ),
    (
        change_json("config.json", pad_token_id=99),
        "give the id of <pad> in it, or -1",
        change_json("config.json", pad_token_id=-1),
    ),
    (
        change_json("config.json", num_hidden_layers=10**6),
        "use at most 1,000",
        change_json("config.json", num_hidden_layers=1_000),
    ),
    (change_json("config.json", model_type="bert"), "choose the folder of an ALBERT", AGAIN),
]


def follow(
    healthy: Path, folder: Path, damage: Change, sentence: str, remedy: Change | None, load: Change
) -> None:
    """Damage a copy, read what to do, do it, load."""
    shutil.copytree(healthy, folder, dirs_exist_ok=True)
    damage(folder)
    with pytest.raises(AlbertLibError) as caught:
        load(folder)
    assert sentence in str(caught.value)
    if remedy is None:
        shutil.copytree(healthy, folder, dirs_exist_ok=True)
    else:
        remedy(folder)
    load(folder)


@pytest.mark.parametrize(("damage", "sentence", "remedy"), TOKENIZERS)
def test_remedies_for_tokenizers(
    healthy: Path, tmp_path: Path, damage: Change, sentence: str, remedy: Change | None
) -> None:
    follow(healthy, tmp_path, damage, sentence, remedy, AlbertTokenizer.from_pretrained)


@pytest.mark.parametrize(("damage", "sentence", "remedy"), MODELS)
def test_remedies_for_models(
    healthy: Path, tmp_path: Path, damage: Change, sentence: str, remedy: Change | None
) -> None:
    follow(healthy, tmp_path, damage, sentence, remedy, AlbertModel.from_pretrained)


def test_remedies_that_are_another_call(healthy: Path, tmp_path: Path) -> None:
    kind = AlbertForSequenceClassification
    with pytest.raises(AlbertLibError, match="load it as the kind of model, and with as many lab"):
        kind.from_pretrained(healthy, num_labels=5)
    kind.from_pretrained(healthy, num_labels=3)
    with pytest.raises(AlbertLibError, match="load it as the kind of model it was saved as"):
        AlbertForMaskedLM.from_pretrained(healthy)
    kind.from_pretrained(healthy)
    shutil.copytree(healthy, tmp_path, dirs_exist_ok=True)
    change_tensors(**{NAME: torch.full((16,), 1e5)})(tmp_path)
    with pytest.raises(AlbertLibError, match=r"load it as torch\.bfloat16 or torch\.float32"):
        AlbertModel.from_pretrained(tmp_path, dtype=torch.float16)
    for dtype in (torch.bfloat16, torch.float32):
        AlbertModel.from_pretrained(tmp_path, dtype=dtype)
    tokenizer = AlbertTokenizer.from_pretrained(healthy)
    model = AlbertForMaskedLM(AlbertConfig(vocab_size=60, hidden_size=24, intermediate_size=48))
    with pytest.raises(AlbertLibError, match="load it with split_special_tokens=False"):
        FillMask(model, AlbertTokenizer(tokenizer.model, split_special_tokens=True))
    FillMask(model, AlbertTokenizer.from_pretrained(healthy, split_special_tokens=False))


@pytest.mark.parametrize("spiece", [True, False])
def test_a_pickle_of_the_hub_is_converted_as_the_message_says(
    healthy: Path, tmp_path: Path, spiece: bool
) -> None:
    """With transformers: it reads the pickle, saves model and tokenizer; that folder is given."""
    old = tmp_path / "old"
    shutil.copytree(healthy, old)
    torch.save(load_file(old / "model.safetensors"), old / "pytorch_model.bin")
    (old / "model.safetensors").unlink()
    if spiece:  # as the first ALBERTs were published
        remove("tokenizer.json", "tokenizer_config.json")(old)
    else:
        (old / "spiece.model").unlink()
    new = tmp_path / "new"
    transformers.AlbertForSequenceClassification.from_pretrained(old).save_pretrained(new)
    theirs = transformers.AutoTokenizer.from_pretrained(old)
    theirs.save_pretrained(new)
    assert not (new / "spiece.model").exists()
    tokenizer = AlbertTokenizer.from_pretrained(new)
    assert [tokenizer.encode(line) for line in LINES] == theirs(LINES)["input_ids"]
    if spiece:  # "put its spiece.model beside them if it has one"
        shutil.copy(old / "spiece.model", new)
        text = "the well-known (old) mill."
        expected = AlbertTokenizer.from_pretrained(healthy).encode(text)
        assert AlbertTokenizer.from_pretrained(new).encode(text) == expected
    before = load_file(healthy / "model.safetensors")
    after = AlbertForSequenceClassification.from_pretrained(new)
    assert torch.equal(after.classifier.weight, before["classifier.weight"])


# What is to be typed instead, by the name that only transformers has; None: nothing to call.
INSTEAD_OF_ATTRIBUTES: dict[str, str | None] = {
    "encode_plus": "tokenizer('the', 'mill')",
    "batch_encode_plus": "tokenizer(['the'], ['mill'])",
    "prepare_for_model": "tokenizer('the', 'mill', max_length=9)",
    "build_inputs_with_special_tokens": "tokenizer.encode('the', 'mill')",
    "create_token_type_ids_from_sequences": "tokenizer('the', 'mill').token_type_ids",
    "get_special_tokens_mask": "tokenizer.is_special[[2, 9, 3]]",
    "pad": "make_batch([([2, 9, 3], 3)], 0), tokenizer(['the', 'the mill'], padding=True)",
    "vocab": "tokenizer.get_vocab()",
    "sp_model": "tokenizer.vocabulary, tokenizer.model",
    "is_fast": None,
    "backend_tokenizer": None,
    "add_tokens": "type(tokenizer).train(LINES, 36)",
    "add_special_tokens": "tokenizer.special_tokens_map",
    "train_new_from_iterator": "type(tokenizer).train(LINES, 36)",
    "save_vocabulary": "tokenizer.save_pretrained(folder) or True",
    "push_to_hub": "tokenizer.save_pretrained(folder) or True",
    "apply_chat_template": None,
    "bos_token": "tokenizer.cls_token",
    "bos_token_id": "tokenizer.cls_token_id",
    "eos_token": "tokenizer.sep_token",
    "eos_token_id": "tokenizer.sep_token_id",
    "name_or_path": None,
}
INSTEAD_OF_ARGUMENTS: dict[str, str | None] = {
    "text": "tokenizer('the')",
    "text_pair": "tokenizer('the', 'mill'), tokenizer('the', pairs='mill')",
    "text_target": None,
    "stride": "tokenizer.encode_with_offsets('the mill')",
    "return_overflowing_tokens": "tokenizer.encode_with_offsets('the mill')",
    "return_offsets_mapping": "tokenizer.encode_with_offsets('the mill')",
    "return_special_tokens_mask": "tokenizer.is_special[tokenizer('the').input_ids]",
    "return_length": "tokenizer('the').attention_mask.sum(dim=1)",
    "is_split_into_words": "tokenizer(' '.join(['the', 'mill']))",
    "pad_to_multiple_of": "tokenizer('the', pad_to=8)",
    "padding_side": None,
    "split_special_tokens": "type(tokenizer).from_pretrained(source, split_special_tokens=True)",
    "clean_up_tokenization_spaces": "tokenizer('the')",
    "verbose": "tokenizer('the')",
}
INSTEAD_AT_LOADING: dict[str, str | None] = {
    "output_hidden_states": "load()(ids, output_hidden_states=True).hidden_states",
    "output_attentions": "load()(ids, output_attentions=True).attentions",
    "return_dict": "load()(ids).to_tuple()",
    "device_map": "load().to('cpu')",
    "revision": None,  # of the hub: tests/hub
    "cache_dir": None,
    "local_files_only": None,
    "token": None,
    "config": "load(hidden_dropout_prob=0.1)",
    "attn_implementation": "load()",
    "low_cpu_mem_usage": "load()",
    "use_safetensors": "load()",
    "ignore_mismatched_sizes": "torch.nn.Linear(16, 5)(load()(ids).pooler_output)",
}


@pytest.mark.parametrize(
    ("known", "instead"),
    [
        (ATTRIBUTES, INSTEAD_OF_ATTRIBUTES),
        (ARGUMENTS, INSTEAD_OF_ARGUMENTS),
        (_INSTEAD, INSTEAD_AT_LOADING),
    ],
    ids=["attributes", "arguments", "loading"],
)
def test_what_to_type_instead_works(
    healthy: Path, tmp_path: Path, known: dict[str, str], instead: dict[str, str | None]
) -> None:
    assert known.keys() == instead.keys(), "a remedy that is not tried"

    def load(**changes: Any) -> AlbertModel:
        return AlbertModel.from_pretrained(healthy, **changes)

    names = {
        "tokenizer": AlbertTokenizer.from_pretrained(healthy), "source": healthy, "load": load,
        "folder": tmp_path, "LINES": LINES, "make_batch": make_batch, "torch": torch,
        "ids": torch.tensor([[2, 9, 3]]),
    }  # fmt: skip
    for name, expression in instead.items():
        if expression is not None:
            assert eval(expression, names) is not None, name
