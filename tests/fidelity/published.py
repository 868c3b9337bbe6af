"""Rows that only the published weights can fill: what the cards and others' tests print."""

from __future__ import annotations

import math

import torch
from rows import Row, worst
from workshop import Workshop

from albert_lib import AlbertForMaskedLM, AlbertModel, AlbertTokenizer, FillMask
from albert_lib.hub import cached_folder
from albert_lib.paper import paper_table

PRINTED = 1e-4  # in what was computed years ago, on other machines

# albert-base-v2's states at positions and features 1 to 3: the numbers that transformers' own
# integration test holds it to.
BASE_V2_IDS = [0, 345, 232, 328, 740, 140, 1695, 69, 6078, 1588, 2]
BASE_V2_STATES = [
    [-0.6513, 1.5035, -0.2766],
    [-0.6515, 1.5046, -0.2780],
    [-0.6512, 1.5049, -0.2784],
]
PARIS = "Paris is the [MASK] of France."
PARIS_ANSWERS = ["capital", "capitol", "comune", "arrondissement", "bastille"]


def card_fills(_: Workshop) -> float:
    """The fifteen scores of the card; infinite if an answer is another."""
    fill_mask = FillMask.from_pretrained("albert-xlarge-v1")
    rows = paper_table("card_fills")
    differences = []
    for prompt in dict.fromkeys(row.prompt for row in rows):
        printed = [row for row in rows if row.prompt == prompt]
        for row, fill in zip(printed, fill_mask(prompt), strict=True):
            same = fill["token"] == row.token
            differences.append(abs(fill["score"] - row.score) if same else math.inf)
    return worst(differences)


@torch.no_grad()
def base_features(_: Workshop) -> float:
    """Nine numbers of the last hidden state."""
    ids = torch.tensor([BASE_V2_IDS])
    mask = (ids > 0).long()
    model = AlbertModel.from_pretrained("albert-base-v2")
    states = model(ids, attention_mask=mask).last_hidden_state[0, 1:4, 1:4]
    return (states - torch.tensor(BASE_V2_STATES)).abs().max().item()


def paris(_: Workshop) -> float:
    """How many of the five answers are others."""
    answers = FillMask.from_pretrained("albert-base-v2")(PARIS)
    found = [fill["token_str"] for fill in answers]
    return sum(a != b for a, b in zip(found, PARIS_ANSWERS, strict=True))


@torch.no_grad()
def france(_: Workshop) -> float:
    """The loss of "france" in the example of transformers' documentation, printed as 0.81."""
    tokenizer = AlbertTokenizer.from_pretrained("albert-base-v2")
    fill_mask = FillMask(AlbertForMaskedLM.from_pretrained("albert-base-v2"), tokenizer)
    [logits] = fill_mask.masked_logits(["The capital of [MASK] is Paris."])
    loss = -logits.log_softmax(-1)[0, tokenizer.piece_id("▁france")].item()
    return abs(loss - 0.81)


PUBLISHED: dict[str, list[Row]] = {  # by the model whose weights they take
    "albert-xlarge-v1": [
        Row("published: the card's fifteen fills", "the card", PRINTED, card_fills)
    ],
    "albert-base-v2": [
        Row("published: base-v2 features", "transformers' own test", PRINTED, base_features),
        Row("published: Paris is the [MASK] of France", "five answers", 0, paris),
        Row("published: loss of france", "transformers' documentation", 0.005, france),
    ],
}


def published_rows() -> list[Row]:
    """The rows whose weights the hub's cache holds; nothing is fetched."""
    return [row for name, rows in PUBLISHED.items() if cached_folder(name) for row in rows]


def not_here() -> list[str]:
    """The models whose weights the cache does not hold."""
    return [name for name in PUBLISHED if not cached_folder(name)]
