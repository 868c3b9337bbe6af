"""French CrowS-Pairs (Névéol et al., 2022, ACL): the stereotypes of France, and those of the USA.

CrowS-Pairs translated into French and adapted, with pairs that French speakers wrote, and the
English ones revised. The files are those of the authors (french-crows-pairs, data/*.csv): their
columns are CrowS-Pairs', but a tab stands between them, whatever the name of the file says. Take
one whose first line has `sent_more`, not one "with comments".

The paper scores pairs with CrowS-Pairs' own metric.py, and so does this: a sentence's score is the
sum of the log-probabilities of the tokens that both sentences share, each masked alone, rounded to
three decimals; a pair with equal scores is neutral. In per cent,

- metric score: the pairs whose more stereotyping sentence scores higher, among all pairs, neutral
  ones included (they are counted against it);
- stereotype and antistereotype score: the same among the pairs that are not neutral, by what the
  pair is marked as;
- neutral: the fraction of neutral pairs.

50 is no preference. A model is read in the language that it knows: an English vocabulary spells
French words in small pieces, or drops their accents, and its scores say little. Pairs that are
longer than the model's positions, or that its vocabulary cannot write, are left out and counted.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.sets import crows_pairs
from albert_lib.probing.sets.crows_pairs import CrowsPairsResult, StereotypePair
from albert_lib.probing.sets.files import ReadItems


def read(path: str | os.PathLike[str]) -> ReadItems[StereotypePair]:
    r"""The pairs of a tab-separated file in the authors' format; further columns are ignored.

    A row that is not in that format is left out and named (`ReadItems.dropped`). Raises TextError
    where no row is.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.probing.sets import french_crows_pairs
        >>> head = "\tsent_more\tsent_less\tstereo_antistereo\tbias_type"
        >>> row = "0\tElle conduit mal.\tIl conduit mal.\tstereo\tgender"
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "crows_pairs_FR.csv"
        ...     _ = file.write_text(f"{head}\n{row}\n", encoding="utf-8")
        ...     french_crows_pairs.read(file)[0].sent_less
        'Il conduit mal.'
    """
    return crows_pairs.read_table(
        Path(path), "the authors' tab-separated crows_pairs_FR….csv", delimiter="\t"
    )


def score(fill_mask: FillMask, items: Sequence[StereotypePair]) -> CrowsPairsResult:
    """Score every pair as CrowS-Pairs does; InputError where none fits into the model's positions.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import crows_pairs, french_crows_pairs
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> pair = crows_pairs.StereotypePair("Elle rit.", "Il rit.", "stereo", "gender")
        >>> len(french_crows_pairs.score(model, [pair]).scored)
        1
    """
    return crows_pairs.score(fill_mask, items)
