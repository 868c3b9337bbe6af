"""What a task can be answered by without having learnt a language.

A fine-tuned model that is no better than these has learnt nothing that they lack, whatever its
accuracy is above chance.

    SST-2       the commonest label; counts of words and of pairs of neighbours
    MNLI        the commonest label; the same counts, of the hypothesis alone (Gururangan et al.,
                2018, Annotation Artifacts in Natural Language Inference Data)
    RACE        the longest option; the option whose words stand together in the passage
                (Richardson et al., 2013, MCTest, algorithm 1)
    SQuAD 1.1   the words nearest to those of the question; after the sliding window of Rajpurkar et
                al. (2016), but of all short spans where they have the constituents of a parser
    SQuAD 2.0   no answer to any question
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import sparse
from scipy.optimize import minimize
from scipy.special import logsumexp

from albert_lib.experiments.task_scores import TaskPredictions, score_task
from albert_lib.finetuning import (
    ChoiceQuestion,
    SquadFile,
    SquadQuestion,
    Task,
    TextExample,
    TextExamples,
)
from albert_lib.finetuning.race import LETTERS
from albert_lib.finetuning.squad_scoring import score_questions
from albert_lib.finetuning.task_data import TaskData, read_task
from albert_lib.probing import mean_interval

WORD = re.compile(r"\w+|[^\w\s]")
ANSWER_WORD = re.compile(r"\w+(?:[-'’.,]\w+)*|[^\w\s]")  # 3.5, 1,000 and Jean-Luc are one each
PENALTY = 1.0  # of the squared weights, over two; scikit-learn's default
RARE = 2  # texts that a word or pair must stand in to be counted
MOST_ITERATIONS = 1_000
LONGEST_ANSWER = 6  # words
NO_ANSWER = frozenset(  # an answer neither begins nor ends with these, and a question is not about
    "a an and are as at be been by did do does for from had has have how in is it its many much "
    "name of on or that the these this to was were what when where which who whom whose why "
    "will with would".split()
)
# The files of each task below the folder of all of them: to count in, and to be scored on.
FILES: dict[Task, tuple[str, str]] = {
    "sst2": ("sst2/train.tsv", "sst2/dev.tsv"),
    "mnli": ("mnli/train.jsonl", "mnli/dev.jsonl"),
    "race": ("mctest/train", "mctest/dev"),
    "squad1": ("squad/train-v1.1.json", "squad/dev-v1.1.json"),
    "squad2": ("squad/train-v2.0.json", "squad/dev-v2.0.json"),
}


@dataclass(frozen=True)
class TaskScore:
    """One score in percent, with the ends of its 95 % interval."""

    task: Task
    who: str
    measure: str  # accuracy, or F1
    value: float
    low: float
    high: float
    n_examples: int

    def cells(self) -> tuple[str, ...]:
        """The row of a table."""
        interval = f"{self.low:.1f} to {self.high:.1f}"
        return (self.task, self.who, self.measure, f"{self.value:.1f}", interval,
                f"{self.n_examples:,}")  # fmt: skip


@dataclass(frozen=True)
class BagOfWords:
    """Logistic regression on how often every word and pair of neighbours stands in a text.

    Attributes:
        columns: The number of every word and pair that is counted.
        labels: The classes, in the order of `weights`.
        weights: A column for every class; the last row is added to each text's scores.
    """

    columns: dict[str, int]
    labels: tuple[str, ...]
    weights: Float[np.ndarray, "columns+1 classes"]

    @classmethod
    def fit(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        penalty: float = PENALTY,
        least: int = RARE,
    ) -> BagOfWords:
        """The regression with the least loss: nats of the labels, and the penalty on weights.

        Counted is what stands in at least so many texts. The loss has one minimum, so the
        order of the texts and the way there do not matter.
        """
        found = Counter(gram for text in texts for gram in set(grams(text)))
        kept = [gram for gram, number in found.items() if number >= least]
        columns = {gram: number for number, gram in enumerate(kept)}
        classes = tuple(sorted(set(labels)))
        counts = count_grams(texts, columns)
        gold = np.eye(len(classes))[[classes.index(label) for label in labels]]

        def loss(flat: Float[np.ndarray, "weights"]) -> tuple[float, Float[np.ndarray, "weights"]]:
            weights = flat.reshape(-1, len(classes))
            scores = counts @ weights[:-1] + weights[-1]
            log_probabilities = scores - logsumexp(scores, axis=1, keepdims=True)
            wrong = np.exp(log_probabilities) - gold
            slope = np.vstack([counts.T @ wrong + penalty * weights[:-1], wrong.sum(axis=0)])
            value = penalty / 2 * (weights[:-1] ** 2).sum() - (log_probabilities * gold).sum()
            return float(value), slope.ravel()

        start = np.zeros((len(columns) + 1) * len(classes))
        best = minimize(
            loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MOST_ITERATIONS}
        )
        return cls(columns, classes, best.x.reshape(-1, len(classes)))

    def probabilities(self, texts: Sequence[str]) -> Float[np.ndarray, "texts classes"]:
        """The probability of every class."""
        scores = count_grams(texts, self.columns) @ self.weights[:-1] + self.weights[-1]
        return np.exp(scores - logsumexp(scores, axis=1, keepdims=True))

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest class of every text."""
        return [self.labels[number] for number in self.probabilities(texts).argmax(axis=1)]


