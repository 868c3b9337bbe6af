"""A folder named in any of the usual ways is that folder, for every command that takes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer
from albert_lib.__main__ import main
from albert_lib.hub import resolve_folder

TINY = {
    "hidden_size": 16,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "num_hidden_layers": 1,
    "embedding_size": 8,
}


TINY_RUN = (
    "--embedding-size 8 --hidden-size 16 --num-hidden-layers 1 "
    "--num-attention-heads 2 --steps 1 --batch-size 2 --sequence-length 128 --warmup-steps 1 "
    "--evaluation-batches 1"
).split()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and its tokenizer, of another size than the one that comes along."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "mine"
    tokenizer = AlbertTokenizer.train(["the old man walks", "the old mill is a mill"] * 9, 28)
    tokenizer.save_pretrained(folder)
    config = AlbertConfig(vocab_size=tokenizer.vocab_size, **TINY)
    AlbertForPreTraining(config).save_pretrained(folder)
    (folder / "inner").mkdir()
    (home / "text.txt").write_text("The old man walks.\nThe mill is old.\n\nA mill.\nA man.\n")
    heading = ",sent_more,sent_less,stereo_antistereo,bias_type"
    (home / "pairs.csv").write_text(f"{heading}\n0,The old man.,The old mill.,stereo,age\n")
    return folder


@pytest.mark.parametrize("part", ["tokenizer", "weights"])
@pytest.mark.parametrize(
    ("here", "name"),
    [
        (".", "."), (".", "./"), ("inner", ".."), ("inner", "../"), ("..", "mine"),
        ("..", "mine/"), ("..", "./mine"), ("inner", "~/mine"), (".", "~/mine/"),
    ],
)  # fmt: skip
def test_every_spelling_of_a_folder(
    model: Path, monkeypatch: pytest.MonkeyPatch, here: str, name: str, part: str
) -> None:
    monkeypatch.chdir(model / here)
    monkeypatch.setenv("HOME", str(model.parent))
    assert resolve_folder(name, part).resolve() == model.resolve()


def test_the_home_folder_itself(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(model))
    assert resolve_folder("~", "tokenizer").resolve() == model.resolve()


@pytest.mark.parametrize(("name", "part"), [("english-8k", "tokenizer"),
                                            ("albert-mini-en", "tokenizer"),
                                            ("albert-mini-en", "weights")])  # fmt: skip
def test_what_comes_along_has_a_name_and_a_folder_here_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_folder(name, part).name == name
    (tmp_path / name).mkdir()
    assert resolve_folder(name, part).resolve() == (tmp_path / name).resolve()


@pytest.mark.parametrize(
    "words",
    [
        ["build-corpus", "TEXT", "--held-out-every", "0", "--output", "OUT", "--tokenizer", "."],
        ["pretrain", "--corpus", "TEXT", "--output", "OUT", "--tokenizer", ".", *TINY_RUN],
        ["fill-mask", "--model", ".", "The [MASK]."],
        ["features", "--model", ".", "The mill."],
        ["probe", "crows-pairs", "--model", ".", "--data", "PAIRS"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_a_dot_means_this_folder(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Not a folder of albert_lib's own data, as `--tokenizer .` once was."""
    monkeypatch.chdir(model)
    places = {
        "TEXT": str(model.parent / "text.txt"),
        "PAIRS": str(model.parent / "pairs.csv"),
        "OUT": str(tmp_path / "out"),
    }
    assert main([places.get(word, word) for word in words]) == 0
