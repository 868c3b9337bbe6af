"""Exercises of chapter 9: scaling up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from albert_lib.config import AlbertConfig
from albert_lib.model.costs import parameters, training_flops
from albert_lib.workbook.exercise import Exercise, Fault, Misconception, Trial, apart

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


def scaled(parts: Mapping[str, int], numerator: int, denominator: int, *only: str) -> Parts:
    """The parts times a fraction, or only those that are named."""
    return {
        part: count * numerator // denominator if not only or part in only else count
        for part, count in parts.items()
    }


def multiplications_alone(config: AlbertConfig, *sizes: int) -> Parts:
    """A multiplication with its addition as one operation."""
    return scaled(training_flops(config, *sizes), 1, 2)


def forward_alone(config: AlbertConfig, *sizes: int) -> Parts:
    """The forward pass."""
    return scaled(training_flops(config, *sizes), 1, 3)


def backward_as_forward(config: AlbertConfig, *sizes: int) -> Parts:
    """Backward as dear as forward, instead of twice."""
    return scaled(training_flops(config, *sizes), 2, 3)


def shared_layer_once(config: AlbertConfig, *sizes: int) -> Parts:
    """A layer that is stored once, counted once."""
    once = config.replace(num_hidden_layers=1, num_hidden_groups=1, inner_group_num=1)
    return training_flops(once, *sizes)


def inner_layers_forgotten(config: AlbertConfig, *sizes: int) -> Parts:
    """L layers, whatever a group holds."""
    return training_flops(config.replace(inner_group_num=1), *sizes)


def without_scores(config: AlbertConfig, *sizes: int) -> Parts:
    """Weight matrices alone: no query meets a key."""
    return {**training_flops(config, *sizes), "attention_scores": 0}


def without_mixing(config: AlbertConfig, *sizes: int) -> Parts:
    """Queries with keys, and no weights with values."""
    return scaled(training_flops(config, *sizes), 1, 2, "attention_scores")


def scores_of_every_head_in_full(config: AlbertConfig, *sizes: int) -> Parts:
    """Every head as wide as the model."""
    heads = config.num_attention_heads
    return scaled(training_flops(config, *sizes), heads, 1, "attention_scores")


def three_maps(config: AlbertConfig, *sizes: int) -> Parts:
    """Query, key and value, without the map behind them."""
    return scaled(training_flops(config, *sizes), 3, 4, "attention_maps")


def head_everywhere(config: AlbertConfig, batch_size: int, length: int, predictions: int) -> Parts:
    """The vocabulary scored at every position."""
    return training_flops(config, batch_size, length, batch_size * length)


def head_from_the_wide_state(
    config: AlbertConfig, batch_size: int, length: int, predictions: int
) -> Parts:
    """Scores made from H numbers, as BERT's are."""
    parts = training_flops(config, batch_size, length, predictions)
    wide = config.hidden_size
    return {**parts, "mlm_head": 6 * predictions * (wide * wide + wide * config.vocab_size)}


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


def order_judged_at_every_token(
    config: AlbertConfig, batch_size: int, length: int, predictions: int
) -> Parts:
    """Pooler and order at every position instead of once a sequence."""
    return scaled(training_flops(config, batch_size, length, predictions), length, 1, "sop_head")


def wrong_parts(trials: Sequence[Trial]) -> Fault | None:
    """Which parts are wrong, with the numbers of the smallest step that shows it."""
    wrong = apart(trials)
    if not wrong:
        return None
    trial = min(wrong, key=lambda each: sum(each.expected.values()))
    given, config = trial.arguments, trial.arguments["config"]
    names = list(trial.expected)
    if set(trial.answer) != set(names):
        return Fault(f"The parts are called {', '.join(names)}; you return {list(trial.answer)}.")
    lines = [
        f"  {part}: you count {trial.answer[part]}, there are {trial.expected[part]}"
        for part in names
        if trial.answer[part] != trial.expected[part]
    ]
    sizes = ", ".join(
        f"{name}={getattr(config, name)}"
        for name in (
            "vocab_size",
            "embedding_size",
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "inner_group_num",
        )
    )
    return Fault(
        f"You differ from albert_lib on {len(wrong)} of {len(trials)} steps. The smallest has "
        f"{sizes}, batch_size={given['batch_size']}, length={given['length']} and "
        f"predictions={given['predictions']}:\n" + "\n".join(lines)
    )


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


EXERCISES = (
    Exercise(
        id="9.1",
        title="What a step costs",
        difficulty=2,
        minutes=20,
        points=3,
        solution=training_flops,
        draw=draw_step,
        judge=wrong_parts,
        misconceptions=(
            Misconception(
                "additions forgotten",
                multiplications_alone,
                "All your parts are half of what they should be. A product of matrices multiplies "
                "and adds: every weight that a number meets is two operations.",
            ),
            Misconception(
                "backward forgotten",
                forward_alone,
                "You count the forward pass, a third of a step. Backward, every product is met by "
                "two: one for the gradient of its input, one for the gradient of its weights.",
            ),
            Misconception(
                "backward as forward",
                backward_as_forward,
                "You take the backward pass for as long as the forward one. It is twice as long: "
                "a product has two factors, and each of them has a gradient to be computed.",
            ),
            Misconception(
                "shared layer counted once",
                shared_layer_once,
                "You count one layer. That is what is stored; what is worked is L layers, because "
                "the same weights meet other numbers at every depth.",
            ),
            Misconception(
                "inner layers forgotten",
                inner_layers_forgotten,
                "You count L layers. A group holds inner_group_num of them, one after another, so "
                "L × inner_group_num are applied.",
            ),
            Misconception(
                "scores forgotten",
                without_scores,
                "You count weight matrices alone. Attention also multiplies what holds no weight: "
                "every query with every key, and the result with the values. These two grow with "
                "the length; at 512 tokens they are a tenth of base's work.",
            ),
            Misconception(
                "mixing forgotten",
                without_mixing,
                "You count queries with keys. What comes out, one weight for every pair of tokens, "
                "is multiplied with the values, which costs as much again.",
            ),
            Misconception(
                "every head as wide as the model",
                scores_of_every_head_in_full,
                "Your scores are num_attention_heads times too many. A head is only H / heads "
                "wide: all of them together cost what one of width H would.",
            ),
            Misconception(
                "output map forgotten",
                three_maps,
                "Attention has four maps of H × H: query, key, value, and the one that what the "
                "heads found goes through. You count three.",
            ),
            Misconception(
                "vocabulary scored everywhere",
                head_everywhere,
                "You score the vocabulary at every position. Only masked tokens are asked for: "
                "predictions of them, in the whole batch.",
            ),
            Misconception(
                "scores made from H numbers",
                head_from_the_wide_state,
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
                order_judged_at_every_token,
                "You send every token through the pooler. The order is judged once a sequence, "
                "from its [CLS].",
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
