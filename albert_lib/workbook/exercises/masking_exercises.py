"""Exercises 2.1, 2.3 and 2.4: find the words, roll the die, reckon the budget."""

from __future__ import annotations

from functools import partial

from albert_lib.objectives.masking import find_words, masking_budget, replace_tokens
from albert_lib.workbook.exercise import Exercise, Misconception
from albert_lib.workbook.exercises.masking_mistakes import (
    budgets,
    draw_lengths,
    draw_treatments,
    edges_of_shares,
    only_on_borders,
    short_lengths,
    shown,
)
from albert_lib.workbook.exercises.word_mistakes import (
    breaks_rule,
    draw_sequence,
    first_broken,
    in_two_words,
    lost_token,
    odd_sequences,
    strange_token,
    torn_word,
    two_in_one,
    words_of,
)

WORDS = Exercise(
    id="2.1",
    title="Find the words",
    difficulty=2,
    minutes=10,
    points=2,
    solution=find_words,
    draw=draw_sequence,
    borders=odd_sequences,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "special tokens are words",
            partial(words_of, specials_too=True),
            "Your words hold special tokens. [CLS], [SEP] and <pad> belong to no word, so that "
            "they are never masked: leave out every position whose token is special.",
        ),
        Misconception(
            "across the gap",
            partial(words_of, across=True),
            "A word of yours goes on behind a [SEP]. The second segment may begin in the middle "
            "of a word, because its front was trimmed; what stands there then begins a range of "
            "its own. A word goes on only at the position where it stopped.",
        ),
        Misconception(
            "trimmed word dropped",
            partial(words_of, trimmed_dropped=True),
            "You drop tokens at the beginning of a segment that go on with a word whose front was "
            "trimmed. They are text and can be masked: the rest of a word counts as a word.",
        ),
        Misconception(
            "last word forgotten",
            partial(words_of, last_dropped=True),
            "Your last word is missing: you take down a word when the next one begins, and behind "
            "the last there is no next. Take it down after the loop too.",
        ),
        Misconception(
            "stop is the last position",
            partial(words_of, stop_included=True),
            "Each of your ranges lacks its last token: range(4, 6) holds 4 and 5, for a range "
            "stops before its stop.",
        ),
        Misconception(
            "every token a word",
            partial(words_of, tokens_alone=True),
            "You make every token a word of its own. A token that does not begin a word goes on "
            "with the one before it: ask is_word_start.",
        ),
        Misconception(
            "segment as one word",
            partial(words_of, merged=True),
            "You make one word of each segment: whatever stands behind a token goes on with it. A "
            "word ends where the next token is a word start; ask is_word_start.",
        ),
        Misconception(
            "one position too far",
            partial(words_of, longer=1),
            first_broken(strange_token),
            symptom=breaks_rule(strange_token),
            broad=True,
        ),
        Misconception(
            "a position in two words",
            partial(words_of, grown="beside it"),
            first_broken(in_two_words),
            symptom=breaks_rule(in_two_words),
            broad=True,
        ),
        Misconception(
            "tokens lost",
            partial(words_of, grown="no token"),
            first_broken(lost_token),
            symptom=breaks_rule(lost_token),
            broad=True,
        ),
        Misconception(
            "two words in one",
            partial(words_of, starts_at_second=True),
            first_broken(two_in_one),
            symptom=breaks_rule(two_in_one),
            broad=True,
        ),
        Misconception(
            "a word torn",
            partial(words_of, at_most=2),
            first_broken(torn_word),
            symptom=breaks_rule(torn_word),
            broad=True,
        ),
    ),
    hints=(
        "`input_ids[position]` is a token, and `is_word_start[token]`, `is_special[token]` are "
        "looked up by the token, not by the position. A word of one token at position 7 is "
        "`range(7, 8)`.",
        "Walk through the positions. A special token is skipped. Any other token either makes the "
        "last word of your list one longer or begins a new one. It goes on with the last word if "
        "that word stops right here and the token is no word start.",
        "`continues = words and words[-1].stop == position and not is_word_start[token]`; then "
        "`words[-1] = range(words[-1].start, position + 1)`, else "
        "`words.append(range(position, position + 1))`.",
    ),
)

