"""Inputs and mistakes of 1.4 to 1.6: a pair in one sequence, padded, and cut to fit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from albert_lib.text.batch import IdSequence, with_special_tokens
from albert_lib.workbook.comparison import same
from albert_lib.workbook.exercise import Trial, apart

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
    exchanged: bool = False,
    one_text: bool = False,
) -> IdSequence:
    """`with_special_tokens` with one part exchanged."""
    if as_published:
        cls_id, sep_id = 2, 3
    if exchanged:
        cls_id, sep_id = sep_id, cls_id
    ids = [cls_id, *first, sep_id]
    length = len(ids) if sep_counted else len(ids) - 1
    if second is None or one_text or (empty_is_none and not second):
        return ids, length
    beginning = [cls_id] if second_cls else []
    return [*ids, *beginning, *second, *([sep_id] if last_sep else [])], length


def one_for_the_other(trials: Sequence[Trial]) -> bool:
    """Whether wrong answers differ from the right ones in which special token stands somewhere."""
    return all(
        each.answer[1] == each.expected[1]
        and len(each.answer[0]) == len(each.expected[0])
        and {each.arguments["cls_id"], each.arguments["sep_id"]}.issuperset(
            i for pair in zip(*_ids(each), strict=True) if pair[0] != pair[1] for i in pair
        )
        for each in apart(trials)
    )


def first_exchanged(trials: Sequence[Trial]) -> str:
    """Where the simplest wrong answer has one special token in the other's place."""
    right, given = _ids(apart(trials)[0])
    at = next(i for i, (one, other) in enumerate(zip(right, given, strict=True)) if one != other)
    names = "[SEP]", "[CLS]"
    is_cls = right[at] == apart(trials)[0].arguments["cls_id"]
    return f"At position {at} you have {names[not is_cls]} where {names[is_cls]} belongs"


def _ids(trial: Trial) -> tuple[Ids, Ids]:
    """The ids of both answers."""
    return trial.expected[0], trial.answer[0]


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
    later: int = 0,
    segments: tuple[int, int] = (0, 1),
) -> dict[str, np.ndarray]:
    """`pad_sequences` with one part exchanged."""
    filler = pad_id if pad_with is None else pad_with
    rows: dict[str, list[Ids]] = {"input_ids": [], "attention_mask": [], "token_type_ids": []}
    for ids, first_length in sequences:
        first = min(first_length + later, len(ids))
        n_padding = width - len(ids)
        segment_ids = [segments[0]] * first + [segments[1]] * (len(ids) - first)
        mask = [int(i != pad_id) for i in ids] if mask_from_ids else [1] * len(ids)
        fillings = ([filler] * n_padding, [0] * n_padding, [segments_of_padding] * n_padding)
        parts = (ids, mask, segment_ids)
        for name, part, filling in zip(rows, parts, fillings, strict=True):
            rows[name].append([*filling, *part] if on_the_left else [*part, *filling])
    return {name: np.array(row, dtype=np.int64) for name, row in rows.items()}


def only_segments(trials: Sequence[Trial]) -> bool:
    """Whether ids and mask are right everywhere and segments are not."""
    others = "input_ids", "attention_mask"
    return all(
        each.answer.keys() == each.expected.keys()
        and all(same(each.expected[name], each.answer[name]) for name in others)
        for each in trials
    )


def where_segment_1_is(trials: Sequence[Trial]) -> str:
    """A row of the simplest wrong answer: where its segment 1 lies, and where it belongs."""
    trial = apart(trials)[0]
    right, given = (each["token_type_ids"] for each in (trial.expected, trial.answer))
    row = int(np.argwhere(right != given)[0][0])
    places = (np.flatnonzero(each[row] == 1).tolist() for each in (given, right))
    here, there = (f"at {found}" if found else "nowhere" for found in places)
    ids, first_length = trial.arguments["sequences"][row]
    return (
        f"a row of {trial.arguments['width']} columns holds {len(ids)} ids, {first_length} of them "
        f"of the first segment; your segment 1 is {here}, and B is {there}"
    )


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
    spare: int = 0,
    longer_first: bool = False,
) -> tuple[Ids, Ids]:
    """`truncate_pair` with one part exchanged."""
    room = room + spare
    a, b = len(first), len(second)
    if a + b > room:
        if rule == "halves":
            a, b = min(a, room - room // 2), min(b, room // 2)
        elif rule == "second":
            a, b = min(a, room), max(0, room - a)
        elif rule == "first":
            a, b = max(0, room - b), min(b, room)
        elif rule == "proportion":
            a = round(room * a / (a + b))
            b = room - a
        else:
            shorter = min(a, b, room // 2)
            if odd_to == "first" and shorter < min(a, b):  # as if cut token by token
                a, b = room - shorter, shorter
            else:
                first_is_longer = a >= b if odd_to == "first of equals" else a > b
                a, b = (room - shorter, shorter) if first_is_longer else (shorter, room - shorter)
    if longer_first and len(first) < len(second):
        first, second, a, b = second, first, b, a
    if at_front:
        return first[len(first) - a :], second[len(second) - b :]
    return first[:a], second[:b]


def kept(trial: Trial) -> int:
    """How many tokens of both texts an answer keeps."""
    return len(trial.answer[0]) + len(trial.answer[1])


def over_room(trials: Sequence[Trial]) -> list[Trial]:
    """The trials whose two texts together are longer than the room."""
    return [each for each in trials if kept(each) > each.arguments["room"]]


def under_room(trials: Sequence[Trial]) -> list[Trial]:
    """The trials in which more is cut than has to be."""
    return [each for each in trials if kept(each) < sum(map(len, each.expected))]


def in_the_other_order(trials: Sequence[Trial]) -> bool:
    """Whether the two texts of every wrong answer stand in each other's place."""
    return all(each.answer == each.expected[::-1] for each in apart(trials))
