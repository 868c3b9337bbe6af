"""Exercises of chapter 9: scaling up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from albert_lib.config import AlbertConfig
from albert_lib.model.costs import parameters, training_flops
from albert_lib.workbook.exercise import Exercise, Fault, Misconception, Trial, apart
from albert_lib.workbook.exercises.cost_parts import about, off

Parts = dict[str, int]


def draw_step(rng: np.random.Generator) -> dict[str, Any]:
    """A small step without a pattern: no width is a multiple of another by rule."""
    heads = int(rng.integers(2, 5))
    config = AlbertConfig(
        vocab_size=int(rng.integers(50, 200)),
        embedding_size=int(rng.integers(3, 9)),
        hidden_size=heads * int(rng.integers(4, 8)),
        num_hidden_layers=int(rng.integers(2, 7)),
        num_attention_heads=heads,
        intermediate_size=int(rng.integers(30, 90)),
        inner_group_num=int(rng.integers(1, 3)),
    )
    batch_size, length = int(rng.integers(2, 6)), int(rng.integers(10, 40))
    predictions = int(rng.integers(1, batch_size * length // 2))
    return {
        "config": config,
        "batch_size": batch_size,
        "length": length,
        "predictions": predictions,
    }


def smallest_steps(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One token alone; a step that predicts nothing; a model of several groups."""
    config: AlbertConfig = draw_step(rng)["config"]
    grouped = config.replace(num_hidden_layers=4, num_hidden_groups=2)
    return [
        {"config": each, "batch_size": batch_size, "length": length, "predictions": predictions}
        for each, batch_size, length, predictions in (
            (config, 1, 1, 1),
            (config, 2, 10, 0),
            (grouped, 2, 10, 3),
        )
    ]


def layers_counted(config: AlbertConfig, kind: str) -> int:
    """How many layers work in one pass."""
    return {
        "applied": config.num_hidden_layers * config.inner_group_num,
        "stored": 1,
        "without inner": config.num_hidden_layers,
    }[kind]


def step_cost(
    config: AlbertConfig,
    batch_size: int,
    length: int,
    predictions: int,
    *,
    operations: int = 2,
    passes: int = 3,
    layers: str = "applied",
    score_products: int = 2,
    score_width: str = "all heads together",
    maps: int = 4,
    scored_at: str = "predictions",
    scored_from: str = "embedding size",
    order_at: str = "[CLS]",
    each_token: str = "batch_size × length",
    block_maps: int = 2,
    head_map: bool = True,
) -> Parts:
    """`training_flops` with one part exchanged, or several."""
    tokens = {"length": length, "batch_size": batch_size}.get(each_token, batch_size * length)
    narrow, wide = config.embedding_size, config.hidden_size
    applied = layers_counted(config, layers) * tokens
    heads = config.num_attention_heads if score_width == "each head" else 1
    predicted = predictions if scored_at == "predictions" else tokens
    judged = batch_size if order_at == "[CLS]" else tokens
    scored = narrow if scored_from == "embedding size" else wide
    products = {
        "embedding_projection": tokens * narrow * wide,
        "attention_maps": applied * maps * wide * wide,
        "attention_scores": applied * score_products * length * wide * heads,
        "feed_forward": applied * block_maps * wide * config.intermediate_size,
        "mlm_head": predicted * (head_map * wide * scored + scored * config.vocab_size),
        "sop_head": judged * (wide * wide + 2 * wide),
    }
    return {part: operations * passes * count for part, count in products.items()}


def six_times_the_parameters(
    config: AlbertConfig, batch_size: int, length: int, predictions: int
) -> Parts:
    """The rule for models that share nothing, dealt out to the parts that store weights."""
    tokens = batch_size * length
    stored = config.layer_parameters()
    parts = training_flops(config, batch_size, length, predictions)
    return {
        **parts,
        "attention_maps": 6 * tokens * stored["attention"],
        "feed_forward": 6 * tokens * stored["ffn"],
        "attention_scores": 0,
    }


def wrong_parts(trials: Sequence[Trial]) -> Fault | None:
    """Which parts are wrong, with the numbers of the smallest step that shows it."""
    wrong = apart(trials)
    if not wrong:
        return None
    trial = min(wrong, key=lambda each: sum(each.expected.values()))
    names = list(trial.expected)
    if set(trial.answer) != set(names):
        return Fault(
            f"The parts are called {', '.join(names)}; you return {', '.join(trial.answer)}.",
            trial,
        )
    lines = [
        f"  {part}: you count {trial.answer[part]}, there are {trial.expected[part]}"
        for part in names
        if trial.answer[part] != trial.expected[part]
    ]
    first = f"You differ from albert_lib on {len(wrong)} of {len(trials)} steps. On the smallest,"
    return Fault("\n".join([first, *lines]), trial)


def rule_of_six(trials: Sequence[Trial]) -> str:
    """How far the rule of six parameters is off, on the trial where that is most."""
    ratio = max(
        sum(trial.expected.values())
        / (6 * parameters(trial.arguments["config"]))
        / (trial.arguments["batch_size"] * trial.arguments["length"])
        for trial in trials
    )
    return (
        "You take six operations a stored weight. That rule is for models that use every weight "
        f"once; here a weight is used in every layer, and the whole is up to {ratio:.1f} times "
        "six times the parameters. Count the layers that are applied."
    )


