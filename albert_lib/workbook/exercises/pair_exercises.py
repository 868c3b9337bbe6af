"""Exercises 1.6 to 1.8: two texts in one sequence, padded arrays, and what is cut if too long."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from albert_lib.text.batch import IdSequence, pad_sequences, truncate_pair, with_special_tokens
from albert_lib.workbook.exercise import Exercise, Misconception

VOCABULARY = 30  # ids are small, so that they can be read
Ids = list[int]


def draw_ids(rng: np.random.Generator, least: int, most: int) -> Ids:
    """The ids of a short text."""
    return rng.integers(5, VOCABULARY, size=rng.integers(least, most + 1)).tolist()


def draw_two(rng: np.random.Generator) -> dict[str, Any]:
    """One text or two, and ids of the special tokens that change from time to time."""
    cls_id, sep_id = rng.choice(5, size=2, replace=False).tolist()
    second = None if rng.random() < 0.3 else draw_ids(rng, 1, 5)
    return {"first": draw_ids(rng, 1, 5), "second": second, "cls_id": cls_id, "sep_id": sep_id}


def empty_texts(rng: np.random.Generator) -> list[dict[str, Any]]:
    """A text without tokens, alone or as one of two."""
    texts: list[tuple[Ids, Ids | None]] = [([], None), ([], []), ([14], []), ([], [14]), ([7], [8])]
    return [{"first": first, "second": second, "cls_id": 2, "sep_id": 3} for first, second in texts]


def sequence(
    first: Ids,
    second: Ids | None,
    cls_id: int,
    sep_id: int,
    *,
    second_cls: bool = False,
    last_sep: bool = True,
    sep_counted: bool = True,
    empty_is_none: bool = False,
    as_published: bool = False,
) -> IdSequence:
    """`with_special_tokens` with one part exchanged."""
    if as_published:
        cls_id, sep_id = 2, 3
    ids = [cls_id, *first, sep_id]
    length = len(ids) if sep_counted else len(ids) - 1
    if second is None or (empty_is_none and not second):
        return ids, length
    beginning = [cls_id] if second_cls else []
    return [*ids, *beginning, *second, *([sep_id] if last_sep else [])], length


def draw_sequences(rng: np.random.Generator) -> dict[str, Any]:
    """Up to four sequences of one or two texts; some hold the id of padding themselves."""
    pad_id = int(rng.integers(5)) if rng.random() < 0.5 else 0
    sequences = []
    for _ in range(int(rng.integers(1, 5))):
        second = None if rng.random() < 0.3 else draw_ids(rng, 1, 4)
        ids, length = with_special_tokens(draw_ids(rng, 1, 4), second, cls_id=8, sep_id=9)
        if rng.random() < 0.3:
            ids[int(rng.integers(len(ids)))] = pad_id  # a random token put it there
        sequences.append((ids, length))
    longest = max(len(ids) for ids, _ in sequences)
    return {"sequences": sequences, "pad_id": pad_id, "width": longest + int(rng.integers(3))}


def nothing_to_pad(rng: np.random.Generator) -> list[dict[str, Any]]:
    """One sequence that fills its row, one of a single text, one much shorter than its row."""
    pair, single = ([2, 14, 3, 15, 3], 3), ([2, 14, 3], 3)
    return [
        {"sequences": [pair], "pad_id": 0, "width": 5},
        {"sequences": [single], "pad_id": 0, "width": 3},
        {"sequences": [single, pair], "pad_id": 0, "width": 5},
        {"sequences": [pair], "pad_id": 1, "width": 9},
    ]


def padded(
    sequences: list[IdSequence],
    pad_id: int,
    width: int,
    *,
    pad_with: int | None = None,
    segments_of_padding: int = 0,
    on_the_left: bool = False,
    mask_from_ids: bool = False,
    sep_in_second: bool = False,
) -> dict[str, np.ndarray]:
    """`pad_sequences` with one part exchanged."""
    filler = pad_id if pad_with is None else pad_with
    rows: dict[str, list[Ids]] = {"input_ids": [], "attention_mask": [], "token_type_ids": []}
    for ids, first_length in sequences:
        first = first_length - (1 if sep_in_second else 0)
        n_padding = width - len(ids)
        segments = [0] * first + [1] * (len(ids) - first)
        mask = [int(i != pad_id) for i in ids] if mask_from_ids else [1] * len(ids)
        fillings = ([filler] * n_padding, [0] * n_padding, [segments_of_padding] * n_padding)
        parts = (ids, mask, segments)
        for name, part, filling in zip(rows, parts, fillings, strict=True):
            rows[name].append([*filling, *part] if on_the_left else [*part, *filling])
    return {name: np.array(row, dtype=np.int64) for name, row in rows.items()}


def draw_long(rng: np.random.Generator) -> dict[str, Any]:
    """Two texts of up to twelve tokens, and a room that is most often too small."""
    first, second = draw_ids(rng, 1, 12), draw_ids(rng, 1, 12)
    return {"first": first, "second": second, "room": int(rng.integers(2, 25))}


def tight_rooms(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Two texts that just fit, one token too many, equal lengths, and the smallest room."""
    long, short = [11, 12, 13, 14, 15, 16], [21, 22]
    same = [31, 32, 33, 34, 35, 36]
    cases = [
        (long, short, 8),
        (long, short, 7),
        (short, long, 7),
        (long, same, 5),
        (long, same, 12),
    ]
    cases += [(same, long, 11), (short, short, 3), (long, short, 2), (long, short, 5)]
    return [{"first": a, "second": b, "room": room} for a, b, room in cases]


