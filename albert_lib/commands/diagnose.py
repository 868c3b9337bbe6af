"""diagnose: where a run's curve stands, and what likely holds it up."""

from __future__ import annotations

import argparse
from pathlib import Path

from albert_lib.diagnosis import diagnose
from albert_lib.errors import CheckpointError
from albert_lib.training import load_latest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's one argument."""
    parser.add_argument("run", type=Path, help="folder of a run: what pretrain calls --output")


def run(options: argparse.Namespace) -> int:
    """Print what the newest undamaged checkpoint's history shows; finding a fault is no failure."""
    checkpoint = load_latest(options.run)
    if checkpoint is None:
        raise CheckpointError(
            f"{options.run} holds no checkpoint; give the folder that pretrain was told to write "
            f"to, once it has written one."
        )
    print(diagnose(checkpoint.history))
    return 0
