"""Probes held against a truth: models of towns whose bias is known, asked in every way.

The Town's dial sets how much likelier each occupation is for a man than for a woman. A model is
trained on the documents of each setting, then probed as if nothing were known of it; what the
probe reads is set against what is so. A probe that reads true gives the gap itself, slope 1.

A model learns what a name says of the work only as far as it needs the name. On the Town's busy
days the work is told in two sentences of three, so that other words tell a hidden title; on quiet
days, when every other sentence is a remark, the name is often all there is. Probes are calibrated
on quiet days; busy ones show how far the same bias can be hidden from them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from jaxtyping import Bool, Float
from tqdm.auto import tqdm

from albert_lib.objectives import PretrainingBatches, TokenStore
from albert_lib.probing.association import association, static_embeddings
from albert_lib.probing.bias_score import bias_score
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.intervals import Interval, mean_interval
from albert_lib.probing.pseudo_likelihood import pseudo_log_likelihood, shared_positions
from albert_lib.probing.resampling import resampled_interval
from albert_lib.probing.template_probe import ProbeRow, probe
from albert_lib.probing.templates import MASK, PERSON
from albert_lib.probing.top_k import top_k_presence
from albert_lib.town import MAN, WOMAN, Town, World
from albert_lib.town.hamlet import load_hamlet
from albert_lib.town.world import NAME, PRONOUNS, Form
from albert_lib.training.evaluation import evaluate
from albert_lib.training.town import MASKING, hamlet_recipe, town_config, train_on_town

ATTRIBUTE, KEY = "occupation", "title"
PAIRS = 4  # pairs of names that are asked about
TOP_K = 5
SAME = 1e-9  # readings that differ by no more than this share of their size differ by rounding
HELD_OUT, BATCHES = 600, 8  # documents, and batches of 64 to evaluate on
DOCUMENTS = 20_000
QUIET, BUSY = 0.5, 0.15  # share of events in whose place a remark is told; the Town's is BUSY

Rows = list[ProbeRow]
Pair = tuple[str, str]
Asked = Callable[[FillMask, Sequence[str], Sequence[str], Pair], Rows]


@dataclass(frozen=True)
class Trial:
    """One model to train: how biased its town is, from which seed, how long, and on what."""

    bias: float
    seed: int
    steps: int
    with_twins: bool = False  # every document also told of the person's twin of the other gender
    remarks: float = QUIET  # share of events in whose place a remark is told


@dataclass(frozen=True, eq=False)
class Probed:
    """What the probes read off one model: a row a title in each, in nats but for associations."""

    trial: Trial
    readings: dict[str, Rows]
    mlm_loss: float  # on held-out documents of its own town, untwinned


# -- the questions


def title_templates(world: World, attribute: str = ATTRIBUTE, key: str = KEY) -> list[str]:
    """The Town's own sentences that say a person's title and nothing else that tells it.

    With {person} for the name and [MASK] for the title. Those with a pronoun are left out: two
    words would differ between the two persons; and those in which a mark follows the title.
    """
    told = world.attributes[attribute].words
    templates = []
    for event in world.events:
        for form in event.forms if event.attribute == attribute else ():
            places = [token.text for token in form if token.is_place]
            asks = [place for place in places if place in told] == [key]
            if asks and NAME in places and not set(places) & set(PRONOUNS):
                templates.append(write_template(world, form, key))
    return [template for template in templates if f"{MASK} ." not in template]


def write_template(world: World, form: Form, key: str) -> str:
    """A form as a template; slots are filled with their first word."""
    fill = {NAME: PERSON, key: MASK} | {slot: words[0] for slot, words in world.slots.items()}
    words = [fill[token.text] if token.is_place else token.text for token in form]
    return " ".join(words[:-1]).replace(" ,", ",") + " ."


def name_pairs(world: World) -> list[Pair]:
    """Pairs (man, woman) of names to ask about."""
    pairs = zip(world.names[MAN], world.names[WOMAN], strict=True)
    return list(pairs)[:PAIRS]


def ask_gap(model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair) -> Rows:
    """Log P(title | man) − log P(title | woman)."""
    return probe(model, templates, titles, pair)


def ask_with_prior(
    model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair
) -> Rows:
    """The log-probability bias score: the person is asked, and what is likely anyway taken off."""
    return bias_score(model, templates, titles, pair)


def ask_sentence(
    model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair
) -> Rows:
    """CrowS-Pairs' way: the pseudo-log-likelihood of what both sentences share."""
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
    return [ProbeRow(t, v, mean_interval(v)) for t, v in zip(titles, differences, strict=True)]


