"""Fine-tuning beside transformers' Trainer on SST-2, and what each task's score must be above.

    python -m benchmarks.finetuning [--steps 200] [--threads 1] [--rounds 1] [--data FOLDER]
    python -m benchmarks.finetuning --tasks [--model TASK=FOLDER ...] [--data FOLDER]

**Speed.** albert-mini-en with one and the same head learns the same rows of SST-2 in one epoch of
so many steps: batches of 32, AdamW at 3e-4, a tenth of warm-up, gradients clipped at 1. Trainer,
which needs the package accelerate, pads each batch to its longest row, as its collator does. By
default it takes rows in random order; with train_sampling_strategy="group_by_length" it sorts
within pools of batches. Each contender in turn has a process of its own with so many threads;
loading, encoding and scoring don't count. Ratios are of the process's CPU seconds, which hardly
depend on what else the machine does. With several rounds, each with its own seed and rows, all
figures are medians. What differs besides: the rate falls from the end of warm-up with Trainer, and
from the first step with albert_lib, as Google's code has it; and Trainer's AdamW corrects its bias.

Fewer than 200 steps say little: with fewer rows to sort, both kinds of sorting leave more padding.
By itself albert_lib leaves 2.5 % of it at 100 steps, 1.2 % at 200, 0.8 % at 300.

**--tasks** prints what can be had without a model that reads (finetuning_baselines.py), and beside
it the scores of fine-tuned models, where some are named. Exits with 1 where a target is missed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from albert_lib import AlbertForSequenceClassification, AlbertTokenizer
from albert_lib.commands.evaluate import DATA_VARIABLE
from albert_lib.commands.task_model import open_task_model
from albert_lib.errors import AlbertLibError, InputError
from albert_lib.experiments.finetuned_folder import load_settings
from albert_lib.experiments.task_scores import predict_task, score_task
from albert_lib.files import data_folder, project_folder, read_json, write_json
from albert_lib.finetuning import TASK_LABELS, encode_examples, read_sst2
from albert_lib.finetuning.batch_order import BatchOrder, padding_share
from albert_lib.finetuning.encoding import EncodedRow
from albert_lib.finetuning.loading import load_to_finetune
from albert_lib.finetuning.models import Task
from albert_lib.finetuning.recipes import finetuning_recipe
from albert_lib.finetuning.task_data import read_task
from albert_lib.probing import proportion_interval
from albert_lib.training.precision import choose_precision
from benchmarks.finetuning_baselines import FILES, TaskScore, task_baselines
from benchmarks.finetuning_contenders import (
    CONTENDERS,
    MODEL,
    SETTINGS,
    Measured,
    Settings,
    Texts,
    contenders,
)
from benchmarks.targets import Report

MODEL_FOLDER = data_folder() / "checkpoints" / "albert-mini-en"
TIMES_GROUPED, TIMES_DEFAULT, MOST_PADDING = 2.5, 5.0, 1.0
EXTRA = "benchmark-finetuning"
SHOWN = {"race": "race (MCTest)"}  # RACE's own files are not among the shared ones


def main(words: Sequence[str] | None = None) -> int:
    """Print the tables; return 1 where a target is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--threads", type=int, default=1, help="of each contender's process")
    parser.add_argument("--rounds", type=int, default=1, help="whose medians are printed")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="with sst2/, mnli/ and so on")
    parser.add_argument("--start", type=Path, default=MODEL_FOLDER, help="the pretrained model")
    parser.add_argument("--tasks", action="store_true", help="the baselines of all tasks instead")
    parser.add_argument(
        "--model", action="append", default=[], metavar="TASK=FOLDER",
        help="with --tasks: a fine-tuned model to score as well",
    )  # fmt: skip
    options = parser.parse_args(words)
    try:
        folder = options.data or tasks_folder()
        if options.tasks:
            return print_tasks(folder, [each.partition("=")[::2] for each in options.model])
        return print_speed(folder, options)
    except AlbertLibError as problem:
        print(problem, file=sys.stderr)
        return 2


def tasks_folder() -> Path:
    """The folder of the tasks' files; InputError where there is none."""
    root = os.environ.get(DATA_VARIABLE) or project_folder().parent / "shared" / "data"
    folder = Path(root) / "tasks"
    if not folder.is_dir():
        raise InputError(
            f"{folder} is missing; let {DATA_VARIABLE} name a folder with tasks/sst2 and so on in "
            f"it, or give --data."
        )
    return folder


