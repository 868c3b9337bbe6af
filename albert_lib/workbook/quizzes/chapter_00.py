"""Questions of chapter 0."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "0.1",
        "To how many of its 8,000 tokens does the model give a probability for this one gap?",
        {
            "To the five it shows": "Five is what we print. The list is cut off; the model is not.",
            "To those that fit the grammar": (
                "Nobody told it any grammar. What does not fit has to be learnt as a small "
                "number, and even that number is never 0."
            ),
            "To all 8,000": (
                "Each token gets a score, and a softmax turns the scores into probabilities "
                "that sum to 1. Filling a gap is choosing among everything."
            ),
        },
        correct="To all 8,000",
    ),
    Question(
        "0.2",
        "Look at what the model is shown. Did the two parts change places?",
        {
            "No, they are in order": (
                "Then 'the old baker …' would stand in front: that is how the document begins."
            ),
            "Yes, they are swapped": (
                "The second sentence stands first. You know because you saw the document. The "
                "model has to tell from the text alone."
            ),
            "Nobody can tell": (
                "From these two sentences alone it is hard, yes. But it is a question with an "
                "answer, and over millions of examples the hints add up."
            ),
        },
        correct="Yes, they are swapped",
    ),
    Question(
        "0.3",
        "BERT-large holds 334 million numbers in 24 layers of width 1,024. ALBERT-xlarge has 24"
        " layers too, twice as wide. How many numbers does it hold?",
        {
            "about 670 million": (
                "Twice as wide is four times the numbers: a layer is made of width × width "
                "matrices. But are there 24 of them to pay for?"
            ),
            "about 1,280 million": (
                "That is what it would hold with 24 layers of its own and a wide table: count "
                "it below. Points 2 and 3 change the sum."
            ),
            "about 60 million": (
                "One layer is stored, not 24, and the table of tokens is narrow. The same "
                "depth, twice the width, a sixth of BERT-large."
            ),
        },
        correct="about 60 million",
    ),
)
