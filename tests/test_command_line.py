"""python -m albert_lib: every command on a small text, and every error as one sentence."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from albert_lib.__main__ import COMMANDS, main
from albert_lib.corpus import TokenStore
from albert_lib.files import project_folder, read_json
from albert_lib.objectives import MaskingConfig
from albert_lib.text import AlbertTokenizer
from albert_lib.training import Recipe, choose_precision
from albert_lib.training.recipe import NESTED

PEOPLE = ("baker", "miller", "sailor", "teacher", "smith", "widow", "farmer", "weaver")
DEEDS = ("wakes", "eats", "works", "sings", "sleeps")
TINY = (
    "--embedding-size 8 --hidden-size 16 --num-hidden-layers 1 --num-attention-heads 2 "
    "--steps 3 --batch-size 2 --sequence-length 32 --warmup-steps 1 --evaluation-batches 1"
).split()


@pytest.fixture
def text_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "text"
    folder.mkdir()
    for number, (person, other) in enumerate(itertools.product(PEOPLE, PEOPLE)):
        lines = [f"The {person} {deed} before the {other} {deed}." for deed in DEEDS]
        (folder / f"{number:02}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def run(*words: str | Path) -> int:
    return main([str(word) for word in words])


def test_from_text_to_an_answer(
    text_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pieces, corpus, output = tmp_path / "pieces", tmp_path / "corpus", tmp_path / "run"
    assert run("train-tokenizer", text_folder, "--vocab-size", "45", "--output", pieces) == 0
    assert AlbertTokenizer.from_pretrained(pieces).vocab_size == 45

    build = ("build-corpus", text_folder, "--tokenizer", pieces, "--output", corpus)
    assert run(*build, "--held-out-every", "8") == 0
    assert TokenStore.open(corpus / "train").n_documents == 56
    assert TokenStore.open(corpus / "held-out").n_documents == 8

    pretrain = ("pretrain", "--corpus", corpus, "--tokenizer", pieces, "--output", output, *TINY)
    assert run(*pretrain) == 0
    said = capsys.readouterr().out
    assert "held out mlm loss: " in said
    assert f"Matrix products in {choose_precision()}; --precision changes it." in said
    state = read_json(output / "checkpoint-00000003" / "state.json")
    assert state["run"]["model"]["hidden_size"] == 16
    weights = (output / "model" / "model.safetensors").read_bytes()
    assert run(*pretrain) == 0, "a finished run is loaded"
    assert (output / "model" / "model.safetensors").read_bytes() == weights
    assert run(*pretrain, "--seed", "1") == 2
    assert "recipe.seed=0, but 1 was requested" in capsys.readouterr().err

    ask = ("fill-mask", "--model", output / "model", "--top-k", "3")
    assert run(*ask, "The [MASK] sings.") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    scores = [float(line.split()[0]) for line in lines]
    assert scores == sorted(scores, reverse=True)
    assert run(*ask, "The [MASK] [MASK].") == 0
    assert capsys.readouterr().out.count("[MASK] number") == 2


def test_pretraining_builds_its_corpus_from_text(text_folder: Path, tmp_path: Path) -> None:
    run("train-tokenizer", text_folder, "--vocab-size", "45", "--output", tmp_path / "pieces")
    words = ("pretrain", "--corpus", text_folder, "--tokenizer", tmp_path / "pieces")
    assert run(*words, "--output", tmp_path / "run", *TINY, "--masking-rate", "0.4") == 0
    assert TokenStore.open(tmp_path / "run" / "corpus" / "held-out").n_documents == 3
    state = read_json(tmp_path / "run" / "checkpoint-00000003" / "state.json")
    assert state["run"]["recipe"]["masking"]["rate"] == 0.4


RECIPE = """
batch_size = 2
sequence_length = 16
warmup_steps = 1
evaluation_batches = 1
average_decay = 0.9
masking.rate = 0.3

[[stages]]
steps = 2
masking = {rate = 0.4, mask_probability = 0.9, random_probability = 0.1}

