"""A whole model as operations of ONNX: what goes in, the encoder, and what its head makes of it.

Batch and length have names instead of sizes, so that any are taken. Inputs are the ids, the mask
and the segments of a tokenizer's batch. A model that fills masks also takes `positions`, flat
indices into batch x seq: of the last layer, and of the vocabulary's scores, only what is asked for
is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from torch import nn

from albert_lib.engines.encoder_graph import EncoderGraph
from albert_lib.engines.graph import Graph
from albert_lib.engines.spans_graph import BATCH, write_conditioned_spans
from albert_lib.errors import InputError
from albert_lib.model import (
    AlbertForConditionedSpans,
    AlbertForMaskedLM,
    AlbertForMultipleChoice,
    AlbertForPreTraining,
    AlbertForQuestionAnswering,
    AlbertForSequenceClassification,
    AlbertForTokenClassification,
    AlbertModel,
)
from albert_lib.model.weights import PretrainedModel

IDS, MASK, SEGMENTS = INPUTS = ("input_ids", "attention_mask", "token_type_ids")
POSITIONS = "positions"


def model_graph(model: PretrainedModel, about: dict[str, str]) -> Any:
    """The model as an `onnx.ModelProto`; `about` are remarks to be kept in it.

    Raises InputError for a kind of model that has no form here.

    Example:
        >>> from albert_lib import AlbertConfig, AlbertForMaskedLM
        >>> model = AlbertForMaskedLM(AlbertConfig(
        ...     vocab_size=9, hidden_size=24, num_hidden_layers=3, intermediate_size=48))
        >>> graph = model_graph(model, {}).graph
        >>> [each.name for each in graph.input]
        ['input_ids', 'attention_mask', 'token_type_ids', 'positions']
        >>> [each.name for each in graph.output]
        ['logits']
    """
    write = HEAD_WRITERS.get(type(model))
    if write is None:
        raise InputError(
            f"A {type(model).__name__} has no form in ONNX; give one of "
            f"{', '.join(kind.__name__ for kind in HEAD_WRITERS)}."
        )
    graph = Graph()
    shape = ("batch", "choices", "seq") if isinstance(model, AlbertForMultipleChoice) else BATCH
    for name in INPUTS:
        graph.add_input(name, np.int64, shape)
    bare = model if isinstance(model, AlbertModel) else model.albert
    assert isinstance(bare, AlbertModel)
    write(EncoderGraph(graph, bare, model), model)
    return graph.finished(type(model).__name__, about)


def write_masked_lm(encoder: EncoderGraph, model: AlbertForMaskedLM | AlbertForPreTraining) -> None:
    """Scores of the vocabulary at the positions, and of the sentences' order if there is a head."""
    graph, head = encoder.graph, model.mlm_head
    graph.add_input(POSITIONS, np.int64, ["predictions"])
    order = isinstance(model, AlbertForPreTraining)
    rows = POSITIONS
    if order:
        rows = graph.add("Concat", POSITIONS, _begins(graph), axis=0)
    states = encoder.states(*INPUTS, rows=rows)
    if order:
        n_predictions = graph.add("Shape", POSITIONS)
        end = graph.whole(2**62)
        first = graph.add("Slice", states, n_predictions, end)
        states = graph.add("Slice", states, graph.whole(0), n_predictions)
    narrow = encoder.norm(head.norm, encoder.activation(encoder.linear(head.dense, states)))
    words = encoder.named(model.albert.embeddings.word_embeddings.weight)  # the tied matrix
    logits = graph.add("Gemm", narrow, words, encoder.named(head.bias), transB=1)
    graph.add_output("logits", logits, np.float32, ["predictions", model.config.vocab_size])
    if isinstance(model, AlbertForPreTraining):
        scores = encoder.linear(model.sop_head.classifier, _pooled(encoder, model.albert, first))
        graph.add_output("sop_logits", scores, np.float32, ["batch", 2])


