"""`lattice_by_hand`: cut a word oneself, piece by piece, and be told how far the best way is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import ipywidgets
from matplotlib.figure import Figure

from albert_lib.text.unigram import Edge, best_segmentation, lattice, mark_words
from albert_lib.workbook.dials import Steps
from albert_lib.workbook.drawings.chapter_01 import draw_lattice
from albert_lib.workbook.widgets import choice, display_widget, picture_bundle

BACK = "one piece back"


class WayByHand:
    """A way through the lattice of one word, as far as it has been chosen.

    Example:
        >>> way = WayByHand("mi", {"▁": -3.0, "▁m": -5.0, "m": -6.0, "i": -4.0})
        >>> [edge.piece for edge in way.next_edges()]
        ['▁', '▁m']
        >>> way.take(1)
        >>> way.told()
        'So far ▁m: −5.00. Choose the piece that comes next, from position 2 on.'
        >>> way.take(0)
        >>> way.told()
        'Yours, ▁m + i: −9.00. No way has a higher sum.'
    """

    def __init__(self, word: str, scores: Mapping[str, float]) -> None:
        self.text = mark_words(word)
        self.scores = scores
        self.taken: list[Edge] = []

    @property
    def position(self) -> int:
        """Where the next piece begins."""
        return self.taken[-1].end if self.taken else 0

    @property
    def done(self) -> bool:
        """Whether the way has come to the end of the word."""
        return self.position == len(self.text)

    def next_edges(self) -> list[Edge]:
        """The pieces that fit where the way has come to, short before long."""
        return [edge for edge in lattice(self.text, self.scores) if edge.start == self.position]

    def labels(self) -> list[str]:
        """What each button says: the pieces with their scores, then the way back."""
        pieces = [f"{edge.piece}  {_signed(edge.score)}" for edge in self.next_edges()]
        return pieces + [BACK] * bool(self.taken)

    def take(self, place: int) -> None:
        """Do what the button at that place says."""
        edges = self.next_edges()
        if place < len(edges):
            self.taken.append(edges[place])
        else:
            self.taken.pop()

    def told(self) -> str:
        """Where the way has come to, in words; at the end, how far it is from the best."""
        yours, total = _written(self.taken), sum(edge.score for edge in self.taken)
        if not self.done:
            begun = f"So far {yours}: {_signed(total)}. " if self.taken else ""
            return f"{begun}Choose the piece that comes next, from position {self.position} on."
        best = best_segmentation(self.text, self.scores)
        highest = sum(self.scores[piece] for piece in best)
        verdict = (
            "No way has a higher sum."
            if total > highest - 1e-9
            else f"The best way, {' + '.join(best)}, has {_signed(highest)}: "
            f"{_signed(highest - total)} more. Go back and try it."
        )
        return f"Yours, {yours}: {_signed(total)}. {verdict}"

    def picture(self) -> tuple[Figure, str]:
        """The lattice with the way so far, and the best sums once the end is reached."""
        ways = {"yours": [edge.piece for edge in self.taken]} if self.taken else {}
        if self.done:
            ways["best way"] = best_segmentation(self.text, self.scores)
        return draw_lattice(self.text, self.scores, ways, best_sums=self.done)


def lattice_by_hand(words: Sequence[str], scores: Mapping[str, float]) -> None:
    """Show a word's lattice with a button for every piece that may come next.

    `scores` are the log probabilities of a vocabulary that has every letter of the words.
    """
    word = choice("word", list(words))
    steps = Steps(description="next piece")
    screen = ipywidgets.HTML()
    way = WayByHand(word.value, scores)

    def show() -> dict[str, str]:
        picture = picture_bundle(way.picture())  # first, so that all changes at once
        screen.value = picture["text/html"]
        steps.labels, steps.said = way.labels(), way.told()
        return picture

    def begin(_: object) -> None:
        nonlocal way
        way = WayByHand(word.value, scores)
        show()

    def press(place: int) -> None:
        way.take(place)
        show()

    word.observe(begin, names="value")
    steps.on_press(press)
    picture = show()
    told = f"{way.told()} Pieces: {', '.join(way.labels())}."
    display_widget(
        ipywidgets.VBox([word, steps, screen]),
        {
            **picture,
            "text/html": f"{picture['text/html']}\n<p>{told}</p>",
            "text/plain": f"{picture['text/plain']}\n[{told}]",
        },
    )


def _written(edges: Sequence[Edge]) -> str:
    return " + ".join(edge.piece for edge in edges)


def _signed(value: float) -> str:
    """A score with a true minus sign."""
    return f"{value:.2f}".replace("-", "−")
