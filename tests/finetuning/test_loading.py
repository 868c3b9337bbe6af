"""A checkpoint for a task: the head is new and said to be; what else is missing is refused."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from small_task import SHORT, config_for

from albert_lib.errors import CheckpointError
from albert_lib.finetuning.loading import is_untrained, load_to_finetune
from albert_lib.model import (
    AlbertForMaskedLM,
    AlbertForMultipleChoice,
    AlbertForPreTraining,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A pretrained model with dropout of 0.1, as version 1 of the base size has."""
    config = config_for(SHORT).replace(hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.1)
    AlbertForPreTraining(config).save_pretrained(tmp_path / "pretrained")
    return tmp_path / "pretrained"


def test_the_head_is_new_by_the_seed_and_the_rest_is_the_checkpoints(checkpoint: Path) -> None:
    told: list[str] = []
    models = {
        seed: load_to_finetune(
            AlbertForSequenceClassification, checkpoint, SHORT.replace(seed=seed),
            announce=told.append, labels=("a", "b", "c"),
        )
        for seed in (0, 1)
    }  # fmt: skip
    assert told == [
        f"{checkpoint} lacks classifier.weight, classifier.bias: new weights, drawn with seed {n}."
        for n in (0, 1)
    ]
    torch.manual_seed(12)
    again = load_to_finetune(
        AlbertForSequenceClassification, checkpoint, SHORT, announce=told.append,
        labels=("a", "b", "c"),
    )  # fmt: skip
    after = torch.rand(1)
    torch.manual_seed(12)
    assert torch.equal(torch.rand(1), after), "the caller's own numbers are left alone"
    assert torch.equal(again.classifier.weight, models[0].classifier.weight)
    assert not torch.equal(models[1].classifier.weight, models[0].classifier.weight)
    assert models[0].classifier.weight.shape == (3, 16)
    saved = AlbertForPreTraining.from_pretrained(checkpoint).albert
    for name, parameter in saved.named_parameters():
        assert torch.equal(models[1].albert.get_parameter(name), parameter), name
    config = models[0].config
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob) == (0, 0)


def test_by_the_checkpoints_own_dropout(checkpoint: Path) -> None:
    recipe = SHORT.replace(body_dropout=None, head_dropout=0.25)
    model = load_to_finetune(
        AlbertForMultipleChoice, checkpoint, recipe, announce=lambda said: None
    )
    assert (model.config.hidden_dropout_prob, model.config.attention_probs_dropout_prob) == (
        0.1, 0.1,
    )  # fmt: skip
    assert model.dropout.p == 0.25


def test_nothing_is_said_where_nothing_is_new(checkpoint: Path, tmp_path: Path) -> None:
    told: list[str] = []
    model = load_to_finetune(AlbertForQuestionAnswering, checkpoint, SHORT, announce=told.append)
    assert len(told) == 1
    assert "qa_outputs.weight, qa_outputs.bias" in told[0]
    model.save_pretrained(tmp_path / "tuned")
    again = load_to_finetune(
        AlbertForQuestionAnswering, tmp_path / "tuned", SHORT, announce=told.append
    )
    assert len(told) == 1
    assert torch.equal(again.qa_outputs.weight, model.qa_outputs.weight)


def test_a_missing_pooler_is_said_with_what_it_costs(tmp_path: Path) -> None:
    AlbertForMaskedLM(config_for(SHORT)).save_pretrained(tmp_path)
    told: list[str] = []
    load_to_finetune(AlbertForSequenceClassification, tmp_path, SHORT, announce=told.append)
    assert "albert.pooler.weight" in told[0]
    assert told[1].startswith("The pooler is among them: this checkpoint was saved without one")


def change_weights(folder: Path, change: Any) -> None:
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def test_what_else_is_missing_is_refused_by_its_key(checkpoint: Path) -> None:
    missing = "albert.embeddings.position_embeddings.weight"
    change_weights(checkpoint, lambda tensors: tensors.pop(missing))
    with pytest.raises(CheckpointError, match=f"lacks {missing}"):
        load_to_finetune(AlbertForSequenceClassification, checkpoint, SHORT)


def test_half_a_head_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    model = load_to_finetune(
        AlbertForSequenceClassification, checkpoint, SHORT, announce=lambda said: None
    )
    model.save_pretrained(tmp_path / "tuned")
    change_weights(tmp_path / "tuned", lambda tensors: tensors.pop("classifier.bias"))
    with pytest.raises(CheckpointError, match=r"lacks classifier\.bias"):
        load_to_finetune(AlbertForSequenceClassification, tmp_path / "tuned", SHORT)


def test_another_shape_and_no_checkpoint_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    def widen(tensors: dict[str, torch.Tensor]) -> None:
        tensors["albert.pooler.weight"] = torch.zeros(16, 20)

    change_weights(checkpoint, widen)
    with pytest.raises(CheckpointError, match=r"albert\.pooler\.weight"):
        load_to_finetune(AlbertForSequenceClassification, checkpoint, SHORT)
    for nothing in ("", tmp_path / "nowhere"):
        with pytest.raises(Exception, match=r"\.$") as refused:
            load_to_finetune(AlbertForSequenceClassification, nothing, SHORT)
        assert type(refused.value).__module__ == "albert_lib.errors"


def test_other_warnings_come_through(checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def loads(*_: Any, **__: Any) -> AlbertForMaskedLM:
        warnings.warn("an old file", UserWarning, stacklevel=2)
        return AlbertForMaskedLM(config_for(SHORT))

    monkeypatch.setattr(AlbertForMaskedLM, "from_pretrained", loads)
    with pytest.warns(UserWarning, match="an old file"):
        load_to_finetune(AlbertForMaskedLM, checkpoint, SHORT)


def test_a_step_of_training_shows() -> None:
    model = AlbertForSequenceClassification(config_for(SHORT))
    assert is_untrained(model)
    with torch.no_grad():
        model.albert.embeddings.norm.weight[3] += 1e-6
    assert not is_untrained(model)
