"""A learner goes through chapters 01 to 05, each in a process of its own, and trains their ALBERT.

The stubs and checks are those of the notebooks; in place of the stubs stand right answers, to all
exercises or to every other one.
"""

from __future__ import annotations

import ast
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Collection, Iterable
from itertools import islice
from pathlib import Path

import nbformat
import pytest

from albert_lib import AlbertTokenizer, TokenStore
from albert_lib.corpus import python_documentation
from albert_lib.files import project_folder
from albert_lib.workbook.exercise import all_exercises
from albert_lib.workbook.my_pieces import ALL_PIECES

CHAPTERS = ("01", "02", "03", "04", "05")
HERE = Path(__file__).parent
SECONDS = 3  # of training
MARGIN = 1.0  # nats below the uniform line; the unigram line is three below
IDS = [id for id in all_exercises() if f"{int(id.partition('.')[0]):02d}" in CHAPTERS]
TRAIN = f"""
from albert_lib import AlbertTokenizer, TokenStore
from albert_lib.files import data_folder
from albert_lib.workbook import my_albert

tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
mine = my_albert()
curve = mine.learn({SECONDS}, store=TokenStore.open("STORE"), tokenizer=tokenizer)
print("steps", curve.steps, "loss", curve.first, curve.last, "own", len(mine.pieces.own))
"""


def cells(chapter: str, solved: Collection[str]) -> list[str]:
    """A notebook's imports, then each stub, or the right answer in its place, with its check."""
    (path,) = (project_folder() / "notebooks").glob(f"{chapter}_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    answers, others = right_answers(chapter)
    found = ["\n".join(imports(cell.source for cell in code)), others]
    for cell in code:
        marks = cell.metadata.get("nbgrader", {})
        name, _, id = marks.get("grade_id", "").partition("-")
        id = id.replace("-", ".")
        if name == "exercise" and id in solved:
            found.append(answers[all_exercises()[id].name])
        elif name in ("exercise", "check"):
            found.append(cell.source)
    return found


def imports(sources: Iterable[str]) -> Iterable[str]:
    """The imports at the margin of a notebook's cells."""
    for source in sources:
        for node in ast.parse(source).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield ast.unparse(node)


def right_answers(chapter: str) -> tuple[dict[str, str], str]:
    """The source of each function of a chapter's right answers, and the rest of the file."""
    text = (HERE / "right_answers" / f"chapter_{chapter}.py").read_text(encoding="utf-8")
    names = {all_exercises()[id].name for id in IDS}
    answers, others = {}, []
    for node in ast.parse(text).body:
        source = ast.get_source_segment(text, node) or ""
        if isinstance(node, ast.FunctionDef) and node.name in names:
            answers[node.name] = source
        else:
            others.append(source)
    return answers, "\n".join(others)


def run(sources: list[str], home: Path) -> str:
    """What cells print in a process of their own; nothing goes to stderr but the bar."""
    environment = {**os.environ, "ALBERT_LIB_HOME": str(home), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(project_folder())
    done = subprocess.run(
        [sys.executable, HERE / "run_cells.py"],
        input=json.dumps(sources), env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory, english_tokenizer: AlbertTokenizer) -> str:
    """The last cell: it trains on some of the documentation."""
    folder = tmp_path_factory.mktemp("text") / "store"
    documents = islice(python_documentation(packages=()), 60)
    TokenStore.build(folder, documents, english_tokenizer)
    return TRAIN.replace("STORE", folder.as_posix())


def check_end(printed: str, own: list[str]) -> None:
    """The pieces are whose they should be, the numbers the library's, and the loss came down."""
    for id, library in ALL_PIECES.items():
        whose = "yours" if id in own else "the library's"
        assert re.search(rf"{id} {library.__name__} +\(here: {whose}\)", printed), id
    assert f"(here: {len(own)} yours, {len(ALL_PIECES) - len(own)} the library's)" in printed
    assert "With the same weights, the library's numbers to 1e-5" in printed
    assert "stands in" not in printed and "not solved" not in printed
    first, last, own_at_end = re.search(r"loss (\S+) (\S+) own (\d+)", printed).groups()  # type: ignore[union-attr]
    assert abs(float(first) - math.log(8000)) < 0.5
    assert float(last) < math.log(8000) - MARGIN
    assert int(own_at_end) == len(own)


def test_all_solved_chapter_by_chapter_ends_in_an_albert_of_one_s_own(
    home: Path, train: str
) -> None:
    for chapter in CHAPTERS:
        ending = [train] if chapter == CHAPTERS[-1] else []
        printed = run([*cells(chapter, IDS), *ending], home)
        for id in IDS:
            if int(id.partition(".")[0]) == int(chapter):
                assert f"Exercise {id}: right." in printed
        assert "could not be kept" not in printed
    kept = {path.name for path in (home / "answers").iterdir()}
    assert len(kept) == len(IDS)
    check_end(printed, list(ALL_PIECES))


def test_every_other_one_solved_ends_the_same_way_with_the_library_s_pieces_named(
    home: Path, train: str
) -> None:
    solved = IDS[::2]
    sources = [cell for chapter in CHAPTERS for cell in cells(chapter, solved)]
    printed = run([*sources, train], home)
    for id in IDS:
        said = (
            "right." if id in solved else f"is not attempted yet: write {all_exercises()[id].name}"
        )
        assert f"Exercise {id}: {said}" in printed or f"Exercise {id} {said}" in printed
    check_end(printed, [id for id in ALL_PIECES if id in solved])
