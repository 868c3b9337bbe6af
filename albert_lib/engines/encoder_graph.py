"""ALBERT's encoder as operations of ONNX, with the arrays of a shared layer in the graph once.

The layer's nodes are written out once for every application, some 25 small entries each, and all
of them refer to the same arrays by name. Matrices stay as they are in a folder's weights, (outputs,
inputs), which `Gemm` can read; the three of query, key and value lie under each other as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from albert_lib.engines.graph import Graph
from albert_lib.model import AlbertModel
from albert_lib.model.attention import SelfAttention
from albert_lib.model.google_attention import ADDED_TO_PADDING
from albert_lib.model.layer import AlbertLayer
from albert_lib.model.names import hugging_face_name
from albert_lib.model.weights import PretrainedModel

LOWEST = torch.finfo(torch.bfloat16).min  # finite in whatever precision an engine computes


@dataclass
class EncoderGraph:
    """Writes an encoder's parts into a graph; states are two-dimensional, (tokens, width).

    Example:
        >>> import numpy as np
        >>> from albert_lib import AlbertConfig, AlbertModel
        >>> model = AlbertModel(AlbertConfig(
        ...     vocab_size=9, hidden_size=24, num_hidden_layers=3, intermediate_size=48))
        >>> graph = Graph()
        >>> for name in ("input_ids", "attention_mask", "token_type_ids"):
        ...     graph.add_input(name, np.int64, ["batch", "seq"])
        >>> encoder = EncoderGraph(graph, model)
        >>> states = encoder.states("input_ids", "attention_mask", "token_type_ids")
        >>> graph.add_output("states", states, np.float32, ["tokens", 24])
        >>> arrays = graph.finished("encoder", {}).graph.initializer
        >>> sum(1 for each in arrays if each.name.endswith("ffn.weight"))  # of 3 layers
        1
    """

    graph: Graph
    model: AlbertModel
    whole_model: PretrainedModel | None = None  # with its head, if it has one

    def __post_init__(self) -> None:
        self._names = {
            id(parameter): hugging_face_name(name, self.model.config)
            for name, parameter in (self.whole_model or self.model).named_parameters()
        }
        self.heads = self.model.config.num_attention_heads
        self.width = self.model.config.hidden_size

    def states(
        self, input_ids: str, attention_mask: str, token_type_ids: str, rows: str | None = None
    ) -> str:
        """The last hidden states: of all tokens, or of some rows of batch x seq."""
        graph = self.graph
        shape = graph.add("Shape", input_ids)
        length = graph.add("Gather", shape, graph.whole(1))
        hidden = self._embedded(input_ids, token_type_ids, length)
        bias = self._mask(attention_mask)
        # (batch, seq, heads, size): the rows cut into texts, and each into heads
        self._split = graph.add(
            "Concat", shape, graph.whole(self.heads, self.width // self.heads), axis=0
        )
        *first, last = self.model.encoder.layers
        for layer in first:
            hidden = self._layer(layer, hidden, bias, None)
        return self._layer(last, hidden, bias, rows)

    def linear(self, module: nn.Linear, inputs: str) -> str:
        """A linear layer: inputs · weightᵀ + bias."""
        return self._gemm(inputs, self.named(module.weight), self.named(module.bias))

    def norm(self, module: nn.LayerNorm, inputs: str) -> str:
        """A layer normalisation."""
        weight, bias = self.named(module.weight), self.named(module.bias)
        return self.graph.add("LayerNormalization", inputs, weight, bias, epsilon=module.eps)

    def activation(self, inputs: str) -> str:
        """The activation that the configuration names."""
        graph, kind = self.graph, self.model.config.hidden_act
        if kind in ("gelu", "gelu_new"):
            return graph.add("Gelu", inputs, approximate="tanh" if kind == "gelu_new" else "none")
        if kind == "relu":
            return graph.add("Relu", inputs)
        if kind == "gelu_10":
            ends = graph.number(-10.0), graph.number(10.0)
            return graph.add("Clip", graph.add("Gelu", inputs, approximate="none"), *ends)
        slope = graph.number(1.702 if kind == "quick_gelu" else 1.0)  # or silu
        gate = graph.add("Sigmoid", graph.add("Mul", inputs, slope))
        return graph.add("Mul", inputs, gate)

    def named(self, parameter: Tensor) -> str:
        """A parameter as an array of the graph, once, under the name that folders give it."""
        return self.graph.array(self._names[id(parameter)], parameter)

    def _gemm(self, inputs: str, weight: str, bias: str) -> str:
        return self.graph.add("Gemm", inputs, weight, bias, transB=1)

    def _embedded(self, input_ids: str, token_type_ids: str, length: str) -> str:
        graph, tables = self.graph, self.model.embeddings
        words = graph.add("Gather", self.named(tables.word_embeddings.weight), input_ids)
        segments = graph.add(
            "Gather", self.named(tables.token_type_embeddings.weight), token_type_ids
        )
        positions = graph.add(
            "Slice", self.named(tables.position_embeddings.weight), graph.whole(0), length
        )
        embedded = graph.add("Add", graph.add("Add", words, segments), positions)
        width = self.model.config.embedding_size
        flat = graph.add("Reshape", self.norm(tables.norm, embedded), graph.whole(-1, width))
        projection = self.model.encoder.embedding_projection
        return self.linear(projection, flat) if isinstance(projection, nn.Linear) else flat

    def _mask(self, attention_mask: str) -> str:
        """What is added to the scores of keys: 0 at text, a large negative number at padding."""
        graph = self.graph
        padded = graph.add("Sub", graph.number(1.0), graph.add("Cast", attention_mask, to=1))
        added = ADDED_TO_PADDING if self.model.config.additive_mask else LOWEST
        bias = graph.add("Mul", padded, graph.number(added))
        return graph.add("Unsqueeze", bias, graph.whole(1, 2))  # (batch, 1, 1, keys)

    def _layer(self, layer: nn.Module, hidden: str, bias: str, rows: str | None) -> str:
        assert isinstance(layer, AlbertLayer)
        graph = self.graph
        context = self._context(layer.attention, hidden, bias)
        if rows is not None:  # nothing beyond the last layer reads the others
            context = graph.add("Gather", context, rows)
            hidden = graph.add("Gather", hidden, rows)
        attended = self.linear(layer.attention.output, context)
        hidden = self.norm(layer.attention_norm, graph.add("Add", hidden, attended))
        block = layer.feed_forward
        between = self.activation(self.linear(block.intermediate, hidden))
        projected = self.linear(block.projection, between)
        return self.norm(layer.feed_forward_norm, graph.add("Add", hidden, projected))

    def _context(self, attention: SelfAttention, hidden: str, bias: str) -> str:
        """Every head's weighted means of the values, side by side: (tokens, width)."""
        graph = self.graph
        parts = (attention.query, attention.key, attention.value)
        weight, bias_of_all = (
            self._below_each_other([getattr(p, n) for p in parts]) for n in ("weight", "bias")
        )
        query, key, value = graph.add_several(
            "Split", 3, self._gemm(hidden, weight, bias_of_all), axis=1, num_outputs=3
        )
        # (batch, heads, seq, size), of the keys (batch, heads, size, seq)
        query, key, value = (
            graph.add("Transpose", graph.add("Reshape", each, self._split), perm=order)
            for each, order in ((query, (0, 2, 1, 3)), (key, (0, 2, 3, 1)), (value, (0, 2, 1, 3)))
        )
        scale = graph.number((self.width // self.heads) ** -0.5)
        scores = graph.add("Mul", graph.add("MatMul", query, key), scale)
        shares = graph.add("Softmax", graph.add("Add", scores, bias), axis=-1)
        context = graph.add("Transpose", graph.add("MatMul", shares, value), perm=(0, 2, 1, 3))
        return graph.add("Reshape", context, graph.whole(-1, self.width))

    def _below_each_other(self, parts: list[Float[Tensor, "outputs ..."]]) -> str:
        name = "+".join(self._names[id(part)] for part in parts)
        return self.graph.array(name, torch.cat(parts))
