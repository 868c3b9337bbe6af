"""Trials for the recipe of albert-mini-en: one question each, at equal operations.

    python -m benchmarks.checkpoint_trials --corpus CORPUS --corpus-16k CORPUS
        --output FOLDER [--operations 4e13] [--seeds 0 1] [NAME …]

A corpus is what `build-corpus` writes. Every trial costs the same floating-point operations, by
the formulas of `albert_lib/model/costs.py`; so a trial of a wider layer takes fewer steps. One
that was killed is resumed, one that is done is read. What is printed is a table in Markdown: loss
and accuracy as trained (spans, 80/10/10), plain (single tokens, all [MASK]; nats and bits a byte),
and SOP accuracy.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from albert_lib import AlbertConfig, AlbertForPreTraining, AlbertTokenizer
from albert_lib.corpus import TokenStore
from albert_lib.files import read_json, write_json
from albert_lib.model.costs import spared_flops, training_flops
from albert_lib.objectives import MaskingConfig
from albert_lib.training import Recipe, Stage, evaluate, pretrain
from albert_lib.training.held_out_scores import SEQUENCE_LENGTH, rows_to_score, score_rows
from albert_lib.training.pretraining import HELD_OUT_SEED
from albert_lib.training.stage_plan import plan_stages, pretraining_batches

ROWS = 1024  # of plain evaluation
BATCHES = 64  # of evaluation as trained
NOTHING_TO_COPY: dict[str, Any] = {"mask_probability": 0.9, "random_probability": 0.1}
RATE = 0.3


@dataclass(frozen=True)
class Part:
    """A stage by its share of the operations, with fields of `Stage`."""

    share: float
    changes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """A model and its stages; what is left out is the base's."""

    question: str
    answer: str
    config: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    parts: tuple[Part, ...] = (Part(0.6), Part(0.4, {"final_rate": 0.0}))
    vocabulary: str = "8k"


def masked(rate: float = RATE, **how: Any) -> dict[str, Any]:
    """Fields of a stage that masks so."""
    return {"masking": MaskingConfig(rate=rate, **how)}


def sized(hidden_size: int) -> dict[str, Any]:
    """Fields of a configuration of that width, with heads of 64."""
    return {
        "hidden_size": hidden_size,
        "num_attention_heads": hidden_size // 64,
        "intermediate_size": 4 * hidden_size,
    }


TRIALS = {
    "base": Trial("base", "H=256, 4 applications, 30 % masked 80/10/10, 32 x 64"),
    "depth-2-4": Trial(
        "depth", "2 applications, then 4",
        parts=(Part(0.6, {"num_hidden_layers": 2}),
               Part(0.4, {"num_hidden_layers": 4, "final_rate": 0.0})),
    ),
    "depth-1-2-4": Trial(
        "depth", "1 application, then 2, then 4",
        parts=(Part(0.2, {"num_hidden_layers": 1}), Part(0.4, {"num_hidden_layers": 2}),
               Part(0.4, {"num_hidden_layers": 4, "final_rate": 0.0})),
    ),
    "depth-2": Trial("depth", "2 applications throughout", config={"num_hidden_layers": 2}),
    "depth-6": Trial("depth", "6 applications throughout", config={"num_hidden_layers": 6}),
    "nothing-to-copy": Trial(
        "masking", "90/10/0",
        parts=(Part(0.6, masked(**NOTHING_TO_COPY)),
               Part(0.4, {**masked(**NOTHING_TO_COPY), "final_rate": 0.0})),
    ),
    "all-masked": Trial(
        "masking", "100/0/0",
        parts=(Part(0.6, masked(mask_probability=1.0, random_probability=0.0)),
               Part(0.4, {**masked(mask_probability=1.0, random_probability=0.0),
                          "final_rate": 0.0})),
    ),
    "rate-40-15": Trial(
        "masking", "40 % masked, then 15 %",
        parts=(Part(0.6, masked(0.4)), Part(0.4, {**masked(0.15), "final_rate": 0.0})),
    ),
    "width-384": Trial("width", "H=384", config=sized(384)),
    "width-512": Trial("width", "H=512", config=sized(512)),
    "two-groups": Trial("groups", "two groups, 2 applications each", {"num_hidden_groups": 2}),
    "batch-growing": Trial(
        "batch", "16, then 64 sequences",
        parts=(Part(0.6, {"batch_size": 16}), Part(0.4, {"batch_size": 64, "final_rate": 0.0})),
    ),
    "batch-16": Trial("batch", "16 sequences throughout", recipe={"batch_size": 16}),
    "vocabulary-16k": Trial("vocabulary", "16,000 pieces", vocabulary="16k"),
    "rate-002": Trial("learning rate", "0.002", recipe={"learning_rate": 0.002}),
}  # fmt: skip


