"""Whether two processes train as one: the same losses at the same global batch.

    python -m benchmarks.processes [--steps 20]

The command that a person types, once alone and once under torchrun, on a little of the machine's
own English in float32; compared are the losses of every step. Without dropout, because parts of a
batch draw theirs apart: with it, two processes equal one that works in two parts
(--accumulation 2). Exits with 1 where the target is missed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

import numpy as np

from albert_lib import AlbertConfig, TokenStore
from albert_lib.corpus import python_documentation
from albert_lib.files import project_folder
from albert_lib.training import load_latest
from benchmarks.common import load_tokenizer
from benchmarks.targets import Report

LARGEST_DIFFERENCE = 1e-5
DOCUMENTS = 150
ALONE = [sys.executable]
IN_TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
RUN = (
    "-m albert_lib pretrain --corpus {folder}/corpus --config {folder}/config.json --precision "
    "float32 --batch-size 16 --sequence-length 64 --warmup-steps 2 --evaluate-every 0 "
    "--checkpoint-every 0 --steps {steps} --output {folder}/{name}"
)
MODEL = AlbertConfig(
    hidden_size=256,
    num_hidden_layers=2,
    num_attention_heads=4,
    intermediate_size=1024,
    classifier_dropout_prob=0.0,
)


def main() -> int:
    """Print the largest difference; return 1 if it is too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--steps", type=int, default=20)
    steps = parser.parse_args().steps
    report = Report()
    report.title(f"processes: two under torchrun beside one, {steps} steps")
    with tempfile.TemporaryDirectory() as folder:
        MODEL.to_json(Path(folder) / "config.json")
        documents = islice(python_documentation(packages=()), DOCUMENTS)
        TokenStore.build(Path(folder) / "corpus", documents, load_tokenizer())
        losses = []
        for name, how in (("one", ALONE), ("two", IN_TWO)):
            words = (word.format(folder=folder, steps=steps, name=name) for word in RUN.split())
            run([*how, *words])
            checkpoint = load_latest(Path(folder) / name)
            assert checkpoint is not None, "a finished run has one"
            losses.append(checkpoint.history.column("loss"))
    difference = float(np.abs(losses[0] - losses[1]).max())
    report.line(f"the loss fell from {losses[0][0]:.4f} to {losses[0][-1]:.4f}")
    report.at_most("processes: largest difference of a loss", difference, LARGEST_DIFFERENCE)
    return report.close()


def run(words: list[str]) -> None:
    """Run a command; show what it said only if it failed."""
    shown = subprocess.run(words, cwd=project_folder(), capture_output=True, text=True, check=False)
    if shown.returncode:
        raise SystemExit(f"{' '.join(words)} failed:\n{shown.stderr}")


if __name__ == "__main__":
    raise SystemExit(main())
