"""What a few minutes of training are worth: our recipe beside transformers' defaults.

    python -m benchmarks.learning [--minutes 5] [--steps N] [--history FILE]

Both start from random weights of the same shape, train for the same minutes on the same text, the
machine's own English, and predict the same masked tokens of the same held-out documents, masked as
in the paper. Ours is `quick_config` and `quick_recipe`, with as many steps as
fit. Theirs is AlbertForMaskedLM with the data collator and the optimizer settings that
transformers' training arguments have by default (AdamW, batches of 8, a learning rate of 5e-5
falling to 0), in the precision in which it is faster, on sequences as long as ours: their own 512
would leave them a hundred steps. Exits with 1 where the target is missed. With --steps ours alone
is trained, for so many steps instead of minutes, so that its numbers come again.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertForPreTraining, AlbertTokenizer
from albert_lib.corpus import TokenStore, python_documentation, split_documents
from albert_lib.diagnosis import Measurements
from albert_lib.experiments.quick import quick_config, quick_recipe, steps_in
from albert_lib.files import build_folder
from albert_lib.objectives import PretrainingBatches
from albert_lib.training import History, pretrain
from albert_lib.training.evaluation import loss_and_correct
from albert_lib.training.precision import PRECISIONS, autocast
from albert_lib.training.pretraining import HELD_OUT_SEED
from benchmarks.common import VOCABULARY, load_tokenizer, transformers_tokenizer
from benchmarks.targets import Report

TIMES_THE_ACCURACY = 3.0
TRAINING_SHARE = 0.92  # of the minutes; steps grow a little slower than the first ones were
TRIAL_STEPS = 10  # to see which precision is faster
HELD_OUT_BATCHES = 40
DEFAULTS = transformers.TrainingArguments


@dataclass(frozen=True)
class Text:
    """The vocabulary, and the stores made with it."""

    tokenizer: AlbertTokenizer
    train: TokenStore
    held_out: TokenStore


def main() -> int:
    """Train both, print what they know, return 1 if ours does not know enough more."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--steps", type=int, help="train ours alone, for so many steps")
    parser.add_argument("--history", type=Path, help="file for our run's held-out measurements")
    options = parser.parse_args()
    if options.history is not None:
        options.history.parent.mkdir(parents=True, exist_ok=True)
    seconds = 60 * options.minutes
    transformers.logging.set_verbosity_error()
    report, text = Report(), own_english()
    batches = PretrainingBatches(
        text.held_out,
        text.tokenizer,
        batch_size=32,
        sequence_length=quick_recipe(steps=1000).sequence_length,  # both train on these
        seed=HELD_OUT_SEED,
    )
    config = quick_config(text.tokenizer.vocab_size)
    report.title(
        f"learning: H={config.hidden_size} L={config.num_hidden_layers} V={config.vocab_size}, "
        f"{options.steps or seconds / 60:g} {'steps' if options.steps else 'minutes each'}, "
        f"{torch.get_num_threads()} threads"
    )
    accuracy = {}
    trainers: dict[str, Any] = {"albert_lib": partial(train_ours, options.history, options.steps)}
    if options.steps is None:
        trainers["transformers"] = train_theirs
    for name, train in trainers.items():
        began = time.perf_counter()
        model, tokens = train(config, text, seconds)
        taken = time.perf_counter() - began
        loss, accuracy[name] = evaluate_mlm(model, batches)
        report.line(
            f"{name:13s} {100 * accuracy[name]:5.2f} % of masked tokens right, {loss:.3f} nats, "
            f"after {tokens / 1e6:.1f} million tokens in {taken:.0f} s"
        )
    counts = text.held_out.unigram_counts()
    report.line(f"always the commonest token: {100 * counts.max() / counts.sum():.2f} %")
    report.line(f"unigram entropy of the training text: {text.train.unigram_entropy():.3f} nats")
    if "transformers" in accuracy:
        report.at_least(
            "learning: times transformers' accuracy",
            accuracy["albert_lib"] / accuracy["transformers"],
            TIMES_THE_ACCURACY,
        )
    return report.close()


def own_english() -> Text:
    """The machine's own English as stores under build/."""
    tokenizer = load_tokenizer()
    folder = build_folder() / "benchmarks" / "english"
    stores = [
        TokenStore.build(folder / name, documents, tokenizer)
        for name, documents in zip(
            ("train", "held-out"), split_documents(python_documentation()), strict=True
        )
    ]
    return Text(tokenizer, *stores)


