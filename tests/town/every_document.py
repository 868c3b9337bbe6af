"""Every document that a small world can have, by listing it: slow, plain, and its own code.

Shares nothing with the reader but the world's description: forms are filled in as text.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations, product
from math import prod

import numpy as np

from albert_lib.objectives import MaskingConfig
from albert_lib.town.world import PRONOUNS, Event, World

Words = tuple[str, ...]
Pair = tuple[Words, Words, bool]  # written first, written second, swapped


def all_documents(world: World, bias: float) -> dict[tuple[Words, ...], float]:
    """Every document, a tuple of sentences, with its probability."""
    documents: dict[tuple[Words, ...], float] = defaultdict(float)
    lengths = range(world.shortest, world.longest + 1)
    stretches = [(s, n) for n in lengths for s in range(len(world.events) - n + 1)]
    for (start, n), person in product(stretches, all_people(world, bias)):
        for is_remark in product([False, True], repeat=n):
            share = person["share"] / len(stretches)
            options = []
            named = False
            for place, remark in enumerate(is_remark):
                share *= world.remark_probability if remark else 1 - world.remark_probability
                event = world.remarks if remark else world.events[start + place]
                options.append(all_sentences(world, event, person, must_name=not named))
                named = named or not remark
            for told in product(*options):
                documents[tuple(s for s, _ in told)] += share * prod(p for _, p in told)
    return documents


def all_people(world: World, bias: float) -> list[dict]:
    """Everybody who may live there."""
    people = []
    names = [(g, name) for g in (0, 1) for name in world.names[g]]
    choices = [range(len(attribute.weights)) for attribute in world.attributes.values()]
    for (gender, name), values in product(names, product(*choices)):
        share = 1 / len(names)
        for attribute, value in zip(world.attributes.values(), values, strict=True):
            sign = 1 if gender == 1 else -1
            odds = attribute.weights * np.exp(sign * bias * attribute.leans / 2)
            share *= odds[value] / odds.sum()
        held = dict(zip(world.attributes, values, strict=True))
        people.append({"share": share, "gender": gender, "name": name, "values": held})
    return people


def all_sentences(
    world: World, event: Event, person: dict, must_name: bool
) -> list[tuple[Words, float]]:
    """Every sentence that may tell an event, with its probability."""
    sentences = []
    for form in event.forms:
        options = [fills(world, event, token, person, must_name) for token in form]
        for told in product(*options):
            share = prod(p for _, p in told) / len(event.forms)
            sentences.append((tuple(word for word, _ in told), share))
    return sentences


def fills(world, event, token, person, must_name) -> list[tuple[str, float]]:
    """What may stand at one place of a form."""
    if not token.is_place:
        return [(token.text, 1.0)]
    if token.text in PRONOUNS:
        return [(PRONOUNS[token.text][person["gender"]], 1.0)]
    if token.text == "name":
        again = 1.0 if must_name else world.name_probability
        he = PRONOUNS["he"][person["gender"]]
        return [(person["name"].lower(), again), (he, 1 - again)]
    if token.text in world.slots:
        return [(word, 1 / len(world.slots[token.text])) for word in world.slots[token.text]]
    attribute = world.attributes[event.attribute]
    return [(attribute.words[token.text][person["values"][attribute.name]], 1.0)]


def all_pairs(documents: dict[tuple[Words, ...], float]) -> dict[Pair, float]:
    """Every pair of segments that may be made of them."""
    pairs: dict[Pair, float] = defaultdict(float)
    for sentences, share in documents.items():
        for cut in range(1, len(sentences)):
            a, b = sum(sentences[:cut], ()), sum(sentences[cut:], ())
            for pair in ((a, b, False), (b, a, True)):
                pairs[pair] += share / (len(sentences) - 1) / 2
    return pairs


def brute_force_posterior(
    pairs: list[tuple[list[int], bool, float]],
    text: list[int],
    masking: MaskingConfig,
    n_chosen: int,
    mask_id: int,
    vocab_size: int,
) -> tuple[np.ndarray, float]:
    """P(piece at each text position | shown, it was chosen) and P(in order | shown).

    `pairs` are those with segments of the right lengths: true pieces, swapped, probability. Sums
    over every pair, every set of chosen positions, every way it may be shown.
    """
    at_place = np.zeros((len(text), vocab_size))
    by_order = np.zeros(2)
    by_chance = masking.random_probability / vocab_size
    kept = 1 - masking.mask_probability - masking.random_probability
    for true, swapped, share in pairs:
        wrong = {i for i, piece in enumerate(text) if piece != true[i]}
        if len(wrong) > n_chosen:
            continue
        shown_as = [
            masking.mask_probability * (text[i] == mask_id) + by_chance + kept * (i not in wrong)
            for i in range(len(text))
        ]
        for rest in combinations([i for i in range(len(text)) if i not in wrong],
                                 n_chosen - len(wrong)):  # fmt: skip
            chosen = [*wrong, *rest]
            likelihood = share * prod(shown_as[i] for i in chosen)
            by_order[int(swapped)] += likelihood
            for i in chosen:
                at_place[i, true[i]] += likelihood
    with np.errstate(invalid="ignore"):  # places that cannot have been chosen
        at_place = at_place / at_place.sum(axis=1, keepdims=True)
    return at_place, by_order[0] / by_order.sum()
