"""The published figures agree with arithmetic: with exact counting, and with themselves."""

from __future__ import annotations

import typing

import pytest

from albert_lib.config import AlbertConfig
from albert_lib.errors import InputError
from albert_lib.paper import _ROW_TYPES, CardFillRow, paper_source, paper_table


def in_millions(config: AlbertConfig) -> float:
    return config.num_parameters() / 1e6


@pytest.mark.parametrize("name", _ROW_TYPES)
def test_every_value_has_the_type_that_its_row_promises(name: str) -> None:
    types = typing.get_type_hints(_ROW_TYPES[name])
    for row in paper_table(name):  # type: ignore[call-overload]
        for field, promised in types.items():
            value = getattr(row, field)
            if typing.get_origin(promised) is typing.Literal:
                assert value in typing.get_args(promised)
            else:
                assert isinstance(value, promised), (row, field)
    assert "1909.11942" in paper_source(name) or "albert-xlarge-v1" in paper_source(name)


def test_table_1_configurations_are_the_presets() -> None:
    for row in paper_table("table_1"):
        if row.shared:
            preset = AlbertConfig.preset(f"{row.model}-v1")
            assert row.num_hidden_layers == preset.num_hidden_layers
            assert row.hidden_size == preset.hidden_size
            assert row.embedding_size == preset.embedding_size


def test_table_1_prints_base_and_large_exactly_and_the_others_too_large() -> None:
    excess = {
        row.model: row.parameters_millions - in_millions(AlbertConfig.preset(f"{row.model}-v1"))
        for row in paper_table("table_1")
        if row.shared
    }
    assert abs(excess["albert-base"]) < 0.5
    assert abs(excess["albert-large"]) < 0.5
    assert excess["albert-xlarge"] == pytest.approx(60 - 58.724864)
    assert excess["albert-xxlarge"] == pytest.approx(235 - 222.595584)


@pytest.mark.parametrize("name", ["table_3", "table_4"])
def test_sharing_tables_count_as_we_count(name: typing.Literal["table_3", "table_4"]) -> None:
    for row in paper_table(name):
        config = AlbertConfig(sharing=row.sharing, embedding_size=row.embedding_size)
        # The print counts the pooler in every row but the unshared ones; and where E = H there
        # is nothing to widen, while our model (like Hugging Face's) keeps a projection.
        exact = config.num_parameters(pooler=row.sharing != "none")
        if row.embedding_size == config.hidden_size:
            exact -= config.hidden_size**2 + config.hidden_size
        assert row.parameters_millions == round(exact / 1e6), row


@pytest.mark.parametrize("name", ["table_2", "card_results"])
def test_averages_follow_from_their_rows(name: typing.Literal["table_2", "card_results"]) -> None:
    for row in paper_table(name):
        squads = (row.squad1_f1 + row.squad1_em) / 2 + (row.squad2_f1 + row.squad2_em) / 2
        average = (squads + row.mnli + row.sst2 + row.race) / 5
        assert row.average == pytest.approx(average, abs=0.06), row


def test_tables_agree_where_they_meet() -> None:
    base = next(row for row in paper_table("table_2") if row.model == "albert-base")
    shared = [
        row for row in paper_table("table_3") if (row.sharing, row.embedding_size) == ("all", 128)
    ]
    assert shared[0].average == base.average
    narrowest = paper_table("table_12")[0]
    three_deep = next(row for row in paper_table("table_11") if row.num_hidden_layers == 3)
    assert (narrowest.hidden_size, narrowest.average) == (1024, three_deep.average)


def test_table_6_is_as_fast_as_table_2_says() -> None:
    times = {row.model: row.hours / row.steps for row in paper_table("table_6")}
    speed = {row.model: row.speed for row in paper_table("table_2")}
    ratio = times["bert-large"] / times["albert-xxlarge"]
    assert ratio == pytest.approx(speed["albert-xxlarge"], abs=0.05)
    averages = {row.model: row.average for row in paper_table("table_2")}
    assert paper_table("table_6")[1].average == averages["albert-xxlarge"]


def test_card_fills_are_five_a_prompt_in_falling_order() -> None:
    prompts: dict[str, list[CardFillRow]] = {}
    for row in paper_table("card_fills"):
        prompts.setdefault(row.prompt, []).append(row)
    assert len(prompts) == 3
    for rows in prompts.values():
        assert len(rows) == 5
        assert [row.score for row in rows] == sorted((row.score for row in rows), reverse=True)
        assert all(row.piece.startswith("▁") for row in rows)
    janitors = {row.token for row in paper_table("card_fills") if row.piece == "▁janitor"}
    assert janitors == {29477}


def test_unknown_table_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"table_99.*choose from table_1"):
        paper_table("table_99")  # type: ignore[call-overload]