def train_ours(
    history_file: Path | None, steps: int | None, config: AlbertConfig, text: Text, seconds: float
) -> tuple[AlbertForPreTraining, int]:
    """The quick recipe; returns the model and how many positions it has read."""
    steps = steps or steps_in(
        TRAINING_SHARE * seconds, config, text.train, text.tokenizer, text.held_out
    )
    torch.manual_seed(0)
    model = AlbertForPreTraining(config)
    recipe = quick_recipe(steps)
    history = pretrain(
        model, text.train, text.tokenizer, recipe,
        held_out=text.held_out, measure=Measurements, progress=False,
    )  # fmt: skip
    if history_file is not None:
        History([row for row in history.rows if "held_out_mlm_loss" in row]).save(history_file)
    return model, steps * recipe.batch_size * recipe.sequence_length


def train_theirs(config: AlbertConfig, text: Text, seconds: float) -> tuple[AlbertForMaskedLM, int]:
    """Transformers' defaults; returns the model as one of ours, and the positions it has read."""
    length = quick_recipe(steps=1000).sequence_length
    step_with = {
        name: their_steps(config, text, length, dtype) for name, dtype in PRECISIONS.items()
    }
    speed = {}
    for name, (_, step) in step_with.items():
        began = time.perf_counter()
        for _ in range(TRIAL_STEPS):
            step(0.0)  # a learning rate of 0 changes no weight
        speed[name] = time.perf_counter() - began
    model, step = step_with[min(speed, key=lambda name: speed[name])]

    began, done = time.perf_counter(), 0
    while (passed := (time.perf_counter() - began) / seconds) < 1:
        step(DEFAULTS.learning_rate * (1 - passed))
        done += 1
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        ours = AlbertForMaskedLM.from_pretrained(folder)
    return ours, done * DEFAULTS.per_device_train_batch_size * length


def their_steps(
    config: AlbertConfig, text: Text, length: int, dtype: torch.dtype
) -> tuple[transformers.AlbertForMaskedLM, Callable[[float], None]]:
    """A fresh model of theirs, and a function that takes a step at a given learning rate."""
    torch.manual_seed(0)
    usual = config.replace(initializer_range=AlbertConfig().initializer_range)
    model = transformers.AlbertForMaskedLM(transformers.AlbertConfig(**usual.to_dict())).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.0, weight_decay=DEFAULTS.weight_decay)
    batches = their_batches(text, length)

    def take(rate: float) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad(set_to_none=True)
        with autocast("cpu", dtype):
            loss = model(**next(batches)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), DEFAULTS.max_grad_norm)
        optimizer.step()

    return model, take


def their_batches(text: Text, length: int) -> Iterator[dict[str, Tensor]]:
    """The text cut into sequences of equal length, shuffled, masked by their collator."""
    collate = transformers.DataCollatorForLanguageModeling(transformers_tokenizer(VOCABULARY))
    room = length - 2  # [CLS] and [SEP]
    n_blocks = text.train.n_tokens // room
    blocks = text.train.ids[: n_blocks * room].astype("int64").reshape(n_blocks, room)
    generator = torch.Generator().manual_seed(0)
    size = DEFAULTS.per_device_train_batch_size
    first, last = text.tokenizer.cls_token_id, text.tokenizer.sep_token_id
    for _ in cycle([None]):
        order = torch.randperm(n_blocks, generator=generator)
        for rows in order.split(size):
            yield dict(
                collate([{"input_ids": [first, *blocks[row], last]} for row in rows.tolist()])
            )


@torch.no_grad()
def evaluate_mlm(
    model: AlbertForPreTraining | AlbertForMaskedLM, batches: PretrainingBatches
) -> tuple[float, float]:
    """Mean loss in nats and accuracy over the masked tokens of the held-out batches."""
    model.eval()
    totals, predictions = torch.zeros(2, dtype=torch.float64), 0
    for number in range(HELD_OUT_BATCHES):
        batch = batches.batch(number)
        output = model(
            batch.input_ids, batch.attention_mask, batch.token_type_ids, batch.masked_positions
        )
        logits = output.logits if isinstance(model, AlbertForMaskedLM) else output.prediction_logits
        totals += loss_and_correct(logits, batch.masked_labels)
        predictions += len(batch.masked_labels)
    loss, right = (totals / predictions).tolist()
    return loss, right


if __name__ == "__main__":
    raise SystemExit(main())
