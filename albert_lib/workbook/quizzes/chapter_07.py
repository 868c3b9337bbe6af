"""Questions of chapter 7."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "7.1",
        "These sentences have about sixteen tokens each. Padded to 512, how much of a batch is "
        "padding?",
        {
            "about half": "Half would be 256 tokens a sentence. That is a page.",
            "about 80 %": "Then a sentence would have a hundred tokens.",
            "about 97 %": (
                "Sixteen of 512 are 3 %. A padded position costs as much as a word: the machine"
                " multiplies all of them."
            ),
        },
        correct="about 97 %",
    ),
    Question(
        "7.2",
        "What is the learning rate of the next step, number 1,000, in Google's code?",
        {
            "3.00e-5": (
                "So one would draw it, and so most other code does it: up to the peak, then "
                "down from there."
            ),
            "2.9997e-5": (
                "A first small step down from the peak. That needs a decay that begins where "
                "warm-up ends."
            ),
            "2.70e-5": (
                "The decay began at step 0, behind the warm-up. After a tenth of the steps a "
                "tenth is gone, and the moment warm-up lets go, one sees it."
            ),
        },
        correct="2.70e-5",
    ),
    Question(
        "7.3",
        "From scratch, with 40 sentences, the training loss goes to nearly 0. Right on the test?",
        {
            "near 100 %": "It has learned 40 sentences by heart. The test has others.",
            "between a coin and a bag of words": (
                "Some of the words that decide come again; most do not. Without reading, an "
                "unknown word is a random vector."
            ),
            "below 50 %": "To be wrong more often than a coin, one must know something.",
        },
        correct="between a coin and a bag of words",
    ),
    Question(
        "7.4",
        "Frozen features for a sentiment: which of the two should do better?",
        {
            "the pooled state; that is what it is for": (
                "It is for the order of two segments: SOP trained it, and nothing in the order "
                "of segments tells pleased from displeased."
            ),
            "the mean of all tokens": (
                "Every token was trained to tell which words fit around it. The mean keeps a "
                "trace of all; a bag of words, but of words that have met others."
            ),
            "neither can do better than a coin": "Then the states would hold nothing of the words.",
        },
        correct="the mean of all tokens",
    ),
    Question(
        "7.5",
        "In BERT, fine-tuning moves the upper layers most and leaves the lower ones almost as "
        "they were. And in ALBERT?",
        {
            "the same": (
                "It has no upper layer. The first application and the last use one and the same"
                " set of weights."
            ),
            "every application moves by the same step": (
                "There is one layer. What the last application needs for the task, the first "
                "one gets as well, wanted or not."
            ),
            "nothing moves; it is shared": (
                "Shared weights have gradients like others: the sum over all applications."
            ),
        },
        correct="every application moves by the same step",
    ),
    Question(
        "7.6",
        "Her café is called “L’Été”. The model points at the right tokens and you decode them. "
        "Does that match the gold answer “L’Été”, as SQuAD counts?",
        {
            "yes": "Small letters would not matter; the scorer lowers them. The accents would.",
            "no: accents are gone": (
                "Normalisation took them before the first token was made, and no decoder brings"
                " them back. The scorer keeps é and e apart."
            ),
            "no: it is in small letters": "The scorer forgives that one.",
        },
        correct="no: accents are gone",
    ),
    Question(
        "7.7",
        "Start scores: sheep 2.5, cattle 3.0. End scores: sheep 3.5, cattle 2.0. Which span "
        "wins, of three tokens at most?",
        {
            "cattle … sheep": "6.5, the highest sum of all. But it ends before it begins.",
            "sheep": "2.5 + 3.5 = 6.0. Start with the best start instead, and you get cattle, 5.0.",
            "cattle": "3.0 + 2.0 = 5.0, by taking the best start first and the best end for it.",
            "sheep and cattle": "2.5 + 2.0 = 4.5.",
        },
        correct="sheep",
    ),
    Question(
        "7.8",
        "Gold: “Denver Broncos”. Predicted: “Denver Broncos team”. F1?",
        {
            "2/3": "That is precision: two of three predicted words are gold.",
            "0.8": "Precision 2/3, recall 1: 2 · 2/3 · 1 / (2/3 + 1) = 0.8.",
            "0.83": "The plain mean of 2/3 and 1. The harmonic one stays nearer to the lower.",
            "1": "That is recall. The whole passage would get it as well.",
        },
        correct="0.8",
    ),
    Question(
        "7.9",
        "5,945 of the 11,873 questions of SQuAD 2.0's dev set have no answer. A broken model "
        "never answers. Its F1?",
        {
            "0": "Silence is right wherever there is no answer.",
            "about 50": (
                "5,945 of 11,873 are 50.07 %. Reports of exactly 50.07 fill the issue tracker: "
                "the model had learned nothing, and the threshold did the rest."
            ),
            "about 33": "That would be one in three.",
        },
        correct="about 50",
    ),
    Question(
        "7.10",
        "From base to xxlarge the model grows from 12 to 223 million parameters. Where does "
        "that buy most?",
        {
            "SST-2, a single sentence": "It needs few words that decide: base has 92.9 already.",
            "SQuAD 1.1, an answer in a passage": "It is mostly finding: 90.2 to 94.6.",
            "RACE, exam questions on a long passage": (
                "66.8 to 86.8. Four options, and the answer seldom stands in the text as such."
            ),
        },
        correct="RACE, exam questions on a long passage",
    ),
)
