"""From rows to the batches and losses of a training loop, for each of the tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from albert_lib.errors import InputError
from albert_lib.finetuning.encoding import ClassRow, EncodedRow, SpanRow
from albert_lib.text.batch import make_batch


@dataclass(frozen=True)
class TaskBatch:
    """Rows as tensors, padded to the longest of them.

    Attributes:
        inputs: input_ids, attention_mask and token_type_ids, each (batch, seq), or (batch,
            choices, seq) for RACE: what the model takes.
        labels: "labels", or for SQuAD "start_positions", "end_positions" and "is_impossible", each
            (batch,) of int64; empty where the rows have none.
        n_tokens: Number of tokens that are not padding.

    Example:
        >>> from albert_lib.finetuning.encoding import ClassRow
        >>> batch = collate([ClassRow(0, (([2, 14, 3], 3),), 1), ClassRow(1, (([2, 3], 2),), 0)])
        >>> batch.inputs["input_ids"].tolist(), batch.labels["labels"].tolist(), batch.n_tokens
        ([[2, 14, 3], [2, 3, 0]], [1, 0], 5)
    """

    inputs: dict[str, Tensor]
    labels: dict[str, Tensor]
    n_tokens: int

    @property
    def n_rows(self) -> int:
        """Number of rows; four choices are one."""
        return len(self.inputs["input_ids"])

    def to(self, device: torch.device | str) -> TaskBatch:
        """The same batch on another device.

        Example:
            >>> batch = collate([ClassRow(0, (([2, 14, 3], 3),), 1)])
            >>> batch.to("meta").inputs["input_ids"].device
            device(type='meta')
        """
        return replace(
            self,
            inputs={name: tensor.to(device) for name, tensor in self.inputs.items()},
            labels={name: tensor.to(device) for name, tensor in self.labels.items()},
        )


def collate(rows: Sequence[EncodedRow], pad_id: int = 0) -> TaskBatch:
    """The batch of rows of one kind; `pad_id` is 0 in every published vocabulary.

    InputError where there are none, they are of several kinds, or only some have labels.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> rows = [SpanRow(0, (each.sequence,), each, each.answer) for each in example_windows()]
        >>> collate(rows[1:]).labels
        {'start_positions': tensor([7]), 'end_positions': tensor([7]), 'is_impossible': tensor([0])}
    """
    kinds = {(type(row), len(row.sequences)) for row in rows}
    if len(kinds) != 1:
        raise InputError(
            f"A batch cannot be made of {len(rows)} rows of {len(kinds)} kinds; give at least "
            f"one, and all of one task."
        )
    ((_, n_choices),) = kinds
    sequences = [sequence for row in rows for sequence in row.sequences]
    inputs = dict(make_batch(sequences, pad_id))
    if n_choices > 1:
        inputs = {
            name: tensor.unflatten(0, (len(rows), n_choices)) for name, tensor in inputs.items()
        }
    return TaskBatch(inputs, labels_of_rows(rows), sum(len(ids) for ids, _ in sequences))


def labels_of_rows(rows: Sequence[EncodedRow]) -> dict[str, Tensor]:
    """The labels of rows by the name of the models' argument; none where they are not told.

    A window is impossible where it lacks the answer, also that of a question which has one.
    InputError where only some rows have labels.

    Example:
        >>> labels_of_rows([ClassRow(0, (([2, 3], 2),), 1), ClassRow(1, (([2, 3], 2),), 0)])
        {'labels': tensor([1, 0])}
    """
    classes = [row.label for row in rows if isinstance(row, ClassRow) and row.label is not None]
    spans = [row.span for row in rows if isinstance(row, SpanRow) and row.span is not None]
    told = len(classes) + len(spans)
    if told == 0:
        return {}
    if told != len(rows):
        raise InputError(
            f"Only {told} of {len(rows)} rows have labels; train on those that have them, and "
            f"predict the others apart."
        )
    if classes:
        return {"labels": torch.tensor(classes)}
    return {
        "start_positions": torch.tensor([first for first, _ in spans]),
        "end_positions": torch.tensor([last for _, last in spans]),
        "is_impossible": torch.tensor([int(span == (0, 0)) for span in spans]),
    }


def task_loss(model: nn.Module, batch: TaskBatch) -> dict[str, Float[Tensor, ""]]:
    """The loss of a model of `model_class` as "loss", in nats, a mean over the batch's rows.

    InputError for a batch without labels.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> model = AlbertForSequenceClassification(AlbertConfig(
        ...     vocab_size=100, hidden_size=24, num_hidden_layers=2, intermediate_size=48))
        >>> _ = torch.nn.init.zeros_(model.classifier.weight)
        >>> task_loss(model, collate([ClassRow(0, (([2, 14, 3], 3),), 1)]))["loss"]  # ln 2
        tensor(0.6931, grad_fn=<NllLossBackward0>)
    """
    wanted = [str(name) for name in getattr(model, "LABELS", ())]
    if not batch.labels:
        raise InputError("These rows have no labels; train with files that tell the answers.")
    labels = {name: batch.labels[name] for name in wanted if name in batch.labels}
    if not labels:
        raise InputError(
            f"A {type(model).__name__} is trained on {' and '.join(wanted)}, but the rows have "
            f"{' and '.join(batch.labels)}; make the model with model_class(task)."
        )
    return {"loss": model(**batch.inputs, **labels).loss}


def count_rows(batch: TaskBatch) -> dict[str, int]:
    """How many rows the loss is a mean over: `loss_counts` of `TrainingLoop`.

    Example:
        >>> count_rows(collate([ClassRow(0, (([2, 14, 3], 3),), 1)]))
        {'loss': 1}
    """
    return {"loss": batch.n_rows}