def grams(text: str) -> list[str]:
    """The words and punctuation of a text without case, and the pairs of neighbours."""
    words = WORD.findall(text.lower())
    return words + [f"{first} {second}" for first, second in pairwise(words)]


def count_grams(texts: Sequence[str], columns: dict[str, int]) -> Any:
    """How often each of some words and pairs stands in each text: a sparse matrix, a row a text."""
    places: list[int] = []
    ends = [0]
    for text in texts:
        places += [columns[gram] for gram in grams(text) if gram in columns]
        ends.append(len(places))
    shape = len(texts), len(columns)
    counts = sparse.csr_matrix((np.ones(len(places)), places, ends), shape=shape)
    counts.sum_duplicates()
    return counts


def commonest(labels: Iterable[str]) -> str:
    """The label that most examples have; of equally frequent ones the first."""
    return Counter(labels).most_common(1)[0][0]


def rarity(words: Sequence[str]) -> dict[str, float]:
    """What finding a word is worth: ln(1 + 1/n) where it stands n times in a passage."""
    return {word: math.log(1 + 1 / number) for word, number in Counter(words).items()}


def longest_option(question: ChoiceQuestion) -> int:
    """The number of the option of most characters; the first of equals."""
    lengths = [len(option) for option in question.options]
    return lengths.index(max(lengths))


def overlapping_option(question: ChoiceQuestion) -> int:
    """The number of the option that overlaps most with some part of the passage.

    The words of question and option are a set; a window of as many words slides over the
    passage, and its words from the set are worth their rarity. The first of equals.
    """
    passage = re.findall(r"\w+", question.passage.lower())
    worth = rarity(passage)
    best: list[float] = []
    for option in question.options:
        wanted = set(re.findall(r"\w+", f"{question.question} {option}".lower()))
        found = [worth[word] if word in wanted else 0.0 for word in passage]
        sums = np.concatenate([[0.0], np.cumsum(found)])
        width = min(len(wanted), len(passage))
        best.append(float((sums[width:] - sums[: len(sums) - width]).max()))
    return best.index(max(best))


