"""Runs of earlier versions load, resume, and end as they would have ended then."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.errors import CheckpointError
from albert_lib.files import read_json
from albert_lib.model import AlbertForPreTraining
from albert_lib.objectives import MaskingConfig
from albert_lib.text import AlbertTokenizer
from albert_lib.training import Recipe, load_latest, pretrain, same_run
from albert_lib.training.same_run import (
    NOTHING_CHANGES,
    RENAMED_MASKING_FIELDS,
    with_current_names,
)

OLD = Path(__file__).parent.parent / "old_files"


def saved_description(run: str) -> dict[str, Any]:
    return read_json(OLD / run / "checkpoint-00000004" / "state.json")["run"]


def recipe_of(description: dict[str, Any]) -> Recipe:
    """The recipe of a saved run, under the names of today."""
    settings = with_current_names(description)["recipe"]
    return Recipe.from_dict({**settings, "evaluate_every": 0, "checkpoint_every": 2})


def resume(run: str, output: Path, **changes: Any) -> list[dict[str, float]]:
    """Go on with a copy of an old run in `output`; return all of its rows."""
    if not output.exists():
        shutil.copytree(OLD / run, output)
    description = saved_description(run)
    config = {name: v for name, v in description["model"].items() if name != "model_type"}
    torch.manual_seed(1)  # the weights come from the checkpoint
    return pretrain(
        AlbertForPreTraining(AlbertConfig(**config)),
        TokenStore.open(OLD / "store"),
        AlbertTokenizer.from_pretrained(OLD / "tokenizer"),
        recipe_of(description).replace(**changes),
        output=output,
        progress=False,
    ).rows


@pytest.mark.parametrize("optimizer", ["lamb", "muon"])
def test_an_old_run_ends_with_the_losses_of_then(optimizer: str, tmp_path: Path) -> None:
    rows = resume(f"run-{optimizer}", tmp_path / "run")
    expected = json.loads((OLD / f"losses-{optimizer}.json").read_text())
    assert [row["loss"] for row in rows] == pytest.approx(expected, abs=1e-6)
    assert [row["step"] for row in rows] == list(range(1, 9))


def test_an_old_run_goes_on_in_the_new_format_with_all_of_its_rows(tmp_path: Path) -> None:
    output = tmp_path / "run"
    rows = resume("run-lamb", output)
    assert [path.name for path in sorted(output.glob("checkpoint-*"))] == [
        "checkpoint-00000006", "checkpoint-00000008"
    ]  # fmt: skip
    lines = (output / "history.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == rows
    assert not list(output.glob("*/history.json"))
    assert resume("run-lamb", output) == rows, "a finished run comes back"


def test_a_damaged_row_of_an_old_checkpoint_is_found(tmp_path: Path) -> None:
    shutil.copytree(OLD / "run-lamb", tmp_path / "run")
    file = tmp_path / "run" / "checkpoint-00000004" / "history.json"
    file.write_text(file.read_text().replace("4.6", "4.7"))
    with pytest.warns(UserWarning, match=r"history\.json is not what was written"):
        assert load_latest(tmp_path / "run") is None


def test_another_masking_rate_than_the_old_runs_is_refused(tmp_path: Path) -> None:
    name = next(iter({*RENAMED_MASKING_FIELDS, "rate"} & set(MaskingConfig.__dataclass_fields__)))
    masking = MaskingConfig(**{name: 0.5})
    with pytest.raises(CheckpointError, match=rf"recipe\.masking\.{name}=0\.3, but 0\.5"):
        resume("run-lamb", tmp_path / "run", masking=masking)


@dataclass(frozen=True)
class WithOldNames:
    """Masking as it was."""

    share: float


@dataclass(frozen=True)
class WithNewNames:
    """Masking as it is called where the field is renamed."""

    rate: float


@pytest.mark.parametrize(("known", "name"), [(WithOldNames, "share"), (WithNewNames, "rate")])
def test_old_names_are_read_as_those_that_the_recipe_has(
    known: type, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(same_run, "MaskingConfig", known)
    description = {"recipe": {"steps": 8, "masking": {"share": 0.3, "max_ngram": 3}}}
    found = with_current_names(description)["recipe"]
    assert (found["steps"], found["masking"]) == (8, {name: 0.3, "max_ngram": 3})
    assert with_current_names({"seed": 7}) == {"seed": 7}


def test_what_old_recipes_could_not_say_changes_nothing() -> None:
    saved, today = recipe_of(saved_description("run-lamb")), Recipe()
    for name in NOTHING_CHANGES:
        assert name not in saved_description("run-lamb")["recipe"]
        assert getattr(saved, name) == getattr(today, name)
