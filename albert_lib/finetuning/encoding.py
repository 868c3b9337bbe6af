"""From the examples of a task to rows of token ids, each cut to length as the paper's code cuts it.

    SST-2    [CLS] sentence [SEP]                    the sentence loses its end
    MNLI     [CLS] premise [SEP] hypothesis [SEP]    the longer loses tokens from its end
    RACE     [CLS] passage [SEP] statement [SEP]     four a question; the statement, which is
                                                     question and option, keeps its last 128
                                                     tokens, and the passage loses its end
    SQuAD    [CLS] question [SEP] window [SEP]       a row a window (windows.py)

These are `run_classifier.py`, `race_utils.py` and `squad_utils.py` of google-research/albert.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import numpy as np

from albert_lib.errors import InputError, listed, quoted
from albert_lib.finetuning.glue import TextExample
from albert_lib.finetuning.models import TASK_LABELS, Task, check_task
from albert_lib.finetuning.race import ChoiceQuestion
from albert_lib.finetuning.squad import SquadQuestion
from albert_lib.finetuning.windows import (
    AROUND_A_PAIR,
    SpanWindow,
    WindowSizes,
    balance_windows,
    span_windows,
)
from albert_lib.text import AlbertTokenizer
from albert_lib.text.aligned_tokens import AlignedTokens, align_tokens
from albert_lib.text.batch import IdSequence, check_max_length, with_special_tokens

MAX_STATEMENT = 128  # tokens of a question of RACE with an option
AROUND_A_TEXT = 2  # [CLS] and [SEP]

Example = TypeVar("Example", TextExample, ChoiceQuestion, SquadQuestion)


@dataclass(frozen=True)
class EncodedRow:
    """What a model reads of one example.

    Attributes:
        example: The number of its example, from 0.
        sequences: One input without padding, or four, each with the length of its first segment.

    Example:
        >>> EncodedRow(0, (([2, 14, 3], 3), ([2, 14, 15, 3], 3))).n_tokens
        4
    """

    example: int
    sequences: tuple[IdSequence, ...]

    @property
    def n_tokens(self) -> int:
        """The length of the longest input in tokens, special ones included."""
        return max(len(ids) for ids, _ in self.sequences)


@dataclass(frozen=True)
class ClassRow(EncodedRow):
    """A text or a pair of texts with its class, or four inputs with the number of the right one.

    Example:
        >>> ClassRow(0, (([2, 14, 3], 3),), label=1).label
        1
    """

    label: int | None = None  # None: not told


@dataclass(frozen=True)
class SpanRow(EncodedRow):
    """A window on a passage, with the positions of the answer's first and last token.

    Attributes:
        window: For the way back to the passage.
        span: (0, 0), [CLS], where the window has no answer; None where none is told.

    Example:
        >>> from albert_lib.finetuning.windows import example_windows
        >>> window = example_windows()[1]
        >>> SpanRow(0, (window.sequence,), window, span=window.answer).span
        (7, 7)
    """

    window: SpanWindow
    span: tuple[int, int] | None = None


def encode_examples(
    task: Task,
    examples: Sequence[Example],
    tokenizer: AlbertTokenizer,
    max_length: int,
    *,
    question_length: int | None = None,
    advance: int | None = None,
    labels: Sequence[str] | None = None,
    balance: np.random.Generator | None = None,
) -> list[EncodedRow]:
    """The rows of examples, in their order.

    Args:
        task: One of five.
        examples: Of that task, from its reader.
        tokenizer: The model's own.
        max_length: Of an input in tokens: at most the model's `config.max_position_embeddings`.
        question_length: Of SQuAD's questions, by default 64, or of RACE's with option, 128.
        advance: From a window of SQuAD to the next, by default 128, or half an input if less.
        labels: In the model's order, as in its `config.labels`; by default those of TASK_LABELS.
        balance: Draws the windows to leave out in training on SQuAD (`balance_windows`).

    Raises InputError for examples of another task, other labels, and a length without room.

    Example:
        >>> from albert_lib.finetuning import TextExample, encode_examples
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> pair = TextExample("0", "the old mill", "a mill", "entailment")
        >>> (row,) = encode_examples("mnli", [pair], tokenizer, max_length=7)
        >>> tokenizer.decode(row.sequences[0][0]), row.label
        ('[CLS] the old[SEP] a mill[SEP]', 1)
    """
    given = _checked(task, examples)
    if task == "race":
        return list(encode_choices(given, tokenizer, max_length, question_length or MAX_STATEMENT))
    if task in TASK_LABELS:
        return list(encode_texts(given, tokenizer, max_length, labels or TASK_LABELS[task]))
    sizes = window_sizes(max_length, question_length, advance)
    return list(encode_windows(given, tokenizer, sizes, balance))


def encode_texts(
    examples: Sequence[TextExample],
    tokenizer: AlbertTokenizer,
    max_length: int,
    labels: Sequence[str],
) -> list[ClassRow]:
    """The rows of texts and pairs; `labels` and errors are those of `encode_examples`.

    Example:
        >>> from albert_lib.finetuning import TextExample
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> example = TextExample("0", "the old mill", None, "0")
        >>> encode_texts([example], tokenizer, max_length=5, labels=("0", "1"))[0].n_tokens
        5
    """
    check_max_length(max_length, shortest=AROUND_A_PAIR + 2)
    special = tokenizer.cls_token_id, tokenizer.sep_token_id
    rows = []
    for number, example in enumerate(examples):
        first = tokenizer.encode(example.first, add_special_tokens=False)
        second = None
        if example.second is None:
            first = first[: max_length - AROUND_A_TEXT]
        else:
            second = tokenizer.encode(example.second, add_special_tokens=False)
            first, second = shorten_longer(first, second, max_length - AROUND_A_PAIR)
        sequence = with_special_tokens(first, second, *special)
        rows.append(ClassRow(number, (sequence,), _label(example, labels)))
    return rows


def shorten_longer(first: list[int], second: list[int], room: int) -> tuple[list[int], list[int]]:
    """Cut tokens off the end of the longer of two, one at a time, until both fit into `room`.

    Of two of one length the second is cut (`_truncate_seq_pair` of Google's code). Hugging Face's
    tokenizers may leave the odd token to the second.

    Example:
        >>> shorten_longer([1, 2, 3], [4, 5, 6], room=5)
        ([1, 2, 3], [4, 5])
        >>> shorten_longer([1], [4, 5, 6], room=3)
        ([1], [4, 5])
    """
    half = (room + 1) // 2
    kept = first[: max(half, room - len(second))]
    return kept, second[: room - len(kept)]


def encode_choices(
    questions: Sequence[ChoiceQuestion],
    tokenizer: AlbertTokenizer,
    max_length: int,
    max_statement: int = MAX_STATEMENT,
) -> list[ClassRow]:
    """The rows of RACE's questions: four inputs each, of one passage cut to different lengths.

    Where a statement of `max_statement` tokens fills `max_length`, the passage is left out.

    Example:
        >>> from albert_lib.finetuning import ChoiceQuestion
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> options = ("the mill", "a man", "old", "by")
        >>> question = ChoiceQuestion("1-0", "the old mill", "a _ .", options, answer=3)
        >>> (row,) = encode_choices([question], tokenizer, max_length=9)
        >>> [tokenizer.decode(ids[first_length:]) for ids, first_length in row.sequences]
        ['a the mill .[SEP]', 'a a man .[SEP]', 'a old .[SEP]', 'a by .[SEP]']
        >>> [first_length - 2 for _, first_length in row.sequences]  # tokens of the passage
        [1, 1, 2, 2]
    """
    check_max_length(max_length, shortest=AROUND_A_PAIR + 1)
    special = tokenizer.cls_token_id, tokenizer.sep_token_id
    room = max_length - AROUND_A_PAIR
    encode_passage = lru_cache(maxsize=1)(
        lambda passage: tokenizer.encode(passage, add_special_tokens=False)
    )  # one passage's questions follow one another
    rows = []
    for number, question in enumerate(questions):
        passage = encode_passage(question.passage)
        sequences = []
        for text in question.statements():
            statement = tokenizer.encode(text, add_special_tokens=False)
            statement = statement[-min(max_statement, room) :]
            beginning = passage[: room - len(statement)]
            sequences.append(with_special_tokens(beginning, statement, *special))
        rows.append(ClassRow(number, tuple(sequences), question.answer))
    return rows


def window_sizes(
    max_length: int, question_length: int | None = None, advance: int | None = None
) -> WindowSizes:
    """Windows of that length; a question and an advance of at most half of it.

    Example:
        >>> window_sizes(64)
        WindowSizes(max_length=64, advance=32, max_question=32)
        >>> window_sizes(384, advance=64).advance
        64
    """
    usual = WindowSizes()
    longest = max(max_length, usual.max_length)
    question = min(question_length or usual.max_question, longest // 2)
    return WindowSizes(longest, advance or usual.advance, question).clamp(max_length)


def encode_windows(
    questions: Sequence[SquadQuestion],
    tokenizer: AlbertTokenizer,
    sizes: WindowSizes,
    balance: np.random.Generator | None = None,
) -> list[SpanRow]:
    """The rows of SQuAD's questions, at least one each; trained on is the majority's answer.

    `balance` is that of `encode_examples`.

    Example:
        >>> from albert_lib.finetuning import Answer, SquadQuestion
        >>> tokenizer = AlbertTokenizer.from_pretrained("english-8k")
        >>> answer = Answer("the old mill", start=3)
        >>> question = SquadQuestion("1", "By the old mill.", "Where?", (answer,))
        >>> (row,) = encode_windows([question], tokenizer, window_sizes(64))
        >>> row.window.passage.text_of(*row.window.to_passage(*row.span))
        'the old mill'
    """
    aligned: AlignedTokens | None = None  # one passage's questions follow one another
    windows: list[SpanWindow] = []
    for number, question in enumerate(questions):
        if aligned is None or aligned.text != question.context:
            aligned = align_tokens(tokenizer, question.context)
        answer = None if question.answers is None else question.training_answer
        place = None if answer is None else (answer.start, answer.end)
        windows += span_windows(tokenizer, question.question, aligned, sizes, place, number)
    if balance is not None:
        windows = balance_windows(windows, balance)
    told = [question.answers is not None for question in questions]
    spans = [(each.answer or (0, 0)) if told[each.question] else None for each in windows]
    return [
        SpanRow(window.question, (window.sequence,), window, span)
        for window, span in zip(windows, spans, strict=True)
    ]


def _checked(task: Task, examples: Sequence[Any]) -> Sequence[Any]:
    """The examples; InputError for what is no task, and for examples of another."""
    check_task(task)
    kind = {"race": ChoiceQuestion, "squad1": SquadQuestion, "squad2": SquadQuestion}.get(
        task, TextExample
    )
    for number, example in enumerate(examples):
        if not isinstance(example, kind):
            raise InputError(
                f"Example {number} (from 0) is a {type(example).__name__}, but {task!r} has a "
                f"{kind.__name__}; read the file with that task's reader."
            )
    return examples


def _label(example: TextExample, labels: Sequence[str]) -> int | None:
    """The number of an example's class; None where it has no label."""
    if example.label is None:
        return None
    if example.label not in labels:
        raise InputError(
            f"Example {quoted(example.id)} has the label {quoted(example.label)}, and the model "
            f"scores {listed(labels)}; give labels, its classes in the words of the file."
        )
    return labels.index(example.label)
