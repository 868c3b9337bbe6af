"""Inputs are new at every check, and the same ones come again by the seed that it names."""

from __future__ import annotations

import random
import re
from typing import Any

import numpy as np
import pytest
import torch

from albert_lib.workbook.checks import check, examine
from albert_lib.workbook.exercise import find_exercise
from albert_lib.workbook.seeds import SEED_VARIABLE, SeedError, chosen_seed
from albert_lib.workbook.size import size


def first_logit(logits: Any, labels: Any) -> Any:
    return logits[0, 0, 0]


def test_every_check_draws_a_new_seed_whatever_the_notebook_seeds() -> None:
    seeds = set()
    for _ in range(20):
        torch.manual_seed(0)
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        seeds.add(chosen_seed())
    assert len(seeds) >= 15 and all(0 <= seed < 100_000 for seed in seeds)


def test_the_named_seed_repeats_a_failure_exactly() -> None:
    exercise = find_exercise("4.3")
    first = examine(exercise, first_logit)
    named = re.search(r"\(here: seed=(\d+)\)", first.text)
    assert named is not None and int(named[1]) == first.seed
    again = examine(exercise, first_logit, seed=first.seed)
    assert again.text == first.text
    assert examine(exercise, first_logit, seed=first.seed + 1).text != first.text


def test_the_environment_may_rule_the_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(SEED_VARIABLE, "41")
    check("4.3", first_logit)
    assert "(here: seed=41)" in capsys.readouterr().out
    check("4.3", first_logit, seed=42)
    assert "(here: seed=42)" in capsys.readouterr().out


@pytest.mark.parametrize("seed", ["four", "-1", "1.5", str(2**32)])
def test_what_is_no_seed_is_one_sentence(monkeypatch: pytest.MonkeyPatch, seed: str) -> None:
    monkeypatch.setenv(SEED_VARIABLE, seed)
    with pytest.raises(SeedError, match=f"{SEED_VARIABLE} is .* a whole number"):
        chosen_seed()
    with pytest.raises(SeedError, match="The seed is"):
        chosen_seed(-3)


def test_while_grading_inputs_are_new_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    for _ in range(6):
        assert check("4.3", find_exercise("4.3").solution) == 2.0
    assert len(set(re.findall(r"seed=\d+", capsys.readouterr().out))) > 1


def test_size_counts_elements_first_and_digits_next() -> None:
    assert size({"x": torch.zeros(2, 3)}) == (6, 0)
    assert size({"a": "dawn", "b": [range(3), range(2)]}) == (9, 0)
    assert size({"n": 3}) < size({"n": 300}) < size({"n": [1, 1]})
    assert size({"p": 0.5}) < size({"p": 0.512345})
