"""What the fields of an AlbertConfig may be, each refusal with its sentence."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from albert_lib.errors import ConfigError

if TYPE_CHECKING:
    from albert_lib.config import AlbertConfig

Sharing = Literal["all", "attention", "ffn", "none"]
Activation = Literal["gelu", "gelu_new", "relu"]
GroupRounding = Literal["huggingface", "google", "exact"]

_AT_LEAST_ONE = (
    "vocab_size",
    "embedding_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "num_hidden_groups",
    "inner_group_num",
    "max_position_embeddings",
    "type_vocab_size",
)
RATES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout_prob")
_ABOVE_ZERO = ("initializer_range", "layer_norm_eps")
_CHOICES: dict[str, tuple[str, ...]] = {
    "sharing": get_args(Sharing),
    "hidden_act": get_args(Activation),
    "group_rounding": get_args(GroupRounding),
}
_SWITCHES = (
    "ffn_dropout",
    "train_padding_row",
    "truncated_init",
    "project_equal_widths",
    "sop_dropout",
    "additive_mask",
)


def check_fields(config: AlbertConfig) -> None:
    """Raise ConfigError for the first field, or pair of fields, that cannot be."""
    _check_each_alone(config)
    if config.hidden_size % config.num_attention_heads:
        raise ConfigError(
            f"hidden_size={config.hidden_size} cannot be split among "
            f"num_attention_heads={config.num_attention_heads}; choose a divisor of hidden_size."
        )
    if config.num_hidden_groups > config.num_hidden_layers:
        raise ConfigError(
            f"num_hidden_groups={config.num_hidden_groups} exceeds "
            f"num_hidden_layers={config.num_hidden_layers}; use at most a "
            f"group a layer, or some would never be used."
        )
    if config.sharing != "all" and (config.num_hidden_groups > 1 or config.inner_group_num > 1):
        raise ConfigError(
            f'sharing="{config.sharing}" needs num_hidden_groups=1 and inner_group_num=1; '
            f'groups divide fully shared layers, so use sharing="all" with them.'
        )
    if not 0 <= config.pad_token_id < config.vocab_size:
        raise ConfigError(
            f"pad_token_id={config.pad_token_id} is outside the vocabulary of {config.vocab_size}; "
            f"give the id that <pad> has in it."
        )


def _check_each_alone(config: AlbertConfig) -> None:
    for name in _AT_LEAST_ONE:
        value = getattr(config, name)
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise ConfigError(f"{name}={value!r} must be a whole number of at least 1.")
    for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
        if type(getattr(config, name)) is not int:
            raise ConfigError(f"{name}={getattr(config, name)!r} must be the number of a piece.")
    for name in RATES:
        value = getattr(config, name)
        if not _is_number(value) or not 0.0 <= value < 1.0:
            raise ConfigError(f"{name}={value!r} must be at least 0 and below 1.")
    for name in _ABOVE_ZERO:
        value = getattr(config, name)
        if not _is_number(value) or not 0.0 < value < math.inf:
            raise ConfigError(f"{name}={value!r} must be a number above 0.")
    for name, allowed in _CHOICES.items():
        value = getattr(config, name)
        if value not in allowed:
            raise ConfigError(f"{name}={value!r} must be one of {', '.join(allowed)}.")
    for name in _SWITCHES:
        if not isinstance(getattr(config, name), bool):
            raise ConfigError(f"{name}={getattr(config, name)!r} must be true or false.")
    labels = config.labels
    if not isinstance(labels, tuple) or not all(isinstance(label, str) for label in labels):
        raise ConfigError(f"labels={labels!r} must be names, such as ('no', 'yes').")
    if not labels or len(set(labels)) < len(labels):
        raise ConfigError(f"labels={labels!r} must name at least one class, and none twice.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
