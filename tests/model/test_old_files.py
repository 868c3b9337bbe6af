"""What version 0.1.0 saved, under the parameter names of its time, goes on loading and resuming."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer, TokenStore
from albert_lib.files import read_json
from albert_lib.model.names import current_name
from albert_lib.objectives import MaskingConfig
from albert_lib.training import Recipe, pretrain

OLD = Path(__file__).parents[1] / "old_files"


@pytest.mark.parametrize(("optimizer", "sharing"), [("lamb", "all"), ("muon", "attention")])
def test_a_run_of_version_0_1_resumes_and_reaches_its_losses(
    tmp_path: Path, optimizer: str, sharing: str
) -> None:
    shutil.copytree(OLD / f"run-{optimizer}", tmp_path / "run")
    saved = read_json(tmp_path / "run" / "checkpoint-00000004" / "state.json")["run"]
    config = AlbertConfig.from_dict(saved["model"])
    assert config.sharing == sharing
    torch.manual_seed(99)  # its weights come from the checkpoint
    fields = {key: value for key, value in saved["recipe"].items() if key != "masking"}
    history = pretrain(
        AlbertForPreTraining(config),
        TokenStore.open(OLD / "store"),
        AlbertTokenizer.from_pretrained(OLD / "tokenizer"),
        Recipe(**fields, masking=MaskingConfig(saved["recipe"]["masking"]["share"])),
        output=tmp_path / "run",
        progress=False,
    )
    expected = read_json(OLD / f"losses-{optimizer}.json")
    assert [row["loss"] for row in history.rows] == pytest.approx(expected, abs=1e-6)


@torch.no_grad()
def test_a_model_of_version_0_1_gives_its_scores() -> None:
    model = AlbertForPreTraining.from_pretrained(OLD / "model")
    expected = read_json(OLD / "model-scores.json")
    output = model(torch.arange(2, 22)[None])
    assert output.sop_logits.tolist() == [pytest.approx(expected["sop_logits"][0], abs=1e-6)]
    row = expected["prediction_logits_of_position_3"]
    assert output.prediction_logits[0, 3].tolist() == pytest.approx(row, abs=1e-6)


def test_every_old_name_has_a_current_one() -> None:
    config = AlbertConfig(num_hidden_layers=4, num_hidden_groups=2, inner_group_num=2)
    assert current_name("albert.encoder.attention_norms.3.bias", config) == (
        "albert.encoder.layers.5.attention_norm.bias"
    )
    assert current_name("encoder.ffns.1.contract.weight", config) == (
        "encoder.layers.1.feed_forward.projection.weight"
    )
    assert current_name("encoder.attentions.0.output.bias", config) == (
        "encoder.layers.0.attention.output.bias"
    )
    for same in (
        "albert.pooler.weight",
        "mlm_head.dense.bias",
        "encoder.layers.0.attention.key.bias",
    ):
        assert current_name(same, config) == same
    assert current_name("encoder.ffns.1.contract.weight", None) == "encoder.ffns.1.contract.weight"
