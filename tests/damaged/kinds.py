"""The ten kinds of damaged inputs, and what each of them means where it is not refused.

A flipped bit within a number or a piece leaves a healthy file that means something else; only
checksums tell that, so no such damage is made here.
"""

from __future__ import annotations

import json
import math
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from damage import damaged_bytes, damaged_json, is_changed
from safetensors.torch import load_file, save
from tokenizers import Tokenizer

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertModel, AlbertTokenizer
from albert_lib.files import data_folder
from albert_lib.finetuning import read_squad

TEXTS = [
    "The old mill, well-known since 2000, stood (quite alone) by the river.",
    "``Café'' [MASK] Naïve x² — 3,14 … ﬁne",
    "He wrote: “no” & 日本 a.b@c.de\tend",
]
FRACTIONS = ("layer_norm_eps", "initializer_range", "hidden_dropout_prob")
IDS = torch.tensor([[2, 17, 42, 99, 300, 3]])
SENTENCES = data_folder() / "sentiment" / "train.tsv"


class Wrong(Exception):
    """A damaged file was read as something that it does not say."""


@dataclass
class Inputs:
    """Healthy folders, and what was replaced in them."""

    model: Path
    tokenizer: Path
    shards: Path
    squad: Path
    hidden: torch.Tensor
    ids: list[list[int]]
    replaced: dict[Path, bytes | None] = field(default_factory=dict)

    @classmethod
    def make(cls, folder: Path) -> Inputs:
        """Train a small tokenizer, draw a small model, save both; write questions."""
        lines = SENTENCES.read_text(encoding="utf-8").splitlines()
        tokenizer = AlbertTokenizer.train(lines, vocab_size=400)
        config = AlbertConfig(
            vocab_size=400, embedding_size=8, hidden_size=16, num_hidden_layers=2,
            num_attention_heads=2, intermediate_size=32, max_position_embeddings=64,
            initializer_range=0.3,
        )  # fmt: skip
        torch.manual_seed(0)
        model = AlbertForMaskedLM(config)
        for name in ("model", "tokenizer"):
            tokenizer.save_pretrained(folder / name)
            model.save_pretrained(folder / name)
            (folder / name / "SHA256SUMS").unlink()  # which would tell all damage in one way
        transformers.AlbertForMaskedLM.from_pretrained(folder / "model").save_pretrained(
            folder / "shards", max_shard_size="8KB"
        )
        passage = {"context": "It flows north, to the sea.", "qas": [
            {"id": "1", "question": "Where to?", "answers": [{"text": "north", "answer_start": 9}]},
            {"id": "2", "question": "What flows?", "answers": []},
        ]}  # fmt: skip
        squad = folder / "squad.json"
        squad.write_text(json.dumps({"version": "2.0", "data": [{"paragraphs": [passage] * 1}]}))
        with torch.no_grad():
            hidden = AlbertModel.from_pretrained(folder / "model")(IDS).last_hidden_state
        ids = [tokenizer.encode(text) for text in TEXTS]
        return cls(folder / "model", folder / "tokenizer", folder / "shards", squad, hidden, ids)

    def replace(self, file: Path, content: bytes | None) -> None:
        """Write other bytes, or none, in place of a file's, until `restore`."""
        before = file.read_bytes() if file.exists() else None
        self.replaced.setdefault(file, before)
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)

    def restore(self) -> None:
        """Put back what was replaced."""
        for file, content in self.replaced.items():
            file.unlink(missing_ok=True)
            if content is not None:
                file.write_bytes(content)
        self.replaced.clear()


@torch.no_grad()
def check_hidden(folder: Path, expected: torch.Tensor) -> None:
    """Load the encoder; Wrong unless it computes what it did before."""
    hidden = AlbertModel.from_pretrained(folder)(IDS).last_hidden_state
    if hidden.shape != expected.shape or not torch.equal(hidden, expected):
        raise Wrong("the hidden states are others")


