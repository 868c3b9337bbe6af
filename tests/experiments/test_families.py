"""Other families on the Town: what they are shown, and how their slopes are compared."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from albert_lib.errors import InputError
from albert_lib.experiments.calibration import true_gaps
from albert_lib.experiments.family_calibration import calibrate_family
from albert_lib.experiments.family_models import (
    FAMILY_STEPS,
    OTHER_FAMILIES,
    UNASKED,
    Family,
    family_batch,
    family_tokenizer,
    held_out_loss,
    train_family,
    without_pair_head,
)
from albert_lib.experiments.stored_trials import load_trials
from albert_lib.experiments.town_questions import IN_NATS, SENTENCE_PROBES
from albert_lib.experiments.town_trials import ProbedModel, TownTrial
from albert_lib.files import data_folder
from albert_lib.probing.template_probe import ProbeRow
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet

PROBE = IN_NATS[0]


@pytest.fixture(scope="module")
def documents() -> list[list[str]]:
    return list(Town(1.0, seed=3, world=load_hamlet(0.5)).documents(400))


def probed(family: Family, seed: int, bias: float, slope: float) -> ProbedModel:
    """A model on which a probe reads `slope` of every true nat."""
    trial = TownTrial(bias, seed, 350, family=family)
    rows = [ProbeRow.of("title", np.full(3, slope * gap)) for gap in true_gaps(trial)]
    return ProbedModel(trial, {PROBE: rows}, 0.3)


def test_slopes_are_paired_by_seed() -> None:
    own, ours = (0.5, 0.6, 0.7), (0.9, 1.0, 1.1)  # further apart between seeds than in a pair
    albert = [probed("albert", s, b, v) for s, v in enumerate(ours) for b in (0.5, 1.0)]
    others = [probed("bert", s, b, v) for s, v in enumerate(own) for b in (0.5, 1.0)]
    found = calibrate_family([*albert, probed("albert", 9, 1.0, 5.0)], others, PROBE, "bert")
    assert found.difference.mean == pytest.approx(-0.4)
    assert found.difference.high == pytest.approx(-0.4), "the same in every pair"
    assert (found.own.slope.mean, found.albert.slope.mean) == pytest.approx((0.6, 1.0))
    assert found.verdict == "another slope"
    near = [probed("bert", s, 1.0, v - 0.1) for s, v in enumerate(ours)]
    assert calibrate_family(albert, near, PROBE, "bert").verdict == "the same slope"
    unlike = [probed("bert", s, 1.0, v) for s, v in enumerate((0.1, 2.0, 1.0))]
    assert calibrate_family(albert, unlike, PROBE, "bert").verdict == "too few seeds to tell"
    with pytest.raises(InputError, match="No model of the family 'roberta' learnt a town"):
        calibrate_family(albert, others, PROBE, "roberta")


def test_the_kept_models_are_of_the_stated_steps() -> None:
    models, command = load_trials(data_folder() / "town" / "families.json")
    assert command.startswith("python -m benchmarks.families")
    assert {each.trial.family for each in models} == set(OTHER_FAMILIES)
    for each in models:
        assert each.trial.steps == FAMILY_STEPS[each.trial.family]
        assert set(each.results) == set(SENTENCE_PROBES)


@pytest.mark.parametrize("family", OTHER_FAMILIES)
def test_a_batch_hides_the_rate_that_it_should(family: Family, documents: list[list[str]]) -> None:
    tokenizer = family_tokenizer(family, documents)
    rng = np.random.default_rng(0)
    arguments = family_batch(family, documents, tokenizer, 0.25, rng).arguments
    shown, labels = arguments["input_ids"], arguments["labels"]
    asked = labels != UNASKED
    ordinary = ~torch.isin(torch.where(asked, labels, shown), torch.tensor([
        tokenizer.pad_token_id, tokenizer.cls_token_id, tokenizer.sep_token_id,
    ]))  # fmt: skip
    assert not (asked & ~ordinary).any(), "special tokens are never asked"
    assert (asked.sum() / ordinary.sum()).item() == pytest.approx(0.25, abs=0.02)
    hidden = (shown == tokenizer.mask_token_id)[asked].float().mean().item()
    assert hidden == pytest.approx(0.8, abs=0.03)
    if family == "bert":
        moved = arguments["next_sentence_label"].bool()
        assert moved.float().mean().item() == pytest.approx(0.5, abs=0.1)
        assert (arguments["token_type_ids"].sum(dim=1) > 0).all()


@pytest.mark.parametrize("family", OTHER_FAMILIES)
def test_a_few_steps_teach_something(family: Family, documents: list[list[str]]) -> None:
    tokenizer = family_tokenizer(family, documents)
    losses = []
    for steps in (1, 12):
        model = without_pair_head(train_family(family, documents, tokenizer, steps=steps, seed=0))
        losses.append(held_out_loss(model, documents[:64], tokenizer, 0.15, seed=1))
    assert losses[1] < losses[0] - 0.5
