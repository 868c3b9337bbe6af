"""Where the stages of a recipe lie in its run, and the batches that each of them trains on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from albert_lib.config import AlbertConfig
from albert_lib.config_values import rows_fit
from albert_lib.corpus import TokenStore
from albert_lib.errors import ConfigError
from albert_lib.model import AlbertForPreTraining
from albert_lib.model.depth import with_depth
from albert_lib.objectives import PretrainingBatch, PretrainingBatches
from albert_lib.text import AlbertTokenizer
from albert_lib.training.recipe import Recipe
from albert_lib.training.stages import Stage

FROM_STAGE = ("masking", "sequence_length", "batch_size", "accumulation")


@dataclass(frozen=True)
class PlannedStage:
    """One stage where it lies in its run.

    Attributes:
        number: Counted from 0.
        steps: Of the run, counted from 0.
        recipe: The run's, with the stage's own values in place of the run's.
        num_hidden_layers: How many times the layer is applied.
        copy_positions: How many positions are copied over the rest before its first step.
    """

    number: int
    steps: range
    recipe: Recipe
    num_hidden_layers: int
    copy_positions: int | None = None


def plan_stages(recipe: Recipe, num_hidden_layers: int) -> list[PlannedStage]:
    """Return the stages of a run in order; a recipe without stages has one, the whole run.

    `num_hidden_layers` is the model's own depth, for as long as no stage names another.

    Example:
        >>> from albert_lib.training import Recipe, Stage
        >>> stages = (Stage(600, batch_size=16), Stage(300, num_hidden_layers=4))
        >>> plan = plan_stages(Recipe(steps=900, stages=stages), num_hidden_layers=2)
        >>> [(each.steps, each.recipe.batch_size, each.num_hidden_layers) for each in plan]
        [(range(0, 600), 16, 2), (range(600, 900), 32, 4)]
    """
    planned: list[PlannedStage] = []
    first = 0
    for number, stage in enumerate(recipe.stages or [Stage(recipe.steps)]):
        own = {name: v for name in FROM_STAGE if (v := getattr(stage, name)) is not None}
        num_hidden_layers = stage.num_hidden_layers or num_hidden_layers
        steps = range(first, first + stage.steps)
        planned.append(
            PlannedStage(
                number, steps, recipe.replace(**own), num_hidden_layers, stage.copy_positions
            )
        )
        first = steps.stop
    return planned


def stage_of(step: int, stages: Sequence[PlannedStage]) -> PlannedStage:
    """Return the stage that takes `step`, counted from 0; the last where all steps are taken.

    Example:
        >>> from albert_lib.training import Recipe, Stage
        >>> plan = plan_stages(Recipe(steps=9, warmup_steps=0, stages=(Stage(6), Stage(3))), 2)
        >>> [stage_of(step, plan).number for step in (0, 5, 6, 9)]
        [0, 0, 1, 1]
    """
    return next((each for each in stages if step < each.steps.stop), stages[-1])


def check_fit(model: AlbertForPreTraining, tokenizer: AlbertTokenizer, recipe: Recipe) -> None:
    """Raise ConfigError unless the model fits the vocabulary and can follow every stage."""
    # Rows beyond the tokens, which fill a table up, are never a target and never drawn.
    if not rows_fit(model.config.vocab_size, tokenizer.vocab_size):
        raise ConfigError(
            f"The tokenizer has {tokenizer.vocab_size} pieces but the model's vocab_size is "
            f"{model.config.vocab_size}; build the model with vocab_size={tokenizer.vocab_size}, "
            f"or take the tokenizer that it was trained with."
        )
    check_length("", recipe.sequence_length, model.config)  # of evaluations
    trained = 0
    for stage in plan_stages(recipe, model.config.num_hidden_layers):
        where = f"Stage {stage.number + 1}: " if recipe.stages else ""
        check_length(where, stage.recipe.sequence_length, model.config)
        check_copied(where, stage.copy_positions, trained, model.config)
        trained = max(trained, stage.recipe.sequence_length)
        try:
            with_depth(model.config, stage.num_hidden_layers)
        except ConfigError as problem:
            raise ConfigError(f"{where}{problem}") from None


def check_length(where: str, sequence_length: int, config: AlbertConfig) -> None:
    """Raise ConfigError, beginning with `where`, for sequences beyond the model's positions."""
    if sequence_length > config.max_position_embeddings:
        raise ConfigError(
            f"{where}sequence_length is {sequence_length} but the model has "
            f"{config.max_position_embeddings} positions; shorten the sequences or raise "
            f"max_position_embeddings."
        )


def check_copied(where: str, copied: int | None, trained: int, config: AlbertConfig) -> None:
    """Raise ConfigError, beginning with `where`, where no such positions can be copied.

    `trained` is the length of the longest sequences of the stages before.
    """
    if copied is None:
        return
    if copied > trained:
        raise ConfigError(
            f"{where}copy_positions is {copied} but the stages before train only the first "
            f"{trained}; copy what is trained, or leave it out."
        )
    if copied == config.max_position_embeddings:
        raise ConfigError(
            f"{where}copy_positions is {copied}, and the model has no more positions; leave it out."
        )


def pretraining_batches(
    store: TokenStore,
    tokenizer: AlbertTokenizer,
    recipe: Recipe,
    *,
    seed: int,
    first_window: tuple[int, int] = (0, 0),
) -> PretrainingBatches:
    """Return the batches that a recipe, its stages left aside, makes of a store."""
    return PretrainingBatches(
        store,
        tokenizer,
        batch_size=recipe.batch_size,
        sequence_length=recipe.sequence_length,
        masking=recipe.masking,
        pair_objective=recipe.pair_objective,
        short_sequence_probability=recipe.short_sequence_probability,
        seed=seed,
        first_window=first_window,
    )


class StagedBatches:
    """The batches of all stages of a run.

    A stage reads on where the one before has stopped, so that no text is read twice before all of
    it has been read once: it begins with the first window of blocks (some two million tokens,
    `ExampleOrder`) of which the stage before has read nothing. So a batch depends on the recipe,
    the store and the step alone.
    """

    def __init__(
        self, store: TokenStore, tokenizer: AlbertTokenizer, stages: Sequence[PlannedStage]
    ) -> None:
        self.store, self.tokenizer, self.stages = store, tokenizer, stages
        for stage in reversed(stages):  # what a later one cannot read is known before training
            self._opened = [self._open(stage)]

    def _open(
        self, stage: PlannedStage, first_window: tuple[int, int] = (0, 0)
    ) -> PretrainingBatches:
        recipe = stage.recipe
        return pretraining_batches(
            self.store, self.tokenizer, recipe, seed=recipe.seed, first_window=first_window
        )

    def of(self, stage: PlannedStage) -> PretrainingBatches:
        """Return the batches of one stage, counted from its own first step."""
        while len(self._opened) <= stage.number:
            number = len(self._opened)
            begin = self._opened[-1].window_after(len(self.stages[number - 1].steps))
            self._opened.append(self._open(self.stages[number], begin))
        return self._opened[stage.number]

    def batch(self, step: int, rows: slice | None = None) -> PretrainingBatch:
        """Return the batch of a step of the run, counted from 0, or some rows of it."""
        stage = stage_of(step, self.stages)
        return self.of(stage).batch(step - stage.steps.start, rows)
