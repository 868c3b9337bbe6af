"""SQuAD 2.0's head as operations of ONNX: the likeliest starts, the ends of each, and no answer."""

from __future__ import annotations

import numpy as np

from albert_lib.engines.encoder_graph import EncoderGraph
from albert_lib.engines.graph import Graph
from albert_lib.model import AlbertForConditionedSpans
from albert_lib.model.conditioned_spans import (
    MASKED_SCORE,
    N_ENDS,
    N_STARTS,
    ConditionedSpanHead,
)

BATCH = ("batch", "seq")
P_MASK = "p_mask"  # 1 where no answer may start or end, as `mask_outside_window` makes it


def write_conditioned_spans(encoder: EncoderGraph, model: AlbertForConditionedSpans) -> None:
    """What the model returns without labels; the window is given as a mask.

    Example:
        >>> from albert_lib import AlbertConfig
        >>> from albert_lib.engines.model_graph import model_graph
        >>> graph = model_graph(AlbertForConditionedSpans(AlbertConfig(
        ...     vocab_size=9, hidden_size=24, num_hidden_layers=3, intermediate_size=48)), {}).graph
        >>> [each.name for each in graph.output][:2]
        ['start_logits', 'no_answer_logits']
    """
    graph, head, width = encoder.graph, model.span_head, model.config.hidden_size
    graph.add_input(P_MASK, np.int64, BATCH)
    rows = encoder.states("input_ids", "attention_mask", "token_type_ids")
    shape = graph.add("Shape", "input_ids")
    states = graph.add("Reshape", rows, graph.add("Concat", shape, graph.whole(width), axis=0))
    masked = graph.add("Cast", P_MASK, to=9)  # a truth value
    start = graph.add("Reshape", encoder.linear(head.start, rows), shape)
    start = _without_masked(graph, start, masked)
    graph.add_output("start_logits", start, np.float32, BATCH)
    graph.add_output(
        "no_answer_logits", _no_answer(encoder, head, states, start), np.float32, BATCH[:1]
    )
    starts = _likeliest(graph, "start", start, N_STARTS, ("batch", "starts"))
    ends = _ends(encoder, head, states, starts)
    ends = _without_masked(graph, ends, graph.add("Unsqueeze", masked, graph.whole(1)))
    _likeliest(graph, "end", ends, N_ENDS, ("batch", "starts", "ends"))


def _no_answer(encoder: EncoderGraph, head: ConditionedSpanHead, states: str, start: str) -> str:
    """The score of there being no answer, from the state expected of the start and that of [CLS].

    (batch,)
    """
    graph, width = encoder.graph, encoder.width
    probabilities = graph.add("Unsqueeze", graph.add("Softmax", start, axis=-1), graph.whole(1))
    expected = graph.add("MatMul", probabilities, states)  # (batch, 1, hidden)
    first = graph.add("Slice", states, graph.whole(0), graph.whole(1), graph.whole(1))
    both = graph.add("Concat", expected, first, axis=2)
    both = graph.add("Reshape", both, graph.whole(-1, 2 * width))
    hidden = graph.add("Tanh", encoder.linear(head.no_answer_hidden, both))
    score = graph.add("Gemm", hidden, encoder.named(head.no_answer.weight), transB=1)
    return graph.add("Reshape", score, graph.whole(-1))


def _ends(encoder: EncoderGraph, head: ConditionedSpanHead, states: str, starts: str) -> str:
    """The scores of every position as the end, given each start: (batch, starts, seq)."""
    graph = encoder.graph
    # A linear map of two vectors side by side is the sum of a map of each.
    weight = encoder.named(head.end_hidden.weight)
    of_state, of_start = graph.add_several("Split", 2, weight, axis=1, num_outputs=2)
    places = graph.add("Unsqueeze", starts, graph.whole(2))
    places = graph.add("Expand", places, graph.whole(1, 1, encoder.width))
    chosen = _times(graph, graph.add("GatherElements", states, places, axis=1), of_start)
    chosen = graph.add("Add", chosen, encoder.named(head.end_hidden.bias))
    sums = graph.add(
        "Add",
        graph.add("Unsqueeze", _times(graph, states, of_state), graph.whole(1)),
        graph.add("Unsqueeze", chosen, graph.whole(2)),
    )  # (batch, starts, seq, hidden)
    normed = encoder.norm(head.end_norm, graph.add("Tanh", sums))
    ends = graph.add(
        "Squeeze", _times(graph, normed, encoder.named(head.end.weight)), graph.whole(3)
    )
    return graph.add("Add", ends, encoder.named(head.end.bias))


def _likeliest(graph: Graph, name: str, scores: str, most: int, shape: tuple[str, ...]) -> str:
    """Write the likeliest places and their log probabilities as outputs; return the places."""
    length = graph.add("Gather", graph.add("Shape", "input_ids"), graph.whole(1))
    count = graph.add("Min", length, graph.whole(most))
    log_probs = graph.add("LogSoftmax", scores, axis=-1)
    values, places = graph.add_several("TopK", 2, log_probs, count, axis=-1)
    graph.add_output(f"top_{name}s", places, np.int64, shape)
    graph.add_output(f"top_{name}_log_probs", values, np.float32, shape)
    return places


def _without_masked(graph: Graph, scores: str, where: str) -> str:
    return graph.add("Where", where, graph.number(MASKED_SCORE), scores)


def _times(graph: Graph, states: str, weight: str) -> str:
    """States of any dimensions times the transposed weight."""
    return graph.add("MatMul", states, graph.add("Transpose", weight, perm=(1, 0)))
