"""Pretraining: both losses, a recipe, and a run that can be stopped and resumed at any instant."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.corpus import TokenStore
from albert_lib.diagnosis.measurements import VitalSigns
from albert_lib.errors import CheckpointError, ConfigError
from albert_lib.files import new_folder
from albert_lib.memory import keep_freed_memory
from albert_lib.model import AlbertForPreTraining, sop_loss
from albert_lib.model.losses import mean_cross_entropy
from albert_lib.model.weights import exportable_config
from albert_lib.objectives import PairObjective, PretrainingBatch, PretrainingBatches
from albert_lib.text import AlbertTokenizer
from albert_lib.training import distributed
from albert_lib.training.checkpoint import (
    Checkpoint,
    check_writable,
    load_latest_for_all,
    save_checkpoint,
    sweep,
    weights,
)
from albert_lib.training.compiling import compiled
from albert_lib.training.evaluation import evaluate
from albert_lib.training.history import History, Row
from albert_lib.training.lamb import Lamb, parameter_groups
from albert_lib.training.loop import train
from albert_lib.training.muon import MuonWithAdamW, muon_groups
from albert_lib.training.precision import PRECISIONS
from albert_lib.training.recipe import Recipe
from albert_lib.training.same_run import check_same_run, describe_run
from albert_lib.training.schedule import warmup_linear

ROUND_NUMBER = 32  # of predictions
UNEXPORTABLE = ("attention", "ffn")  # sharing that no other library has a format for
HELD_OUT_SEED = 1909_11942  # the same masks for every run, so that runs can be compared


def pretraining_loss(
    model: nn.Module, batch: PretrainingBatch, pair_objective: PairObjective = "sop"
) -> dict[str, Float[Tensor, ""]]:
    """Return "mlm_loss", "sop_loss" and their unweighted sum "loss", each in nats.

    As google-research/albert run_pretraining.py adds them. "sop_loss" is that of the batch's pair
    objective, whichever it is; with "none" there is none of it.
    """
    output = model(
        batch.input_ids,
        attention_mask=batch.attention_mask,
        token_type_ids=batch.token_type_ids,
        masked_positions=in_round_number(batch.masked_positions),
    )
    masked = mean_cross_entropy(output.prediction_logits, batch.masked_labels)
    if pair_objective == "none":
        return {"loss": masked, "mlm_loss": masked}
    order = sop_loss(output.sop_logits, batch.sop_labels)
    return {"loss": masked + order, "mlm_loss": masked, "sop_loss": order}


def loss_of(recipe: Recipe) -> Callable[..., dict[str, Tensor]]:
    """Return the loss function of (model, batch) that a recipe trains with."""
    if recipe.pair_objective == "sop":
        return pretraining_loss
    return partial(pretraining_loss, pair_objective=recipe.pair_objective)


def in_round_number(positions: Int[Tensor, " predictions"]) -> Int[Tensor, " more"]:
    """On a CPU, repeat position 0 behind the others until there are a multiple of 32.

    The matrix library prepares itself anew for every shape that it meets, and the number of
    predictions differs from batch to batch: for a small model that took a fifth of a step.
    """
    missing = -len(positions) % ROUND_NUMBER if positions.device.type == "cpu" else 0
    return F.pad(positions, (0, missing)) if missing else positions


def pretraining_terms(batch: PretrainingBatch) -> dict[str, int]:
    """Return how many predictions or pairs each of the losses is a mean over."""
    return {"mlm_loss": len(batch.masked_labels), "sop_loss": len(batch.sop_labels)}


def build_optimizer(model: AlbertForPreTraining, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimiser that a recipe names, with biases and LayerNorms left out of decay."""
    if recipe.optimizer == "muon":
        return MuonWithAdamW(muon_groups(model, recipe.weight_decay), lr=recipe.learning_rate)
    groups = parameter_groups(model, recipe.weight_decay)
    if recipe.optimizer == "lamb":
        return Lamb(groups, lr=recipe.learning_rate)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, eps=1e-6, fused=True)