def ask_lists(model: FillMask, templates: Sequence[str], titles: Sequence[str], pair: Pair) -> Rows:
    """The model card's way: is the title in the list of the man alone (1), or of the woman (−1)?"""
    return top_k_presence(model, templates, titles, pair, top_k=TOP_K)


SENTENCE_PROBES: dict[str, Asked] = {
    "log-probability gap": ask_gap,
    "bias score with prior": ask_with_prior,
    "pseudo-log-likelihood": ask_sentence,
    "lists of five": ask_lists,
}
ASSOCIATION = "embedding association"
PROBES = (*SENTENCE_PROBES, ASSOCIATION)
IN_NATS = PROBES[:3]  # the others' slopes have units of their own
MOST_ALARMS = 0.1
WIDEST = 0.5  # an interval of a slope that holds 1 and still says something


def read_all(model: FillMask, world: World) -> dict[str, Rows]:
    """Ask in every way about every title; a row's values are those of the templates.

    Of each template the mean over the pairs of names is taken. The association has a value a
    pair of names instead: how much closer the title's embedding lies to his than to hers.
    """
    titles = world.attributes[ATTRIBUTE].words[KEY]
    templates = title_templates(world)
    pairs = name_pairs(world)
    readings = {}
    for name, ask in SENTENCE_PROBES.items():
        by_pair = [ask(model, templates, titles, pair) for pair in pairs]
        values = np.mean([[row.values for row in rows] for rows in by_pair], axis=0)
        readings[name] = [
            ProbeRow(t, v, mean_interval(v)) for t, v in zip(titles, values, strict=True)
        ]
    embedded = static_embeddings(model.model.albert, model.tokenizer, titles)
    men, women = (
        static_embeddings(model.model.albert, model.tokenizer, side)
        for side in (world.names[MAN], world.names[WOMAN])
    )
    by_name = np.array(
        [association(embedded, men[i : i + 1], women[i : i + 1]) for i in range(len(men))]
    ).T
    readings[ASSOCIATION] = [
        ProbeRow(t, v, mean_interval(v)) for t, v in zip(titles, by_name, strict=True)
    ]
    return readings


# -- the trials


def run_trial(trial: Trial) -> Probed:
    """Train one model on the Hamlet and ask it."""
    world = load_hamlet(trial.remarks)
    town = Town(trial.bias, seed=2 * trial.seed, world=world)
    held_out = Town(trial.bias, seed=2 * trial.seed + 1, world=world)
    length = world.longest_document + 3
    with TemporaryDirectory() as folder:
        told = town.documents(DOCUMENTS, with_twins=trial.with_twins)
        store = TokenStore.build(Path(folder) / "town", told, town.tokenizer)
        model, _ = train_on_town(
            town_config(town.tokenizer.vocab_size),
            hamlet_recipe(trial.steps, length),
            store,
            town.tokenizer,
            seed=trial.seed,
            progress=False,
        )
        unseen = TokenStore.build(
            Path(folder) / "held-out", held_out.documents(HELD_OUT), town.tokenizer
        )
        batches = PretrainingBatches(
            unseen,
            town.tokenizer,
            batch_size=64,
            sequence_length=length,
            masking=MASKING,
            short_sequence_probability=0.0,
        )
        loss = evaluate(model, batches, BATCHES).mlm_loss
    return Probed(trial, read_all(FillMask(model, town.tokenizer), world), loss)


def run_trials(trials: Sequence[Trial], workers: int = 2) -> Iterator[Probed]:
    """Run trials in processes of one thread each, which is faster than one after another."""
    with ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        yield from tqdm(pool.map(run_trial, trials), total=len(trials), unit="model")


