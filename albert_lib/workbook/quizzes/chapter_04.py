"""Questions of chapter 4."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "4.1",
        "The encoder is done. You overwrite the final state of every token except [CLS] with "
        "noise, then ask the SOP head again. Its answer?",
        {
            "becomes a coin toss": "It would, if the head read the words. It reads one state only.",
            "changes a little": "The formula above has one h in it, that of [CLS], and no other.",
            "does not change at all": (
                "The head sees [CLS] alone. All it knows of the words must have been carried "
                "there before, by attention."
            ),
        },
        correct="does not change at all",
    ),
    Question(
        "4.2",
        "An untrained ALBERT with V = 8,000 pieces guesses masked tokens of English. Its MLM loss?",
        {
            "about 0.7 nats": (
                "That is ln 2, the price of one coin toss. There are 8,000 sides here."
            ),
            "about 9.0 nats": (
                "It can favour nothing, so every piece gets 1/8000, and -ln(1/8000) = ln 8000 ="
                " 8.99."
            ),
            "anything; the weights are random": (
                "They are random but small. How small decides: you will turn that dial below."
            ),
            "it depends on the text": (
                "Only later. A model that gives every piece the same probability pays the same "
                "for every text."
            ),
        },
        correct="about 9.0 nats",
    ),
    Question(
        "4.3",
        "The same model, but with initial deviation 1 everywhere. The loss before training?",
        {
            "still about 9 nats": (
                "Then it would favour no piece. With σ = √128 ≈ 11 the scores lie tens apart, "
                "and e^z makes that a landslide."
            ),
            "about 43 nats": (
                "One piece of 8,000 takes nearly everything, and it is the wrong one: the price"
                " is about the largest of 8,000 scores."
            ),
            "about 73 nats": (
                "That is ln V + σ²/2 = 9 + 64. But σ²/2 counts on scores so large that they are"
                " not met in 8,000 draws."
            ),
        },
        correct="about 43 nats",
    ),
    Question(
        "4.4",
        "One sentence of 12 tokens, one of them masked, one backward pass. In how many of the "
        "8,000 rows of the table is the gradient not zero?",
        {
            "1": "The row of the right answer gets the most. But the softmax has a sum in it.",
            "about a dozen": "That is the entrance: only rows that were looked up. And the exit?",
            "8,000": "At the exit every piece was scored, and all but one were scored too high.",
        },
        correct="8,000",
    ),
    Question(
        "4.5",
        "On 64 pairs a model puts 36 in the right order, 56 %. Has it learned to judge order?",
        {
            "yes, 56 is more than 50": "Toss a coin 64 times: one time in five you get 36 or more.",
            "one cannot tell": (
                "The deviation of a share of n coin tosses is √(1/4n), 6 points for 64. One "
                "such step from 50 % means nothing; three would."
            ),
            "no, it would be near 100 %": (
                "It need not be perfect to have learned something. The paper's best reads 86.5."
            ),
        },
        correct="one cannot tell",
    ),
)