def config_of(trial: Trial, vocab_size: int) -> AlbertConfig:
    """The configuration of a trial's model."""
    base: dict[str, Any] = {
        **sized(256),
        "num_hidden_layers": 4,
        "max_position_embeddings": 128,
        "initializer_range": 0.03,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    return AlbertConfig(vocab_size=vocab_size, **{**base, **trial.config})


def recipe_of(trial: Trial, config: AlbertConfig, operations: float, seed: int) -> Recipe:
    """The recipe of a trial, with as many steps in every stage as the operations allow."""
    base: dict[str, Any] = {
        "batch_size": 32,
        "sequence_length": 64,
        "learning_rate": 0.001,
        "optimizer": "muon",
        "masking": MaskingConfig(rate=RATE),
        "unigram_bias": True,
        "evaluate_every": 0,
        "checkpoint_every": 500,
        "seed": seed,
        **trial.recipe,
    }
    stages = []
    for part in trial.parts:
        one = Recipe(**base, steps=1, warmup_steps=0, stages=(Stage(1, **part.changes),))
        depth = stages[-1].num_hidden_layers if stages else None
        (planned,) = plan_stages(one, depth or config.num_hidden_layers)
        flops = step_flops(config, planned.recipe, planned.num_hidden_layers)
        steps = max(1, round(part.share * operations / flops))
        stages.append(Stage(steps, **{"num_hidden_layers": depth, **part.changes}))
    total = sum(stage.steps for stage in stages)
    return Recipe(**base, steps=total, warmup_steps=total // 20, stages=tuple(stages))


def step_flops(config: AlbertConfig, recipe: Recipe, num_hidden_layers: int) -> float:
    """Operations of a step of a recipe, as this library computes it."""
    deep = config.replace(num_hidden_layers=num_hidden_layers)
    rows, length = recipe.batch_size, recipe.sequence_length
    predictions = int(recipe.masking.rate * rows * length)
    whole = sum(training_flops(deep, rows, length, predictions).values())
    return whole - spared_flops(deep, rows, length, predictions)


def run_trial(
    name: str, seed: int, corpora: dict[str, Path], output: Path, operations: float
) -> dict[str, Any]:
    """Train and score one trial, or read what it has come to."""
    folder = output / f"{name}-{seed}"
    if (folder / "scores.json").is_file():
        return read_json(folder / "scores.json")
    trial = TRIALS[name]
    corpus = corpora[trial.vocabulary]
    tokenizer = AlbertTokenizer.from_pretrained(corpus / "tokenizer")
    train, held_out = (TokenStore.open(corpus / part) for part in ("train", "held-out"))
    config = config_of(trial, tokenizer.vocab_size)
    recipe = recipe_of(trial, config, operations, seed)
    torch.manual_seed(seed)
    model = AlbertForPreTraining(config)
    began = time.process_time()
    history = pretrain(model, train, tokenizer, recipe, output=folder, progress=False)
    scores = {
        "steps": recipe.steps,
        "tokens": int(history.column("tokens").sum()),
        "parameters": model.num_parameters(),
        "seconds": round(float(history.column("seconds").sum()), 1),
        "cpu_seconds": round(time.process_time() - began, 1),
        **scores_of(model, held_out, tokenizer),
    }
    write_json(folder / "scores.json", scores)
    return scores


def scores_of(
    model: AlbertForPreTraining, held_out: TokenStore, tokenizer: AlbertTokenizer
) -> dict[str, float]:
    """Scores on held-out text, as trained and plain."""
    rows = rows_to_score(held_out, tokenizer, ROWS, SEQUENCE_LENGTH, plain=True)
    plain = score_rows(model, rows, tokenizer)
    usual = pretraining_batches(
        held_out, tokenizer, Recipe(batch_size=32, sequence_length=64), seed=HELD_OUT_SEED
    )
    trained = evaluate(model, usual, BATCHES)
    return {
        "loss": trained.mlm_loss,
        "accuracy": trained.mlm_accuracy,
        "sop": trained.sop_accuracy,
        "plain_loss": plain.loss,
        "plain_accuracy": plain.accuracy,
        "bits_per_byte": plain.bits_per_byte,
    }


def table(found: dict[str, list[dict[str, Any]]]) -> list[str]:
    """The table's lines; several seeds in one cell."""
    heads = ["trial", "what", "steps", "M tokens", "nats", "accuracy %", "plain nats", "plain %"]
    heads += ["bits/byte", "SOP %"]
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    columns = (
        ("loss", 1, 3), ("accuracy", 100, 1), ("plain_loss", 1, 3), ("plain_accuracy", 100, 1),
        ("bits_per_byte", 1, 3), ("sop", 100, 1),
    )  # fmt: skip
    for name, rows in found.items():
        steps, millions = rows[0]["steps"], rows[0]["tokens"] / 1e6
        cells = [name, TRIALS[name].answer, f"{steps:,}", f"{millions:.1f}"]
        for column, scale, digits in columns:
            cells.append(", ".join(f"{scale * row[column]:.{digits}f}" for row in rows))
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> int:
    """Run the trials one after another and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(TRIALS))
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--corpus-16k", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--operations", type=float, default=4e13)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0])
    options = parser.parse_args()
    corpora = {"8k": options.corpus, "16k": options.corpus_16k or options.corpus}
    found: dict[str, list[dict[str, Any]]] = {}
    for seed in options.seeds:
        for name in options.names or TRIALS:
            scores = run_trial(name, seed, corpora, options.output, options.operations)
            found.setdefault(name, []).append(scores)
            print(name, seed, json.dumps(scores), flush=True)
    print("\n".join(table(found)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
