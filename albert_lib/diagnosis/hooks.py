"""What a run's loss function really shows its model, and what it really asks of it.

Batches pass through collators, wrappers and loss functions before a model sees them, and a mistake
in any of these looks, on the curve, like a model that cannot learn. So this listens at the model's
own door: which ids, attention mask and segments came in, and, from the gradient of the loss at
every score, which label each position was held against.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.objectives import PretrainingBatch

LossFunction = Callable[[nn.Module, PretrainingBatch], Mapping[str, Tensor]]


@dataclass(frozen=True)
class Overheard:
    """One call of a model inside a loss function; positions are flat, as in a batch."""

    input_ids: Int[Tensor, "batch seq"]
    attention_mask: Int[Tensor, "batch seq"]
    token_type_ids: Int[Tensor, "batch seq"]
    asked: Int[Tensor, " predictions"]  # the positions that the loss depends on
    labels: Int[Tensor, " predictions"]  # and the piece it rewards at each
    counted_share: float  # the MLM loss ÷ mean cross-entropy of what it asks for: 1 by rights
    loss: Float[Tensor, ""]  # MLM and SOP together, with its graph


def overhear(
    model: nn.Module, loss_function: LossFunction, batch: PretrainingBatch
) -> Overheard | None:
    """Call `loss_function(model, batch)`; return what passed, with its graph of gradients.

    None when the loss function did not call the model, or does not depend on its piece scores.
    """
    with torch.enable_grad(), noted_calls(model) as calls:
        losses = loss_function(model, batch)
    if not calls or not calls[0][1].requires_grad:
        return None
    given, scores = calls[0]
    ids = given["input_ids"]
    masked = losses["mlm_loss"] if "mlm_loss" in losses else losses["loss"]
    slopes = torch.autograd.grad(masked, scores, retain_graph=True, materialize_grads=True)
    # Cross-entropy's gradient is softmax − one-hot: below zero at the label alone.
    slope = slopes[0].flatten(0, -2)
    depends = (slope != 0).any(dim=1)
    if not depends.any():
        return None
    labels = slope.argmin(dim=1)[depends]
    mean = F.cross_entropy(scores.detach().flatten(0, -2)[depends].float(), labels)
    positions = given.get("masked_positions")
    positions = torch.arange(len(slope), device=ids.device) if positions is None else positions
    attended, segments = given.get("attention_mask"), given.get("token_type_ids")
    return Overheard(
        input_ids=ids,
        attention_mask=torch.ones_like(ids) if attended is None else attended,
        token_type_ids=torch.zeros_like(ids) if segments is None else segments,
        asked=positions[depends],
        labels=labels,
        counted_share=(masked.detach() / mean).item(),
        loss=losses["loss"],
    )


@contextlib.contextmanager
def noted_calls(model: nn.Module) -> Iterator[list[tuple[dict[str, Any], Tensor]]]:
    """Note every call of `model` in the block: its arguments by name, and its piece scores."""
    calls: list[tuple[dict[str, Any], Tensor]] = []
    names = inspect.signature(model.forward)

    def note(module: nn.Module, words: Any, named: Any, output: Any) -> None:
        calls.append((dict(names.bind(*words, **named).arguments), output.prediction_logits))

    handle = model.register_forward_hook(note, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()


def describe_shown(
    heard: list[Overheard],
    counts: Int[Tensor, " vocab"],
    *,
    pad_token_id: int,
    mask_token_id: int,
) -> dict[str, float]:
    """Describe what a model is shown and asked, over a few batches; shares from 0 to 1.

    `counts`: how often each piece occurs in the training text.

    - `text_share`: of the positions, those that are not padding
    - `text_attended`, `padding_attended` (where there is padding): of these, open to attention
    - `segment_share`: of the text, what is marked as segment B
    - `hidden_share`: of the text, what the loss asks for
    - `visible_share`: of what is asked for, the labels that stand there to be copied
    - `kept_share`: of what is asked for without a [MASK] in its place, the same
    - `neighbour_share`: the labels that stand one place further on, or one place before
    - `label_surprise`: mean of −ln frequency over the labels, in nats: the unigram entropy, if
      they are pieces of this text
    """
    ids = torch.cat([each.input_ids.flatten() for each in heard])
    attended = torch.cat([each.attention_mask.flatten() for each in heard]).float()
    segments = torch.cat([each.token_type_ids.flatten() for each in heard]).float()
    labels = torch.cat([each.labels for each in heard])
    shown = torch.cat([each.input_ids.flatten()[each.asked] for each in heard])
    beside = [
        torch.cat([each.input_ids.flatten().roll(by)[each.asked] for each in heard]) == labels
        for by in (-1, 1)
    ]
    is_text = ids != pad_token_id
    frequencies = counts.clamp(min=0.5) / counts.sum()
    unmasked = shown != mask_token_id
    means = {
        "text_share": is_text,
        "text_attended": attended[is_text],
        "padding_attended": attended[~is_text],
        "segment_share": segments[is_text],
        "visible_share": shown == labels,
        "kept_share": (shown == labels)[unmasked],
        "label_surprise": -frequencies[labels].log(),
    }
    described = {name: of.float().mean().item() for name, of in means.items() if len(of)}
    described["neighbour_share"] = max(each.float().mean().item() for each in beside)
    return {**described, "hidden_share": len(labels) / max(1, int(is_text.sum()))}
