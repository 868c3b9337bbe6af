"""Whether what was calibrated on ALBERT holds for models of other families.

A BERT and a RoBERTa learn the same documents of the same biased towns as the ALBERT of
`town_trials`, for the same seconds of one core, and are asked by the same probes. What a probe
measures on them is compared with the truth, and its slope with that on ALBERT, seed by seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tqdm.auto import tqdm

from albert_lib.experiments.family_models import (
    family_tokenizer,
    held_out_loss,
    train_family,
    without_pair_head,
)
from albert_lib.experiments.town_questions import (
    ASSOCIATION,
    as_documents_write,
    run_probes,
    title_templates,
)
from albert_lib.experiments.town_trials import DOCUMENTS, HELD_OUT, ProbedModel, TownTrial
from albert_lib.experiments.variations import HELD_OUT_TOWN_SEED
from albert_lib.experiments.workers import training_pool
from albert_lib.probing.fill_mask import FillMask
from albert_lib.probing.transformers_models import TransformersMaskedLM
from albert_lib.probing.transformers_tokenizer import TransformersTokenizer
from albert_lib.town import Town
from albert_lib.town.hamlet import load_hamlet

FOR_VOCABULARY = 4_000  # documents, in which every word of the Hamlet is frequent
MASKED = 0.15  # of held-out tokens


def run_family_trial(trial: TownTrial) -> ProbedModel:
    """Train one model of a family of transformers on the Hamlet and probe it."""
    world = load_hamlet(trial.remark_probability)
    town = Town(trial.bias, seed=2 * trial.seed, world=world)
    unseen = Town(trial.bias, seed=2 * trial.seed + 1, world=world)
    documents = list(town.documents(DOCUMENTS, with_counterfactuals=trial.with_counterfactuals))
    tokenizer = family_tokenizer(trial.family, documents[:FOR_VOCABULARY])
    trained = train_family(trial.family, documents, tokenizer, steps=trial.steps, seed=trial.seed)
    model = without_pair_head(trained)
    held_out = list(unseen.documents(HELD_OUT))
    loss = held_out_loss(model, held_out, tokenizer, MASKED, HELD_OUT_TOWN_SEED)
    asked = FillMask(TransformersMaskedLM(model), TransformersTokenizer(tokenizer, trial.family))
    templates = [as_documents_write(each) for each in title_templates(world)]
    results = run_probes(asked, world, templates)
    del results[ASSOCIATION]  # its unit depends on the width and spread of embeddings
    return ProbedModel(trial, results, loss)


def run_family_trials(trials: Sequence[TownTrial]) -> Iterator[ProbedModel]:
    """Run trials in two processes of one thread each."""
    with training_pool() as pool:
        yield from tqdm(pool.map(run_family_trial, trials), total=len(trials), unit="model")
