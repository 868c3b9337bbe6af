"""Google's original checkpoints: TensorFlow variables, and the model that they make.

Names go from Hugging Face's, which are close to ours (names.py), to those of
google-research/albert (modeling.py, run_pretraining.py) by a table. Reading the files takes
TensorFlow, which is an optional extra; everything else here does without it.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from albert_lib.config import AlbertConfig
from albert_lib.errors import CheckpointError, ConfigError, listed
from albert_lib.files import read_json
from albert_lib.model.albert import AlbertModel
from albert_lib.model.names import hugging_face_name
from albert_lib.model.pretraining_model import AlbertForMaskedLM, AlbertForPreTraining

Variables = Mapping[str, np.ndarray]  # by Google's names, shapes as TensorFlow has them
ConvertedModel = AlbertForPreTraining | AlbertForMaskedLM | AlbertModel

_LAYER = "albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}"
_GOOGLE_LAYER = "bert/encoder/transformer/group_{group}/inner_group_{inner}"
SCOPES: dict[str, str] = {  # Hugging Face's modules → Google's scopes
    "albert.embeddings.LayerNorm": "bert/embeddings/LayerNorm",
    "albert.encoder.embedding_hidden_mapping_in": "bert/encoder/embedding_hidden_mapping_in",
    f"{_LAYER}.attention.query": f"{_GOOGLE_LAYER}/attention_1/self/query",
    f"{_LAYER}.attention.key": f"{_GOOGLE_LAYER}/attention_1/self/key",
    f"{_LAYER}.attention.value": f"{_GOOGLE_LAYER}/attention_1/self/value",
    f"{_LAYER}.attention.dense": f"{_GOOGLE_LAYER}/attention_1/output/dense",
    f"{_LAYER}.attention.LayerNorm": f"{_GOOGLE_LAYER}/LayerNorm",
    f"{_LAYER}.ffn": f"{_GOOGLE_LAYER}/ffn_1/intermediate/dense",
    f"{_LAYER}.ffn_output": f"{_GOOGLE_LAYER}/ffn_1/intermediate/output/dense",
    f"{_LAYER}.full_layer_layer_norm": f"{_GOOGLE_LAYER}/LayerNorm_1",
    "albert.pooler": "bert/pooler/dense",
    "predictions.dense": "cls/predictions/transform/dense",
    "predictions.LayerNorm": "cls/predictions/transform/LayerNorm",
}
WHOLE_NAMES: dict[str, str] = {  # parameters that are no kernel, bias, gamma or beta
    "albert.embeddings.word_embeddings.weight": "bert/embeddings/word_embeddings",
    "albert.embeddings.position_embeddings.weight": "bert/embeddings/position_embeddings",
    "albert.embeddings.token_type_embeddings.weight": "bert/embeddings/token_type_embeddings",
    "predictions.bias": "cls/predictions/output_bias",
    "sop_classifier.classifier.weight": "cls/seq_relationship/output_weights",
    "sop_classifier.classifier.bias": "cls/seq_relationship/output_bias",
}
_HUB_PREFIX = "module/"  # put before every name when a TensorFlow Hub module was saved
# What the optimizers of google-research/albert and of TensorFlow 1 keep beside the weights.
_TRAINING_STATE = re.compile(
    r"(^|/)(global_step|beta[12]_power|(adam|lamb)_[mv]|Adam(_1)?|\w*Optimizer(_1)?)(/|$)"
)
# Settings of code that Google did not release, with the values that leave them out of use.
_UNRELEASED = {
    "net_structure_type": 0,
    "gap_size": 0,
    "num_memory_blocks": 0,
    "down_scale_factor": 1,
    "ln_type": "postln",
}
MOST = 8  # names in a message
_INSTALL = "pip install -c requirements.lock -e '.[tensorflow]'"


def tensorflow_name(name: str) -> str:
    """Google's name of a parameter that Hugging Face calls `name`; KeyError if it has none.

    Example:
        >>> from albert_lib.model.tensorflow_checkpoint import tensorflow_name
        >>> tensorflow_name("albert.pooler.weight")
        'bert/pooler/dense/kernel'
    """
    if name in WHOLE_NAMES:
        return WHOLE_NAMES[name]
    module, _, kind = name.rpartition(".")
    numbers = re.search(r"groups\.(\d+)\.albert_layers\.(\d+)\.", module)
    if numbers:
        rest = module[numbers.end() :]
        scope = SCOPES[f"{_LAYER}.{rest}"].format(group=numbers[1], inner=numbers[2])
    else:
        scope = SCOPES[module]
    is_norm = "LayerNorm" in scope.rpartition("/")[2]
    kinds = {"weight": "gamma", "bias": "beta"} if is_norm else {"weight": "kernel", "bias": "bias"}
    return f"{scope}/{kinds[kind]}"


def google_config(path: str | os.PathLike[str]) -> AlbertConfig:
    """Read an albert_config.json, and choose what it leaves open as Google's code does.

    Only what changes a trained model's numbers is chosen: its "gelu" is the tanh form, which
    Hugging Face and this library call "gelu_new"; embeddings as wide as the encoder are not
    mapped; layers are divided among groups by Google's rounding. Raises ConfigError for
    settings of code that was never released.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.model.tensorflow_checkpoint import google_config
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder, "albert_config.json")
        ...     _ = file.write_text('{"hidden_act": "gelu"}')
        ...     google_config(file).hidden_act
        'gelu_new'
    """
    values = read_json(path, ConfigError)
    if not isinstance(values, dict):
        raise ConfigError(f"{path} does not hold a JSON object; restore it from its source.")
    for name, unused in _UNRELEASED.items():
        if values.get(name, unused) != unused:
            raise ConfigError(
                f"{path} says {name}={values[name]!r}, which belongs to code that Google did not "
                f"release; only checkpoints with {name}={unused!r} can be converted."
            )
    activation = values.get("hidden_act", "gelu")
    google = {
        "hidden_act": "gelu_new" if activation == "gelu" else activation,
        "project_equal_widths": False,
        "group_rounding": "google",
    }
    return AlbertConfig.from_dict({**values, **google}, source=str(path))


def read_variables(prefix: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read a checkpoint, prefix.index and prefix.data-…, without what only training needs.

    Raises CheckpointError when the files are missing, cut short or damaged (every variable has
    a checksum), or of TensorFlow 2's kind, and when TensorFlow is not installed.

    Example:
        >>> try:
        ...     variables = read_variables("no-such-folder/model.ckpt-best")
        ... except CheckpointError as problem:
        ...     print("no checkpoint")
        no checkpoint
    """
    tensorflow = _import_tensorflow()
    try:
        reader = tensorflow.train.load_checkpoint(os.fspath(prefix))
        names = list(reader.get_variable_to_shape_map())
        if "_CHECKPOINTABLE_OBJECT_GRAPH" in names:
            raise CheckpointError(
                f"{prefix} was written by TensorFlow 2 (tf.train.Checkpoint), which names "
                f"variables otherwise; give the original checkpoint of google-research/albert."
            )
        return {
            name.removeprefix(_HUB_PREFIX): reader.get_tensor(name)
            for name in names
            if not _TRAINING_STATE.search(name)
        }
    # A data file that ends too soon is an IndexError, everything else an OpError.
    except (tensorflow.errors.OpError, IndexError) as problem:
        reason = str(problem).splitlines()[0]
        raise CheckpointError(
            f"{prefix} cannot be read ({reason}); copy its .index and .data files again."
        ) from None


