"""What a run must write down, beside its losses, for `diagnose` to say why a curve is stuck.

Three looks, taken with every evaluation and together cheap beside it:

- at the training text, hidden by this module's own hand: is it really known?
- at what reaches each part of the model when the run's own loss is followed backwards;
- at a few sequences whose visible pieces are exchanged: does a hidden piece hear its neighbours?

And one taken once, when the run begins: at what the run's loss function shows the model and asks
of it (`overheard.py`).

Each depends on the weights, the text and the settings alone, so that a run which was killed and
resumed writes the same numbers as one left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from math import log

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from albert_lib.corpus import TokenStore
from albert_lib.corpus.store import entropy
from albert_lib.diagnosis.excerpt import excerpt
from albert_lib.diagnosis.hooks import LossFunction, describe_shown, overhear
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig, PretrainingBatch, PretrainingBatches
from albert_lib.text import AlbertTokenizer
from albert_lib.training.history import Row
from albert_lib.training.precision import autocast
from albert_lib.training.recipe import Recipe

EXCERPT_TOKENS = 100_000  # of the training text: some thousand sequences to draw from
SEQUENCES = 8  # whose gradient and hearing are measured: a whole batch would cost too much
POSITIONS_AT_ONCE = 4096  # of a batch that may be worked through in parts to fit into memory
BATCHES_AN_EVALUATION = 8  # evaluation batches for every batch of training text looked at
LABELS_WANTED = 300  # of which some 60 stand without a [MASK], where they can be checked
BATCHES_OVERHEARD = 4  # at most, to get them
SEED = 4727  # of the masks: the same for every run, so that runs can be compared


class VitalSigns:
    """Measures a run: `measure()` returns columns for the history.

    `loss_function` and `batch`, which gives some rows of a step's batch, are the run's own;
    `store` is the text they are supposed to be about.
    """

    def __init__(
        self,
        model: AlbertForPreTraining,
        loss_function: LossFunction,
        batch: Callable[[int, slice], PretrainingBatch],
        store: TokenStore,
        tokenizer: AlbertTokenizer,
        recipe: Recipe,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        device = next(model.parameters()).device
        self.model, self.loss_function, self.dtype = model, loss_function, dtype
        self.tokenizer = tokenizer
        some = max(SEQUENCES, POSITIONS_AT_ONCE // recipe.sequence_length)
        at_once = min(recipe.batch_size, some)
        self.whole_over_part = recipe.batch_size / at_once
        part = partial(first_rows, batch, at_once)
        self.few = first_sequences(part(0), SEQUENCES).to(device)
        batches = PretrainingBatches(
            excerpt(store, EXCERPT_TOKENS),
            tokenizer,
            batch_size=at_once,
            sequence_length=recipe.sequence_length,
            pair_objective=recipe.pair_objective,
            short_sequence_probability=recipe.short_sequence_probability,
            seed=SEED,
        )
        looks = max(1, recipe.evaluation_batches // BATCHES_AN_EVALUATION)
        self.known_text = [batches.batch(number).to(device) for number in range(looks)]
        self.constants = {
            "uniform_loss": log(tokenizer.vocab_size),
            "unigram_entropy": entropy(counts := store.unigram_counts()),
            **self.look_at_batches(part, counts, recipe.masking),
        }

    def beside(self, evaluation: Callable[[], Row]) -> Callable[[], Row]:
        """An evaluation that returns these columns after those of `evaluation`."""
        return lambda: {**evaluation(), **self.measure()}

    def measure(self) -> Row:
        """Look at the run as it stands; neither weights, gradients nor generators change."""
        was_training = self.model.training
        self.model.eval()
        signs = {
            **self.constants,
            **self.look_at_known_text(),
            **self.look_backwards(),
            "hearing": hearing(self.model, self.known_text[0], self.tokenizer),
        }
        self.model.train(was_training)
        return signs

    def look_at_batches(
        self,
        batch: Callable[[int], PretrainingBatch],
        counts: Int[np.ndarray, " vocab"],
        masking: MaskingConfig,
    ) -> Row:
        """What the run shows its model: `predictions`, and the columns of `describe_shown`.

        `predictions`: pieces a batch that the loss asks for. `kept_expected` is what `kept_share`
        should be by the recipe.
        """
        device = next(self.model.parameters()).device
        was_training = self.model.training
        self.model.eval()
        heard, wanted = [], LABELS_WANTED
        for number in range(BATCHES_OVERHEARD):
            with autocast(device, self.dtype):
                found = overhear(self.model, self.loss_function, batch(number).to(device))
            if found is None:
                break
            heard.append(replace(found, loss=found.loss.detach()))
            wanted -= len(found.labels)
            del found  # and its graph, before the next
            if wanted <= 0:
                break
        self.model.train(was_training)
        if not heard:
            return {}
        signs = describe_shown(
            heard,
            torch.as_tensor(counts, device=device),
            pad_token_id=self.tokenizer.pad_token_id,
            mask_token_id=self.tokenizer.mask_token_id,
        )
        unmasked = 1 - masking.mask_probability
        if unmasked > 0:
            signs["kept_expected"] = 1 - masking.random_probability / unmasked
        asked = self.whole_over_part * sum(len(each.labels) for each in heard)
        return {"predictions": asked / len(heard), **signs}

    @torch.no_grad()
    def look_at_known_text(self) -> Row:
        """How well the training text is known when it is hidden by the book.

        `known_text_loss`: nats a piece where [MASK] stands. `shown_accuracy`: share right where
        the piece itself stands and need only be copied. `commonest_answer`: share of the answers
        at [MASK] that are the most frequent one.
        """
        vocabulary = self.tokenizer.vocab_size
        loss, answers = 0.0, torch.zeros(vocabulary, dtype=torch.int64)
        shown, copied = 0, 0
        for batch in self.known_text:
            with autocast(batch.input_ids.device, self.dtype):
                output = self.model(
                    batch.input_ids,
                    attention_mask=batch.attention_mask,
                    token_type_ids=batch.token_type_ids,
                    masked_positions=batch.masked_positions,
                )
            logits, label = output.prediction_logits.float(), batch.masked_labels
            seen = batch.input_ids.flatten()[batch.masked_positions]
            at_mask, answer = seen == self.tokenizer.mask_token_id, logits.argmax(dim=-1)
            loss += F.cross_entropy(logits[at_mask], label[at_mask], reduction="sum").item()
            answers += answer[at_mask].bincount(minlength=vocabulary).cpu()
            shown += int((seen == label).sum())
            copied += int((answer == label)[seen == label].sum())
        signs: Row = {}
        if n_masked := int(answers.sum()):
            signs["known_text_loss"] = loss / n_masked
            signs["commonest_answer"] = int(answers.max()) / n_masked
        if shown:
            signs["shown_accuracy"] = copied / shown
        return signs

    def look_backwards(self) -> Row:
        """How the run's loss counts, and which parts of the model it reaches.

        `counted_share`: the MLM loss over the mean cross-entropy of the pieces it asks for; with
        the columns of `gradients`.
        """
        with autocast(self.few.input_ids.device, self.dtype):
            heard = overhear(self.model, self.loss_function, self.few)
        if heard is None:
            return {}
        slopes = gradients(self.model, heard.loss, heard.input_ids)
        return {"counted_share": heard.counted_share, **slopes}


def first_rows(
    batch: Callable[[int, slice], PretrainingBatch], n: int, number: int
) -> PretrainingBatch:
    """The first `n` rows of a step's batch, made without the others."""
    return batch(number, slice(0, n))


