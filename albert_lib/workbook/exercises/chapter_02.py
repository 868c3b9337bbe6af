"""Exercises of chapter 2: masking. Where answers are random, rules and tests decide."""

from __future__ import annotations

from functools import partial

from albert_lib.objectives.masking import choose_spans
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.masking_exercises import BUDGET, REPLACED, WORDS
from albert_lib.workbook.exercises.order_exercise import ORDER
from albert_lib.workbook.exercises.span_rules import (
    breaks,
    broken,
    edge_in_words,
    inside_a_word,
    judge_spans,
    not_of_words,
    over_budget,
    overlapping,
    too_long,
    unused,
)
from albert_lib.workbook.exercises.span_statistics import (
    always_the_same,
    first_words_only,
    front_fraction,
    length_counts,
    lengths_in_words,
    not_repeatable,
    percent,
)
from albert_lib.workbook.exercises.span_variants import (
    across_the_gap,
    borders,
    draw_sentence,
    drawn_with,
    from_any_token,
    from_the_left,
    front_only,
    left_over,
    never_three,
    no_seed,
    nothing_masked,
    one_for_all,
    one_too_few,
    seed_of_its_own,
    some_never_begin,
    spans_like,
)

SPANS = Exercise(
    id="2.2",
    title="Choose the spans",
    difficulty=2,
    minutes=15,
    points=3,
    solution=choose_spans,
    draw=draw_sentence,
    borders=borders,
    trials=370,
    judge=judge_spans,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "nothing masked",
            partial(spans_like, may_begin=lambda word: False),
            lambda trials: (
                f"{broken(unused, trials)[0]} Your list of spans is empty on every text: where "
                "does your loop stop, and which words does it pass over? At the start no word is "
                "taken, the budget is whole, and a first word stands where the empty span stops."
            ),
            symptom=nothing_masked,
        ),
        Misconception(
            "inside words",
            from_any_token,
            lambda trials: broken(inside_a_word, trials)[0],
            symptom=breaks(inside_a_word),
        ),
        Misconception(
            "across the gap",
            across_the_gap,
            lambda trials: broken(not_of_words, trials)[0],
            symptom=breaks(not_of_words),
        ),
        Misconception(
            "masked twice",
            partial(spans_like, avoid_taken=False),
            lambda trials: broken(overlapping, trials)[0],
            symptom=breaks(overlapping),
        ),
        Misconception(
            "over budget",
            partial(spans_like, look_ahead=False),
            lambda trials: (
                f"Over budget on {len(broken(over_budget, trials))} of {len(trials)} "
                "texts: you stop after the budget is passed. Ask whether the next word "
                "still fits before you take it."
            ),
            symptom=breaks(over_budget),
        ),
        Misconception(
            "spans too long",
            partial(spans_like, longest=4),
            lambda trials: (
                f"{broken(too_long, trials)[0]} Of n drawn words the span takes the first itself "
                "and n - 1 behind it; n is 1, 2 or 3."
            ),
            symptom=breaks(too_long),
        ),
        Misconception(
            "budget left over",
            one_too_few,
            lambda trials: (
                f"{broken(unused, trials)[0]} Does a word that just fills the budget still fit, "
                "and do you go on to the last token of it?"
            ),
            symptom=left_over,
        ),
        Misconception(
            "no seed",
            no_seed,
            "The same generator gave different spans: draw from rng and from nothing else, or "
            "nobody can repeat your experiment.",
            symptom=not_repeatable,
        ),
        Misconception(
            "first words",
            partial(spans_like, in_order=True),
            "You mask the first words of every text and none of the others, whatever the "
            "generator: you visit the words as they stand. Visit them in random order, "
            "rng.permutation(len(words)).",
            symptom=first_words_only,
        ),
        Misconception(
            "seed of its own",
            seed_of_its_own,
            "Calls with different generators gave the same spans: nothing in them comes from rng. "
            "Draw both the order of the words and the lengths from rng; a generator that you make "
            "from a seed of your own begins anew at every call.",
            symptom=lambda trials: always_the_same(trials) and not first_words_only(trials),
        ),
        Misconception(
            "from the left",
            from_the_left,
            lambda trials: (
                f"{percent(front_fraction(trials))} of what you mask lies in the first 40 % of "
                "its text: you walk from the left and run out of budget. Shuffle the words first."
            ),
            symptom=front_only,
        ),
        Misconception(
            "one word a span",
            partial(spans_like, longest=1),
            "All your spans are one word long. Draw the number of words of each span: 1, 2 or "
            "3, with probabilities 6/11, 3/11 and 2/11.",
            symptom=lambda trials: length_counts(trials)[0] > 0.97 * length_counts(trials).sum(),
        ),
        Misconception(
            "one length a text",
            partial(spans_like, once_a_text=True),
            "The spans of one text all have one length: you draw it once and use it for all of "
            "them. Draw a new length for every span.",
            symptom=one_for_all,
        ),
        Misconception(
            "even lengths",
            partial(spans_like, weights=(1, 1, 1)),
            lambda trials: (
                f"{lengths_in_words(trials)}: you draw lengths evenly. The paper's fall off "
                "as 1/n, which is 6/11, 3/11 and 2/11."
            ),
            symptom=drawn_with((1, 1, 1)),
        ),
        Misconception(
            "halves",
            partial(spans_like, weights=(4, 2, 1)),
            lambda trials: (
                f"{lengths_in_words(trials)}: that comes of probabilities which fall off by "
                "halves, as 4, 2, 1 or 2, 1, 1 do. The paper's fall off as 1/n: as 6, 3, 2."
            ),
            symptom=drawn_with((4, 2, 1), (2, 1, 1)),
        ),
        Misconception(
            "longer ones likelier",
            partial(spans_like, weights=(1, 2, 3)),
            lambda trials: (
                f"{lengths_in_words(trials)}: you draw lengths in proportion to n. They fall off "
                "as 1/n, which is 6/11, 3/11 and 2/11."
            ),
            symptom=drawn_with((1, 2, 3)),
        ),
        Misconception(
            "never three",
            partial(spans_like, longest=2),
            lambda trials: (
                f"{lengths_in_words(trials)}. Three words are the longest span, and 2/11 of the "
                "draws: does your range of lengths, or of their borders, stop one too early?"
            ),
            symptom=never_three,
        ),
        Misconception(
            "some never begin",
            partial(spans_like, may_begin=lambda word: word > 0),
            edge_in_words,
            symptom=some_never_begin,
        ),
    ),
    hints=(
        "`words[i]` is the range of positions of word i, so `len(words[i])` is its number of "
        "tokens. A span of words i to j is `range(words[i].start, words[j].stop)`: return a "
        "list of those.",
        "Visit the words in random order. At each, draw how many words the span should have, "
        "then let it grow word by word while the next word is a neighbour (it starts where "
        "the span stops), is not taken, and still fits into the budget.",
        "`for first in rng.permutation(len(words)):` and `n = rng.choice([1, 2, 3], "
        "p=[6/11, 3/11, 2/11])`. Keep a set of the words that are taken, and subtract "
        "`len(span)` from the budget when a span is done. Skip a span that stayed empty.",
    ),
)

EXERCISES = (WORDS, SPANS, REPLACED, BUDGET, ORDER)
