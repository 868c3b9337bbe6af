"""Computing in bfloat16: the encoder's weights in half the bytes, its products by other units.

The layers hold nearly all of a model's work. The tables, the vocabulary's scores and the pooler
stay float32: they cost little, and a score of 10 in bfloat16 is known to 0.03 alone.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from albert_lib.errors import InputError
from albert_lib.instruction_sets import bfloat16_instructions
from albert_lib.model.encoder import AlbertEncoder


def check_bfloat16() -> None:
    """Raise InputError on a processor without instructions for bfloat16 products.

    There they take many times as long as those of float32, which nobody asks for.

    Example:
        >>> from albert_lib.instruction_sets import bfloat16_instructions
        >>> if bfloat16_instructions():
        ...     check_bfloat16()
    """
    if bfloat16_instructions() is None:
        raise InputError(
            "This processor has no instructions for bfloat16 (AMX or AVX512_BF16), so it would "
            'take many times as long; use precision="float32".'
        )


def compute_in_bfloat16(model: nn.Module) -> None:
    """Turn the encoders of `model` to bfloat16; states go in and come out in float32.

    Raises InputError where the processor has no instructions for it.

    Example:
        >>> import torch
        >>> from albert_lib import AlbertConfig, AlbertModel
        >>> from albert_lib.instruction_sets import bfloat16_instructions
        >>> model = AlbertModel(AlbertConfig(
        ...     vocab_size=9, hidden_size=24, num_hidden_layers=3, intermediate_size=48))
        >>> if bfloat16_instructions():
        ...     compute_in_bfloat16(model)
        >>> model(torch.tensor([[2, 4, 3]])).last_hidden_state.dtype
        torch.float32
    """
    check_bfloat16()
    for part in list(model.modules()):
        if isinstance(part, AlbertEncoder):
            part.to(torch.bfloat16)
            part.register_forward_pre_hook(_narrow)
            part.register_forward_hook(_widen)


def _narrow(encoder: nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    embedded, *others = inputs
    return (embedded.to(torch.bfloat16), *others)


def _widen(
    encoder: nn.Module, inputs: Any, output: tuple[list[Tensor], list[Tensor]]
) -> tuple[list[Tensor], list[Tensor]]:
    states, attentions = output
    return [each.float() for each in states], [each.float() for each in attentions]
