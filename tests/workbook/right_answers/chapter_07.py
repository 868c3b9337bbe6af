"""Chapter 7 as a good student answers it."""

import math
import re
import string
from collections import Counter

import numpy as np


def draw_batches(lengths, batch_size, rng):
    number = len(lengths) // batch_size
    shuffled = rng.permutation(len(lengths))
    kept = shuffled[: number * batch_size]
    order = np.argsort(lengths[kept], kind="stable")
    batches = kept[order].reshape(number, batch_size)
    return batches[rng.permutation(number)]


def masked_softmax(scores, allowed):
    largest = max(score for score, is_allowed in zip(scores, allowed) if is_allowed)
    weights = [
        math.exp(score - largest) if is_allowed else 0.0
        for score, is_allowed in zip(scores, allowed)
    ]
    return np.array(weights) / sum(weights)


def best_span(start_scores, end_scores, allowed, max_tokens):
    best = None
    answer = None
    for first in range(len(allowed)):
        if not allowed[first]:
            continue
        for last in range(first, min(first + max_tokens, len(allowed))):
            if not allowed[last]:
                continue
            score = start_scores[first] + end_scores[last]
            if best is None or score > best:
                best = score
                answer = (first, last)
    return answer


def normalize_answer(text):
    text = text.lower()
    text = "".join(letter for letter in text if letter not in string.punctuation)
    text = re.sub(r"\b(a|an|the)\b", " ", text)
    return " ".join(text.split())


def word_f1(predicted, gold):
    common = sum((Counter(predicted) & Counter(gold)).values())
    if common == 0:
        return 0.0
    precision = common / len(predicted)
    recall = common / len(gold)
    return 2 * precision * recall / (precision + recall)


def best_threshold(null_scores, answered, unanswered):
    candidates = [-math.inf, *sorted(set(null_scores))]

    def total(threshold):
        result = 0.0
        for score, if_answered, if_not in zip(null_scores, answered, unanswered):
            result += if_not if score > threshold else if_answered
        return result

    return max(candidates, key=total)