[[stages]]
steps = 2
num_hidden_layers = 2
final_rate = 0.0
"""


def test_pretraining_in_the_stages_of_a_file(
    text_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, recipe = tmp_path / "run", tmp_path / "recipe.toml"
    run("train-tokenizer", text_folder, "--vocab-size", "45", "--output", tmp_path / "pieces")
    recipe.write_text(RECIPE, encoding="utf-8")
    sizes = [word for word in TINY if word not in ("--steps", "3")]
    words = ("pretrain", "--corpus", text_folder, "--tokenizer", tmp_path / "pieces", *sizes)
    words = (*words, "--output", output, "--recipe", recipe)
    assert run(*words, "--batch-size", "4", "--masking-max-ngram", "1") == 0
    state = read_json(output / "checkpoint-00000004" / "state.json")["run"]["recipe"]
    assert (state["batch_size"], state["masking"]["rate"]) == (4, 0.3)
    assert state["masking"]["max_ngram"] == 1
    assert state["stages"][0]["masking"]["mask_probability"] == 0.9
    assert read_json(output / "model" / "config.json")["num_hidden_layers"] == 2
    capsys.readouterr()

    recipe.write_text(RECIPE.replace("steps = 2\nnum", "steps = 3\nnum"), encoding="utf-8")
    assert run(*words, "--batch-size", "4", "--masking-max-ngram", "1") == 2
    assert "recipe.stages.2.steps=2, but 3 was requested" in capsys.readouterr().err


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        (None, "recipe.toml cannot be read (No such file or directory); name a .toml file"),
        (b"steps = ", "recipe.toml is not TOML: "),
        (b"# \xff", "recipe.toml is not UTF-8; save it as UTF-8."),
        (b"stepz = 3", "recipe.toml has no field stepz; it has steps, "),
        (b"steps = 0", "recipe.toml: steps is 0; make it at least 1."),
        (b"stages = 3", "recipe.toml: stages is 3; make it a list of tables."),
        (b"[[stages]]\nsteps = 200\nhidden_size = 3", "recipe.toml: stage 1 can't change hidden_"),
        (b"[[stages]]\nsteps = 2.5", "recipe.toml: stage 1: steps is 2.5; use a whole number"),
    ],
)
def test_a_recipe_file_that_says_what_no_recipe_can(
    written: bytes | None, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = tmp_path / "recipe.toml"
    if written is not None:
        recipe.write_bytes(written)
    assert run("pretrain", "--corpus", "x", "--output", "y", "--recipe", recipe) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_another_text_is_not_trained_on_in_the_folder_of_a_first(
    text_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, other = tmp_path / "run", tmp_path / "other"
    run("train-tokenizer", text_folder, "--vocab-size", "45", "--output", tmp_path / "pieces")
    words = ("pretrain", "--tokenizer", tmp_path / "pieces", "--output", output, *TINY)
    assert run(*words, "--corpus", text_folder) == 0
    assert run(*words, "--corpus", text_folder / ".." / "text") == 0, "the same, spelled otherwise"
    text_folder.rename(other)
    assert run(*words, "--corpus", text_folder) == 0, "a text that is gone was stored"
    assert run(*words, "--corpus", other) == 0, "a text that was moved is the same"
    capsys.readouterr()

    refused = f"corpus was built from {text_folder}, not from {{}}; name another --output, or"
    assert run(*words, "--corpus", "python-documentation") == 2
    assert refused.format("python-documentation") in capsys.readouterr().err
    (other / "00.txt").write_text("The baker sleeps. The miller wakes.", encoding="utf-8")
    assert run(*words, "--corpus", other) == 2
    assert refused.format(f"{other} as it is now") in capsys.readouterr().err
    assert run(*words, "--corpus", output / "corpus") == 0, "as the sentence says"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["build-corpus", "nowhere", "--output", "x"], "nowhere does not exist"),
        (["train-tokenizer", "nowhere", "--output", "x"], "nowhere does not exist"),
        (["fill-mask", "--model", "./nowhere", "A [MASK]."], "nowhere is not a folder"),
        (["features", "--model", "./nowhere", "A baker."], "nowhere is not a folder"),
        (["features", "--model", "albert-base-v2"], "There is no text"),
        (["fill-mask", "--model", "x", "--file", "nowhere"], "nowhere does not exist"),
        (["probe", "winobias", "--model", "x", "--data", "nowhere"], "nowhere does not exist"),
        (["probe", "bec-pro", "--model", "x", "--data", "nowhere"], "nowhere does not exist"),
        (["pretrain", "--corpus", "x", "--output", "y", "--steps", "0"], "steps is 0; make it at"),
        (
            ["pretrain", "--corpus", "x", "--output", "y", "--preset", "albert-small"],
            "'albert-small' is not a published ALBERT",
        ),
    ],
)
def test_an_error_is_one_sentence_and_status_2(
    words: list[str],
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_every_field_of_the_recipe_has_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["pretrain", "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "--recipe FILE" in words
    for name in (each.name for each in fields(MaskingConfig)):
        assert f"--masking-{name.replace('_', '-')} " in words
    for name, meaning in Recipe.meanings().items():
        if name not in NESTED:
            assert f"--{name.replace('_', '-')} " in words
            assert meaning[:20] in words


@pytest.mark.parametrize("command", COMMANDS)
def test_help_names_no_default_that_says_nothing(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert "(default: None)" not in words
    if command == "build-corpus":  # a switch that is off, and a value
        assert "(default: False)" not in words
        assert "(default: 20)" in words


def test_the_doctor_says_what_is_there(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    failed = sum(line.startswith("[FAIL]") for line in lines)
    assert status == (1 if failed else 0)
    assert any(line.startswith("[OK]   torch") for line in lines)
    assert any(line.endswith(f"is chosen: {choose_precision()}") for line in lines)


def test_the_list_of_commands_needs_no_torch() -> None:
    code = (
        "import sys; from albert_lib.__main__ import main\n"
        "try: main(['--help'])\n"
        "finally: assert 'torch' not in sys.modules, 'torch was imported'"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=project_folder()
    )
    assert shown.returncode == 0, shown.stderr
    assert all(name in shown.stdout for name in COMMANDS)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk here is always full")
@pytest.mark.parametrize("buffered", [True, False])
def test_output_that_a_full_disk_does_not_take_is_one_sentence(buffered: bool) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    with open("/dev/full", "w") as full:
        shown = subprocess.run(
            [sys.executable, *([] if buffered else ["-u"]), "-m", "albert_lib", "probe"],
            stdout=full, stderr=subprocess.PIPE, text=True, cwd=project_folder(), env=environment,
        )  # fmt: skip
    assert shown.returncode == 2 and shown.stderr.count("\n") == 1
    assert "output" in shown.stderr and "(No space left on device)" in shown.stderr
