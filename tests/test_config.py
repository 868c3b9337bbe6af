"""AlbertConfig against the published sizes, against counting, and against transformers."""

from __future__ import annotations

import argparse
import dataclasses
import json

import pytest
import torch
import transformers

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertForPreTraining, AlbertModel
from albert_lib.commands.pretrain import add_arguments, config_from
from albert_lib.config import GOOGLE
from albert_lib.errors import ConfigError

WHOLE = [
    f.name for f in dataclasses.fields(AlbertConfig) if f.type == "int" and "_id" not in f.name
]
IDS = ["pad_token_id", "bos_token_id", "eos_token_id"]
# Unique parameters of the published models: encoder without pooler, AlbertModel,
# ForMaskedLM, ForPreTraining, and the shared layer.
PUBLISHED = {
    "base": (11_092_992, 11_683_584, 11_221_680, 11_813_810, 7_087_872),
    "large": (16_634_368, 17_683_968, 16_795_824, 17_847_474, 12_596_224),
    "xlarge": (54_528_512, 58_724_864, 54_821_040, 59_021_490, 50_358_272),
    "xxlarge": (205_814_272, 222_595_584, 206_368_944, 223_158_450, 201_379_840),
}


@pytest.mark.parametrize("name", AlbertConfig.presets())
def test_formula_gives_the_published_counts(name: str) -> None:
    config = AlbertConfig.preset(name)
    bare, full, masked, pretraining, layer = PUBLISHED[name.split("-")[1]]
    assert config.num_parameters(pooler=False) == bare
    assert config.num_parameters() == full
    assert config.num_parameters(pooler=False, mlm_head=True) == masked
    assert config.num_parameters(mlm_head=True, sop_head=True) == pretraining
    assert sum(config.layer_parameters().values()) == layer


@pytest.mark.parametrize(
    ("sharing", "millions"), [("all", 11.68), ("attention", 63.63), ("ffn", 37.67), ("none", 89.65)]
)
def test_table_4_at_e_128(sharing: str, millions: float) -> None:
    assert round(AlbertConfig(sharing=sharing).num_parameters() / 1e6, 2) == millions


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"num_hidden_groups": 3, "inner_group_num": 2},
        {"sharing": "attention"},
        {"sharing": "ffn"},
        {"sharing": "none"},
        {"embedding_size": 32},
        {"embedding_size": 32, "project_equal_widths": False},
    ],
)
def test_formula_equals_counting(tiny: AlbertConfig, changes: dict) -> None:
    config = tiny.replace(**changes)
    assert AlbertModel(config).num_parameters() == config.num_parameters()
    assert AlbertModel(config, pooler=False).num_parameters() == config.num_parameters(pooler=False)
    assert AlbertForMaskedLM(config).num_parameters() == config.num_parameters(False, mlm_head=True)
    counted = AlbertForPreTraining(config).num_parameters()
    assert counted == config.num_parameters(mlm_head=True, sop_head=True)


def test_formula_equals_counting_in_transformers_at_xlarge_shape() -> None:
    config = AlbertConfig.preset("albert-xlarge-v1")
    with torch.device("meta"):
        reference = transformers.AlbertModel(transformers.AlbertConfig(**config.to_dict()))
    assert reference.num_parameters() == config.num_parameters()


def test_v1_and_v2_differ_in_dropout_and_activation() -> None:
    v1, v2 = AlbertConfig.preset("albert-xlarge-v1"), AlbertConfig.preset("albert-xlarge-v2")
    assert (v1.hidden_act, v1.hidden_dropout_prob, v1.head_size) == ("gelu", 0.1, 128)
    assert (v2.hidden_act, v2.hidden_dropout_prob) == ("gelu_new", 0.0)
    assert AlbertConfig.preset("albert-xxlarge-v1").hidden_dropout_prob == 0.0


def test_json_goes_in_and_out_with_hugging_face_keys(tmp_path, tiny: AlbertConfig) -> None:
    tiny.to_json(tmp_path / "config.json")
    assert AlbertConfig.from_json(tmp_path) == tiny
    theirs = transformers.AlbertConfig.from_pretrained(tmp_path)
    for field in dataclasses.fields(tiny):
        if field.name not in {"sharing", "labels", *GOOGLE} - {"hidden_act"}:
            assert getattr(theirs, field.name) == getattr(tiny, field.name), field.name
    theirs.save_pretrained(tmp_path / "theirs")
    assert AlbertConfig.from_json(tmp_path / "theirs") == tiny


def test_class_names_go_in_and_out_as_hugging_face_writes_them(tmp_path, tiny) -> None:
    named = tiny.replace(labels=("no", "yes", "perhaps"))
    named.to_json(tmp_path / "config.json")
    theirs = transformers.AlbertConfig.from_pretrained(tmp_path)
    assert theirs.id2label == {0: "no", 1: "yes", 2: "perhaps"} and theirs.num_labels == 3
    theirs.save_pretrained(tmp_path / "theirs")
    assert AlbertConfig.from_json(tmp_path / "theirs") == named
    unnamed = AlbertConfig.from_dict({**tiny.to_dict(), "num_labels": 4})
    assert unnamed.labels == ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3")


def test_a_missing_size_is_what_transformers_takes_it_for() -> None:
    ours, theirs = AlbertConfig.from_dict({"model_type": "albert"}), transformers.AlbertConfig()
    for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"):
        assert getattr(ours, name) == getattr(theirs, name)
    assert (ours.hidden_act, ours.hidden_dropout_prob) == (theirs.hidden_act, 0.0)


