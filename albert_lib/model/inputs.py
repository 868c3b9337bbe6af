"""What a model's forward accepts, and what to type instead of what it does not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
from torch import Tensor

from albert_lib.errors import InputError

# Arguments that users of transformers know, and what to write here.
_INSTEAD = {
    "head_mask": "to switch a head off, zero its columns of attention.output.weight",
    "use_cache": "leave it out: an encoder has nothing to cache",
    "past_key_values": "leave it out: an encoder has nothing to cache",
    "next_sentence_label": "give sentence_order_label: 0 in order, 1 swapped",
    "masked_lm_labels": "give labels, with -100 where nothing is predicted",
    "lm_labels": "give labels, with -100 where nothing is predicted",
    "positions": "give masked_positions",
}


def check_no_unknown(model: str, unknown: dict[str, Any], known: Collection[str] = ()) -> None:
    """Raise InputError for keyword arguments that `model` does not take.

    `known` are further arguments that it does take. `return_dict=True` is what every model does
    anyway and is accepted.

    Example:
        >>> from albert_lib.model.inputs import check_no_unknown
        >>> check_no_unknown("AlbertModel", {"return_dict": True})
        >>> check_no_unknown("AlbertModel", {"return_dict": False})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        albert_lib.errors.InputError: AlbertModel returns an object; call .to_tuple() on it ...
    """
    unknown = {name: value for name, value in unknown.items() if name not in known}
    if unknown.pop("return_dict", None) is False:
        raise InputError(
            f"{model} returns an object; call .to_tuple() on it instead of return_dict=False."
        )
    for name in unknown:
        instead = _INSTEAD.get(name, f"help({model}.forward) lists what it takes")
        raise InputError(f"{model} takes no argument {name}; {instead}.")


def check_inputs(
    model: str,
    input_ids: Tensor | None,
    inputs_embeds: Tensor | None,
    *,
    choices: bool = False,
    **others: Tensor | None,
) -> torch.Size:
    """Check the shape and kind of a model's inputs; return the shape of its ids.

    Raises InputError.

    Args:
        model: what messages call the model.
        input_ids: (batch, seq), or (batch, choices, seq) with `choices`.
        inputs_embeds: the same with one more dimension, given instead of ids.
        choices: whether the model reads several texts a question.
        others: attention_mask, token_type_ids and position_ids, by name.

    Example:
        >>> import torch
        >>> from albert_lib.model.inputs import check_inputs
        >>> check_inputs("AlbertModel", torch.tensor([[2, 17, 3]]), None)
        torch.Size([1, 3])
        >>> check_inputs("AlbertModel", torch.tensor([2, 17, 3]), None)  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        albert_lib.errors.InputError: input_ids has shape (3,), but AlbertModel reads ...
    """
    if (input_ids is None) == (inputs_embeds is None):
        raise InputError(f"{model} reads input_ids or inputs_embeds; give one of the two.")
    _check_types({"input_ids": input_ids, "inputs_embeds": inputs_embeds, **others})
    shape, given = _shape_of_ids(input_ids, inputs_embeds)
    _check_dimensions(model, given, shape, choices)
    for name, tensor in others.items():
        if tensor is not None:
            _check_fits(name, tensor, given, shape)
    return shape


def _shape_of_ids(input_ids: Tensor | None, inputs_embeds: Tensor | None) -> tuple[torch.Size, str]:
    """The shape of the ids, or of what stands for them, and what messages call it."""
    if inputs_embeds is not None:
        return inputs_embeds.shape[:-1], "inputs_embeds without its last dimension"
    assert input_ids is not None
    return input_ids.shape, "input_ids"


def _check_fits(name: str, tensor: Tensor, given: str, shape: torch.Size) -> None:
    # One row of positions may serve the whole batch.
    wanted = shape[-1:] if name == "position_ids" else shape
    if tensor.shape[-len(wanted) :] != wanted:
        raise InputError(
            f"{name} has shape {tuple(tensor.shape)} but {given} {tuple(shape)}; "
            f"build both with one tokenizer call."
        )


def _check_dimensions(model: str, given: str, shape: torch.Size, choices: bool) -> None:
    if len(shape) == (3 if choices else 2):
        return
    reads = (
        "choices are read from (batch, choices, seq); stack the choices of each question"
        if choices
        else f"{model} reads (batch, seq); write input_ids[None] for a single text"
    )
    raise InputError(f"{given} has shape {tuple(shape)}, but {reads}.")


def _check_types(tensors: dict[str, Tensor | None]) -> None:
    for name, tensor in tensors.items():
        if tensor is None:
            continue
        if not isinstance(tensor, Tensor):
            raise InputError(
                f"{name} is a {type(tensor).__name__}, not a tensor; write "
                f"torch.tensor([tokenizer.encode(text)]) or tokenizer([text])."
            )
        is_ids = name in ("input_ids", "token_type_ids", "position_ids")
        if is_ids and tensor.dtype not in (torch.int64, torch.int32):
            raise InputError(
                f"{name} holds {tensor.dtype}, but ids are whole numbers; write {name}.long()."
            )


def check_all_labels(model: str, wanted: Collection[str], given: Collection[str]) -> None:
    """Raise InputError unless all labels are given that `model` computes its loss from.

    Example:
        >>> from albert_lib.model.inputs import check_all_labels
        >>> check_all_labels("AlbertForMaskedLM", ["labels"], ["labels"])
    """
    if missing := sorted(set(wanted) - set(given)):
        raise InputError(
            f"{model} computes its loss from {' and '.join(wanted)}; "
            f"give {' and '.join(missing)} too."
        )


def check_masked_positions(masked_positions: Tensor | None, cls_only: bool = False) -> None:
    """Raise InputError unless masked positions are flat indices, and the only ones asked for.

    Example:
        >>> import torch
        >>> from albert_lib.model.inputs import check_masked_positions
        >>> check_masked_positions(torch.tensor([3, 9]))
        >>> check_masked_positions(torch.tensor([[3], [1]]))  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        albert_lib.errors.InputError: masked_positions has shape (2, 1), but ...
    """
    if masked_positions is not None and cls_only:
        raise InputError("Give masked_positions or cls_only, not both.")
    if masked_positions is not None and masked_positions.dim() != 1:
        raise InputError(
            f"masked_positions has shape {tuple(masked_positions.shape)}, but it holds flat "
            f"indices into batch x seq; write mask.flatten().nonzero()[:, 0]."
        )
