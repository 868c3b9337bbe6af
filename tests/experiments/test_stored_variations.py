"""The file that trained variations are stored in."""

from __future__ import annotations

from pathlib import Path

import pytest

from albert_lib.errors import InputError
from albert_lib.experiments.stored_variations import load_variations, save_variations
from albert_lib.experiments.variations import Outcome, Variation
from albert_lib.files import data_folder, read_json, write_json
from albert_lib.town import Estimate, Floor
from albert_lib.training import Evaluation, History

FLOOR = Floor(
    Estimate(0.125, 0.01), Estimate(0.9, 0.01), Estimate(0.1, 0.01), Estimate(0.96, 0.01), 900, 100
)
KINDS = [("all", "sop"), ("none", "sop"), ("all", "nsp")]


def outcome(sharing: str, pairs: str, seed: int) -> Outcome:
    rows = [
        {"step": step, "held_out_mlm_loss": 3.25 / step, "held_out_sop_accuracy": 0.5 + seed / 8}
        for step in (2, 4)
    ]
    scores = (Evaluation(0.25 + seed, 0.75, 0.5, 0.875, 900, 100) for _ in range(2))
    return Outcome(Variation(sharing, pairs, seed, steps=4), *scores, History(rows))


def store(path: Path) -> list[Outcome]:
    outcomes = [outcome(*kind, seed) for kind in KINDS for seed in range(2)]
    save_variations(path, outcomes, FLOOR, "a command")
    return outcomes


def test_they_come_back_as_they_were_stored(tmp_path: Path) -> None:
    outcomes = store(tmp_path / "variations.json")
    back = load_variations(tmp_path / "variations.json")
    assert (back.command, back.floor) == ("a command", FLOOR)
    assert len(back.outcomes) == len(outcomes)
    for before, after in zip(outcomes, back.outcomes, strict=True):
        assert (after.variation, after.sop, after.nsp) == (
            before.variation, before.sop, before.nsp
        )  # fmt: skip
        assert after.curve.rows == before.curve.rows


def test_a_kind_is_what_is_shared_and_what_pairs_are_for(tmp_path: Path) -> None:
    store(tmp_path / "variations.json")
    found = load_variations(tmp_path / "variations.json").of("all", "nsp")
    assert [each.variation for each in found] == [Variation("all", "nsp", s, 4) for s in range(2)]


@pytest.mark.parametrize("spoilt", ["command", "floor", "models", "curve", "sop", "seed"])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, spoilt: str) -> None:
    path = tmp_path / "variations.json"
    store(path)
    content = read_json(path)
    for part in (content, content["models"][0]):
        part.pop(spoilt, None)
    write_json(path, content)
    with pytest.raises(InputError, match=r"variations\.json does not hold variations"):
        load_variations(path)


def test_the_variations_that_come_with_the_workbook_are_whole() -> None:
    found = load_variations(data_folder() / "town" / "variations.json")
    kinds = [(sharing, "sop") for sharing in ("all", "attention", "ffn", "none")]
    kinds += [("all", "nsp"), ("all", "none")]
    for kind in kinds:
        models = found.of(*kind)
        assert len(models) >= 3
        for each in models:
            assert each.curve.rows[-1]["step"] == each.variation.steps
            assert each.sop.mlm_loss > found.floor.mlm_loss.mean - 3 * found.floor.mlm_loss.error