def print_tasks(folder: Path, models: Iterable[tuple[str, str]]) -> int:
    """Print the baselines, and the models' scores below those of their tasks."""
    rows: list[tuple[str, ...]] = []
    named = list(models)
    for task, _ in named:
        if task not in FILES:
            raise InputError(f"--model names the task {task!r}; write one of {', '.join(FILES)}.")
    for task, (_, dev) in FILES.items():
        scores = task_baselines(task, folder)
        scores += [model_score(task, Path(at), folder / dev) for name, at in named if name == task]
        rows += [(SHOWN.get(task, task), *each.cells()[1:]) for each in scores]
    heads = ("task", "answered by", "score", "%", "95 % interval", "examples")
    print(markdown(heads, rows, left=3))
    return 0


def model_score(task: Task, folder: Path, dev: Path) -> TaskScore:
    """A fine-tuned model's score; SQuAD 2.0 by the threshold that lies beside it."""
    model, data = open_task_model(task, str(folder)), read_task(task, dev)
    tokenizer = AlbertTokenizer.from_pretrained(folder)
    recipe, threshold = load_settings(folder, finetuning_recipe(task))
    recipe, _ = recipe.clamped(model.config.max_position_embeddings)
    predictions = predict_task(task, model, tokenizer, data, recipe)
    found = score_task(data, predictions, threshold)
    measure, times = ("accuracy", 100) if "accuracy" in found else ("f1", 1)
    value, low, high = (times * found[f"{measure}{end}"] for end in ("", "_low", "_high"))
    name = {"f1": "F1"}.get(measure, measure)
    return TaskScore(task, str(folder), name, value, low, high, found["examples"])


def print_speed(data: Path, options: argparse.Namespace) -> int:
    """Run every contender in every round; print the table and the figures."""
    tokenizer = AlbertTokenizer.from_pretrained(options.start)
    train, dev = (encoded(data / name, tokenizer) for name in FILES["sst2"])
    has_bfloat16 = choose_precision("cpu").name == "bfloat16"
    has_trainer = importlib.util.find_spec("accelerate") is not None
    if not has_trainer:
        print(
            f"Trainer needs the package accelerate: install it by pip install -e '.[{EXTRA}]'. "
            f"Without it only albert_lib runs."
        )
    names = contenders(has_bfloat16, has_trainer)
    report = Report()
    report.title(
        f"finetuning: SST-2, {options.steps} steps of 32, {options.threads} "
        f"thread{'s' * (options.threads != 1)}, {options.rounds} "
        f"round{'s' * (options.rounds != 1)}, {choose_precision('cpu')}"
    )
    measured: dict[str, list[Measured]] = {name: [] for name in names}
    for seed in range(options.rounds):
        settings = Settings(options.steps, options.threads, seed)
        with tempfile.TemporaryDirectory() as folder:
            prepare(Path(folder), options.start, settings, train, dev)
            for name in names:
                measured[name].append(run(Path(folder), name, options.threads))
        check_same_rows([runs[seed] for runs in measured.values()])
    print(speed_table(measured))
    add_figures(report, measured, has_bfloat16)
    order = BatchOrder([row.n_tokens for row in train], 32, seed=0)
    padding = 100 * padding_share(order.lengths, order.epoch(0))
    report.at_most("finetuning: padding of a whole epoch, %", padding, MOST_PADDING)
    return report.close()


def encoded(file: Path, tokenizer: AlbertTokenizer) -> list[EncodedRow]:
    """The rows of a file of SST-2, cut as the recipe has it."""
    recipe = finetuning_recipe("sst2", "small")
    return encode_examples("sst2", read_sst2(file).examples, tokenizer, recipe.max_length)


def prepare(
    folder: Path,
    start: Path,
    settings: Settings,
    train: Sequence[EncodedRow],
    dev: Sequence[EncodedRow],
) -> None:
    """Write what the contenders share: the model with its head, the settings, and the rows."""
    recipe = settings.recipe()
    needed = settings.steps * recipe.batch_size
    if len(train) < needed:
        raise InputError(
            f"{settings.steps} steps of {recipe.batch_size} rows take {needed:,} rows, and there "
            f"are {len(train):,}; make --steps at most {len(train) // recipe.batch_size}."
        )
    model = load_to_finetune(
        AlbertForSequenceClassification, start, recipe,
        announce=lambda _: None, labels=TASK_LABELS["sst2"],
    )  # fmt: skip
    model.save_pretrained(folder / MODEL)
    AlbertTokenizer.from_pretrained(start).save_pretrained(folder / MODEL)
    drawn = np.random.default_rng(settings.seed).permutation(len(train))[:needed]
    rows = {"train": as_texts([train[number] for number in drawn]), "dev": as_texts(dev)}
    write_json(folder / SETTINGS, {"settings": asdict(settings), **rows})


