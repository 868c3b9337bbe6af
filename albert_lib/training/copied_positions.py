"""Longer sequences for a model that has read short ones: its positions, copied over the rest.

What a model knows of distance lies in its table of positions. Rows that no sequence has reached
are as they were drawn, noise, and AdamW moves a number by about the learning rate at a step, so
late in a run they stay noise. Beltagy et al. (2020, "Longformer", section 5) copied the trained
rows over the new ones instead: heads that look at a neighbour then find one everywhere but at the
seams, and little is left to learn.
"""

from __future__ import annotations

import torch

from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining


@torch.no_grad()
def copy_positions(model: AlbertForPreTraining, trained: int) -> None:
    """Copy the first `trained` rows of the table of positions over all that follow, in turn.

    Raises ConfigError unless `trained` is at least 1 and the table has more rows.

    Example:
        >>> from albert_lib.config import AlbertConfig
        >>> config = AlbertConfig(hidden_size=24, vocab_size=9, max_position_embeddings=10)
        >>> model = AlbertForPreTraining(config)
        >>> copy_positions(model, 4)
        >>> table = model.albert.embeddings.position_embeddings.weight
        >>> [int((table[:4] == row).all(dim=1).nonzero()) for row in table]
        [0, 1, 2, 3, 0, 1, 2, 3, 0, 1]
    """
    table = model.albert.embeddings.position_embeddings.weight
    if not 1 <= trained < len(table):
        raise ConfigError(
            f"The table has {len(table)} positions, so {trained} of them can't be copied over the "
            f"rest; name 1 to {len(table) - 1}."
        )
    for first in range(trained, len(table), trained):
        rows = table[first : first + trained]
        rows.copy_(table[: len(rows)])
