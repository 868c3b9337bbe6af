"""Google's checkpoints without TensorFlow: the names, the settings, the model they make."""

from __future__ import annotations

import json
import sys
import warnings

import pytest
import torch
import transformers
from google_checkpoint import (
    PUBLISHED_NAMES,
    google_config_values,
    google_variables,
    original_name,
    shuffle,
)

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.model.names import hugging_face_name
from albert_lib.model.tensorflow_checkpoint import (
    build_model,
    google_config,
    read_variables,
    tensorflow_name,
)

POOLER = "bert/pooler/dense/kernel"


@pytest.fixture
def grouped(tiny: AlbertConfig) -> AlbertConfig:
    """Two groups of two layers each."""
    return tiny.replace(num_hidden_groups=2, inner_group_num=2)


@pytest.fixture
def model(grouped: AlbertConfig) -> AlbertForPreTraining:
    model = AlbertForPreTraining(grouped)
    shuffle(model)
    return model.eval()


def names_of(model: AlbertForPreTraining) -> list[str]:
    return [hugging_face_name(name, model.config) for name, _ in model.named_parameters()]


def test_the_names_are_those_of_the_published_checkpoint(tiny: AlbertConfig) -> None:
    names = names_of(AlbertForPreTraining(tiny))
    assert sorted(map(tensorflow_name, names)) == sorted(PUBLISHED_NAMES)


def test_every_parameter_of_several_groups_has_its_own_name(model: AlbertForPreTraining) -> None:
    names = names_of(model)
    googles = [tensorflow_name(name) for name in names]
    assert googles == [original_name(name) for name in names]
    assert len(set(googles)) == len(names) == 32 + 3 * 16
    assert "bert/encoder/transformer/group_1/inner_group_0/LayerNorm_1/gamma" in googles


def test_a_parameter_that_google_never_had_is_an_error() -> None:
    with pytest.raises(KeyError, match="qa_outputs"):
        tensorflow_name("qa_outputs.weight")


def test_every_number_arrives(model: AlbertForPreTraining) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        built = build_model(google_variables(model), model.config, "model.ckpt")
    assert type(built) is AlbertForPreTraining and not built.training
    for name, parameter in model.named_parameters():
        assert torch.equal(built.get_parameter(name), parameter), name


@pytest.mark.parametrize(
    ("absent", "made", "left_aside"),
    [
        ("cls/seq_relationship", AlbertForMaskedLM, "bert/pooler/dense/bias, bert/pooler/dense/k"),
        ("cls/predictions", AlbertModel, "cls/seq_relationship/output_bias, cls/seq_relationship/"),
        ("cls/", AlbertModel, None),
    ],
)
def test_the_file_decides_on_the_heads(
    model: AlbertForPreTraining, absent: str, made: type, left_aside: str | None
) -> None:
    variables = {k: v for k, v in google_variables(model).items() if not k.startswith(absent)}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        built = build_model(variables, model.config, "model.ckpt")
    assert type(built) is made
    assert len(said) == (left_aside is not None)
    assert all(f"model.ckpt also holds {left_aside}" in str(each.message) for each in said)


def test_what_a_task_added_is_named_and_left_aside(model: AlbertForPreTraining) -> None:
    variables = google_variables(model)
    variables |= dict.fromkeys(("output_weights", "output_bias"), variables[POOLER])
    with pytest.warns(
        UserWarning, match=r"^model.ckpt also holds output_bias, output_weights; ignored"
    ):
        build_model(variables, model.config, "model.ckpt")


def test_what_is_missing_is_named(model: AlbertForPreTraining) -> None:
    variables = google_variables(model)
    del variables[POOLER], variables["cls/predictions/output_bias"]
    sentence = f"^model.ckpt lacks {POOLER}, cls/predictions/output_bias; give a checkpoint"
    with pytest.raises(CheckpointError, match=sentence):
        build_model(variables, model.config, "model.ckpt")


def test_a_shape_that_does_not_fit_is_named_as_the_file_has_it(model: AlbertForPreTraining) -> None:
    wider = model.config.replace(intermediate_size=96)
    sentence = r"intermediate/dense/kernel is \(32, 64\) instead of \(32, 96\)"
    with pytest.raises(CheckpointError, match=sentence):
        build_model(google_variables(model), wider, "model.ckpt")


def test_layers_that_the_settings_do_not_know_are_an_error(model: AlbertForPreTraining) -> None:
    with pytest.raises(CheckpointError, match=r"also holds .*inner_group_1.* and 24 more, for"):
        build_model(google_variables(model), model.config.replace(inner_group_num=1), "model.ckpt")


@pytest.mark.usefixtures("without_shape_checks")  # Google writes a rate of 0.0 as 0
def test_the_settings_of_the_published_base_model(tmp_path) -> None:
    values = google_config_values(AlbertConfig.preset("albert-base-v2"))
    (tmp_path / "albert_config.json").write_text(json.dumps(values))
    read = google_config(tmp_path / "albert_config.json")
    published = AlbertConfig.preset("albert-base-v2")
    assert read == published.replace(project_equal_widths=False, group_rounding="google")
    assert read.hidden_act == "gelu_new", "gelu in Google's files is the tanh form"


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"gap_size": 2}, "gap_size=2, which belongs to code that Google did not release"),
        ({"ln_type": "preln"}, "ln_type='preln'"),
        ({"hidden_act": "tanh"}, "hidden_act='tanh' must be one of"),
        ({"num_attention_heads": 5}, "cannot be split among num_attention_heads=5"),
    ],
)
def test_settings_that_cannot_be_followed_are_refused(
    tmp_path, tiny: AlbertConfig, change: dict[str, object], sentence: str
) -> None:
    file = tmp_path / "albert_config.json"
    file.write_text(json.dumps({**google_config_values(tiny), **change}))
    with pytest.raises(ConfigError, match=sentence) as refused:
        google_config(file)
    assert str(file) in str(refused.value)


@pytest.mark.usefixtures("without_shape_checks")
def test_relu_stays_relu(tmp_path, tiny: AlbertConfig) -> None:
    file = tmp_path / "albert_config.json"
    file.write_text(json.dumps({**google_config_values(tiny), "hidden_act": "relu"}))
    assert google_config(file).hidden_act == "relu"


@torch.no_grad()
def test_equal_widths_which_google_does_not_map_become_an_identity(
    tmp_path, tiny: AlbertConfig
) -> None:
    config = tiny.replace(embedding_size=tiny.hidden_size, project_equal_widths=False)
    model = AlbertModel(config).eval()
    shuffle(model)
    variables = google_variables(model)
    assert not any("embedding_hidden_mapping_in" in name for name in variables)
    build_model(variables, config, "model.ckpt").save_pretrained(tmp_path)
    ids = torch.arange(5, 25)[None]
    theirs = transformers.AlbertModel.from_pretrained(tmp_path)(ids).last_hidden_state
    assert (theirs - model(ids).last_hidden_state).abs().max() < 1e-6


def test_without_tensorflow_one_sentence_says_how_to_install_it(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(CheckpointError, match=r"takes TensorFlow .*pip install .*\[tensorflow\]"):
        read_variables(tmp_path / "model.ckpt")
