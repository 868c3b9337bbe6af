"""Checkpoints as google-research/albert leaves them, written for the tests."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from albert_lib import AlbertConfig
from albert_lib.model.names import hugging_face_name
from albert_lib.model.weights import PretrainedModel

# The variables of the published albert_base checkpoint, optimizer and step aside.
PUBLISHED_NAMES = """
bert/embeddings/LayerNorm/beta
bert/embeddings/LayerNorm/gamma
bert/embeddings/position_embeddings
bert/embeddings/token_type_embeddings
bert/embeddings/word_embeddings
bert/encoder/embedding_hidden_mapping_in/bias
bert/encoder/embedding_hidden_mapping_in/kernel
bert/encoder/transformer/group_0/inner_group_0/LayerNorm/beta
bert/encoder/transformer/group_0/inner_group_0/LayerNorm/gamma
bert/encoder/transformer/group_0/inner_group_0/LayerNorm_1/beta
bert/encoder/transformer/group_0/inner_group_0/LayerNorm_1/gamma
bert/encoder/transformer/group_0/inner_group_0/attention_1/output/dense/bias
bert/encoder/transformer/group_0/inner_group_0/attention_1/output/dense/kernel
bert/encoder/transformer/group_0/inner_group_0/attention_1/self/key/bias
bert/encoder/transformer/group_0/inner_group_0/attention_1/self/key/kernel
bert/encoder/transformer/group_0/inner_group_0/attention_1/self/query/bias
bert/encoder/transformer/group_0/inner_group_0/attention_1/self/query/kernel
bert/encoder/transformer/group_0/inner_group_0/attention_1/self/value/bias
bert/encoder/transformer/group_0/inner_group_0/attention_1/self/value/kernel
bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/bias
bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/dense/kernel
bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/output/dense/bias
bert/encoder/transformer/group_0/inner_group_0/ffn_1/intermediate/output/dense/kernel
bert/pooler/dense/bias
bert/pooler/dense/kernel
cls/predictions/output_bias
cls/predictions/transform/LayerNorm/beta
cls/predictions/transform/LayerNorm/gamma
cls/predictions/transform/dense/bias
cls/predictions/transform/dense/kernel
cls/seq_relationship/output_bias
cls/seq_relationship/output_weights
""".split()

# From Hugging Face's names to Google's, step by step. The library goes by a table instead.
STEPS = [
    (".", "/"),
    ("albert/", "bert/"),
    ("albert_layer_groups/", "transformer/group_"),
    ("/albert_layers/", "/inner_group_"),
    ("full_layer_layer_norm/", "LayerNorm_1/"),
    ("attention/LayerNorm/", "LayerNorm/"),
    ("attention/dense/", "attention_1/output/dense/"),
    ("attention/", "attention_1/self/"),
    ("ffn_output/", "ffn_1/intermediate/output/dense/"),
    ("ffn/", "ffn_1/intermediate/dense/"),
    ("pooler/", "pooler/dense/"),
    ("predictions/bias", "cls/predictions/output_bias"),
    ("predictions/dense/", "cls/predictions/transform/dense/"),
    ("predictions/LayerNorm/", "cls/predictions/transform/LayerNorm/"),
    ("sop_classifier/classifier/bias", "cls/seq_relationship/output_bias"),
    ("sop_classifier/classifier/weight", "cls/seq_relationship/output_weights"),
    ("_embeddings/weight", "_embeddings"),
    ("LayerNorm/weight", "LayerNorm/gamma"),
    ("LayerNorm/bias", "LayerNorm/beta"),
    ("LayerNorm_1/weight", "LayerNorm_1/gamma"),
    ("LayerNorm_1/bias", "LayerNorm_1/beta"),
    ("/weight", "/kernel"),
]


def original_name(name: str) -> str:
    """Google's name of what Hugging Face calls `name`."""
    for theirs, googles in STEPS:
        name = name.replace(theirs, googles)
    return name


def shuffle(model: PretrainedModel) -> None:
    """Give every parameter numbers of its own, so that no two can be mistaken for each other."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = 0.1 * torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + noise if "norm" in name and name.endswith("weight") else noise)


def google_variables(model: PretrainedModel) -> dict[str, np.ndarray]:
    """The weights of a model as Google's variables: kernels are (inputs, outputs)."""
    variables = {}
    for name, parameter in model.named_parameters():
        key = original_name(hugging_face_name(name, model.config))
        array = parameter.detach().numpy()
        variables[key] = array.T if key.endswith("/kernel") else array
    return variables


def training_state(variables: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What an optimizer keeps beside the variables, and the number of the step."""
    moments = ("adam_m", "adam_v")
    slots = {
        f"{name}/{slot}": np.ones_like(variables[name]) for name in variables for slot in moments
    }
    return {**slots, "global_step": np.array(125_000)}


def google_config_values(config: AlbertConfig) -> dict[str, object]:
    """An albert_config.json: Google's keys in its order, "gelu" standing for the tanh form."""
    return {
        "attention_probs_dropout_prob": 0,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0,
        "embedding_size": config.embedding_size,
        "hidden_size": config.hidden_size,
        "initializer_range": 0.02,
        "intermediate_size": config.intermediate_size,
        "max_position_embeddings": config.max_position_embeddings,
        "num_attention_heads": config.num_attention_heads,
        "num_hidden_layers": config.num_hidden_layers,
        "num_hidden_groups": config.num_hidden_groups,
        "net_structure_type": 0,
        "gap_size": 0,
        "num_memory_blocks": 0,
        "inner_group_num": config.inner_group_num,
        "down_scale_factor": 1,
        "type_vocab_size": 2,
        "vocab_size": config.vocab_size,
    }


def write_checkpoint(prefix: Path, variables: Mapping[str, np.ndarray]) -> None:
    """Write prefix.index and prefix.data-00000-of-00001 under the names as they are."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow as tf

    tf.raw_ops.SaveV2(
        prefix=str(prefix),
        tensor_names=list(variables),
        shape_and_slices=[""] * len(variables),
        tensors=[tf.constant(value) for value in variables.values()],
    )


def write_download(
    folder: Path, config: AlbertConfig, variables: Mapping[str, np.ndarray], pieces: bytes
) -> Path:
    """A folder as Google's archives unpack to: settings, vocabulary, checkpoint."""
    folder.mkdir()
    (folder / "albert_config.json").write_text(json.dumps(google_config_values(config)))
    (folder / "30k-clean.model").write_bytes(pieces)
    write_checkpoint(folder / "model.ckpt-best", variables)
    return folder
