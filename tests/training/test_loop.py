"""The loop and a run, on a model small enough to follow by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

from albert_lib.errors import AlbertLibError, ConfigError
from albert_lib.training import History, Run, TrainingError, TrainingLoop, loop


@dataclass(frozen=True)
class Numbers:
    """A batch of plain numbers."""

    values: torch.Tensor
    n_tokens: int = 4

    def to(self, device: torch.device) -> Numbers:
        return self


class Scale(nn.Module):
    """One weight, starting at 10."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([10.0]))
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.weight * values)


def batch_of_ones(step: int) -> Numbers:
    return Numbers(torch.ones(4))


def mean_loss(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
    loss = model(batch.values).mean()
    return {"loss": loss, "half": loss / 2}


def train(
    model: nn.Module,
    batch: Callable[[int], Any] = batch_of_ones,
    loss_function: Callable[..., Any] = mean_loss,
    *,
    steps: int = 3,
    learning_rate: Callable[[int], float] = lambda step: 0.5 * (step + 1),
    seed: int = 0,
    max_grad_norm: float = 1.0,
    loss_counts: Callable[..., Any] | None = None,
    **settings: Any,
) -> History:
    """Train by plain gradient descent; `settings` are those of `Run`."""
    a_loop: TrainingLoop[Numbers] = TrainingLoop(
        model, batch, loss_function, torch.optim.SGD(model.parameters(), lr=1e9), learning_rate,
        seed=seed, max_grad_norm=max_grad_norm, loss_counts=loss_counts,
    )  # fmt: skip
    return Run(steps, progress=False, **settings).train(a_loop)


def test_rate_clipping_and_rows_by_hand() -> None:
    # The gradient is 1; cut to 0.25 it moves the weight by 0.25 · (0.5, 1.0, 1.5).
    model = Scale()
    history = train(model, max_grad_norm=0.25)
    assert history.column("loss").tolist() == pytest.approx([10.0, 9.875, 9.625])
    assert history.column("half").tolist() == pytest.approx([5.0, 4.9375, 4.8125])
    assert model.weight.item() == pytest.approx(9.25, abs=1e-5)
    assert history.column("gradient_norm").tolist() == pytest.approx([1.0] * 3)
    assert history.column("learning_rate").tolist() == [0.5, 1.0, 1.5]
    assert history.column("step").tolist() == [1, 2, 3]
    assert history.column("tokens").tolist() == [4, 4, 4]
    assert not model.training


def test_every_call_comes_when_it_is_due() -> None:
    model = Scale()
    seen: dict[str, list[float]] = {"evaluate": [], "save": [], "row": []}

    def evaluate() -> dict[str, float]:
        seen["evaluate"].append(model.weight.item())
        return {"held_out": 1.5}

    history = train(
        model,
        steps=5,
        learning_rate=lambda step: 1.0,
        evaluate=evaluate,
        evaluate_every=2,
        save=lambda step, history: seen["save"].append((step, len(history))),
        save_every=3,
        on_step=lambda row: seen["row"].append(row["step"]),
    )
    assert history.curve("held_out")[0].tolist() == [2, 4, 5]
    assert seen["evaluate"] == pytest.approx([8.0, 6.0, 5.0], abs=1e-5)
    assert seen["save"] == [(3, 3), (5, 5)]
    assert seen["row"] == [1, 2, 3, 4, 5]


def test_rows_go_on_where_the_history_ends_and_the_callers_stays_as_it_was() -> None:
    model = Scale()
    before = History([{"step": 1, "loss": 3.0}])
    history = train(model, steps=5, history=before)
    assert before.rows == [{"step": 1, "loss": 3.0}]
    assert history.column("step").tolist() == [1, 2, 3, 4, 5]
    assert history.column("learning_rate").tolist() == [1.0, 1.5, 2.0, 2.5]


def test_dropout_depends_on_seed_and_step_alone() -> None:
    still = {"learning_rate": lambda step: 0.0, "steps": 6}
    torch.manual_seed(1)
    first = train(Scale(dropout=0.5), **still).column("loss").tolist()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again = train(Scale(dropout=0.5), **still).column("loss").tolist()
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator was touched"
    late = train(Scale(dropout=0.5), **still, history=History([{"step": i} for i in (1, 2, 3)]))
    other = train(Scale(dropout=0.5), **still, seed=1).column("loss").tolist()
    assert first == again != other
    assert late.column("loss").tolist() == first[3:]
    assert len(set(first)) > 1


@pytest.mark.parametrize("lengths", [(1, 5, 2), (3, 0, 5)])
def test_a_batch_in_parts_is_the_whole_batch(lengths: tuple[int, ...]) -> None:
    values = torch.arange(24.0).view(3, 8)
    model, cut_model = Scale(), Scale()

    def two_means(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        # Each is a mean over numbers of its own: all of them, and those above 4.
        scaled = model(batch.values)
        large = scaled[batch.values > 4]
        means = [each.square().sum() / max(1, len(each)) for each in (scaled, large)]
        return {"loss": means[0] + means[1], "all": means[0], "large": means[1]}

    def counts(batch: Numbers) -> dict[str, int]:
        return {"all": len(batch.values), "large": int((batch.values > 4).sum())}

    def cut(step: int) -> list[Numbers]:
        return [Numbers(part, len(part)) for part in values[step].split(lengths)]

    histories = [
        train(trained, batch, two_means, learning_rate=lambda step: 0.1, loss_counts=counts)
        for trained, batch in ((model, lambda step: Numbers(values[step], 8)), (cut_model, cut))
    ]
    assert histories[0].columns() == histories[1].columns()
    for column in ("loss", "all", "large", "gradient_norm", "tokens"):
        expected = histories[0].column(column)
        assert histories[1].column(column) == pytest.approx(expected, rel=1e-6), column
    assert cut_model.weight.item() == pytest.approx(model.weight.item(), abs=1e-6)


@pytest.mark.parametrize(
    "combine",
    [
        lambda one, other: one + 0.1 * other,
        lambda one, other: 3 * one,
        lambda one, other: (one + other) / 2 - 0.25 * other,
    ],
)
def test_a_weighted_loss_in_parts_is_that_of_the_whole_batch(
    combine: Callable[..., torch.Tensor],
) -> None:
    def weighted(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        scaled = model(batch.values).square()
        means = (
            scaled.mean(),
            scaled[batch.values > 4].sum() / max(1, int((batch.values > 4).sum())),
        )
        return {"loss": combine(*means), "all": means[0], "large": means[1]}

    def counts(batch: Numbers) -> dict[str, int]:
        return {"all": len(batch.values), "large": int((batch.values > 4).sum())}

    values, models = torch.arange(8.0), (Scale(), Scale())
    batches = (
        lambda step: Numbers(values),
        lambda step: list(map(Numbers, values.split((1, 4, 3)))),
    )
    whole, parts = (
        train(
            model, batch, weighted, loss_counts=counts, learning_rate=lambda step: 1e-4,
            max_grad_norm=1e9,
        )
        for model, batch in zip(models, batches, strict=True)
    )  # fmt: skip
    for column in ("loss", "all", "large", "gradient_norm"):
        assert parts.column(column) == pytest.approx(whole.column(column), rel=1e-6), column
    assert models[1].weight.item() == pytest.approx(models[0].weight.item(), rel=1e-6)


@pytest.mark.parametrize(
    "combine",
    [
        lambda one, other: one * other,
        lambda one, other: (one * other).sqrt(),
        lambda one, other: torch.maximum(one, other),
        lambda one, other: one + other.detach().square(),
        lambda one, other: one + 1,
        lambda one, other: one.detach() + other,
    ],
)
def test_a_loss_that_parts_cannot_give_is_refused(combine: Callable[..., torch.Tensor]) -> None:
    def combined(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        scaled = model(batch.values)
        means = scaled.square().mean(), 20 * scaled.mean()
        return {"loss": combine(*means), "one": means[0], "other": means[1]}

    def counts(batch: Numbers) -> dict[str, int]:
        return {"one": len(batch.values), "other": len(batch.values)}

    parts = [Numbers(torch.tensor([1.0, 1.5])), Numbers(torch.tensor([4.0]))]
    with pytest.raises(ConfigError, match=r"loss is not a weighted sum .*\(one, other\).*record"):
        train(Scale(), lambda step: parts, combined, loss_counts=counts)


def test_a_loss_that_is_itself_a_mean_needs_its_own_count_alone() -> None:
    def squared(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        return {"loss": model(batch.values).square().mean()}

    values = torch.arange(6.0)
    losses = [
        train(Scale(), batch, squared, loss_counts=lambda part: {"loss": len(part.values)})
        for batch in (
            lambda step: Numbers(values), lambda step: list(map(Numbers, values.split((1, 5))))
        )
    ]  # fmt: skip
    assert losses[1].column("loss") == pytest.approx(losses[0].column("loss"), rel=1e-6)


@pytest.mark.parametrize(("counted", "missing"), [({"loss": 2}, "half"), ({}, "half")])
def test_parts_without_counts_are_refused(counted: dict[str, int], missing: str) -> None:
    with pytest.raises(ConfigError, match=f"the number of terms that {missing} is a mean over"):
        train(Scale(), lambda step: [Numbers(torch.ones(2))] * 2, loss_counts=lambda batch: counted)


def test_no_two_parts_share_their_dropout() -> None:
    model = Scale(dropout=0.5)
    masks: list[list[float]] = []

    def watch(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        dropped = model(batch.values)
        masks.append(dropped.tolist())
        return {"loss": dropped.mean()}

    def go(batch: Callable[[int], Any]) -> None:
        train(
            model, batch, watch, steps=2, learning_rate=lambda step: 0.0, seed=4,
            loss_counts=lambda batch: {"loss": len(batch.values)},
        )  # fmt: skip

    go(lambda step: [Numbers(torch.ones(40))] * 3)
    assert len({tuple(mask) for mask in masks}) == 6
    go(lambda step: Numbers(torch.ones(40)))
    assert masks[6:] == [masks[0], masks[3]], "a whole batch draws as a first part"


def test_batches_made_ahead_are_the_same_and_no_more() -> None:
    made: list[int] = []

    def make(step: int) -> Numbers:
        made.append(step)
        return Numbers(torch.full((1,), float(step)))

    batches = loop.each_batch(make, range(3, 7), ahead=True)
    values = [batch.values.item() for batch in batches if isinstance(batch, Numbers)]
    assert values == made == [3, 4, 5, 6]
    assert list(loop.each_batch(make, range(0), ahead=True)) == []


def test_on_a_cpu_a_batch_is_made_when_its_step_comes() -> None:
    made: list[int] = []

    def make(step: int) -> Numbers:
        made.append(step)
        return batch_of_ones(step)

    train(Scale(), make, on_step=lambda row: made.append(-row["step"]))
    assert made == [0, -1, 1, -2, 2, -3]


def test_the_seconds_of_all_rows_are_those_of_the_run() -> None:
    began = time.perf_counter()
    history = train(Scale(), steps=20)
    passed = time.perf_counter() - began
    seconds = history.column("seconds")
    assert seconds.min() > 0
    assert 0 < seconds.sum() <= passed


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_run(bad: float) -> None:
    def breaks(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        loss = model(batch.values).mean()
        return {"loss": loss * bad if loss < 9.5 else loss}

    model, saved = Scale(), []
    with pytest.raises(TrainingError, match=r"Step 3: loss is (nan|inf).*lower the learning rate"):
        train(
            model, batch_of_ones, breaks, steps=9, learning_rate=lambda step: 0.5,
            save=lambda step, history: saved.append(step), save_every=1,
        )  # fmt: skip
    assert saved == [1, 2], "weights that are no numbers must not be saved"
    assert issubclass(TrainingError, AlbertLibError)
    assert not model.training


def test_closing_the_rows_leaves_the_model_in_evaluation_mode() -> None:
    model = Scale()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    rows = TrainingLoop(
        model, batch_of_ones, mean_loss, optimizer, lambda step: 0.5, seed=0
    ).rows(range(4, 9))  # fmt: skip
    assert next(rows)["step"] == 5
    assert model.training
    rows.close()
    assert not model.training


def test_an_evaluation_does_not_change_a_row_that_it_returns() -> None:
    measured = {"held_out": 1.5}
    history = train(Scale(), evaluate=lambda: measured, evaluate_every=1)
    assert measured == {"held_out": 1.5}
    assert [row["held_out"] for row in history.rows] == [1.5] * 3
