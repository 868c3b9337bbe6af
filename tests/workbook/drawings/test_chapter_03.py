import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from albert_lib.config import AlbertConfig
from albert_lib.model import AlbertModel
from albert_lib.workbook.drawings.chapter_03 import (
    draw_factorisation,
    draw_sharing,
    forward_flops,
    training_gigabytes,
)


@pytest.mark.parametrize("sharing", ["all", "none"])
def test_the_formula_counts_the_operations_that_pytorch_counts(sharing: str) -> None:
    length = 96
    config = AlbertConfig(vocab_size=50, num_hidden_layers=3, sharing=sharing)
    ids = torch.zeros(1, length, dtype=torch.long, device="meta")
    with torch.device("meta"), FlopCounterMode(display=False) as counter:
        AlbertModel(config, pooler=False)(ids)
    assert forward_flops(config, length) * length == counter.get_total_flops()


def test_training_memory_is_four_numbers_of_four_bytes_a_parameter() -> None:
    assert training_gigabytes(AlbertConfig.preset("albert-xlarge-v1")) == pytest.approx(
        58_724_864 * 4 * 4 / 1e9
    )


def test_the_first_panel_of_the_factorisation_is_the_papers_arithmetic() -> None:
    figure, alt = draw_factorisation(embedding_size=128, hidden_size=2048)
    heights = [bar.get_height() for bar in figure.axes[0].patches]
    assert heights == pytest.approx([61.44, 3.84, 0.262144])
    assert "15.0 times fewer" in alt


def test_factorising_through_a_width_beyond_break_even_is_said_to_cost_more() -> None:
    _, alt = draw_factorisation(embedding_size=768, hidden_size=768)
    assert "1.03 times as many" in alt


@pytest.mark.parametrize("sharing", ["all", "attention", "ffn", "none"])
def test_the_work_is_the_same_whatever_is_shared(sharing: str) -> None:
    figure, _ = draw_sharing(num_hidden_layers=12, sharing=sharing)
    reference, _ = draw_sharing(num_hidden_layers=12, sharing="all")
    drawn, expected = (panels.axes[1].lines[0].get_ydata() for panels in (figure, reference))
    assert list(drawn) == list(expected)
