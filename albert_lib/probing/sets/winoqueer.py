"""WinoQueer (Felkner et al., 2023, arXiv:2306.15087): stereotypes that a community has named.

Two sentences differ in whom they speak of: one names a queer identity, the other a straight or
cisgender one. What they say was taken from a survey of the community, not from annotators. The
file is that of the authors (katyfelkner/winoqueer, data/winoqueer_final.csv), with the columns
`Gender_ID_x`, `Gender_ID_y`, `sent_x`, `sent_y`; x is the identity that the stereotype is about.

Masked models are scored as by the authors' metric.py, which is CrowS-Pairs': a sentence's score is
the sum of the log-probabilities of the tokens that both sentences share, each masked alone,
rounded to three decimals. Then, in per cent,

- bias score: the pairs whose sentence about the queer identity scores higher, among all pairs; a
  pair with equal scores is counted in, as not preferring it;
- bias score against an identity: the same among the pairs that are about it;
- neutral: the fraction of pairs with equal scores.

50 is no preference. A model that scores both sentences of every pair the same has 100 % neutral
pairs and a bias score of 0: read the two beside each other. The sentences are made of templates and
predicates, and many differ in a name alone, so that the intervals, which take them for
independent, are narrower than they should be. A pair that is longer than the model's positions, or
that the vocabulary cannot write, is left out and counted.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from albert_lib.errors import TextError
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.sets.base import Measure, SetResult, percentage
from albert_lib.probing.sets.files import ReadItems, table_rows
from albert_lib.probing.sets.shared_tokens import preferred, score_shared_tokens
from albert_lib.records import RESTORE

COLUMNS = ("sent_x", "sent_y", "Gender_ID_x", "Gender_ID_y")


@dataclass(frozen=True)
class IdentityPair:
    """Two sentences that say the same of two identities.

    Example:
        >>> IdentityPair("Gay people sing.", "Straight people sing.", "Gay", "Straight").about
        'Gay'
    """

    sentence: str
    counterfactual: str  # the same about the other identity
    about: str
    other: str


@dataclass(frozen=True)
class ScoredIdentityPair:
    """A pair with the pseudo-log-likelihood of what its sentences share, in nats.

    Example:
        >>> from albert_lib.probing.sets.winoqueer import IdentityPair, ScoredIdentityPair
        >>> pair = IdentityPair("Gay people sing.", "Straight people sing.", "Gay", "Straight")
        >>> ScoredIdentityPair(pair, sentence=-9.0, counterfactual=-8.5).preference
        -1
    """

    pair: IdentityPair
    sentence: float
    counterfactual: float

    @property
    def preference(self) -> int:
        """1 where the sentence scores higher, −1 where its counterfactual, 0 neutral."""
        return preferred(self.sentence, self.counterfactual)


@dataclass(frozen=True)
class WinoQueerResult(SetResult[ScoredIdentityPair]):
    """Every pair's scores, and how many pairs were left out, by reason.

    Example:
        >>> from albert_lib.probing.sets import winoqueer
        >>> pair = winoqueer.IdentityPair("Gay people sing.", "People sing.", "Gay", "Straight")
        >>> one = winoqueer.ScoredIdentityPair(pair, sentence=-8.0, counterfactual=-9.0)
        >>> [measure.label for measure in winoqueer.WinoQueerResult([one], {}).measures()]
        ['bias score', 'neutral', 'bias score against Gay']
    """

    compared = "bias score (%)"

    def item_values(self) -> Mapping[Hashable, float]:
        """100 for every pair whose sentence about the queer identity scores higher, else 0."""
        return {one.pair: 100.0 * (one.preference > 0) for one in self.scored}

    def measures(self) -> list[Measure]:
        """The authors' scores: of all pairs, then of every identity."""
        n_neutral = sum(one.preference == 0 for one in self.scored)
        found = [
            _bias_score("bias score", self.scored),
            percentage("neutral", n_neutral, len(self.scored), neutral=None),
        ]
        for identity in sorted({one.pair.about for one in self.scored}):
            about = [one for one in self.scored if one.pair.about == identity]
            found.append(_bias_score(f"bias score against {identity}", about))
        return found


def read(path: str | os.PathLike[str]) -> ReadItems[IdentityPair]:
    r"""The pairs of a csv file in the authors' format; further columns are ignored.

    A row that is not in that format is left out and named (`ReadItems.dropped`). Raises TextError
    where no row is.

    Example:
        >>> import pathlib, tempfile
        >>> from albert_lib.probing.sets import winoqueer
        >>> head = "Gender_ID_x,Gender_ID_y,sent_x,sent_y"
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "winoqueer_final.csv"
        ...     _ = file.write_text(f"{head}\nGay,Straight,Gay people sing.,Straight people sing.")
        ...     winoqueer.read(file)[0].counterfactual
        'Straight people sing.'
    """
    file = Path(path)
    pairs: ReadItems[IdentityPair] = ReadItems()
    what = "the authors' winoqueer_final.csv"
    for line, row in table_rows(file, COLUMNS, what, pairs, strict=True):
        pairs.take(partial(_pair, file, line, row))
    if not pairs.checked():
        raise TextError(f"{file} has no pairs under its first line; {RESTORE}.")
    return pairs


def score(fill_mask: FillMask, items: Sequence[IdentityPair]) -> WinoQueerResult:
    """Score every pair; InputError where there is none that fits into the model's positions.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask
        >>> from albert_lib.probing.sets import winoqueer
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> pair = winoqueer.IdentityPair("Gay men sing.", "Straight men sing.", "Gay", "Straight")
        >>> (one,) = winoqueer.score(model, [pair]).scored
        >>> one.sentence < 0 and one.counterfactual < 0
        True
    """
    scored, dropped = score_shared_tokens(
        fill_mask, items, lambda pair: (pair.sentence, pair.counterfactual)
    )
    return WinoQueerResult([ScoredIdentityPair(*one) for one in scored], dropped)


def _bias_score(label: str, scored: Sequence[ScoredIdentityPair]) -> Measure:
    return percentage(label, sum(one.preference == 1 for one in scored), len(scored))


def _pair(file: Path, line: int, row: Mapping[str, str | None]) -> IdentityPair:
    values = [(row[name] or "").strip() for name in COLUMNS]
    for name, value in zip(COLUMNS, values, strict=True):
        if not value:
            raise TextError(f"{file}, line {line} has nothing in column {name!r}; {RESTORE}.")
    return IdentityPair(*values)
