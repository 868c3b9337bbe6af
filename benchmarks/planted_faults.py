"""Faults planted in real short pretraining runs, one at a time, each a mistake people make.

The library has no switches for them: a fault changes the recipe, or wraps the batches, the loss
function or the model, as a mistaken pipeline would. `benchmarks.diagnosis` and the tests run them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer, TokenStore
from albert_lib.corpus import python_documentation, split_documents
from albert_lib.diagnosis import Measurements
from albert_lib.objectives import MaskingConfig, PretrainingBatch
from albert_lib.training import History, Recipe, pretrain, pretraining_loss
from benchmarks.common import load_tokenizer

PEOPLE = (
    "baker miller sailor teacher smith widow farmer weaver doctor piper hunter potter tailor mason "
    "cooper fisher"
).split()
PLACES = "river mill harbour hill church bridge wall garden forest market".split()
DEEDS = (
    "wakes rises washes stretches".split(),
    "works bakes digs sails hammers".split(),
    "eats sings reads dances whistles laughs".split(),
    "sleeps rests dreams".split(),
)


def days() -> list[list[str]]:
    """Every inhabitant's day at every place: who and where can be read off any other sentence."""
    documents = []
    for number, (person, place) in enumerate(itertools.product(PEOPLE, PLACES)):
        deeds = [choices[number * (3 + turn) % len(choices)] for turn, choices in enumerate(DEEDS)]
        documents.append([f"the {person} {deed} near the {place}." for deed in deeds])
    return documents


@dataclass(frozen=True)
class Workshop:
    """A text with its vocabulary, and what a healthy run on it takes."""

    tokenizer: AlbertTokenizer
    store: TokenStore
    held_out: TokenStore
    few: TokenStore  # far too little text
    config: AlbertConfig
    recipe: Recipe


def small_workshop(folder: Path) -> Workshop:
    """A text of 160 short days and a model that learns it in two seconds."""
    documents = days()
    tokenizer = load_tokenizer()
    held_out = documents[3::7]
    train = [each for each in documents if each not in held_out]
    return Workshop(
        tokenizer,
        TokenStore.build(folder / "train", train, tokenizer),
        TokenStore.build(folder / "held-out", held_out, tokenizer),
        TokenStore.build(folder / "few", train[:4], tokenizer),
        AlbertConfig(
            vocab_size=tokenizer.vocab_size,
            embedding_size=32,
            hidden_size=48,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=96,
            max_position_embeddings=192,
            initializer_range=0.05,
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        ),
        Recipe(
            steps=60,
            batch_size=16,
            sequence_length=32,
            learning_rate=0.01,
            warmup_steps=20,
            evaluate_every=30,
            evaluation_batches=8,
            precision="float32",
        ),
    )


def english_workshop(folder: Path) -> Workshop:
    """The English that comes with Python, and the model of notebook 05."""
    tokenizer = load_tokenizer()
    train, held_out = split_documents(list(python_documentation()))
    return Workshop(
        tokenizer,
        TokenStore.build(folder / "train", train, tokenizer),
        TokenStore.build(folder / "held-out", held_out, tokenizer),
        TokenStore.build(folder / "few", train[:8], tokenizer),
        AlbertConfig(
            vocab_size=tokenizer.vocab_size,
            hidden_size=128,
            num_hidden_layers=4,
            num_attention_heads=4,
            intermediate_size=512,
            max_position_embeddings=192,
            initializer_range=0.05,
        ),
        Recipe(
            steps=150,
            batch_size=32,
            sequence_length=32,
            learning_rate=0.0025,
            warmup_steps=40,
            evaluate_every=50,
            evaluation_batches=24,
            precision="float32",
        ),
    )


@dataclass(frozen=True)
class Fault:
    """One mistake, and the cause that `diagnose` must name for it."""

    cause: str | None  # None: nothing is wrong
    length: float = 1  # of the run, in lengths of the workshop's recipe
    rate: float = 1  # the learning rate, in those of the workshop's recipe
    recipe: dict[str, Any] = field(default_factory=dict)  # fields changed
    batch: Callable[[PretrainingBatch], PretrainingBatch] | None = None
    loss: Callable[[nn.Module, PretrainingBatch], dict[str, Tensor]] | None = None
    model: Callable[[AlbertForPreTraining], object] | None = None
    few: bool = False  # train on far too little text
    jump: float = 1  # by how much the rate is too high in the last third


class JumpingRate(Recipe):
    """A recipe whose rate is too high in its last third, as after a mistake in resuming."""

    jump = 1.0

    def learning_rate_at(self, step: int) -> float:
        """The recipe's rate, and `jump` times its peak when two thirds are done."""
        usual = super().learning_rate_at(step)
        return self.jump * self.learning_rate if 3 * step > 2 * self.steps else usual


def run(workshop: Workshop, fault: Fault, seed: int) -> History:
    """Pretrain with one fault planted; return the history."""
    torch.manual_seed(seed)
    model = AlbertForPreTraining(workshop.config)
    if fault.model is not None:
        fault.model(model)

    def faulty_loss(model: nn.Module, batch: PretrainingBatch) -> dict[str, Tensor]:
        given = batch if fault.batch is None else fault.batch(batch)
        return (fault.loss or pretraining_loss)(model, given)

    recipe = workshop.recipe.replace(
        seed=seed,
        steps=round(fault.length * workshop.recipe.steps),
        learning_rate=fault.rate * workshop.recipe.learning_rate,
        **fault.recipe,
    )
    if fault.jump != 1:
        recipe = JumpingRate(**vars(recipe))
        object.__setattr__(recipe, "jump", fault.jump)
    return pretrain(
        model,
        workshop.few if fault.few else workshop.store,
        workshop.tokenizer,
        recipe,
        held_out=workshop.held_out,
        measure=Measurements,
        loss_function=faulty_loss,
        progress=False,
    )