def nearest_span(question: SquadQuestion) -> str:
    """The span of at most six words that is nearest to the question's words in the passage.

    A span holds no punctuation and no word of the question, and begins and ends with none of
    NO_ANSWER. Every word of the question outside of it is worth its rarity, divided by how many
    words away it stands. Of equals the first, and of these the shortest.
    """
    words = [(each[0].lower(), each.start(), each.end())
             for each in ANSWER_WORD.finditer(question.context)]  # fmt: skip
    asked = {each.lower() for each in ANSWER_WORD.findall(question.question)} - NO_ANSWER
    worth = rarity([word for word, _, _ in words])
    found = np.array([worth[word] if word in asked else 0.0 for word, _, _ in words])
    # [i]: what stands before word i, counted from there; and likewise behind it
    distance = np.subtract.outer(np.arange(len(words)), np.arange(len(words)))
    near = np.where(distance > 0, 1 / np.maximum(distance, 1), 0.0)
    before, behind = near @ found, near.T @ found
    best, answer = -1.0, ""
    for first, (word, start, _) in enumerate(words):
        if word in NO_ANSWER:
            continue
        for last in range(first, min(first + LONGEST_ANSWER, len(words))):
            word, _, end = words[last]
            if word in asked or not word[0].isalnum():
                break
            if word not in NO_ANSWER and before[first] + behind[last] > best + 1e-9:
                best, answer = before[first] + behind[last], question.context[start:end]
    return answer


def accuracy_score(who: str, task: Task, data: TaskData, words: Sequence[str]) -> TaskScore:
    """The accuracy of some labels, or of the letters of some options."""
    found = score_task(data, TaskPredictions(task, tuple(words)))
    value, low, high = (100 * found[f"accuracy{end}"] for end in ("", "_low", "_high"))
    return TaskScore(task, who, "accuracy", value, low, high, found["examples"])


def f1_score(who: str, task: Task, data: SquadFile, answers: Sequence[str]) -> TaskScore:
    """The F1 of some answers, "" for none."""
    ids = [question.id for question in data.questions]
    scores = score_questions(data, dict(zip(ids, answers, strict=True)))
    interval = mean_interval([100 * scores[name].f1 for name in ids])
    return TaskScore(task, who, "F1", interval.mean, interval.low, interval.high, len(ids))


def text_baselines(
    task: Task, train: TextExamples, dev: TextExamples, least: int = RARE
) -> list[TaskScore]:
    """The commonest label, and the words of the sentence, or of the hypothesis alone."""
    labels = [each.label or "" for each in train.examples]
    always = [commonest(labels)] * len(dev.examples)

    def last(example: TextExample) -> str:
        return example.first if example.second is None else example.second

    bag = BagOfWords.fit([last(each) for each in train.examples], labels, least=least)
    words = bag.predict([last(each) for each in dev.examples])
    what = "words and pairs" if task == "sst2" else "words and pairs of the hypothesis alone"
    return [
        accuracy_score("commonest label", task, dev, always),
        accuracy_score(what, task, dev, words),
    ]


def choice_baselines(dev: Sequence[ChoiceQuestion]) -> list[TaskScore]:
    """The longest option, and the one that overlaps most with the passage."""
    rules: dict[str, Callable[[ChoiceQuestion], int]] = {
        "longest option": longest_option,
        "words in a window": overlapping_option,
    }
    return [
        accuracy_score(who, "race", list(dev), [LETTERS[rule(each)] for each in dev])
        for who, rule in rules.items()
    ]


def task_baselines(task: Task, folder: Path) -> list[TaskScore]:
    """The baselines of a task whose files are in a folder laid out as FILES has it."""
    train, dev = (folder / name for name in FILES[task])
    scored: Any = read_task(task, dev)
    if task == "race":
        return choice_baselines(scored)
    if task == "squad1":
        answers = [nearest_span(each) for each in scored.questions]
        return [f1_score("span nearest to the question's words", task, scored, answers)]
    if task == "squad2":
        return [f1_score("no answer to any question", task, scored, [""] * len(scored.questions))]
    counted: Any = read_task(task, train)
    return text_baselines(task, counted, scored)
