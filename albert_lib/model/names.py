"""Names of parameters: ours, those of Hugging Face's files, and ours in version 0.1.

The published files hold every tensor under Hugging Face's name; ours are shorter. A rule of the
table maps one to the other, `{layer}` standing for the first layer that uses the parameter, which
Hugging Face numbers by group and by layer within the group.
"""

from __future__ import annotations

import re

from albert_lib.config import AlbertConfig
from albert_lib.model.encoder import layer_schedule

_OURS = "albert.encoder.layers.{layer}"
_LAYER = "albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}"
NAMES: dict[str, str] = {  # ours → Hugging Face's
    "albert.embeddings.norm": "albert.embeddings.LayerNorm",
    "albert.embeddings": "albert.embeddings",
    "albert.encoder.embedding_projection": "albert.encoder.embedding_hidden_mapping_in",
    f"{_OURS}.attention.output": f"{_LAYER}.attention.dense",
    f"{_OURS}.attention": f"{_LAYER}.attention",
    f"{_OURS}.attention_norm": f"{_LAYER}.attention.LayerNorm",
    f"{_OURS}.feed_forward.intermediate": f"{_LAYER}.ffn",
    f"{_OURS}.feed_forward.projection": f"{_LAYER}.ffn_output",
    f"{_OURS}.feed_forward_norm": f"{_LAYER}.full_layer_layer_norm",
    "albert.pooler": "albert.pooler",
    "mlm_head.norm": "predictions.LayerNorm",
    "mlm_head": "predictions",
    "sop_head": "sop_classifier",
    "classifier": "classifier",
    "qa_outputs": "qa_outputs",
    "span_head": "span_head",  # no other library has it
}
# Hugging Face's names, as far as it has them
HEAD_NAMES = ("predictions", "sop_classifier", "classifier", "qa_outputs", "span_head")
POOLER = "albert.pooler"

# Version 0.1 kept the parts of layers in lists: part → its name in a layer, and what numbered it.
_PARTS_OF_0_1 = {
    "attentions": ("attention", "attention"),
    "attention_norms": ("attention_norm", "norms"),
    "ffns": ("feed_forward", "ffn"),
    "ffn_norms": ("feed_forward_norm", "norms"),
}
_MAPS_OF_0_1 = {"expand": "intermediate", "contract": "projection"}
_NAME_OF_0_1 = re.compile(
    r"(?P<before>.*\bencoder\.)(?P<part>attentions|attention_norms|ffns|ffn_norms)"
    r"\.(?P<set>\d+)\.(?P<rest>.+)"
)


def hugging_face_name(name: str, config: AlbertConfig) -> str:
    """Hugging Face's name of one of our parameters; first matching rule of NAMES.

    The parameters of an AlbertModel by itself are named as if it stood in a model with heads.
    Raises KeyError for a name that no rule matches.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.names import hugging_face_name
        >>> hugging_face_name("encoder.layers.0.feed_forward.intermediate.bias", AlbertConfig())
        'albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.bias'
    """
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = f"albert.{name}"
    for ours, theirs in NAMES.items():
        pattern = "^" + re.escape(ours).replace(r"\{layer\}", r"(?P<layer>\d+)") + r"(?=\.)"
        if match := re.match(pattern, name):
            layer = int(match.groupdict().get("layer") or 0)
            if config.sharing == "all":
                repetition, inner = divmod(layer, config.inner_group_num)
                group = config.layer_groups()[repetition]
            else:
                group, inner = layer, 0
            return theirs.format(group=group, inner=inner) + name[match.end() :]
    raise KeyError(f"no rule names {name}")


def current_name(name: str, config: AlbertConfig | None) -> str:
    """Today's name of a parameter that version 0.1 may have saved; others stay as they are.

    `config` is that of the model; without one, nothing is renamed.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.model.names import current_name
        >>> config = AlbertConfig(sharing="attention")
        >>> current_name("albert.encoder.ffns.3.expand.weight", config)
        'albert.encoder.layers.3.feed_forward.intermediate.weight'
        >>> current_name("albert.pooler.weight", config)
        'albert.pooler.weight'
    """
    match = _NAME_OF_0_1.fullmatch(name)
    if match is None or config is None:
        return name
    part, numbered_by = _PARTS_OF_0_1[match["part"]]
    sets = [getattr(weights, numbered_by) for weights in layer_schedule(config)]
    if int(match["set"]) not in sets:  # a group that no layer used
        return name
    first = sets.index(int(match["set"]))
    head, dot, tail = match["rest"].partition(".")
    return f"{match['before']}layers.{first}.{part}.{_MAPS_OF_0_1.get(head, head)}{dot}{tail}"
