"""AlbertConfig: every size that defines an ALBERT, the eight published ones, and exact counting.

Field names are Hugging Face's JSON keys, so a config.json goes in and out unchanged. `sharing`
is ours: the four ways of sharing layers that Table 4 of the paper compares.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from albert_lib.errors import ConfigError
from albert_lib.files import read_json, write_json

Sharing = Literal["all", "attention", "ffn", "none"]
Activation = Literal["gelu", "gelu_new", "relu"]

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
    intermediate_size: int = (
        3072  # inner width of the feed-forward block, 4H in every published size
    )
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

    def __post_init__(self) -> None:
        for name in _POSITIVE:
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise ConfigError(f"{name}={value!r} must be a whole number of at least 1.")
        for name in _RATES:
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0.0 <= value < 1.0:
                raise ConfigError(f"{name}={value!r} must be at least 0 and below 1.")
        for name in ("initializer_range", "layer_norm_eps"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0.0 < value < math.inf:
                raise ConfigError(f"{name}={value!r} must be a number above 0.")
        for name, allowed in (("sharing", get_args(Sharing)), ("hidden_act", get_args(Activation))):
            if getattr(self, name) not in allowed:
                raise ConfigError(
                    f"{name}={getattr(self, name)!r} must be one of {', '.join(allowed)}."
                )
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"hidden_size={self.hidden_size} cannot be split among "
                f"num_attention_heads={self.num_attention_heads}; choose a divisor of hidden_size."
            )
        if self.num_hidden_groups > self.num_hidden_layers:
            raise ConfigError(
                f"num_hidden_groups={self.num_hidden_groups} exceeds "
                f"num_hidden_layers={self.num_hidden_layers}; some groups would never be used."
            )
        if self.sharing != "all" and (self.num_hidden_groups > 1 or self.inner_group_num > 1):
            raise ConfigError(
                f'sharing="{self.sharing}" needs num_hidden_groups=1 and inner_group_num=1; '
                f'groups divide fully shared layers, so use sharing="all" with them.'
            )
        if not 0 <= self.pad_token_id < self.vocab_size:
            raise ConfigError(
                f"pad_token_id={self.pad_token_id} is outside the vocabulary of {self.vocab_size}."
            )

    @property
    def head_size(self) -> int:
        """Width of one attention head, H / heads."""
        return self.hidden_size // self.num_attention_heads

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
        """The same configuration with some fields changed."""
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
        total += narrow * wide + wide  # the widening from E to H
        total += sum(self.layer_parameters().values())
        if pooler:
            total += wide * wide + wide
        if mlm_head:
            total += wide * narrow + narrow + 2 * narrow + vocabulary  # dense, LayerNorm, bias
        if sop_head:
            total += 2 * wide + 2
        return total

    def layer_parameters(self) -> dict[str, int]:
        """Unique parameters of the encoder's layers, by part: attention, ffn, layer_norms."""
        wide, inner = self.hidden_size, self.intermediate_size
        copies = {
            "attention": self.num_hidden_layers if self.sharing in ("ffn", "none") else 1,
            "ffn": self.num_hidden_layers if self.sharing in ("attention", "none") else 1,
            "layer_norms": self.num_hidden_layers if self.sharing == "none" else 1,
        }
        groups = self.num_hidden_groups * self.inner_group_num
        sizes = {
            "attention": 4 * (wide * wide + wide),  # query, key, value, output
            "ffn": wide * inner + inner + inner * wide + wide,
            "layer_norms": 2 * 2 * wide,  # after attention and after the feed-forward block
        }
        return {part: sizes[part] * copies[part] * groups for part in sizes}

    def to_dict(self) -> dict[str, Any]:
        """All fields, plus the `model_type` by which other libraries know an ALBERT."""
        return {"model_type": "albert", **dataclasses.asdict(self)}

    @classmethod
    def from_dict(cls, values: dict[str, Any], source: str = "the configuration") -> AlbertConfig:
        """Build from Hugging Face's keys; keys of no meaning to an ALBERT are left aside.

        A missing size takes the published base model's value, as documented by the fields.
        """
        if values.get("model_type", "albert") != "albert":
            raise ConfigError(
                f"{source} describes a {values['model_type']!r} model; choose an ALBERT's folder."
            )
        if values.get("position_embedding_type", "absolute") != "absolute":
            raise ConfigError(
                f"{source} asks for relative positions, which no published ALBERT has."
            )
        known = {field.name for field in dataclasses.fields(cls)}
        chosen = {key: value for key, value in values.items() if key in known and value is not None}
        try:
            return cls(**chosen)
        except (TypeError, ConfigError) as problem:
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


_POSITIVE = (
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
_RATES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout_prob")
