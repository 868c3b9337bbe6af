"""The benchmarks run, at sizes too small to say anything about speed."""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from albert_lib.config import AlbertConfig
from albert_lib.corpus import TokenStore
from albert_lib.files import project_folder, read_json
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.layer import AlbertLayer
from albert_lib.text import AlbertTokenizer
from albert_lib.training import History, Recipe
from albert_lib.training.stage_plan import plan_stages
from benchmarks import checkpoint_trials, engines, late_divergence, public_recipe, stored_precision
from benchmarks.kills import Instant, Pace, finish, start
from benchmarks.targets import COLLECT, Figure, Report


@pytest.mark.parametrize(
    ("words", "cases"),
    [
        (
            ["-m", "benchmarks.fill_mask", "--only", "pipeline", "--turns", "1"]
            + ["--preset", "albert-base-v1"],
            4,
        ),
        (["-m", "benchmarks.tokenization", "--lines", "200"], 6),
    ],
    ids=["fill_mask", "tokenization"],
)
def test_a_benchmark_prints_a_ratio_for_every_case(words: list[str], cases: int) -> None:
    shown = subprocess.run(
        [sys.executable, *words],
        cwd=project_folder(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.returncode in (0, 1), shown.stderr  # 1: the other was faster, on a busy machine
    assert "Traceback" not in shown.stderr
    ratios = re.findall(r"(\d+\.\d+) times as fast", shown.stdout)
    assert len(ratios) == cases and all(float(ratio) > 0 for ratio in ratios)


@pytest.mark.parametrize(
    ("words", "figures"),
    [
        (
            ["benchmarks.throughput", "--case", "tiny", "--rounds", "1"],
            ["tiny: times as fast", "tiny: share of the peak", "tiny: memory", "tiny: share"],
        ),
        (
            ["benchmarks.data", "--tiny"],
            ["data: tokens/s", "data: times as fast", "data: growth of memory"],
        ),
        (
            ["benchmarks.processes", "--steps", "3"],
            ["processes: largest difference"],
        ),
    ],
    ids=["throughput", "data", "processes"],
)
def test_a_benchmark_with_targets_prints_and_records_its_figures(
    words: list[str], figures: list[str], tmp_path: Path
) -> None:
    collected = tmp_path / "figures.jsonl"
    shown = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=project_folder(),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, COLLECT: str(collected)},
    )
    assert shown.returncode in (0, 1) and "Traceback" not in shown.stderr, shown.stderr
    recorded = [json.loads(line) for line in collected.read_text().splitlines()]
    assert len(recorded) == len(figures)
    assert all(row["name"].startswith(name) for row, name in zip(recorded, figures, strict=True))
    for row in recorded:
        assert math.isfinite(row["value"]) and f"{row['name']}: " in shown.stdout


def test_every_way_of_running_a_model_is_timed_beside_its_target(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "bfloat16_instructions", lambda: None)  # not on every machine
    report = Report()
    engines.report_engines(report, turns=1, tiny=True)
    assert len(report.figures) == 4 * 2 and all(each.value > 0 for each in report.figures)
    assert {each.target for each in report.figures} == {1.0, None}
    shown = capsys.readouterr().out
    assert shown.count("bare openvino") == 2 * 2 and "128 tokens, one thread" in shown


def test_a_missed_target_is_said_and_fails_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    report.at_least("speed", 1.99, 2.0)
    report.at_most("memory", 0.4, 0.5)
    report.at_least("share", 0.1, None)
    assert report.close() == 1
    shown = capsys.readouterr().out
    assert "speed: 1.99 (target >= 2: MISSED)" in shown
    assert "memory: 0.4 (target <= 0.5: reached)" in shown
    assert "share: 0.1 (no target on this machine)" in shown
    assert shown.splitlines()[-1].startswith("missed: speed")
    assert not Figure("anything", float("nan"), ">=", 0.0).reached


def test_all_targets_reached_is_success() -> None:
    report = Report()
    report.at_least("speed", 2.0, 2.0)
    assert report.close() == 0


