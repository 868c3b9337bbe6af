"""Features: the vectors that the encoder gives a text, as the model card takes them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

import torch
from jaxtyping import Float, Int
from torch import Tensor

from albert_lib.engines import EngineModel
from albert_lib.errors import InputError, TokenizerError
from albert_lib.model import AlbertModel
from albert_lib.model.modes import device_of, evaluation_mode
from albert_lib.probing.inputs import batches_by_length, fits_model, list_of_texts
from albert_lib.probing.loading import fitting_tokenizer, load_asked_model, load_other_model
from albert_lib.probing.templates import AnyTokenizer
from albert_lib.probing.transformers_models import TransformersEncoder, is_albert
from albert_lib.text.batch import make_batch


@dataclass(frozen=True)
class TextFeatures:
    """The features of one text, on the CPU and without padding; [CLS] and [SEP] are tokens too.

    Example:
        >>> import torch
        >>> ids, states = torch.tensor([2, 3]), torch.zeros(2, 8)
        >>> features = TextFeatures(["[CLS]", "[SEP]"], ids, states, pooler_output=None)
        >>> features.last_hidden_state.shape
        torch.Size([2, 8])
    """

    tokens: list[str]
    input_ids: Int[Tensor, "seq"]
    last_hidden_state: Float[Tensor, "seq hidden"]
    pooler_output: Float[Tensor, "hidden"] | None  # None where the model has no pooler


class Features:
    """Gives texts to a bare encoder: what transformers' AlbertModel answers, without the padding.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import Features
        >>> features = Features.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> answer = features("The baker.")
        >>> answer.tokens
        ['[CLS]', '▁the', '▁baker', '.', '[SEP]']
        >>> answer.last_hidden_state.shape == (5, features.model.config.hidden_size)
        True
    """

    def __init__(
        self,
        model: AlbertModel | TransformersEncoder | EngineModel,
        tokenizer: AnyTokenizer,
        batch_size: int = 32,
    ) -> None:
        """Join a model and its tokenizer; TokenizerError if their vocabularies do not fit."""
        if not fits_model(tokenizer, model.config):
            raise TokenizerError(
                f"The tokenizer has {tokenizer.vocab_size} tokens but the model has "
                f"{model.config.vocab_size} word embeddings; load both from the same folder."
            )
        self.model = model
        self.tokenizer = tokenizer
        self.batch_size = batch_size

    @classmethod
    def from_pretrained(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        engine: str | None = None,
        precision: str = "float32",
    ) -> Features:
        """Load the encoder and the tokenizer of a folder or hub id; a head in it is ignored.

        `engine` and `precision` are those of `FillMask.from_pretrained`.

        Example:
            >>> from albert_lib.files import data_folder
            >>> from albert_lib.probing import Features
            >>> folder = data_folder() / "checkpoints" / "albert-mini-en"
            >>> type(Features.from_pretrained(folder).model).__name__
            'AlbertModel'
        """
        if not is_albert(name_or_path):
            masked_model, other_tokenizer = load_other_model(name_or_path, engine, precision)
            return cls(masked_model.encoder, other_tokenizer)
        model = load_asked_model(name_or_path, ["AlbertModel"], engine, precision)
        return cls(model, fitting_tokenizer(name_or_path, model.config))

    @overload
    def __call__(self, texts: str) -> TextFeatures: ...
    @overload
    def __call__(self, texts: list[str]) -> list[TextFeatures]: ...
    def __call__(self, texts: str | list[str]) -> TextFeatures | list[TextFeatures]:
        """The features of one text, or of each of several, in their order.

        Texts of similar length go through the model together. Raises InputError for a text
        that is longer than the model's positions.
        """
        encoded = self._encode(list_of_texts(texts))
        features: dict[int, TextFeatures] = {}
        for chosen in batches_by_length([len(ids) for ids in encoded], self.batch_size):
            answers = self._predict([encoded[index] for index in chosen])
            features.update(zip(chosen, answers, strict=True))
        in_order = [features[index] for index in range(len(encoded))]
        return in_order[0] if isinstance(texts, str) else in_order

    def _encode(self, texts: Sequence[str]) -> list[list[int]]:
        longest = self.model.config.max_position_embeddings
        encoded = [self.tokenizer.encode(text) for text in texts]
        for text, ids in zip(texts, encoded, strict=True):
            if len(ids) > longest:
                raise InputError(
                    f"The text that begins with {text[:40]!r} has {len(ids)} tokens with [CLS] "
                    f"and [SEP], but the model knows {longest} positions; cut it into several."
                )
        return encoded

    @torch.no_grad()
    def _predict(self, encoded: list[list[int]]) -> list[TextFeatures]:
        batch = make_batch([(ids, len(ids)) for ids in encoded], self.tokenizer.pad_token_id)
        with evaluation_mode(self.model):
            output = self.model(**batch.to(device_of(self.model)))
        states = output.last_hidden_state.float().cpu()
        pooled = None if output.pooler_output is None else output.pooler_output.float().cpu()
        return [
            TextFeatures(
                tokens=[self.tokenizer.id_to_piece(token) for token in ids],
                input_ids=torch.tensor(ids),
                last_hidden_state=states[row, : len(ids)],
                pooler_output=None if pooled is None else pooled[row],
            )
            for row, ids in enumerate(encoded)
        ]
