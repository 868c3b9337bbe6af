"""Batches and losses of every task, held against each row by itself, and in the training loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from albert_lib import AlbertConfig, AlbertTokenizer
from albert_lib.errors import InputError
from albert_lib.finetuning import (
    Answer,
    ChoiceQuestion,
    ClassRow,
    EncodedRow,
    SpanRow,
    SquadQuestion,
    Task,
    TextExample,
    collate,
    count_rows,
    encode_examples,
    model_class,
    task_loss,
)
from albert_lib.training.loop import TrainableBatch, TrainingLoop, train_step

PASSAGE = "By the old mill the sheep graze, and the miller sleeps by the stream. "
OPTIONS = ("the sheep", "the miller", "the mill", "nobody but the old man")
CASES: list[tuple[Task, bool]] = [
    ("sst2", False), ("mnli", False), ("race", False), ("squad1", False), ("squad2", False),
    ("squad2", True),
]  # fmt: skip
EXAMPLES: dict[Task, Sequence[Any]] = {
    "sst2": [TextExample("0", "a fine old mill", None, "1"), TextExample("1", "dull", None, "0")],
    "mnli": [
        TextExample("0", "The miller sleeps.", "He is awake.", "contradiction"),
        TextExample("1", "The old sheep graze by the mill.", "Sheep eat.", "entailment"),
        TextExample("2", "It rains.", "It is night by the old mill.", "neutral"),
    ],
    "race": [
        ChoiceQuestion("0", PASSAGE, "Who sleeps?", OPTIONS, 1),
        ChoiceQuestion("1", PASSAGE * 2, "_ graze.", OPTIONS, 0),
    ],
    "squad1": [SquadQuestion("0", PASSAGE * 2, "Who sleeps?", (Answer("the miller", 37),))],
    "squad2": [
        SquadQuestion("0", PASSAGE * 2, "Who sleeps?", (Answer("the miller", 37),)),
        SquadQuestion("1", PASSAGE, "Who sings?", ()),
    ],
}


def rows_of(tokenizer: AlbertTokenizer, task: Task) -> list[EncodedRow]:
    return encode_examples(task, EXAMPLES[task], tokenizer, 64 if task == "race" else 24)


def new_model(tokenizer: AlbertTokenizer, task: Task, conditioned: bool) -> nn.Module:
    torch.manual_seed(0)
    return model_class(task, conditioned)(
        AlbertConfig(
            vocab_size=len(tokenizer), embedding_size=16, hidden_size=32, num_hidden_layers=1,
            num_attention_heads=4, intermediate_size=64, max_position_embeddings=64,
            initializer_range=0.2, classifier_dropout_prob=0.0,
            labels=("a", "b", "c") if task == "mnli" else ("a", "b"),
        )
    ).eval()  # fmt: skip


def loss_alone(model: nn.Module, row: EncodedRow) -> torch.Tensor:
    """The loss of one row without padding, from the model's scores of its inputs one by one."""
    outputs = []
    for ids, first_length in row.sequences:
        segments = [int(place >= first_length) for place in range(len(ids))]
        tensors = {"input_ids": torch.tensor([ids]), "token_type_ids": torch.tensor([segments])}
        if type(model).__name__ == "AlbertForMultipleChoice":
            tensors = {name: tensor[None] for name, tensor in tensors.items()}
        labels = {}
        if type(model).__name__ == "AlbertForConditionedSpans":
            assert isinstance(row, SpanRow) and row.span is not None
            labels = {
                "start_positions": torch.tensor([row.span[0]]),
                "end_positions": torch.tensor([row.span[1]]),
                "is_impossible": torch.tensor([row.window.answer is None]),
            }
        outputs.append(model(**tensors, **labels))
    if isinstance(row, ClassRow):
        assert row.label is not None
        scores = torch.cat([output.logits for output in outputs], dim=1)[0]
        return -scores.log_softmax(-1)[row.label]
    assert isinstance(row, SpanRow)
    (output,) = outputs
    first, last = row.window.answer or (0, 0)
    start, end = output.start_logits[0].log_softmax(-1), output.end_logits[0].log_softmax(-1)
    loss = -(start[first] + end[last]) / 2
    if "no_answer_logits" in output:
        sign = -1 if row.window.answer is None else 1
        loss = loss + F.softplus(sign * output.no_answer_logits[0]) / 2
    return loss


@pytest.mark.parametrize(("task", "conditioned"), CASES)
@torch.no_grad()
def test_the_loss_is_the_mean_over_rows(
    english_tokenizer: AlbertTokenizer, task: Task, conditioned: bool
) -> None:
    rows, model = rows_of(english_tokenizer, task), new_model(english_tokenizer, task, conditioned)
    assert len({row.n_tokens for row in rows}) > 1  # some are padded
    batch = collate(rows)
    losses = torch.stack([loss_alone(model, row) for row in rows])
    if task in ("squad1", "squad2") and not conditioned:
        # This head's softmax runs over padding too, so it is told how wide the batch is.
        losses = torch.stack(
            [task_loss(model, widened(batch, n))["loss"] for n in range(len(rows))]
        )
    assert list(task_loss(model, batch)) == ["loss"]
    assert task_loss(model, batch)["loss"].item() == pytest.approx(losses.mean().item(), rel=1e-5)
    assert losses.std() > 1e-3
    assert count_rows(batch) == {"loss": len(rows)} == {"loss": batch.n_rows}