def test_pretraining_killed_a_few_times_ends_as_if_left_alone() -> None:
    words = ["-m", "benchmarks.kills", "--kills", "4", "--steps", "12"]
    shown = subprocess.run(
        [sys.executable, *words], cwd=project_folder(), capture_output=True, text=True, check=False
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr
    assert shown.stdout.count(": killed after ") == 4
    assert "runs that ended otherwise than the one left alone: 0 " in shown.stdout


def test_a_run_that_fails_by_itself_is_told_in_its_own_words(tmp_path: Path) -> None:
    process = start(tmp_path / "run", argparse.Namespace(steps=0, more=[]))
    with pytest.raises(RuntimeError, match=r"a run failed by itself: .*steps is 0"):
        finish(process, tmp_path / "run", killed=True)


def test_a_kill_that_came_too_late_comes_earlier_the_next_time() -> None:
    pace = Pace(start=10.0, step=1.0, write=0.1)  # the first run compiled; the second took 6 s
    for instant in (Instant(0.99, -1.0), Instant(0.0, 0.5), Instant(0.99, 0.5)):
        delay = pace.delay(instant, steps=12)
        assert delay > 6
        assert pace.corrected(delay, ended=6.0).delay(instant, steps=12) == pytest.approx(5.4)


@pytest.mark.parametrize("name", checkpoint_trials.TRIALS)
def test_every_trial_costs_the_same_operations(name: str) -> None:
    trial = checkpoint_trials.TRIALS[name]
    config = checkpoint_trials.config_of(trial, 16_000 if trial.vocabulary == "16k" else 8000)
    recipe = checkpoint_trials.recipe_of(trial, config, 1e13, seed=0)
    spent = sum(
        len(stage.steps)
        * checkpoint_trials.step_flops(config, stage.recipe, stage.num_hidden_layers)
        for stage in plan_stages(recipe, config.num_hidden_layers)
    )
    assert spent == pytest.approx(1e13, rel=0.01)
    assert recipe.learning_rate_at(recipe.steps) == 0


@pytest.fixture
def corpus(tmp_path: Path, english_tokenizer: AlbertTokenizer) -> Path:
    """What build-corpus would write of very little text."""
    english_tokenizer.save_pretrained(tmp_path / "corpus" / "tokenizer")
    for part in ("train", "held-out"):
        documents = [["The old man walks to the mill.", "He sleeps by the river."]] * 20
        TokenStore.build(tmp_path / "corpus" / part, documents, english_tokenizer)
    return tmp_path / "corpus"


def test_a_trial_is_scored_once_and_then_read(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoint_trials, "ROWS", 8)
    monkeypatch.setattr(checkpoint_trials, "BATCHES", 1)
    how = (0, {"8k": corpus}, tmp_path / "trials", 1e11)
    first = checkpoint_trials.run_trial("depth-2-4", *how)
    assert first["steps"] == 4 and 0 < first["plain_loss"] < 10
    monkeypatch.setattr(checkpoint_trials, "pretrain", None)
    assert checkpoint_trials.run_trial("depth-2-4", *how) == first
    (line,) = checkpoint_trials.table({"depth-2-4": [first, first]})[2:]
    assert line.startswith("| depth-2-4 | 2 applications, then 4 | 4 |")


def test_shorter_numbers_in_a_file_cost_what_their_rounding_costs(
    corpus: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    config = AlbertConfig(
        vocab_size=8000, hidden_size=32, num_attention_heads=2, num_hidden_layers=3
    )
    AlbertForPreTraining(config).save_pretrained(tmp_path / "model")
    AlbertTokenizer.from_pretrained(corpus / "tokenizer").save_pretrained(tmp_path / "model")
    held_out = str(corpus / "held-out")
    words = ["stored_precision", str(tmp_path / "model"), "--held-out", held_out, "--rows", "4"]
    monkeypatch.setattr(sys, "argv", words)
    assert stored_precision.main() == 0
    lines = [line.split(" | ") for line in capsys.readouterr().out.splitlines()[2:]]
    assert [line[0] for line in lines] == ["| float32", "| float16", "| bfloat16"]
    exact, half, brain = (float(line[2]) for line in lines)
    assert exact == 0 < 4 * half < brain  # three bits fewer in bfloat16
    assert 2 * float(lines[1][1]) == pytest.approx(float(lines[0][1]), abs=0.2)


SMALL = public_recipe.Settings(
    seconds=1.0, hidden_size=32, num_hidden_layers=2, batch_size=2, learning_rate=5e-4, warmup=0.1
)


@pytest.mark.parametrize("framed", [False, True])
def test_the_public_recipe_is_trained_scored_and_told(
    framed: bool, corpus: Path, tmp_path: Path
) -> None:
    pair = {"sentence_good": "He sleeps.", "sentence_bad": "He sleep."}
    pair |= {"UID": "agreement_1", "linguistics_term": "agreement"}
    (tmp_path / "agreement_1.jsonl").write_text(json.dumps(pair))
    settings = dataclasses.replace(SMALL, framed=framed)
    record = public_recipe.train_and_score(corpus, tmp_path / "out", settings, 8, tmp_path)
    assert read_json(tmp_path / "out" / "scores.json") == record
    assert record["tokens"] <= 2 * 128 * record["steps"] and 1 <= record["cpu_seconds"] < 10
    scores = {label: each["value"] for label, each in record["scores"].items()}
    assert 0 < scores["plain: loss"] < math.log(8000), "it has learnt which words there are"
    assert scores["blimp: accuracy"] in (0.0, 100.0)
    heads, _, line = public_recipe.table(record)
    assert heads.count("|") == line.count("|")
    assert f" {scores['plain: loss']:.3f} |" in line and "| 0.0005 | 10% | 1 cpu |" in line


def test_a_bert_saved_as_ours_scores_the_same(tmp_path: Path) -> None:
    bert = public_recipe.new_bert(8000, SMALL).eval()
    for parameter in bert.parameters():  # so that no bias is zero and no norm is one
        torch.nn.init.normal_(parameter, std=0.2)
    public_recipe.as_albert(bert).save_pretrained(tmp_path)
    ours = AlbertForPreTraining.from_pretrained(tmp_path).eval()
    ids = torch.randint(5, 8000, (3, 20))
    mask = (torch.arange(20) < torch.tensor([[20], [7], [15]])).long()
    with torch.no_grad():
        expected = bert(input_ids=ids, attention_mask=mask).logits
        found = ours(ids, mask, token_type_ids=ids % 2)
    torch.testing.assert_close(found.prediction_logits[mask == 1], expected[mask == 1])
    assert not found.sop_logits.any()


def test_rows_are_those_of_group_texts(corpus: Path, english_tokenizer: AlbertTokenizer) -> None:
    store = TokenStore.open(corpus / "train")
    document = [*store.sentence(0), *store.sentence(1)]
    stream = [2, *document, 3] * store.n_documents
    rows = public_recipe.Rows(store, english_tokenizer, framed=False)
    assert len(rows) == len(stream) // 128
    assert rows.ids(np.arange(len(rows))).ravel().tolist() == stream[: 128 * len(rows)]
    rows = public_recipe.Rows(store, english_tokenizer, framed=True)
    (last,) = rows.ids(np.array([len(rows) - 1])).tolist()
    text = (document * store.n_documents)[: 126 * len(rows)]
    assert last == [2, *text[-126:], 3]


def test_masks_of_the_public_recipe_are_its_collators(
    corpus: Path, english_tokenizer: AlbertTokenizer
) -> None:
    rows = public_recipe.Rows(TokenStore.open(corpus / "train"), english_tokenizer, framed=True)
    torch.manual_seed(0)
    batches = public_recipe.masked_batches(rows, corpus, SMALL)
    some = [next(batches) for _ in range(200)]
    ids, labels = (torch.cat([b[name] for b in some]) for name in ("input_ids", "labels"))
    assert (ids[:, 0] == 2).all() and (ids[:, -1] == 3).all() and ids.shape[1] == 128
    asked = labels[:, 1:-1] != -100
    assert (labels[:, [0, -1]] == -100).all() and float(asked.float().mean()) == pytest.approx(
        0.15, abs=0.01
    )
    shown = ids[:, 1:-1][asked]
    assert float((shown == 4).float().mean()) == pytest.approx(0.8, abs=0.02)


def test_the_public_rate_rises_and_falls_with_the_clock() -> None:
    rates = [SMALL.rate_at(passed) for passed in (0.0, 0.05, 0.1, 0.55, 1.0)]
    assert rates == pytest.approx([0, 2.5e-4, 5e-4, 2.5e-4, 0])
    assert public_recipe.Settings().rate_at(0.0) == 5e-5


def test_a_kept_run_has_every_loss_its_looks_and_four_digits() -> None:
    rows = [
        {"step": n, "loss": n + 0.5, "mlm_loss": n / 7, "learning_rate": 1e-5 * n, "seconds": 0.1}
        for n in range(1, 52)
    ]
    rows[49]["hearing"] = 0.123456
    kept = late_divergence.thinned(History(rows))
    assert len(kept) == 51
    assert kept.rows[2] == {"step": 3, "mlm_loss": 0.4286, "learning_rate": 3e-5}
    assert kept.rows[49] == {
        "step": 50, "loss": 50.5, "mlm_loss": 7.143, "learning_rate": 5e-4, "hearing": 0.1235
    }  # fmt: skip
    assert late_divergence.averaged(History(rows)).rows == [
        {"step": 25, "mlm_loss": 1.857}, {"step": 50, "mlm_loss": 5.429}
    ]  # fmt: skip


def test_the_kicked_rate_is_high_for_a_few_steps_alone() -> None:
    usual = Recipe(steps=800, warmup_steps=800, learning_rate=0.006)
    kicked = late_divergence.KickedRate(**vars(usual))
    times = [kicked.learning_rate_at(n) / usual.learning_rate_at(n) for n in range(1, 800)]
    assert [n for n, each in enumerate(times, 1) if each != 1] == [500, 501, 502, 503, 504]
    assert times[500] == pytest.approx(8)


def test_with_norms_first_the_sum_itself_goes_on() -> None:
    config = AlbertConfig(
        vocab_size=60, embedding_size=8, hidden_size=8, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16, initializer_range=0.3,
    )  # fmt: skip
    torch.manual_seed(0)
    model = AlbertForPreTraining(config).eval()
    ids = torch.randint(5, 60, (2, 7))
    layer = next(each for each in model.modules() if isinstance(each, AlbertLayer))
    late_divergence.put_norms_first(model)
    with torch.no_grad():
        state = torch.randn(2, 7, 8)
        inner = state + layer.attention(layer.attention_norm(state))[0]
        expected = inner + layer.feed_forward(layer.feed_forward_norm(inner))
        torch.testing.assert_close(layer(state)[0], expected)
        whole = model.albert(ids).last_hidden_state
        some = model.albert(ids, masked_positions=torch.tensor([2, 9])).last_hidden_state
    torch.testing.assert_close(some, whole.flatten(0, 1)[[2, 9]])
    lengths = whole.std(dim=-1, unbiased=False)  # after a norm each would be 1
    assert (lengths - 1).abs().max() > 0.1
