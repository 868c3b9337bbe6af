import itertools

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from albert_lib.config import AlbertConfig
from albert_lib.model import AlbertModel
from albert_lib.workbook.drawings.chapter_03 import (
    draw_attention,
    draw_depth,
    draw_factorisation,
    draw_sharing,
    forward_flops,
    training_gigabytes,
)
from albert_lib.workbook.style import DOTS_PER_INCH, use_style

COLUMN = 840  # pixels that JupyterLab leaves an output in a window of 1,280
SMALLEST = 9  # pixels of a letter that can be read


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
    assert "1.03 times as many" in alt and "equal at E = 748.8" in alt


def test_break_even_is_where_both_ways_cost_the_same() -> None:
    _, alt = draw_factorisation(embedding_size=2000, hidden_size=4000, vocab_size=4000)
    assert "holds 16.0 million numbers" in alt and "1.0 times fewer" in alt
    assert "equal at E = 2,000.0" in alt


@pytest.mark.parametrize("sharing", ["all", "attention", "ffn", "none"])
def test_the_work_is_the_same_whatever_is_shared(sharing: str) -> None:
    figure, _ = draw_sharing(num_hidden_layers=12, sharing=sharing)
    reference, _ = draw_sharing(num_hidden_layers=12, sharing="all")
    drawn, expected = (panels.axes[1].lines[0].get_ydata() for panels in (figure, reference))
    assert list(drawn) == list(expected)


def test_the_tokens_beside_the_attention_maps_can_be_read() -> None:
    use_style()
    tokens = "[CLS] ▁the ▁old ▁baker ▁walk s ▁to ▁the ▁mill ▁before ▁dawn [SEP]".split()
    maps = [torch.rand(1, 4, len(tokens), len(tokens)) for _ in range(4)]
    figure = draw_attention(maps, tokens, repetitions=(1, 2, 4))
    figure.canvas.draw()
    assert figure.get_size_inches()[0] * DOTS_PER_INCH <= COLUMN, "the page would shrink it"
    maps_drawn = figure.axes[:12]
    for labels, low, high in (
        *((axes.get_xticklabels(), "x0", "x1") for axes in maps_drawn[8:]),
        *((axes.get_yticklabels(), "y0", "y1") for axes in maps_drawn[::4]),
    ):
        assert len(labels) == len(tokens)
        assert all(label.get_fontsize() / 72 * DOTS_PER_INCH >= SMALLEST for label in labels)
        boxes = [label.get_window_extent() for label in labels]
        boxes.sort(key=lambda box: getattr(box, low))
        for one, other in itertools.pairwise(boxes):
            assert getattr(one, high) <= getattr(other, low) + 1, "two tokens' names collide"


def test_the_valley_of_depths_is_drawn_with_the_chosen_one_and_its_answers() -> None:
    figure, alt = draw_depth([4.0, 2.75, 5.5], 2, 2, {"▁door": 0.25, "▁room": 0.125})
    valley, bars = figure.axes
    assert list(valley.lines[0].get_ydata()) == [4.0, 2.75, 5.5]
    assert [list(line) for line in (valley.lines[1].get_xdata(), valley.lines[1].get_ydata())] == [
        [2], [2.75]
    ]  # fmt: skip
    assert [bar.get_width() for bar in bars.patches] == [0.25, 0.125]
    assert "4.0, 2.8, 5.5" in alt and "▁door 0.25, ▁room 0.12" in alt
