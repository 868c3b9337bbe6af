"""convert: from a checkpoint with Google's variable names to a folder that everybody reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers
from google_checkpoint import (
    google_variables,
    shuffle,
    training_state,
    write_checkpoint,
    write_download,
)

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertForPreTraining, AlbertTokenizer
from albert_lib.__main__ import main
from albert_lib.files import data_folder, project_folder
from albert_lib.model.tensorflow_checkpoint import read_variables

PIECES = (data_folder() / "tokenizers" / "english-8k" / "spiece.model").read_bytes()
DATA = "model.ckpt-best.data-00000-of-00001"
INDEX = "model.ckpt-best.index"

# Google writes a rate of 0.0 as 0, which the shape checks of the test run would refuse.
pytestmark = pytest.mark.usefixtures("tensorflow", "without_shape_checks")


@pytest.fixture(scope="module")
def original() -> AlbertForPreTraining:
    config = AlbertConfig(
        vocab_size=8000,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=4,
        intermediate_size=64,
        num_hidden_groups=2,
        inner_group_num=2,
        max_position_embeddings=64,
    )
    model = AlbertForPreTraining(config)
    shuffle(model)
    return model.eval()


@pytest.fixture(scope="module")
def pristine(
    tensorflow: None, original: AlbertForPreTraining, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    variables = google_variables(original)
    return write_download(
        tmp_path_factory.mktemp("google") / "albert_tiny",
        original.config,
        {**variables, **training_state(variables)},
        PIECES,
    )


@pytest.fixture
def download(pristine: Path, tmp_path: Path) -> Path:
    """A copy of Google's folder, to be spoilt."""
    return shutil.copytree(pristine, tmp_path / "albert_tiny")


def convert(source: Path, output: Path) -> int:
    return main(["convert", str(source), "--output", str(output)])


