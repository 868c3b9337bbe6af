"""Pretraining: a model, a text and a recipe to a run that resumes after a kill at any instant."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from albert_lib.corpus import TokenStore
from albert_lib.errors import CheckpointError, system_reason
from albert_lib.files import new_folder
from albert_lib.memory import keep_freed_memory
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.depth import set_num_hidden_layers
from albert_lib.model.saving import exportable_config
from albert_lib.model.weights import PretrainedModel
from albert_lib.objectives import PretrainingBatch
from albert_lib.text import AlbertTokenizer
from albert_lib.training import distributed
from albert_lib.training.average import copy_mean, running_mean
from albert_lib.training.checkpoint import Checkpoint, CheckpointWriter, sweep
from albert_lib.training.copied_positions import copy_positions
from albert_lib.training.evaluation import held_out_columns
from albert_lib.training.history import History, Row
from albert_lib.training.lamb import Lamb, parameter_groups
from albert_lib.training.loop import LossFunction, TrainingLoop
from albert_lib.training.muon import MuonWithAdamW, muon_groups
from albert_lib.training.precision import PRECISIONS, choose_precision, compiled
from albert_lib.training.pretraining_losses import count_predictions, pretraining_loss
from albert_lib.training.recipe import Recipe
from albert_lib.training.run import Run
from albert_lib.training.run_lock import alone_in_its_folder
from albert_lib.training.same_run import describe_run, find_same_run
from albert_lib.training.saved_tensors import weights
from albert_lib.training.stage_plan import (
    PlannedStage,
    StagedBatches,
    check_fit,
    plan_stages,
    pretraining_batches,
    stage_of,
)
from albert_lib.training.unigram_bias import start_at_unigram

UNEXPORTABLE = ("attention", "ffn")  # sharing that no other library has a format for
KEPT_MODELS = "models"  # of a run's folder
HELD_OUT_SEED = 1909_11942  # the same masks for every run, so that runs can be compared
Measurement = Callable[["PretrainingRun"], Callable[[], Mapping[str, float]]]


def pretrain(
    model: AlbertForPreTraining,
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    recipe: Recipe,
    *,
    held_out: TokenStore | None = None,
    measure: Measurement | None = None,
    loss_function: LossFunction[PretrainingBatch] | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_step: Callable[[Row], object] | None = None,
) -> History:
    """Train `model` in place by `recipe` on `store`, on the device it is on; return the history.

    With `output` the folder receives checkpoints and, in model/, the final model and tokenizer.
    A run that was killed there resumes and ends with the same weights, bit for bit, as if it
    had not been (same machine, same number of threads); a finished one is loaded at once. Every
    `recipe.keep_every` steps the model is kept in models/ too, as it is then.

    A recipe's `stages` may change how often the layer is applied; the model is left as deep as
    the last one makes it. Every `recipe.evaluate_every` steps, `held_out` adds
    held_out_mlm_loss, held_out_mlm_accuracy, held_out_sop_loss and held_out_sop_accuracy to the
    history. `measure(run)` is called once, with the `PretrainingRun`, and returns a function whose
    columns are added there too: `albert_lib.diagnosis.Measurements` is one, from whose columns
    `diagnose` tells why a curve is stuck. `loss_function(model, batch)` is used instead of
    `pretraining_loss`; it returns the scalar to minimise as "loss", beside the means "mlm_loss"
    and "sop_loss".

    On several processes (`distributed.joined`) every one calls this with the same arguments, makes
    its rows of each batch, and ends with the same weights; the first alone writes. The losses
    are those of one process, up to rounding and dropout's draws. `output` is on a disk that
    all of them see.

    Raises ConfigError when model, tokenizer and recipe do not fit each other, CheckpointError
    when `output` holds another run or cannot be written, TrainingError when the loss diverges.
    """
    run = PretrainingRun(
        model, store, tokenizer, recipe, loss_function=loss_function, output=output
    )
    return run.train(held_out=held_out, measure=measure, progress=progress, on_step=on_step)


class PretrainingRun:
    """A run of `pretrain`, restored from its last checkpoint if there is one.

    Attributes:
        model, store, tokenizer, recipe: As given. The model is applied as often as its stage says.
        loss_function: Of (model, batch), as in `TrainingLoop`.
        stages: What the recipe's stages are in this run; without stages one, the whole run.
        batches: The whole batches of the run; each process trains on its rows of them.
        mean: The running mean of the weights, where the recipe asks for one.
        dtype: Of matrix products; that of the run's first start.
        resumed: The checkpoint that the run goes on from.
    """

    def __init__(
        self,
        model: AlbertForPreTraining,
        store: TokenStore,
        tokenizer: AlbertTokenizer,
        recipe: Recipe,
        *,
        loss_function: LossFunction[PretrainingBatch] | None = None,
        output: str | os.PathLike[str] | None = None,
    ) -> None:
        check_fit(model, tokenizer, recipe)
        self.stages = plan_stages(recipe, model.config.num_hidden_layers)
        self.batches = StagedBatches(store, tokenizer, self.stages)
        set_num_hidden_layers(model, self.stages[0].num_hidden_layers)
        if output is not None and model.config.sharing not in UNEXPORTABLE:
            exportable_config(model.config)  # now, and not when training is done
        keep_freed_memory()
        self.model, self.store, self.tokenizer, self.recipe = model, store, tokenizer, recipe
        self.loss_function = loss_function or partial(
            pretraining_loss, pair_objective=recipe.pair_objective
        )
        self.optimizer = build_optimizer(model, recipe)
        self.mean = running_mean(model, recipe.average_decay) if recipe.average_decay else None
        self.folder = None if output is None else Path(output)
        description = describe_run(model, store, tokenizer, recipe)
        if loss_function is not None:
            description["loss_function"] = name_of(loss_function)
        self.resumed = self._restore(distributed.broadcast_json(description))
        if self.resumed is None and recipe.unigram_bias:
            start_at_unigram(model, store)
        for each in (self.model, self.mean):
            if each is not None:
                distributed.broadcast(list(weights(each).values()))
        self.dtype = PRECISIONS[self.description["dtype"]]
        if isinstance(self.optimizer, MuonWithAdamW):
            self.optimizer.dtype = self.dtype

    def _restore(self, description: dict[str, Any]) -> Checkpoint | None:
        """Restore model, mean and optimizer from the last checkpoint of this run, and return it.

        Raises CheckpointError when the folder cannot be written to or holds another run.
        """
        self.description = description
        if self.folder is None:
            return None
        checkpoint, self.description = find_same_run(self.folder, description)
        if checkpoint is not None:
            self._begin(stage_of(checkpoint.step - 1, self.stages))  # its names are in the files
            checkpoint.restore(self.model, self.optimizer, self.mean)
        return checkpoint

    def _begin(self, stage: PlannedStage) -> None:
        """Apply the layer as often as a stage says."""
        for model in (self.model, self.final_model):
            set_num_hidden_layers(model, stage.num_hidden_layers)

    @property
    def is_finished(self) -> bool:
        """Whether the last checkpoint is of the last step."""
        return self.resumed is not None and self.resumed.step == self.recipe.steps

    @property
    def final_model(self) -> AlbertForPreTraining:
        """What is evaluated and, in the end, saved: the mean where there is one, else the model."""
        return self.model if self.mean is None else cast(AlbertForPreTraining, self.mean.module)

    @alone_in_its_folder
    def train(
        self,
        *,
        held_out: TokenStore | None = None,
        measure: Measurement | None = None,
        progress: bool = True,
        on_step: Callable[[Row], object] | None = None,
    ) -> History:
        """Train to the end and save the final model; return the history.

        The model then has the mean weights where the recipe asks for them.
        """
        written = self.folder if distributed.is_first() else None  # by this process
        evaluate = save = keep = None
        if self.recipe.evaluate_every and not self.is_finished:
            evaluate = self._evaluation(held_out, measure)
        if written is not None:
            writer = CheckpointWriter(written, self.description, self.resumed)
            keep = self._keep
            save = partial(writer.save, model=self.model, optimizer=self.optimizer, mean=self.mean)
        run = Run(
            self.recipe.steps,
            History() if self.resumed is None else self.resumed.history,
            evaluate=evaluate,
            evaluate_every=self.recipe.evaluate_every,
            save=save,
            save_every=self.recipe.checkpoint_every or self.recipe.steps,
            keep=keep,
            keep_every=self.recipe.keep_every,
            on_step=on_step,
            progress=progress,
        )
        first = stage_of(len(run.history), self.stages).number
        run.train_in_stages(self._begun(stage, len(run.history)) for stage in self.stages[first:])
        if self.mean is not None:
            copy_mean(self.mean, self.model)
        if written is not None and not (self.is_finished and (written / "model").exists()):
            save_model(written / "model", self.model, self.tokenizer)
        distributed.barrier()
        return run.history

    def _keep(self, step: int) -> None:
        """Write the model as it now stands among those that stay: models/step-00000100."""
        assert self.folder is not None
        folder = self.folder / KEPT_MODELS / f"step-{step:08d}"
        save_model(folder, self.final_model, self.tokenizer)

    def _begun(self, stage: PlannedStage, done: int) -> tuple[TrainingLoop[PretrainingBatch], int]:
        """Make the model as a stage wants it; return the loop of its steps, and their end.

        `done` is the number of steps taken so far: a run that goes on inside a stage has its
        positions copied already.
        """
        self._begin(stage)
        if stage.copy_positions is not None and done == stage.steps.start:
            for model in (self.model, self.final_model):
                copy_positions(model, stage.copy_positions)
        return self.loop(), stage.steps.stop

    def loop(self) -> TrainingLoop[PretrainingBatch]:
        """Return the loop that takes this run's steps, with the model as it now is."""
        forward: nn.Module = self.model
        if self.recipe.compile and not self.is_finished:
            forward = compiled(self.model)
        mean = self.mean
        return TrainingLoop(
            self.model,
            self.own_parts,
            lambda _, part: self.loss_function(forward, part),
            self.optimizer,
            self.recipe.learning_rate_at,
            seed=self.recipe.seed,
            dtype=self.dtype,
            max_grad_norm=self.recipe.max_grad_norm,
            loss_counts=count_predictions,
            after_step=None if mean is None else partial(mean.update_parameters, self.model),
        )

    def own_parts(self, step: int) -> list[PretrainingBatch]:
        """Return this process's parts of a step's batch."""
        recipe = stage_of(step, self.stages).recipe
        rows = distributed.own_rows(recipe.batch_size, recipe.accumulation)
        return [self.batches.batch(step, each) for each in rows]

    def _evaluation(
        self, held_out: TokenStore | None, measure: Measurement | None
    ) -> Callable[[], Mapping[str, float]] | None:
        """Return a function that gives the held-out columns, then those of `measure`."""
        measurements: list[Callable[[], Mapping[str, float]]] = []
        if held_out is not None:
            batches = pretraining_batches(held_out, self.tokenizer, self.recipe, seed=HELD_OUT_SEED)
            n_batches = self.recipe.evaluation_batches
            measurements.append(
                partial(held_out_columns, self.final_model, batches, n_batches, self.dtype)
            )
        if measure is not None:
            measurements.append(measure(self))
        if not measurements:
            return None
        return lambda: {name: v for each in measurements for name, v in each().items()}


