"""Questions of chapter 6."""

from __future__ import annotations

from albert_lib.workbook.questions import Question

QUESTIONS = (
    Question(
        "6.1",
        "After a few minutes of training, what will your model put first behind 'the old baker "
        "walks to the [MASK] before dawn'?",
        {
            "mill": (
                "It may have learnt where bakers walk, from books about bakers. A few minutes "
                "on two cores are not that."
            ),
            "A token that is frequent in its text": (
                "The first thing that training teaches is how often each token occurs; what the"
                " neighbours say about it comes later. In notebook 05 that is the line of the "
                "unigram entropy, which the loss must first reach, then pass."
            ),
            "Any token, by chance": (
                "That is the untrained model: all tokens about equally likely. A few hundred "
                "steps are enough to teach it the frequencies."
            ),
        },
        correct="A token that is frequent in its text",
    ),
    Question(
        "6.2",
        "'lawyer' is in the card's list for the man and not in the list for the woman. What "
        "follows?",
        {
            "'lawyer' is likelier beside the man": (
                "The list does not say so. It stops at rank 5, and the woman's fifth word still"
                " has 0.024, more than 'lawyer' has beside the man (0.018)."
            ),
            "'lawyer' may be likelier beside the woman": (
                "Beside the man it has 0.018. Beside the woman all we know is that it has less "
                "than the fifth word there, 0.024. So 0.020 is possible: likelier beside the "
                "woman, and still not in her list."
            ),
            "'lawyer' is impossible beside the woman": (
                "A softmax gives no token a probability of 0; rank 6 is as far from impossible "
                "as rank 5."
            ),
        },
        correct="'lawyer' may be likelier beside the woman",
    ),
    Question(
        "6.3",
        "Beside A and beside B, one word has 0.0010 and 0.0020, another 0.0460 and 0.0470. For "
        "which word do the two contexts differ more?",
        {
            "The first": (
                "It doubles. A language model's probabilities are small numbers spread over "
                "thousands of tokens, and training pushes their logarithms: the loss is -log P."
                " In logarithms the first moves by 0.69, the second by 0.02."
            ),
            "The second": "It is the more probable word, but 0.046 to 0.047 is a change of 2 %.",
            "The same: 0.001 each": (
                "As differences, yes. But then no rare word could ever show a gap, and most "
                "occupations are rare words."
            ),
        },
        correct="The first",
    ),
    Question(
        "6.4",
        "The lean of 'librarian' is 3 nats. With the dial at 1, how much likelier is a man a "
        "librarian than a woman?",
        {
            "3 times": (
                "A nat is not a multiple. Gaps add where probabilities multiply: e to the 3."
            ),
            "20 times": (
                "e^3 = 20.1. With ten occupations this is the strongest of them; a lean of 1 is"
                " still a factor of 2.7."
            ),
            "1,000 times": "That would be 6.9 nats: three nats for each factor of twenty.",
        },
        correct="20 times",
    ),
    Question(
        "6.5",
        "You may ask one sentence only. Which of the probes cannot tell a gap of 1 nat from a "
        "gap of 3, however well the model has learnt?",
        {
            "log-probability gap": (
                "It asks for exactly the quantity that the dial sets. If the model has learnt "
                "the occupations, nothing stands between the truth and the number."
            ),
            "lists of five": (
                "Ten occupations, five places: a lean of 1 nat can be enough to be in one list "
                "alone, and a lean of 3 cannot do more than that. In or out is no size; only "
                "many sentences together make one of it."
            ),
            "embedding association": (
                "It is in cosines, so no nat can be read off it. But the vectors of a name and "
                "of an occupation do move with how often they meet."
            ),
        },
        correct="lists of five",
    ),
    Question(
        "6.6",
        "A 95 % interval over these fifteen sentences: what does it promise about the true gap, 3?",
        {
            "To hold it in 95 of 100 cases": (
                "That is what 95 % sounds like. But what was drawn is sentences. The truth is "
                "about the town, and between them stands a model that learnt one thing a little"
                " too strongly and another too weakly."
            ),
            "Nothing": (
                "The interval is about the mean over all such sentences, in this model. How far"
                " its training went past the truth or fell short of it is the same in every "
                "sentence, so no number of sentences will show it."
            ),
        },
        correct="Nothing",
    ),
    Question(
        "6.7",
        "{n} occupations, every true gap is 0, one 95 % interval each. How likely is it that at"
        " least one of them leaves out 0?",
        {
            "5 %": "That is the chance for one interval. You have {n} tickets.",
            "50 %": "You would need only 14 independent intervals for that: 1 - 0.95^14 = 0.51.",
            "{at_least_one}": "1 - 0.95^{n}. On average {n} × 0.05 = {expected} leave out 0.",
            "{all_together} %": (
                "{n} × 5 % = {expected} is the number of false positives to expect, not a "
                "probability."
            ),
        },
        correct="{at_least_one}",
    ),
    Question(
        "6.8",
        "The weights are random and the model has read no text. How many of its {n} intervals "
        "for man less woman leave out 0?",
        {
            "None: it knows nothing": (
                "It knows nothing, yet it is not indifferent: the random vectors of 'man' and "
                "'woman' differ, and so do its outputs."
            ),
            "A few, as in the simulation": (
                "There every template drew fresh noise around 0. Here twelve sentences share "
                "the same two words and the same weights: they repeat one accident twelve "
                "times."
            ),
            "Most of them": (
                "The twelve sentences agree with each other, because all of them show one "
                "accident of the same weights. Agreement makes the interval narrow. It does not"
                " make it mean something."
            ),
        },
        correct="Most of them",
    ),
)
