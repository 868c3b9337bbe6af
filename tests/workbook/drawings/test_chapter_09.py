"""The figures of chapter 9 draw what costs.py computes, and say it in their words."""

from __future__ import annotations

import pytest

from albert_lib.model import costs
from albert_lib.paper import paper_table
from albert_lib.workbook.drawings import chapter_09 as drawings


def test_berts_are_as_large_as_the_paper_prints_them() -> None:
    printed = {row.model: row.parameters_millions for row in paper_table("table_1")}
    for name in ("BERT-base", "BERT-large"):  # BERT's own vocabulary is a little larger
        exact = drawings.MODELS[name].num_parameters() / 1e6
        assert exact == pytest.approx(printed[name.lower()], abs=1.2)


@pytest.mark.parametrize(("scored", "head"), [("masked tokens", "0.7%"), ("every token", "4.3%")])
def test_the_parts_of_the_work_fill_the_bar(scored: str, head: str) -> None:
    figure, alt = drawings.draw_work(length=128, masking_rate=0.15, scored=scored)
    widths = [[bar.get_width() for bar in bars] for bars in figure.axes[0].containers]
    sums = [sum(column) for column in zip(*widths, strict=True)]
    assert sums == pytest.approx([100] * len(drawings.MODELS), abs=0.5)  # but for the SOP head
    assert f"the MLM head {head}" in alt


@pytest.mark.parametrize(("precision", "matrix_bytes"), [("float32", 4), ("bfloat16", 2)])
def test_bars_of_memory_are_as_long_as_training_takes(precision: str, matrix_bytes: int) -> None:
    figure, alt = drawings.draw_memory(sequences=3, precision=precision)
    lengths = [0.0] * len(drawings.MODELS)
    for bars in figure.axes[0].containers:
        lengths = [sum(both) for both in zip(lengths, (b.get_width() for b in bars), strict=True)]
    needed = [
        costs.training_bytes(config, 3, 512, 60, matrix_bytes) / 1e9
        for config in drawings.MODELS.values()
    ]
    assert lengths == pytest.approx(needed)
    assert f"ALBERT-xxlarge {needed[-1]:,.1f}" in alt


def test_sharing_is_drawn_relative_to_all_shared() -> None:
    values = {"all": 2.0, "attention": 4.0, "ffn": 3.0, "none": 8.0}
    figure = drawings.draw_sharing({"parameters": values, "operations": dict.fromkeys(values, 5.0)})
    heights = [[bar.get_height() for bar in bars] for bars in figure.axes[0].containers]
    assert heights == [[1, 1], [2, 1], [1.5, 1], [4, 1]]


def test_sending_is_drawn_beside_computing() -> None:
    figure, alt = drawings.draw_traffic(workers=8, sequences=32, link="10 Gbit/s Ethernet")
    computing, sending = ([bar.get_width() for bar in bars] for bars in figure.axes[0].containers)
    large = drawings.MODELS["BERT-large"]
    assert sending[1] == pytest.approx(2 * 7 / 8 * 4 * costs.parameters(large) / 1.25e9)
    assert computing[1] == pytest.approx(32 * 512 * costs.flops_a_token(large) / (0.45 * 312e12))
    assert f"BERT-large {sending[1] / computing[1]:.2g} times" in alt


def test_a_budget_of_the_whole_run_reaches_the_dashed_line() -> None:
    base = drawings.MODELS["ALBERT-base"]
    hours = costs.flops_a_token(base) * drawings.PAPER_TOKENS / (0.5 * 989e12) / 3600
    figure, alt = drawings.draw_budget(hours=round(hours), device="H100 SXM", share=0.5)
    assert figure.axes[0].patches[0].get_width() == pytest.approx(100, rel=0.01)
    assert "ALBERT-base 100" in alt or "ALBERT-base 99" in alt


def test_curves_and_marks_are_the_ones_given() -> None:
    curves = {"shared": ([0.0, 90.0, 100.0], [0.0, 8.0, 100.0]), "not": ([0.0, 50.0], [0.0, 50.0])}
    lines = drawings.draw_readiness(curves).axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [ready for _, ready in curves.values()]
    speeds = {source: {"a": 1.0, "b": 2.0 + n} for n, source in enumerate("xyz")}
    marks = drawings.draw_speeds(speeds).axes[0].lines
    assert [list(mark.get_ydata()) for mark in marks] == [[1.0, 2.0], [1.0, 3.0], [1.0, 4.0]]
