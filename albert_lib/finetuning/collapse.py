"""A run that learned nothing shows it: its loss is that of guessing, or one answer serves for all.

People meet it in large and xlarge models above all, and rarely know it from the score alone: SQuAD
2.0 scores 50.07 where every answer is null, because half of its questions have none. The causes are
those that were found in the threads of google-research/albert, each by its number below.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from albert_lib.config import AlbertConfig
from albert_lib.errors import counted
from albert_lib.finetuning.recipes import FinetuningRecipe
from albert_lib.training.history import History

CLASSES = {"sst2": 2, "mnli": 3, "race": 4}
NEAR_CHANCE = 0.97  # of ln k; classes of 56 and 44 % have an entropy of 0.99 ln 2
ABOVE_CHANCE = 1.05  # runs that collapsed end at 1.1 to 1.4 of it
LEARNED = 0.9  # of ln k: below it a mean loss is no chance
SHORTEST_JUDGED = 50  # steps: before that, a slow run and a collapsed one look alike
FEWEST_PREDICTIONS = 20  # that being all alike is no accident
WIDE = 1024  # hidden units of the large model: from here on high rates were seen to fail
HIGH_RATE = 1e-5  # … above this one
SMALL_BATCH = 8

Prediction = str | int
Setting = tuple[FinetuningRecipe, AlbertConfig | None, bool]  # the last: whether from scratch


def find_collapse(
    history: History,
    recipe: FinetuningRecipe,
    config: AlbertConfig | None = None,
    *,
    predictions: Sequence[Prediction] | None = None,
    from_scratch: bool = False,
) -> str | None:
    """Say what shows that a run collapsed, and the usual cause and remedy; None if nothing does.

    A loss is judged after 50 steps and warm-up, and not while it falls, unless from above guessing.

    Args:
        history: Of the run, or of its part so far.
        recipe: By which it trained.
        config: Of its model, for causes that lie in there.
        predictions: Of classes or options on a development set; of answers to questions, "" for
            none. Fewer than 20 are not judged.
        from_scratch: Whether no checkpoint was loaded.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> recipe = finetuning_recipe("sst2").replace(warmup_steps=10)
        >>> stuck = History([{"step": n, "loss": 0.69 + 0.01 * (n % 2)} for n in range(1, 101)])
        >>> print(find_collapse(stuck, recipe, from_scratch=True))  # doctest: +NORMALIZE_WHITESPACE
        The training loss is 0.69 after 100 steps, where guessing has ln 2 = 0.69. No checkpoint was
        loaded, so the encoder has learned nothing beforehand: load one with load_to_finetune.
    """
    at_chance = loss_at_chance(history, recipe)
    same = one_answer_for_all(predictions or (), recipe)
    if same is not None and at_chance is None and has_learned(history, recipe):
        return (
            f"{same} But the training loss fell to {recent_loss(history):.2f}, so the run has "
            f"learned: see that the development set is encoded as the training set is, and that "
            f"the model which predicts is the one that was trained."
        )
    signs = [sign for sign in (at_chance, same) if sign is not None]
    if not signs:
        return None
    return " ".join([*signs, usual_cause(history, (recipe, config, from_scratch))])


def loss_at_chance(history: History, recipe: FinetuningRecipe) -> str | None:
    """Say so where the loss of a task with classes is that of guessing, and does not fall.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> falling = History([{"step": n, "loss": 0.7 - n / 200} for n in range(1, 101)])
        >>> loss_at_chance(falling, finetuning_recipe("sst2").replace(warmup_steps=10)) is None
        True
    """
    classes = CLASSES.get(recipe.task)
    losses = history.column("loss")
    if classes is None or len(losses) < SHORTEST_JUDGED:
        return None
    if recipe.warmup_steps > 0.75 * len(losses):  # the last quarter must be past it
        return None
    chance = math.log(classes)
    quarters = np.array_split(losses, 4)
    third, last = quarters[2:]
    error = math.sqrt(third.var() / len(third) + last.var() / len(last))
    is_falling = third.mean() - last.mean() > max(3 * error, 0.005 * chance)
    # A loss above that of guessing falls to it as the rate does: that is not learning.
    if last.mean() < NEAR_CHANCE * chance or (is_falling and last.mean() < ABOVE_CHANCE * chance):
        return None
    lowest = min(float(quarter.mean()) for quarter in quarters)
    where = f"where guessing has ln {classes} = {chance:.2f}"
    if lowest < LEARNED * chance:
        return (
            f"The training loss is {last.mean():.2f} after {len(losses)} steps, {where}, though a "
            f"quarter of the run had {lowest:.2f}: what it had learned is lost again."
        )
    return f"The training loss is {last.mean():.2f} after {len(losses)} steps, {where}."


def one_answer_for_all(predictions: Sequence[Prediction], recipe: FinetuningRecipe) -> str | None:
    """Say so where all predictions, 20 or more, are the same.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> one_answer_for_all(["1"] * 872, finetuning_recipe("sst2"))
        "All 872 predictions are '1'."
    """
    if len(predictions) < FEWEST_PREDICTIONS or len(set(predictions)) > 1:
        return None
    if predictions[0] == "":
        reason = (
            "; the exact match is then the share of questions that have none, 50.07 on the "
            "development set of SQuAD 2.0"
            if recipe.task == "squad2"
            else ""
        )
        return f"All {len(predictions)} questions are answered with nothing{reason}."
    return f"All {len(predictions)} predictions are {predictions[0]!r}."


def recent_loss(history: History) -> float:
    """Return the mean loss of the last quarter of a run, in nats.

    Example:
        >>> recent_loss(History([{"step": n, "loss": float(n)} for n in range(1, 9)]))
        7.5
    """
    return float(np.array_split(history.column("loss"), 4)[3].mean())


def has_learned(history: History, recipe: FinetuningRecipe) -> bool:
    """Whether the loss of a task with classes is well below that of guessing.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> rows = [{"step": n, "loss": 0.3} for n in range(1, 9)]
        >>> has_learned(History(rows), finetuning_recipe("sst2"))
        True
    """
    classes = CLASSES.get(recipe.task)
    if classes is None or len(history) < 4:
        return False
    return recent_loss(history) < LEARNED * math.log(classes)


def no_checkpoint(history: History, setting: Setting) -> str | None:
    """An empty path or a wrong one: issues 67, 132 and 135.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> no_checkpoint(History(), (finetuning_recipe("sst2"), None, False)) is None
        True
    """
    if not setting[2]:
        return None
    return (
        "No checkpoint was loaded, so the encoder has learned nothing beforehand: load one with "
        "load_to_finetune."
    )


def no_gradient_at_all(history: History, setting: Setting) -> str | None:
    """Frozen weights, or a loss that does not depend on them.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> history = History([{"step": 1, "gradient_norm": 0.0}])
        >>> no_gradient_at_all(history, (finetuning_recipe("sst2"), None, False))[:22]
        'No gradient reaches th'
    """
    norms = history.column("gradient_norm")
    if len(norms) == 0 or norms.any():
        return None
    return (
        "No gradient reaches the weights: unfreeze them (requires_grad) and see that the loss is "
        "computed from the model's own output."
    )


def rate_too_high_for_the_size(history: History, setting: Setting) -> str | None:
    """Issue 207: xlarge collapsed at 2e-5 and learned at 5e-6.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> xlarge = AlbertConfig.preset("albert-xlarge-v2")
        >>> setting = finetuning_recipe("race"), xlarge, False
        >>> found = rate_too_high_for_the_size(History(), setting)
        >>> found.partition(": ")[2]
        'try 5e-06, or a longer warm-up and larger batches.'
    """
    recipe, config, _ = setting
    if config is None or config.hidden_size < WIDE or recipe.learning_rate <= HIGH_RATE:
        return None
    return (
        f"A learning rate of {recipe.learning_rate:.2g} is too high for many runs of a model "
        f"{config.hidden_size} wide, though the paper has one table for all sizes: try "
        f"{recipe.learning_rate / 4:.2g}, or a longer warm-up and larger batches."
    )


def dropout_of_another_version(history: History, setting: Setting) -> str | None:
    """Issue 23: the first configurations of version 2 had dropout that it was not trained with.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> early = AlbertConfig.preset("albert-large-v2", hidden_dropout_prob=0.1)
        >>> recipe = finetuning_recipe("sst2", "google")
        >>> dropout_of_another_version(History(), (recipe, early, False))[:23]
        'The encoder has dropout'
    """
    config = setting[1]
    if config is None or config.hidden_act != "gelu_new" or config.hidden_dropout_prob == 0:
        return None
    return (
        f"The encoder has dropout of {config.hidden_dropout_prob:g}, which models of version 2 "
        f"were trained without, though their first configuration files said so: if this is one, "
        f"use body_dropout=0.0; else try a lower learning rate."
    )


def batch_too_small(history: History, setting: Setting) -> str | None:
    """Issue 67: batches of 2.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> recipe = finetuning_recipe("race").replace(batch_size=2)
        >>> batch_too_small(History(), (recipe, None, False))[:18]
        'A batch has 2 rows'
    """
    recipe = setting[0]
    if recipe.batch_size >= SMALL_BATCH:
        return None
    return (
        f"A batch has {counted(recipe.batch_size, 'row')}, so a step is mostly noise: raise "
        f"batch_size to 16 or more, with accumulation where memory is short, or lower the "
        f"learning rate."
    )


# The surest first.
CAUSES: tuple[Callable[[History, Setting], str | None], ...] = (
    no_checkpoint,
    no_gradient_at_all,
    rate_too_high_for_the_size,
    batch_too_small,
    dropout_of_another_version,
)


def usual_cause(history: History, setting: Setting) -> str:
    """Return the first cause that the numbers of a collapsed run fit, else the usual one.

    Example:
        >>> from albert_lib.finetuning.recipes import finetuning_recipe
        >>> usual_cause(History(), (finetuning_recipe("sst2"), None, False))[:42]
        'The usual cause is too high a learning rat'
    """
    for cause in CAUSES:
        if (found := cause(history, setting)) is not None:
            return found
    rate = setting[0].learning_rate
    return (
        f"The usual cause is too high a learning rate: try {rate / 4:.2g} instead of {rate:.2g}. "
        f"Else see that the checkpoint is the one that you mean, that its config.json and "
        f"vocabulary belong to it, and that every label belongs to its row."
    )
