"""Exact match and F1 as the official script of each SQuAD version counts them.

Both compare texts without case, ASCII punctuation, the words a, an and the, and white space. Other
punctuation stays: a curly quote or a dash counts. Exact match asks whether prediction and gold
answer are the same then; F1 is the harmonic mean of the fraction of the prediction's words that
are gold and of the gold's words that are predicted. A prediction gets the best of its gold
answers, for each of the two apart.

The versions differ where nothing is left of a text:

- 1.1 finds no word in common then, so F1 is 0 even for an exact match.
- 2.0 drops gold answers of which nothing is left; with no other, the right prediction is one of
  which nothing is left, and F1 is exact match.

A question without a prediction counts 0 in the script of version 1.1 and stops that of 2.0; here
it is an InputError with the question's id.
"""

from __future__ import annotations

import math
import re
import string
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from albert_lib.errors import InputError, quoted
from albert_lib.finetuning.squad import SquadFile, SquadQuestion, SquadVersion

NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
ARTICLE = re.compile(r"\b(?:a|an|the)\b")


@dataclass(frozen=True)
class AnswerScore:
    """What one prediction gets, from 0 to 1.

    Example:
        >>> from albert_lib.finetuning import AnswerScore
        >>> AnswerScore(exact_match=0.0, f1=0.8).f1
        0.8
    """

    exact_match: float
    f1: float


@dataclass(frozen=True)
class MeanScores:
    """Means over questions, in percent.

    Example:
        >>> from albert_lib.finetuning import MeanScores
        >>> MeanScores(exact_match=50.0, f1=62.5, n_questions=8).f1
        62.5
    """

    exact_match: float
    f1: float
    n_questions: int


@dataclass(frozen=True)
class SquadScores:
    """The scores of a file, and apart for its questions with and without an answer.

    Example:
        >>> from albert_lib.finetuning import MeanScores, SquadScores
        >>> half = MeanScores(50.0, 62.5, n_questions=8)
        >>> SquadScores("1.1", overall=half, has_answer=half, no_answer=None).official()
        {'exact_match': 50.0, 'f1': 62.5}
    """

    version: SquadVersion
    overall: MeanScores
    has_answer: MeanScores | None  # None: there is no such question
    no_answer: MeanScores | None

    def official(self) -> dict[str, float]:
        """The scores under the names that the version's official script prints.

        Example:
            >>> from albert_lib.finetuning import MeanScores, SquadScores
            >>> none = MeanScores(100.0, 100.0, n_questions=2)
            >>> SquadScores("2.0", overall=none, has_answer=None, no_answer=none).official()
            {'exact': 100.0, 'f1': 100.0, 'total': 2, 'NoAns_exact': 100.0, 'NoAns_f1': 100.0, \
'NoAns_total': 2}
        """
        if self.version == "1.1":
            return {"exact_match": self.overall.exact_match, "f1": self.overall.f1}
        parts = {"": self.overall, "HasAns_": self.has_answer, "NoAns_": self.no_answer}
        printed: dict[str, float] = {}
        for name, mean in parts.items():
            if mean is not None:
                printed |= {f"{name}exact": mean.exact_match, f"{name}f1": mean.f1}
                printed |= {f"{name}total": mean.n_questions}
        return printed


def normalize_answer(text: str) -> str:
    """What is compared of an answer: no case, ASCII punctuation, articles or extra white space.

    Punctuation goes first and leaves no space, so "A.D." is the word "ad" and "the-end" one too.

    Example:
        >>> from albert_lib.finetuning import normalize_answer
        >>> normalize_answer("The  Levi's Stadium,"), normalize_answer("the-end")
        ('levis stadium', 'theend')
    """
    return " ".join(ARTICLE.sub(" ", text.lower().translate(NO_PUNCTUATION)).split())


def score_answer(
    prediction: str, golds: Sequence[str], version: SquadVersion = "2.0"
) -> AnswerScore:
    """Score one prediction against the gold answers to its question; none: it is impossible.

    Raises InputError for no gold answers in version 1.1, which has no such questions.

    Example:
        >>> from albert_lib.finetuning import score_answer
        >>> score_answer("Denver Broncos team", ["Carolina", "the Denver Broncos"])
        AnswerScore(exact_match=0.0, f1=0.8)
        >>> score_answer("", [])
        AnswerScore(exact_match=1.0, f1=1.0)
    """
    if version == "1.1" and not golds:
        raise InputError("Version 1.1 has no question without gold answers; score it as 2.0.")
    predicted = normalize_answer(prediction)
    texts = [normalize_answer(gold) for gold in golds]
    if version == "2.0":
        texts = [text for text in texts if text] or [""]
    exact_match = float(predicted in texts)
    if version == "2.0" and not (predicted and texts[0]):
        return AnswerScore(exact_match, exact_match)
    return AnswerScore(exact_match, max(word_f1(predicted.split(), text.split()) for text in texts))


