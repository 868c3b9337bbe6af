"""The figures of chapter 8: bars that add up to the models, marks that are the tables'."""

from __future__ import annotations

import pytest
import torch

from albert_lib.config import AlbertConfig
from albert_lib.model import AlbertModel
from albert_lib.paper import paper_table
from albert_lib.workbook.drawings import chapter_08


def counted(config: AlbertConfig) -> int:
    with torch.device("meta"):
        return AlbertModel(config).num_parameters()


@pytest.mark.parametrize("sharing", ["all", "attention", "ffn", "none"])
def test_the_parts_of_a_bar_add_up_to_a_built_model(sharing: str) -> None:
    figure, alt = chapter_08.draw_parameters(
        embedding_size=64, hidden_size=768, num_hidden_layers=5, sharing=sharing
    )
    config = AlbertConfig(embedding_size=64, num_hidden_layers=5, sharing=sharing)
    widths = [bars[0].get_width() for bars in figure.axes[0].containers]
    assert sum(widths) * 1e6 == pytest.approx(counted(config))
    assert f"together {counted(config) / 1e6:,.1f} million" in alt


def test_bert_large_is_drawn_as_large_as_the_paper_prints_it() -> None:
    printed = {row.model: row.parameters_millions for row in paper_table("table_1")}
    exact = chapter_08.RELATIVES["BERT-large"].num_parameters() / 1e6
    assert exact == pytest.approx(printed["bert-large"], abs=1)  # BERT's own vocabulary is larger
    _, alt = chapter_08.draw_parameters(128, 768, 12, "all")
    assert f"BERT-large with {exact:.1f} million" in alt


def test_a_difference_of_nothing_is_left_out_of_a_logarithmic_axis() -> None:
    figure = chapter_08.draw_digits({"another": [0.0, 1e-3, 2e-3], "rounding": [1e-7, 1e-6, 1e-6]})
    another, rounding, _ = figure.axes[0].lines
    assert list(another.get_xdata()) == [1, 2] and list(rounding.get_xdata()) == [0, 1, 2]


def test_first_weights_are_counted_in_deviations() -> None:
    weights = torch.tensor([0.0, 0.021, 0.03, -0.11])
    figure = chapter_08.draw_first_weights({"one": weights, "other": weights}, deviation=0.02)
    values, edges, _ = figure.axes[0].patches[0].get_data()
    filled = [round(edges[place], 1) for place in values.nonzero()[0]]
    assert filled == [-5.6, 0.0, 1.0, 1.4] and values.sum() == 4


def test_every_score_of_both_tables_has_its_mark() -> None:
    paper, card = paper_table("table_2"), paper_table("card_results")
    figure = chapter_08.draw_results(paper, card)
    for axes, task in zip(figure.axes, chapter_08.TASKS, strict=True):
        rings, crosses, triangles = (list(line.get_ydata()) for line in axes.lines)
        assert rings == [getattr(row, task) for row in paper if row.model.startswith("albert")]
        for version, drawn in (("v1", crosses), ("v2", triangles)):
            assert drawn == [getattr(row, task) for row in card if row.version == version]


def test_both_panels_of_worth_hold_the_papers_six_models() -> None:
    rows = paper_table("table_2")
    millions = {row.model: float(row.parameters_millions) for row in paper_table("table_1")}
    stored, worked = chapter_08.draw_worth(rows, millions).axes
    for axes, values in ((stored, millions), (worked, {row.model: row.speed for row in rows})):
        drawn = [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in axes.lines]
        assert drawn == [(values[row.model], row.average) for row in rows]
