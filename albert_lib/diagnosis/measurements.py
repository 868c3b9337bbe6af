"""What a run records, beside its losses, for `diagnose` to say why a curve is stuck.

Three measurements, taken with every evaluation and together cheap beside it:

- the loss on training text masked by this module itself: is it really known?
- the gradient that reaches each part of the model from the run's own loss;
- how far the hidden state of a masked token moves when the visible tokens of a few sequences are
  permuted: does it depend on its context?

And one taken once, when the run begins: what the run's loss function gives the model and which
labels it scores (`hooks.py`).

Each depends on the weights, the text and the settings alone, so that a run which was killed and
resumed records the same numbers as one that was not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import log

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from albert_lib.corpus.excerpt import excerpt, unigram_counts
from albert_lib.corpus.store import entropy
from albert_lib.diagnosis.hooks import describe_calls, record_model_call
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.modes import evaluation_mode
from albert_lib.objectives import MaskingConfig, PretrainingBatch, PretrainingBatches
from albert_lib.text import AlbertTokenizer
from albert_lib.training.evaluation import predictions_of
from albert_lib.training.history import Row
from albert_lib.training.precision import autocast
from albert_lib.training.pretraining import PretrainingRun

EXCERPT_TOKENS = 100_000  # of the training text: some thousand sequences to draw from
SEQUENCES = 8  # for gradients and context sensitivity: a whole batch would cost too much
POSITIONS_AT_ONCE = 4096  # of a batch, which may need accumulation to fit into memory
EVALUATION_BATCHES_PER_BATCH = 8  # of training text
LABELS_WANTED = 300  # of which some 60 stand without a [MASK], where they can be checked
MOST_BATCHES = 4  # to get them
SEED = 4727  # of the masks: the same for every run, so that runs can be compared


class Measurements:
    """Measures a run: call it for columns of the history. Give it to `pretrain` as `measure`.

    Example:
        >>> history = pretrain(..., measure=Measurements)  # doctest: +SKIP
        >>> print(diagnose(history))  # doctest: +SKIP
    """

    def __init__(self, run: PretrainingRun) -> None:
        recipe, self.tokenizer = run.stages[0].recipe, run.tokenizer
        self.model, self.loss_function, self.dtype = run.model, run.loss_function, run.dtype
        self.device = next(run.model.parameters()).device
        some = max(SEQUENCES, POSITIONS_AT_ONCE // recipe.sequence_length)
        rows = slice(0, min(recipe.batch_size, some))
        self.batch_over_part = recipe.batch_size / rows.stop
        self.few_sequences = first_sequences(run.batches.batch(0, rows), SEQUENCES).to(self.device)
        batches = PretrainingBatches(
            excerpt(run.store, EXCERPT_TOKENS),
            run.tokenizer,
            batch_size=rows.stop,
            sequence_length=recipe.sequence_length,
            pair_objective=recipe.pair_objective,
            short_sequence_probability=recipe.short_sequence_probability,
            seed=SEED,
        )
        n_batches = max(1, recipe.evaluation_batches // EVALUATION_BATCHES_PER_BATCH)
        self.training_text = [batches.batch(number).to(self.device) for number in range(n_batches)]
        counts = unigram_counts(run.store)
        self.constants = {
            "uniform_loss": log(run.tokenizer.vocab_size),
            "unigram_entropy": entropy(counts),
            **self.measure_batches(
                lambda step: run.batches.batch(step, rows), counts, recipe.masking
            ),
        }

    def __call__(self) -> Row:
        """Measure the run as it stands; neither weights, gradients nor generators change."""
        with evaluation_mode(self.model):
            return {
                **self.constants,
                **self.measure_training_text(),
                **self.measure_gradients(),
                "hearing": context_sensitivity(self.model, self.training_text[0], self.tokenizer),
            }

    def measure_batches(
        self,
        batch: Callable[[int], PretrainingBatch],
        counts: Int[np.ndarray, " vocab"],
        masking: MaskingConfig,
    ) -> Row:
        """What the run's batches give the model: `predictions`, and columns of `describe_calls`.

        `predictions`: how many a batch has. `kept_expected`: what `kept_share` should be by the
        recipe.
        """
        calls, wanted = [], LABELS_WANTED
        with evaluation_mode(self.model):
            for step in range(MOST_BATCHES):
                with autocast(self.device, self.dtype):
                    call = record_model_call(
                        self.model, self.loss_function, batch(step).to(self.device)
                    )
                if call is None:
                    break
                calls.append(replace(call, loss=call.loss.detach()))
                wanted -= len(call.labels)
                del call  # and its graph, before the next
                if wanted <= 0:
                    break
        if not calls:
            return {}
        columns = describe_calls(
            calls,
            torch.as_tensor(counts, device=self.device),
            pad_token_id=self.tokenizer.pad_token_id,
            mask_token_id=self.tokenizer.mask_token_id,
        )
        unmasked = 1 - masking.mask_probability
        if unmasked > 0:
            columns["kept_expected"] = 1 - masking.random_probability / unmasked
        predictions = self.batch_over_part * sum(len(each.labels) for each in calls)
        return {"predictions": predictions / len(calls), **columns}

    @torch.no_grad()
    def measure_training_text(self) -> Row:
        """How well the training text is known when it is masked as the paper does.

        `known_text_loss`: nats a token where the input is [MASK]. `shown_accuracy`: accuracy where
        the input is the label itself and need only be copied. `commonest_answer`: of the
        predictions at [MASK], the fraction that are the most frequent one.
        """
        vocabulary = self.tokenizer.vocab_size
        loss, answers = 0.0, torch.zeros(vocabulary, dtype=torch.int64)
        shown, copied = 0, 0
        for batch in self.training_text:
            output = predictions_of(self.model, batch, self.dtype)
            logits, label = output.prediction_logits.float(), batch.masked_labels
            inputs = batch.input_ids.flatten()[batch.masked_positions]
            at_mask, answer = inputs == self.tokenizer.mask_token_id, logits.argmax(dim=-1)
            loss += F.cross_entropy(logits[at_mask], label[at_mask], reduction="sum").item()
            answers += answer[at_mask].bincount(minlength=vocabulary).cpu()
            shown += int((inputs == label).sum())
            copied += int((answer == label)[inputs == label].sum())
        columns: Row = {}
        if n_masked := int(answers.sum()):
            columns["known_text_loss"] = loss / n_masked
            columns["commonest_answer"] = int(answers.max()) / n_masked
        if shown:
            columns["shown_accuracy"] = copied / shown
        return columns

    def measure_gradients(self) -> Row:
        """How the run's loss is scaled, and which parts of the model its gradient reaches.

        `counted_share`: the MLM loss over the mean cross-entropy of its predictions; with the
        columns of `gradient_norms`.
        """
        with autocast(self.device, self.dtype):
            call = record_model_call(self.model, self.loss_function, self.few_sequences)
        if call is None:
            return {}
        norms = gradient_norms(self.model, call.loss, call.input_ids)
        return {"counted_share": call.mlm_loss_ratio, **norms}


def first_sequences(batch: PretrainingBatch, n: int) -> PretrainingBatch:
    """Return the first `n` sequences of a batch, or all where there are fewer."""
    chosen = batch.masked_positions < n * batch.input_ids.shape[1]
    return replace(
        batch,
        input_ids=batch.input_ids[:n],
        attention_mask=batch.attention_mask[:n],
        token_type_ids=batch.token_type_ids[:n],
        masked_positions=batch.masked_positions[chosen],
        masked_labels=batch.masked_labels[chosen],
        sop_labels=batch.sop_labels[:n],
    )


def gradient_norms(
    model: AlbertForPreTraining, loss: Float[Tensor, ""], input_ids: Int[Tensor, "batch seq"]
) -> Row:
    """Return the norm of the gradient that reaches each part; 0 where nothing is learned.

    `gradient_words`: the word embeddings. `gradient_encoder`, `gradient_mlm_head` and
    `gradient_order_head`: biases and LayerNorms of these parts alone, because gradients of all
    matrices would need as much memory as the model. `tied_share`: of the vocabulary that the batch
    does not contain, the fraction whose embedding gets a gradient. It can come from the output
    only: 1 where the output matrix is the embedding matrix, 0 where it is another.
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
    trained = [each for part in parts.values() for each in part if each.requires_grad]
    found = torch.autograd.grad(loss, trained, allow_unused=True)
    gradients = {id(each): gradient for each, gradient in zip(trained, found, strict=True)}
    columns: Row = {}
    for name, part in parts.items():
        norms = [g.norm() for each in part if (g := gradients.get(id(each))) is not None]
        columns[f"gradient_{name}"] = torch.stack(norms).norm().item() if norms else 0.0
    absent = torch.ones(len(words), dtype=torch.bool, device=words.device)
    absent[input_ids.flatten()] = False
    if (gradient := gradients.get(id(words))) is not None and absent.any():
        columns["tied_share"] = (gradient[absent] != 0).any(dim=1).float().mean().item()
    return columns


