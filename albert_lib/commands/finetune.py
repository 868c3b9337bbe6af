"""finetune: train a pretrained model on one of the card's five benchmarks."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from albert_lib.commands.pretrain import add_field, describe_precision, say
from albert_lib.commands.task_model import DATA_HELP
from albert_lib.commands.texts import add_model_argument
from albert_lib.errors import ConfigError, InputError
from albert_lib.experiments.finetuned_folder import finite, save_settings
from albert_lib.experiments.task_scores import (
    over_seeds,
    predict_task,
    score_task,
)
from albert_lib.finetuning import (
    TASK_LABELS,
    TASKS,
    SquadFile,
    choose_null_threshold,
    collate,
    count_rows,
    encode_examples,
    model_class,
    task_loss,
)
from albert_lib.finetuning.collapse import find_collapse
from albert_lib.finetuning.finetune import FinetuningRun, TaskFunctions
from albert_lib.finetuning.loading import load_to_finetune
from albert_lib.finetuning.models import TaskModel
from albert_lib.finetuning.recipes import (
    FinetuningRecipe,
    finetuning_recipe,
    read_finetuning_recipe,
    recipe_names,
)
from albert_lib.finetuning.task_data import TaskData, examples_of, read_task
from albert_lib.probing.loading import check_tokenizer
from albert_lib.text import AlbertTokenizer
from albert_lib.training import distributed

DEV_SPLITS = {"mnli": "validation_matched"}  # of the hub's data sets, where it isn't validation
THRESHOLD_EVERY = 20  # passages; the questions of one choose SQuAD 2.0's threshold
MOVED = {"task", "seed"}  # fields of the recipe that have an argument of their own
FUNCTIONS: TaskFunctions[Any, Any] = TaskFunctions(collate, task_loss, count_rows)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("task", metavar="TASK", choices=TASKS, help=f"one of {', '.join(TASKS)}")
    add_model_argument(parser)
    parser.add_argument("--train", required=True, metavar="DATA", help=DATA_HELP)
    parser.add_argument("--dev", metavar="DATA", help="to be scored on, likewise")
    parser.add_argument("--out", type=Path, required=True, help="folder for the run")
    parser.add_argument(
        "--device", default=None, help="cpu, cuda, …; by default a GPU if there is one"
    )
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[0], metavar="SEED",
        help="several: a run each, in OUT/seed-SEED, and their median and range",
    )  # fmt: skip
    parser.add_argument(
        "--conditioned", action="store_true",
        help="SQuAD 2.0 alone: the paper's head, whose end depends on the start",
    )  # fmt: skip
    parser.add_argument(
        "--from-scratch", action="store_true",
        help="the model's shape with random weights, to compare with",
    )  # fmt: skip
    recipe = parser.add_argument_group("recipe")
    recipe.add_argument(
        "--recipe", default="paper", metavar="NAME_OR_FILE",
        help=f"{'; '.join(f'{n}: {what}' for n, what in recipe_names().items())}; or a TOML file "
        f"with these fields",
    )  # fmt: skip
    example = finetuning_recipe("sst2")
    for name, meaning in FinetuningRecipe.meanings().items():
        if name not in MOVED:
            kind = type(getattr(example, name))
            add_field(recipe, name, None if kind is int else kind(), f"{meaning}; see --recipe")


def run(options: argparse.Namespace) -> int:
    """Train once for every seed; print the scores, and as the last line one JSON object."""
    if len(set(options.seeds)) != len(options.seeds):
        raise ConfigError(f"--seeds has {options.seeds}; name each seed once.")
    with distributed.joined(options.device) as device:
        recipe = recipe_of(options)
        tokenizer = AlbertTokenizer.from_pretrained(options.model)
        train = read_task(options.task, options.train)
        dev = None
        if options.dev:
            dev = read_task(options.task, options.dev, DEV_SPLITS.get(options.task, "validation"))
        several = len(options.seeds) > 1
        scores = [
            run_once(
                options, recipe.replace(seed=seed), tokenizer, train, dev, device,
                options.out / f"seed-{seed}" if several else options.out,
            )
            for seed in options.seeds
        ]  # fmt: skip
        for seed, each in zip(options.seeds, scores, strict=True):
            say_scores(f"seed {seed}", each)
        say(json.dumps(over_seeds(scores) if several else scores[0]))
    return 0


def run_once(
    options: argparse.Namespace,
    recipe: FinetuningRecipe,
    tokenizer: AlbertTokenizer,
    train: TaskData,
    dev: TaskData | None,
    device: torch.device,
    output: Path,
) -> dict[str, Any]:
    """Train and score one model; return its scores, or without dev data those of its training."""
    model, recipe = load_model(options, recipe, tokenizer, device)
    train, chooses = set_apart(train) if options.task == "squad2" else (train, None)
    balance = np.random.default_rng(recipe.seed) if isinstance(train, SquadFile) else None
    rows = encode_examples(
        options.task, examples_of(train), tokenizer, recipe.max_length,
        question_length=recipe.question_length, advance=recipe.advance, balance=balance,
    )  # fmt: skip
    say(f"{model.num_parameters():,} parameters; {len(rows):,} rows to train on")
    training: FinetuningRun = FinetuningRun(
        model, rows, recipe, FUNCTIONS, output=output, from_scratch=options.from_scratch
    )
    say(f"Matrix products in {describe_precision(training, device)}; --precision changes it.")
    evaluate = None if dev is None else partial(dev_columns, options.task, tokenizer, dev, recipe)
    history = training.train(evaluate=evaluate, tokenizer=tokenizer, progress=sys.stderr.isatty())
    if distributed.is_first():
        save_settings(output / "model", recipe)
    threshold = None
    if chooses is not None:
        threshold = choose_threshold(model, tokenizer, chooses, recipe, output / "model")
    say(f"The model is in {output / 'model'}.")
    predictions = None if dev is None else predict_task(options.task, model, tokenizer, dev, recipe)
    collapse = find_collapse(
        history, recipe, model.config, from_scratch=options.from_scratch,
        predictions=None if predictions is None else predictions.answers(threshold),
    )  # fmt: skip
    if collapse is not None:
        say(collapse)
    if dev is None or predictions is None:
        return {"task": options.task, "loss": float(history.rows[-1]["loss"])}
    return score_task(dev, predictions, threshold)


def recipe_of(options: argparse.Namespace) -> FinetuningRecipe:
    """The recipe of that name or file, with what the command line gives."""
    fields = {
        name: value
        for name in FinetuningRecipe.meanings()
        if name not in MOVED and (value := getattr(options, name)) is not None
    }
    if options.recipe in recipe_names():
        return finetuning_recipe(options.task, options.recipe).replace(**fields)
    return read_finetuning_recipe(options.recipe, options.task, **fields)


def load_model(
    options: argparse.Namespace,
    recipe: FinetuningRecipe,
    tokenizer: AlbertTokenizer,
    device: torch.device,
) -> tuple[TaskModel, FinetuningRecipe]:
    """The task's model, and the recipe with its lengths clamped; what changes is printed."""
    kind = model_class(options.task, conditioned=options.conditioned)
    labels = TASK_LABELS.get(options.task)
    changes = {} if labels is None else {"labels": labels}
    model = load_to_finetune(kind, options.model, recipe, announce=say, **changes)
    check_tokenizer(options.model, tokenizer, model.config)
    if options.from_scratch:
        torch.manual_seed(recipe.seed)
        model = kind(model.config)
    recipe, changed = recipe.clamped(model.config.max_position_embeddings)
    for sentence in changed:
        say(sentence)
    return model.to(device), recipe