REPLACED = Exercise(
    id="2.3",
    title="Roll the die",
    difficulty=2,
    minutes=10,
    points=2,
    solution=replace_tokens,
    draw=draw_treatments,
    borders=edges_of_shares,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "never random",
            partial(shown, never_random=True),
            "You ask whether treatment lies below random_probability alone, and [MASK] has taken "
            "everything below mask_probability already: hardly a token becomes random. The "
            "second share lies on top of the first: compare with their sum.",
        ),
        Misconception(
            "always [MASK]",
            partial(shown, all_masked=True),
            "You write [MASK] everywhere. That is the obvious way and the table's first row alone: "
            "one in ten should be a random token, one in ten the token itself.",
        ),
        Misconception(
            "80/10/10 written in",
            partial(shown, fixed_shares=True),
            "You write 80/10/10 into the function. Those are the defaults; config carries the "
            "shares that somebody chose.",
        ),
        Misconception(
            "rounded choice",
            partial(shown, rounded=True),
            "You round choice * vocab_size. Then a choice near 1 gives the id vocab_size, which "
            "does not exist, and the first id is half as likely as the others. Cut the decimals "
            "off.",
        ),
        Misconception(
            "no special tokens",
            partial(shown, without_specials=True),
            "Your random tokens leave out the first five ids. The reference draws from the whole "
            "vocabulary, special tokens included, and so do we.",
        ),
        Misconception(
            "one die for all",
            partial(shown, once_for_all=True),
            "You treat all masked tokens alike. The die is rolled for each of them: treatment[i] "
            "decides about tokens[i].",
        ),
        Misconception(
            "choice not scaled",
            partial(shown, scaled=False),
            "Your random tokens are all token 0: a choice lies between 0 and 1, and cut to a whole "
            "number it is 0. Multiply it by vocab_size first.",
        ),
        Misconception(
            "below and above exchanged",
            partial(shown, turned=True),
            "You write [MASK] where treatment lies above mask_probability. The first share lies "
            "from 0 up to it: a treatment below is [MASK]'s.",
        ),
        Misconception(
            "random and kept exchanged",
            partial(shown, order=(0, 2, 1)),
            "You keep the token where a random one belongs, and draw one where it should be kept. "
            "From mask_probability on, the next random_probability is the random ones' share; the "
            "rest stays.",
        ),
        Misconception(
            "never [MASK]",
            partial(shown, order=(1, 1, 2)),
            "You never write [MASK]: what lies in the first share becomes random too. That share "
            "is asked for before the second.",
        ),
        Misconception(
            "never itself",
            partial(shown, order=(0, 1, 1)),
            "What is not [MASK] becomes random each time. The third share, above both "
            "probabilities together, shows the token as it is.",
        ),
        Misconception(
            "borders counted in",
            partial(shown, borders_in=True),
            "Right, but on a border of two shares: a treatment that equals mask_probability, or "
            "the sum of both, to the last digit belongs to the share above. Numbers from 0 up to "
            "a share, the share itself not among them, are as many as it says: compare with <.",
            symptom=only_on_borders,
        ),
    ),
    hints=(
        "Four arrays of one length meet: tokens, treatment, choice and your answer, a new array of "
        "int64. A loop over the tokens will do; `np.where` does all at once.",
        "Lay the shares side by side on the line from 0 to 1: first mask_probability, then "
        "random_probability, then the rest. treatment says where the token fell. A choice from "
        "0 to 1, times the number of ids, cut to a whole number, is a random id.",
        "`random_tokens = (choice * vocab_size).astype(np.int64)`; then `np.where(treatment < "
        "mask, mask_token_id, np.where(treatment < mask + random, random_tokens, tokens))`.",
    ),
)

BUDGET = Exercise(
    id="2.4",
    title="The budget of a sequence",
    difficulty=1,
    minutes=5,
    points=1,
    solution=masking_budget,
    draw=draw_lengths,
    borders=short_lengths,
    leaves_inputs=True,
    misconceptions=(
        Misconception(
            "decimals cut off",
            partial(budgets, rounding="down"),
            "You cut the decimals off, as int(…) and astype do: 0.15 · 13 = 1.95 becomes 1. The "
            "rule rounds to the nearest whole number: np.rint.",
        ),
        Misconception(
            "rounded up",
            partial(budgets, rounding="up"),
            "You round up. The rule rounds to the nearest whole number; that a sequence gets at "
            "least 1 is a rule of its own.",
        ),
        Misconception(
            "halves rounded up",
            partial(budgets, rounding="half up"),
            "You round halves up, as at school: 4.5 becomes 5. Python and NumPy round a half to "
            "the even neighbour, and so does the reference: 4.5 becomes 4 and 7.5 becomes 8.",
        ),
        Misconception(
            "none for short ones",
            partial(budgets, least=0),
            "Your short sequences get a budget of 0: they would be read and never asked. Each gets "
            "at least 1.",
        ),
        Misconception(
            "no limit",
            partial(budgets, limited=False),
            "You leave out max_predictions. Where it is a number, no budget is larger than it; "
            "only None means no limit.",
        ),
        Misconception(
            "special tokens not counted",
            partial(budgets, specials_left_out=True),
            "You take the rate of the length without [CLS] and two [SEP]. They are never masked, "
            "but the reference counts them, and so do we.",
        ),
        Misconception(
            "rate left out",
            partial(budgets, rate_as="left out"),
            "Your budget is the whole length. It is a share of it: multiply by the rate before you "
            "round.",
        ),
        Misconception(
            "always 1",
            partial(budgets, rate_as="whole"),
            "Your budget is 1 whatever the length: the share that you round is always near 0. "
            "Multiply rate and length as they are, and round the product, not the rate.",
        ),
        Misconception(
            "the limit itself",
            partial(budgets, only_limit=True),
            "Where max_predictions is a number, you return it. It is the most that a budget may "
            "be: a short sequence keeps its own. Of each budget and the limit take the smaller.",
        ),
    ),
    hints=(
        "`lengths` is an array and so is the answer: int64, of the same shape. `np.rint`, "
        "`np.maximum` and `np.minimum` work on whole arrays.",
        "Three steps, from the inside of the formula: round the share, raise it to 1 at least, "
        "and lower it to the limit at most, if there is a limit.",
        "`budget = np.maximum(1, np.rint(rate * lengths).astype(np.int64))`, then `return budget "
        "if max_predictions is None else np.minimum(budget, max_predictions)`.",
    ),
)
