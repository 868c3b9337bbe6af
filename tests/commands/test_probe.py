"""python -m albert_lib probe: a published set in, a table and a report out."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from albert_lib import AlbertForMaskedLM
from albert_lib.commands.probe import FillMaskWithProgress
from albert_lib.files import read_json
from albert_lib.instruction_sets import bfloat16_instructions
from albert_lib.probing import pseudo_log_likelihood
from albert_lib.probing.sets import winobias
from albert_lib.probing.sets.catalogue import SETS

Run = Callable[..., str]
PRONOUNS = {"driver": ("he", "she"), "nurse": ("she", "he"), "clerk": ("she", "he")}


@pytest.fixture
def wino(tmp_path: Path) -> Path:
    """Twelve pairs in the authors' files."""
    folder = tmp_path / "wino"
    folder.mkdir()
    for half, place in (("pro", 0), ("anti", 1)):
        lines = [
            f"[The {person}] {deed} because [{pronouns[place]}] had time."
            for deed in ("slept", "wrote", "worked", "came")
            for person, pronouns in PRONOUNS.items()
        ]
        text = "\n".join(f"{number} {line}" for number, line in enumerate(lines, 1))
        (folder / f"{half}_stereotyped_type2.txt.dev").write_text(text)
    return folder


@pytest.fixture
def stereo(tmp_path: Path) -> Path:
    """One example of each part of StereoSet."""
    labels = ("stereotype", "anti-stereotype", "unrelated")
    shared = {"id": "1", "target": "driver", "bias_type": "profession"}

    def sentences(*texts: str) -> list[dict[str, str]]:
        return [
            {"sentence": text, "gold_label": label}
            for text, label in zip(texts, labels, strict=True)
        ]

    blank = {**shared, "context": "The driver is BLANK."}
    blank["sentences"] = sentences("The driver is wild.", "The driver is kind.", "The driver is x.")
    following = {**shared, "context": "The driver came."}
    following["sentences"] = sentences("He was wild.", "He was kind.", "Stones fall.")
    data = {"intrasentence": [blank], "intersentence": [following]}
    path = tmp_path / "dev.json"
    path.write_text(json.dumps({"version": "1.1", "data": data}))
    return path


def test_without_a_set_the_sets_are_listed(run: Run) -> None:
    heading, *lines = run("probe").splitlines()
    assert heading.split() == ["set", "paper", "--data"]
    assert [line.split()[0] for line in lines] == list(SETS)


def test_the_table_is_what_the_set_measures(run: Run, model: Path, wino: Path) -> None:
    words = ("probe", "winobias", "--model", model, "--data", wino)
    heading, *lines = run(*words).splitlines()
    assert heading.split("  ")[0] == "measure"
    result = winobias.score(FillMaskWithProgress.from_pretrained(model), winobias.read(wino))
    expected = result.measures()
    assert len(lines) == len(expected) == 7
    for line, measure in zip(lines, expected, strict=True):
        assert line.startswith(measure.label)
        assert line.split()[-2:] == ["12", measure.unit]
        decimals = 3 if measure.unit == "nats" else 1
        value = line.removeprefix(measure.label).split()[0]
        assert float(value) == pytest.approx(measure.value, abs=0.51 * 10**-decimals)


def test_the_report_holds_the_numbers(run: Run, model: Path, wino: Path, tmp_path: Path) -> None:
    output = tmp_path / "report"
    words = ("probe", "winobias", "--model", model, "--data", wino, "--output", output)
    shown = run(*words)
    assert shown.endswith(f"\n{output}: report.md, report.json and measures.png\n")
    stored = read_json(output / "report.json")
    assert (stored["set"], stored["model"], stored["items"]) == ("winobias", str(model), 12)
    assert stored["measures"][0]["label"] == "type 2: accuracy, pro"
    text = (output / "report.md").read_text(encoding="utf-8")
    assert "an adaptation, that of de Vassimon Manela" in text, "what was adapted is in the report"
    assert run(*words) == shown, "a second run replaces the report with the same"


