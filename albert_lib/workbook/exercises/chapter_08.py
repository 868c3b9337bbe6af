"""Exercises of chapter 8: the published checkpoints."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from albert_lib.config import AlbertConfig
from albert_lib.workbook.exercise import Exercise, Misconception

# The library's function is a method, so the configuration is its `self`, here as in the notebook.


def draw_configuration(rng: np.random.Generator) -> dict[str, Any]:
    """Small sizes without a pattern: no width is a multiple of another by rule."""
    heads = int(rng.integers(1, 4))
    layers = int(rng.integers(2, 9))
    config = AlbertConfig(
        vocab_size=int(rng.integers(20, 60)),
        embedding_size=int(rng.integers(2, 7)),
        hidden_size=heads * int(rng.integers(3, 7)),
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=int(rng.integers(5, 30)),
        num_hidden_groups=int(rng.integers(1, min(layers, 4))),
        inner_group_num=int(rng.integers(1, 4)),
        max_position_embeddings=int(rng.integers(8, 20)),
        type_vocab_size=int(rng.integers(1, 4)),
    )
    return {"self": config}


def smallest_configurations(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Everything 1, and a model as wide as its embeddings."""
    one = AlbertConfig(
        vocab_size=10,  # room for the special tokens
        embedding_size=1,
        hidden_size=1,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=1,
        max_position_embeddings=1,
        type_vocab_size=1,
    )
    return [{"self": one}, {"self": one.replace(embedding_size=3, hidden_size=3)}]


def counted(
    self: AlbertConfig,
    *,
    sets: str = "of every group",
    biases: bool = True,
    layer_norms: bool = True,
    wide_tables: bool = False,
    other_tables: bool = True,
    pooler: bool = True,
    output_matrix: bool = False,
    intermediate: str = "given",
) -> int:
    """`num_parameters` with one part exchanged, or several."""
    wide = self.hidden_size
    narrow = wide if wide_tables else self.embedding_size
    inner = 4 * wide if intermediate == "4H" else self.intermediate_size
    one, norm = int(biases), 2 * int(layer_norms)
    rows = self.vocab_size
    if other_tables:
        rows += self.max_position_embeddings + self.type_vocab_size
    number = {
        "of every group": self.num_hidden_groups * self.inner_group_num,
        "of every applied layer": self.num_hidden_layers,
        "one": 1,
        "one a group": self.num_hidden_groups,
    }[sets]
    layer = 4 * (wide * wide + one * wide) + 2 * wide * inner + one * (inner + wide)
    total = rows * narrow + norm * narrow + number * (layer + 2 * norm * wide)
    total += 0 if wide_tables else narrow * wide + one * wide
    total += wide * wide + one * wide if pooler else 0
    return total + (self.vocab_size * narrow if output_matrix else 0)


EXERCISES = (
    Exercise(
        id="8.2",
        title="Count any ALBERT",
        difficulty=2,
        minutes=15,
        points=3,
        solution=AlbertConfig.num_parameters,
        draw=draw_configuration,
        borders=smallest_configurations,
        misconceptions=(
            Misconception(
                "layers counted L times",
                partial(counted, sets="of every applied layer"),
                "You count a set of weights for each of the L layers. That is BERT. ALBERT applies "
                "the same set again and again: L says how often, and appears nowhere in the count.",
            ),
            Misconception(
                "groups forgotten",
                partial(counted, sets="one"),
                "You count one set of layer weights. That is right for every published ALBERT, "
                "which has one group of one layer; here there are num_hidden_groups groups of "
                "inner_group_num layers, and each of these has weights of its own.",
            ),
            Misconception(
                "layers inside a group forgotten",
                partial(counted, sets="one a group"),
                "You count one layer a group. A group holds inner_group_num layers, applied one "
                "after another, each with weights of its own.",
            ),
            Misconception(
                "biases forgotten",
                partial(counted, biases=False),
                "You count matrices and no biases. A linear map from m to n numbers has m·n "
                "weights and n biases; in xlarge these are 22,528 of 58,724,864, and exact is "
                "exact.",
            ),
            Misconception(
                "LayerNorms forgotten",
                partial(counted, layer_norms=False),
                "The LayerNorms are missing. Each has a scale and a shift for every number it "
                "normalises: one of width E after the embeddings, two of width H in each layer.",
            ),
            Misconception(
                "tables of width H",
                partial(counted, wide_tables=True),
                "Your embeddings are H wide. That is BERT's V·H; ALBERT's tables are E wide, and "
                "one map of E·H + H projects what is looked up to width H.",
            ),
            Misconception(
                "positions and segments forgotten",
                partial(counted, other_tables=False),
                "You count the word table alone. Positions and segments have tables too, "
                "max_position_embeddings and type_vocab_size rows of E numbers.",
            ),
            Misconception(
                "pooler forgotten",
                partial(counted, pooler=False),
                "You count the encoder without its pooler, the map of H·H + H that [CLS] goes "
                "through. The card's 58M has it: without it, xlarge would be 54.5M.",
            ),
            Misconception(
                "tied matrix counted again",
                partial(counted, output_matrix=True),
                "You count the word table twice. The output matrix of the MLM head is that very "
                "table, one tensor in memory; and an AlbertModel has no head at all.",
            ),
            Misconception(
                "intermediate size taken for 4H",
                partial(counted, intermediate="4H"),
                "You take the intermediate size of the feed-forward block for 4H. That is right "
                "for every published model, but a configuration says it in intermediate_size.",
            ),
        ),
        hints=(
            "One whole number comes back. It is a sum of four parts: embeddings, projection, "
            "layers, pooler. Read the sizes from `self`, such as `self.hidden_size`.",
            "Count one layer, then ask how many different layers are stored: each of "
            "`num_hidden_groups` groups has `inner_group_num`. How often they are applied does "
            "not matter.",
            "With H = `self.hidden_size` and I = `self.intermediate_size`, a layer is "
            "`4 * (H * H + H) + (H * I + I) + (I * H + H) + 2 * 2 * H`. Around it: three tables "
            "of width E and their LayerNorm, `E * H + H`, and the pooler's `H * H + H`.",
        ),
    ),
)
