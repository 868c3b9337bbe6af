"""Every kind of model gives the same numbers by PyTorch, by onnxruntime and by OpenVINO."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from albert_lib import AlbertConfig, model
from albert_lib.engines.engine import ENGINES, open_engine
from albert_lib.engines.engine_model import EngineModel
from albert_lib.engines.graph import Graph
from albert_lib.engines.model_graph import HEAD_WRITERS, model_graph
from albert_lib.engines.onnx_files import onnx_bytes
from albert_lib.errors import InputError
from albert_lib.model.layer import ACTIVATIONS

KINDS = [kind.__name__ for kind in HEAD_WRITERS]
SMALL = AlbertConfig(
    vocab_size=100,
    embedding_size=16,
    hidden_size=32,
    num_hidden_layers=4,
    num_attention_heads=4,
    intermediate_size=64,
    max_position_embeddings=64,
    labels=("a", "b", "c"),
)
SHAPES = ((1, 7), (3, 12), (2, 3))  # in turn, of one and the same opened model


def drawn_model(kind: str, config: AlbertConfig = SMALL) -> Any:
    """A model none of whose weights is 0 or 1, so that each has to be in its place."""
    torch.manual_seed(0)
    drawn = getattr(model, kind)(config).eval()
    for parameter in drawn.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return drawn


def padded_batch(kind: str, shape: tuple[int, int]) -> dict[str, Tensor]:
    if kind == "AlbertForMultipleChoice":
        shape = (shape[0], 2, shape[1])
    ids = torch.randint(5, 100, shape)
    mask, segments = torch.ones_like(ids), torch.zeros_like(ids)
    segments[..., shape[-1] // 2 :] = 1
    if shape[0] > 1:
        mask[-1, ..., -2:] = 0
    batch = {"input_ids": ids, "attention_mask": mask, "token_type_ids": segments}
    if kind in ("AlbertForMaskedLM", "AlbertForPreTraining"):
        batch["masked_positions"] = torch.tensor([1, ids.numel() - 3])
    return batch


def check_same(kind: str, ours: Any) -> None:
    """Compare a model with both engines, whatever the batch and its length."""
    contents = onnx_bytes(ours)
    by_engine = [EngineModel(ours.config, kind, open_engine(e, contents), "") for e in ENGINES]
    for shape in SHAPES:
        batch = padded_batch(kind, shape)
        with torch.no_grad():
            expected = ours(**batch)
        for found in (each(**batch) for each in by_engine):
            assert type(found) is type(expected)
            for name in list(expected.keys()):
                right, other = getattr(expected, name), getattr(found, name)
                if right.dtype == torch.int64:  # places whose scores are masked are all the same
                    scores = getattr(expected, f"{name[:-1]}_log_probs")
                    right, other = right[scores > -1e29], other[scores > -1e29]
                torch.testing.assert_close(other, right, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_every_head_gives_the_numbers_of_pytorch(kind: str) -> None:
    check_same(kind, drawn_model(kind))


@pytest.mark.parametrize(
    "changes",
    [
        *({"hidden_act": name} for name in ACTIVATIONS if name != SMALL.hidden_act),
        {"num_hidden_groups": 2, "inner_group_num": 2},
        {"sharing": "attention"},
        {"sharing": "none"},
        {"embedding_size": 32, "project_equal_widths": False, "additive_mask": True},
    ],
    ids=lambda changes: " ".join(map(str, changes.values())),
)
def test_every_kind_of_layer_and_sharing_too(changes: dict[str, Any]) -> None:
    check_same("AlbertForMaskedLM", drawn_model("AlbertForMaskedLM", SMALL.replace(**changes)))


def test_without_positions_every_position_is_scored() -> None:
    ours = drawn_model("AlbertForMaskedLM")
    other = EngineModel(
        ours.config, "AlbertForMaskedLM", open_engine("onnxruntime", onnx_bytes(ours)), ""
    )
    ids = torch.randint(5, 100, (2, 5))
    with torch.no_grad():
        torch.testing.assert_close(other(ids).logits, ours(ids).logits, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(("sharing", "matrices"), [("all", 1), ("none", 4), ("ffn", 1)])
def test_shared_arrays_are_in_the_graph_once(sharing: str, matrices: int) -> None:
    ours = drawn_model("AlbertForMaskedLM", SMALL.replace(sharing=sharing))
    arrays = model_graph(ours, {}).graph.initializer
    names = [each.name for each in arrays]
    assert len(names) == len(set(names))
    assert sum(name.endswith(".ffn.weight") for name in names) == matrices
    numbers = sum(len(each.raw_data) for each in arrays if each.data_type == 1) // 4
    assert numbers - ours.num_parameters() < 10, "beside the weights, a few numbers alone"


def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match=r"A PretrainedModel has no form in ONNX; give one of"):
        model_graph(model.albert.PretrainedModel(SMALL), {})


def test_an_array_is_what_was_given() -> None:
    graph = Graph()
    graph.array("matrix", torch.arange(6.0).view(2, 3).t())  # not contiguous
    (array,) = graph.finished("one", {"from": "a test"}).graph.initializer
    assert graph.onnx.numpy_helper.to_array(array).tolist() == [[0, 3], [1, 4], [2, 5]]