def score_questions(data: SquadFile, predictions: Mapping[str, str]) -> dict[str, AnswerScore]:
    """Score the prediction of every question, by its id; further predictions are ignored.

    Raises InputError naming the question where one has no prediction, or no text as one.

    Example:
        >>> from albert_lib.finetuning import Answer, SquadFile, SquadQuestion
        >>> from albert_lib.finetuning.squad_scoring import score_questions
        >>> one = SquadQuestion("1", "It flows north.", "Where to?", (Answer("north", 9),))
        >>> score_questions(SquadFile("1.1", (one,)), {"1": "to the north"})["1"].exact_match
        0.0
    """
    scores = {}
    for question in data.questions:
        golds = [answer.text for answer in question.known_answers]
        prediction = value_of(question.id, predictions, "prediction")
        if not isinstance(prediction, str):
            raise InputError(
                f"The prediction for question {question.id!r} is {quoted(prediction)}; give a "
                f'text, "" for no answer.'
            )
        scores[question.id] = score_answer(prediction, golds, data.version)
    return scores


def score_squad(
    data: SquadFile,
    predictions: Mapping[str, str],
    null_scores: Mapping[str, float] | None = None,
    threshold: float = math.inf,
) -> SquadScores:
    """Score a whole file of predictions, by the id of their questions.

    With `null_scores` (a number a question, higher where an answer is less likely), version 2.0
    takes a question as unanswered where its null score is greater than `threshold`.

    Raises InputError for a missing prediction or null score, naming the question.

    Example:
        >>> from albert_lib.finetuning import Answer, SquadFile, SquadQuestion, score_squad
        >>> one = SquadQuestion("1", "It flows north.", "Where to?", (Answer("north", 9),))
        >>> none = SquadQuestion("2", "It flows north.", "How fast?", ())
        >>> data, predictions = SquadFile("2.0", (one, none)), {"1": "North", "2": "north"}
        >>> score_squad(data, predictions).overall
        MeanScores(exact_match=50.0, f1=50.0, n_questions=2)
        >>> score_squad(data, predictions, {"1": -3.0, "2": 1.5}, threshold=0.0).overall.f1
        100.0
    """
    scores = score_questions(data, predictions)
    if null_scores is not None:
        for question in data.questions:
            if null_score(data, question, null_scores) > threshold:
                scores[question.id] = score_without_answer(question)
    answered: dict[bool, list[AnswerScore]] = {True: [], False: []}
    for question in data.questions:
        answered[not question.is_impossible].append(scores[question.id])
    return SquadScores(
        version=data.version,
        overall=_means(list(scores.values())),
        has_answer=_means(answered[True]) if answered[True] else None,
        no_answer=_means(answered[False]) if answered[False] else None,
    )


def null_score(data: SquadFile, question: SquadQuestion, null_scores: Mapping[str, float]) -> float:
    """A question's null score; InputError if it is missing, not a finite number, or of 1.1.

    Example:
        >>> from albert_lib.finetuning import SquadFile, SquadQuestion
        >>> from albert_lib.finetuning.squad_scoring import null_score
        >>> none = SquadQuestion("2", "It flows north.", "How fast?", ())
        >>> null_score(SquadFile("2.0", (none,)), none, {"2": 1.5})
        1.5
    """
    if data.version == "1.1":
        raise InputError("Version 1.1 has no unanswerable questions; score it without null scores.")
    value = value_of(question.id, null_scores, "null score")
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        raise InputError(
            f"The null score of question {question.id!r} is {quoted(value)}; give a finite number."
        )
    return float(value)


def score_without_answer(question: SquadQuestion) -> AnswerScore:
    """What a question gets that is left unanswered: all if it is impossible, else nothing.

    Example:
        >>> from albert_lib.finetuning import SquadQuestion
        >>> from albert_lib.finetuning.squad_scoring import score_without_answer
        >>> score_without_answer(SquadQuestion("2", "It flows north.", "How fast?", ()))
        AnswerScore(exact_match=1.0, f1=1.0)
    """
    right = float(question.is_impossible)
    return AnswerScore(right, right)


def value_of(name: str, values: Mapping[str, Any], what: str) -> Any:
    """What is given for a question; InputError if nothing is.

    Example:
        >>> from albert_lib.finetuning.squad_scoring import value_of
        >>> value_of("1", {"1": "north"}, "prediction")
        'north'
    """
    if name not in values:
        raise InputError(
            f"Question {name!r} has no {what} among {len(values)}; give one for every question."
        )
    return values[name]


def word_f1(predicted: Sequence[str], gold: Sequence[str]) -> float:
    """The harmonic mean of precision and recall over words, each counted as often as it comes.

    0 where no word is shared, also where there are none.

    Example:
        >>> from albert_lib.finetuning.squad_scoring import word_f1
        >>> word_f1(["denver", "broncos", "team"], ["denver", "broncos"])
        0.8
    """
    n_shared = (Counter(predicted) & Counter(gold)).total()
    if n_shared == 0:
        return 0.0
    precision, recall = n_shared / len(predicted), n_shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def _means(scores: Sequence[AnswerScore]) -> MeanScores:
    n = len(scores)
    exact_match = 100 * sum(score.exact_match for score in scores) / n
    return MeanScores(exact_match, 100 * sum(score.f1 for score in scores) / n, n)
