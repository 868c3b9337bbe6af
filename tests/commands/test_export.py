"""python -m albert_lib export: a folder that engines open, or one sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from albert_lib import AlbertConfig, AlbertForSequenceClassification, AlbertTokenizer
from albert_lib.engines import load_engine_model
from albert_lib.files import read_json


@pytest.fixture
def classifier(tmp_path: Path, english_tokenizer: AlbertTokenizer) -> Path:
    config = AlbertConfig(
        vocab_size=8000,
        hidden_size=24,
        num_hidden_layers=2,
        intermediate_size=48,
        labels=("a", "b", "c"),
    )
    AlbertForSequenceClassification(config).save_pretrained(tmp_path / "classifier")
    english_tokenizer.save_pretrained(tmp_path / "classifier")
    return tmp_path / "classifier"


def test_a_folder_is_written_whole_and_its_size_is_said(
    run: Any, model: Path, tmp_path: Path
) -> None:
    shown = run("export", "--model", model, "--onnx", tmp_path / "out")
    assert "model.onnx: AlbertForPreTraining, 8.1 MB, 1.002 times its 2,020,290 weights" in shown
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert {"SHA256SUMS", "config.json", "export.json", "model.onnx", "spiece.model"} <= {*names}
    assert run("verify", tmp_path / "out")


def test_a_classifier_is_exported_as_what_it_was_saved_as(
    run: Any, classifier: Path, tmp_path: Path
) -> None:
    run("export", "--model", classifier, "--onnx", tmp_path / "out")
    assert read_json(tmp_path / "out" / "export.json")["kind"] == "AlbertForSequenceClassification"
    by_engine = load_engine_model(
        tmp_path / "out", ["AlbertForSequenceClassification"], "onnxruntime"
    )
    ids = torch.tensor([[2, 17, 42, 3]])
    expected = AlbertForSequenceClassification.from_pretrained(classifier)(ids).logits
    torch.testing.assert_close(by_engine(ids).logits, expected.detach(), rtol=1e-4, atol=1e-4)


def test_what_cannot_be_exported_is_one_sentence(
    refusal: Any, model: Path, classifier: Path, tmp_path: Path
) -> None:
    out = ("--onnx", tmp_path / "out")
    said = refusal("export", "--model", model, *out, "--head", "spans")
    assert "has no trained head for spans; export the head that it has" in said
    assert "lacks" in refusal("export", "--model", classifier, *out, "--head", "fill-mask")
    config = (classifier / "config.json").read_text()
    (classifier / "config.json").write_text(config.replace("AlbertForSeq", "AlbertForNoSeq"))
    assert "say with --head what it is to do" in refusal("export", "--model", classifier, *out)
    said = refusal("export", "--model", model, "--onnx", model)
    assert "is not empty; name a new folder" in said
    assert not (tmp_path / "out").exists()
