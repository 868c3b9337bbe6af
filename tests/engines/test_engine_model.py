"""Exported folders, and models run by engines: what works and what is refused."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from albert_lib import AlbertConfig, AlbertForMaskedLM, FillMask
from albert_lib.commands.export import export
from albert_lib.engines import engine_model, onnx_files
from albert_lib.engines.engine import ENGINES, check_engine, open_engine
from albert_lib.errors import AlbertLibError, CheckpointError, InputError
from albert_lib.files import data_folder, project_folder
from albert_lib.hub import WEIGHTS_FILE
from albert_lib.probing import Features

SHARE = 1.05  # of the weights' bytes


def gaps(n_gaps: int) -> list[str]:
    """Sentences of the project's own texts, with one word of each masked."""
    prose = " ".join(
        (project_folder() / name).read_text(encoding="utf-8")
        for name in ("docs/ethics.md", "CONTRIBUTING.md", "README.md")
    )
    sentences = [sentence.split() for sentence in prose.replace("\n", " ").split(". ")]
    usable = [w for w in sentences if 6 <= len(w) <= 30 and "[MASK]" not in " ".join(w)]
    rng = np.random.default_rng(0)
    found = []
    while len(found) < n_gaps:
        words = list(usable[len(found) % len(usable)])
        words[rng.integers(len(words))] = "[MASK]"
        found.append(" ".join(words) + ".")
    return found


def test_the_same_five_answers_for_200_gaps(tmp_path: Path) -> None:
    model = data_folder() / "checkpoints" / "albert-mini-en"
    export(str(model), tmp_path / "onnx")
    texts = gaps(200)
    ours = FillMask.from_pretrained(model)(texts)
    for engine in ENGINES:
        theirs = FillMask.from_pretrained(tmp_path / "onnx", engine=engine)(texts)
        for right, found in zip(ours, theirs, strict=True):
            assert [fill["token"] for fill in found] == [fill["token"] for fill in right]
            for one, other in zip(right, found, strict=True):
                assert one["sequence"] == other["sequence"]
                assert one["score"] == pytest.approx(other["score"], abs=1e-5)


def test_the_file_is_as_large_as_the_weights_and_stays_so_when_optimised(tmp_path: Path) -> None:
    import onnxruntime

    config = AlbertConfig(
        vocab_size=1000, hidden_size=192, num_hidden_layers=12, intermediate_size=768
    )
    model = AlbertForMaskedLM(config)
    weights = 4 * config.num_parameters(pooler=False)  # and a head of little more
    contents = onnx_files.onnx_bytes(model)
    assert weights < len(contents) < SHARE * 4 * model.num_parameters()
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
    onnxruntime.InferenceSession(contents, options, providers=["CPUExecutionProvider"])
    assert (tmp_path / "optimised.onnx").stat().st_size < SHARE * len(contents)


def test_an_ordinary_folder_runs_by_an_engine_without_a_file(folder: Path) -> None:
    texts = ["The [MASK] of the [MASK].", "He is [MASK]."]
    right = FillMask.from_pretrained(folder).masked_logits(texts)
    for engine in ENGINES:
        found = FillMask.from_pretrained(folder, engine=engine)
        for one, other in zip(right, found.masked_logits(texts), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)
        states = Features.from_pretrained(folder, engine=engine)(texts)
        for one, other in zip(Features.from_pretrained(folder)(texts), states, strict=True):
            torch.testing.assert_close(
                one.last_hidden_state, other.last_hidden_state, rtol=1e-4, atol=1e-4
            )
            torch.testing.assert_close(one.pooler_output, other.pooler_output)
        assert type(found.encoder).__name__ == "AlbertModel" and found.encoder is found.encoder


