"""verify: are the files of a corpus, a run or a model what was written?"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from albert_lib.checksums import SUMS, find_damage
from albert_lib.corpus import TokenStore
from albert_lib.errors import CheckpointError, StoreError, counted, listed
from albert_lib.training.checkpoint import (
    HASHED,
    HISTORY,
    checkpoints,
    find_history_damage,
)
from albert_lib.training.pretraining import KEPT_MODELS

CORPUS_PARTS = ("train", "held-out")  # of a corpus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's one argument."""
    parser.add_argument(
        "folder", type=Path, help="a corpus or store, the output of a run, a checkpoint or a model"
    )


def run(options: argparse.Namespace) -> int:
    """Print a line for each part of the folder; CheckpointError if one is damaged."""
    folder: Path = options.folder
    damaged = []
    n_parts = 0
    for part, problem in findings(folder):
        n_parts += 1
        print(f"{part}: {problem or 'whole'}")
        if problem:
            damaged.append(str(part))
    if n_parts == 0:
        raise CheckpointError(
            f"{folder} holds no store, checkpoint or model with a {SUMS}; name the folder of one."
        )
    if damaged:
        raise CheckpointError(
            f"{counted(len(damaged), 'part')} of {folder} {'is' if len(damaged) == 1 else 'are'} "
            f"damaged ({listed(damaged)}); copy or make it again."
        )
    return 0


def findings(folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield each store, checkpoint and model in a folder, and what is wrong with it, or None."""
    corpus = folder / "corpus"  # of a run that was given a text
    for store in (folder, *(top / name for top in (folder, corpus) for name in CORPUS_PARTS)):
        if (store / "store.json").is_file():
            yield store, store_damage(store)
    found = sorted(checkpoints(folder).items())
    for _, checkpoint in found:
        yield checkpoint, find_damage(checkpoint, HASHED)
    if found and find_damage(found[-1][1], HASHED) is None and (folder / HISTORY).exists():
        yield folder / HISTORY, find_history_damage(found[-1][1])
    models = sorted((folder / KEPT_MODELS).glob("step-*"))
    for model in (folder, folder / "model", *models):
        if (model / SUMS).is_file():
            yield model, find_damage(model)


def store_damage(folder: Path) -> str | None:
    """What is wrong with a token store, or None."""
    try:
        TokenStore.open(folder).verify()
    except StoreError as problem:
        return str(problem)
    return None
