#!/usr/bin/env bash
# WEFE 1.0.1: WEAT's permutation test draws words with replacement.
#
# Guess before running: the p-value approximates the share of re-partitions of the target words whose
# statistic exceeds the one found; where the words are split perfectly, none does, and p is the least
# there can be, 1 / (draws + 1).
# Seen: several draws exceed it, since the highest word may be drawn three times and the middle ones
# not at all, so the p-value of a perfect split is several times the smallest. It can't be seeded
# either: every call gives another. (The effect size divides by the population's standard deviation,
# with n, where the code of later papers divides with n - 1: 5 % more at ten words.)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/pip" install -q wefe==1.0.1
"$folder/env/bin/python" - <<'PYTHON'
import itertools
import math

import numpy as np
from gensim.models import KeyedVectors
from wefe.metrics import WEAT
from wefe.query import Query
from wefe.word_embedding_model import WordEmbeddingModel

DRAWS = 300
values = np.array([0.9, 0.5, 0.2, -0.1, -0.4, -0.8])  # each word's association with a over b
angles = [math.acos(value / math.sqrt(2)) - math.pi / 4 for value in values]
vectors = KeyedVectors(2)
vectors.add_vectors(
    ["x0", "x1", "x2", "y0", "y1", "y2", "a", "b"],
    np.array([[math.cos(t), math.sin(t)] for t in angles] + [[1, 0], [0, 1]], dtype=np.float32),
)
query = Query([["x0", "x1", "x2"], ["y0", "y1", "y2"]], [["a"], ["b"]], ["X", "Y"], ["A", "B"])
model = WordEmbeddingModel(vectors, "toy")
found = [
    WEAT().run_query(query, model, calculate_p_value=True, p_value_iterations=DRAWS)
    for _ in range(3)
]
statistic = values[:3].sum() - values[3:].sum()
splits = [2 * values[list(x)].sum() - values.sum() for x in itertools.combinations(range(6), 3)]
exceeding = sum(split > statistic + 1e-9 for split in splits)
print(f"statistic {found[0]['weat']:.4f}; of {len(splits)} re-partitions {exceeding} exceed it")
for result in found:
    print(f"p-value {result['p_value']:.4f}, smallest possible {1 / (DRAWS + 1):.4f}")
assert exceeding == 0 and abs(found[0]["weat"] - statistic) < 1e-5
assert all(result["p_value"] > 2.5 / (DRAWS + 1) for result in found), "no longer with replacement"
assert abs(found[0]["effect_size"] - (values[:3].mean() - values[3:].mean()) / values.std()) < 1e-5
print("WEFE 1.0.1 still draws with replacement")
PYTHON