def pair_files(folder: Path) -> dict[str, Path]:
    """A file of each set that was added last, of three items."""
    words = ("slept", "wrote", "came")
    folder.mkdir()
    records = {
        "blimp-supplement": [
            {"sentence_good": f"He {w}.", "sentence_bad": f"{w} he."} for w in words
        ],
        "ewok": [
            {"Domain": "people", "Context1": f"He {w}.", "Context2": f"She {w} not.",
             "Target1": "He did.", "Target2": "She did not."}
            for w in words
        ],
        "comps": [
            {"prefix_acceptable": "A man", "prefix_unacceptable": "A stone",
             "property_phrase": f"{w}.", "negative_sample_type": "random"}
            for w in words
        ],
    }  # fmt: skip
    rows = {
        "winoqueer": ["Gender_ID_x,Gender_ID_y,sent_x,sent_y"]
        + [f"Gay,Straight,Gay men {w}.,Straight men {w}." for w in words],
        "french-crows-pairs": ["sent_more\tsent_less\tstereo_antistereo\tbias_type"]
        + [f"He {w}.\tShe {w}.\tstereo\tgender" for w in words],
    }
    lines = {name: list(map(json.dumps, items)) for name, items in records.items()} | rows
    files = {name: folder / f"{name}.{'csv' if name in rows else 'jsonl'}" for name in lines}
    for name, file in files.items():
        file.write_text("\n".join(lines[name]))
    return files


def test_the_newer_sets_are_scored_reported_and_compared(
    run: Run, model: Path, tmp_path: Path
) -> None:
    files = pair_files(tmp_path / "sets")
    for name, file in files.items():
        heading, first, *_ = run("probe", name, "--model", model, "--data", file).splitlines()
        assert heading.startswith("measure") and first.split()[-2:] == ["3", "%"], name
    words = ("probe", "ewok", "--model", model, "--data", files["ewok"])
    run(*words, "--output", tmp_path / "report")
    report = read_json(tmp_path / "report" / "report.json")
    assert report["made"]["data"] == hashlib.sha256(files["ewok"].read_bytes()).hexdigest()
    same = run("probe", "comps", "--compare", model, model, "--data", files["comps"])
    assert "3 that both can score" in same and "do not tell" in same


def test_the_report_says_how_to_make_it_again(
    run: Run, model: Path, wino: Path, tmp_path: Path
) -> None:
    words = ["probe", "winobias", "--model", model, "--data", wino, "--limit", 8, "--seed", 3]
    run(*words, "--output", tmp_path / "one")
    made = read_json(tmp_path / "one" / "report.json")["made"]
    weights = hashlib.sha256((model / "model.safetensors").read_bytes()).hexdigest()
    assert (made["weights"], made["revision"], made["precision"]) == (weights, None, "float32")
    again = shlex.split(made["command"])
    assert again[:3] == ["python", "-m", "albert_lib"]
    run(*again[3:], "--output", tmp_path / "two")
    pages = [(tmp_path / name / "report.md").read_text() for name in ("one", "two")]
    assert pages[0] == pages[1] and f"\n    {made['command']}\n" in pages[0]
    changed = next(wino.glob("pro_*"))
    changed.write_text(changed.read_text().replace("slept", "sang"))
    run(*words, "--output", tmp_path / "two")
    assert read_json(tmp_path / "two" / "report.json")["made"]["data"] != made["data"]


def test_two_models_are_compared_item_by_item(
    run: Run, model: Path, wino: Path, tmp_path: Path
) -> None:
    same = run("probe", "winobias", "--compare", model, model, "--data", wino)
    assert "0.000, 95 % interval 0.000 to 0.000" in same and "do not tell" in same
    other = tmp_path / "other"
    shutil.copytree(model, other)
    changed = AlbertForMaskedLM.from_pretrained(other)
    with torch.no_grad():
        for parameter in changed.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    changed.save_pretrained(other)
    printed = run("probe", "winobias", "--compare", model, other, "--data", wino)
    items = winobias.read(wino)
    values = []
    for folder in (model, other):
        scored = winobias.score(FillMaskWithProgress.from_pretrained(folder), items).scored
        values.append(np.array([one.log_odds for one in scored]))
    expected = stats.ttest_rel(values[1], values[0]).confidence_interval()
    difference = (values[1] - values[0]).mean()
    low, high = expected
    assert f"{difference:.3f}, 95 % interval {low:.3f} to {high:.3f}" in printed


