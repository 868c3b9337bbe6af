"""Whether the notebooks kept their time budgets in a test run that wrote a JUnit file.

python .ci/budgets.py build/notebooks.xml

nbval has run every cell already; running all notebooks again with `make run` would take minutes
to say the same. Exits with 1 when a budget was passed or a notebook is missing from the file.

A budget is a promise about two cores of the machine on which it was set. The same machine can be
half as fast an hour later, when others work beside it, so seconds alone say little. Some training
steps of notebook 05 are timed here too, and a notebook's seconds are divided by how much longer
they took than on that machine: by 1 at least and 2 at most.
"""

from __future__ import annotations

import sys
import tempfile
from collections import defaultdict
from itertools import islice
from xml.etree import ElementTree

import nbformat
import numpy as np

from albert_lib import AlbertForPreTraining
from albert_lib.corpus import TokenStore, python_documentation
from albert_lib.experiments.quick import quick_config, quick_recipe
from albert_lib.files import project_folder
from albert_lib.text import AlbertTokenizer
from albert_lib.training import pretrain
from albert_lib.workbook.run import NotebookRun, summary, verdict

STEP = 0.053  # seconds of a step of notebook 05 where the budgets were set: 48 s for 900
STEPS = 80
DOCUMENTS = 50


def slowness() -> float:
    """How many times longer than there a training step takes here and now, between 1 and 2."""
    tokenizer = AlbertTokenizer.from_pretrained("english-8k")
    recipe = quick_recipe(STEPS).replace(evaluate_every=0, checkpoint_every=0)
    with tempfile.TemporaryDirectory() as folder:
        documents = islice(python_documentation(), DOCUMENTS)
        store = TokenStore.build(folder, documents, tokenizer)
        model = AlbertForPreTraining(quick_config(tokenizer.vocab_size))
        history = pretrain(model, store, tokenizer, recipe, progress=False)
    return float(np.clip(np.median(history.column("seconds")) / STEP, 1, 2))


def main(report: str, slower: float) -> int:
    """Print one line a notebook and return the exit status."""
    print(f"a training step takes {slower:.2f} times as long here as where the budgets were set")
    seconds: dict[str, float] = defaultdict(float)
    for cell in ElementTree.parse(report).iter("testcase"):
        seconds[cell.attrib["classname"]] += float(cell.attrib["time"])
    runs = []
    for path in sorted((project_folder() / "notebooks").glob("[0-9]*.ipynb")):
        took = seconds.get(f"notebooks.{path.name}")
        problem = "not in the report" if took is None else None
        runs.append(
            NotebookRun(path, nbformat.read(path, as_version=4), (took or 0.0) / slower, problem)
        )
        print(f"{path.stem:<32}{verdict(runs[-1])}")
    return summary(runs)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], slowness()))
