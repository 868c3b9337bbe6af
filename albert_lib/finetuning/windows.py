"""Questions about passages that are longer than the model: one input for each window of a passage.

    [CLS] question [SEP] window [SEP]

The step from one window to the next is the **advance**: how many tokens the next one begins further
on. Google's `doc_stride` is the advance; Hugging Face's `stride` is the overlap, what two windows
share, which is the window's length less the advance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Bool, Int

from albert_lib.errors import InputError
from albert_lib.text import AlbertTokenizer
from albert_lib.text.aligned_tokens import AlignedTokens, align_tokens
from albert_lib.text.batch import IdSequence, with_special_tokens

AROUND_A_PAIR = 3  # [CLS] and two [SEP]
PER_TOKEN = 0.01  # what a token of a window's length counts, beside a token of context

# Of the answer to its question, a window has all, a part, nothing; or the question has no answer.
AnswerPlace = Literal["whole", "cut", "elsewhere", "unanswerable"]


@dataclass(frozen=True)
class WindowSizes:
    """How long inputs are and how far windows are apart, in tokens; by default as for SQuAD 1.1.

    InputError if a size is below 1 or a long question would leave no room for the passage.

    Attributes:
        max_length: Of the whole input, special tokens included.
        advance: From the start of a window to that of the next.
        max_question: Of the question, whose end is cut off.

    Example:
        >>> WindowSizes().clamp(128)
        WindowSizes(max_length=128, advance=64, max_question=64)
    """

    max_length: int = 384
    advance: int = 128
    max_question: int = 64

    def __post_init__(self) -> None:
        """Refuse what leaves no window."""
        if min(self.advance, self.max_question) < 1:
            raise InputError(
                f"advance is {self.advance} and max_question {self.max_question}; "
                f"make both at least 1."
            )
        if self.max_length < self.max_question + AROUND_A_PAIR + 1:
            raise InputError(
                f"max_length {self.max_length} has no room for a passage beside a question of "
                f"{self.max_question} tokens and {AROUND_A_PAIR} special ones; "
                f"raise it or lower max_question."
            )

    def clamp(self, positions: int) -> WindowSizes:
        """These sizes for a model that has so many positions.

        A question may fill half of them. Windows overlap by half or more, so that an answer is
        whole in one of them. What fits already stays as it is.

        Example:
            >>> WindowSizes(max_length=512).clamp(512)
            WindowSizes(max_length=512, advance=128, max_question=64)
        """
        longest = min(self.max_length, positions)
        half = max(1, longest // 2)
        return replace(
            self,
            max_length=longest,
            advance=min(self.advance, half),
            max_question=min(self.max_question, half),
        )


@dataclass(frozen=True, eq=False)
class SpanWindow:
    """An input for the model, and where in it the passage and the answer lie.

    Attributes:
        question: The number of its question, as the caller counts them.
        passage: The whole passage.
        question_ids: The question's tokens, cut to length.
        first: The first token of the passage in this window.
        best_context: Of each of the window's tokens, whether no other window shows it in better
            context: a span that starts there is looked for here and nowhere else.
        answer_place: How much of the answer is in this window.
        answer: The positions in the input of the answer's first and last token; None if it is not
            whole here. Such a window is trained to point at [CLS].
        sequence: The input without padding, and where its first segment ends: for `as_batch` in
            albert_lib/text/batch.py.

    Example:
        >>> window = example_windows()[1]
        >>> window.input_ids == [2, *window.question_ids, 3, *window.passage.ids[2:6], 3]
        True
        >>> window.offset, window.answer_place, window.answer
        (4, 'whole', (7, 7))
        >>> window.passage.text_of(*window.to_passage(7, 7))
        'Sheep'
    """

    question: int
    passage: AlignedTokens
    question_ids: list[int]
    first: int
    best_context: Bool[np.ndarray, "window"]
    answer_place: AnswerPlace
    answer: tuple[int, int] | None
    sequence: IdSequence

    @property
    def input_ids(self) -> list[int]:
        """The whole input, without padding."""
        return self.sequence[0]

    @property
    def offset(self) -> int:
        """The position in the input of the window's first token."""
        return len(self.question_ids) + 2  # after [CLS], question, [SEP]

    def to_passage(self, *positions: int) -> tuple[int, ...]:
        """The tokens of the passage at positions of the input."""
        return tuple(position - self.offset + self.first for position in positions)