def vectors(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return the biases and LayerNorms among some parameters.

    Example:
        >>> [tuple(each.shape) for each in vectors(torch.nn.Linear(3, 2).parameters())]
        [(2,)]
    """
    return [each for each in parameters if each.dim() == 1]


@torch.no_grad()
def context_sensitivity(
    model: AlbertForPreTraining, batch: PretrainingBatch, tokenizer: AlbertTokenizer
) -> float:
    """Return how far the hidden state of a masked token moves when visible tokens are permuted.

    The distance over the norm of the hidden state, mean over the masked tokens of a few
    sequences: 0 for a model that ignores its context. The visible tokens change places among
    themselves, so their frequencies stay. Computed in float32: in bfloat16 rounding alone moves
    a hidden state by a few thousandths. The column is called "hearing".
    """
    few = first_sequences(batch, SEQUENCES)
    special = torch.as_tensor(tokenizer.is_special, device=few.input_ids.device)
    visible = ~special[few.input_ids]
    visible.view(-1)[few.masked_positions] = False
    permuted = few.input_ids.clone()
    tokens = permuted[visible]
    permuted[visible] = tokens.roll(len(tokens) // 2)
    one, other = (
        model.albert(
            ids, few.attention_mask, few.token_type_ids, few.masked_positions
        ).last_hidden_state.float()
        for ids in (few.input_ids, permuted)
    )
    return ((one - other).norm(dim=1) / one.norm(dim=1)).mean().item()
