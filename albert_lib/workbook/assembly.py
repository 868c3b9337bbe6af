"""`my_albert`: an ALBERT of what a learner has solved, held to the library's numbers."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch

from albert_lib.config import AlbertConfig
from albert_lib.experiments.quick import quick_config
from albert_lib.workbook.answer_files import answers_of, is_graded, kept_answers
from albert_lib.workbook.measured import here
from albert_lib.workbook.my_comparison import disagreement, find_disagreeing
from albert_lib.workbook.my_model import MyAlbert
from albert_lib.workbook.my_pieces import ALL_PIECES, Pieces

VOCABULARY = 8000  # of the tokenizer that comes with the workbook


def my_albert(
    file: str | os.PathLike[str] | None = None,
    *,
    config: AlbertConfig | None = None,
    seed: int = 0,
) -> MyAlbert:
    """Put an ALBERT together from your own functions wherever they are solved; say whose is what.

    Yours are the answers that `check` has kept, or the functions of a file of your own that are
    right. Also prints whether the model gives the same numbers as the library's with the same
    weights; a piece that does not is named, and the library's stands in for it. The first weights
    follow from `seed`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if file is not None:
            own = answers_of(file, only=ALL_PIECES)
        else:  # what is kept where a class is graded is not the student's
            own = {} if is_graded() else kept_answers(only=ALL_PIECES)
        pieces = Pieces(own)
        settled = (config or quick_config(VOCABULARY)).replace(classifier_dropout_prob=0.0)
        mine = MyAlbert(settled, pieces)
        print(pieces.listing())
        print_agreement(mine)
    return mine


def print_agreement(mine: MyAlbert, say: Callable[[str], object] = print) -> None:
    """Say whether a model gives the library's numbers; put aside the pieces that do not."""
    before = disagreement(mine.config, mine.pieces)
    if before.agrees:
        say(
            "With the same weights, the library's numbers to 1e-5: logits, both losses, all "
            f"gradients {here(f'largest difference {before.largest:.0e}')}"
        )
        return
    found = find_disagreeing(mine.config, mine.pieces)
    for id in found:
        mine.pieces.stand_in(id)
        say(
            f"{id}: with your {ALL_PIECES[id].__name__} the {before.first} differ from the "
            f"library's {here(f'by {before.largest:.0e}')}; the library's stands in."
        )
    if not found:
        say(f"The {before.first} differ from the library's, whichever piece is exchanged.")
