"""Chapter 6 as a good student may answer it."""

import math

import numpy as np
import torch


def log_probability_gap(logits_a, logits_b, token_id):
    in_a = logits_a[:, token_id] - torch.logsumexp(logits_a, dim=1)
    in_b = logits_b[:, token_id] - torch.logsumexp(logits_b, dim=1)
    return in_a - in_b


def log_odds_gap(logits_a, logits_b, token_a, token_b):
    p_a, p_b = logits_a.softmax(-1), logits_b.softmax(-1)
    odds_a = torch.log(p_a[:, token_a] / p_a[:, token_b])
    odds_b = torch.log(p_b[:, token_a] / p_b[:, token_b])
    return odds_a - odds_b


def leaning_probabilities(weights, leans, *, bias):
    rows = []
    for sign in (-1, +1):
        row = [weights[i] * math.exp(sign * bias * leans[i] / 2) for i in range(len(weights))]
        rows.append([each / sum(row) for each in row])
    return np.array(rows)


def calibration_slope(truth, measured):
    line = np.polyfit(truth.flatten(), measured.flatten(), deg=1)
    return line[0]


def bootstrap_ends(values, rng, *, confidence, resamples):
    if len(values) == 1:
        return float("-inf"), float("inf")
    means = []
    for _ in range(resamples):
        means.append(rng.choice(values, size=len(values)).mean())
    percent = 100 * (1 - confidence) / 2
    return tuple(np.percentile(means, [percent, 100 - percent]).tolist())


def holm(p_values):
    n = len(p_values)
    found = np.zeros(n)
    largest = 0.0
    ranked = sorted(range(n), key=lambda i: p_values[i])
    for rank, i in enumerate(ranked):
        largest = max(largest, (n - rank) * p_values[i])
        found[i] = min(1.0, largest)
    return found