def test_a_limit_draws_with_its_seed(run: Run, model: Path, wino: Path) -> None:
    words = ("probe", "winobias", "--model", model, "--data", wino, "--limit")
    first = run(*words, "6")
    assert "6 of 12 items: 6 were drawn at random, with seed 0." in first
    assert run(*words, "6") == first
    assert run(*words, "6", "--seed", "1") != first
    assert "Left out" not in run(*words, "12")


def test_the_next_sentence_needs_the_order_head(
    run: Run, model: Path, stereo: Path, tmp_path: Path
) -> None:
    shown = run("probe", "stereoset", "--model", model, "--data", stereo)
    assert "intersentence, profession: ss" in shown and "overall: icat" in shown
    assert "unknown" in shown, "the interval of one target"
    AlbertForMaskedLM.from_pretrained(model).save_pretrained(tmp_path / "masked")
    (tmp_path / "masked" / "spiece.model").write_bytes((model / "spiece.model").read_bytes())
    shown = run("probe", "stereoset", "--model", tmp_path / "masked", "--data", stereo)
    assert "intersentence, profession" not in shown and "overall" not in shown
    assert "1 × intersentence example: this model has no sentence-order head." in shown


def test_a_bar_shows_how_far_it_is(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    fill_mask = FillMaskWithProgress.from_pretrained(model)
    texts = [f"The {word} sang a [MASK]." for word in ("baker", "driver", "nurse")]
    assert len(fill_mask.masked_logits(texts)) == 3
    assert "3/3" in capsys.readouterr().err


def test_one_bar_goes_through_all_parts_of_a_long_task(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("albert_lib.probing.pseudo_likelihood.MAX_SEQUENCES", 2)
    fill_mask = FillMaskWithProgress.from_pretrained(model)
    pseudo_log_likelihood(fill_mask, ["The baker sang.", "The nurse slept."])
    shown = capsys.readouterr().err
    n_tokens = sum(
        len(fill_mask.tokenizer.tokenize(text)) for text in ("the baker sang.", "the nurse slept.")
    )
    assert f"{n_tokens}/{n_tokens}" in shown and "2/2" not in shown
    assert fill_mask.remaining == 0


def test_every_mistake_is_one_sentence(
    refusal: Run, model: Path, wino: Path, tmp_path: Path
) -> None:
    chosen = ("probe", "winobias")
    assert "'winogender' is not a probe set; choose from crows-pairs," in refusal(
        "probe", "winogender"
    )
    assert "--model is missing" in refusal(*chosen, "--data", wino)
    assert "--data is missing" in refusal(*chosen, "--model", model)
    words = (*chosen, "--model", model, "--data", wino)
    assert "--limit 0 asks for no item" in refusal(*words, "--limit", "0")
    assert "would replace; name a new folder" in refusal(*words, "--output", wino)
    assert "holds no pro_stereotyped" in refusal(*words[:-1], tmp_path)
    assert "nowhere is not a folder" in refusal(*chosen, "--model", "./nowhere", "--data", wino)
    for half, pronoun in (("pro", "hers"), ("anti", "his")):
        file = wino / f"{half}_stereotyped_type2.txt.dev"
        file.write_text(f"1 [The nurse] said it was [{pronoun}].")
    output = tmp_path / "report"
    assert "No item of" in refusal(*words, "--output", output)
    assert not output.exists()


def test_an_engine_scores_both_parts_of_a_set_and_the_report_says_so(
    run: Run, model: Path, stereo: Path, tmp_path: Path
) -> None:
    words = ("probe", "stereoset", "--model", model, "--data", stereo)
    by_pytorch = run(*words)
    shown = run(*words, "--engine", "openvino", "--output", tmp_path / "report")
    assert "intersentence" in shown and shown.startswith(by_pytorch.rstrip("\n"))
    made = read_json(tmp_path / "report" / "report.json")["made"]
    assert made["engine"].startswith("openvino 20") and made["precision"] == "float32"
    assert made["command"].endswith("--engine openvino")


@pytest.mark.skipif(not bfloat16_instructions(), reason="this processor computes in float32 alone")
def test_a_probe_in_bfloat16_says_how_far_it_is(run: Run, model: Path, wino: Path) -> None:
    words = ("probe", "winobias", "--model", model, "--data", wino, "--precision", "bfloat16")
    line, heading = run(*words).splitlines()[:2]
    assert re.search(r"of a probability of the first texts from float32 is 0\.0\d+\.$", line)
    assert heading.split("  ")[0] == "measure"
