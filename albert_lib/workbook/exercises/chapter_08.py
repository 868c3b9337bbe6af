"""Exercises of chapter 8: the published checkpoints."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from albert_lib.config import AlbertConfig
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.count_terms import lies_in, with_surplus

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


def sets_of_weights(config: AlbertConfig, kind: str) -> int:
    """How many layers are counted."""
    return {
        "of every group": config.num_hidden_groups * config.inner_group_num,
        "of every applied layer": config.num_hidden_layers,
        "one": 1,
        "one a group": config.num_hidden_groups,
    }[kind]


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
    embeddings: bool = True,
    projection: bool = True,
    layers: bool = True,
) -> int:
    """`num_parameters` with one part exchanged, or several."""
    wide = self.hidden_size
    narrow = wide if wide_tables else self.embedding_size
    inner = 4 * wide if intermediate == "4H" else self.intermediate_size
    one, norm = int(biases), 2 * int(layer_norms)
    rows = self.vocab_size
    if other_tables:
        rows += self.max_position_embeddings + self.type_vocab_size
    layer = 4 * (wide * wide + one * wide) + 2 * wide * inner + one * (inner + wide)
    total = 0
    if embeddings:
        total += rows * narrow + norm * narrow
    if projection and not wide_tables:
        total += narrow * wide + one * wide
    if layers:
        total += sets_of_weights(self, sets) * (layer + 2 * norm * wide)
    if pooler:
        total += wide * wide + one * wide
    return total + (self.vocab_size * narrow if output_matrix else 0)


def pooler_alone(self: AlbertConfig) -> int:
    """The last part, without what was counted before it."""
    return counted(self, embeddings=False, projection=False, layers=False)


EXERCISES = (
    Exercise(
        id="8.1",
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
            Misconception(
                "embeddings forgotten",
                partial(counted, embeddings=False),
                "The embeddings are missing: three tables and their LayerNorm. With `total = …` in "
                "place of `total += …`, what was counted before is lost.",
            ),
            Misconception(
                "projection forgotten",
                partial(counted, projection=False),
                "The map from E to H is missing, E·H weights and H biases: what is looked up is E "
                "wide, and the layers take H.",
            ),
            Misconception(
                "layers forgotten",
                partial(counted, layers=False),
                "The layers are missing: you count what lies around them.",
            ),
            Misconception(
                "pooler alone",
                pooler_alone,
                "You return the pooler alone: with `total = …` in place of `total += …`, all that "
                "was counted before is lost.",
            ),
            Misconception(
                "in the tables",
                lambda self: self.num_parameters() - self.type_vocab_size,
                with_surplus(
                    "What is off lies in the tables. There are three, for words (V rows), "
                    "positions (P) and segments (T), each E numbers wide."
                ),
                lies_in("tables"),
            ),
            Misconception(
                "in the projection",
                lambda self: self.num_parameters() + self.embedding_size * self.hidden_size,
                with_surplus(
                    "What is off lies in the map from E to H: it has a weight for each pair of an "
                    "E and an H, and a bias for every H."
                ),
                lies_in("projection"),
            ),
            Misconception(
                "in the pooler",
                lambda self: self.num_parameters() + self.hidden_size**2,
                with_surplus(
                    "What is off lies in the pooler: a map from H numbers to H, with a bias for "
                    "each."
                ),
                lies_in("pooler"),
            ),
            Misconception(
                "biases and LayerNorms",
                lambda self: self.num_parameters() + self.embedding_size,
                with_surplus(
                    "Terms as narrow as these are biases or LayerNorms: around the layers there "
                    "are one LayerNorm of width E, with a scale and a shift, and two biases of "
                    "width H, the projection's and the pooler's."
                ),
                lies_in("widths"),
            ),
            Misconception(
                "in the layers",
                lambda self: self.num_parameters() + sum(self.layer_parameters().values()),
                with_surplus(
                    "What is off lies in the layers, of which num_hidden_groups × inner_group_num "
                    "are stored: four maps of H × H for attention, two between H and I, their "
                    "biases, two LayerNorms."
                ),
                lies_in("layers"),
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
