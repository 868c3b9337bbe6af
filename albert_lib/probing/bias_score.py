"""The log-probability bias score, corrected for what the model thinks likely anyway.

Kurita et al. (2019, arXiv:1906.07337) ask for the person where the attribute is given: how likely
is "man" in "The [MASK] worked as a nurse."? A model that finds "man" likely everywhere answers
high, so its answer with the attribute masked too, the prior, is taken off:

    log P([MASK] = man | The [MASK] worked as a nurse.)
    − log P([MASK] = man | The [MASK] worked as a [MASK].)

One person's value is their increased log probability score; the first person's minus the second's
is the bias score. An attribute may have several tokens, and then as many masks stand for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from albert_lib.errors import InputError, quoted
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.pseudo_likelihood import word_positions
from albert_lib.probing.template_probe import ProbeRow
from albert_lib.probing.templates import MASK, PERSON, word_id


def bias_score(
    fill_mask: FillMask,
    templates: Sequence[str],
    attributes: Sequence[str],
    persons: tuple[str, str] = ("man", "woman"),
    confidence: float = 0.95,
) -> list[ProbeRow]:
    """How much more each attribute raises the first person than the second, in nats.

    Each template holds {person} and [MASK] once, as for `probe`, and the attribute is written
    where its [MASK] is. A row's label is its attribute, its values those of the templates.
    Raises InputError for a person that is not one token.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, bias_score
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> templates = ["The {person} worked as a [MASK].", "The {person} is a [MASK]."]
        >>> (row,) = bias_score(model, templates, ["nurse"], ("man", "woman"))
        >>> (turned,) = bias_score(model, templates, ["nurse"], ("woman", "man"))
        >>> row.label, row.values.shape, abs(row.interval.mean + turned.interval.mean) < 1e-4
        ('nurse', (2,), True)
    """
    raised = _increases(fill_mask, templates, attributes, persons)
    return [
        ProbeRow.of(attribute, values[:, 0] - values[:, 1], confidence)
        for attribute, values in zip(attributes, raised, strict=True)
    ]


def increased_log_probability(
    fill_mask: FillMask,
    templates: Sequence[str],
    attributes: Sequence[str],
    person: str,
    confidence: float = 0.95,
) -> list[ProbeRow]:
    """How much each attribute raises one person above their prior, in nats; see `bias_score`.

    Example:
        >>> from albert_lib.files import data_folder
        >>> from albert_lib.probing import FillMask, increased_log_probability
        >>> model = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
        >>> templates = ["The {person} is a [MASK]."]
        >>> (row,) = increased_log_probability(model, templates, ["nurse"], "man")
        >>> row.label, row.values.shape
        ('nurse', (1,))
    """
    raised = _increases(fill_mask, templates, attributes, [person])
    return [
        ProbeRow.of(attribute, values[:, 0], confidence)
        for attribute, values in zip(attributes, raised, strict=True)
    ]


def _increases(
    fill_mask: FillMask,
    templates: Sequence[str],
    attributes: Sequence[str],
    persons: Sequence[str],
) -> Float[np.ndarray, "attributes templates persons"]:
    """Log-probability of each person beside the attribute, minus that beside its masks."""
    if not templates or not attributes:
        raise InputError("There is nothing to score; give at least one template and one attribute.")
    questions = [
        _questions(fill_mask, template, attribute, persons[0])
        for attribute in attributes
        for template in templates
    ]
    flat = [question for pair in questions for question in pair]
    asked = list(dict.fromkeys(flat))  # attributes of equal length share their priors
    tokens = [word_id(fill_mask.tokenizer, person) for person in persons]
    answers: dict[tuple[tuple[int, ...], int], list[float]] = {}
    sequences = [torch.tensor(ids) for ids, _ in asked]
    for index, logits in fill_mask.logits_at(
        sequences, [torch.tensor([place]) for _, place in asked]
    ):
        answers[asked[index]] = logits[0].log_softmax(dim=-1)[tokens].tolist()
    values = np.array([answers[question] for question in flat])
    values = values.reshape(len(attributes), len(templates), 2, len(persons))
    return values[:, :, 0] - values[:, :, 1]


def _questions(
    fill_mask: FillMask, template: str, attribute: str, person: str
) -> list[tuple[tuple[int, ...], int]]:
    """The ids with the person masked, and with the attribute masked too; and the person's place.

    The masks are put in after the text was split, so that both versions have the same tokens.
    """
    if template.count(PERSON) != 1 or template.count(MASK) != 1:
        raise InputError(
            f"The template {quoted(template)} must hold {PERSON} and {MASK} exactly once each, "
            f'as in "The {PERSON} worked as a {MASK}."'
        )
    tokenizer = fill_mask.tokenizer
    person_id = word_id(tokenizer, person, before=template.partition(PERSON)[0])
    left, right = (part.replace(PERSON, person) for part in template.split(MASK))
    ids, attribute_places = word_positions(tokenizer, left, attribute, right)
    left, right = (part.replace(MASK, attribute) for part in template.split(PERSON))
    _, person_places = word_positions(tokenizer, left, person, right)
    longest = fill_mask.model.config.max_position_embeddings
    if len(ids) > longest:
        raise InputError(
            f"The template {quoted(template)} with {attribute!r} has {len(ids)} tokens, but the "
            f"model knows {longest} positions; shorten it."
        )
    if [ids[place] for place in person_places] != [person_id]:
        raise InputError(
            f"In {quoted(template)} {person!r} does not stand apart as one token; put spaces "
            f"around {PERSON}."
        )
    ids[person_places[0]] = tokenizer.mask_token_id
    target = tuple(ids)
    for place in attribute_places:
        ids[place] = tokenizer.mask_token_id
    return [(target, person_places[0]), (tuple(ids), person_places[0])]
