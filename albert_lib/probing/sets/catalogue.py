"""The published probe sets that this package reads: one module each, with `read` and `score`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from albert_lib.errors import InputError
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.sets.base import SetResult
from albert_lib.probing.sets.files import ReadItems


@dataclass(frozen=True)
class PublishedSet:
    """A probe set by its name on the command line.

    Example:
        >>> from albert_lib.probing.sets.catalogue import SETS
        >>> SETS["blimp"].paper
        'Warstadt et al., 2020'
    """

    module: str  # of albert_lib.probing.sets
    paper: str
    data: str  # what `read` takes

    def read(self, path: str | Path) -> ReadItems[Any]:
        """The set's items that are in its authors' format; TextError where none is."""
        return self._module().read(path)

    def score(self, fill_mask: FillMask, items: Sequence[Any]) -> SetResult[Any]:
        """Score the items as the set's authors do, or as its module says."""
        return self._module().score(fill_mask, items)

    @property
    def about(self) -> str:
        """The module's text: how the set is scored, by whom it was defined, what differs here."""
        return (self._module().__doc__ or "").strip()

    def _module(self) -> Any:
        return importlib.import_module(f"albert_lib.probing.sets.{self.module}")


SETS = {
    "crows-pairs": PublishedSet("crows_pairs", "Nangia et al., 2020", "crows_pairs_anonymized.csv"),
    "stereoset": PublishedSet("stereoset", "Nadeem et al., 2021", "dev.json"),
    "winobias": PublishedSet("winobias", "Zhao et al., 2018", "folder of pro_… and anti_… files"),
    "bec-pro": PublishedSet("bec_pro", "Bartl et al., 2020", "BEC-Pro_EN.tsv"),
    "weat": PublishedSet(
        "weat", "Caliskan et al., 2017; May et al., 2019", "folder of its .jsonl files"
    ),
    "blimp": PublishedSet("blimp", "Warstadt et al., 2020", "folder of its .jsonl files"),
    "blimp-supplement": PublishedSet(
        "blimp_supplement", "Warstadt et al., 2023", "folder of its .jsonl files"
    ),
    "ewok": PublishedSet("ewok", "Ivanova et al., 2024", "folder of its .csv or .jsonl files"),
    "comps": PublishedSet("comps", "Misra et al., 2023", "folder of its .jsonl files"),
    "winoqueer": PublishedSet("winoqueer", "Felkner et al., 2023", "winoqueer_final.csv"),
    "french-crows-pairs": PublishedSet(
        "french_crows_pairs", "Névéol et al., 2022", "crows_pairs_FR….csv, tab separated"
    ),
}


def published_set(name: str) -> PublishedSet:
    """The set of this name; InputError listing the names otherwise.

    Example:
        >>> from albert_lib.probing.sets.catalogue import published_set
        >>> published_set("crows-pairs").data
        'crows_pairs_anonymized.csv'
    """
    if name not in SETS:
        raise InputError(f"{name!r} is not a probe set; choose from {', '.join(SETS)}.")
    return SETS[name]
