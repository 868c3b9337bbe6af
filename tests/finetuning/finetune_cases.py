"""What a process of its own does in tests: fine-tunes, perhaps among others, perhaps until killed.

python finetune_cases.py OUTPUT FOLDER WHEN RECIPE: trains by RECIPE, a dict, in FOLDER and writes
its rows and weights to OUTPUT; at the step WHEN it kills itself.
"""

from __future__ import annotations

import ast
import json
import os
import signal
import sys
from pathlib import Path

from safetensors.torch import save_file
from small_task import SHORT, WORDS, classifier, word_rows

from albert_lib.finetuning.finetune import finetune
from albert_lib.training import distributed


def main(output: str, folder: str, when: str, changes: str) -> None:
    recipe = SHORT.replace(**ast.literal_eval(changes))

    def on_step(row: dict[str, float]) -> None:
        if str(row["step"]) == when:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

    with distributed.joined("cpu"):
        model = classifier(recipe, head_seed=distributed.rank())  # that of the first counts
        history = finetune(
            model, word_rows(), recipe, WORDS, output=folder, progress=False, on_step=on_step,
            evaluate=lambda model: {"held_out": model.classifier.weight.sum().item()},
        )  # fmt: skip
        place = Path(output)
        number = distributed.rank()
        (place / f"rows-{number}.json").write_text(json.dumps(history.rows))
        save_file(dict(model.named_parameters()), place / f"weights-{number}.safetensors")


if __name__ == "__main__":
    main(*sys.argv[1:])
