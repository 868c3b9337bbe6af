"""What a run's loss function gives its model, and which labels it scores, by a forward hook.

Batches pass through collators, wrappers and loss functions before a model sees them, and a mistake
in any of these looks, on the curve, like a model that cannot learn. So the model's own inputs are
recorded: ids, attention mask and segments; and from the gradient of the loss with respect to every
logit, which label each position was scored against.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from albert_lib.objectives import PretrainingBatch
from albert_lib.training.loop import LossFunction


@dataclass(frozen=True)
class ModelCall:
    """One call of a model inside a loss function; positions are flat, as in a batch."""

    input_ids: Int[Tensor, "batch seq"]
    attention_mask: Int[Tensor, "batch seq"]
    token_type_ids: Int[Tensor, "batch seq"]
    predicted_positions: Int[Tensor, " predictions"]  # where the loss depends on the logits
    labels: Int[Tensor, " predictions"]  # the token that the loss rewards there
    mlm_loss_ratio: float  # MLM loss over the mean cross-entropy of these predictions; 1 is right
    loss: Float[Tensor, ""]  # MLM and SOP together, with its graph


def record_model_call(
    model: nn.Module, loss_function: LossFunction, batch: PretrainingBatch
) -> ModelCall | None:
    """Call `loss_function(model, batch)`; return its call of the model, with the autograd graph.

    None when the loss function did not call the model, or does not depend on its MLM logits.
    """
    with torch.enable_grad(), recorded_calls(model) as calls:
        losses = loss_function(model, batch)
    if not calls or not calls[0][1].requires_grad:
        return None
    inputs, logits = calls[0]
    ids = inputs["input_ids"]
    mlm_loss = losses["mlm_loss"] if "mlm_loss" in losses else losses["loss"]
    gradients = torch.autograd.grad(mlm_loss, logits, retain_graph=True, materialize_grads=True)
    # The gradient of cross-entropy is softmax − one-hot: negative at the label alone.
    gradient = gradients[0].flatten(0, -2)
    depends = (gradient != 0).any(dim=1)
    if not depends.any():
        return None
    labels = gradient.argmin(dim=1)[depends]
    mean = F.cross_entropy(logits.detach().flatten(0, -2)[depends].float(), labels)
    positions = inputs.get("masked_positions")
    positions = torch.arange(len(gradient), device=ids.device) if positions is None else positions
    attention_mask, segments = inputs.get("attention_mask"), inputs.get("token_type_ids")
    return ModelCall(
        input_ids=ids,
        attention_mask=torch.ones_like(ids) if attention_mask is None else attention_mask,
        token_type_ids=torch.zeros_like(ids) if segments is None else segments,
        predicted_positions=positions[depends],
        labels=labels,
        mlm_loss_ratio=(mlm_loss.detach() / mean).item(),
        loss=losses["loss"],
    )


@contextlib.contextmanager
def recorded_calls(model: nn.Module) -> Iterator[list[tuple[dict[str, Any], Tensor]]]:
    """Record every call of `model` in the block: its arguments by name, and its MLM logits."""
    calls: list[tuple[dict[str, Any], Tensor]] = []
    signature = inspect.signature(model.forward)

    def record(module: nn.Module, args: Any, kwargs: Any, output: Any) -> None:
        arguments = signature.bind(*args, **kwargs).arguments
        calls.append((dict(arguments), output.prediction_logits))

    handle = model.register_forward_hook(record, with_kwargs=True)
    try:
        yield calls
    finally:
        handle.remove()


def describe_calls(
    calls: list[ModelCall],
    counts: Int[Tensor, " vocab"],
    *,
    pad_token_id: int,
    mask_token_id: int,
) -> dict[str, float]:
    """Describe a few batches as the model gets them; fractions from 0 to 1.

    `counts`: how often each token of the vocabulary occurs in the training text. Columns:

    - `text_share`: of all positions, those that are not padding
    - `text_attended`, `padding_attended` (where there is padding): of these, open to attention
    - `segment_share`: of the text, what is marked as segment B
    - `hidden_share`: of the text, what the loss predicts
    - `visible_share`: of the predictions, those whose label stands in the input to be copied
    - `kept_share`: of the predictions where the input is not [MASK], the same
    - `neighbour_share`: of the labels, those that stand in the input one position further, or one
      before
    - `label_surprise`: mean of −ln frequency over the labels, in nats: the unigram entropy, if
      they are tokens of this text
    """
    text = describe_inputs(calls, pad_token_id)
    predictions = describe_predictions(calls, counts, mask_token_id)
    n_text = sum(int((each.input_ids != pad_token_id).sum()) for each in calls)
    n_predictions = sum(len(each.labels) for each in calls)
    return {**text, **predictions, "hidden_share": n_predictions / max(1, n_text)}


def describe_inputs(calls: list[ModelCall], pad_token_id: int) -> dict[str, float]:
    """The columns of `describe_calls` on padding, attention and segments."""
    ids = torch.cat([each.input_ids.flatten() for each in calls])
    attended = torch.cat([each.attention_mask.flatten() for each in calls])
    segments = torch.cat([each.token_type_ids.flatten() for each in calls])
    is_text = ids != pad_token_id
    return means_of_columns(
        {
            "text_share": is_text,
            "text_attended": attended[is_text],
            "padding_attended": attended[~is_text],
            "segment_share": segments[is_text],
        }
    )


def describe_predictions(
    calls: list[ModelCall], counts: Int[Tensor, " vocab"], mask_token_id: int
) -> dict[str, float]:
    """The columns of `describe_calls` on the labels and the input at their positions."""
    labels = torch.cat([each.labels for each in calls])
    inputs = torch.cat([each.input_ids.flatten()[each.predicted_positions] for each in calls])
    neighbours = [
        torch.cat([each.input_ids.flatten().roll(by)[each.predicted_positions] for each in calls])
        for by in (-1, 1)
    ]
    frequencies = counts.clamp(min=0.5) / counts.sum()
    unmasked = inputs != mask_token_id
    described = means_of_columns(
        {
            "visible_share": inputs == labels,
            "kept_share": (inputs == labels)[unmasked],
            "label_surprise": -frequencies[labels].log(),
        }
    )
    beside = max((each == labels).float().mean().item() for each in neighbours)
    return {**described, "neighbour_share": beside}


def means_of_columns(columns: dict[str, Tensor]) -> dict[str, float]:
    """The mean of each column that has values."""
    return {name: of.float().mean().item() for name, of in columns.items() if len(of)}