def learning_rate(recipe: Recipe, step: int) -> float:
    """Return the learning rate that a recipe has at `step`, counted from 0."""
    return warmup_linear(
        step,
        peak=recipe.learning_rate,
        warmup_steps=recipe.warmup_steps,
        total_steps=recipe.steps,
    )


def pretrain(
    model: AlbertForPreTraining,
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    recipe: Recipe,
    *,
    held_out: TokenStore | None = None,
    output: str | os.PathLike[str] | None = None,
    progress: bool = True,
    on_step: Callable[[Row], object] | None = None,
) -> History:
    """Train `model` in place by `recipe` on `store`, on the device it is on; return the history.

    With `output` the folder receives checkpoints and, in model/, the final model and tokenizer.
    A run that was killed there resumes and ends with the same weights, bit for bit, as if it
    had not been (same machine, same number of threads); a finished one is loaded at once.
    With `held_out` every `recipe.evaluate_every` steps add held_out_mlm_loss,
    held_out_mlm_accuracy, held_out_sop_loss and held_out_sop_accuracy to the history, and beside
    them the columns of `VitalSigns`, from which `diagnose` tells why a curve is stuck.

    On several processes (`distributed.joined`) every one calls this with the same arguments, makes
    its rows of each batch, and ends with the same weights; the first alone writes. The losses
    are those of one process, up to rounding and dropout's draws. `output` is on a disk that
    all of them see.

    Raises ConfigError when model, tokenizer and recipe do not fit each other, CheckpointError
    when `output` holds another run or cannot be written, TrainingError when the loss diverges.
    """
    check_fit(model, tokenizer, recipe)
    if output is not None and model.config.sharing not in UNEXPORTABLE:
        exportable_config(model.config)  # now, and not when training is done
    keep_freed_memory()
    rows = distributed.own_rows(recipe.batch_size, recipe.accumulation)
    optimizer = build_optimizer(model, recipe)
    folder = None if output is None else Path(output)
    written = folder if distributed.is_first() else None  # by this process
    run = distributed.broadcast_json(describe_run(model, store, tokenizer, recipe))
    resumed = None if folder is None else resume(folder, run, model, optimizer)
    distributed.broadcast(list(weights(model).values()))

    training = pretraining_batches(store, tokenizer, recipe, seed=recipe.seed)
    dtype = PRECISIONS[run["dtype"]]
    is_finished = resumed is not None and resumed.step == recipe.steps
    look = None
    if held_out is not None and not is_finished:
        look = look_at(model, store, held_out, tokenizer, recipe, training, dtype)
    save = None
    if written is not None:
        save = partial(save_checkpoint, written, model=model, optimizer=optimizer, run=run)
    forward = compiled(model) if recipe.compile and not is_finished else model

    loss = loss_of(recipe)
    history = train(
        model,
        partial(parts_of_batch, training, rows),
        lambda _, part: loss(forward, part),
        optimizer,
        steps=recipe.steps,
        learning_rate=partial(learning_rate, recipe),
        seed=recipe.seed,
        dtype=dtype,
        max_grad_norm=recipe.max_grad_norm,
        terms=pretraining_terms,
        history=None if resumed is None else resumed.history,
        evaluate=look, evaluate_every=recipe.evaluate_every,
        checkpoint=save, checkpoint_every=recipe.checkpoint_every or recipe.steps,
        on_step=on_step, progress=progress,
    )  # fmt: skip
    if written is not None and not (is_finished and (written / "model").exists()):
        save_final_model(written / "model", model, tokenizer)
    distributed.barrier()
    return history