def cut(
    first: Ids,
    second: Ids,
    room: int,
    *,
    rule: str = "longest",
    odd_to: str = "longer",
    at_front: bool = False,
) -> tuple[Ids, Ids]:
    """`truncate_pair` with one part exchanged."""
    a, b = len(first), len(second)
    if a + b > room:
        if rule == "halves":
            a, b = min(a, room - room // 2), min(b, room // 2)
        elif rule == "second":
            a, b = min(a, room), max(0, room - a)
        elif rule == "proportion":
            a = round(room * a / (a + b))
            b = room - a
        else:
            shorter = min(a, b, room // 2)
            if odd_to == "first" and shorter < min(a, b):  # as if cut token by token
                a, b = room - shorter, shorter
            else:
                a, b = (room - shorter, shorter) if a > b else (shorter, room - shorter)
    if at_front:
        return first[len(first) - a :], second[len(second) - b :]
    return first[:a], second[:b]


SEQUENCE = Exercise(
    id="1.6",
    title="Lay two texts into one sequence",
    difficulty=1,
    minutes=6,
    points=1,
    solution=with_special_tokens,
    draw=draw_two,
    borders=empty_texts,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "a second [CLS]",
            partial(sequence, second_cls=True),
            "Your B begins with a [CLS] of its own. There is one [CLS] a sequence, at its front: "
            "its state stands for both texts together. Between them stands a single [SEP].",
        ),
        Misconception(
            "last [SEP] missing",
            partial(sequence, last_sep=False),
            "Nothing ends your B. Each text is followed by a [SEP], the second one too.",
        ),
        Misconception(
            "[SEP] counted to B",
            partial(sequence, sep_counted=False),
            "Your length of the first segment leaves out its [SEP]. The [SEP] between A and B "
            "belongs to A: segment 0 is [CLS] A [SEP], so its length is len(A) + 2.",
        ),
        Misconception(
            "an empty B is no B",
            partial(sequence, empty_is_none=True),
            "You treat an empty second text as if there were none. [] is a text without tokens and "
            "still gets its [SEP]; only None means that there is no B. Ask `second is None`.",
        ),
        Misconception(
            "ids of one vocabulary",
            partial(sequence, as_published=True),
            "You write 2 and 3 whatever cls_id and sep_id are. They have these ids in ours and in "
            "the published vocabularies, not in everybody's: use what you are given.",
        ),
    ),
    hints=(
        "Two things come out, as a tuple: a list of ids, and a number. Without a second text the "
        "list is `[CLS] A [SEP]`, and all of it is the first segment.",
        "Begin with `[CLS] A [SEP]`; its length is the number that is asked for. If there is a "
        "second text, B and one more `[SEP]` follow. Make a new list: `first.extend(…)` would "
        "change the caller's.",
        "`ids = [cls_id, *first, sep_id]`, then `return (ids, len(ids)) if second is None else "
        "([*ids, *second, sep_id], len(ids))`.",
    ),
)