@torch.no_grad()
def check_config(inputs: Inputs) -> None:
    """Load the encoder; Wrong unless transformers computes the same, or nothing has changed."""
    ours = AlbertModel.from_pretrained(inputs.model)(IDS).last_hidden_state
    if torch.equal(ours, inputs.hidden):
        return
    file = inputs.model / "config.json"  # transformers refuses 1 where 1.0 is meant
    stored = json.loads(file.read_text(encoding="utf-8"))
    as_floats = {key: float(stored[key]) for key in FRACTIONS if type(stored.get(key)) is int}
    inputs.replace(file, json.dumps({**stored, **as_floats}).encode())
    try:
        reference = transformers.AlbertModel.from_pretrained(inputs.model).eval()
        theirs = reference(IDS).last_hidden_state
    except Exception as problem:
        raise Wrong(f"other hidden states where transformers says {problem}") from None
    if theirs.shape != ours.shape or not (ours - theirs).abs().max() < 1e-3:
        raise Wrong("other hidden states than transformers computes")


def config_values(inputs: Inputs, rng: random.Random) -> None:
    file = inputs.model / "config.json"
    inputs.replace(file, damaged_json(json.loads(file.read_text()), rng).encode())
    check_config(inputs)


def config_bytes(inputs: Inputs, rng: random.Random) -> None:
    file = inputs.model / "config.json"
    inputs.replace(file, damaged_bytes(file.read_bytes(), rng))
    check_config(inputs)


def weights_header(inputs: Inputs, rng: random.Random) -> None:
    file = inputs.model / "model.safetensors"
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    changed = damaged_json(header, rng).encode()
    size = rng.choice([len(changed)] * 8 + [0, 2**63, len(changed) - 1])
    inputs.replace(file, struct.pack("<Q", size) + changed + content[8 + length :])
    check_hidden(inputs.model, inputs.hidden)


def weights_cut(inputs: Inputs, rng: random.Random) -> None:
    file = inputs.model / "model.safetensors"
    content = file.read_bytes()
    place = rng.randrange(len(content))
    other = rng.choice([b"", b"PK\x03\x04", b"\x80\x02}q\x00."])
    damaged = rng.choice(
        [content[:place], content + rng.randbytes(9), content[place:], other + content, other]
    )
    inputs.replace(file, damaged)
    check_hidden(inputs.model, inputs.hidden)


def weights_numbers(inputs: Inputs, rng: random.Random) -> None:
    file = inputs.model / "model.safetensors"
    tensors = load_file(file)
    name = rng.choice([key for key in sorted(tensors) if key.startswith("albert.")])
    tensor = tensors[name].clone()
    what = rng.randrange(4)
    if what == 0:
        tensor.view(-1)[rng.randrange(tensor.numel())] = rng.choice([math.nan, math.inf, -math.inf])
    elif what == 1:
        tensor = tensor.to(rng.choice([torch.int8, torch.float8_e4m3fn, torch.complex64]))
    elif what == 2:
        tensors[name.removeprefix("albert.")] = tensor + 1
    else:
        tensor = rng.choice([tensor[:-1].clone(), tensor[None].clone(), torch.zeros(())])
    inputs.replace(file, save({**tensors, name: tensor}))
    check_hidden(inputs.model, inputs.hidden)
    raise Wrong(f"{name} was damaged and is not missed")


def shards(inputs: Inputs, rng: random.Random) -> None:
    index = inputs.shards / "model.safetensors.index.json"
    parts = sorted(inputs.shards.glob("model-*"))
    what = rng.randrange(4)
    if what == 0:
        inputs.replace(rng.choice(parts), None)
    elif what == 1:
        inputs.replace(rng.choice(parts), rng.choice(parts).read_bytes()[: rng.randrange(900)])
    elif what == 2:
        first, second = rng.sample(parts, 2)
        inputs.replace(first, second.read_bytes())
    else:
        inputs.replace(index, damaged_json(json.loads(index.read_text()), rng).encode())
    check_hidden(inputs.shards, inputs.hidden)


def pieces(inputs: Inputs, rng: random.Random) -> None:
    file = inputs.tokenizer / "spiece.model"
    before = file.read_bytes()
    cut = rng.randrange(len(before))
    choices = [
        before[:cut],
        before[:cut] + bytes(len(before) - cut),
        before[cut:],
        before + b"\x00",
    ]
    inputs.replace(file, rng.choice([*choices, damaged_bytes(before[:400], rng)]))
    check_ids(inputs, AlbertTokenizer.from_pretrained(inputs.tokenizer))