def mixed_labels(batch: PretrainingBatch) -> PretrainingBatch:
    """Labels shuffled against their inputs: each belongs to some other masked position."""
    labels = batch.masked_labels
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(len(labels)))
    return replace(batch, masked_labels=labels[order])


def shifted_ids(model: nn.Module, batch: PretrainingBatch) -> dict[str, Tensor]:
    """Labels of another vocabulary, which has one more special token."""
    vocab_size = model.mlm_head.bias.numel()
    return pretraining_loss(
        model, replace(batch, masked_labels=(batch.masked_labels + 1) % vocab_size)
    )


def next_token(batch: PretrainingBatch) -> PretrainingBatch:
    """Labels off by one: each is the input at the next position, masked or not."""
    following = (batch.masked_positions + 1) % batch.input_ids.numel()
    return replace(batch, masked_labels=batch.input_ids.flatten()[following])


def nothing_masked(batch: PretrainingBatch) -> PretrainingBatch:
    """The labels stand in the input: the masked ids were written to a copy."""
    shown = batch.input_ids.clone()
    shown.view(-1)[batch.masked_positions] = batch.masked_labels
    return replace(batch, input_ids=shown)


def attention_inverted(batch: PretrainingBatch) -> PretrainingBatch:
    """1 where there is padding and 0 where there is text, as some frameworks want it."""
    return replace(batch, attention_mask=1 - batch.attention_mask)


def mean_over_all_positions(model: nn.Module, batch: PretrainingBatch) -> dict[str, Tensor]:
    """The sum over masked tokens divided by all positions, as `reduction="mean"` then a mask."""
    losses = pretraining_loss(model, batch)
    masked = losses["mlm_loss"] * len(batch.masked_labels) / batch.input_ids.numel()
    return {**losses, "loss": masked + losses["sop_loss"], "mlm_loss": masked}


def without_segments(model: nn.Module, batch: PretrainingBatch) -> dict[str, Tensor]:
    """Segment ids left out, as by a tokenizer that does not return them by default."""
    return pretraining_loss(model, replace(batch, token_type_ids=0 * batch.token_type_ids))


def words_frozen(model: AlbertForPreTraining) -> None:
    """Word embeddings that are not trained."""
    model.albert.embeddings.word_embeddings.weight.requires_grad_(False)


def encoder_frozen(model: AlbertForPreTraining) -> None:
    """An encoder that is not trained."""
    model.albert.encoder.requires_grad_(False)


def output_not_tied(model: AlbertForPreTraining) -> None:
    """An output matrix that is a copy of the word embeddings and is not trained."""
    head, matrix = model.mlm_head, model.albert.embeddings.word_embeddings.weight.detach().clone()
    tied = head.forward
    head.forward = lambda hidden, words: tied(hidden, matrix)  # type: ignore[method-assign]


FAULTS = {
    "rate far too high": Fault("rate too high", length=2, rate=6),
    "rate far too high, AdamW": Fault(
        "rate too high", length=2, rate=10, recipe={"optimizer": "adamw"}),
    "rate raised late": Fault("late divergence", length=9, jump=5),
    "rate far too low": Fault("rate too low", length=2, rate=0.001),
    "everything shown": Fault("labels visible", recipe={
        "masking": MaskingConfig(mask_probability=0.0, random_probability=0.0)}),
    "nothing masked": Fault("labels visible", batch=nothing_masked),
    "nine in ten masked": Fault("too much masked", recipe={"masking": MaskingConfig(rate=0.9)}),
    "one prediction a sequence": Fault("too few predictions", recipe={
        "masking": MaskingConfig(max_predictions=1)}),
    "words frozen": Fault("no gradient", model=words_frozen),
    "encoder frozen": Fault("no gradient", model=encoder_frozen),
    "output not tied": Fault("output not tied", model=output_not_tied),
    "ids shifted": Fault("other labels", loss=shifted_ids),
    "labels one place off": Fault("labels off by one", batch=next_token),
    "labels shuffled": Fault("labels shuffled", batch=mixed_labels),
    "mostly padding": Fault("padding", recipe={"sequence_length": 192}),
    "attention inverted": Fault("attention mask", batch=attention_inverted),
    "averaged over all": Fault("loss diluted", loss=mean_over_all_positions),
    "segments left out": Fault("segments missing", loss=without_segments),
    "four documents": Fault("overfitting", length=6, few=True),
}  # fmt: skip
HEALTHY = {
    "early": Fault(None, 0.7),
    "middle": Fault(None, 2),
    "finished": Fault(None, 4),
    "two in five masked": Fault(None, 2, recipe={"masking": MaskingConfig(rate=0.4)}),
    "every one a [MASK]": Fault(
        None, recipe={"masking": MaskingConfig(mask_probability=1.0, random_probability=0.0)}
    ),
    "bfloat16, no warm-up": Fault(None, 2, recipe={"precision": "bfloat16", "warmup_steps": 0}),
    "AdamW": Fault(None, 2, rate=0.3, recipe={"optimizer": "adamw"}),
}  # fmt: skip
