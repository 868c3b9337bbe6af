"""Questions of chapter 1."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "1.1",
        "Which of these pairs can a model still tell apart after normalisation?",
        {
            "US and us": (
                "Lower case makes one word of the country and the pronoun. The context must do "
                "what the capital did."
            ),
            "Résumé and resume": (
                "Without marks, the page you send to an employer and the verb are the same six "
                "letters."
            ),
            "x² and x2": (
                "The K in NFKD stands for compatibility: a raised 2 becomes an ordinary 2."
            ),
            "can't and cant": (
                "The apostrophe is neither a mark nor a capital. It stays, and so does the "
                "difference."
            ),
        },
        correct="can't and cant",
    ),
    Question(
        "1.2",
        "The whole sentence with its marks has 44 characters. If you tried a million cuts a "
        "second, how long would all of them take?",
        {
            "About a minute": (
                "A minute is 60 million cuts, about 2 to the power 26. The sentence has 43 "
                "places to cut."
            ),
            "About an hour": (
                "An hour is 3.6 billion cuts, about 2 to the power 32. Eleven doublings are "
                "missing."
            ),
            "About 100 days": (
                "2 to the power 43 is 8.8 million million. Every letter more doubles the time."
            ),
        },
        correct="About 100 days",
    ),
    Question(
        "1.3",
        "Longest piece first against the highest sum: for which of these words do they disagree"
        " in our vocabulary?",
        {
            "windmill": (
                "Both take ▁wind + mill. When a long true beginning leaves a true rest, greed "
                "does no harm."
            ),
            "nowhere": (
                "Longest first grabs ▁now and is left with here. The sum prefers ▁no + where."
            ),
            "bakers": "Both take ▁baker + s.",
        },
        correct="nowhere",
    ),
    Question(
        "1.4",
        "In which of these is the word mill the same id as in 'the mill'?",
        {
            "(mill)": (
                "The bracket stands directly before the m and takes the mark for itself. What "
                "follows has no ▁ and is the other piece."
            ),
            "Mill!": (
                "Lower case makes it mill, the space before it becomes ▁, and the exclamation "
                "mark is a piece of its own."
            ),
            "windmill": "Here mill really is the middle of a word: the piece without ▁.",
        },
        correct="Mill!",
    ),
    Question(
        "1.5",
        "Which words of our sentence will a vocabulary of 4,000 pieces cut up that has read "
        "nothing but documentation?",
        {
            "None": (
                "They are common English words, but common where? A vocabulary knows only its "
                "own text."
            ),
            "baker, mill and dawn": (
                "Manuals of software have no bakers, mills or dawns. (walks comes apart as "
                "well, into walk and s: programs walk trees, and walk is there.)"
            ),
            "the, to and before": (
                "Those are the glue of every English text; they are whole almost from the start."
            ),
        },
        correct="baker, mill and dawn",
    ),
    Question(
        "1.6",
        "By how much do the tokens per word fall, from 500 pieces to 8,000?",
        {
            "To a sixteenth": (
                "There is a floor: a word is at least one token. And 500 pieces do not need "
                "sixteen a word, not even five."
            ),
            "To a quarter": (
                "Square-root laws are popular, but most words of a text are a few hundred short"
                " ones, and those are whole early on."
            ),
            "To about a half": (
                "The frequent words are whole after the first few hundred pieces. All that come"
                " later help rarer and rarer words."
            ),
        },
        correct="To about a half",
    ),
    Question(
        "1.7",
        "A has 12 tokens, B has 4. With three special tokens, max_length=13 leaves room for 10."
        " What is left of A and B?",
        {
            "5 and 4, one place empty": "Equal shares would waste a place that B does not need.",
            "8 and 2": (
                "That cuts both in proportion. The short text would lose half of itself while "
                "the long one can spare more."
            ),
            "6 and 4": (
                "A is the longer one until it has come down to B's length, so it pays all six."
            ),
        },
        correct="6 and 4",
    ),
)
