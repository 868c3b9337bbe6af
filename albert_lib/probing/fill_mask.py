"""Fill-mask: the likeliest tokens for every [MASK] of a text, in Hugging Face's format."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TypedDict, TypeVar, overload

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from albert_lib.engines import EngineModel
from albert_lib.errors import InputError, TokenizerError, quoted
from albert_lib.hub import PUBLISHED
from albert_lib.model import AlbertForMaskedLM, AlbertForPreTraining, AlbertModel, PreTrainingOutput
from albert_lib.model.modes import device_of, evaluation_mode
from albert_lib.paths import given_path
from albert_lib.probing.inputs import answer_ids, batches_by_length, fits_model, list_of_texts
from albert_lib.probing.loading import fitting_tokenizer, load_asked_model, load_other_model
from albert_lib.probing.templates import MASK, AnyTokenizer, word_id
from albert_lib.probing.transformers_models import (
    TransformersEncoder,
    TransformersMaskedLM,
    is_albert,
)


class Fill(TypedDict):
    """One answer: its probability, its token's id, the token as text, the text with it in place.

    Example:
        >>> fill = Fill(score=0.25, token=2517, token_str="mill", sequence="the mill is old")
        >>> fill["token_str"]
        'mill'
    """

    score: float
    token: int
    token_str: str
    sequence: str


# Of one text: the fills of its one [MASK], or such a list for each of several.
Fills = list[Fill] | list[list[Fill]]


AnyFillMask = TypeVar("AnyFillMask", bound="FillMask")


class FillMask:
    """Predicts the masked tokens of texts, with ALBERT or any masked model of transformers.

    A text writes [MASK], whatever the model's own mask token. Scores and format are those of
    transformers' fill-mask pipeline, with three differences: a list of one text gives a list of
    one answer; a target that is not one token is refused instead of replaced by its first token;
    a target is looked up as the whole word that it is in its text.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> fills = model("The capital of France is [MASK].", top_k=3)
        >>> sorted(fills[0]), len(fills)
        (['score', 'sequence', 'token', 'token_str'], 3)
        >>> 1 > fills[0]["score"] >= fills[1]["score"] >= fills[2]["score"] > 0
        True
    """

    def __init__(
        self,
        model: AlbertForMaskedLM | AlbertForPreTraining | TransformersMaskedLM | EngineModel,
        tokenizer: AnyTokenizer | None = None,
        batch_size: int = 32,
    ) -> None:
        """Join a model and its tokenizer; TokenizerError if their vocabularies do not fit.

        The model may score some rows more than the tokenizer has tokens, as many are padded to a
        multiple of 64: these are never an answer. Raises InputError for anything else, such as the
        name of a folder.
        """
        if not isinstance(model, torch.nn.Module) or tokenizer is None:
            raise InputError(
                f"FillMask joins a model and a tokenizer, and got {quoted(model)}; to load both "
                f"use FillMask.from_pretrained(FOLDER_OR_ID)."
            )
        n_rows, n_tokens = model.config.vocab_size, tokenizer.vocab_size
        if not fits_model(tokenizer, model.config):
            raise TokenizerError(
                f"The tokenizer has {n_tokens} tokens but the model scores {n_rows}; load both "
                f"from the same folder."
            )
        if tokenizer.split_special_tokens:
            raise TokenizerError(
                "This tokenizer splits [MASK] like any other text, so no token can be masked; "
                "load it with split_special_tokens=False."
            )
        self.model = model
        self.tokenizer = tokenizer
        self.batch_size = batch_size
        self._encoder: AlbertModel | None = None  # beside an engine, once it is asked for

    @classmethod
    def from_pretrained(
        cls: type[AnyFillMask],
        name_or_path: str | os.PathLike[str],
        order_head: bool = False,
        *,
        engine: str | None = None,
        precision: str = "float32",
    ) -> AnyFillMask:
        """Load the model and the tokenizer of a folder or hub id.

        With `order_head` the model is an AlbertForPreTraining if the folder holds its
        sentence-order head, and an AlbertForMaskedLM otherwise, which fills masks just the same.
        A model of another kind than ALBERT is read by transformers. `engine` is onnxruntime or
        openvino instead of PyTorch; `precision` is float32 or bfloat16, which PyTorch and openvino
        have on processors that do. Raises TokenizerError, naming the folder, when model and
        tokenizer do not belong together, CheckpointError or ConfigError for what fills no masks,
        and InputError for an engine or precision that cannot be had.

        Example:
            >>> from albert_lib.files import data_folder
            >>> from albert_lib.probing import FillMask
            >>> folder = data_folder() / "checkpoints" / "albert-mini-en"
            >>> type(FillMask.from_pretrained(folder).model).__name__
            'AlbertForMaskedLM'
        """
        given_path(name_or_path, PUBLISHED)
        if not is_albert(name_or_path):
            return cls(*load_other_model(name_or_path, engine, precision))
        kinds = ["AlbertForPreTraining", "AlbertForMaskedLM"]
        model = load_asked_model(name_or_path, kinds[not order_head :], engine, precision)
        return cls(model, fitting_tokenizer(name_or_path, model.config))

    @property
    def encoder(self) -> AlbertModel | TransformersEncoder:
        """The model without its head, for `Features`, in PyTorch also where an engine fills masks.

        Raises CheckpointError for an exported folder, which has no weights for it.
        """
        if isinstance(self.model, TransformersMaskedLM):
            return self.model.encoder
        if isinstance(self.model, EngineModel):
            if self._encoder is None:
                self._encoder = load_asked_model(self.model.name, ["AlbertModel"])
            return self._encoder
        return self.model.albert

    @overload
    def __call__(
        self, texts: str, top_k: int = 5, targets: str | Sequence[str] | None = None
    ) -> Fills: ...
    @overload
    def __call__(
        self, texts: list[str], top_k: int = 5, targets: str | Sequence[str] | None = None
    ) -> list[Fills]: ...
    def __call__(
        self, texts: str | list[str], top_k: int = 5, targets: str | Sequence[str] | None = None
    ) -> Fills | list[Fills]:
        """The `top_k` likeliest fills of every [MASK], likeliest first.

        One text with one [MASK] gives a list of fills; with several, a list of such lists, each
        with the other masks left as they are; a list of texts gives one of these per text.
        `targets` restricts the answers to the given words; their scores stay probabilities
        over the whole vocabulary. Raises InputError for a text without [MASK] or longer than
        the model's positions, and for a target that is not one token.
        """
        if not isinstance(top_k, int) or top_k < 1:
            raise InputError(
                f"top_k={top_k!r} asks for no answer; use a whole number of at least 1."
            )
        given = list_of_texts(texts)
        encoded = self._encode(given)
        allowed = [self._target_ids(targets, text) for text in given]
        answers: dict[int, Fills] = {}
        for index, logits in self._masked_logits(encoded):
            answers[index] = self._best(encoded[index], logits, top_k, allowed[index])
        in_order = [answers[index] for index in range(len(encoded))]
        return in_order[0] if isinstance(texts, str) else in_order

    def masked_logits(self, texts: Sequence[str]) -> list[Float[Tensor, "masks vocab"]]:
        """The logits of every token at every [MASK], one float32 tensor per text, on the CPU.

        A padded vocabulary's rows are among them, as they are in the model's probabilities.

        Example:
            >>> from albert_lib.files import data_folder
            >>> from albert_lib.probing import FillMask
            >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
            >>> one, two = model.masked_logits(["A [MASK].", "A [MASK] and a [MASK]."])
            >>> len(one), len(two), one.shape[1] == model.tokenizer.vocab_size
            (1, 2, True)
        """
        rows = dict(self._masked_logits(self._encode(texts)))
        return [rows[index] for index in range(len(texts))]

    def _encode(self, texts: Sequence[str]) -> list[Int[Tensor, "seq"]]:
        longest = self.model.config.max_position_embeddings
        encoded = []
        for text in texts:
            ids = self.tokenizer.encode(text)
            if self.tokenizer.mask_token_id not in ids:
                raise InputError(
                    f"There is no [MASK] in {quoted(text)}; write one for the word to fill."
                )
            if len(ids) > longest:
                raise InputError(
                    f"{quoted(text)} has {len(ids)} tokens with [CLS] and [SEP], but the model "
                    f"knows {longest} positions; shorten it around its [MASK]."
                )
            encoded.append(torch.tensor(ids))
        return encoded

    def _target_ids(self, targets: str | Sequence[str] | None, text: str) -> Int[Tensor, "targets"]:
        """The ids that may be answers: of the targets, as they read in the text, or all."""
        if targets is None:
            return answer_ids(self.tokenizer)
        words = [targets] if isinstance(targets, str) else targets
        before = text.partition(MASK)[0]
        ids = dict.fromkeys(word_id(self.tokenizer, word, before) for word in words)  # each once
        if not ids:
            raise InputError("targets is empty; name at least one word, or leave it out.")
        return torch.tensor(list(ids))

    def _masked_logits(
        self, encoded: Sequence[Int[Tensor, "_"]]
    ) -> Iterator[tuple[int, Float[Tensor, "masks vocab"]]]:
        """Yield (index of the text, its logits at every [MASK])."""
        mask = self.tokenizer.mask_token_id
        return self.logits_at(encoded, [(ids == mask).nonzero().squeeze(1) for ids in encoded])

    def logits_at(
        self, encoded: Sequence[Int[Tensor, "_"]], positions: Sequence[Int[Tensor, "_"]]
    ) -> Iterator[tuple[int, Float[Tensor, "positions vocab"]]]:
        """Yield (index of a sequence of ids, its logits at its positions), float32 on the CPU.

        Sequences of similar length go through the model together, so they come in another
        order than they were given. Nothing is stored: take from a batch what you need.

        Example:
            >>> import torch
            >>> from albert_lib.files import data_folder
            >>> from albert_lib.probing import FillMask
            >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
            >>> ids = torch.tensor(model.tokenizer.encode("The baker sleeps."))
            >>> (index, logits), = model.logits_at([ids], [torch.tensor([1, 2])])
            >>> index, logits.shape == (2, model.tokenizer.vocab_size)
            (0, True)
        """
        for chosen in self.batches([len(ids) for ids in encoded]):
            sequences = [encoded[index] for index in chosen]
            padded = pad_sequence(
                sequences, batch_first=True, padding_value=self.tokenizer.pad_token_id
            )
            lengths = torch.tensor([len(sequence) for sequence in sequences])
            attention_mask = (torch.arange(padded.shape[1]) < lengths[:, None]).long()
            flat = [row * padded.shape[1] + positions[index] for row, index in enumerate(chosen)]
            logits = self._predict(padded, attention_mask, torch.cat(flat))
            parts = logits.split([len(positions[index]) for index in chosen])
            yield from zip(chosen, parts, strict=True)

    def expect_sequences(self, n_sequences: int) -> None:
        """Called with the number of sequences that follow in several calls; for progress bars."""

    def batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Yield the indices of sequences of these lengths, batch by batch.

        Example:
            >>> from albert_lib.files import data_folder
            >>> from albert_lib.probing import FillMask
            >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
            >>> model.batch_size = 2
            >>> list(model.batches([7, 3, 5]))  # the shortest first
            [[1, 2], [0]]
        """
        return batches_by_length(lengths, self.batch_size)

    @torch.no_grad()
    def _predict(
        self,
        input_ids: Int[Tensor, "batch seq"],
        attention_mask: Int[Tensor, "batch seq"],
        masked_positions: Int[Tensor, "predictions"],
    ) -> Float[Tensor, "predictions vocab"]:
        device = device_of(self.model)
        with evaluation_mode(self.model):
            output = self.model(
                input_ids.to(device),
                attention_mask.to(device),
                masked_positions=masked_positions.to(device),
            )
        both = isinstance(output, PreTrainingOutput)
        logits: Tensor = output.prediction_logits if both else output.logits
        return logits.float().cpu()

    def _best(
        self,
        ids: Int[Tensor, "seq"],
        logits: Float[Tensor, "masks vocab"],
        top_k: int,
        candidates: Int[Tensor, "targets"],
    ) -> Fills:
        probabilities = logits.softmax(dim=-1)[:, candidates]
        scores, ranks = probabilities.topk(min(top_k, len(candidates)))  # (masks, top_k)
        positions = (ids == self.tokenizer.mask_token_id).nonzero().squeeze(1).tolist()
        rows = [
            [
                self._fill(ids, position, int(token), float(score), alone=len(positions) == 1)
                for score, token in zip(row_scores, candidates[row_ranks], strict=True)
            ]
            for position, row_scores, row_ranks in zip(positions, scores, ranks, strict=True)
        ]
        return rows[0] if len(rows) == 1 else rows

    def _fill(
        self, ids: Int[Tensor, "seq"], position: int, token: int, score: float, alone: bool
    ) -> Fill:
        filled: list[int] = ids.tolist()
        filled[position] = token
        # Beside other masks special tokens are written out, or those masks would vanish.
        sequence = self.tokenizer.decode(
            [each for each in filled if each != self.tokenizer.pad_token_id],
            skip_special_tokens=alone,
        )
        return Fill(
            score=score, token=token, token_str=self.tokenizer.decode([token]), sequence=sequence
        )
