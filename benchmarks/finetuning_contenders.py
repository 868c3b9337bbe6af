"""One contender of `python -m benchmarks.finetuning`, in a process of its own.

    python -m benchmarks.finetuning_contenders FOLDER NAME

FOLDER holds what all contenders share: model/, with a head already drawn, and task.json, with the
settings and the rows as token ids. The clock runs during Trainer's `train()`, and with albert_lib
during the whole of `finetune`, which also does before its first step what Trainer does when it is
made. Scoring comes after, by albert_lib and in the same way for all. The result is a JSON object in
FOLDER/NAME.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from albert_lib import AlbertForSequenceClassification
from albert_lib.errors import InputError
from albert_lib.files import read_json, write_json
from albert_lib.finetuning import ClassRow, collate, count_rows, task_loss
from albert_lib.finetuning.finetune import TaskFunctions, finetune
from albert_lib.finetuning.loading import load_to_finetune
from albert_lib.finetuning.predicting import class_scores
from albert_lib.finetuning.recipes import FinetuningRecipe, finetuning_recipe
from albert_lib.training.precision import choose_precision
from benchmarks.common import transformers_tokenizer

SETTINGS, MODEL = "task.json", "model"
Texts = list[tuple[list[int], int]]  # token ids with the number of the label


@dataclass(frozen=True)
class Contender:
    """Whose loop trains, in which order and precision.

    Attributes:
        order: Trainer's train_sampling_strategy; None: albert_lib, which has one order.
        precision: float32, bfloat16, or auto: by what the processor offers.
    """

    title: str
    order: str | None
    precision: str


CONTENDERS = {
    "random": Contender("Trainer's default: random order", "random", "float32"),
    "grouped": Contender("Trainer, group_by_length", "group_by_length", "float32"),
    "grouped-bfloat16": Contender("Trainer, group_by_length", "group_by_length", "bfloat16"),
    "ours": Contender("albert_lib", None, "auto"),
    "ours-float32": Contender("albert_lib", None, "float32"),
}


def contenders(has_bfloat16: bool, has_trainer: bool) -> list[str]:
    """The names of those that can run; without bfloat16, auto is float32 already."""
    left_out = set() if has_bfloat16 else {"grouped-bfloat16", "ours-float32"}
    if not has_trainer:
        left_out |= {name for name, each in CONTENDERS.items() if each.order is not None}
    return [name for name in CONTENDERS if name not in left_out]


@dataclass(frozen=True)
class Settings:
    """What all contenders do alike; everything else is the recipe called "small"."""

    steps: int
    threads: int
    seed: int

    def recipe(self, precision: Any = "auto") -> FinetuningRecipe:
        """SST-2's recipe for small models, for so many steps.

        At a third of its rate: AdamW without bias correction takes first steps of three times the
        rate, and after a warm-up of 20 steps to 0.0003 our run stayed at chance.
        """
        return finetuning_recipe("sst2", "small").replace(
            steps=self.steps, warmup_steps=self.steps // 10, seed=self.seed, precision=precision,
            learning_rate=1e-4, evaluate_every=0,
        )  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """What one contender took, and what its model is worth."""

    name: str
    precision: str
    wall_seconds: float
    cpu_seconds: float  # of the whole process, user and system, over all threads
    tokens: int  # that are not padding
    positions: int  # with padding
    n_right: int
    n_dev: int

    @property
    def padding(self) -> float:
        """The fraction of what was read that is padding."""
        return 1 - self.tokens / self.positions


class CountingCollate:
    """A collate function that counts tokens and padding as batches pass."""

    def __init__(self, make: Callable[[Any], Any], mask_of: Callable[[Any], torch.Tensor]) -> None:
        self.make, self.mask_of = make, mask_of
        self.tokens = self.positions = 0

    def __call__(self, rows: Any) -> Any:
        """Make the batch."""
        batch = self.make(rows)
        mask = self.mask_of(batch)
        self.tokens += int(mask.sum())
        self.positions += mask.numel()
        return batch


class Stopwatch:
    """Seconds by the wall and of this process's threads, from entering to leaving a block."""

    def __enter__(self) -> Stopwatch:
        self.began = time.perf_counter(), time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall = time.perf_counter() - self.began[0]
        self.cpu = time.process_time() - self.began[1]


