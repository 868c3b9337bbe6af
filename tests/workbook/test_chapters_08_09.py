"""Chapters 8 and 9: which terms a wrong count has too many of, and which parts are off."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from albert_lib.config import AlbertConfig
from albert_lib.model.costs import training_flops
from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import find_exercise
from albert_lib.workbook.exercises.chapter_09 import step_cost


def counted_off(off: Callable[[AlbertConfig], int]) -> Callable[[AlbertConfig], int]:
    return lambda self: self.num_parameters() + off(self)


COUNTS: list[tuple[Callable[[AlbertConfig], int], str | None, str]] = [
    (
        lambda c: 2 * c.vocab_size * c.embedding_size - 3 * c.type_vocab_size,
        "in the tables",
        "plus 2 · V·E and less 3 · T.",
    ),
    (
        lambda c: c.hidden_size - 2 * c.embedding_size * c.hidden_size,
        "in the projection",
        "less 2 · E·H and plus H.",
    ),
    (lambda c: c.hidden_size**2 - c.embedding_size**2, "in the pooler", "plus H·H and less E·E."),
    (lambda c: -c.embedding_size, "biases and LayerNorms", "less E."),
    (
        lambda c: -3 * c.num_hidden_groups * c.inner_group_num * c.intermediate_size,
        "in the layers",
        "less 3 · I for every stored layer.",
    ),
    (lambda c: c.num_hidden_layers**3 % 7, None, "You differ from albert_lib on"),
]


@pytest.mark.parametrize(("off", "name", "said"), COUNTS)
def test_a_count_is_told_its_surplus_term_by_term(
    off: Callable[[AlbertConfig], int], name: str | None, said: str
) -> None:
    verdict = examine(find_exercise("8.1"), counted_off(off), seed=3)
    assert verdict.misconception == name and said in verdict.text


def costs_off(**factors: float) -> Callable[..., dict[str, Any]]:
    def answer(*arguments: Any) -> dict[str, Any]:
        parts = training_flops(*arguments)
        return {part: int(count * factors.get(part, 1)) for part, count in parts.items()}

    return answer


COSTS: list[tuple[Callable[..., Any], str | None, str]] = [
    (costs_off(mlm_head=7), "mlm_head", "you count"),
    (costs_off(sop_head=7, feed_forward=2), "feed_forward and sop_head", "2 times the right one"),
    (costs_off(sop_head=7, feed_forward=2, mlm_head=3), "times 2", "may come of it"),
    (
        partial(step_cost, operations=1, maps=3),
        "additions forgotten and output map forgotten",
        "Two things",
    ),
    (
        partial(step_cost, score_products=1, scored_at="every token"),
        "mixing forgotten and vocabulary scored everywhere",
        "Two things",
    ),
    (lambda *arguments: {"mlm_head": arguments[1]}, None, "The parts are called"),
    (lambda *arguments: {"mlm_head": None}, None, "The entry 'mlm_head' of your answer is None"),
    (
        lambda *arguments: {part: float(n) for part, n in training_flops(*arguments).items()},
        None,
        "The entry 'embedding_projection' of your answer is a decimal number, a whole",
    ),
]


@pytest.mark.parametrize(("wrong", "name", "said"), COSTS)
def test_the_parts_of_a_step_that_are_off_are_told(
    wrong: Callable[..., Any], name: str | None, said: str
) -> None:
    verdict = examine(find_exercise("9.1"), wrong, seed=3)
    assert verdict.misconception == name and said in verdict.text
