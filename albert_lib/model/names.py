"""Names of parameters: ours, and those of Hugging Face's files.

The published files hold every tensor under Hugging Face's name; ours are shorter. A rule of the
table maps one to the other, `{k}` standing for a layer set, which Hugging Face numbers by group
and by layer within the group.
"""

from __future__ import annotations

import re

from albert_lib.config import AlbertConfig

_LAYER = "albert.encoder.albert_layer_groups.{group}.albert_layers.{inner}"
NAMES: dict[str, str] = {  # ours → Hugging Face's
    "albert.embeddings.norm": "albert.embeddings.LayerNorm",
    "albert.embeddings": "albert.embeddings",
    "albert.encoder.embedding_projection": "albert.encoder.embedding_hidden_mapping_in",
    "albert.encoder.attentions.{k}.output": f"{_LAYER}.attention.dense",
    "albert.encoder.attentions.{k}": f"{_LAYER}.attention",
    "albert.encoder.attention_norms.{k}": f"{_LAYER}.attention.LayerNorm",
    "albert.encoder.ffns.{k}.expand": f"{_LAYER}.ffn",
    "albert.encoder.ffns.{k}.contract": f"{_LAYER}.ffn_output",
    "albert.encoder.ffn_norms.{k}": f"{_LAYER}.full_layer_layer_norm",
    "albert.pooler": "albert.pooler",
    "mlm_head.norm": "predictions.LayerNorm",
    "mlm_head": "predictions",
    "sop_head": "sop_classifier",
    "classifier": "classifier",
    "qa_outputs": "qa_outputs",
}
HEADS = ("predictions", "sop_classifier", "classifier", "qa_outputs")  # Hugging Face's names


def hugging_face_name(name: str, config: AlbertConfig) -> str:
    """Hugging Face's name of one of our parameters; first matching rule of NAMES.

    The parameters of an AlbertModel by itself are named as if it stood in a model with heads.
    """
    if name.startswith(("embeddings.", "encoder.", "pooler.")):
        name = f"albert.{name}"
    for ours, theirs in NAMES.items():
        pattern = "^" + re.escape(ours).replace(r"\{k\}", r"(?P<k>\d+)") + r"(?=\.)"
        match = re.match(pattern, name)
        if match:
            k = int(match.groupdict().get("k") or 0)
            layers = 1 if config.sharing == "none" else config.inner_group_num
            prefix = theirs.format(group=k // layers, inner=k % layers)
            return prefix + name[match.end() :]
    raise KeyError(f"no rule names {name}")
