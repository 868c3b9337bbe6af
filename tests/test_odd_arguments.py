"""Odd names and arguments: one short sentence, before any work; or they work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from albert_lib import AlbertConfig, AlbertForSequenceClassification, AlbertModel
from albert_lib.__main__ import INTERRUPTED, ask_again, main, main_of_process
from albert_lib.corpus import (
    TokenStore,
    read_documents,
    read_jsonl,
    read_text_file,
    read_text_folder,
)
from albert_lib.corpus.builder import CorpusBuilder
from albert_lib.corpus.sources import file_units
from albert_lib.errors import AlbertLibError, InputError
from albert_lib.files import data_folder, project_folder, read_json, read_text
from albert_lib.finetuning import read_mnli, read_race, read_squad, read_sst2
from albert_lib.hub import cached_folder, resolve_folder
from albert_lib.probing import Features, FillMask
from albert_lib.text import AlbertTokenizer
from albert_lib.training import History, load_latest

LONG = "x" * 5000
SHIPPED = str(data_folder() / "checkpoints" / "albert-mini-en")


@pytest.mark.parametrize(
    "words",
    [
        ["fill-mask", "--model", "", "A [MASK]."],
        ["fill-mask", "--model=", "A [MASK]."],
        ["fill-mask", "--model", LONG, "A [MASK]."],
        ["fill-mask", "--model", SHIPPED, "--file", LONG],
        ["build-corpus", "", "--output", "out"],
        ["build-corpus", LONG, "--output", "out"],
        ["build-corpus", "text.txt", "--output", LONG],
        ["build-corpus", "text.txt", "--output", ""],
        ["train-tokenizer", "text.txt", "--vocab-size", "26", "--output", LONG],
        ["features", "--model", SHIPPED, "--output", f"{LONG}.npz", "A man."],
        ["probe", "crows-pairs", "--model", SHIPPED, "--data", LONG],
        ["probe", "crows-pairs", "--model", SHIPPED, "--data", "p.csv", "--output", LONG],
        [
            "probe",
            "crows-pairs",
            "--model",
            SHIPPED,
            "--data",
            "p.csv",
            "--limit",
            "2",
            "--seed=-1",
        ],
        ["fill-mask", "--model", "~nobody-of-that-name/model", "A [MASK]."],
        ["build-corpus", "text.txt", "--tokenizer", "~nobody-of-that-name/t", "--output", "out"],
        ["train-tokenizer", "text.txt", "--vocab-size=-5", "--output", "out"],
        ["features", "--model", SHIPPED, "--output", "/dev/null", "A man."],
        ["convert", "", "--output", "out"],
        ["history", "", "--output", "out"],
        ["verify", ""],
        ["diagnose", ""],
        ["check", ""],
        ["grade", ""],
        ["history", LONG, "--output", "out"],
        ["diagnose", LONG],
        ["check", LONG],
    ],
    ids=lambda words: " ".join(words).replace(LONG, "LONG").replace(SHIPPED, "MODEL"),
)
def test_odd_arguments_are_one_short_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "text.txt").write_text("The old mill.\nA man.\n\nThe old man walks.\n" * 9)
    (tmp_path / "p.csv").write_bytes((data_folder() / "probes" / "pairs.csv").read_bytes())
    assert main(words) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert len(said) < 1000


def test_an_interruption_during_the_imports_is_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(sys, "argv", ["albert_lib", "fill-mask"])
    monkeypatch.setattr("importlib.import_module", interrupted)
    assert main_of_process() == INTERRUPTED
    assert capsys.readouterr().err == "\nInterrupted.\n"


# A module that is imported while Ctrl-C is pressed, and that keeps what it raises to itself.
INTERRUPTED_IMPORT = """
import signal, time
try:
    signal.raise_signal(signal.SIGINT)
    time.sleep(1)
except BaseException:
    pass