def first_sequences(batch: PretrainingBatch, n: int) -> PretrainingBatch:
    """The first `n` sequences of a batch, or all where there are fewer."""
    kept = batch.masked_positions < n * batch.input_ids.shape[1]
    return replace(
        batch,
        input_ids=batch.input_ids[:n],
        attention_mask=batch.attention_mask[:n],
        token_type_ids=batch.token_type_ids[:n],
        masked_positions=batch.masked_positions[kept],
        masked_labels=batch.masked_labels[kept],
        sop_labels=batch.sop_labels[:n],
    )


def gradients(
    model: AlbertForPreTraining, loss: Float[Tensor, ""], input_ids: Int[Tensor, "batch seq"]
) -> Row:
    """Length of the gradient that reaches each part of the model; 0 where nothing is learned.

    `gradient_words`: the word embeddings. `gradient_encoder`, `gradient_mlm_head` and
    `gradient_order_head`: these parts' vectors alone (biases and norms), because gradients of all
    matrices would need as much memory as the model. `tied_share`: of the pieces that the batch
    does not contain, those whose embedding gets a gradient. It can come from the output only: 1
    where the output matrix is the embedding matrix, 0 where it is another.
    """
    words = model.albert.embeddings.word_embeddings.weight
    order_parts: list[Tensor] = [*model.sop_head.parameters()]
    if model.albert.pooler is not None:
        order_parts += model.albert.pooler.parameters()
    parts: dict[str, list[Tensor]] = {
        "words": [words],
        "encoder": vectors(model.albert.encoder.parameters()),
        "mlm_head": vectors(model.mlm_head.parameters()),
        "order_head": vectors(order_parts),
    }
    learning = [each for part in parts.values() for each in part if each.requires_grad]
    found = torch.autograd.grad(loss, learning, allow_unused=True)
    slopes = {id(each): slope for each, slope in zip(learning, found, strict=True)}
    signs: Row = {}
    for name, part in parts.items():
        lengths = [slope.norm() for each in part if (slope := slopes.get(id(each))) is not None]
        signs[f"gradient_{name}"] = torch.stack(lengths).norm().item() if lengths else 0.0
    absent = torch.ones(len(words), dtype=torch.bool, device=words.device)
    absent[input_ids.flatten()] = False
    if (slope := slopes.get(id(words))) is not None and absent.any():
        signs["tied_share"] = (slope[absent] != 0).any(dim=1).float().mean().item()
    return signs


def vectors(parameters: Iterable[Tensor]) -> list[Tensor]:
    """The biases and norms among some parameters."""
    return [each for each in parameters if each.dim() == 1]


@torch.no_grad()
def hearing(
    model: AlbertForPreTraining, batch: PretrainingBatch, tokenizer: AlbertTokenizer
) -> float:
    """How far the state of a hidden piece moves when all visible ones are exchanged.

    As a share of the state's length, mean over the hidden pieces of a few sequences. The visible
    pieces change places among themselves, so their frequencies stay. Computed in float32: in
    bfloat16 rounding alone moves a state by a few thousandths.
    """
    few = first_sequences(batch, SEQUENCES)
    special = torch.as_tensor(tokenizer.is_special, device=few.input_ids.device)
    visible = ~special[few.input_ids]
    visible.view(-1)[few.masked_positions] = False
    exchanged = few.input_ids.clone()
    pieces = exchanged[visible]
    exchanged[visible] = pieces.roll(len(pieces) // 2)
    one, other = (
        model.albert(
            ids, few.attention_mask, few.token_type_ids, few.masked_positions
        ).last_hidden_state.float()
        for ids in (few.input_ids, exchanged)
    )
    return ((one - other).norm(dim=1) / one.norm(dim=1)).mean().item()
