"""Words that a vocabulary must hold whole, each with the score that its own frequency gives it.

A probe that asks for *carpenter* at one [MASK] needs ▁carpenter to be one piece. A small vocabulary
has no such piece by itself. Counting the word more often than the text has it would make one, and
would also cut its relatives at it and call it likelier than it is. Here the vocabulary is learnt
from the text as it stands; then the words that are missing take the places of the pieces that can
best be spared, the least likely ones.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

from albert_lib.errors import TokenizerError
from albert_lib.text.spiece_file import piece_message, read_pieces, with_pieces
from albert_lib.text.train_vocabulary import train_pieces
from albert_lib.text.unigram import WORD_START
from albert_lib.text.vocabulary import Vocabulary

WORD = re.compile(r"[^\W\d_]+")
AHEAD = 0.1  # nats by which a word beats the best other way of writing it, at least


class CountedWords:
    """Lines passed on as they are, their words counted on the way.

    Example:
        >>> lines = CountedWords(["the old mill", "the mill."])
        >>> list(lines), lines.counts["mill"]
        (['the old mill', 'the mill.'], 2)
    """

    def __init__(self, lines: Iterable[str]) -> None:
        """Take the lines; nothing is read yet."""
        self.lines = lines
        self.counts: Counter[str] = Counter()

    def __iter__(self) -> Iterator[str]:
        """Yield every line when its words are counted."""
        for line in self.lines:
            self.counts.update(WORD.findall(line))
            yield line


def train_with_words(
    texts: Iterable[str],
    vocab_size: int,
    whole_words: Iterable[str],
    normalized: Callable[[str], str],
) -> bytes:
    """Learn a vocabulary from texts and keep words whole; return the bytes of a spiece.model.

    Texts and words are `normalized` first. The texts are read once. Raises TokenizerError as
    `train_pieces` and `keep_words` do.

    Example:
        >>> texts = ["The old mill", "The old man", "A mill"]
        >>> Vocabulary(train_with_words(texts, 26, ["Man"], str.lower)).encode("man")
        [25]
    """
    words = [normalized(word) for word in whole_words]
    lines = CountedWords(map(normalized, texts))
    model = train_pieces(lines, vocab_size)
    return keep_words(model, words, lines.counts) if words else model


def keep_words(model: bytes, words: Sequence[str], counts: Counter[str]) -> bytes:
    """Return a spiece.model of the same size in which every word is one piece.

    A word's score is that of the most frequent whole word, less the logarithm of how many times
    rarer it is: a unigram model's log-probability. It is raised where the word would otherwise
    still be written in other pieces. The new pieces stand last, in the order of `words`.

    Args:
        model: A spiece.model.
        words: Normalised as the text is, without ▁.
        counts: How often the text has each word.

    Raises:
        TokenizerError: when the text lacks a word, or there is no room for so many.

    Example:
        >>> from albert_lib.text.train_vocabulary import train_pieces
        >>> lines = CountedWords(["the old mill", "the old man", "a mill"])
        >>> model = keep_words(train_pieces(lines, 26), ["man"], lines.counts)
        >>> vocabulary = Vocabulary(model)
        >>> len(vocabulary), vocabulary.id_to_piece(25)
        (26, '▁man')
    """
    vocabulary = Vocabulary(model)
    missing = [word for word in dict.fromkeys(words) if len(vocabulary.encode(word)) > 1]
    if absent := [word for word in missing if not counts[word]]:
        raise TokenizerError(
            f"The text does not have the word {absent[0]!r}, so a piece for it would never be "
            f"learnt; leave it out or pass more text."
        )
    spared = least_likely(vocabulary, len(missing), {WORD_START + word for word in words})
    messages, rest = read_pieces(model)
    kept = [message for piece_id, message in enumerate(messages) if piece_id not in spared]
    scores = scores_by_frequency(vocabulary, missing, counts)
    return with_pieces([*kept, *(piece_message(WORD_START + w, scores[w]) for w in missing)], rest)


def least_likely(vocabulary: Vocabulary, how_many: int, needed: set[str]) -> set[int]:
    """The ids of the least likely pieces of several characters; TokenizerError if too few.

    Example:
        >>> from albert_lib.text.train_vocabulary import train_pieces
        >>> vocabulary = Vocabulary(train_pieces(["the old mill", "the old man", "a mill"], 26))
        >>> [vocabulary.id_to_piece(i) for i in least_likely(vocabulary, 1, {"▁the"})]
        ['▁mill']
    """
    scores = vocabulary.segmentation_scores()
    found = [
        piece_id
        for piece_id, piece in enumerate(vocabulary.pieces)
        if piece in scores
        and len(piece.removeprefix(WORD_START)) > 1
        and vocabulary.scores[piece_id] < 0  # 0: whoever trained it wanted it whole
        and piece not in needed
    ]
    if len(found) < how_many:
        raise TokenizerError(
            f"{how_many} words cannot be kept whole in a vocabulary of {len(vocabulary)} pieces; "
            f"ask for more pieces or keep fewer words."
        )
    found.sort(key=lambda piece_id: float(vocabulary.scores[piece_id]))
    return set(found[:how_many])


def scores_by_frequency(
    vocabulary: Vocabulary, words: Sequence[str], counts: Counter[str]
) -> dict[str, float]:
    """The log-probability of each word as a piece, in nats, by how often the text has it.

    Example:
        >>> from albert_lib.files import data_folder
        >>> folder = data_folder() / "tokenizers" / "english-8k"
        >>> vocabulary = Vocabulary((folder / "spiece.model").read_bytes())
        >>> counts = Counter({"the": 1000, "weathercock": 1})
        >>> scores_by_frequency(vocabulary, ["weathercock"], counts)["weathercock"]
        -9.980274342931722
    """
    scores = vocabulary.segmentation_scores()
    whole = [(count, word) for word, count in counts.items() if WORD_START + word in scores]
    most, frequent = max(whole, default=(1, ""))
    highest = scores.get(WORD_START + frequent, max(scores.values()))
    found = {}
    for word in words:
        pieces = [vocabulary.pieces[piece_id] for piece_id in vocabulary.encode(word)]
        otherwise = sum(scores.get(piece, -math.inf) for piece in pieces)
        found[word] = max(highest - math.log(most / counts[word]), otherwise + AHEAD)
    return found
