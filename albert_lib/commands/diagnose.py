"""diagnose: what a run's loss curve does and, if it is stuck, why."""

from __future__ import annotations

import argparse
from pathlib import Path

from albert_lib.diagnosis import diagnose
from albert_lib.errors import CheckpointError
from albert_lib.training import History, load_latest


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's one argument."""
    parser.add_argument("run", type=Path, help="folder of a run, the --output of pretrain")


def run(options: argparse.Namespace) -> int:
    """Print the diagnosis of the newest undamaged checkpoint; the status is always 0."""
    print(diagnose(saved_history(options.run)))
    return 0


def saved_history(run: Path) -> History:
    """Return the rows of a run's newest undamaged checkpoint; CheckpointError without any."""
    checkpoint = load_latest(run)
    if checkpoint is None:
        raise CheckpointError(
            f"{run} holds no checkpoint; give the --output of a pretrain command that has saved "
            f"one."
        )
    return checkpoint.history
