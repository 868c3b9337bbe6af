"""The formulas of what training costs, beside what PyTorch counts and keeps."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from albert_lib.config import AlbertConfig, Sharing
from albert_lib.model import AlbertForPreTraining, costs
from albert_lib.workbook.saved_tensors import saved_tensors

BATCH, LENGTH = 2, 7


def odd_sizes(**changes: Any) -> AlbertConfig:
    """Sizes none of which is a multiple of another, so that a formula cannot be right by luck."""
    sizes = {
        "vocab_size": 101,
        "embedding_size": 10,
        "hidden_size": 33,
        "num_hidden_layers": 4,
        "num_attention_heads": 3,
        "intermediate_size": 47,
        "max_position_embeddings": 16,
        "hidden_act": "gelu",
        "classifier_dropout_prob": 0.0,
    }
    return AlbertConfig(**{**sizes, **changes})


def theirs(config: AlbertConfig, attention: str = "eager") -> torch.nn.Module:
    transformers = pytest.importorskip("transformers")
    settings = transformers.AlbertConfig(**config.to_dict(), attn_implementation=attention)
    return transformers.AlbertForPreTraining(settings).train()


def their_loss(model: torch.nn.Module) -> torch.Tensor:
    ids = torch.arange(BATCH * LENGTH).reshape(BATCH, LENGTH) + 5
    order = torch.zeros(BATCH, dtype=torch.long)
    return model(input_ids=ids, labels=ids, sentence_order_label=order).loss


def bytes_saved_by(model: torch.nn.Module) -> int:
    """Bytes of numbers that are saved; neither ids nor the losses' own few scalars."""
    saved = saved_tensors(lambda: their_loss(model), model)
    return sum(
        tensor.untyped_storage().nbytes()
        for tensor in saved
        if tensor.is_floating_point() and tensor.dim() > 0
    )


@pytest.mark.parametrize("changes", [{}, {"inner_group_num": 2}, {"num_hidden_groups": 2}])
def test_training_flops_are_what_pytorch_counts_in_transformers(changes: dict[str, int]) -> None:
    config = odd_sizes(**changes)
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        their_loss(theirs(config)).backward()
    everywhere = BATCH * LENGTH  # transformers scores the vocabulary at every position
    counted = costs.training_flops(config, BATCH, LENGTH, everywhere)
    assert sum(counted.values()) == counter.get_total_flops()


@pytest.mark.parametrize("sharing", ["all", "attention", "ffn", "none"])
@pytest.mark.parametrize("equal_widths", [True, False])
def test_a_third_of_them_is_the_forward_pass_of_our_model(
    sharing: Sharing, equal_widths: bool
) -> None:
    config = odd_sizes(sharing=sharing, embedding_size=33, project_equal_widths=equal_widths)
    ids = torch.zeros(BATCH, LENGTH, dtype=torch.long, device="meta")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        AlbertForPreTraining(config)(ids)
    counted = costs.training_flops(config, BATCH, LENGTH, BATCH * LENGTH)
    assert sum(counted.values()) == 3 * counter.get_total_flops()


def test_our_model_spares_most_of_the_last_layer_and_nothing_else() -> None:
    config = odd_sizes()
    ids = torch.zeros(BATCH, LENGTH, dtype=torch.long, device="meta")
    asked = torch.zeros(3, dtype=torch.long, device="meta")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        AlbertForPreTraining(config)(ids, masked_positions=asked)
    shape = (config, BATCH, LENGTH, len(asked))
    done = sum(costs.training_flops(*shape).values()) - costs.spared_flops(*shape)
    assert done == 3 * counter.get_total_flops()


@pytest.mark.parametrize(
    ("size", "billions"),
    [("base", 0.57), ("large", 1.96), ("xlarge", 7.55), ("xxlarge", 14.8)],
)
def test_published_sizes_cost_what_was_computed_of_them(size: str, billions: float) -> None:
    flops = costs.flops_a_token(AlbertConfig.preset(f"albert-{size}-v2"))
    assert flops / 1e9 == pytest.approx(billions, rel=0.006)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_activations_are_the_tensors_that_transformers_keeps(attention: str) -> None:
    config = odd_sizes(hidden_size=24)  # heads of 8: the fused kernel pads others
    expected = costs.activation_bytes(
        config, BATCH, LENGTH, BATCH * LENGTH, fused_attention=attention == "sdpa"
    )
    assert bytes_saved_by(theirs(config, attention)) == sum(expected.values())


