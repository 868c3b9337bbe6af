"""Questions of chapter 5c."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "5c.1",
        "A pair of passages from the Hamlet, in order or swapped. How often can the best "
        "possible reader tell?",
        {
            "Always": (
                "The order of events is fixed, so nearly. But now and then a passage is nothing"
                " but a remark, such as 'The river is low today.' It fits before and after."
            ),
            "In about 96 of 100": (
                "What is lost are passages that consist of a remark alone: they fit before and "
                "after, and the reader can only toss a coin."
            ),
            "In about 75 of 100": (
                "That would need far more passages without an event than there are."
            ),
        },
        correct="In about 96 of 100",
    ),
    Question(
        "5c.2",
        "A model is trained on NSP: do these two passages belong together? Then it is asked "
        "which of two passages comes first. How often is it right?",
        {
            "As often as one trained on order": (
                "Then there would be no reason for SOP. What NSP asks can mostly be told by "
                "topic: is it the same person, the same work? Order is not needed."
            ),
            "Better than a coin, and far from the ceiling": (
                "Yes. Telling whether passages belong together needs a little of what order "
                "needs, and no more."
            ),
            "Like a coin": (
                "So it was in the paper (52.0 %). In the Hamlet two passages that follow each "
                "other also begin and end at matching hours, which NSP can use."
            ),
        },
        correct="Better than a coin, and far from the ceiling",
    ),
)
