"""Questions of chapter 2."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "2.1",
        "With the word's first token in view he gets about 1 in 3 right. With the whole word "
        "masked he sees the token before the word. How many of the same questions does he get "
        "right?",
        {
            "1 in 3 as well": (
                "Then a word's beginning would tell no more about its end than the word before "
                "it does. After walk few tokens are possible; after baker, thousands."
            ),
            "about 1 in 12": "A quarter of what he had, for the same questions. Run the next cell.",
            "none": "Not that bad: some words come in fixed company, and their ends with them.",
        },
        correct="about 1 in 12",
    ),
    Question(
        "2.2",
        "2 of 11 spans are three words long. Of all masked WORDS, how many lie in a span of three?",
        {
            "2 in 11": (
                "That is the fraction of the spans. A span of three masks three words at once."
            ),
            "1 in 3": "2 spans of 3 words are 6 words; so are 3 spans of 2, and 6 spans of 1.",
            "1 in 2": "2 × 3 = 6 words in long spans, but 6 × 1 + 3 × 2 = 12 in shorter ones.",
        },
        correct="1 in 3",
    ),
    Question(
        "2.3",
        "The word walks is two tokens, ▁walk and s. Whenever it is masked, both are asked for. "
        "How often does the model see [MASK] [MASK]?",
        {
            "80 %": "That would be one roll of the die for the word. There is one for each token.",
            "64 %": "0.8 × 0.8. The die is rolled for each token on its own.",
            "96 %": "1 − 0.2 × 0.2 is how often at least one of the two is a [MASK].",
        },
        correct="64 %",
    ),
    Question(
        "2.4",
        "A published ALBERT reads a sequence of 512 positions. About how many of them is it asked?",
        {
            "512": (
                "The loss is computed at the masked positions only; the others are not asked for."
            ),
            "77": (
                "round(0.15 × 512) = 77 is the second half of the formula. The limit comes "
                "after it."
            ),
            "61": "80 % of 77 would be those shown as [MASK]; but look at the limit.",
            "20": "min(20, 77). Fifteen percent are masked only where the sequence is short.",
        },
        correct="20",
    ),
    Question(
        "2.5",
        "Every pair of neighbours appears twice, once in order and once swapped. The same "
        "reader counts what the two segments share. How many SOP questions does he get right?",
        {
            "about as many as before": "He would have to count otherwise when they change places.",
            "somewhat more than half": "Not one more. Swap A and B, and count again.",
            "exactly half": "What A shares with B, B shares with A: he must answer both alike.",
        },
        correct="exactly half",
    ),
)
