"""Questions of chapter 5."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "5.1",
        "The learning rate is 0.001 and a matrix has numbers of size 0.02. How far does this "
        "first step, not corrected, move it, compared with its own length?",
        {
            "0.1 %": (
                "That is the learning rate alone. It has the weights' unit, and they are small."
            ),
            "0.3 %": "That is the size of the step, 3.16 × 0.001. Now compare it with 0.02.",
            "16 %": "3.16 × 0.001 / 0.02 = 0.158. One batch, and a sixth of the matrix is new.",
            "100 %": (
                "It would be, at a learning rate of 0.006: not far from rates that people try."
            ),
        },
        correct="16 %",
    ),
    Question(
        "5.2",
        "A loss has sat just above the unigram entropy for a thousand steps. What is learnt?",
        {
            "Nothing at all": "Then it would still be at ln V, nearly three nats higher.",
            "Which tokens are common": (
                "Yes: the output bias alone can go from ln V to the unigram entropy. One number"
                " a token, and no look at the text."
            ),
            "Short-range grammar": (
                "That brings a loss below the mark: after 'number of', a plural."
            ),
            "To copy its input": "It cannot: four fifths of what it is asked for is [MASK].",
        },
        correct="Which tokens are common",
    ),
)
