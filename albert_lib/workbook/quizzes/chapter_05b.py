"""Questions of chapter 5b."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "5b.1",
        "By what share of its length does the hidden state of a masked token move in the twin?",
        {
            "More than in the healthy run": "Its steps were larger. But larger steps towards what?",
            "About as much": "Then it could still learn from the text.",
            "Not at all": "Run the next cell and count the zeros.",
        },
        correct="Not at all",
    ),
    Question(
        "5b.2",
        "Which one is healthy?",
        {
            "A": (
                "In A attention was open to padding and closed to text. Nothing in the picture "
                "says so: it lies on top of B."
            ),
            "B": (
                "You are right, and hardly by this picture: A lies on top of it, and C parts from "
                "both late, if at all."
            ),
            "C": (
                "In C the labels were shuffled. It falls a little less than the others; would you "
                "say so of a single run?"
            ),
        },
        correct="B",
    ),
)
