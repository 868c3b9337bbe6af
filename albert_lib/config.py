"""AlbertConfig: every size that defines an ALBERT, the eight published ones, and exact counting.

Field names are Hugging Face's JSON keys, so a config.json goes in and out unchanged. Two kinds of
fields are ours: `sharing`, the four ways of sharing layers that Table 4 of the paper compares, and
a switch for each point in which Hugging Face's ALBERT and Google's differ.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from albert_lib.config_checks import RATES, Activation, GroupRounding, Sharing, check_fields
from albert_lib.errors import ConfigError, listed
from albert_lib.files import read_json, write_json

_SIZES: dict[str, dict[str, int]] = {
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
    "xlarge": {"hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 16},
    "xxlarge": {"hidden_size": 4096, "num_hidden_layers": 12, "num_attention_heads": 64},
}


@dataclass(frozen=True)
class AlbertConfig:
    """The sizes and rates of one ALBERT (defaults: albert-base-v2).

    Raises ConfigError when values cannot work together.
    """

    vocab_size: int = 30000  # V: pieces in the vocabulary
    embedding_size: int = 128  # E: width of a word embedding, before it is widened to H
    hidden_size: int = 768  # H: width of the encoder
    num_hidden_layers: int = 12  # L: how many times a layer is applied
    num_attention_heads: int = 12
    intermediate_size: int = 3072  # inner width of the feed-forward block: 4H when published
    num_hidden_groups: int = 1  # G: sets of weights that the L layers are divided among
    inner_group_num: int = 1  # layers inside a group, applied one after another at every repetition
    sharing: Sharing = "all"  # what the layers of a group have in common (Table 4)
    hidden_act: Activation = "gelu_new"  # "gelu" is exact (erf), "gelu_new" its tanh form
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    classifier_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2  # segments A and B
    initializer_range: float = 0.02  # standard deviation of the initial weights
    layer_norm_eps: float = 1e-12
    pad_token_id: int = 0
    bos_token_id: int = 2  # [CLS]
    eos_token_id: int = 3  # [SEP]
    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")  # names of the classes a task head tells apart
    # Where Hugging Face and Google differ. The defaults are Hugging Face's, so that checkpoints
    # agree with transformers; `as_google` turns them all. (`hidden_act` is the first: "gelu" in
    # Google's files means the tanh form, here and in Hugging Face's the exact one.)
    ffn_dropout: bool = False  # drop out the feed-forward block's output
    train_padding_row: bool = False  # <pad> is looked up in a row of its own, not in zeros
    truncated_init: bool = False  # initial weights beyond two deviations are drawn again
    project_equal_widths: bool = True  # map E to H even where E = H
    sop_dropout: bool = True  # drop out the pooled [CLS] before the SOP head
    additive_mask: bool = False  # padding's scores get -10000 added instead of being left out
    group_rounding: GroupRounding = "huggingface"  # how layers are dealt out to groups

    def __post_init__(self) -> None:
        labels: Any = self.labels
        if isinstance(labels, list):  # a frozen configuration can be compared and looked up
            object.__setattr__(self, "labels", tuple(labels))
        check_fields(self)

    @property
    def head_size(self) -> int:
        """Width of one attention head, H / heads."""
        return self.hidden_size // self.num_attention_heads

    @property
    def num_labels(self) -> int:
        """How many classes a task head tells apart."""
        return len(self.labels)

    @property
    def has_projection(self) -> bool:
        """Whether embeddings pass through a linear map to the encoder's width."""
        return self.project_equal_widths or self.embedding_size != self.hidden_size

    def as_google(self) -> AlbertConfig:
        """The same sizes with every difference settled as google-research/albert does it."""
        return self.replace(**GOOGLE)

    @classmethod
    def preset(cls, name: str) -> AlbertConfig:
        """One of the eight published configurations, such as "albert-xlarge-v1".

        v1 was trained with dropout 0.1 (xxlarge: none) and its files say `gelu`; v2 dropped
        dropout, saw more data for longer, and says `gelu_new` (google-research/albert).
        """
        if name not in cls.presets():
            raise ConfigError(
                f"{name!r} is not a published ALBERT; choose from {', '.join(cls.presets())}."
            )
        _, size, version = name.split("-")
        dropout = 0.1 if version == "v1" and size != "xxlarge" else 0.0
        sizes = _SIZES[size]
        return cls(
            hidden_size=sizes["hidden_size"],
            num_hidden_layers=sizes["num_hidden_layers"],
            num_attention_heads=sizes["num_attention_heads"],
            intermediate_size=4 * sizes["hidden_size"],
            hidden_act="gelu" if version == "v1" else "gelu_new",
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Names of the eight published configurations."""
        return tuple(f"albert-{size}-{version}" for version in ("v1", "v2") for size in _SIZES)

    def replace(self, **changes: Any) -> AlbertConfig:
        """The same configuration with some fields changed; ConfigError for what is no field."""
        unknown = sorted(changes.keys() - {field.name for field in dataclasses.fields(self)})
        if unknown:
            raise ConfigError(
                f"{listed(unknown)}: no field of an AlbertConfig; see its fields with "
                f"help(AlbertConfig), and name the classes of a task by labels=(…)."
            )
        return dataclasses.replace(self, **changes)

    def num_parameters(
        self, pooler: bool = True, mlm_head: bool = False, sop_head: bool = False
    ) -> int:
        """Exact number of unique parameters, without building the model.

        With a pooler this is AlbertModel, what model cards quote. The MLM head counts without
        its output matrix, which is the word embedding itself (tied).
        """
        vocabulary, narrow, wide = self.vocab_size, self.embedding_size, self.hidden_size
        rows = vocabulary + self.max_position_embeddings + self.type_vocab_size
        total = rows * narrow + 2 * narrow  # three tables and their LayerNorm
        total += narrow * wide + wide if self.has_projection else 0  # the widening from E to H
        total += sum(self.layer_parameters().values())
        if pooler:
            total += wide * wide + wide
        if mlm_head:
            total += wide * narrow + narrow + 2 * narrow + vocabulary  # dense, LayerNorm, bias
        if sop_head:
            total += 2 * wide + 2
        return total

    def layer_copies(self) -> dict[str, int]:
        """How many sets of weights there are of each part: attention, ffn, layer_norms."""
        shared, own = self.num_hidden_groups * self.inner_group_num, self.num_hidden_layers
        return {
            "attention": own if self.sharing in ("ffn", "none") else shared,
            "ffn": own if self.sharing in ("attention", "none") else shared,
            "layer_norms": own if self.sharing == "none" else shared,
        }

    def layer_parameters(self) -> dict[str, int]:
        """Unique parameters of the encoder's layers, by part: attention, ffn, layer_norms."""
        wide, inner = self.hidden_size, self.intermediate_size
        sizes = {
            "attention": 4 * (wide * wide + wide),  # query, key, value, output
            "ffn": wide * inner + inner + inner * wide + wide,
            "layer_norms": 2 * 2 * wide,  # after attention and after the feed-forward block
        }
        copies = self.layer_copies()
        return {part: sizes[part] * copies[part] for part in sizes}

    def to_dict(self) -> dict[str, Any]:
        """Hugging Face's keys, plus the `model_type` by which other libraries know an ALBERT.

        Fields of our own appear only where they differ from their defaults.
        """
        values = {"model_type": "albert", **dataclasses.asdict(self)}
        for name, default in _OURS.items():
            if values[name] == default:
                del values[name]
        labels = values.pop("labels", None)
        if labels is not None:
            values["id2label"] = {str(number): label for number, label in enumerate(labels)}
            values["label2id"] = {label: number for number, label in enumerate(labels)}
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any], source: str = "the configuration") -> AlbertConfig:
        """Build from Hugging Face's keys; keys of no meaning to an ALBERT are left aside.

        A size that is missing takes Hugging Face's default, which is xxlarge's.
        """
        if values.get("model_type", "albert") != "albert":
            raise ConfigError(
                f"{source} describes a {values['model_type']!r} model; choose an ALBERT's folder."
            )
        if values.get("position_embedding_type", "absolute") != "absolute":
            raise ConfigError(
                f"{source} asks for relative positions, which no published ALBERT has."
            )
        if values.get("tie_word_embeddings") is False:
            raise ConfigError(
                f"{source} says tie_word_embeddings=false; ALBERT scores words by their embeddings."
            )
        known = {field.name for field in dataclasses.fields(cls)} - {"labels"}
        given = {key: value for key, value in values.items() if key in known and value is not None}
        for name in RATES:  # files also say 0 where they mean 0.0
            if type(given.get(name)) is int:
                given[name] = float(given[name])
        try:
            return cls(**{**_HUGGING_FACE_DEFAULTS, **given, **_labels(values)})
        except ConfigError as problem:
            raise ConfigError(f"{source}: {problem}") from None

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The configuration as JSON text with Hugging Face's keys; written to `path` if given."""
        if path is not None:
            write_json(path, self.to_dict())
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> AlbertConfig:
        """Read a config.json, ours or Hugging Face's."""
        file = Path(path) / "config.json" if Path(path).is_dir() else Path(path)
        values = read_json(file, ConfigError)
        if not isinstance(values, dict):
            raise ConfigError(f"{file} does not hold a JSON object; restore it from its source.")
        return cls.from_dict(values, source=str(file))


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
_OURS = {  # fields that Hugging Face's files do not have under our name, with their defaults
    field.name: field.default
    for field in dataclasses.fields(AlbertConfig)
    if field.name in {"sharing", "labels", *GOOGLE} - {"hidden_act"}
}
_HUGGING_FACE_DEFAULTS = {
    "hidden_size": 4096,
    "num_attention_heads": 64,
    "intermediate_size": 16384,
}


def _labels(values: dict[str, Any]) -> dict[str, Any]:
    """The class names of Hugging Face's `id2label`, or as many unnamed ones as `num_labels`."""
    named, number = values.get("id2label"), values.get("num_labels")
    if named:
        ids = [str(number) for number in range(len(named))]
        if not isinstance(named, dict) or sorted(map(str, named)) != sorted(ids):
            raise ConfigError(f"id2label={named!r} must name the classes 0, 1, 2, … without a gap.")
        by_id = {str(key): label for key, label in named.items()}
        return {"labels": tuple(by_id[key] for key in ids)}
    if number is not None:
        if type(number) is not int or number < 1:
            raise ConfigError(f"num_labels={number!r} must be a whole number of at least 1.")
        return {"labels": tuple(f"LABEL_{label}" for label in range(number))}
    return {}
