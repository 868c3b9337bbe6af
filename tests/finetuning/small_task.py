"""A task so small that a model learns it in a hundred steps: which of two words stands first?"""

from __future__ import annotations

import random
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from albert_lib.config import AlbertConfig
from albert_lib.finetuning.finetune import TaskFunctions
from albert_lib.finetuning.recipes import FinetuningRecipe, finetuning_recipe
from albert_lib.model import AlbertForSequenceClassification

CLS, SEP, LONGEST = 2, 3, 16
SHORT = finetuning_recipe("sst2").replace(
    learning_rate=0.002, batch_size=8, steps=8, warmup_steps=2, max_length=LONGEST,
    precision="float32", evaluate_every=3, checkpoint_every=2,
)  # fmt: skip


@dataclass(frozen=True)
class WordRow:
    """A text and its label: 1 where its first word is odd."""

    ids: tuple[int, ...]
    label: int

    @property
    def n_tokens(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class WordBatch:
    ids: Tensor
    mask: Tensor
    labels: Tensor

    @property
    def n_tokens(self) -> int:
        return int(self.mask.sum())

    def to(self, device: torch.device) -> WordBatch:
        return WordBatch(self.ids.to(device), self.mask.to(device), self.labels.to(device))


def word_rows(number: int = 43, seed: int = 0) -> list[WordRow]:
    drawn = random.Random(seed)
    rows = []
    for _ in range(number):
        words = [drawn.randrange(4, 20) for _ in range(drawn.randint(1, 9))]
        rows.append(WordRow((CLS, *words, SEP), words[0] % 2))
    return rows


def collate_words(rows: list[WordRow]) -> WordBatch:
    longest = max(row.n_tokens for row in rows)
    ids = torch.tensor([[*row.ids, *[0] * (longest - row.n_tokens)] for row in rows])
    return WordBatch(ids, (ids != 0).long(), torch.tensor([row.label for row in rows]))


def word_loss(model: nn.Module, batch: WordBatch) -> dict[str, Tensor]:
    logits = model(batch.ids, attention_mask=batch.mask).logits
    right = (logits.argmax(dim=1) == batch.labels).float().mean()
    return {"loss": F.cross_entropy(logits.float(), batch.labels), "accuracy": right}


def count_words(batch: WordBatch) -> dict[str, int]:
    return {"loss": len(batch.ids), "accuracy": len(batch.ids)}


WORDS: TaskFunctions[WordRow, WordBatch] = TaskFunctions(collate_words, word_loss, count_words)


def config_for(recipe: FinetuningRecipe) -> AlbertConfig:
    return AlbertConfig(
        vocab_size=20, embedding_size=8, hidden_size=16, num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=32, max_position_embeddings=LONGEST,
        **recipe.model_changes(),  # type: ignore[arg-type]
    )  # fmt: skip


def classifier(
    recipe: FinetuningRecipe = SHORT, seed: int = 0, head_seed: int = 0
) -> AlbertForSequenceClassification:
    """A model that looks pretrained: its LayerNorms are no longer as they were made."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = AlbertForSequenceClassification(config_for(recipe))
        for module in model.modules():
            if isinstance(module, nn.LayerNorm):
                nn.init.normal_(module.weight, mean=1, std=0.02)
        torch.manual_seed(head_seed)
        model.initialise(model.classifier)
    return model
