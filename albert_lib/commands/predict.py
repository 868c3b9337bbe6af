"""predict: write a fine-tuned model's answers as the benchmark of its task takes them."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

from albert_lib.commands.task_model import add_task_arguments, answer_task
from albert_lib.commands.texts import add_model_argument
from albert_lib.errors import InputError
from albert_lib.files import ready_to_write
from albert_lib.finetuning import TASKS, SquadFile, TextExamples
from albert_lib.finetuning.submission import BEST_SPANS, write_glue, write_race, write_squad

TEST_SPLITS = {"mnli": "test_matched", "squad1": "validation", "squad2": "validation"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("task", metavar="TASK", choices=TASKS, help=f"one of {', '.join(TASKS)}")
    add_model_argument(parser)
    add_task_arguments(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument(
        "--mismatched", action="store_true", help="MNLI alone: the data is of the other genres"
    )


def run(options: argparse.Namespace) -> int:
    """Predict, write the files, and print their names as JSON on the last line."""
    if options.mismatched and options.task != "mnli":
        raise InputError(f"--mismatched is for mnli alone; leave it out for {options.task}.")
    split = "test_mismatched" if options.mismatched else TEST_SPLITS.get(options.task, "test")
    folder = ready_to_write(options.out)  # now, and not after all the answers
    data, predictions, threshold = answer_task(options, options.task, split)
    if isinstance(data, SquadFile):
        never = math.inf  # version 1.1 always answers
        files = write_squad(
            folder, data, predictions.spans, never if threshold is None else threshold
        )
        if threshold is not None:
            probability = 0.5 + 0.5 * math.tanh(threshold / 2)
            print(
                f"No answer where its margin is above {threshold:.4g}. For the official script, "
                f"give {BEST_SPANS} and --na-prob-thresh {probability:.6f}."
            )
    elif isinstance(data, TextExamples):
        file, objection = write_glue(
            folder, options.task, data, predictions.words, mismatched=options.mismatched
        )
        files = [file]
        if objection:
            print(objection)
    else:
        files = [write_race(folder, data, predictions.words)]
    print(json.dumps({"task": options.task, "files": [str(file) for file in files]}))
    return 0
