"""BLiMP's supplement (Warstadt et al., 2023, BabyLM): questions, turns of talk and hypernyms.

Five more sets of minimal pairs in BLiMP's manner: hypernym, qa_congruence_easy,
qa_congruence_tricky, subject_aux_inversion and turn_taking. Files are those of the BabyLM
challenge (blimp_supplement, or supplement_filtered; *.jsonl): one pair a line, with `sentence_good`
and `sentence_bad`; which of the five it belongs to is the file's name, unless a line has a `UID`.
A text of several turns holds ends of line, which most tokenizers take for a space.

As in the challenge's evaluation, a pair is right if the good text has the higher
pseudo-log-likelihood, each token masked alone, and the score is the mean accuracy of the five.
`mask_unit="word"` masks the rest of a word with it (Kauf and Ivanova, 2023). The interval of the
overall accuracy is over the five, and so a wide one; those of the sets are over their pairs.

A tie, up to rounding, is not right. The answers of qa_congruence differ in a word, and often in
the number of its tokens: a model that gives every token the same probability prefers the shorter
text. Pairs that are longer than the model's positions, or that its vocabulary cannot write, are
left out and counted.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.pseudo_likelihood import MaskUnit
from albert_lib.probing.sets import blimp
from albert_lib.probing.sets.blimp import BlimpResult, MinimalPair
from albert_lib.probing.sets.files import ReadItems, jsonl_items, texts_of

TERM = "supplement"  # as the challenge calls what these pairs are about


def read(path: str | os.PathLike[str]) -> ReadItems[MinimalPair]:
    r"""The pairs of a .jsonl file, or of all such files in a folder, in the order of their names.

    A line that is not in the authors' format is left out and named (`ReadItems.dropped`). Raises
    TextError where no line is.

    Example:
        >>> import json, pathlib, tempfile
        >>> from albert_lib.probing.sets import blimp_supplement
        >>> good, bad = "A: Who slept?\nB: David.", "A: Who slept?\nB: A chair."
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "qa_congruence_easy.jsonl"
        ...     _ = file.write_text(json.dumps({"sentence_good": good, "sentence_bad": bad}))
        ...     blimp_supplement.read(file)[0].paradigm
        'qa_congruence_easy'
    """
    return jsonl_items(Path(path), _pair, "pairs of sentences; give the supplement's .jsonl files")


def score(
    fill_mask: FillMask, items: Sequence[MinimalPair], mask_unit: MaskUnit = "token"
) -> BlimpResult:
    """Score every pair as BLiMP's; InputError where none fits into the model's positions.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import blimp, blimp_supplement
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> pair = blimp.MinimalPair("Who? David.", "Who? Today.", "qa", "supplement")
        >>> len(blimp_supplement.score(model, [pair]).scored)
        1
    """
    return blimp.score(fill_mask, items, mask_unit)


def _pair(file: Path, number: int, record: Any) -> MinimalPair:
    good, bad = texts_of(file, number, record, ("sentence_good", "sentence_bad"))
    (paradigm,) = texts_of(file, number, {"UID": file.stem, **record}, ("UID",))
    return MinimalPair(good, bad, paradigm, TERM)