def build_optimizer(model: AlbertForPreTraining, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimizer that a recipe names, without decay of biases and LayerNorms.

    Muon orthogonalizes in the precision of the run's other products.
    """
    if recipe.optimizer == "muon":
        device = next(model.parameters()).device
        dtype = choose_precision(device, recipe.precision).dtype
        groups = muon_groups(model, recipe.weight_decay)
        return MuonWithAdamW(groups, lr=recipe.learning_rate, dtype=dtype)
    groups = parameter_groups(model, recipe.weight_decay)
    if recipe.optimizer == "lamb":
        return Lamb(groups, lr=recipe.learning_rate)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, eps=1e-6, fused=True)


def name_of(function: Callable[..., object]) -> str:
    """Return a function's module and name; those of the function in a partial one.

    Example:
        >>> name_of(partial(pretraining_loss, pair_objective="none"))
        'albert_lib.training.pretraining_losses.pretraining_loss'
    """
    inner = function.func if isinstance(function, partial) else function
    return f"{inner.__module__}.{getattr(inner, '__qualname__', type(inner).__qualname__)}"


def save_model(path: Path, model: PretrainedModel, tokenizer: AlbertTokenizer | None) -> None:
    """Write a model, and its tokenizer if there is one, as one folder in Hugging Face's format.

    A model that shares only attention or only the feed-forward block has no such form; its
    weights are in the last checkpoint.
    """
    if model.config.sharing in UNEXPORTABLE:
        return
    try:
        sweep(path.parent, f"{path.name}-*")
        with new_folder(path) as unfinished:
            model.save_pretrained(unfinished)
            if tokenizer is not None:
                tokenizer.save_pretrained(unfinished)
    except (OSError, CheckpointError) as problem:
        raise CheckpointError(
            f"{path} could not be written ({system_reason(problem)}); free some disk space and "
            f"run again, which goes on from the last checkpoint and writes it."
        ) from None
