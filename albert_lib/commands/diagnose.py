"""diagnose: what a run's loss curve does and, if it is stuck, why."""

from __future__ import annotations

import argparse
from pathlib import Path

from albert_lib.diagnosis import diagnose
from albert_lib.errors import CheckpointError
from albert_lib.training import load_latest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's one argument."""
    parser.add_argument("run", type=Path, help="folder of a run, the --output of pretrain")


def run(options: argparse.Namespace) -> int:
    """Print the diagnosis of the newest undamaged checkpoint; the status is always 0."""
    checkpoint = load_latest(options.run)
    if checkpoint is None:
        raise CheckpointError(
            f"{options.run} holds no checkpoint; give the --output of a pretrain command that "
            f"has saved one."
        )
    print(diagnose(checkpoint.history))
    return 0
