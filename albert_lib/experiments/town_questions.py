"""Five probes of a model of the Town, about the titles of its occupations, in its own sentences."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from albert_lib.probing.association import association, static_embeddings
from albert_lib.probing.bias_score import bias_score
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.pseudo_likelihood import pseudo_log_likelihood, shared_positions
from albert_lib.probing.template_probe import ProbeRow, probe
from albert_lib.probing.templates import MASK, PERSON
from albert_lib.probing.top_k import top_k_presence
from albert_lib.town import MAN, WOMAN, World
from albert_lib.town.world import NAME, PRONOUNS, Form

ATTRIBUTE, KEY = "occupation", "title"
PAIRS = 4  # pairs of names that are asked about
TOP_K = 5

Rows = list[ProbeRow]
Pair = tuple[str, str]
Probe = Callable[[FillMask, Sequence[str], Sequence[str], Pair], Rows]


def title_templates(world: World, attribute: str = ATTRIBUTE, key: str = KEY) -> list[str]:
    """The Town's own sentences that mention a person's title and nothing else that depends on it.

    With {person} for the name and [MASK] for the title. Those with a pronoun are left out: two
    words would differ between the two persons; and those in which a comma or full stop follows the
    title.

    Example:
        >>> from albert_lib.experiments.town_questions import title_templates
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> template = title_templates(load_hamlet())[0]
        >>> template.count("{person}"), template.count("[MASK]")
        (1, 1)
    """
    words = world.attributes[attribute].words
    templates = []
    for event in world.events:
        for form in event.forms if event.attribute == attribute else ():
            places = [token.text for token in form if token.is_place]
            mentions = [place for place in places if place in words]
            if mentions == [key] and NAME in places and not set(places) & set(PRONOUNS):
                templates.append(write_template(world, form, key))
    return [template for template in templates if f"{MASK} ." not in template]


def write_template(world: World, form: Form, key: str) -> str:
    """A form as a template; slots are filled with their first word.

    Example:
        >>> from albert_lib.experiments.town_questions import write_template
        >>> from albert_lib.town import load_world
        >>> from albert_lib.town.world import read_form
        >>> write_template(load_world(), read_form("{name} works as a {title} there."), "title")
        '{person} works as a [MASK] there .'
    """
    fill = {NAME: PERSON, key: MASK} | {slot: words[0] for slot, words in world.slots.items()}
    words = [fill[token.text] if token.is_place else token.text for token in form]
    return " ".join(words[:-1]).replace(" ,", ",") + " ."


def as_documents_write(template: str) -> str:
    """The same template with the capital and the full stop of the Town's documents.

    ALBERT's tokenizer lower-cases; one that does not would meet words that no document holds.

    Example:
        >>> from albert_lib.experiments.town_questions import as_documents_write
        >>> as_documents_write("as a [MASK] {person} walks fast .")
        'As a [MASK] {person} walks fast.'
    """
    text = template.replace(" .", ".")
    return text[0].upper() + text[1:]


def name_pairs(world: World) -> list[Pair]:
    """Pairs (man, woman) of names to ask about.

    Example:
        >>> from albert_lib.experiments.town_questions import name_pairs
        >>> from albert_lib.town.hamlet import load_hamlet
        >>> hamlet = load_hamlet()
        >>> man, woman = name_pairs(hamlet)[0]
        >>> woman in hamlet.names[0], man in hamlet.names[1]
        (True, True)
    """
    pairs = zip(world.names[MAN], world.names[WOMAN], strict=True)
    return list(pairs)[:PAIRS]


def ask_gap(model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair) -> Rows:
    """Log P(title | man) − log P(title | woman)."""
    return probe(model, templates, titles, pair)


def ask_with_prior(
    model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair
) -> Rows:
    """The log-probability bias score: of the person, minus that with the title masked too."""
    return bias_score(model, templates, titles, pair)


def ask_sentence(
    model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair
) -> Rows:
    """As CrowS-Pairs: the pseudo-log-likelihood of what both sentences share."""
    tokenizer = model.tokenizer
    texts = [
        [tokenizer.encode(t.replace(PERSON, person).replace(MASK, title)) for person in pair]
        for title in titles
        for t in templates
    ]
    shared = [shared_positions(tokenizer, *both) for both in texts]
    flat = pseudo_log_likelihood(
        model, [ids for both in texts for ids in both], [p for both in shared for p in both]
    )
    totals = np.array([scores.total for scores in flat]).reshape(len(titles), len(templates), 2)
    differences = totals[..., 0] - totals[..., 1]
    return make_rows(titles, differences)


def ask_lists(model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair) -> Rows:
    """As the model card: is the title in the list of the man alone (1), or of the woman (−1)?"""
    return top_k_presence(model, templates, titles, pair, top_k=TOP_K)


SENTENCE_PROBES: dict[str, Probe] = {
    "log-probability gap": ask_gap,
    "bias score with prior": ask_with_prior,
    "pseudo-log-likelihood": ask_sentence,
    "lists of five": ask_lists,
}
ASSOCIATION = "embedding association"
PROBES = (*SENTENCE_PROBES, ASSOCIATION)
IN_NATS = PROBES[:3]  # the others' slopes have units of their own


def run_probes(
    model: FillMask, world: World, templates: Sequence[str] | None = None
) -> dict[str, Rows]:
    """Run every probe on every title; a row's values are those of the templates.

    These are `title_templates(world)` unless they are given.

    Of each template the mean over the pairs of names is taken. The association has a value a
    pair of names instead: how much closer the title's embedding lies to his than to hers.
    """
    titles = world.attributes[ATTRIBUTE].words[KEY]
    templates = title_templates(world) if templates is None else templates
    pairs = name_pairs(world)
    results = {}
    for name, ask in SENTENCE_PROBES.items():
        by_pair = [ask(model, templates, titles, pair) for pair in pairs]
        values = np.mean([[row.values for row in rows] for rows in by_pair], axis=0)
        results[name] = make_rows(titles, values)
    embedded = static_embeddings(model.encoder, model.tokenizer, titles)
    men, women = (
        static_embeddings(model.encoder, model.tokenizer, side)
        for side in (world.names[MAN], world.names[WOMAN])
    )
    by_name = np.array(
        [association(embedded, men[i : i + 1], women[i : i + 1]) for i in range(len(men))]
    ).T
    results[ASSOCIATION] = make_rows(titles, by_name)
    return results


def make_rows(titles: Sequence[str], values: Float[np.ndarray, "titles values"]) -> Rows:
    """A row for every title with the interval of its values' mean."""
    return [ProbeRow.of(title, each) for title, each in zip(titles, values, strict=True)]
