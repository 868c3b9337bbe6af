"""Exercises of chapter 8: the published checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_lib.config import AlbertConfig
from albert_lib.workbook.exercise import Exercise, Fault, Misconception, Trial, apart

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


def one_set_an_applied_layer(self: AlbertConfig) -> int:
    """A set of weights for each of the L layers, as in BERT."""
    unshared = self.replace(sharing="none", num_hidden_groups=1, inner_group_num=1)
    return unshared.num_parameters()


def a_single_set(self: AlbertConfig) -> int:
    """One set of weights, whatever the groups."""
    return self.replace(num_hidden_groups=1, inner_group_num=1).num_parameters()


def one_layer_a_group(self: AlbertConfig) -> int:
    """A set for each group, the layers inside a group forgotten."""
    return self.replace(inner_group_num=1).num_parameters()


def without_biases(self: AlbertConfig) -> int:
    """Matrices alone: no linear map has its bias."""
    wide, intermediate = self.hidden_size, self.intermediate_size
    layer = 4 * wide + intermediate + wide
    return self.num_parameters() - (wide + layer_sets(self) * layer + wide)


def without_layer_norms(self: AlbertConfig) -> int:
    """No LayerNorm, neither after the embeddings nor in the layers."""
    norms = 2 * self.embedding_size + layer_sets(self) * 2 * 2 * self.hidden_size
    return self.num_parameters() - norms


def wide_tables(self: AlbertConfig) -> int:
    """Embeddings of width H and no projection from E to H, as in BERT."""
    bert = self.replace(embedding_size=self.hidden_size, project_equal_widths=False)
    return bert.num_parameters()


def words_alone(self: AlbertConfig) -> int:
    """The word table without the tables of positions and segments."""
    others = self.max_position_embeddings + self.type_vocab_size
    return self.num_parameters() - others * self.embedding_size


def without_pooler(self: AlbertConfig) -> int:
    """The encoder alone."""
    return self.num_parameters(pooler=False)


def output_matrix_counted(self: AlbertConfig) -> int:
    """The word table twice: at the entrance, and as the tied output matrix."""
    return self.num_parameters() + self.vocab_size * self.embedding_size


def four_times_wide(self: AlbertConfig) -> int:
    """An intermediate size of 4H, as in every published model, instead of the one given."""
    return self.replace(intermediate_size=4 * self.hidden_size).num_parameters()


def layer_sets(config: AlbertConfig) -> int:
    """How many sets of layer weights there are when all is shared within a group."""
    return config.num_hidden_groups * config.inner_group_num


def smallest_miscount(trials: Sequence[Trial]) -> Fault | None:
    """Wrong counts in words: the smallest configuration that is miscounted, and by how much."""
    wrong = apart(trials)
    if not wrong:
        return None
    trial = min(wrong, key=lambda each: int(each.expected))
    config: AlbertConfig = trial.arguments["self"]
    return Fault(
        f"You differ from albert_lib on {len(wrong)} of {len(trials)} configurations. The smallest "
        f"has vocab_size={config.vocab_size}, embedding_size={config.embedding_size}, "
        f"hidden_size={config.hidden_size}, intermediate_size={config.intermediate_size}, "
        f"max_position_embeddings={config.max_position_embeddings}, "
        f"type_vocab_size={config.type_vocab_size}, "
        f"num_hidden_layers={config.num_hidden_layers}, "
        f"num_hidden_groups={config.num_hidden_groups} and "
        f"inner_group_num={config.inner_group_num}: you count {trial.answer}, there are "
        f"{trial.expected}, {abs(trial.answer - trial.expected)} "
        f"{'fewer' if trial.expected < trial.answer else 'more'}."
    )


EXERCISES = (
    Exercise(
        id="8.2",
        title="Count any ALBERT",
        difficulty=2,
        minutes=15,
        points=3,
        solution=AlbertConfig.num_parameters,
        draw=draw_configuration,
        judge=smallest_miscount,
        misconceptions=(
            Misconception(
                "layers counted L times",
                one_set_an_applied_layer,
                "You count a set of weights for each of the L layers. That is BERT. ALBERT applies "
                "the same set again and again: L says how often, and appears nowhere in the count.",
            ),
            Misconception(
                "groups forgotten",
                a_single_set,
                "You count one set of layer weights. That is right for every published ALBERT, "
                "which has one group of one layer; here there are num_hidden_groups groups of "
                "inner_group_num layers, and each of these has weights of its own.",
            ),
            Misconception(
                "layers inside a group forgotten",
                one_layer_a_group,
                "You count one layer a group. A group holds inner_group_num layers, applied one "
                "after another, each with weights of its own.",
            ),
            Misconception(
                "biases forgotten",
                without_biases,
                "You count matrices and no biases. A linear map from m to n numbers has m·n "
                "weights and n biases; in xlarge these are 22,528 of 58,724,864, and exact is "
                "exact.",
            ),
            Misconception(
                "LayerNorms forgotten",
                without_layer_norms,
                "The LayerNorms are missing. Each has a scale and a shift for every number it "
                "normalises: one of width E after the embeddings, two of width H in each layer.",
            ),
            Misconception(
                "tables of width H",
                wide_tables,
                "Your embeddings are H wide. That is BERT's V·H; ALBERT's tables are E wide, and "
                "one map of E·H + H projects what is looked up to width H.",
            ),
            Misconception(
                "positions and segments forgotten",
                words_alone,
                "You count the word table alone. Positions and segments have tables too, "
                "max_position_embeddings and type_vocab_size rows of E numbers.",
            ),
            Misconception(
                "pooler forgotten",
                without_pooler,
                "You count the encoder without its pooler, the map of H·H + H that [CLS] goes "
                "through. The card's 58M has it: without it, xlarge would be 54.5M.",
            ),
            Misconception(
                "tied matrix counted again",
                output_matrix_counted,
                "You count the word table twice. The output matrix of the MLM head is that very "
                "table, one tensor in memory; and an AlbertModel has no head at all.",
            ),
            Misconception(
                "intermediate size taken for 4H",
                four_times_wide,
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