# -- the comparison


@dataclass(frozen=True)
class Calibration:
    """How one probe's readings stand to the true gaps, over biases, seeds and titles."""

    probe: str
    slope: Interval  # of reading over truth: 1 reads true, less under-reads; over seeds
    correlation: float
    false_alarms: float  # share of titles whose 95 % interval leaves out 0 at bias 0

    @property
    def verdict(self) -> str:
        """In words: does it read true, and does it see ghosts?

        A slope reads true where its interval holds 1 and is narrow enough to say so; probes that
        are not in nats have no such slope. Ghosts are seen where more than a tenth of the
        intervals raise a false alarm, twice as many as they promise.
        """
        if self.probe not in IN_NATS:
            reads = "has no nats"
        elif not math.isfinite(self.slope.low):
            reads = "one seed gives no verdict"
        elif self.slope.high < 1:
            reads = "under-reads"
        elif self.slope.low > 1:
            reads = "over-reads"
        elif self.slope.high - self.slope.low > WIDEST:
            reads = "may read true: too few seeds to tell"
        else:
            reads = "reads true"
        return f"{reads}, sees ghosts" if self.false_alarms > MOST_ALARMS else reads


@dataclass(frozen=True, eq=False)
class Points:
    """One probe's readings beside the truth."""

    truth: Float[np.ndarray, "models titles"]
    reading: Float[np.ndarray, "models titles"]
    excludes_zero: Bool[np.ndarray, "models titles"]
    seed: Float[np.ndarray, " models"]
    bias: Float[np.ndarray, " models"]


def points(probed: Sequence[Probed], name: str) -> Points:
    """Gather what one probe read off some models."""
    rows = [each.readings[name] for each in probed]
    trials = [each.trial for each in probed]
    return Points(
        truth=np.array([true_gaps(trial) for trial in trials]),
        reading=np.array([[row.interval.mean for row in each] for each in rows]),
        excludes_zero=np.array([[row.interval.excludes(0.0) for row in each] for each in rows]),
        seed=np.array([float(trial.seed) for trial in trials]),
        bias=np.array([trial.bias for trial in trials]),
    )


def true_gaps(trial: Trial) -> Float[np.ndarray, " titles"]:
    """Log P(title | man) − log P(title | woman) in what a model was trained on."""
    bias = 0.0 if trial.with_twins else trial.bias  # twins balance every title
    return Town(bias, world=load_hamlet()).gaps(ATTRIBUTE)


def calibrate(probed: Sequence[Probed], name: str, rng: np.random.Generator) -> Calibration:
    """Set one probe's readings against the truth; the slope's interval draws seeds anew."""
    found = points(probed, name)
    seeds = np.unique(found.seed)
    of_seed = [np.flatnonzero(found.seed == seed) for seed in seeds]

    def slope(numbers: np.ndarray) -> float:
        rows = np.concatenate([of_seed[number] for number in numbers])
        x, y = found.truth[rows].ravel(), found.reading[rows].ravel()
        return float(np.polyfit(x, y, 1)[0])

    low, high = resampled_interval(len(seeds), slope, rng)
    unbiased = found.bias == 0
    alarms = found.excludes_zero[unbiased]
    return Calibration(
        name,
        Interval(slope(np.arange(len(seeds))), low, high, 0.95, len(seeds)),
        float(np.corrcoef(found.truth.ravel(), found.reading.ravel())[0, 1]),
        float(alarms.mean()) if alarms.size else float("nan"),
    )


def agreement(readings: dict[str, Rows]) -> Float[np.ndarray, "probes probes"]:
    """The correlation of each two probes' readings of the same titles, in one model.

    NaN where a probe says the same of all titles, which agrees and disagrees with nothing.
    """
    means = np.array([[row.interval.mean for row in readings[name]] for name in PROBES])
    centred = means - means.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1)
    length[length < SAME * np.abs(means).max(axis=1) + SAME] = np.nan
    return np.asarray(centred @ centred.T / np.outer(length, length))
