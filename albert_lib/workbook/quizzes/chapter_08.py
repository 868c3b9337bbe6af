"""Questions of chapter 8."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "8.1",
        "You put the config.json of albert-xlarge-v1 beside that of albert-xlarge-v2. What "
        "differs between them?",
        {
            "The sizes": (
                "Version 2 is the same machine: 24 layers, H = 2,048, 16 heads. Its weights are"
                " others."
            ),
            "The dropout rates, and the name of the activation": (
                "0.1 became 0, and gelu became gelu_new. Data and steps leave their mark on the"
                " weights, and no line in a config."
            ),
            "Nothing": "Then nobody could say from the files which dropout to fine-tune with.",
        },
        correct="The dropout rates, and the name of the activation",
    ),
    Question(
        "8.2",
        "54,528,512 · 54,821,040 · 58,724,864 · 59,021,490. Which of them counted wrong?",
        {
            "All but the third": (
                "The third is the card's 58M. But the fourth is what lies in the file from "
                "which the card's model is loaded."
            ),
            "The first two, they forgot the pooler": (
                "Nothing was forgotten: a model that only fills gaps has no pooler, because "
                "nobody reads its [CLS]."
            ),
            "None": (
                "Each counted another model. The encoder is the same in all four; what sits on "
                "top of it is not."
            ),
        },
        correct="None",
    ),
    Question(
        "8.3",
        "Ask transformers for all tensors of its AlbertForPreTraining and it lists 34 names. "
        "The file has 32. Which two are left out?",
        {
            "The pooler's weight and bias": (
                "A model with an SOP head cannot do without them; look for albert.pooler in the"
                " header."
            ),
            "The output matrix and its bias": (
                "predictions.decoder.weight is the word table, and predictions.decoder.bias is "
                "predictions.bias. One tensor, two names: writing it twice would make the file "
                "larger and the two could come apart."
            ),
            "The positions' numbers 0, 1, 2, …": (
                "position_ids was in old files. Nobody counts it as a tensor today, because it "
                "can be counted out on the spot."
            ),
        },
        correct="The output matrix and its bias",
    ),
    Question(
        "8.4",
        "Our scores and those of transformers' pipeline, same folder, same text. How large is "
        "the largest difference of a probability of a few percent?",
        {
            "0, computers are exact": (
                "They are exact about each single operation, and round after it. Sums in "
                "another order round elsewhere."
            ),
            "about 0.0000001": (
                "Float32 rounds in the seventh digit. The states differ by about a millionth, "
                "and a probability of 0.05 by less than that."
            ),
            "about 0.001": (
                "That would be the third digit, ten thousand roundings in one direction. If you"
                " see such a number, something else is different: section 8.6."
            ),
        },
        correct="about 0.0000001",
    ),
    Question(
        "8.5",
        "You load albert-xlarge-v1, switch the eight over one at a time, and ask the same "
        "question. How many of them change the answer by more than rounding?",
        {
            "None: weights decide": (
                "Weights decide most of it. But one switch is a different function at every "
                "intermediate unit, whatever the weights."
            ),
            "One": (
                "Only the GELU. The others act while a model learns or is born, at padding that"
                " is already ignored, or where E = H or where there are several groups."
            ),
            "Three: GELU, dropout, mask": (
                "Dropout is off when a model answers. And -10000 is as good as minus infinity "
                "wherever there is some text to look at."
            ),
            "All eight": "Then the two programs would be two models.",
        },
        correct="One",
    ),
    Question(
        "8.6",
        "Of the card's four v1 rows, how many are the paper's Table 2 to the last digit?",
        {
            "Four": "The card's xxlarge has 91.0 on average, the paper's 88.7.",
            "Three": (
                "Base, large and xlarge are copied. xxlarge v1 was trained twelve times longer "
                "before it was released: 1.5 million steps instead of the 125,000 of Table 2."
            ),
            "None": "Then somebody would have fine-tuned everything again for the card.",
        },
        correct="Three",
    ),
)