def test_an_exported_folder_without_weights_says_so(exported: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\.onnx and no model\.safetensors; give an en"):
        FillMask.from_pretrained(exported)
    with pytest.raises(CheckpointError, match=r"is an AlbertForPreTraining, and AlbertModel is n"):
        Features.from_pretrained(exported, engine="onnxruntime")


def cut(folder: Path) -> None:
    file = folder / onnx_files.ONNX_FILE
    file.write_bytes(file.read_bytes()[:-1000])


def replace_weights(folder: Path) -> None:
    config = AlbertConfig.from_json(folder / "config.json")
    AlbertForMaskedLM(config).save_pretrained(folder)
    record = json.loads((folder / onnx_files.RECORD_FILE).read_text())
    assert (folder / WEIGHTS_FILE).is_file() and len(record[WEIGHTS_FILE]) == 64


def replace_config(folder: Path) -> None:
    config = AlbertConfig.from_json(folder / "config.json").replace(num_hidden_layers=2)
    config.to_json(folder / "config.json")


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (cut, r"model\.onnx is not the file that was exported: it was cut"),
        (replace_weights, r"holds other weights than model\.onnx was made from"),
        (replace_config, r"config\.json describes another model than model\.onnx"),
        (lambda folder: (folder / "export.json").unlink(), r"has no export\.json"),
        (lambda folder: (folder / "model.onnx").unlink(), r"has no model\.onnx"),
        (lambda folder: (folder / "export.json").write_text("[1]"), r"is not what export writes"),
        (lambda folder: (folder / "export.json").write_text("{"), r"is not valid JSON"),
    ],
)
def test_damaged_folders_are_refused_in_a_sentence(damage, complaint: str, exported: Path) -> None:
    damage(exported)
    with pytest.raises(CheckpointError, match=complaint):
        FillMask.from_pretrained(exported, engine="onnxruntime")


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_cannot_read_is_refused(engine: str) -> None:
    contents = onnx_files.onnx_bytes(AlbertForMaskedLM(AlbertConfig(vocab_size=9, hidden_size=24)))
    for broken in (contents[:-1000], b"no model", b""):
        with pytest.raises(CheckpointError, match=rf"{engine} cannot open the model \(.+\); exp"):
            open_engine(engine, broken)


@pytest.mark.parametrize("package", [*ENGINES, "onnx"])
def test_a_missing_package_is_one_sentence(
    package: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(CheckpointError, match=r"not installed; run `pip install .*'\.\[\w+\]'`"):
        FillMask.from_pretrained(folder, engine=ENGINES[package == "openvino"])


def test_engines_and_precisions_that_do_not_exist(folder: Path) -> None:
    with pytest.raises(InputError, match=r"'tensorrt' is no engine; give onnxruntime or openvino"):
        FillMask.from_pretrained(folder, engine="tensorrt")
    with pytest.raises(InputError, match=r"onnxruntime computes in float32 alone"):
        check_engine("onnxruntime", "bfloat16")


def test_more_than_two_gigabytes_are_refused_before_they_are_written() -> None:
    config = AlbertConfig(hidden_size=12288, num_attention_heads=96, intermediate_size=16384)
    with torch.device("meta"):
        model = AlbertForMaskedLM(config)
    with pytest.raises(CheckpointError, match=r"4\.1 GB in float32, and one file of ONNX holds"):
        onnx_files.onnx_bytes(model)


def test_weights_in_several_files_have_one_hash(folder: Path, tmp_path: Path) -> None:
    assert onnx_files.weights_hash(tmp_path) is None
    content = (folder / WEIGHTS_FILE).read_bytes()
    (tmp_path / "model.safetensors.index.json").write_text("{}")
    for number, part in enumerate((content[:5000], content[5000:]), 1):
        (tmp_path / f"model-0000{number}-of-00002.safetensors").write_bytes(part)
    assert onnx_files.weights_hash(tmp_path) == onnx_files.weights_hash(folder)


def test_a_folder_that_no_kind_fits_is_refused_by_the_last(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "half")
    (tmp_path / "half" / WEIGHTS_FILE).unlink()
    with pytest.raises(AlbertLibError, match="does not exist"):
        engine_model.load_engine_model(
            tmp_path / "half", ["AlbertForPreTraining", "AlbertForMaskedLM"], "onnxruntime"
        )


def test_openvino_is_opened_without_what_reports_its_use() -> None:
    code = (
        "import sys; from albert_lib.engines.engine import _import; _import('openvino'); "
        "loaded = [n for n in sys.modules if 'telemetry' in n and sys.modules[n] is not None]; "
        "print(sys.modules['openvino_telemetry'], *loaded)"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=project_folder(),
    )
    said, *loaded = shown.stdout.split()
    assert said == "None"
    assert all(name.startswith("openvino.tools.ovc.telemetry") for name in loaded)