def test_autocast_keeps_a_little_less_on_a_cpu_than_is_foretold_for_a_gpu() -> None:
    config = odd_sizes(hidden_size=64, num_attention_heads=4, intermediate_size=256)
    model = theirs(config, "sdpa")

    def loss() -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return their_loss(model)

    # the narrow copies of the weights are saved too, and are counted among the state
    copies = costs.state_bytes(config, costs.BFLOAT16)["copies"]
    saved = sum(each.untyped_storage().nbytes() for each in saved_tensors(loss, model)) - copies
    foretold = costs.activation_bytes(
        config, BATCH, LENGTH, BATCH * LENGTH, matrix_bytes=costs.BFLOAT16
    )
    # what enters a LayerNorm stays narrow there: 4 of 36 H bytes a layer
    assert 0.8 * sum(foretold.values()) < saved < sum(foretold.values())


def test_a_gelu_that_is_spelled_out_keeps_three_tensors_more() -> None:
    config = odd_sizes()
    layers = config.num_hidden_layers * config.intermediate_size
    spelled_out = bytes_saved_by(theirs(config.replace(hidden_act="gelu_new")))
    more = 3 * BATCH * LENGTH * (layers + config.embedding_size) * 4
    assert spelled_out - bytes_saved_by(theirs(config)) == more


def test_a_parameter_takes_sixteen_bytes_and_two_more_as_a_narrow_copy() -> None:
    config = AlbertConfig.preset("albert-xlarge-v1")
    assert sum(costs.state_bytes(config).values()) == 16 * 59_021_490
    assert sum(costs.state_bytes(config, costs.BFLOAT16).values()) == 18 * 59_021_490


@pytest.mark.parametrize("matrix_bytes", [costs.FLOAT32, costs.BFLOAT16])
def test_the_largest_batch_fits_and_one_more_does_not(matrix_bytes: int) -> None:
    config, memory = AlbertConfig.preset("albert-large-v2"), 16e9
    batch = costs.largest_batch(config, memory, 512, 20, matrix_bytes)
    needed = [
        costs.training_bytes(config, size, 512, 20 * size, matrix_bytes)
        for size in (batch, batch + 1)
    ]
    assert needed[0] <= memory < needed[1]


def test_a_model_larger_than_the_memory_fits_no_batch() -> None:
    assert costs.largest_batch(AlbertConfig.preset("albert-xxlarge-v2"), 3e9) == 0


@pytest.mark.parametrize("workers", [1, 2, 3, 8])
def test_ring_bytes_are_what_a_ring_sends(workers: int) -> None:
    pieces = 24  # divisible by every number of workers here
    vectors = [[float(worker * pieces + k) for k in range(pieces)] for worker in range(workers)]
    sent = _ring_all_reduce(vectors)
    assert vectors == [vectors[0]] * workers
    assert vectors[0][0] == sum(worker * pieces for worker in range(workers))
    assert sent == [costs.ring_bytes(pieces, workers)] * workers


def _ring_all_reduce(vectors: list[list[float]]) -> list[int]:
    """Sum the vectors in place by passing pieces round a ring; count the numbers each sends."""
    workers = len(vectors)
    share = len(vectors[0]) // workers
    sent = [0] * workers
    for handing_out in (False, True):
        for turn in range(workers - 1):
            parcels = []
            for worker in range(workers):
                piece = (worker - turn + handing_out) % workers
                chosen = slice(piece * share, (piece + 1) * share)
                parcels.append((chosen, vectors[worker][chosen]))
                sent[worker] += share
            for worker, (chosen, values) in enumerate(parcels):
                target = vectors[(worker + 1) % workers]
                target[chosen] = (
                    values
                    if handing_out
                    else [a + b for a, b in zip(target[chosen], values, strict=True)]
                )
    return sent
