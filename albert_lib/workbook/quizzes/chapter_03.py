"""Questions of chapter 3."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "3.1",
        "One table of V × H would hold 61 million numbers. How many do the two matrices hold?",
        {
            "about 31 million": "Half? E is 16 times smaller than H, not twice, and V × E rules.",
            "about 8 million": (
                "Each piece costs 128 numbers, so 3.84 million; what costs the rest?"
            ),
            "about 4 million": (
                "V × E is 3.84 million. E × H adds 0.26 million, once for all pieces."
            ),
        },
        correct="about 4 million",
    ),
    Question(
        "3.2",
        "Two random vectors of 64 numbers, each number of deviation 1. How far from 0 is their "
        "dot product, typically?",
        {
            "about 1": "That is one product of two numbers. Here 64 of them are added.",
            "about 8": "64 independent terms of variance 1: variance 64, deviation √64 = 8.",
            "about 64": "They would have to agree in sign, all of them. Most cancel.",
        },
        correct="about 8",
    ),
    Question(
        "3.3",
        "Of xlarge's 58.7 million parameters, where is the largest share?",
        {
            "in the word table": "It was, in spirit, in BERT: now it is 3.84 million.",
            "in the attention": "Four matrices of H × H: 16.8 million. One part is twice that.",
            "in the feed-forward block": "H × 4H and back is 8 H²; attention is 4 H².",
        },
        correct="in the feed-forward block",
    ),
    Question(
        "3.4",
        "ALBERT-xlarge has 58.7 million parameters, BERT-large 334 million. The paper timed "
        "training. How fast is xlarge?",
        {
            "5.7 times as fast": "That would be so if time went by the parameters one stores.",
            "about as fast": "The depth is the same, but the width is twice as large.",
            "0.6 times as fast": (
                "Slower. 24 layers of twice the width are computed, stored or not."
            ),
        },
        correct="0.6 times as fast",
    ),
    Question(
        "3.5",
        "What did the paper find for ALBERT-large, over 24 repetitions of one layer?",
        {
            "It settles: input and output become equal": (
                "The natural guess, and what equilibrium models do. But neither measure goes to"
                " 0, even after 24 repetitions."
            ),
            "It keeps moving: neither measure reaches 0": (
                "In the paper's words the embeddings are oscillating rather than converging, "
                "though they move less than BERT's."
            ),
            "It runs away: every step is larger": (
                "It cannot run far: the norm at the end of each layer brings every vector back "
                "to about the same length."
            ),
        },
        correct="It keeps moving: neither measure reaches 0",
    ),
    Question(
        "3.6",
        "Random weights, nothing learned. By what angle does depth 36 still turn the tokens?",
        {
            "as much as depth 2, in both": (
                "Different layers do. But one layer meets what it has itself made, 35 times over."
            ),
            "less than depth 2, but only in the shared one": (
                "Different layers pull in new directions each; one layer pulls in its own "
                "directions again, and has been there before."
            ),
            "less than depth 2, in both": (
                "What would make a fresh random layer gentler than the one before it?"
            ),
        },
        correct="less than depth 2, but only in the shared one",
    ),
)