def _import_tensorflow() -> ModuleType:
    """Import TensorFlow without its log lines; CheckpointError if it is not installed."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
    added = quiet.keys() - os.environ.keys()
    os.environ.update({name: quiet[name] for name in added})
    try:
        import tensorflow
    except ImportError as problem:
        raise CheckpointError(
            f"Reading Google's checkpoints takes TensorFlow ({problem}); install it with {_INSTALL}"
        ) from None
    finally:
        for name in added:
            del os.environ[name]
    module: ModuleType = tensorflow
    return module


def build_model(variables: Variables, config: AlbertConfig, source: str) -> ConvertedModel:
    """Make the model that the variables are: with both heads, the MLM head, or none.

    Raises CheckpointError, with names, when variables are missing or of another shape than
    `config` says, or when there are more layers than it has; warns of others that are left
    aside. `source` is what messages call the checkpoint.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model import AlbertModel
        >>> from albert_lib.model.names import hugging_face_name
        >>> sizes = dict(vocab_size=9, embedding_size=4, hidden_size=4, intermediate_size=8)
        >>> config = AlbertConfig(**sizes, num_attention_heads=2, num_hidden_layers=1)
        >>> variables = {
        ...     tensorflow_name(hugging_face_name(name, config)):
        ...         weight.detach().numpy().T if weight.dim() == 2 and "embeddings" not in name
        ...         else weight.detach().numpy()
        ...     for name, weight in AlbertModel(config).named_parameters()
        ... }
        >>> type(build_model(variables, config, "a checkpoint")).__name__
        'AlbertModel'
    """
    model_class = _model_class(variables)
    with torch.device("meta"):  # shapes without memory: the variables become the weights
        model = model_class(config)
    wanted = {
        tensorflow_name(hugging_face_name(name, config)): (name, tuple(parameter.shape))
        for name, parameter in model.named_parameters()
    }
    _check_names(variables.keys(), wanted.keys(), source)
    _check_shapes(variables, {key: shape for key, (_, shape) in wanted.items()}, source)
    state = {ours: _as_parameter(key, variables[key]) for key, (ours, _) in wanted.items()}
    model.load_state_dict(state, assign=True)
    return model.eval()


def _model_class(variables: Variables) -> type[ConvertedModel]:
    mlm, sop = (
        any(name.startswith(f"cls/{head}/") for name in variables)
        for head in ("predictions", "seq_relationship")
    )
    if mlm:
        return AlbertForPreTraining if sop else AlbertForMaskedLM
    return AlbertModel


def _check_names(found: Iterable[str], wanted: Iterable[str], source: str) -> None:
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise CheckpointError(
            f"{source} lacks {listed(missing, MOST)}; give a checkpoint of google-research/albert "
            f"with the albert_config.json that belongs to it."
        )
    others = sorted(set(found) - set(wanted))
    layers = [name for name in others if name.startswith(("bert/encoder/", "bert/embeddings/"))]
    if layers:
        raise CheckpointError(
            f"{source} also holds {listed(layers, MOST)}, for which its albert_config.json has no "
            f"place; the two do not belong together."
        )
    if others:
        warnings.warn(
            f"{source} also holds {listed(others, most=len(others))}; ignored.", stacklevel=3
        )


def _check_shapes(variables: Variables, wanted: Mapping[str, tuple[int, ...]], source: str) -> None:
    """Compare shapes; `wanted` are PyTorch's, in which a kernel is the other way round."""
    shapes = {key: s[::-1] if _is_kernel(key) else s for key, s in wanted.items()}
    wrong = [
        f"{key} is {variables[key].shape} instead of {shape}"
        for key, shape in shapes.items()
        if variables[key].shape != shape
    ]
    if wrong:
        raise CheckpointError(
            f"{source}: {listed(wrong, MOST)}; the checkpoint and its albert_config.json do not "
            f"belong together."
        )


def _is_kernel(name: str) -> bool:
    return name.endswith("/kernel")


def _as_parameter(name: str, variable: np.ndarray) -> Tensor:
    """A variable as PyTorch has it: in float32, kernels (inputs, outputs) the other way round."""
    array: np.ndarray[Any, Any] = np.asarray(variable, dtype=np.float32)
    return torch.from_numpy(np.ascontiguousarray(array.T if _is_kernel(name) else array))
