"""What `evaluate TASK` and `predict TASK` share: a fine-tuned model and a task's data."""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path
from typing import Any

import torch

from albert_lib.errors import CheckpointError, InputError
from albert_lib.experiments.finetuned_folder import load_settings
from albert_lib.experiments.task_scores import (
    NO_THRESHOLD,
    TaskPredictions,
    predict_task,
)
from albert_lib.files import read_json
from albert_lib.finetuning import Task, model_class
from albert_lib.finetuning.loading import NEW_WEIGHTS
from albert_lib.finetuning.models import TaskModel
from albert_lib.finetuning.recipes import finetuning_recipe
from albert_lib.finetuning.task_data import TaskData, read_task
from albert_lib.hub import resolve_folder
from albert_lib.model import AlbertForConditionedSpans
from albert_lib.probing.loading import check_tokenizer
from albert_lib.text import AlbertTokenizer

DATA_HELP = "a file or folder in the task's format, or hf:NAME[:CONFIGURATION][#SPLIT]"


def add_task_arguments(parser: Any) -> None:
    """Describe data, length and threshold, to a parser or a group of one."""
    parser.add_argument("--data", metavar="DATA", help=DATA_HELP)
    parser.add_argument(
        "--max-length",
        type=int,
        metavar="TOKENS",
        help="of an input; by default as the model was trained, else the paper's",
    )
    parser.add_argument(
        "--threshold",
        type=float,
        metavar="MARGIN",
        help="SQuAD 2.0: no answer where its margin is above; by default the model folder's own",
    )


def answer_task(
    options: argparse.Namespace, task: Task, split: str
) -> tuple[TaskData, TaskPredictions, float | None]:
    """Read the data, answer every example; return both, and SQuAD 2.0's threshold."""
    if options.data is None or options.model is None:
        raise InputError(f"Say what {task} is to be read from with --data, and --model.")
    data = read_task(task, options.data, split)
    tokenizer = AlbertTokenizer.from_pretrained(options.model)
    model = open_task_model(task, options.model)
    check_tokenizer(options.model, tokenizer, model.config)
    folder = resolve_folder(options.model, "weights")
    recipe, threshold = load_settings(folder, finetuning_recipe(task))
    if options.max_length is not None:
        recipe = recipe.replace(max_length=options.max_length)
    recipe, _ = recipe.clamped(model.config.max_position_embeddings)
    predictions = predict_task(task, model, tokenizer, data, recipe)
    if task != "squad2":
        return data, predictions, None
    return data, predictions, usable_threshold(folder, options.threshold, threshold)


def open_task_model(task: Task, name_or_path: str) -> TaskModel:
    """Open a fine-tuned model; CheckpointError for one without a head for the task."""
    folder = resolve_folder(name_or_path, "weights")
    kinds = read_json(folder / "config.json").get("architectures") or []
    conditioned = AlbertForConditionedSpans.__name__ in kinds
    if conditioned and task == "squad1":
        raise CheckpointError(
            f"{name_or_path} has the head of SQuAD 2.0, which may leave a question unanswered; "
            f"use it for squad2."
        )
    kind = model_class(task, conditioned=conditioned and task == "squad2")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = kind.from_pretrained(folder)
    for warning in caught:
        if NEW_WEIGHTS in str(warning.message):
            raise CheckpointError(
                f"{name_or_path} has no trained head for {task}; make one with "
                f"`python -m albert_lib finetune {task} --model {name_or_path} …`."
            )
        warnings.warn_explicit(warning.message, warning.category, warning.filename, warning.lineno)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return model.to(device).eval()


def usable_threshold(folder: Path, given: float | None, own: float | None) -> float:
    """The threshold given, or that beside the model, or an even one, which is then printed."""
    if given is not None:
        return given
    if own is not None:
        return own
    print(
        f"{folder} has no threshold for giving no answer; {NO_THRESHOLD:g} is used, where the best "
        f"span and no answer are even."
    )
    return NO_THRESHOLD
