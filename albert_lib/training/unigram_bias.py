"""The output bias of the MLM head, started where hundreds of steps would bring it."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int

from albert_lib.corpus import TokenStore
from albert_lib.corpus.excerpt import unigram_counts
from albert_lib.model import AlbertForPreTraining


@torch.no_grad()
def start_at_unigram(model: AlbertForPreTraining, store: TokenStore) -> None:
    """Set the MLM head's output bias to the log frequencies of the tokens of `store`.

    What a model learns first is how frequent each token is, and all that it needs for it is this
    bias. Set so, it begins near the unigram entropy (some 6 nats with 8,000 pieces) instead of
    log V (9 nats).

    Example:
        >>> import tempfile
        >>> from albert_lib.config import AlbertConfig
        >>> from albert_lib.text import AlbertTokenizer
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> model = AlbertForPreTraining(
        ...     AlbertConfig(hidden_size=24, vocab_size=tokenizer.vocab_size))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     documents = [["the mill, the river, the man"]]
        ...     start_at_unigram(model, TokenStore.build(f"{folder}/store", documents, tokenizer))
        >>> tokenizer.convert_ids_to_tokens([int(model.mlm_head.bias.argmax())])
        ['▁the']
    """
    counts = unigram_counts(store)
    unused = model.config.vocab_size - len(counts)  # rows that fill the table up
    values = log_frequencies(np.pad(counts, (0, unused)))
    model.mlm_head.bias.copy_(torch.from_numpy(values))


def log_frequencies(counts: Int[np.ndarray, " vocab"]) -> Float[np.ndarray, " vocab"]:
    """Return the natural logarithms of frequencies, each token counted once more than it occurs.

    Example:
        >>> np.exp(log_frequencies(np.array([5, 0, 1]))).round(3).tolist()
        [0.667, 0.111, 0.222]
    """
    return np.log((counts + 1) / (counts.sum() + len(counts)))
