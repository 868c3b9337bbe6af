"""The model that comes along: its files are those that were published, and it can read."""

from __future__ import annotations

import hashlib

import pytest

from albert_lib.commands.evaluate import split_card
from albert_lib.config import AlbertConfig
from albert_lib.files import data_folder
from albert_lib.model import AlbertForPreTraining
from albert_lib.probing import FillMask

FOLDER = data_folder() / "checkpoints" / "albert-mini-en"
FILES = ["config.json", "model.safetensors", "spiece.model", "tokenizer.json"]
FILES += ["tokenizer_config.json"]


def test_every_file_is_the_published_one() -> None:
    lines = (FOLDER / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    assert sorted(listed) == FILES
    others = {file.name for file in FOLDER.iterdir()} - listed.keys()
    assert others == {"README.md", "SHA256SUMS"}
    for name, digest in listed.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == digest, name


def test_its_size_and_shape_are_as_promised() -> None:
    model = AlbertForPreTraining.from_pretrained(FOLDER)
    assert model.num_parameters() <= 12_500_000
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) <= 25e6
    recipe = AlbertConfig.from_json(data_folder() / "recipes" / "albert-mini-en.json")
    assert model.config.replace(num_hidden_layers=recipe.num_hidden_layers) == recipe
    assert model.config.max_position_embeddings == 512


@pytest.mark.parametrize("name", ["spiece.model", "tokenizer.json", "tokenizer_config.json"])
def test_its_vocabulary_is_the_workbooks(name: str) -> None:
    assert (FOLDER / name).read_bytes() == (
        data_folder() / "tokenizers" / "english-8k" / name
    ).read_bytes()


def test_its_card_has_scores() -> None:
    _, scores, _ = split_card(FOLDER / "README.md")
    for label in ("plain: accuracy", "plain: bits a byte", "as trained: loss", "SOP accuracy"):
        assert f"| {label}" in scores
    assert scores.count("[MASK].") == 2


@pytest.mark.parametrize(
    ("text", "fitting"),
    [
        ("she opened the [MASK] and looked out.", {"door", "window", "room", "house", "gate"}),
        ("he was born [MASK] london.", {"in", "at", "near"}),
        ("they [MASK] not know what to do.", {"did", "do", "could", "would"}),
    ],
)
def test_it_reads(text: str, fitting: set[str]) -> None:
    fills = FillMask.from_pretrained(FOLDER)(text, top_k=5)
    assert fitting & {fill["token_str"] for fill in fills}
