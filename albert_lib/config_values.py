"""What each field of an AlbertConfig may hold, and what Google's code chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args

from albert_lib.errors import ConfigError, quoted

Sharing = Literal["all", "attention", "ffn", "none"]
Activation = Literal["gelu", "gelu_new", "relu", "silu", "gelu_10", "quick_gelu"]
GroupRounding = Literal["huggingface", "google", "exact"]

# What google-research/albert does wherever Hugging Face does otherwise.
GOOGLE: dict[str, Any] = {
    "hidden_act": "gelu_new",
    "ffn_dropout": True,
    "train_padding_row": True,
    "truncated_init": True,
    "project_equal_widths": False,
    "sop_dropout": False,
    "additive_mask": True,
    "group_rounding": "google",
}
MOST_ROWS_MORE = 127  # of a table of word embeddings, to a multiple of 128
ACTIVATION_NAMES = {  # other names that files have for the same functions
    "gelu_python": "gelu",
    "gelu_pytorch_tanh": "gelu_new",
    "gelu_python_tanh": "gelu_new",
    "gelu_accurate": "gelu_new",
    "gelu_fast": "gelu_new",
    "swish": "silu",
}
RATES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout_prob")
_SIZES = (
    "vocab_size embedding_size hidden_size num_hidden_layers num_attention_heads intermediate_size "
    "num_hidden_groups inner_group_num max_position_embeddings type_vocab_size"
).split()
# Far beyond every ALBERT, and what a machine can still answer for: a damaged file may say more.
MOST_LAYERS = 1_000  # applied, of all groups and inner layers together
MOST_NUMBERS = 1 << 40  # of one matrix
MOST_LABELS = 1_000_000


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _one_of(choices: Any) -> str:
    return f"one of {', '.join(get_args(choices))}"


_Rule = tuple[tuple[str, ...] | list[str], Callable[[Any], bool], str]
_RULES: list[_Rule] = [  # fields, what each must fulfil by itself, and that in words
    (_SIZES, lambda v: _is_whole(v) and v >= 1, "a whole number of at least 1"),
    (_SIZES, lambda v: v < 1 << 31, f"below {1 << 31}"),
    (["pad_token_id", "bos_token_id", "eos_token_id"], _is_whole, "the id of a piece"),
    (RATES, lambda v: _is_number(v) and 0.0 <= v < 1.0, "at least 0 and below 1"),
    (
        ["initializer_range", "layer_norm_eps"],
        lambda v: _is_number(v) and 0.0 < v < 1e9,
        "a number above 0 and below 10⁹",
    ),
    (["sharing"], lambda v: v in get_args(Sharing), _one_of(Sharing)),
    (["hidden_act"], lambda v: v in get_args(Activation), _one_of(Activation)),
    (["group_rounding"], lambda v: v in get_args(GroupRounding), _one_of(GroupRounding)),
    (
        [name for name, value in GOOGLE.items() if isinstance(value, bool)],
        lambda v: isinstance(v, bool),
        "true or false",
    ),
    (
        ["labels"],
        lambda v: isinstance(v, tuple) and all(isinstance(label, str) for label in v),
        "names, such as ('no', 'yes')",
    ),
    (
        ["labels"],
        lambda v: len(v) > 0 and len(set(v)) == len(v),
        "different names, at least one",
    ),
]


def check_values(values: Mapping[str, Any]) -> None:
    """Raise ConfigError for the first field, or pair of fields, that cannot work.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.config_values import check_values
        >>> check_values(vars(AlbertConfig()))  # no complaint
    """
    for names, is_right, meaning in _RULES:
        for name in names:
            if not is_right(value := values[name]):
                raise ConfigError(f"{name}={quoted(value)} must be {meaning}.")
    hidden, heads = values["hidden_size"], values["num_attention_heads"]
    if hidden % heads:
        raise ConfigError(
            f"hidden_size={hidden} cannot be split among num_attention_heads={heads}; "
            f"choose a divisor of hidden_size."
        )
    groups, layers = values["num_hidden_groups"], values["num_hidden_layers"]
    if groups > layers:
        raise ConfigError(
            f"num_hidden_groups={groups} exceeds num_hidden_layers={layers}; use at most a "
            f"group a layer, or some would never be used."
        )
    sharing = values["sharing"]
    if sharing != "all" and (groups > 1 or values["inner_group_num"] > 1):
        raise ConfigError(
            f'sharing="{sharing}" needs num_hidden_groups=1 and inner_group_num=1; '
            f'groups divide fully shared layers, so use sharing="all" with them.'
        )
    padding, vocabulary = values["pad_token_id"], values["vocab_size"]
    if padding != -1 and not 0 <= padding < vocabulary:
        raise ConfigError(
            f"pad_token_id={padding} is outside the vocabulary of {vocabulary}; "
            f"give the id of <pad> in it, or -1."
        )
    refuse_giants(values)


def refuse_giants(values: Mapping[str, Any]) -> None:
    """Raise ConfigError for sizes that no machine could hold or go through.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> refuse_giants(vars(AlbertConfig.preset("albert-xxlarge-v2")))
    """
    layers = values["num_hidden_layers"] * values["inner_group_num"]
    if layers > MOST_LAYERS:
        raise ConfigError(
            f"num_hidden_layers={values['num_hidden_layers']} times "
            f"inner_group_num={values['inner_group_num']} is {layers:,} layers one after another; "
            f"use at most {MOST_LAYERS:,}."
        )
    narrow, wide = values["embedding_size"], values["hidden_size"]
    rows = max(values[n] for n in ("vocab_size", "max_position_embeddings", "type_vocab_size"))
    largest = max(narrow * max(rows, wide), wide * max(wide, values["intermediate_size"]))
    if largest > MOST_NUMBERS:
        raise ConfigError(
            f"The sizes make a matrix of {largest:,} numbers, which no machine holds; check "
            f"vocab_size, embedding_size, hidden_size and intermediate_size."
        )


def rows_fit(rows: int, tokens: int) -> bool:
    """Whether a table has a row for every token, and at most a few more, to a round number.

    Example:
        >>> [rows_fit(rows, tokens=8000) for rows in (7999, 8000, 8064, 30000)]
        [False, True, True, False]
    """
    return 0 <= rows - tokens <= MOST_ROWS_MORE
