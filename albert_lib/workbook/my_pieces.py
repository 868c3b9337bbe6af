"""The pieces of which an ALBERT is put together: a learner's own where solved, else the library's.

A piece of the learner's that raises gives way to the library's, with one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from albert_lib.errors import first_line
from albert_lib.model import (
    explicit_attention,
    factorized_embedding,
    feed_forward,
    masked_states,
    mlm_loss,
    pooled_cls,
    post_norm_layer,
    share_across_depth,
    sop_loss,
    split_heads,
    tied_logits,
)
from albert_lib.objectives.masking import choose_spans, find_words, masking_budget, replace_tokens
from albert_lib.objectives.pair_objective import order_pair
from albert_lib.text.batch import pad_sequences, truncate_pair, with_special_tokens
from albert_lib.training import lamb_update, training_steps, warmup_linear
from albert_lib.workbook.measured import here

Function = Callable[..., Any]

MODEL_PIECES: Mapping[str, Function] = {
    "3.1": factorized_embedding,
    "3.2": explicit_attention,
    "3.3": split_heads,
    "3.4": feed_forward,
    "3.5": post_norm_layer,
    "3.6": share_across_depth,
    "4.1": masked_states,
    "4.2": tied_logits,
    "4.3": mlm_loss,
    "4.4": pooled_cls,
    "4.5": sop_loss,
}
TRAINING_PIECES: Mapping[str, Function] = {
    "1.4": with_special_tokens,
    "1.5": pad_sequences,
    "1.6": truncate_pair,
    "2.1": find_words,
    "2.2": choose_spans,
    "2.3": replace_tokens,
    "2.4": masking_budget,
    "2.5": order_pair,
    "5.1": lamb_update,
    "5.2": warmup_linear,
    "5.3": training_steps,
}
ALL_PIECES = dict(sorted({**TRAINING_PIECES, **MODEL_PIECES}.items()))


class Pieces:
    """The functions in use, by exercise, and which of them are the learner's.

    Example:
        >>> pieces = Pieces({"4.5": lambda logits, labels: 1 / 0})
        >>> import torch
        >>> pieces("4.5", torch.zeros(2, 2), torch.tensor([0, 1])).item() < 0.7
        4.5: your sop_loss raises ZeroDivisionError (division by zero); the library's stands in.
        True
        >>> pieces.own
        []
    """

    def __init__(self, own: Mapping[str, Function] | None = None) -> None:
        mine = own or {}
        self._functions = {id: mine.get(id, library) for id, library in ALL_PIECES.items()}

    @property
    def own(self) -> list[str]:
        """The exercises whose piece is the learner's."""
        return [id for id, function in self._functions.items() if function is not ALL_PIECES[id]]

    def __call__(self, id: str, *arguments: Any, **named: Any) -> Any:
        """Call a piece; where the learner's raises, call the library's from here on."""
        function, library = self._functions[id], ALL_PIECES[id]
        if function is library:
            return library(*arguments, **named)
        try:
            return function(*arguments, **named)
        except Exception as problem:
            self.stand_in(id)
            print(
                f"{id}: your {library.__name__} raises {type(problem).__name__} "
                f"({first_line(problem)}); the library's stands in."
            )
        return library(*arguments, **named)

    def stand_in(self, id: str) -> None:
        """Use the library's piece from here on."""
        self._functions[id] = ALL_PIECES[id]

    def with_library(self, ids: Iterable[str]) -> Pieces:
        """The same pieces, but for some that are the library's."""
        left = set(self.own) - set(ids)
        return Pieces({id: self._functions[id] for id in left})

    def listing(self) -> str:
        """Whose each piece is, a line each, and how many are whose."""
        own = set(self.own)
        count = f"{len(own)} yours, {len(ALL_PIECES) - len(own)} the library's"
        lines = [f"Your ALBERT has {len(ALL_PIECES)} pieces {here(count)}"]
        for id, library in ALL_PIECES.items():
            owner = "yours" if id in own else "the library's"
            lines.append(f"  {id} {library.__name__:<21}{here(owner)}")
        return "\n".join(lines)