def check_ids(inputs: Inputs, tokenizer: AlbertTokenizer) -> None:
    """Wrong unless the tokenizer gives the ids that it gave before."""
    if [tokenizer.encode(text) for text in TEXTS] != inputs.ids:
        raise Wrong("other ids than before")


def tokenizer_json(inputs: Inputs, rng: random.Random) -> None:
    inputs.replace(inputs.tokenizer / "spiece.model", None)
    file = inputs.tokenizer / "tokenizer.json"
    content = json.loads(file.read_text())
    for part in ("truncation", "padding", "post_processor", "decoder", "version"):
        content.pop(part, None)  # which are not read
    if rng.random() < 0.3:
        changed = damaged_bytes(file.read_bytes(), rng)
    else:
        part = rng.choice(sorted(content))
        while part == "model" and "vocab" in content["model"] and rng.random() < 0.5:
            part = rng.choice(sorted(content))
        alone = json.loads(damaged_json({part: content[part]}, rng))
        rest = {name: value for name, value in content.items() if name != part}
        changed = json.dumps({**rest, **alone}).encode()
    inputs.replace(file, changed)
    config = {"tokenizer_class": "PreTrainedTokenizerFast"}
    inputs.replace(inputs.tokenizer / "tokenizer_config.json", json.dumps(config).encode())
    tokenizer = AlbertTokenizer.from_pretrained(inputs.tokenizer)
    found = [tokenizer.encode(text, add_special_tokens=False) for text in TEXTS]
    if found == [ids[1:-1] for ids in inputs.ids]:
        return
    try:
        theirs = Tokenizer.from_file(str(file))
        expected = [theirs.encode(text, add_special_tokens=False).ids for text in TEXTS]
    except BaseException as problem:  # it panics over some
        raise Wrong(f"other ids where tokenizers says {problem}") from None
    if found != expected:
        raise Wrong(f"{found} instead of {expected}")


def tokenizer_settings(inputs: Inputs, rng: random.Random) -> None:
    name = rng.choice(["tokenizer_config.json", "added_tokens.json"])
    file = inputs.tokenizer / name
    added = {"[MASK]": 4, "covid": 400, "<pad>": 0}
    content = json.loads(file.read_text()) if file.exists() else added
    is_bytes = rng.random() < 0.3
    text = json.dumps(content).encode()
    damaged = damaged_bytes(text, rng) if is_bytes else damaged_json(content, rng).encode()
    if not is_changed(text, damaged):
        return
    inputs.replace(file, damaged)
    tokenizer = AlbertTokenizer.from_pretrained(inputs.tokenizer)
    stored = json.loads(damaged)
    switches = {key: stored[key] for key in tokenizer.settings if stored.get(key) is not None}
    length = stored.get("model_max_length") or 512
    meant = AlbertTokenizer((inputs.tokenizer / "spiece.model").read_bytes(), **switches)
    if [tokenizer.encode(text) for text in TEXTS] != [meant.encode(text) for text in TEXTS]:
        raise Wrong("other ids than the settings say")
    if tokenizer.model_max_length != length:
        raise Wrong(f"model_max_length is {tokenizer.model_max_length}, not {length}")


def questions(inputs: Inputs, rng: random.Random) -> None:
    before = inputs.squad.read_bytes()
    is_bytes = rng.random() < 0.4
    content = json.loads(before)
    damaged = damaged_bytes(before, rng) if is_bytes else damaged_json(content, rng).encode()
    inputs.replace(inputs.squad, damaged)
    read = read_squad(inputs.squad)
    content = json.loads(damaged.decode("utf-8-sig"))
    asked = [
        (str(question["id"]), paragraph["context"], question["question"].strip())
        for part in content["data"]
        for paragraph in part["paragraphs"]
        for question in paragraph["qas"]
    ]
    if asked != [(one.id, one.context, one.question) for one in read.questions]:
        raise Wrong("other questions than the file has")


KINDS: dict[str, Callable[[Inputs, random.Random], Any]] = {
    "config-values": config_values,
    "config-bytes": config_bytes,
    "weights-header": weights_header,
    "weights-cut": weights_cut,
    "weights-numbers": weights_numbers,
    "shards": shards,
    "pieces": pieces,
    "tokenizer-json": tokenizer_json,
    "tokenizer-settings": tokenizer_settings,
    "questions": questions,
}
