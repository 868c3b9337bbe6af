"""Exercises 1.4 to 1.6: two texts in one sequence, padded arrays, and what is cut if too long."""

from __future__ import annotations

from functools import partial

from albert_lib.text.batch import pad_sequences, truncate_pair, with_special_tokens
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.pair_mistakes import (
    cut,
    draw_long,
    draw_sequences,
    draw_two,
    empty_texts,
    first_exchanged,
    in_the_other_order,
    kept,
    nothing_to_pad,
    one_for_the_other,
    only_segments,
    over_room,
    padded,
    sequence,
    tight_rooms,
    under_room,
    where_segment_1_is,
)

SEQUENCE = Exercise(
    id="1.4",
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
        Misconception(
            "no B",
            partial(sequence, one_text=True),
            "Your second text never comes. Where `second` is not None, it follows the first [SEP] "
            "and has a [SEP] of its own behind it; the length stays that of the first segment.",
        ),
        Misconception(
            "one special token for the other",
            partial(sequence, exchanged=True),
            lambda trials: (
                f"{first_exchanged(trials)}. [CLS] opens the sequence and stands nowhere else; "
                "each text is closed by a [SEP]."
            ),
            symptom=one_for_the_other,
            broad=True,
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
    id="1.5",
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
            partial(padded, later=-1),
            "Your segment 1 begins one position too early, at the [SEP] between A and B. "
            "Positions below the given length are segment 0, that [SEP] included.",
        ),
        Misconception(
            "B begins too late",
            partial(padded, later=1),
            "Your segment 1 begins one position too late: the first token of B is still in "
            "segment 0. Positions are counted from 0, so the first segment ends before the "
            "position that its length names.",
        ),
        Misconception(
            "segments the other way round",
            partial(padded, segments=(1, 0)),
            "Your segments are the other way round: the first text is segment 0, the second is 1.",
        ),
        Misconception(
            "one segment",
            partial(padded, segments=(0, 0)),
            "Your token_type_ids are 0 everywhere, so the model could not tell B from A. B and its "
            "[SEP] are segment 1.",
        ),
        Misconception(
            "segment 1 elsewhere",
            partial(padded, segments=(1, 1)),
            lambda trials: (
                "Ids and mask are right; the segments are not. On the simplest input "
                f"{where_segment_1_is(trials)}. Segment 1 lies from the length of the first "
                "segment up to the last id, and neither before nor behind."
            ),
            symptom=only_segments,
            broad=True,
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
    id="1.6",
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
        Misconception(
            "first of two equal ones",
            partial(cut, odd_to="first of equals"),
            "Right, but where both texts have the same length and the room is odd: there you give "
            "the extra token to the first. Of two equal ones the second counts as the longer.",
        ),
        Misconception(
            "only the first",
            partial(cut, rule="first"),
            "You cut the first text alone. A long second text then leaves nothing of it: cut "
            "whichever is longer.",
        ),
        Misconception(
            "sorted by length",
            partial(cut, longer_first=True),
            "Your two texts come back in the order of their lengths. The first stays the first: "
            "ask which is longer to find both lengths, and return first[…], second[…] each time.",
            symptom=in_the_other_order,
        ),
        Misconception(
            "over the room",
            partial(cut, spare=1),
            lambda trials: (
                f"On {len(over_room(trials))} of {len(trials)} inputs your two texts do not fit: "
                f"on the simplest you keep {kept(over_room(trials)[0])} tokens for a room of "
                f"{over_room(trials)[0].arguments['room']}. What one text keeps, the other cannot "
                "have: their lengths add up to the room."
            ),
            symptom=lambda trials: bool(over_room(trials)),
            broad=True,
        ),
        Misconception(
            "cut too much",
            partial(cut, spare=-1),
            lambda trials: (
                f"On {len(under_room(trials))} of {len(trials)} inputs you cut more than has to "
                f"go: on the simplest you keep {kept(under_room(trials)[0])} tokens, and "
                f"{sum(map(len, under_room(trials)[0].expected))} fit. What the shorter text does "
                "not need belongs to the longer one, and where both fit nothing is cut."
            ),
            symptom=lambda trials: bool(under_room(trials)),
            broad=True,
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
