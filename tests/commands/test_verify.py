"""verify: each part of a folder is whole or damaged, and the status says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AlbertForPreTraining as Model

from albert_lib.__main__ import main
from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.model import AlbertForPreTraining
from albert_lib.text import AlbertTokenizer
from albert_lib.training import Recipe, pretrain


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with two checkpoints, a kept model, and its corpus."""
    folder = tmp_path_factory.mktemp("run")
    tokenizer = AlbertTokenizer.train(["the old man walks", "the old mill is a mill"] * 9, 28)
    documents = [["The old man walks.", "The old mill."], ["A mill is old.", "A man walks."]] * 4
    for part in ("train", "held-out"):
        TokenStore.build(folder / "corpus" / part, documents, tokenizer)
    config = AlbertConfig(
        vocab_size=28, hidden_size=16, num_attention_heads=2, intermediate_size=16,
        num_hidden_layers=1, embedding_size=8,
    )  # fmt: skip
    recipe = Recipe(
        steps=2, batch_size=2, sequence_length=16, warmup_steps=1, checkpoint_every=1,
        keep_every=2, evaluate_every=0,
    )  # fmt: skip
    store = TokenStore.open(folder / "corpus" / "train")
    model = AlbertForPreTraining(config)
    pretrain(model, store, tokenizer, recipe, output=folder, progress=False)
    return folder


def test_a_whole_run_has_whole_parts(run_folder: Path, run) -> None:
    lines = run("verify", run_folder).splitlines()
    parts = [Path(line.partition(":")[0]).relative_to(run_folder).as_posix() for line in lines]
    assert parts == [
        "corpus/train", "corpus/held-out", "checkpoint-00000001", "checkpoint-00000002",
        "history.jsonl", "model", "models/step-00000002",
    ]  # fmt: skip
    assert all(line.endswith(": whole") for line in lines)
    assert run("verify", run_folder / "model").endswith("model: whole\n")
    assert run("verify", run_folder / "corpus").count(": whole\n") == 2


@pytest.mark.parametrize(
    "name",
    [
        "corpus/train/ids.bin", "corpus/held-out/sentences.bin", "history.jsonl",
        "checkpoint-00000001/optimizer.safetensors", "model/model.safetensors",
        "model/spiece.model", "models/step-00000002/config.json",
    ],
)  # fmt: skip
def test_a_flipped_bit_is_named(
    run_folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    file = run_folder / name
    content = file.read_bytes()
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 4
    file.write_bytes(flipped)
    try:
        assert main(["verify", str(run_folder)]) == 2
    finally:
        file.write_bytes(content)
    shown = capsys.readouterr()
    (line,) = (line for line in shown.out.splitlines() if not line.endswith(": whole"))
    assert file.name in line
    assert shown.err.startswith(f"1 part of {run_folder} is damaged")


def saved_model(folder: Path) -> None:
    """A small model and its tokenizer, each saved by `save_pretrained` alone."""
    tokenizer = AlbertTokenizer.train(["the old man walks", "the old mill is a mill"] * 9, 28)
    config = AlbertConfig(
        vocab_size=28, hidden_size=16, num_attention_heads=2, intermediate_size=16,
        num_hidden_layers=1, embedding_size=8,
    )  # fmt: skip
    AlbertForPreTraining(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def test_what_save_pretrained_writes_can_be_verified(
    tmp_path: Path, run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "model"
    saved_model(folder)
    listed = {line.split()[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    assert listed == {each.name for each in folder.iterdir()} - {"SHA256SUMS"}
    assert run("verify", folder).endswith("model: whole\n")
    saved_model(folder)  # saved again, with other numbers
    assert run("verify", folder).endswith("model: whole\n")
    theirs = Model.from_pretrained(folder)
    theirs.albert.pooler.bias.data += 1
    theirs.save_pretrained(folder)  # by another library
    with pytest.warns(UserWarning, match=r"model\.safetensors is not what SHA256SUMS .* says; if"):
        AlbertForPreTraining.from_pretrained(folder)
    assert main(["verify", str(folder)]) == 2
    capsys.readouterr()
    AlbertForPreTraining(AlbertConfig.from_json(folder / "config.json")).save_pretrained(folder)
    assert run("verify", folder).endswith("model: whole\n")


def test_an_edited_folder_loads_and_flipped_weights_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved_model(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(config.read_text().replace('"hidden_dropout_prob": 0', '"x": 1, "y": 0'))
    AlbertForPreTraining.from_pretrained(tmp_path)  # without a warning, which would be an error
    assert main(["verify", str(tmp_path)]) == 2
    assert capsys.readouterr().out == f"{tmp_path}: config.json is not what was written\n"
    weights = tmp_path / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.warns(UserWarning, match=r"if nobody changed it, it is damaged"):
        AlbertForPreTraining.from_pretrained(tmp_path)
    (tmp_path / "SHA256SUMS").write_bytes(b"\xff no list at all")
    AlbertForPreTraining.from_pretrained(tmp_path)


def test_a_folder_of_nothing_is_refused(tmp_path: Path, refusal) -> None:
    assert "holds no store, checkpoint or model" in refusal("verify", tmp_path)


def test_pretrain_trains_on_no_flipped_bit(run_folder: Path, tmp_path: Path, refusal) -> None:
    file = run_folder / "corpus" / "train" / "ids.bin"
    content = file.read_bytes()
    file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    words = ("pretrain", "--corpus", run_folder / "corpus", "--tokenizer", run_folder / "model")
    try:
        said = refusal(*words, "--output", tmp_path / "run", "--steps", "9", "--warmup-steps", "1")
    finally:
        file.write_bytes(content)
    assert "ids.bin is damaged (its bytes are not those that were written)" in said