@pytest.mark.usefixtures("without_shape_checks")
def test_a_list_of_labels_is_as_good_as_a_tuple(tiny) -> None:
    assert hash(tiny.replace(labels=["a", "b"])) == hash(tiny.replace(labels=("a", "b")))


def test_whole_numbers_are_taken_for_rates() -> None:
    rates = AlbertConfig.from_dict({"hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0.1})
    assert isinstance(rates.hidden_dropout_prob, float)


def test_the_switches_survive_a_file_and_are_left_out_at_their_defaults(tmp_path, tiny) -> None:
    google = tiny.as_google()
    assert {name: getattr(google, name) for name in GOOGLE} == GOOGLE
    google.to_json(tmp_path / "config.json")
    assert AlbertConfig.from_json(tmp_path) == google
    assert not (GOOGLE.keys() - {"hidden_act"}) & tiny.to_dict().keys()


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_attention_heads": 5}, "divisor of hidden_size"),
        ({"hidden_size": 0}, "at least 1"),
        ({"vocab_size": True}, "whole number"),
        *(({name: 2.0}, f"{name}=2.0 must be a whole number") for name in WHOLE),
        *(({name: 2.0}, f"{name}=2.0 must be the id of a piece") for name in IDS),
        ({"hidden_dropout_prob": 1.0}, "below 1"),
        ({"initializer_range": -1.0}, "above 0"),
        ({"layer_norm_eps": float("nan")}, "above 0"),
        ({"hidden_act": "softmax"}, "gelu_new"),
        ({"num_hidden_groups": 99}, "never be used"),
        ({"sharing": "ffn", "num_hidden_groups": 2}, 'use sharing="all"'),
        ({"pad_token_id": 100_000}, "outside the vocabulary"),
        ({"labels": ()}, "at least one"),
        ({"labels": ("a", "a")}, "different names"),
        ({"labels": "yes"}, "must be names"),
        ({"labels": 3}, "must be names"),
        ({"num_labels": 3}, "AlbertConfig has no field num_labels"),
        ({"pad_token_id": "0"}, "the id of a piece"),
        ({"layer_norm_eps": True}, "above 0"),
        ({"group_rounding": "up"}, "huggingface, google, exact"),
        ({"additive_mask": 1}, "true or false"),
    ],
)
def test_impossible_values_are_refused_with_a_sentence(tiny, changes: dict, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        tiny.replace(**changes)


@pytest.mark.usefixtures("without_shape_checks")
@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "not valid JSON"),
        ("[1]", "does not hold a JSON object"),
        (json.dumps({"model_type": "bert"}), "'bert'"),
        (json.dumps({"hidden_size": "wide"}), "whole number"),
        (json.dumps({"hidden_dropout_prob": "much"}), "config.json"),
        (json.dumps({"position_embedding_type": "relative_key"}), "relative positions"),
        (json.dumps({"tie_word_embeddings": False}), "word embedding"),
        (json.dumps({"id2label": ["no", "yes"]}), "0, 1, 2, … in a row"),
        (json.dumps({"id2label": {"0": "no", "2": "yes"}}), "in a row"),
        (json.dumps({"id2label": {"0": "no", "1": None}}), "must be names"),
        (json.dumps({"num_labels": "3"}), "at least 1"),
        (json.dumps({"pad_token_id": "0"}), "the id of a piece"),
    ],
)
def test_damaged_files_are_named(tmp_path, text: str, sentence: str) -> None:
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(ConfigError, match=sentence) as caught:
        AlbertConfig.from_json(tmp_path)
    assert "config.json" in str(caught.value)


def test_a_preset_of_another_width_stays_in_proportion() -> None:
    """The feed-forward block used to stay at 3072 whatever the width."""
    narrow = AlbertConfig.preset("albert-base-v2", hidden_size=384)
    assert (narrow.intermediate_size, narrow.head_size) == (1536, 32)
    given = AlbertConfig.preset("albert-base-v2", hidden_size=384, intermediate_size=3072)
    assert given.intermediate_size == 3072
    with pytest.raises(ConfigError, match="choose a divisor of hidden_size"):
        AlbertConfig.preset("albert-base-v2", hidden_size=250)
    odd = AlbertConfig(hidden_size=12, num_attention_heads=1, intermediate_size=20)
    with pytest.raises(ConfigError, match="give intermediate_size too"):
        odd.resize(hidden_size=13)


def test_the_pretrain_command_keeps_a_preset_in_proportion(english_tokenizer) -> None:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    common = ["--corpus", "x", "--output", "y", "--preset", "albert-base-v2"]
    options = parser.parse_args([*common, "--hidden-size", "384"])
    config = config_from(options, english_tokenizer)
    assert (config.hidden_size, config.intermediate_size) == (384, 1536)
    assert config.vocab_size == english_tokenizer.vocab_size
    with pytest.raises(ConfigError, match="hidden_size=250"):
        config_from(parser.parse_args([*common, "--hidden-size", "250"]), english_tokenizer)


def test_missing_file_and_unknown_preset() -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        AlbertConfig.from_json("nowhere/config.json")
    with pytest.raises(ConfigError, match="albert-base-v1"):
        AlbertConfig.preset("albert-huge-v3")
