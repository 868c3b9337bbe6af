"""Every task through the one engine: it learns, and a stopped run ends as one left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from albert_lib import AlbertConfig, AlbertTokenizer
from albert_lib.finetuning import (
    Answer,
    ChoiceQuestion,
    FinetuningRecipe,
    SquadQuestion,
    Task,
    TaskFunctions,
    TextExample,
    collate,
    count_rows,
    encode_examples,
    finetune,
    finetuning_recipe,
    model_class,
    task_loss,
)
from albert_lib.finetuning.models import TaskModel

FUNCTIONS: TaskFunctions[Any, Any] = TaskFunctions(collate, task_loss, count_rows)
PASSAGE = "By the old mill the sheep graze, and the miller sleeps by the stream. "
OPTIONS = ("the sheep", "the miller", "the mill", "nobody but the old man")
EXAMPLES: dict[Task, Sequence[Any]] = {
    "sst2": [
        TextExample("0", "a fine old mill", None, "1"),
        TextExample("1", "dull", None, "0"),
        TextExample("2", "a fine day by the stream, finer than any", None, "1"),
    ],
    "mnli": [
        TextExample("0", "The miller sleeps.", "He is awake.", "contradiction"),
        TextExample("1", "The old sheep graze by the mill.", "Sheep eat.", "entailment"),
        TextExample("2", "It rains.", "It is night by the old mill.", "neutral"),
    ],
    "race": [
        ChoiceQuestion("0", PASSAGE, "Who sleeps?", OPTIONS, 1),
        ChoiceQuestion("1", PASSAGE * 2, "_ graze.", OPTIONS, 0),
    ],
    "squad1": [
        SquadQuestion("0", PASSAGE * 2, "Who sleeps?", (Answer("the miller", 37),)),
        SquadQuestion("1", PASSAGE, "What graze?", (Answer("the sheep", 16),)),
    ],
    "squad2": [
        SquadQuestion("0", PASSAGE * 2, "Who sleeps?", (Answer("the miller", 37),)),
        SquadQuestion("1", PASSAGE, "Who sings?", ()),
    ],
}
CASES: list[tuple[Task, bool]] = [*((task, False) for task in EXAMPLES), ("squad2", True)]
# The softmax of the simple head of SQuAD runs over padding too, in Google's code as in Hugging
# Face's: its loss depends on the length that a part is padded to.
WITHOUT_PADDING = [case for case in CASES if case not in (("squad1", False), ("squad2", False))]


@pytest.fixture(scope="module")
def english() -> AlbertTokenizer:
    return AlbertTokenizer.from_pretrained("english-8k")


def recipe_for(task: Task) -> FinetuningRecipe:
    return finetuning_recipe(task, "small").replace(
        steps=60, warmup_steps=6, batch_size=2, learning_rate=0.003, max_length=64, advance=16,
        head_dropout=0.1, precision="float32", evaluate_every=20, checkpoint_every=10,
    )  # fmt: skip


def new_model(english: AlbertTokenizer, task: Task, conditioned: bool) -> TaskModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return model_class(task, conditioned)(
            AlbertConfig(
                vocab_size=len(english), embedding_size=16, hidden_size=32, num_hidden_layers=1,
                num_attention_heads=4, intermediate_size=64, max_position_embeddings=64,
                labels=("a", "b", "c") if task == "mnli" else ("a", "b"), initializer_range=0.2,
            )
        )  # fmt: skip


def stop_at_25(row: dict[str, float]) -> None:
    if row["step"] == 25:
        raise KeyboardInterrupt


@pytest.mark.parametrize(("task", "conditioned"), CASES)
def test_a_task_is_learned_and_a_stopped_run_ends_the_same(
    task: Task, conditioned: bool, english: AlbertTokenizer, tmp_path: Path
) -> None:
    recipe = recipe_for(task)
    rows = encode_examples(task, EXAMPLES[task], english, 64 if task == "race" else 24)
    how: dict[str, Any] = {"from_scratch": True, "progress": False}

    def learned(model: Any) -> dict[str, float]:
        return {"held_out_loss": task_loss(model, collate(rows))["loss"].item()}

    straight = new_model(english, task, conditioned).eval()
    before = learned(straight)["held_out_loss"]
    history = finetune(straight, rows, recipe, FUNCTIONS, evaluate=learned, **how)
    after = history.rows[-1]["held_out_loss"]
    assert after < 0.2 * before, f"{before:.2f} to {after:.2f}"

    how |= {"output": tmp_path, "tokenizer": english}
    with pytest.raises(KeyboardInterrupt):
        finetune(
            new_model(english, task, conditioned), rows, recipe, FUNCTIONS,
            on_step=stop_at_25, **how,
        )  # fmt: skip
    encoded_again = encode_examples(task, EXAMPLES[task], english, 64 if task == "race" else 24)
    resumed = new_model(english, task, conditioned)
    finetune(resumed, encoded_again, recipe, FUNCTIONS, **how)
    saved = model_class(task, conditioned).from_pretrained(tmp_path / "model")
    for (name, ours), theirs, read in zip(
        resumed.named_parameters(), straight.parameters(), saved.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs), name
        assert torch.equal(read, theirs), name
    assert AlbertTokenizer.from_pretrained(tmp_path / "model").fingerprint == english.fingerprint


@pytest.mark.parametrize(("task", "conditioned"), WITHOUT_PADDING)
def test_the_losses_of_parts_are_those_of_the_whole(
    task: Task, conditioned: bool, english: AlbertTokenizer
) -> None:
    recipe = replace(recipe_for(task), head_dropout=0.0, steps=6, warmup_steps=1)
    rows = encode_examples(task, EXAMPLES[task], english, 64 if task == "race" else 24)
    losses = []
    for accumulation in (1, 2):
        model = new_model(english, task, conditioned)
        model.config = model.config.replace(classifier_dropout_prob=0.0)
        for dropout in (each for each in model.modules() if isinstance(each, torch.nn.Dropout)):
            dropout.p = 0.0
        cut = recipe.replace(accumulation=accumulation)
        history = finetune(model, rows, cut, FUNCTIONS, from_scratch=True, progress=False)
        losses.append(history.column("loss").tolist())
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
