"""`make checkpoint`: from a folder of texts to a scored model, with a smaller recipe."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from albert_lib.config import AlbertConfig
from albert_lib.files import data_folder, project_folder
from albert_lib.text import AlbertTokenizer
from albert_lib.training.recipe_file import read_recipe
from albert_lib.training.stage_plan import check_length, plan_stages

RECIPE = """
warmup_steps = 1
batch_size = 2
evaluation_batches = 1
masking.rate = 0.15

[[stages]]
steps = 2

[[stages]]
steps = 2
num_hidden_layers = 2
final_rate = 0.0
"""
SIZES = {
    "vocab_size": 40, "embedding_size": 8, "hidden_size": 16, "num_hidden_layers": 1,
    "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 64,
}  # fmt: skip


def make(*words: str) -> subprocess.CompletedProcess[str]:
    command = ["make", "--assume-old=.venv/test.stamp", f"VENV_PYTHON={sys.executable}", *words]
    outer = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "ARGS")  # `make test ARGS=…` runs this too
    environment = {name: value for name, value in os.environ.items() if name not in outer}
    return subprocess.run(
        command, cwd=project_folder(), capture_output=True, text=True, check=False, env=environment
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_one_command_does_everything_and_again_nothing(tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.mkdir()
    people = ("baker", "miller", "sailor", "teacher", "smith", "widow", "farmer", "weaver")
    for number, (one, other) in enumerate(itertools.product(people * 4, people)):
        lines = [f"The {one} {deed} before the {other} eats." for deed in ("wakes", "sings")]
        (text / f"{number:03}.txt").write_text("\n".join(lines), encoding="utf-8")
    (tmp_path / "small.toml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "small.json").write_text(json.dumps(SIZES), encoding="utf-8")
    output = tmp_path / "checkpoint"
    (tmp_path / "words").write_text("sailor\n", encoding="utf-8")
    words = [f"CORPUS={text}", f"CHECKPOINT={output}", f"RECIPE={tmp_path / 'small'}"]
    words += ["PIECES=40", f"WORDS={tmp_path / 'words'}"]
    first = make("checkpoint", *words)
    assert first.returncode == 0, first.stderr
    assert "plain: bits a byte" in first.stdout
    assert AlbertTokenizer.from_pretrained(output / "run/model").tokenize("sailor") == ["▁sailor"]
    assert json.loads((output / "run/model/config.json").read_text())["num_hidden_layers"] == 2
    assert (output / "history" / "history.csv").read_text().count("\n") == 5
    again = make("checkpoint", *words)
    assert again.returncode == 0, again.stderr
    table = first.stdout[first.stdout.index("score  ") :]
    assert again.stdout[again.stdout.index("score  ") :] == table


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
def test_without_a_corpus_it_says_what_to_type() -> None:
    refused = make("checkpoint")
    assert refused.returncode == 2
    assert "Name a folder of texts: make checkpoint CORPUS=FOLDER" in refused.stderr


def test_the_recipe_that_comes_along_fits_its_model() -> None:
    folder = data_folder() / "recipes"
    recipe = read_recipe(folder / "albert-mini-en.toml")
    config = AlbertConfig.from_json(folder / "albert-mini-en.json")
    stages = plan_stages(recipe, config.num_hidden_layers)
    for stage in stages:
        check_length("", stage.recipe.sequence_length, config)
    assert config.max_position_embeddings == 512
    longest = max(stage.recipe.sequence_length for stage in stages)
    assert longest == 384, "passages of SQuAD"
    assert recipe.learning_rate_at(recipe.steps) == 0