def as_texts(rows: Sequence[Any]) -> Texts:
    """Token ids and labels, for JSON."""
    return [([int(each) for each in row.sequences[0][0]], row.label) for row in rows]


def run(folder: Path, name: str, threads: int) -> Measured:
    """Measure one contender in a process of its own."""
    limits = {f"{library}_NUM_THREADS": str(threads) for library in ("OMP", "MKL")}
    subprocess.run(
        [sys.executable, "-m", "benchmarks.finetuning_contenders", str(folder), name],
        cwd=project_folder(),
        env={**os.environ, **limits, "TOKENIZERS_PARALLELISM": "false"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return Measured(**read_json(folder / f"{name}.json", InputError))


def check_same_rows(runs: Iterable[Measured]) -> None:
    """Raise RuntimeError unless all contenders read as many tokens."""
    found = {each.name: each.tokens for each in runs}
    if len(set(found.values())) > 1:
        raise RuntimeError(f"the contenders read different rows: {found} tokens")


def middle(runs: Sequence[Measured], value: Callable[[Measured], float]) -> float:
    """The median of something over a contender's rounds."""
    return statistics.median(value(each) for each in runs)


def speed_table(measured: dict[str, list[Measured]]) -> str:
    """The table: medians, and the accuracy of the run in the middle with its interval."""
    rows = []
    for name, runs in measured.items():
        scored = sorted(runs, key=lambda each: each.n_right)[(len(runs) - 1) // 2]
        interval = proportion_interval(scored.n_right, scored.n_dev)
        rows.append((
            CONTENDERS[name].title,
            runs[0].precision,
            f"{middle(runs, lambda each: each.wall_seconds):.1f}",
            f"{middle(runs, lambda each: each.cpu_seconds):.1f}",
            f"{100 * middle(runs, lambda each: each.padding):.1f} %",
            f"{middle(runs, lambda each: each.tokens / each.cpu_seconds):,.0f}",
            f"{100 * interval.mean:.1f} %",
            f"{100 * interval.low:.1f} to {100 * interval.high:.1f}",
        ))  # fmt: skip
    heads = (
        "contender", "precision", "wall s", "CPU s", "padding", "real tokens / CPU s",
        "dev accuracy", "95 % interval",
    )  # fmt: skip
    return markdown(heads, rows, left=2)


def add_figures(report: Report, measured: dict[str, list[Measured]], has_bfloat16: bool) -> None:
    """Add how many times as fast albert_lib is as each Trainer, in CPU seconds."""

    def times(theirs: str, ours: str, clock: str = "cpu_seconds") -> float:
        pairs = zip(measured[theirs], measured[ours], strict=True)
        return statistics.median(getattr(a, clock) / getattr(b, clock) for a, b in pairs)

    if "grouped" not in measured:
        return
    # float32 alone leaves half of the gain, so the targets are of processors with bfloat16
    for name, who, target in (
        ("grouped", "Trainer by length", TIMES_GROUPED),
        ("random", "Trainer's default", TIMES_DEFAULT),
    ):
        what = f"finetuning: times as fast as {who}"
        report.at_least(what, times(name, "ours"), target if has_bfloat16 else None)
        report.line(f"the same by the wall clock: {times(name, 'ours', 'wall_seconds'):.2f}")
    if has_bfloat16:
        for theirs, ours in (("grouped", "ours-float32"), ("grouped-bfloat16", "ours")):
            what = f"finetuning: times as fast as Trainer by length, both in {precision_of(theirs)}"
            report.at_least(what, times(theirs, ours), None)


def precision_of(name: str) -> str:
    """A contender's precision."""
    return CONTENDERS[name].precision


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]], left: int) -> str:
    """A table whose first columns are text, and the others numbers."""
    rule = ["---"] * left + ["---:"] * (len(heads) - left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows))


if __name__ == "__main__":
    raise SystemExit(main())
