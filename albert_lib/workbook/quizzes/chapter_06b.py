"""Questions of chapter 6b."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "6b.1",
        "At dial 0 nothing leans. 'Potter' is four times as frequent as 'printer'. Which of "
        "these will still give the two titles different readings?",
        {
            "The log-probability gap": (
                "Each title is compared with itself beside two persons. How frequent it is "
                "stands in both terms and cancels."
            ),
            "The probability of the title beside one person": (
                "Of course: a frequent title is a likely one. Whoever shows P(title | woman) "
                "alone shows frequency. It is the commonest picture of bias, and it has no "
                "second context."
            ),
            "Neither": "The gap cancels frequency. A single probability does not.",
        },
        correct="The probability of the title beside one person",
    ),
    Question(
        "6b.2",
        "Dial 1, few remarks, and the models predict the words of their days nearly perfectly. "
        "What will the probes read of a true nat?",
        {
            "As much as with many remarks": (
                "The text holds the same bias. But a probe reads the model, and a model learns "
                "what it is asked for."
            ),
            "Less": (
                "Where other words tell the title, the name adds almost nothing to a guess, so "
                "that almost no gradient says to learn it. The loss comes down all the same."
            ),
            "More": "That would take a reason to exaggerate. There is none.",
        },
        correct="Less",
    ),
    Question(
        "6b.3",
        "Dial 1, every day followed by its counterfactual. The loss is then measured on unseen "
        "days without counterfactuals, as the town really is. What does it do?",
        {
            "It falls: twice the text": (
                "Every batch is as large as before and there are as many steps; and the town's "
                "text was not short of days."
            ),
            "It rises": (
                "On days as they are, the name does say something about the occupation. A "
                "reader that was taught otherwise gives that up, and pays for it in nats."
            ),
            "It stays": (
                "Then gender would have told nothing about occupations, and there would have "
                "been no bias to remove."
            ),
        },
        correct="It rises",
    ),
    Question(
        "6b.4",
        "The gap and the pseudo-log-likelihood agreed in the Town. Suppose that on the shipped "
        "model they disagree about which occupations lean which way. What follows?",
        {
            "The gap is right, the other wrong": (
                "Why not the other way round? There is no truth here to say so, and the same "
                "two agreed where there was one."
            ),
            "At least one of them reads something else here": (
                "Two readings of one quantity would have to agree. Where they do not, one of "
                "them, or both, shows wording, rare words or noise. To report one alone would "
                "be to choose the answer."
            ),
            "The model is not biased": (
                "Disagreement is no measurement of nothing. It is no measurement."
            ),
        },
        correct="At least one of them reads something else here",
    ),
    Question(
        "6b.5",
        "24 pairs, and a model that prefers the stereotype in 15 of them: 62.5 %. Does its 95 %"
        " interval leave out 50 %?",
        {
            "Yes, 62.5 is clearly more than 50": (
                "With 24 pairs the interval runs from 43 to 79 %. A coin shows 15 heads or more"
                " in 24 throws 15 times in 100."
            ),
            "No": (
                "It runs from 43 to 79 %. Even CrowS-Pairs' 1,508 pairs leave 2.5 points on "
                "either side, and its smallest category, disability, has 60 pairs."
            ),
        },
        correct="No",
    ),
)