def widened(batch: Any, row: int) -> Any:
    """One row of a batch, as wide as the batch."""
    here = slice(row, row + 1)
    return replace(
        batch,
        inputs={name: tensor[here] for name, tensor in batch.inputs.items()},
        labels={name: tensor[here] for name, tensor in batch.labels.items()},
    )


def test_batches_by_hand(english_tokenizer: AlbertTokenizer) -> None:
    pairs = [
        ClassRow(0, (([2, 14, 3, 15, 16, 3], 3),), 2),
        ClassRow(1, (([2, 17, 18, 3], 4),), 0),
    ]
    batch = collate(pairs, pad_id=9)
    assert isinstance(batch, TrainableBatch)
    assert {name: tensor.tolist() for name, tensor in batch.inputs.items()} == {
        "input_ids": [[2, 14, 3, 15, 16, 3], [2, 17, 18, 3, 9, 9]],
        "attention_mask": [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]],
        "token_type_ids": [[0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]],
    }
    assert batch.labels["labels"].tolist() == [2, 0]
    assert (batch.n_tokens, batch.n_rows) == (10, 2)

    short, long = ([2, 14, 3, 15, 3], 3), ([2, 14, 3, 15, 16, 17, 3], 3)
    choices = collate([ClassRow(0, (short,) * 4, 3), ClassRow(1, (short, long, short, short), 1)])
    assert choices.inputs["input_ids"].shape == (2, 4, 7)
    assert choices.inputs["input_ids"][1, :2].tolist() == [[2, 14, 3, 15, 3, 0, 0], long[0]]
    assert choices.inputs["token_type_ids"][1, 1].tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert (choices.labels["labels"].tolist(), choices.n_tokens, choices.n_rows) == ([3, 1], 42, 2)

    rows = rows_of(english_tokenizer, "squad2")
    spans = collate(rows)
    windows = [row.window for row in rows if isinstance(row, SpanRow)]
    places = [window.answer or (0, 0) for window in windows]
    assert spans.labels["start_positions"].tolist() == [first for first, _ in places]
    assert spans.labels["end_positions"].tolist() == [last for _, last in places]
    # A window without the answer is impossible, whatever its question.
    assert spans.labels["is_impossible"].tolist() == [int(not w.answer) for w in windows]
    assert {w.answer_place for w in windows} >= {"whole", "elsewhere", "unanswerable"}
    assert spans.n_tokens == sum(len(window.input_ids) for window in windows)


@pytest.mark.parametrize(("task", "conditioned"), CASES)
def test_a_batch_in_parts_is_trained_on_as_a_whole(
    english_tokenizer: AlbertTokenizer, task: Task, conditioned: bool
) -> None:
    """Gradient accumulation: parts of different numbers of rows, padded to one width."""
    rows = rows_of(english_tokenizer, task)
    rows = rows if len(rows) > 2 else [*rows, rows[0]]
    whole = collate(rows)
    first, *others = (widened(whole, n) for n in range(len(rows)))
    rest = replace(
        whole,
        inputs={name: torch.cat([each.inputs[name] for each in others]) for name in whole.inputs},
        labels={name: torch.cat([each.labels[name] for each in others]) for name in whole.labels},
    )
    found = []
    for batch in (whole, [first, rest]):
        model = new_model(english_tokenizer, task, conditioned)
        optimizer = torch.optim.SGD(model.parameters())
        row = train_step(model, batch, task_loss, optimizer, lr=0.1, loss_counts=count_rows)
        found.append((row, list(model.parameters())))
    (row, weights), (row_of_parts, weights_of_parts) = found
    assert float(row_of_parts["loss"]) == pytest.approx(float(row["loss"]), rel=1e-5)
    for weight, other in zip(weights, weights_of_parts, strict=True):
        assert (weight - other).abs().max() < 1e-5
    assert count_rows(first) == {"loss": 1} and count_rows(rest) == {"loss": len(rows) - 1}


@pytest.mark.parametrize(("task", "conditioned"), CASES)
def test_a_few_rows_are_learned_by_heart(
    english_tokenizer: AlbertTokenizer, task: Task, conditioned: bool
) -> None:
    batch = collate(rows_of(english_tokenizer, task))
    model = new_model(english_tokenizer, task, conditioned)
    loop = TrainingLoop(
        model, lambda step: batch, task_loss, torch.optim.Adam(model.parameters()),
        learning_rate=lambda step: 0.01, seed=0,
    )  # fmt: skip
    losses = [float(row["loss"]) for row in loop.rows(range(60))]
    assert losses[0] > 0.3 and losses[-1] < 0.05


def test_what_makes_no_batch_or_loss_is_refused(english_tokenizer: AlbertTokenizer) -> None:
    texts, choices = (rows_of(english_tokenizer, task) for task in ("sst2", "race"))
    untold = [replace(row, label=None) for row in texts if isinstance(row, ClassRow)]
    with pytest.raises(InputError, match="of 2 rows of 2 kinds"):
        collate([texts[0], choices[0]])
    with pytest.raises(InputError, match="of 0 rows"):
        collate([])
    with pytest.raises(InputError, match="Only 1 of 2 rows have labels"):
        collate([texts[0], untold[1]])
    assert collate(untold).labels == {}
    with pytest.raises(InputError, match="These rows have no labels"):
        task_loss(new_model(english_tokenizer, "sst2", False), collate(untold))
    with pytest.raises(InputError, match="trained on start_positions and end_positions, but the"):
        task_loss(new_model(english_tokenizer, "squad1", False), collate(texts))