def set_apart(train: TaskData) -> tuple[SquadFile, SquadFile]:
    """Every 20th passage's questions choose the threshold and are not trained on."""
    if not isinstance(train, SquadFile):
        raise InputError("SQuAD 2.0 is trained on its own files; give one with --train.")
    number = {context: n for n, context in enumerate(dict.fromkeys(
        question.context for question in train.questions
    ))}  # fmt: skip
    parts: tuple[list[Any], list[Any]] = ([], [])
    for question in train.questions:
        parts[number[question.context] % THRESHOLD_EVERY == THRESHOLD_EVERY - 1].append(question)
    if not parts[1]:
        raise InputError(
            f"--train has {len(number)} passages, and every {THRESHOLD_EVERY}th helps to choose "
            f"the threshold of no answer; give at least {THRESHOLD_EVERY}."
        )
    return SquadFile("2.0", tuple(parts[0])), SquadFile("2.0", tuple(parts[1]))


def choose_threshold(
    model: TaskModel,
    tokenizer: AlbertTokenizer,
    chooses: SquadFile,
    recipe: FinetuningRecipe,
    folder: Path,
) -> float:
    """The best threshold on questions set apart, written beside the model."""
    predictions = predict_task("squad2", model, tokenizer, chooses, recipe)
    ids = [question.id for question in chooses.questions]
    texts = dict(zip(ids, predictions.words, strict=True))
    margins = dict(zip(ids, predictions.margins(), strict=True))
    chosen = choose_null_threshold(chooses, texts, margins)
    scores = chosen.scores.overall
    if distributed.is_first():
        save_settings(
            folder, recipe, null_threshold=finite(chosen.value), f1_there=scores.f1,
            chosen_on_questions=len(ids),
        )  # fmt: skip
    say(
        f"No answer where its margin is above {chosen.value:.3g}, chosen on {len(ids)} questions "
        f"that were not trained on (F1 {scores.f1:.1f} there)."
    )
    return finite(chosen.value)


def dev_columns(
    task: Any, tokenizer: AlbertTokenizer, dev: TaskData, recipe: FinetuningRecipe, model: Any
) -> Mapping[str, float]:
    """The scores of an early report, as columns of the history."""
    scores = score_task(dev, predict_task(task, model, tokenizer, dev, recipe))
    wanted = ("accuracy", "exact_match", "exact", "f1")
    return {f"dev_{name}": float(scores[name]) for name in wanted if name in scores}


def say_scores(name: str, scores: Mapping[str, Any]) -> None:
    """Print the scores that have an interval, with it."""
    for score, value in scores.items():
        if f"{score}_low" in scores:
            low, high = scores[f"{score}_low"], scores[f"{score}_high"]
            say(f"{name}: {score} {value:.4g} [{low:.4g}, {high:.4g}]")