def write_states(encoder: EncoderGraph, model: AlbertModel) -> None:
    """The states of all tokens and, if there is a pooler, a vector for each text."""
    graph, width = encoder.graph, model.config.hidden_size
    states = encoder.states(*INPUTS)
    shape = graph.add("Concat", graph.add("Shape", IDS), graph.whole(width), axis=0)
    whole = graph.add("Reshape", states, shape)
    graph.add_output("last_hidden_state", whole, np.float32, [*BATCH, width])
    if model.pooler is not None:
        pooled = _pooled(encoder, model, graph.add("Gather", states, _begins(graph)))
        graph.add_output("pooler_output", pooled, np.float32, ["batch", width])


def write_classes(encoder: EncoderGraph, model: AlbertForSequenceClassification) -> None:
    """Scores of the classes of each text."""
    graph = encoder.graph
    pooled = _pooled(encoder, model.albert, encoder.states(*INPUTS, rows=_begins(graph)))
    scores = encoder.linear(model.classifier, pooled)
    graph.add_output("logits", scores, np.float32, ["batch", model.config.num_labels])


def write_choices(encoder: EncoderGraph, model: AlbertForMultipleChoice) -> None:
    """A score of each choice; every choice is a text of its own."""
    graph = encoder.graph
    shape = graph.add("Shape", IDS)
    length = graph.add("Gather", shape, graph.whole(2))
    flat = graph.add("Concat", graph.whole(-1), length, axis=0)
    texts = [graph.add("Reshape", name, flat) for name in INPUTS]
    ids, mask, segments = texts
    first = encoder.states(ids, mask, segments, rows=_begins(graph, ids))
    pooled = _pooled(encoder, model.albert, first)
    scores = encoder.linear(model.classifier, pooled)
    by_question = graph.add("Slice", shape, graph.whole(0), graph.whole(2))
    scores = graph.add("Reshape", scores, by_question)
    graph.add_output("logits", scores, np.float32, ["batch", "choices"])


def write_token_classes(encoder: EncoderGraph, model: AlbertForTokenClassification) -> None:
    """Scores of the classes of each token."""
    scores = _by_text(encoder, encoder.linear(model.classifier, encoder.states(*INPUTS)))
    encoder.graph.add_output("logits", scores, np.float32, [*BATCH, model.config.num_labels])


def write_spans(encoder: EncoderGraph, model: AlbertForQuestionAnswering) -> None:
    """Scores of every token as the start and as the end of the answer."""
    graph = encoder.graph
    scores = _by_text(encoder, encoder.linear(model.qa_outputs, encoder.states(*INPUTS)))
    for number, name in enumerate(("start_logits", "end_logits")):
        of_one = graph.add("Gather", scores, graph.array(f"at_{number}", np.array(number)), axis=2)
        graph.add_output(name, of_one, np.float32, BATCH)


HEAD_WRITERS: dict[type[PretrainedModel], Callable[[EncoderGraph, Any], None]] = {
    AlbertForMaskedLM: write_masked_lm,
    AlbertForPreTraining: write_masked_lm,
    AlbertModel: write_states,
    AlbertForSequenceClassification: write_classes,
    AlbertForMultipleChoice: write_choices,
    AlbertForTokenClassification: write_token_classes,
    AlbertForQuestionAnswering: write_spans,
    AlbertForConditionedSpans: write_conditioned_spans,
}


def _begins(graph: Graph, ids: str = IDS) -> str:
    """The rows of batch x seq with which texts begin: those of [CLS]."""
    zero, one = (graph.array(f"at_{number}", np.array(number)) for number in (0, 1))
    shape = graph.add("Shape", ids)
    n_tokens = graph.add("ReduceProd", shape, keepdims=0)
    return graph.add("Range", zero, n_tokens, graph.add("Gather", shape, one))


def _pooled(encoder: EncoderGraph, model: AlbertModel, first: str) -> str:
    assert isinstance(model.pooler, nn.Linear)
    return encoder.graph.add("Tanh", encoder.linear(model.pooler, first))


def _by_text(encoder: EncoderGraph, rows: str) -> str:
    """Rows of batch x seq as (batch, seq, …)."""
    graph = encoder.graph
    shape = graph.add("Concat", graph.add("Shape", IDS), graph.whole(-1), axis=0)
    return graph.add("Reshape", rows, shape)
