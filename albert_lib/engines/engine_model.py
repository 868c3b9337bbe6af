"""A model run by an engine, called as the models of this library are."""

from __future__ import annotations

import os
from dataclasses import fields
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor, nn

from albert_lib import model as models
from albert_lib.config import AlbertConfig
from albert_lib.engines.engine import Engine, check_engine, open_engine
from albert_lib.engines.model_graph import INPUTS, POSITIONS
from albert_lib.engines.onnx_files import ONNX_FILE, check_exported, is_exported, onnx_bytes
from albert_lib.errors import CheckpointError
from albert_lib.hub import resolve_folder
from albert_lib.model.conditioned_spans import mask_outside_window
from albert_lib.model.outputs import (
    AlbertOutput,
    ClassifierOutput,
    MaskedLMOutput,
    ModelOutput,
    PreTrainingOutput,
    QuestionAnsweringOutput,
)
from albert_lib.model.weights import PretrainedModel

# What comes of each kind of model.
OUTPUTS: dict[str, type[ModelOutput]] = {
    "AlbertForMaskedLM": MaskedLMOutput,
    "AlbertForPreTraining": PreTrainingOutput,
    "AlbertModel": AlbertOutput,
    "AlbertForSequenceClassification": ClassifierOutput,
    "AlbertForMultipleChoice": ClassifierOutput,
    "AlbertForTokenClassification": ClassifierOutput,
    "AlbertForQuestionAnswering": QuestionAnsweringOutput,
    "AlbertForConditionedSpans": models.ConditionedSpanOutput,
}


class EngineModel(nn.Module):
    """A model whose numbers an engine computes: `forward` takes and returns what the model does.

    It has no parameters and cannot be trained.

    Example:
        >>> import torch
        >>> from albert_lib.files import data_folder
        >>> folder = data_folder() / "checkpoints" / "albert-mini-en"
        >>> model = load_engine_model(folder, ["AlbertForMaskedLM"], "onnxruntime")
        >>> model(torch.tensor([[2, 4, 3]]), masked_positions=torch.tensor([1])).logits.shape
        torch.Size([1, 8000])
    """

    def __init__(self, config: AlbertConfig, kind: str, engine: Engine, name: str) -> None:
        super().__init__()
        self.config = config
        self.kind = kind
        self.engine = engine
        self.name = name  # the folder or id that it came from

    @property
    def scores_order(self) -> bool:
        """Whether it has a sentence-order head."""
        return self.kind == "AlbertForPreTraining"

    def forward(
        self,
        input_ids: Int[Tensor, "*batch seq"],
        attention_mask: Int[Tensor, "*batch seq"] | Bool[Tensor, "*batch seq"] | None = None,
        token_type_ids: Int[Tensor, "*batch seq"] | None = None,
        masked_positions: Int[Tensor, "predictions"] | None = None,
        p_mask: Int[Tensor, "*batch seq"] | Bool[Tensor, "*batch seq"] | None = None,
    ) -> Any:
        """The model's outputs, in float32; without `masked_positions`, those of every position."""
        attention_mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
        token_type_ids = torch.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        given: dict[str, Tensor] = dict(
            zip(INPUTS, (input_ids, attention_mask, token_type_ids), strict=True)
        )
        everywhere = POSITIONS in self.engine.inputs and masked_positions is None
        if POSITIONS in self.engine.inputs:
            all_positions = torch.arange(input_ids.numel())
            given[POSITIONS] = all_positions if masked_positions is None else masked_positions
        if "p_mask" in self.engine.inputs:
            if p_mask is None:
                p_mask = mask_outside_window(token_type_ids, attention_mask)
            given["p_mask"] = p_mask
        arrays = {name: _whole_numbers(tensor) for name, tensor in given.items()}
        known = {"logits", *(each.name for each in fields(OUTPUTS[self.kind]))}
        outputs: dict[str, Tensor | None] = {
            name: torch.from_numpy(values)
            for name, values in self.engine.run(arrays).items()
            if name in known  # OpenVINO also tells the name of the node that an output comes from
        }
        if everywhere:
            outputs["logits"] = cast(Tensor, outputs["logits"]).unflatten(0, input_ids.shape)
        if self.scores_order:
            outputs["prediction_logits"] = outputs.pop("logits")
        if self.kind == "AlbertModel":
            outputs.setdefault("pooler_output", None)
        kind: Any = OUTPUTS[self.kind]
        return kind(**outputs)


def load_engine_model(
    name_or_path: str | os.PathLike[str],
    kinds: list[str],
    engine: str,
    precision: str = "float32",
) -> EngineModel:
    """Open a model with an engine: an exported folder as it is, any other by way of memory.

    `kinds` are the kinds of model that will do, the best first. Raises what loading a model
    raises, InputError for an unknown engine, and CheckpointError where its package is missing, or
    the exported model is damaged or of another kind.
    """
    check_engine(engine, precision)
    folder = resolve_folder(name_or_path, "weights")
    if is_exported(folder):
        kind = check_exported(folder)
        fills_masks = kind == "AlbertForPreTraining" and "AlbertForMaskedLM" in kinds
        if kind not in kinds and not fills_masks:
            raise CheckpointError(
                f"{folder / ONNX_FILE} is an {kind}, and {' or '.join(kinds)} is needed; export "
                f"the model with another --head."
            )
        config = AlbertConfig.from_json(folder / "config.json")
        opened = open_engine(engine, folder / ONNX_FILE, precision)
        return EngineModel(config, kind, opened, str(name_or_path))
    model = first_that_loads(name_or_path, kinds)
    opened = open_engine(engine, onnx_bytes(model), precision)
    return EngineModel(model.config, type(model).__name__, opened, str(name_or_path))


def first_that_loads(name_or_path: str | os.PathLike[str], kinds: list[str]) -> PretrainedModel:
    """Load a folder as the first kind of model that its weights suffice for.

    Example:
        >>> kinds = ["AlbertForPreTraining", "AlbertForMaskedLM"]
        >>> type(first_that_loads("albert-mini-en", kinds)).__name__
        'AlbertForPreTraining'
    """
    *better, last = [getattr(models, kind) for kind in kinds]
    for kind in better:
        try:
            return kind.from_pretrained(name_or_path)
        except CheckpointError:  # a folder that is no good at all is met below
            continue
    return last.from_pretrained(name_or_path)


def _whole_numbers(tensor: Tensor) -> np.ndarray:
    return tensor.detach().cpu().long().contiguous().numpy()
