"""python -m albert_lib fill-mask: FillMask's answers, as a table and as JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from albert_lib.__main__ import main
from albert_lib.instruction_sets import bfloat16_instructions
from albert_lib.probing import FillMask

ONE = "he was born in the [MASK] of england."
TWO = "the [MASK] of the [MASK]."


@pytest.fixture(scope="module")
def fill_mask(model: Path) -> FillMask:
    return FillMask.from_pretrained(model)


def test_a_line_an_answer_likeliest_first(run: Any, model: Path, fill_mask: FillMask) -> None:
    lines = run("fill-mask", "--model", model, ONE).splitlines()
    fills: Any = fill_mask(ONE)
    assert [line.split(None, 2)[1:] for line in lines] == [
        [fill["token_str"], fill["sequence"]] for fill in fills
    ]
    for line, fill in zip(lines, fills, strict=True):
        assert float(line.split()[0]) == pytest.approx(fill["score"], abs=5e-5)
    starts = {line.index(fill["sequence"]) for line, fill in zip(lines, fills, strict=True)}
    assert len(starts) == 1, "the texts stand under one another"


def test_several_masks_are_numbered_and_several_texts_headed(run: Any, model: Path) -> None:
    lines = run("fill-mask", "--model", model, "--top-k", "2", ONE, TWO).splitlines()
    headings = [line for line in lines if not line.startswith("  ")]
    assert headings == [ONE, TWO, "[MASK] number 1", "[MASK] number 2"]
    assert len(lines) == len(headings) + 2 + 2 * 2


def test_targets_before_the_text_do_not_swallow_it(run: Any, model: Path) -> None:
    expected = run("fill-mask", ONE, "--model", model, "--targets", "king,queen,house")
    assert sorted(line.split()[1] for line in expected.splitlines()) == ["house", "king", "queen"]
    words = ("--targets", "king, queen", "--targets", "house", "--model", model)
    assert run("fill-mask", *words, ONE) == expected


def test_every_target_is_answered_unless_top_k_says_fewer(run: Any, model: Path) -> None:
    ask = ("fill-mask", "--model", model, ONE, "--targets", "king,queen,house,city,people,church")
    assert len(run(*ask).splitlines()) == 6
    assert len(run(*ask, "--top-k", "2").splitlines()) == 2


def test_a_small_probability_keeps_its_digits(run: Any, model: Path) -> None:
    (line,) = run("fill-mask", "--model", model, ONE, "--targets", "bread").splitlines()
    score = line.split()[0]
    assert "e-" in score
    assert 0 < float(score) < 0.001


@pytest.mark.parametrize("text", [ONE, TWO])
def test_json_of_one_text_is_the_list_of_the_pipeline(
    run: Any, model: Path, fill_mask: FillMask, text: str
) -> None:
    printed = run("fill-mask", "--json", "--top-k", "3", "--model", model, text)
    assert json.loads(printed) == fill_mask(text, top_k=3)
    assert list(dict(json.loads(printed)[0] if text == ONE else json.loads(printed)[0][0])) == [
        "score",
        "token",
        "token_str",
        "sequence",
    ]


def test_json_of_several_texts_is_a_list_of_such_lists(
    run: Any, model: Path, fill_mask: FillMask, typed: Any
) -> None:
    ask = ("fill-mask", "--json", "--model", model)
    assert json.loads(run(*ask, ONE, TWO)) == fill_mask([ONE, TWO])
    typed(ONE.encode())
    assert json.loads(run(*ask, "--file", "-")) == fill_mask([ONE]), "a file of one line too"


def test_what_cannot_be_answered_is_one_sentence(refusal: Any, model: Path) -> None:
    ask = ("fill-mask", "--model", model)
    assert "There is no [MASK] in 'no gap'" in refusal(*ask, ONE, "no gap")
    assert "There is no text" in refusal(*ask)
    assert "top_k=0" in refusal(*ask, ONE, "--top-k", "0")
    assert "'bookkeeper' is not one token" in refusal(*ask, ONE, "--targets", "king,bookkeeper")
    assert "targets is empty" in refusal(*ask, ONE, "--targets", " ,")


def test_an_engine_gives_the_same_table(run: Any, model: Path) -> None:
    ask = ("fill-mask", "--model", model, ONE, "--engine")
    assert run(*ask, "onnxruntime") == run(*ask, "openvino") == run(*ask, "pytorch")


@pytest.mark.skipif(not bfloat16_instructions(), reason="this processor computes in float32 alone")
@pytest.mark.parametrize("engine", ["pytorch", "openvino"])
def test_bfloat16_is_said_with_what_it_costs(
    engine: str, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["fill-mask", "--model", str(model), "--engine", engine, "--json", ONE]
    assert main(words) == 0
    exact = json.loads(capsys.readouterr().out)
    assert main([*words, "--precision", "bfloat16"]) == 0
    printed = capsys.readouterr()
    rough = {fill["token"]: fill["score"] for fill in json.loads(printed.out)}
    said = re.fullmatch(
        rf"Computed by {engine} in bfloat16 \((?:AMX|AVX512_BF16)\); the largest difference of a "
        r"probability of the first texts from float32 is (\S+)\.\n",
        printed.err,
    )
    assert said is not None, printed.err
    both = [abs(fill["score"] - rough[fill["token"]]) for fill in exact if fill["token"] in rough]
    assert 0 < max(both) <= float(said[1]) * 1.06 < 0.05


def test_a_processor_without_bfloat16_is_told(
    refusal: Any, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("albert_lib.model.bfloat16.bfloat16_instructions", lambda: None)
    said = refusal("fill-mask", "--model", model, "--precision", "bfloat16", ONE)
    assert "has no instructions for bfloat16 (AMX or AVX512_BF16)" in said