RULES = {
    "embedding_projection": "It is one map, from E numbers to H, at every token of the batch.",
    "attention_maps": "They are four maps from H numbers to H, at every token, in every layer that "
    "is applied.",
    "attention_scores": "Every token meets every token of its sequence twice: a query with a key, "
    "and what comes out with a value, each over H numbers of all heads together.",
    "feed_forward": "It is two maps, from H numbers to intermediate_size and back, at every token, "
    "in every layer that is applied.",
    "mlm_head": "It is a map from H numbers to E and a score for every entry of the vocabulary "
    "from those E, at every prediction.",
    "sop_head": "It is the pooler, from H numbers to H, and a score for each of two classes, once "
    "a sequence.",
}


def of_double_cost(part: str) -> Callable[..., Parts]:
    """One part for two."""

    def answer(config: AlbertConfig, batch_size: int, length: int, predictions: int) -> Parts:
        parts = training_flops(config, batch_size, length, predictions)
        return {**parts, part: 2 * parts[part]}

    return answer


EXERCISES = (
    Exercise(
        id="9.1",
        title="What a step costs",
        difficulty=2,
        minutes=20,
        points=3,
        solution=training_flops,
        draw=draw_step,
        borders=smallest_steps,
        judge=wrong_parts,
        misconceptions=(
            Misconception(
                "additions forgotten",
                partial(step_cost, operations=1),
                "All your parts are half of what they should be. A product of matrices multiplies "
                "and adds: every weight that a number meets is two operations.",
            ),
            Misconception(
                "backward forgotten",
                partial(step_cost, passes=1),
                "You count the forward pass, a third of a step. Backward, every product is met by "
                "two: one for the gradient of its input, one for the gradient of its weights.",
            ),
            Misconception(
                "backward as forward",
                partial(step_cost, passes=2),
                "You take the backward pass for as long as the forward one. It is twice as long: "
                "a product has two factors, and each of them has a gradient to be computed.",
            ),
            Misconception(
                "shared layer counted once",
                partial(step_cost, layers="stored"),
                "You count one layer. That is what is stored; what is worked is L layers, because "
                "the same weights meet other numbers at every depth.",
            ),
            Misconception(
                "inner layers forgotten",
                partial(step_cost, layers="without inner"),
                "You count L layers. A group holds inner_group_num of them, one after another, so "
                "L × inner_group_num are applied.",
            ),
            Misconception(
                "scores forgotten",
                partial(step_cost, score_products=0),
                "You count weight matrices alone. Attention also multiplies what holds no weight: "
                "every query with every key, and the result with the values. These two grow with "
                "the length; at 512 tokens they are a tenth of base's work.",
            ),
            Misconception(
                "mixing forgotten",
                partial(step_cost, score_products=1),
                "You count queries with keys. What comes out, one weight for every pair of tokens, "
                "is multiplied with the values, which costs as much again.",
            ),
            Misconception(
                "every head as wide as the model",
                partial(step_cost, score_width="each head"),
                "Your scores are num_attention_heads times too many. A head is only H / heads "
                "wide: all of them together cost what one of width H would.",
            ),
            Misconception(
                "output map forgotten",
                partial(step_cost, maps=3),
                "Attention has four maps of H × H: query, key, value, and the one that what the "
                "heads found goes through. You count three.",
            ),
            Misconception(
                "vocabulary scored everywhere",
                partial(step_cost, scored_at="every token"),
                "You score the vocabulary at every position. Only masked tokens are asked for: "
                "predictions of them, in the whole batch.",
            ),
            Misconception(
                "scores made from H numbers",
                partial(step_cost, scored_from="hidden size"),
                "Your MLM head scores the vocabulary from H numbers, as BERT's does. ALBERT's goes "
                "back to E numbers first and multiplies those with the word table.",
            ),
            Misconception(
                "six times the parameters",
                six_times_the_parameters,
                rule_of_six,
            ),
            Misconception(
                "order judged at every token",
                partial(step_cost, order_at="every token"),
                "You send every token through the pooler. The order is judged once a sequence, "
                "from its [CLS].",
            ),
            Misconception(
                "one sequence alone",
                partial(step_cost, each_token="length"),
                "You count the tokens of one sequence. A step works at those of all: batch_size × "
                "length.",
            ),
            Misconception(
                "one token a sequence",
                partial(step_cost, each_token="batch_size"),
                "You count one token a sequence where all of them are worked at: batch_size × "
                "length. Only the order is judged from one, the [CLS].",
            ),
            Misconception(
                "forward pass twice",
                partial(step_cost, passes=4),
                "You count four passes. So many it takes with activation checkpointing, which does "
                "the forward pass again; a plain step takes three: forward once, backward twice.",
            ),
            Misconception(
                "one map in the block",
                partial(step_cost, block_maps=1),
                "You count one map in the feed-forward block. There are two: from H numbers to "
                "intermediate_size, and back.",
            ),
            Misconception(
                "head's map forgotten",
                partial(step_cost, head_map=False),
                "Your MLM head goes straight to the vocabulary. Before it scores, it maps H "
                "numbers to E.",
            ),
            *(
                Misconception(part, of_double_cost(part), about(part, rule), off(part), broad=True)
                for part, rule in RULES.items()
            ),
        ),
        hints=(
            "A dict comes back with six whole numbers: `embedding_projection`, `attention_maps`, "
            "`attention_scores`, `feed_forward`, `mlm_head`, `sop_head`. Begin with "
            "`tokens = batch_size * length`.",
            "A map from m to n numbers costs 2·m·n operations a position, forward. Ask of each "
            "part at how many positions it works: all tokens, the predictions, or one a sequence; "
            "and of a layer's parts, how often a layer is applied. Three times that is the step.",
            "For one applied layer, a token, before the factor 2 · 3: the maps are `4 * H * H`, "
            "the block `2 * H * intermediate_size`, the scores `2 * length * H`. The heads: "
            "`H * E + E * V` a prediction, `H * H + 2 * H` a sequence.",
        ),
    ),
)