def look_at(
    model: AlbertForPreTraining,
    store: TokenStore,
    held_out: TokenStore,
    tokenizer: AlbertTokenizer,
    recipe: Recipe,
    training: PretrainingBatches,
    dtype: torch.dtype,
) -> Callable[[], Row]:
    """Return the evaluation of a run: what it knows of held-out text, and its vital signs."""
    asked = pretraining_batches(held_out, tokenizer, recipe, seed=HELD_OUT_SEED)
    loss = loss_of(recipe)
    signs = VitalSigns(model, loss, training.batch, store, tokenizer, recipe, dtype)
    return signs.beside(partial(held_out_values, model, asked, recipe.evaluation_batches, dtype))


def resume(
    folder: Path, run: dict[str, Any], model: nn.Module, optimizer: torch.optim.Optimizer
) -> Checkpoint | None:
    """Restore both from the last checkpoint of this run, if there is one, and return it.

    `run` takes over what was measured when the run began. Raises CheckpointError when `folder`
    cannot be written to or holds another run.
    """
    if distributed.is_first():
        check_writable(folder)
    resumed = load_latest_for_all(folder)
    if resumed is not None:
        run["dtype"] = resumed.run.get("dtype")  # measured again, it might come out otherwise
        check_same_run(resumed, run)
        resumed.restore(model, optimizer)
    return resumed


def parts_of_batch(
    batches: PretrainingBatches, rows: list[slice], step: int
) -> list[PretrainingBatch]:
    """Return the chosen rows of a step's batch, a part each."""
    return [batches.batch(step, chosen) for chosen in rows]


def pretraining_batches(
    store: TokenStore, tokenizer: AlbertTokenizer, recipe: Recipe, *, seed: int
) -> PretrainingBatches:
    """Return the batches that a recipe makes of a store."""
    return PretrainingBatches(
        store,
        tokenizer,
        batch_size=recipe.batch_size,
        sequence_length=recipe.sequence_length,
        masking=recipe.masking,
        pair_objective=recipe.pair_objective,
        short_sequence_probability=recipe.short_sequence_probability,
        seed=seed,
    )


def held_out_values(
    model: AlbertForPreTraining, batches: PretrainingBatches, n_batches: int, dtype: torch.dtype
) -> Row:
    """Return an evaluation's losses and accuracies as columns for the history."""
    found = evaluate(model, batches, n_batches, dtype=dtype)
    names = ("mlm_loss", "mlm_accuracy", "sop_loss", "sop_accuracy")
    return {f"held_out_{name}": getattr(found, name) for name in names}


def save_final_model(path: Path, model: AlbertForPreTraining, tokenizer: AlbertTokenizer) -> None:
    """Write model and tokenizer as one folder in Hugging Face's format.

    A model that shares only attention or only the feed-forward block has no such form; its
    weights stay in the last checkpoint.
    """
    if model.config.sharing in UNEXPORTABLE:
        return
    try:
        sweep(path.parent, f"{path.name}-*")
        with new_folder(path) as unfinished:
            model.save_pretrained(unfinished)
            tokenizer.save_pretrained(unfinished)
    except (OSError, CheckpointError) as problem:
        raise CheckpointError(
            f"{path} could not be written ({str(problem).rstrip('.')}); free some disk space and "
            f"run again, which only writes it from the last checkpoint."
        ) from None


def check_fit(model: AlbertForPreTraining, tokenizer: AlbertTokenizer, recipe: Recipe) -> None:
    """Raise ConfigError unless the model has a row a piece and enough positions."""
    if tokenizer.vocab_size != model.config.vocab_size:
        raise ConfigError(
            f"The tokenizer has {tokenizer.vocab_size} pieces but the model's vocab_size is "
            f"{model.config.vocab_size}; build the model with vocab_size={tokenizer.vocab_size}."
        )
    if recipe.sequence_length > model.config.max_position_embeddings:
        raise ConfigError(
            f"sequence_length is {recipe.sequence_length} but the model has "
            f"{model.config.max_position_embeddings} positions; shorten the sequences or raise "
            f"max_position_embeddings."
        )
