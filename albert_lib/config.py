"""AlbertConfig: every size that defines an ALBERT, the eight published ones, and exact counting.

Field names are Hugging Face's JSON keys, so a config.json goes in and out unchanged. Two kinds of
fields are ours: `sharing`, the four ways of sharing layers that Table 4 of the paper compares, and
a switch for each point in which Hugging Face's ALBERT and Google's differ.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from albert_lib.config_json import from_hugging_face, to_hugging_face, with_our_activation
from albert_lib.config_values import GOOGLE as GOOGLE
from albert_lib.config_values import (
    RATES,
    Activation,
    GroupRounding,
    check_values,
)
from albert_lib.config_values import Sharing as Sharing
from albert_lib.errors import ConfigError, listed
from albert_lib.files import read_json, write_json
from albert_lib.paths import given_path

_PUBLISHED: dict[str, dict[str, Any]] = {
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12},
    "large": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16},
    "xlarge": {"hidden_size": 2048, "num_hidden_layers": 24, "num_attention_heads": 16},
    "xxlarge": {"hidden_size": 4096, "num_hidden_layers": 12, "num_attention_heads": 64},
}


@dataclass(frozen=True)
class AlbertConfig:
    """The sizes and rates of one ALBERT (defaults: albert-base-v2).

    Raises ConfigError when values cannot work together.

    Example:
        >>> from albert_lib import AlbertConfig
        >>> config = AlbertConfig(vocab_size=8000, hidden_size=256, num_attention_heads=4)
        >>> config.head_size, config.num_hidden_layers, config.sharing
        (64, 12, 'all')
    """

    vocab_size: int = 30000  # V: pieces in the vocabulary
    embedding_size: int = 128  # E: width of a word embedding, before its projection to H
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
    pad_token_id: int = 0  # -1: none
    bos_token_id: int = 2  # [CLS]
    eos_token_id: int = 3  # [SEP]
    labels: tuple[str, ...] = ("LABEL_0", "LABEL_1")  # names of the classes of a task head
    # Where Hugging Face and Google differ. The defaults are Hugging Face's, so that checkpoints
    # agree with transformers; `as_google` changes them all. (`hidden_act` is the first: "gelu" in
    # Google's files means the tanh form, here and in Hugging Face's the exact one.)
    ffn_dropout: bool = False  # dropout on the feed-forward block's output
    train_padding_row: bool = False  # <pad> has an embedding of its own instead of zeros
    truncated_init: bool = False  # initial weights beyond two deviations are drawn again
    project_equal_widths: bool = True  # project E to H even where E = H
    sop_dropout: bool = True  # dropout on the pooled [CLS] before the SOP head
    additive_mask: bool = False  # scores of padding get -10000 added instead of minus infinity
    group_rounding: GroupRounding = "huggingface"  # how layers are divided among groups

    def __post_init__(self) -> None:
        labels: Any = self.labels
        if isinstance(labels, list):  # a frozen configuration can be compared and hashed
            object.__setattr__(self, "labels", tuple(labels))
        check_values(vars(self))

    @property
    def head_size(self) -> int:
        """Width of one attention head, H / heads."""
        return self.hidden_size // self.num_attention_heads

    @property
    def num_labels(self) -> int:
        """Number of classes of a task head."""
        return len(self.labels)

    @property
    def padding_row(self) -> int | None:
        """The row of the word embeddings that looking up leaves untrained, if there is one."""
        return None if self.train_padding_row or self.pad_token_id < 0 else self.pad_token_id

    @property
    def has_projection(self) -> bool:
        """Whether embeddings pass through a linear map to the encoder's width."""
        return self.project_equal_widths or self.embedding_size != self.hidden_size

    def as_google(self) -> AlbertConfig:
        """The same sizes with every difference settled as google-research/albert does it.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig.preset("albert-base-v1").as_google().hidden_act
            'gelu_new'
        """
        return self.replace(**GOOGLE)

    @classmethod
    def preset(cls, name: str, **changes: Any) -> AlbertConfig:
        """One of the eight published configurations, such as "albert-xlarge-v1".

        v1 was trained with dropout 0.1 (xxlarge: none) and its files say `gelu`; v2 dropped
        dropout, saw more data for longer, and says `gelu_new` (google-research/albert).
        `changes` are made as `resize` makes them.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig.preset("albert-xlarge-v1").hidden_size
            2048
            >>> AlbertConfig.preset("albert-base-v2", hidden_size=384).intermediate_size
            1536
        """
        if name not in cls.presets():
            raise ConfigError(
                f"{name!r} is not a published ALBERT; choose from {', '.join(cls.presets())}."
            )
        _, size, version = name.split("-")
        dropout = 0.1 if version == "v1" and size != "xxlarge" else 0.0
        published = cls(
            **_PUBLISHED[size],
            intermediate_size=4 * _PUBLISHED[size]["hidden_size"],
            hidden_act="gelu" if version == "v1" else "gelu_new",
            hidden_dropout_prob=dropout,
            attention_probs_dropout_prob=dropout,
        )
        return published.resize(**changes)

    @staticmethod
    def presets() -> tuple[str, ...]:
        """Names of the eight published configurations.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig.presets()[0]
            'albert-base-v1'
        """
        return tuple(f"albert-{size}-{version}" for version in ("v1", "v2") for size in _PUBLISHED)

    def replace(self, **changes: Any) -> AlbertConfig:
        """The same configuration with these fields changed and no others.

        Raises ConfigError for a field that AlbertConfig does not have.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig().replace(sharing="none").sharing
            'none'
        """
        unknown = sorted(changes.keys() - {field.name for field in dataclasses.fields(self)})
        if unknown:
            raise ConfigError(
                f"AlbertConfig has no field {listed(unknown)}; help(AlbertConfig) lists its "
                f"fields, and labels=(…) names the classes of a task."
            )
        return dataclasses.replace(self, **with_our_activation(changes))

    def resize(self, **changes: Any) -> AlbertConfig:
        """As `replace`; a new hidden_size also scales intermediate_size, unless that is given.

        So a published shape stays in proportion: its feed-forward block is 4H wide.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig().resize(hidden_size=384).intermediate_size
            1536
        """
        resized = self.replace(**changes)
        if resized.hidden_size == self.hidden_size or "intermediate_size" in changes:
            return resized
        scaled, rest = divmod(self.intermediate_size * resized.hidden_size, self.hidden_size)
        if rest:
            raise ConfigError(
                f"hidden_size={resized.hidden_size} does not scale "
                f"intermediate_size={self.intermediate_size} to a whole number; give "
                f"intermediate_size too."
            )
        return resized.replace(intermediate_size=scaled)

    def num_parameters(
        self, pooler: bool = True, mlm_head: bool = False, sop_head: bool = False
    ) -> int:
        """Exact number of unique parameters, without building the model.

        With a pooler this is AlbertModel, what model cards quote. The MLM head counts without
        its output matrix, which is the word embedding itself (tied).

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig.preset("albert-xlarge-v1").num_parameters()
            58724864
        """
        vocabulary, narrow, wide = self.vocab_size, self.embedding_size, self.hidden_size
        rows = vocabulary + self.max_position_embeddings + self.type_vocab_size
        total = rows * narrow + 2 * narrow  # three tables and their LayerNorm
        total += narrow * wide + wide if self.has_projection else 0  # from E to H
        total += sum(self.layer_parameters().values())
        if pooler:
            total += wide * wide + wide
        if mlm_head:
            total += wide * narrow + narrow + 2 * narrow + vocabulary  # dense, LayerNorm, bias
        if sop_head:
            total += 2 * wide + 2
        return total

    def layer_groups(self) -> list[int]:
        """The group that each of the L layers belongs to: i*G/L, rounded down.

        Google and Hugging Face round in floating point and so disagree with whole numbers, and
        with each other, for some (L, G): Google's never applies group 15 of (22, 22), Hugging
        Face's divides (18, 14) differently. No published model has more than one group.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig(num_hidden_layers=6, num_hidden_groups=3).layer_groups()
            [0, 0, 1, 1, 2, 2]
        """
        n_layers, n_groups = self.num_hidden_layers, self.num_hidden_groups
        rounding: dict[str, Callable[[int], int]] = {
            "exact": lambda layer: layer * n_groups // n_layers,
            "huggingface": lambda layer: int(layer / (n_layers / n_groups)),
            "google": lambda layer: int(layer / n_layers * n_groups),
        }
        return [rounding[self.group_rounding](layer) for layer in range(n_layers)]

    def layer_copies(self) -> dict[str, int]:
        """Number of sets of weights of each part: attention, ffn, layer_norms.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig(sharing="attention").layer_copies()
            {'attention': 1, 'ffn': 12, 'layer_norms': 1}
        """
        shared, own = len(set(self.layer_groups())) * self.inner_group_num, self.num_hidden_layers
        return {
            "attention": own if self.sharing in ("ffn", "none") else shared,
            "ffn": own if self.sharing in ("attention", "none") else shared,
            "layer_norms": own if self.sharing == "none" else shared,
        }

    def layer_parameters(self) -> dict[str, int]:
        """Unique parameters of the encoder's layers, by part: attention, ffn, layer_norms.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig().layer_parameters()
            {'attention': 2362368, 'ffn': 4722432, 'layer_norms': 3072}
        """
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

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig().to_dict()["model_type"]
            'albert'
        """
        return to_hugging_face(dataclasses.asdict(self), _OURS)

    @classmethod
    def from_dict(cls, values: dict[str, Any], source: str = "the configuration") -> AlbertConfig:
        """Build from Hugging Face's keys; keys that mean nothing to an ALBERT are left out.

        A size that is missing takes Hugging Face's default, which is xxlarge's. Raises
        ConfigError that names `source`.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig.from_dict({"hidden_size": 2048, "num_attention_heads": 16}).head_size
            128
        """
        known = {field.name for field in dataclasses.fields(cls)}
        try:
            return cls(**from_hugging_face(values, known, RATES))
        except ConfigError as problem:
            raise ConfigError(f"{source}: {problem}") from None

    def to_json(self, path: str | os.PathLike[str] | None = None) -> str:
        """The configuration as JSON text with Hugging Face's keys; written to `path` if given.

        Example:
            >>> from albert_lib import AlbertConfig
            >>> AlbertConfig().to_json().splitlines()[1]
            '  "model_type": "albert",'
        """
        if path is not None:
            write_json(path, self.to_dict())
        return json.dumps(self.to_dict(), indent=2)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> AlbertConfig:
        """Read a config.json, ours or Hugging Face's, or the one of a folder.

        Raises ConfigError when it is missing, damaged or describes no ALBERT.

        Example:
            >>> import tempfile
            >>> from albert_lib import AlbertConfig
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     _ = AlbertConfig(hidden_size=240).to_json(f"{folder}/config.json")
            ...     AlbertConfig.from_json(folder).hidden_size
            240
        """
        given = given_path(path)
        file = given / "config.json" if given.is_dir() else given
        values = read_json(file, ConfigError)
        if not isinstance(values, dict):
            raise ConfigError(f"{file} does not hold a JSON object; restore it from its source.")
        return cls.from_dict(values, source=str(file))


_OURS = {  # fields that Hugging Face's files do not have under our name, with their defaults
    field.name: field.default
    for field in dataclasses.fields(AlbertConfig)
    if field.name in {"sharing", "labels", *GOOGLE} - {"hidden_act"}
}
