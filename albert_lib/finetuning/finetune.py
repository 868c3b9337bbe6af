"""Fine-tuning: a pretrained model, rows of a task and a recipe to a run that survives a kill."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

import torch

from albert_lib.errors import ConfigError
from albert_lib.finetuning.adamw import finetuning_optimizer
from albert_lib.finetuning.batch_order import BatchOrder
from albert_lib.finetuning.loading import check_model
from albert_lib.finetuning.recipes import FinetuningRecipe
from albert_lib.finetuning.run_description import describe_finetuning
from albert_lib.memory import keep_freed_memory
from albert_lib.model.weights import PretrainedModel
from albert_lib.text import AlbertTokenizer
from albert_lib.training import distributed
from albert_lib.training.checkpoint import Checkpoint, CheckpointWriter
from albert_lib.training.history import History, Row
from albert_lib.training.loop import LossCounts, LossFunction, TrainableBatch, TrainingLoop
from albert_lib.training.precision import PRECISIONS, autocast
from albert_lib.training.pretraining import KEPT_MODELS, save_model
from albert_lib.training.run import Run
from albert_lib.training.run_lock import alone_in_its_folder
from albert_lib.training.same_run import find_same_run
from albert_lib.training.saved_tensors import weights

TAKEN_COLUMNS = {"step", "loss", "learning_rate", "gradient_norm", "tokens", "seconds"}
Evaluate = Callable[[PretrainedModel], Mapping[str, float]]


@runtime_checkable
class TaskRow(Protocol):
    """What a run needs of a row; the rest is between it and `collate`.

    Example:
        >>> from types import SimpleNamespace
        >>> isinstance(SimpleNamespace(n_tokens=12), TaskRow)
        True
    """

    @property
    def n_tokens(self) -> int:
        """By which rows are sorted, so that a batch has hardly any padding."""


AnyRow = TypeVar("AnyRow", bound=TaskRow)
AnyBatch = TypeVar("AnyBatch", bound=TrainableBatch)


@dataclass(frozen=True)
class TaskFunctions(Generic[AnyRow, AnyBatch]):
    """How rows become a batch, and a batch a loss.

    Attributes:
        collate: Makes a batch of some rows, padded to the longest of them.
        loss: Of (model, batch): the scalar to minimise as "loss", in nats, with any means to
            record beside it.
        counts: Of a batch: how many terms each of those is a mean over, so that the losses of a
            batch that is cut into parts are those of the whole one.

    Example:
        >>> functions = TaskFunctions(
        ...     list, loss=lambda model, batch: {}, counts=lambda batch: {"loss": len(batch)})
        >>> functions.counts(functions.collate(["a row", "another"]))
        {'loss': 2}
    """

    collate: Callable[[list[AnyRow]], AnyBatch]
    loss: LossFunction[AnyBatch]
    counts: LossCounts[AnyBatch]


def finetune(
    model: PretrainedModel,
    rows: Sequence[AnyRow],
    recipe: FinetuningRecipe,
    functions: TaskFunctions[AnyRow, AnyBatch],
    *,
    evaluate: Evaluate | None = None,
    tokenizer: AlbertTokenizer | None = None,
    output: str | os.PathLike[str] | None = None,
    from_scratch: bool = False,
    progress: bool = True,
    on_step: Callable[[Row], object] | None = None,
) -> History:
    """Train `model` in place by `recipe` on `rows`, on the device it is on; return the history.

    The model comes from `load_to_finetune`; one that was never trained needs `from_scratch`.
    Every `recipe.evaluate_every` steps and after the last, what `evaluate(model)` returns joins
    the history: every process calls it, in evaluation mode, without gradients, in the run's
    precision. With `output` the folder receives checkpoints, every `recipe.keep_every` steps the
    model in models/, and in model/ the final one, with `tokenizer`. A run that was killed there
    resumes and ends with the same weights, bit for bit, as if it had not been (same machine, same
    number of threads); a finished one is loaded at once.

    On several processes (`distributed.joined`) every one calls this with the same arguments,
    trains on its rows of each batch, and ends with the same weights; the first alone writes.

    Raises ConfigError when model, rows and recipe do not fit each other, CheckpointError when
    `output` holds another run or cannot be written, TrainingError when the loss diverges.

    Example: (`FinetuningRun` has a whole one)
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> new = AlbertForSequenceClassification(AlbertConfig(vocab_size=9, hidden_size=24))
        >>> functions = TaskFunctions(list, dict, dict)
        >>> finetune(new, [], finetuning_recipe("sst2"), functions)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        albert_lib.errors.ConfigError: This AlbertForSequenceClassification has never been ...
    """
    run = FinetuningRun(model, rows, recipe, functions, output=output, from_scratch=from_scratch)
    return run.train(evaluate=evaluate, tokenizer=tokenizer, progress=progress, on_step=on_step)


class FinetuningRun:
    """A run of `finetune`, restored from its last checkpoint if there is one.

    Attributes:
        model, rows, recipe, functions: As given.
        order: Which rows make the batch of a step.
        dtype: Of matrix products; that of the run's first start.
        resumed: The checkpoint that the run goes on from.

    Example:
        >>> import torch.nn.functional as F
        >>> from albert_lib import AlbertConfig, AlbertForSequenceClassification
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> @dataclass(frozen=True)
        ... class Word:
        ...     id: int
        ...     n_tokens: int = 3
        >>> @dataclass(frozen=True)
        ... class Words:
        ...     ids: torch.Tensor
        ...     n_tokens: int
        ...     def to(self, device): return self
        >>> def loss(model, batch):  # is the id even or odd?
        ...     logits = model(batch.ids).logits
        ...     return {"loss": F.cross_entropy(logits.float(), batch.ids[:, 1] % 2)}
        >>> def collate(rows):
        ...     return Words(torch.tensor([[2, row.id, 3] for row in rows]), 3 * len(rows))
        >>> recipe = finetuning_recipe("sst2").replace(
        ...     learning_rate=0.01, batch_size=4, steps=20, warmup_steps=4)
        >>> model = AlbertForSequenceClassification(AlbertConfig(
        ...     vocab_size=20, hidden_size=24, num_hidden_layers=1, num_attention_heads=2,
        ...     intermediate_size=48))
        >>> run = FinetuningRun(
        ...     model, [Word(id) for id in range(4, 16)], recipe,
        ...     TaskFunctions(collate, loss, lambda batch: {"loss": len(batch.ids)}),
        ...     from_scratch=True)
        >>> history = run.train(progress=False)
        >>> len(history), history.rows[0]["learning_rate"], history.rows[-1]["tokens"]
        (20, 0.0, 12)
    """

    def __init__(
        self,
        model: PretrainedModel,
        rows: Sequence[Any],
        recipe: FinetuningRecipe,
        functions: TaskFunctions[Any, Any],
        *,
        output: str | os.PathLike[str] | None = None,
        from_scratch: bool = False,
    ) -> None:
        check_model(model, recipe, from_scratch=from_scratch)
        self.order = BatchOrder([row.n_tokens for row in rows], recipe.batch_size, recipe.seed)
        keep_freed_memory()
        self.model, self.rows, self.recipe, self.functions = model, rows, recipe, functions
        self.optimizer = finetuning_optimizer(
            model, lr=recipe.learning_rate, eps=recipe.eps, weight_decay=recipe.weight_decay
        )
        self.folder = None if output is None else Path(output)
        self.description = distributed.broadcast_json(describe_finetuning(model, rows, recipe))
        self.resumed: Checkpoint | None = None
        if self.folder is not None:
            self.resumed, self.description = find_same_run(self.folder, self.description)
        if self.resumed is not None:
            self.resumed.restore(model, self.optimizer)
        distributed.broadcast(list(weights(model).values()))
        self.dtype = PRECISIONS[self.description["dtype"]]

    @property
    def is_finished(self) -> bool:
        """Whether the last checkpoint is of the last step."""
        return self.resumed is not None and self.resumed.step == self.recipe.steps

    @alone_in_its_folder
    def train(
        self,
        *,
        evaluate: Evaluate | None = None,
        tokenizer: AlbertTokenizer | None = None,
        progress: bool = True,
        on_step: Callable[[Row], object] | None = None,
    ) -> History:
        """Train to the end and save the final model; return the history."""
        written = self.folder if distributed.is_first() else None  # by this process
        save = keep = None
        if written is not None:
            writer = CheckpointWriter(written, self.description, self.resumed)
            save = partial(writer.save, model=self.model, optimizer=self.optimizer)
            keep = partial(self._keep, written, tokenizer)
        run = Run(
            self.recipe.steps,
            History() if self.resumed is None else self.resumed.history,
            evaluate=None if evaluate is None else partial(self._evaluated, evaluate),
            evaluate_every=self.recipe.evaluate_every,
            save=save,
            save_every=self.recipe.checkpoint_every or self.recipe.steps,
            keep=keep,
            keep_every=self.recipe.keep_every,
            on_step=on_step,
            progress=progress,
        )
        run.train(self.loop())
        if written is not None and not (self.is_finished and (written / "model").exists()):
            save_model(written / "model", self.model, tokenizer)
        distributed.barrier()
        return run.history

    def loop(self) -> TrainingLoop[Any]:
        """Return the loop that takes this run's steps."""
        return TrainingLoop(
            self.model,
            self.own_parts,
            self.functions.loss,
            self.optimizer,
            self.recipe.learning_rate_at,
            seed=self.recipe.seed,
            dtype=self.dtype,
            max_grad_norm=self.recipe.max_grad_norm,
            loss_counts=self.functions.counts,
        )

    def own_parts(self, step: int) -> list[TrainableBatch]:
        """Return this process's parts of a step's batch, each padded to its own longest row."""
        numbers = self.order.rows(step)
        parts = distributed.own_rows(self.recipe.batch_size, self.recipe.accumulation)
        return [
            self.functions.collate([self.rows[number] for number in numbers[part]])
            for part in parts
        ]

    def _evaluated(self, evaluate: Evaluate) -> Mapping[str, float]:
        self.model.eval()
        with torch.no_grad(), autocast(self.model.device, self.dtype):
            columns = evaluate(self.model)
        self.model.train()
        if taken := sorted(TAKEN_COLUMNS & columns.keys()):
            raise ConfigError(
                f"evaluate returns a column called {taken[0]}, which training has; name it "
                f"otherwise, held_out_{taken[0]} say."
            )
        return columns

    def _keep(self, folder: Path, tokenizer: AlbertTokenizer | None, step: int) -> None:
        """Write the model as it now stands among those that stay: models/step-00000100."""
        save_model(folder / KEPT_MODELS / f"step-{step:08d}", self.model, tokenizer)