@torch.no_grad()
def test_a_converted_folder_is_the_original_model(
    original: AlbertForPreTraining, download: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "converted"
    command = [sys.executable, "-m", "albert_lib", "convert", download, "--output", folder]
    said = subprocess.run(command, cwd=project_folder(), capture_output=True, text=True)
    assert said.stderr == "", "what TensorFlow says about the machine is nobody's concern"
    assert said.returncode == 0
    assert said.stdout == (
        f"{folder}: encoder, pooler, MLM head and SOP head; "
        f"{original.num_parameters():,} parameters\n"
    )
    assert {file.name for file in folder.iterdir()} >= {
        "config.json",
        "model.safetensors",
        "spiece.model",
        "tokenizer_config.json",
    }

    converted = AlbertForPreTraining.from_pretrained(folder)
    for name, parameter in original.named_parameters():
        assert torch.equal(converted.get_parameter(name), parameter), name
    batch = AlbertTokenizer.from_pretrained(folder)(["The mill is old."], ["It turns [MASK]."])
    inputs = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    ours, expected = converted(*inputs), original(*inputs)
    assert (ours.prediction_logits - expected.prediction_logits).abs().max() < 1e-6
    assert (ours.sop_logits - expected.sop_logits).abs().max() < 1e-6

    theirs = transformers.AlbertForPreTraining.from_pretrained(folder).eval()(*inputs)
    assert (ours.prediction_logits - theirs.prediction_logits).abs().max() < 1e-5
    assert (ours.sop_logits - theirs.sop_logits).abs().max() < 1e-5


def test_a_checkpoint_may_be_named_by_the_beginning_of_its_files_or_one_of_them(
    download: Path, tmp_path: Path
) -> None:
    for number, name in enumerate(("model.ckpt-best", INDEX, DATA)):
        assert convert(download / name, tmp_path / str(number)) == 0
        assert (tmp_path / str(number) / "model.safetensors").is_file()


def test_names_of_tensorflow_hub_and_half_precision_are_read(
    original: AlbertForPreTraining, tmp_path: Path
) -> None:
    variables = google_variables(original)
    halved = {f"module/{name}": array.astype(np.float16) for name, array in variables.items()}
    write_checkpoint(tmp_path / "model.ckpt", halved)
    read = read_variables(tmp_path / "model.ckpt")
    assert read.keys() == variables.keys()
    for name, array in variables.items():
        np.testing.assert_array_equal(read[name], array.astype(np.float16))


def test_only_training_state_is_left_unread(original: AlbertForPreTraining, tmp_path: Path) -> None:
    weight = {"bert/pooler/dense/kernel": np.ones((2, 2), np.float32)}
    state = [
        "global_step",
        "beta1_power",
        "bert/pooler/dense/kernel/adam_m",
        "bert/pooler/dense/kernel/adam_v",
        "bert/pooler/dense/kernel/lamb_m",
        "bert/pooler/dense/kernel/lamb_v",
        "bert/pooler/dense/kernel/Adam",
        "bert/pooler/dense/kernel/Adam_1",
        "bert/pooler/dense/kernel/AdamWeightDecayOptimizer",
        "bert/pooler/dense/kernel/AdamWeightDecayOptimizer_1",
    ]
    other = {"adam_model/weights": np.ones(2, np.float32)}
    write_checkpoint(
        tmp_path / "model.ckpt", {**weight, **other, **dict.fromkeys(state, np.float32(0))}
    )
    assert read_variables(tmp_path / "model.ckpt").keys() == weight.keys() | other.keys()


@pytest.mark.filterwarnings("default:.*also holds:UserWarning")  # the command prints it
def test_without_the_sop_head_a_masked_language_model_is_written(
    original: AlbertForPreTraining, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    variables = google_variables(original)
    kept = {name: array for name, array in variables.items() if "seq_relationship" not in name}
    source = write_download(tmp_path / "download", original.config, kept, PIECES)
    assert convert(source, tmp_path / "converted") == 0
    said = capsys.readouterr()
    assert ": encoder and MLM head; " in said.out
    assert "also holds bert/pooler/dense/bias, bert/pooler/dense/kernel; ignored." in said.err
    AlbertForMaskedLM.from_pretrained(tmp_path / "converted")


def cut_short(file: str, size: int) -> Callable[[Path], None]:
    return lambda folder: (folder / file).write_bytes((folder / file).read_bytes()[:size])


def turn_bits(folder: Path) -> None:
    data = np.fromfile(folder / DATA, dtype=np.uint8)
    data[::1000] ^= 1
    data.tofile(folder / DATA)


def add_second_checkpoint(folder: Path) -> None:
    for name in (INDEX, DATA):
        shutil.copy(folder / name, folder / name.replace("best", "125000"))


def change_width(folder: Path) -> None:
    file = folder / "albert_config.json"
    file.write_text(file.read_text().replace('"intermediate_size": 64', '"intermediate_size": 128'))


def write_as_tensorflow_2(folder: Path) -> None:
    import tensorflow as tf

    (folder / INDEX).unlink()
    tf.train.Checkpoint(weight=tf.Variable([1.0])).write(str(folder / "model.ckpt-best"))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda folder: (folder / INDEX).unlink(), "holds no checkpoint (no file ends in .index)"),
        (add_second_checkpoint, "several checkpoints (model.ckpt-125000, model.ckpt-best); name"),
        (lambda folder: (folder / DATA).unlink(), "No such file or directory); copy its .index"),
        (cut_short(DATA, 1000), "model.ckpt-best cannot be read (Read less bytes than requested)"),
        (cut_short(INDEX, 20), "model.ckpt-best cannot be read (file is too short"),
        (turn_bits, "Checksum does not match"),
        (write_as_tensorflow_2, "was written by TensorFlow 2"),
        (
            lambda folder: (folder / "albert_config.json").unlink(),
            "albert_config.json does not exi",
        ),
        (cut_short("albert_config.json", 50), "albert_config.json is not valid JSON"),
        (change_width, "ffn_1/intermediate/dense/kernel is (32, 64) instead of (32, 128)"),
        (
            lambda folder: (folder / "30k-clean.model").unlink(),
            "one SentencePiece model (it holds n",
        ),
        (cut_short("30k-clean.model", 500), "30k-clean.model cannot be used. The SentencePiece mo"),
    ],
)
def test_a_spoilt_download_is_one_sentence_and_nothing_is_written(
    download: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    spoil: Callable[[Path], None],
    sentence: str,
) -> None:
    spoil(download)
    capfd.readouterr()
    assert convert(download, tmp_path / "converted") == 2
    said = capfd.readouterr().err
    assert sentence in said and said.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["albert_tiny"]


def test_a_vocabulary_of_another_size_is_refused(
    download: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = download / "albert_config.json"
    file.write_text(file.read_text().replace('"vocab_size": 8000', '"vocab_size": 30000'))
    assert convert(download, tmp_path / "converted") == 2
    assert (
        "has 8000 pieces, but albert_config.json says vocab_size=30000" in capsys.readouterr().err
    )


def test_a_folder_with_something_in_it_is_never_replaced(
    download: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(download.iterdir())
    assert convert(download, download) == 2
    assert f"{download} is not empty; name a new folder" in capsys.readouterr().err
    assert sorted(download.iterdir()) == before


def test_a_source_that_is_not_there_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert convert(tmp_path / "nowhere", tmp_path / "converted") == 2
    assert "nowhere is neither a folder nor a checkpoint (nowhere.index" in capsys.readouterr().err