def span_windows(
    tokenizer: AlbertTokenizer,
    question: str,
    passage: AlignedTokens,
    sizes: WindowSizes,
    answer: tuple[int, int] | None = None,
    number: int = 0,
) -> list[SpanWindow]:
    """The inputs for one question, from the start of the passage to its end; at least one.

    Args:
        tokenizer: The one that `passage` was aligned with.
        question: As it was written.
        passage: From `align_tokens`; do that once for all its questions.
        sizes: Clamped to the model's positions.
        answer: Where in the passage's text the answer starts and ends; None for a question that
            cannot be answered, or whose answer is not known.
        number: What the windows are to call this question.

    Raises:
        InputError: when the answer is no slice of the passage.

    Example:
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> passage = align_tokens(tokenizer, "Sheep and cattle graze by the old mill.")
        >>> windows = span_windows(tokenizer, "Who?", passage, WindowSizes(), answer=(10, 16))
        >>> [window.passage.text_of(*window.to_passage(*window.answer)) for window in windows]
        ['cattle']
    """
    question_ids = tokenizer.encode(question, add_special_tokens=False)[: sizes.max_question]
    room = sizes.max_length - AROUND_A_PAIR - len(question_ids)
    places = passage_windows(len(passage.ids), room, sizes.advance)
    best = best_windows(places)
    span = None if answer is None else passage.tokens_of(*answer)
    special = tokenizer.cls_token_id, tokenizer.sep_token_id
    windows = []
    for index, (first, length) in enumerate(places):
        here = slice(first, first + length)
        place = place_of(span, first, length)
        shift = len(question_ids) + 2 - first  # from a token of the passage to its position
        position = (span[0] + shift, span[1] + shift) if span and place == "whole" else None
        sequence = with_special_tokens(question_ids, passage.ids[here], *special)
        is_best = best[here] == index
        windows.append(
            SpanWindow(number, passage, question_ids, first, is_best, place, position, sequence)
        )
    return windows


def example_windows() -> list[SpanWindow]:
    """Two windows of four tokens, for the examples of this package.

    Example:
        >>> [window.passage.text_of(window.first, window.first + 3) for window in example_windows()]
        ['By the old mill', 'old mill. Sheep']
    """
    tokenizer = AlbertTokenizer.from_pretrained("english-8k")
    passage = align_tokens(tokenizer, "By the old mill. Sheep")
    return span_windows(tokenizer, "Who?", passage, WindowSizes(9, 2, 3), answer=(17, 22))


def passage_windows(n_tokens: int, room: int, advance: int) -> list[tuple[int, int]]:
    """Where windows of at most `room` tokens begin, and their lengths; the last ends the passage.

    Where the advance is longer than the room, a window begins where the one before it ends: none
    of the passage is left out.

    Example:
        >>> passage_windows(10, room=6, advance=3)
        [(0, 6), (3, 6), (6, 4)]
        >>> passage_windows(10, room=4, advance=128)
        [(0, 4), (4, 4), (8, 2)]
    """
    step = min(room, advance)
    starts = range(0, max(1, n_tokens - room + step), step)
    return [(start, min(room, n_tokens - start)) for start in starts]


def best_windows(windows: Sequence[tuple[int, int]]) -> Int[np.ndarray, "tokens"]:
    """Of each token of the passage, the window that shows it in the best context.

    That is the one with the most tokens on its poorer side, and a hundredth of a token more for
    each token of the window; of equals, the first (`_check_is_max_context` in google-research's
    squad_utils.py).

    Args:
        windows: Where each begins, and its length.

    Example:
        >>> best_windows([(0, 6), (3, 6), (6, 4)]).tolist()
        [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
    """
    n_tokens = max(start + length for start, length in windows)
    best = np.zeros(n_tokens, dtype=np.int64)
    most = np.full(n_tokens, -1.0)
    for number, (start, length) in enumerate(windows):
        place = np.arange(length)
        context = np.minimum(place, length - 1 - place) + PER_TOKEN * length
        here = slice(start, start + length)
        better = context > most[here]
        best[here][better] = number
        most[here][better] = context[better]
    return best


def place_of(span: tuple[int, int] | None, first: int, length: int) -> AnswerPlace:
    """How much of an answer a window has; both ends of the answer's span are its own tokens.

    Example:
        >>> [place_of(span, 3, 6) for span in ((3, 8), (7, 9), (9, 9), None)]
        ['whole', 'cut', 'elsewhere', 'unanswerable']
    """
    if span is None:
        return "unanswerable"
    last = first + length - 1
    if first <= span[0] and span[1] <= last:
        return "whole"
    return "cut" if span[0] <= last and first <= span[1] else "elsewhere"


def count_answers(windows: Sequence[SpanWindow]) -> dict[AnswerPlace, int]:
    """How many windows have their question's answer whole, cut in two, or not at all.

    Example:
        >>> count_answers(example_windows())
        {'whole': 1, 'cut': 0, 'elsewhere': 1, 'unanswerable': 0}
    """
    counts: dict[AnswerPlace, int] = {"whole": 0, "cut": 0, "elsewhere": 0, "unanswerable": 0}
    for window in windows:
        counts[window.answer_place] += 1
    return counts


def balance_windows(
    windows: Sequence[SpanWindow], rng: np.random.Generator, per_answer: float = 1.0
) -> list[SpanWindow]:
    """Leave out windows, drawn at random, that lack the answer which their question has.

    Of those at most `per_answer` are kept for each window with its answer; at 128 positions half
    of all windows lack it, and a model would learn to answer nothing. Windows of questions without
    an answer all stay, and the order too.

    Example:
        >>> kept = balance_windows(example_windows(), np.random.default_rng(0), per_answer=0.0)
        >>> count_answers(kept)
        {'whole': 1, 'cut': 0, 'elsewhere': 0, 'unanswerable': 0}
    """
    lacking = [i for i, window in enumerate(windows) if window.answer_place in ("cut", "elsewhere")]
    most = int(per_answer * count_answers(windows)["whole"])
    left_out = {int(index) for index in rng.permutation(lacking)[most:]}
    return [window for index, window in enumerate(windows) if index not in left_out]