"""


def test_an_interruption_that_an_import_swallows_ends_the_command(
    heeding_ctrl_c: list[str], tmp_path: Path
) -> None:
    (tmp_path / "torch.py").write_text(INTERRUPTED_IMPORT)
    paths = os.pathsep.join([str(tmp_path), str(project_folder())])
    ended = subprocess.run(
        [*heeding_ctrl_c, "-m", "albert_lib", "pretrain"],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout, ended.stderr) == (INTERRUPTED, "", "\nInterrupted.\n")


def test_an_interruption_inside_of_a_destructor_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Interrupted:
        def __del__(self) -> None:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(sys, "unraisablehook", ask_again)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            Interrupted()
            time.sleep(5)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_names_that_are_not_utf8_are_names(tmp_path: Path) -> None:
    odd = os.fsdecode(b"caf\xe9")
    texts = tmp_path / odd
    texts.mkdir()
    (texts / f"{odd}.txt").write_text("The old mill.\nIt is dry.\n\nA man walks.\n")
    tokenizer = AlbertTokenizer.from_pretrained("english-8k")
    output = tmp_path / f"{odd} corpus"
    for _ in range(2):  # built, and found again
        command = f"build-corpus {texts}"
        builder = CorpusBuilder(file_units(texts), tokenizer, output, 2, command=command)
        (train, held_out) = builder.build(1)
    assert (train.n_documents, held_out.n_documents) == (1, 1)
    assert read_json(output / "sources.json")["units"][0]["name"] == f"{odd}.txt"
    assert "caf\\udce9" in (output / "README.md").read_text(encoding="utf-8")
    tokenizer.save_pretrained(tmp_path / odd / "pieces")
    assert AlbertTokenizer.from_pretrained(tmp_path / odd / "pieces").model == tokenizer.model
    assert TokenStore.open(output / "train").n_documents == 1


def read_all(documents: Iterable[object]) -> None:
    list(documents)


LOADERS: dict[str, Callable[[Any], object]] = {
    "model": AlbertModel.from_pretrained,
    "classifier": AlbertForSequenceClassification.from_pretrained,
    "fill-mask": FillMask.from_pretrained,
    "features": Features.from_pretrained,
    "tokenizer": AlbertTokenizer.from_pretrained,
    "config": AlbertConfig.from_json,
    "store": TokenStore.open,
    "history": History.load,
    "checkpoint": load_latest,
    "weights by name": lambda name: resolve_folder(name, "weights"),
    "tokenizer by name": lambda name: resolve_folder(name, "tokenizer"),
    "cached": cached_folder,
    "documents": lambda path: read_all(read_documents(path)),
    "text": lambda path: read_all(read_text_file(path)),
    "texts": lambda path: read_all(read_text_folder(path)),
    "jsonl": lambda path: read_all(read_jsonl(path)),
    "sst2": read_sst2,
    "mnli": read_mnli,
    "squad": read_squad,
    "race": read_race,
    "any text": read_text,
    "any json": read_json,
}


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize("load", LOADERS.values(), ids=LOADERS)
def test_every_loader_says_that_it_was_given_no_path(load: Callable[[Any], object]) -> None:
    for given in ("", None, 3, b"mine", [], "a\0b"):
        with pytest.raises(InputError, match=r"is no path; give the name of a file or folder"):
            load(given)


@pytest.mark.parametrize("name", sorted(LOADERS.keys() - {"checkpoint", "cached"}))
def test_every_loader_says_that_a_folder_is_a_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or that a file is a folder; and that nothing is there."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (tmp_path / "file").write_bytes(b"\x00\xff no format at all")
    (tmp_path / "folder").mkdir()
    for given in ("file", "folder", "file/inside", "none"):
        if name.endswith("by name") and given == "folder":
            continue
        with pytest.raises(AlbertLibError) as told:
            LOADERS[name](tmp_path / given)
        assert "\n" not in str(told.value)


@pytest.mark.usefixtures("without_shape_checks")
def test_what_is_no_model_and_no_text_is_said() -> None:
    for given in (None, SHIPPED):
        with pytest.raises(InputError, match=r"joins a model and a tokenizer, and got .*; to load"):
            FillMask(given)  # type: ignore[arg-type]
    fill_mask = FillMask.from_pretrained(SHIPPED)
    features = Features(fill_mask.model.albert, fill_mask.tokenizer)
    for texts in (None, 3, ["A [MASK].", None]):
        for ask in (fill_mask, features):
            with pytest.raises(InputError, match="is no text; give a text, or a list of texts"):
                ask(texts)  # type: ignore[call-overload]


@pytest.mark.parametrize("command", ["convert", "history", "verify", "diagnose", "check", "grade"])
def test_an_empty_first_argument_does_not_mean_this_folder(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "", "--output", "out"]) == 2
    assert "is given an empty name; write one, or leave it out." in capsys.readouterr().err
