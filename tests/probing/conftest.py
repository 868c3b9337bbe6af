"""A small model with the shipped vocabulary, in this library and in transformers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import transformers

from albert_lib.config import AlbertConfig
from albert_lib.files import data_folder
from albert_lib.model import AlbertForMaskedLM, AlbertForPreTraining
from albert_lib.model.outputs import PreTrainingOutput
from albert_lib.probing import FillMask
from albert_lib.text import AlbertTokenizer


@pytest.fixture(scope="session")
def tokenizer() -> AlbertTokenizer:
    return AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")


@pytest.fixture(scope="session")
def model_folder(tokenizer: AlbertTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights written by transformers, wide enough that fills differ in probability."""
    folder = tmp_path_factory.mktemp("tiny-albert")
    config = transformers.AlbertConfig(
        vocab_size=tokenizer.vocab_size,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        hidden_dropout_prob=0.1,
        attention_probs_dropout_prob=0.1,
        initializer_range=0.5,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformers.AlbertForMaskedLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder / "vocabulary")
    for file in (folder / "vocabulary").iterdir():
        file.rename(folder / file.name)
    return folder


@pytest.fixture
def fill_mask(model_folder: Path, tokenizer: AlbertTokenizer) -> FillMask:
    return FillMask(AlbertForMaskedLM.from_pretrained(model_folder), tokenizer)


@pytest.fixture(scope="session")
def reference(model_folder: Path, tokenizer: AlbertTokenizer) -> transformers.Pipeline:
    """Transformers' own pipeline on the same weights and pieces."""
    pieces = list(zip(tokenizer.pieces, map(float, tokenizer.scores), strict=True))
    theirs = transformers.AlbertTokenizer(vocab=pieces, model_max_length=512)
    model = transformers.AlbertForMaskedLM.from_pretrained(model_folder)
    return transformers.pipeline("fill-mask", model=model, tokenizer=theirs)


Rule = Callable[[list[str], int], dict[str, float]]  # of a text's pieces and a place in them
OrderRule = Callable[[list[str]], float]  # of the pieces of a pair: the probability of "in order"


class Scripted(AlbertForPreTraining):
    """A model that answers as it is told, so that scores can be worked out by hand."""

    def __init__(self, tokenizer: AlbertTokenizer, rule: Rule, order: OrderRule) -> None:
        config = AlbertConfig(
            vocab_size=tokenizer.vocab_size,
            embedding_size=2,
            hidden_size=2,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=2,
            max_position_embeddings=32,
        )
        super().__init__(config)
        self.tokenizer, self.rule, self.order = tokenizer, rule, order
        self.texts_seen = 0

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        token_type_ids: torch.Tensor | None = None,
        masked_positions: torch.Tensor | None = None,
        output_hidden_states: bool = False,
        output_attentions: bool = False,
    ) -> PreTrainingOutput:
        assert attention_mask is not None and masked_positions is not None
        texts = [
            [self.tokenizer.id_to_piece(token) for token in row[kept.bool()].tolist()]
            for row, kept in zip(input_ids, attention_mask, strict=True)
        ]
        self.texts_seen += len(texts)
        places = [divmod(place, input_ids.shape[1]) for place in masked_positions.tolist()]
        rows = [self._logits(texts[row], column) for row, column in places]
        in_order = torch.tensor([self.order(text) for text in texts])
        return PreTrainingOutput(
            prediction_logits=torch.stack(rows) if rows else torch.empty(0, len(self.tokens)),
            sop_logits=torch.stack([in_order.log(), (1 - in_order).log()], dim=1),
        )

    @property
    def tokens(self) -> list[str]:
        return self.tokenizer.pieces

    def _logits(self, text: list[str], column: int) -> torch.Tensor:
        chances = self.rule(text, column)
        rest = (1 - sum(chances.values())) / (len(self.tokens) - len(chances))
        row = torch.full((len(self.tokens),), rest, dtype=torch.double)
        for piece, chance in chances.items():
            row[self.tokenizer.piece_id(piece)] = chance
        return row.log().float()


@pytest.fixture
def scripted(tokenizer: AlbertTokenizer) -> Callable[..., FillMask]:
    """Make a FillMask from a rule: a text's pieces, a place → the probabilities of some pieces."""

    def make(rule: Rule, order: OrderRule = lambda _: 0.5) -> FillMask:
        return FillMask(Scripted(tokenizer, rule, order), tokenizer)

    return make