Trained = tuple[AlbertForSequenceClassification, CountingCollate, Stopwatch]


def train_ours(folder: Path, texts: Texts, settings: Settings, precision: str) -> Trained:
    """Fine-tune with albert_lib."""
    recipe = settings.recipe(precision)
    model = load_to_finetune(AlbertForSequenceClassification, folder / MODEL, recipe)
    counting = CountingCollate(collate, lambda batch: batch.inputs["attention_mask"])
    functions: TaskFunctions[Any, Any] = TaskFunctions(counting, task_loss, count_rows)
    rows = class_rows(texts)
    with Stopwatch() as watch:
        finetune(model, rows, recipe, functions, progress=False)
    return model, counting, watch


def train_theirs(
    folder: Path, texts: Texts, settings: Settings, precision: str, order: str
) -> Trained:
    """Fine-tune with transformers' Trainer; return the model as one of ours."""
    import transformers  # seconds, which albert_lib's contenders need not wait

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    recipe = settings.recipe()
    model = transformers.AlbertForSequenceClassification.from_pretrained(folder / MODEL)
    tokenizer = transformers_tokenizer(folder / MODEL)
    counting = CountingCollate(
        transformers.DataCollatorWithPadding(tokenizer), lambda batch: batch["attention_mask"]
    )
    arguments = transformers.TrainingArguments(
        output_dir=str(folder / f"{order}-{precision}"),
        num_train_epochs=1,
        per_device_train_batch_size=recipe.batch_size,
        train_sampling_strategy=order,
        learning_rate=recipe.learning_rate,
        warmup_steps=recipe.warmup_steps,
        weight_decay=recipe.weight_decay,
        adam_epsilon=recipe.eps,
        max_grad_norm=recipe.max_grad_norm,
        seed=recipe.seed,
        bf16=precision == "bfloat16",
        use_cpu=True,
        dataloader_pin_memory=False,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    trainer = transformers.Trainer(
        model=model, args=arguments, data_collator=counting, processing_class=tokenizer,
        train_dataset=[{"input_ids": ids, "label": label} for ids, label in texts],
    )  # fmt: skip
    with Stopwatch() as watch:
        trainer.train()
    if trainer.state.global_step != settings.steps:
        raise RuntimeError(f"Trainer took {trainer.state.global_step} steps of {settings.steps}.")
    model.save_pretrained(folder / "theirs")
    ours = AlbertForSequenceClassification.from_pretrained(folder / "theirs")
    return ours, counting, watch


def class_rows(texts: Texts) -> list[ClassRow]:
    """The rows that albert_lib reads."""
    return [ClassRow(n, ((ids, len(ids)),), label) for n, (ids, label) in enumerate(texts)]


def measure(folder: Path, name: str) -> Measured:
    """Train one contender, score it, and write what came out."""
    shared = read_json(folder / SETTINGS, InputError)
    settings, contender = Settings(**shared["settings"]), CONTENDERS[name]
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    torch.optim.AdamW([torch.zeros(1)])  # the first one imports a second's worth of PyTorch
    if contender.order is None:
        trained = train_ours(folder, shared["train"], settings, contender.precision)
    else:
        trained = train_theirs(
            folder, shared["train"], settings, contender.precision, contender.order
        )
    model, counting, watch = trained
    dev = class_rows(shared["dev"])
    found = class_scores(model, dev).argmax(axis=1)
    measured = Measured(
        name,
        choose_precision("cpu", contender.precision).name,  # type: ignore[arg-type]
        watch.wall,
        watch.cpu,
        counting.tokens,
        counting.positions,
        n_right=sum(int(number) == row.label for number, row in zip(found, dev, strict=True)),
        n_dev=len(dev),
    )
    write_json(folder / f"{name}.json", asdict(measured))
    return measured


def main(words: Sequence[str] | None = None) -> int:
    """Measure the contender that is named."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("name", choices=CONTENDERS)
    options = parser.parse_args(words)
    measure(options.folder, options.name)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
