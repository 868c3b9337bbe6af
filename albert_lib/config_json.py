"""A configuration in Hugging Face's JSON keys: what config.json holds, both ways.

Works on plain dictionaries; AlbertConfig.to_dict and AlbertConfig.from_dict call it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from albert_lib.config_values import ACTIVATION_NAMES, MOST_LABELS
from albert_lib.errors import ConfigError, quoted

# transformers' AlbertConfig() is xxlarge's; a config.json may leave these out.
HUGGING_FACE_DEFAULTS = {
    "hidden_size": 4096,
    "num_attention_heads": 64,
    "intermediate_size": 16384,
}


def to_hugging_face(fields: Mapping[str, Any], only_ours: Mapping[str, Any]) -> dict[str, Any]:
    """Turn the fields of an AlbertConfig into Hugging Face's keys.

    Args:
        fields: every field with its value.
        only_ours: the fields that Hugging Face does not have, with their defaults; they are
            written only where they differ, `labels` as id2label and label2id.

    Example:
        >>> from albert_lib.config_json import to_hugging_face
        >>> to_hugging_face({"labels": ("no", "yes")}, {"labels": ("LABEL_0",)})["id2label"]
        {'0': 'no', '1': 'yes'}
    """
    values = {"model_type": "albert", **fields}
    for name, default in only_ours.items():
        if values[name] == default:
            del values[name]
    labels = values.pop("labels", None)
    if labels is not None:
        values["id2label"] = {str(number): label for number, label in enumerate(labels)}
        values["label2id"] = {label: number for number, label in enumerate(labels)}
    return values


def from_hugging_face(
    values: Mapping[str, Any], known: Collection[str], rates: Collection[str]
) -> dict[str, Any]:
    """Turn Hugging Face's keys into fields of an AlbertConfig; other keys are left out.

    Raises ConfigError for a model that is not an ALBERT of the paper.

    Args:
        values: what a config.json holds.
        known: the names of AlbertConfig's fields.
        rates: those of them that are fractions; some files write 0 for 0.0.

    Example:
        >>> from albert_lib.config_json import from_hugging_face
        >>> values = {"vocab_size": 8000, "hidden_dropout_prob": 0, "torch_dtype": "float32"}
        >>> found = from_hugging_face(
        ...     values, {"vocab_size", "hidden_dropout_prob"}, {"hidden_dropout_prob"})
        >>> found["vocab_size"], found["hidden_dropout_prob"]
        (8000, 0.0)
    """
    refuse_other_models(values)
    may_be_null = {*rates, "pad_token_id", "bos_token_id", "eos_token_id"}
    given = {
        key: value
        for key, value in values.items()
        if key in known and key != "labels" and (value is not None or key not in may_be_null)
    }
    for name in ("bos_token_id", "eos_token_id"):  # several are allowed where text is generated
        if isinstance(given.get(name), list):
            first = next(iter(given.pop(name)), None)
            given.update({name: first} if first is not None else {})
    for name in rates:
        if type(given.get(name)) is int:
            given[name] = float(given[name])
    return {**HUGGING_FACE_DEFAULTS, **with_our_activation(given), **labels_of(values)}


def with_our_activation(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields with our name of the activation, where they have it under another.

    Example:
        >>> from albert_lib.config_json import with_our_activation
        >>> with_our_activation({"hidden_act": "gelu_pytorch_tanh"})
        {'hidden_act': 'gelu_new'}
    """
    name = fields.get("hidden_act")
    if isinstance(name, str) and name in ACTIVATION_NAMES:
        return {**fields, "hidden_act": ACTIVATION_NAMES[name]}
    return dict(fields)


def refuse_other_models(values: Mapping[str, Any]) -> None:
    """Raise ConfigError for what a config.json may ask for and an ALBERT of the paper lacks.

    Example:
        >>> from albert_lib.config_json import refuse_other_models
        >>> refuse_other_models({"model_type": "albert"})
    """
    if values.get("model_type", "albert") != "albert":
        raise ConfigError(
            f"model_type={quoted(values['model_type'])} is not an ALBERT; choose the folder of "
            f"an ALBERT."
        )
    if values.get("position_embedding_type", "absolute") != "absolute":
        raise ConfigError(
            "it asks for relative positions, which no published ALBERT has; choose a "
            'checkpoint with position_embedding_type="absolute".'
        )
    if values.get("tie_word_embeddings") is False:
        raise ConfigError(
            "tie_word_embeddings=false, but ALBERT's output matrix is its word embedding; "
            "choose a checkpoint with tied embeddings."
        )


def labels_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Read the class names of `id2label`, or as many unnamed ones as `num_labels` says.

    Raises ConfigError for labels that are not numbered 0, 1, 2, …

    Example:
        >>> from albert_lib.config_json import labels_of
        >>> labels_of({"num_labels": 3})
        {'labels': ('LABEL_0', 'LABEL_1', 'LABEL_2')}
        >>> labels_of({"id2label": {"1": "yes", "0": "no"}})
        {'labels': ('no', 'yes')}
    """
    named, count = values.get("id2label"), values.get("num_labels")
    if named:
        ids = [str(number) for number in range(len(named) if isinstance(named, dict) else 0)]
        if not isinstance(named, dict) or sorted(map(str, named)) != sorted(ids):
            raise ConfigError(
                f"id2label={quoted(named)} must number the classes 0, 1, 2, … in a row."
            )
        by_id = {str(key): label for key, label in named.items()}
        return {"labels": distinct([by_id[key] for key in ids])}
    if count is not None:
        if type(count) is not int or not 1 <= count <= MOST_LABELS:
            raise ConfigError(
                f"num_labels={quoted(count)} must be a whole number of at least 1, and at most "
                f"{MOST_LABELS:,}."
            )
        return {"labels": tuple(f"LABEL_{label}" for label in range(count))}
    return {}


def distinct(labels: Sequence[Any]) -> tuple[Any, ...]:
    """The names of classes, with its number behind each that several classes have.

    Numbers become text; what can be no name is left for AlbertConfig to refuse.

    Example:
        >>> from albert_lib.config_json import distinct
        >>> distinct(["no", "yes", "no", 7])
        ('no (0)', 'yes', 'no (2)', '7')
    """
    names = [
        str(label) if isinstance(label, int | float) and not isinstance(label, bool) else label
        for label in labels
    ]
    counts = Counter(name for name in names if isinstance(name, str))
    return tuple(
        f"{name} ({number})" if isinstance(name, str) and counts[name] > 1 else name
        for number, name in enumerate(names)
    )
