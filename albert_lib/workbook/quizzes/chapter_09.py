"""Questions of chapter 9."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "9.1",
        "How many times more operations does a training step of BERT-large take than one of "
        "ALBERT-large, on the same batch?",
        {
            "18 times": (
                "That is the ratio of what is stored. A step does not store, it multiplies."
            ),
            "24 times": (
                "ALBERT's one layer is stored once and applied 24 times, each time in full."
            ),
            "About as many": (
                "24 layers of width 1,024 are multiplied out in both. To the multiplier it is "
                "all the same whether the next matrix is a new one or the last one again."
            ),
        },
        correct="About as many",
    ),
    Question(
        "9.2",
        "ALBERT-base, in float32. How many sequences of 512 tokens must the batch have until "
        "their activations take more memory than weights, gradients and running means together?",
        {
            "1": (
                "11.8 million parameters × 16 bytes are 0.19 · 10⁹. One sequence leaves 0.31 · "
                "10⁹ behind: twelve applications of the layer, each of which saves what it "
                "computed."
            ),
            "6": (
                "So it is in BERT-base, whose twelve layers of their own make 1.76 · 10⁹ bytes "
                "of weights, gradients and means. ALBERT-base has a ninth of that."
            ),
            "1,000": "Then memory would be no reason to make a batch small.",
        },
        correct="1",
    ),
    Question(
        "9.3",
        "Each part's MLM loss is a mean over its own masked tokens. How do four of them make "
        "the mean over the batch?",
        {
            "Add them, divide by four": (
                "Right if every part has as many masked tokens as the others. Look at the "
                "numbers above."
            ),
            "Weigh each by its share of the masked tokens": (
                "A mean of means is the mean only when each counts for as many as it stands for."
            ),
            "Add them": (
                "That is a gradient four times as long. LAMB forgives it, whose steps do not "
                "depend on the gradient's length; the limit on the gradient's length does not."
            ),
        },
        correct="Weigh each by its share of the masked tokens",
    ),
    Question(
        "9.4",
        "ALBERT-large and BERT-large do the same operations, to a third of a percent. What does"
        " Table 2 say of their speeds?",
        {
            "The same": "It says 1.7. Something other than operations takes time.",
            "ALBERT-large is 1.7 times as fast": (
                "The paper names its reason: less communication. 316 million parameters fewer "
                "have to be sent and updated at every step."
            ),
            "ALBERT-large is 18 times as fast": "Then nothing but parameters would take time.",
        },
        correct="ALBERT-large is 1.7 times as fast",
    ),
)