PADDED = Exercise(
    id="1.7",
    title="Make the three arrays",
    difficulty=2,
    minutes=10,
    points=2,
    solution=pad_sequences,
    draw=draw_sequences,
    borders=nothing_to_pad,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "padded with 0",
            partial(padded, pad_with=0),
            "You pad with 0 whatever pad_id is. 0 is <pad> in our vocabulary and in the published "
            "ones; elsewhere 0 may be a word.",
        ),
        Misconception(
            "padding in segment 1",
            partial(padded, segments_of_padding=1),
            "Your padding lies in segment 1. It belongs to neither text and gets segment 0, as in "
            "the published models' batches; only B and its [SEP] are 1.",
        ),
        Misconception(
            "padded on the left",
            partial(padded, on_the_left=True),
            "Your padding stands in front of the text. Then [CLS] is no longer at position 0, "
            "where the model looks for it. Text first, padding behind.",
        ),
        Misconception(
            "mask from the ids",
            partial(padded, mask_from_ids=True),
            "Your attention mask is 0 wherever the id of padding stands, also inside a text. A "
            "text can hold that id (masking will write random tokens into it), so the mask "
            "follows from lengths: 1 for the first len(ids) positions of a row.",
        ),
        Misconception(
            "[SEP] in segment 1",
            partial(padded, sep_in_second=True),
            "Your segment 1 begins one position too early, at the [SEP] between A and B. "
            "Positions below the given length are segment 0, that [SEP] included.",
        ),
    ),
    hints=(
        "Three arrays come out, in a dict, each of `len(sequences)` rows and `width` columns and "
        "of int64. `np.full((rows, width), pad_id, dtype=np.int64)` and `np.zeros` make them.",
        "Fill row by row. A sequence of `n` ids takes the first `n` columns of its row; there the "
        "mask is 1. From the length of its first segment up to `n` the segment is 1. What you do "
        "not touch is padding.",
        "In a loop `for row, (ids, first_length) in enumerate(sequences):` write "
        "`input_ids[row, : len(ids)] = ids`, `attention_mask[row, : len(ids)] = 1` and "
        "`token_type_ids[row, first_length : len(ids)] = 1`.",
    ),
)

TRUNCATED = Exercise(
    id="1.8",
    title="Cut a pair to fit",
    difficulty=2,
    minutes=10,
    points=2,
    solution=truncate_pair,
    draw=draw_long,
    borders=tight_rooms,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "half each",
            partial(cut, rule="halves"),
            "You give each text half of the room, also where one of them needs less than its half. "
            "What a short text leaves free belongs to the long one.",
        ),
        Misconception(
            "only the second",
            partial(cut, rule="second"),
            "You cut the second text alone. A long first text then leaves nothing of it: cut "
            "whichever is longer.",
        ),
        Misconception(
            "in proportion",
            partial(cut, rule="proportion"),
            "You shorten both texts in proportion. A short text has no token to spare: the longer "
            "one is cut alone until both are equally long.",
        ),
        Misconception(
            "cut at the front",
            partial(cut, at_front=True),
            "You cut the beginnings off. Tokens go from the end of a text.",
        ),
        Misconception(
            "odd token to the first",
            partial(cut, odd_to="first"),
            "Right but for one token: where both texts must be halved and the room is odd, you "
            "always give the extra token to the same text. It goes to the text that was longer, "
            "and to the second of two equal ones.",
        ),
    ),
    hints=(
        "Two new lists come out, beginnings of the two texts. Together they have "
        "`min(room, len(first) + len(second))` tokens, so two lengths are all there is to find.",
        "If both fit, nothing is cut. Else the shorter text keeps what it has, at most half of the "
        "room (rounded down), and the longer one gets the rest. If both have the same length, "
        "take the second for the longer one.",
        "`shorter = min(len(first), len(second), room // 2)` and `longer = room - shorter`; then "
        "`return first[:longer], second[:shorter]` if `len(first) > len(second)`, else the other "
        "way round.",
    ),
)
