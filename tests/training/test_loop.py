"""The loop, on a model small enough to follow by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import nn

from albert_lib.errors import AlbertLibError, ConfigError
from albert_lib.training import History, TrainingError, loop, train


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


def run(model: nn.Module, **settings: object) -> History:
    how = {"steps": 3, "learning_rate": lambda step: 0.5 * (step + 1), "seed": 0, "progress": False}
    optimizer = torch.optim.SGD(model.parameters(), lr=1e9)
    return train(model, batch_of_ones, mean_loss, optimizer, **{**how, **settings})  # type: ignore[arg-type]


def test_rate_clipping_and_rows_by_hand() -> None:
    # The gradient is 1; cut to 0.25 it moves the weight by 0.25 · (0.5, 1.0, 1.5).
    model = Scale()
    history = run(model, max_grad_norm=0.25)
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
    seen: dict[str, list[float]] = {"evaluate": [], "checkpoint": [], "row": []}

    def evaluate() -> dict[str, float]:
        seen["evaluate"].append(model.weight.item())
        return {"held_out": 1.5}

    history = run(
        model,
        steps=5,
        learning_rate=lambda step: 1.0,
        evaluate=evaluate,
        evaluate_every=2,
        checkpoint=lambda step, history: seen["checkpoint"].append((step, len(history))),
        checkpoint_every=3,
        on_step=lambda row: seen["row"].append(row["step"]),
    )
    assert history.curve("held_out")[0].tolist() == [2, 4, 5]
    assert seen["evaluate"] == pytest.approx([8.0, 6.0, 5.0], abs=1e-5)
    assert seen["checkpoint"] == [(3, 3), (5, 5)]
    assert seen["row"] == [1, 2, 3, 4, 5]


def test_rows_go_on_where_the_history_ends() -> None:
    model = Scale()
    history = run(model, steps=5, history=History([{"step": 1, "loss": 3.0}]))
    assert history.column("step").tolist() == [1, 2, 3, 4, 5]
    assert history.column("learning_rate").tolist() == [1.0, 1.5, 2.0, 2.5]


def test_dropout_depends_on_seed_and_step_alone() -> None:
    still = {"learning_rate": lambda step: 0.0, "steps": 6}
    torch.manual_seed(1)
    first = run(Scale(dropout=0.5), **still).column("loss").tolist()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    again = run(Scale(dropout=0.5), **still).column("loss").tolist()
    assert torch.equal(torch.get_rng_state(), before), "the caller's generator was touched"
    late = run(Scale(dropout=0.5), **still, history=History([{"step": i} for i in (1, 2, 3)]))
    other = run(Scale(dropout=0.5), **still, seed=1).column("loss").tolist()
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

    def terms(batch: Numbers) -> dict[str, int]:
        return {"all": len(batch.values), "large": int((batch.values > 4).sum())}

    def cut(step: int) -> list[Numbers]:
        return [Numbers(part, len(part)) for part in values[step].split(lengths)]

    histories = [
        train(
            trained, batch, two_means, torch.optim.SGD(trained.parameters(), lr=1.0), steps=3,
            learning_rate=lambda step: 0.1, seed=0, progress=False, terms=terms,
        )
        for trained, batch in (
            (model, lambda step: Numbers(values[step], 8)),
            (cut_model, cut),
        )
    ]  # fmt: skip
    assert histories[0].columns() == histories[1].columns()
    for column in ("loss", "all", "large", "gradient_norm", "tokens"):
        expected = histories[0].column(column)
        assert histories[1].column(column) == pytest.approx(expected, rel=1e-6), column
    assert cut_model.weight.item() == pytest.approx(model.weight.item(), abs=1e-6)


def test_parts_without_terms_are_refused() -> None:
    model = Scale()
    with pytest.raises(ConfigError, match="not how many terms half is a mean over"):
        train(
            model, lambda step: [Numbers(torch.ones(2))] * 2, mean_loss,
            torch.optim.SGD(model.parameters(), lr=1.0), steps=1, learning_rate=lambda step: 0.1,
            seed=0, progress=False, terms=lambda batch: {"loss": 2},
        )  # fmt: skip


def test_no_two_parts_share_their_dropout() -> None:
    model = Scale(dropout=0.5)
    masks: list[list[float]] = []

    def watch(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        dropped = model(batch.values)
        masks.append(dropped.tolist())
        return {"loss": dropped.mean()}

    def go(batch: object) -> None:
        train(
            model, batch, watch, torch.optim.SGD(model.parameters(), lr=1.0), steps=2,
            learning_rate=lambda step: 0.0, seed=4, progress=False,
            terms=lambda batch: {"loss": len(batch.values)},
        )  # type: ignore[arg-type]  # fmt: skip

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


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_the_run(bad: float) -> None:
    def breaks(model: nn.Module, batch: Numbers) -> dict[str, torch.Tensor]:
        loss = model(batch.values).mean()
        return {"loss": loss * bad if loss < 9.5 else loss}

    model, saved = Scale(), []
    with pytest.raises(TrainingError, match=r"Step 3: loss is (nan|inf).*lower the learning rate"):
        train(
            model, batch_of_ones, breaks, torch.optim.SGD(model.parameters(), lr=1.0), steps=9,
            learning_rate=lambda step: 0.5, seed=0, progress=False,
            checkpoint=lambda step, history: saved.append(step), checkpoint_every=1,
        )  # fmt: skip
    assert saved == [1, 2], "weights that are no numbers must not be saved"
    assert issubclass(TrainingError, AlbertLibError)
    assert not model.training
