"""Asking the sentence-order head: are these two texts in the order in which they were written?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from albert_lib.model import AlbertForPreTraining
from albert_lib.probing.fill_mask import FillMask, evaluation_mode

IN_ORDER = 0  # the head's first score; its second is for "swapped"


@torch.no_grad()
def order_probabilities(
    fill_mask: FillMask, model: AlbertForPreTraining, pairs: Sequence[tuple[str, str]]
) -> Float[np.ndarray, "pairs"]:
    """The probability that the first text of each pair comes before the second.

    `model` is the one in `fill_mask`, named again for its type. Pairs must fit into its positions.
    """
    device = next(model.parameters()).device
    nowhere = torch.empty(0, dtype=torch.long, device=device)  # no vocabulary needs scoring
    lengths = [len(fill_mask.tokenizer.encode(first, second)) for first, second in pairs]
    answers = np.empty(len(pairs))
    with evaluation_mode(model):
        for chosen in fill_mask.batches(lengths):
            firsts, seconds = zip(*(pairs[index] for index in chosen), strict=True)
            batch = fill_mask.tokenizer(list(firsts), list(seconds)).to(device)
            logits = model(**batch, masked_positions=nowhere).sop_logits
            answers[chosen] = logits.double().softmax(dim=-1)[:, IN_ORDER].cpu().numpy()
    return answers
