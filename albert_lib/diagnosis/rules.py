"""What can be wrong with a pretraining run, each cause with the numbers that show it.

Every limit lies between what healthy runs and runs with that fault planted were measured to do.
Both ranges stand beside it, from `python -m benchmarks.diagnosis`, with `--text small` (a made-up
text of 5,000 tokens, width 48) and `--text english` (documentation, width 128) together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from albert_lib.diagnosis.curve import SHORTEST_RUN, Curve

Sentences = tuple[str, str, str]  # evidence, explanation, remedy


@dataclass(frozen=True)
class Problem:
    """Something that is probably wrong: a name for the cause, and three sentences; `print` it.

    Example:
        >>> print(Problem("rate too low", "The loss is 9.", "Steps are too short.", "Raise it."))
        rate too low: The loss is 9. Steps are too short. Raise it.
    """

    cause: str
    evidence: str  # in the numbers
    explanation: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.evidence} {self.explanation} {self.remedy}"


@dataclass(frozen=True)
class Rule:
    """How one cause is recognised: the columns it needs, and a function that judges them."""

    cause: str
    needs: tuple[str, ...]
    judge: Callable[[Curve], Sentences | None]
    unless: tuple[str, ...] = ()  # causes that, found before, explain the same numbers


def labels_visible(curve: Curve) -> Sentences | None:
    """Tell whether the labels stand in the input."""
    share = curve.last("visible_share")
    if share <= 0.6:  # healthy 0 to 0.11; planted 1; labels off by one 0.26
        return None
    return (
        f"At {share:.0%} of the predicted positions the input is the label itself (a tenth by "
        f"the paper's masking); the training loss is {curve.recent:.2f}, but where the input is "
        f"[MASK] the same text costs {curve.last('known_text_loss'):.2f} nats a token.",
        "The model learns to copy, because the tokens are not masked.",
        "Check that the masked ids are the ones given to the model, and mask_probability.",
    )


def labels_beside(curve: Curve) -> Sentences | None:
    """Tell whether the labels are the tokens next to the predicted positions."""
    share = curve.last("neighbour_share")
    if share <= 0.6:  # healthy 0 to 0.01; planted 1
        return None
    return (
        f"{share:.0%} of the labels stand in the input one position beside the predicted one.",
        "Labels and positions are off by one.",
        "Check whether one of the two counts [CLS] and the other does not.",
    )


def labels_of_other_ids(curve: Curve) -> Sentences | None:
    """Tell whether the labels are tokens that the text does not have."""
    surprise, unigram = curve.last("label_surprise"), curve.last("unigram_entropy")
    if surprise <= unigram + 1.2:  # above it: healthy −0.4 to 0.1; planted 1.7 to 6.1
        return None
    return (
        f"The labels are tokens that are rare in the training text: by its frequencies they cost "
        f"{surprise:.2f} nats each, tokens of the text itself {unigram:.2f}.",
        "They are probably ids of another vocabulary, or taken from elsewhere.",
        "Decode a few labels next to their inputs, and compare the tokenizer of each.",
    )


def labels_shuffled(curve: Curve) -> Sentences | None:
    """Tell whether labels are of the right text but of the wrong positions."""
    found, expected = curve.last("kept_share"), curve.last("kept_expected")
    if found >= expected / 2:  # of `expected`: healthy 0.9 to 1.2; planted 0 to 0.1
        return None
    return (
        f"Where a predicted position is not [MASK], {found:.0%} of the inputs are the label; by "
        f"the masking it should be {expected:.0%}. The labels are as common as the text's tokens.",
        "Labels and inputs are probably in different orders, so only frequencies can be learned.",
        "Check what sorts, gathers or batches inputs and labels: both need the same order.",
    )


def attention_mask_wrong(curve: Curve) -> Sentences | None:
    """Tell whether attention is open to padding, or closed to text."""
    text = curve.last("text_attended")
    padding = curve.last("padding_attended") if "padding_attended" in curve.columns else 0.0
    if text >= 0.9 and padding <= 0.1:  # healthy 1 and 0, exactly; planted 0 and 1
        return None
    return (
        f"The attention mask lets through {text:.0%} of the text and {padding:.0%} of the padding.",
        "It is probably inverted, or made for other sequences.",
        "Pass 1 where there is text and 0 where there is padding.",
    )


def too_much_masked(curve: Curve) -> Sentences | None:
    """Tell whether so much is masked that there is no context left."""
    share = curve.last("hidden_share")
    # Healthy runs at 0.15 and 0.4; planted 0.9, where the loss is near the unigram entropy:
    # 0.8 to 1.1 of it.
    if share <= 0.7 or curve.recent < 0.7 * curve.last("unigram_entropy"):
        return None
    return (
        f"{share:.0%} of the text is masked, and the training loss is {curve.recent:.2f}; the "
        f"unigram entropy is {curve.last('unigram_entropy'):.2f}.",
        "There is hardly any context left to predict a masked token from.",
        "Use a masking rate of 0.15 to 0.4.",
    )


def too_few_predictions(curve: Curve) -> Sentences | None:
    """Tell whether a batch has so few predictions that its gradient is mostly noise."""
    share, number = curve.last("hidden_share"), curve.last("predictions")
    # Healthy 0.15 of the text and 60 predictions or more; planted 0.035 and 16. The paper's 20 of
    # 512 are 0.039 too, but 80,000 a batch. The loss of one token deviates by about 2.5 nats: at
    # 50 tokens a batch's mean is off by a third of a nat.
    if share >= 0.08 or number >= 50:
        return None
    return (
        f"A batch has {number:.0f} predictions, {share:.1%} of its text.",
        "The gradient of a step is mostly the noise of those few tokens.",
        "Raise max_predictions or the masking rate, or use larger batches.",
    )


def no_gradient(curve: Curve) -> Sentences | None:
    """Tell whether a part of the model is cut off from the loss."""
    parts = {"words": "word embeddings", "encoder": "encoder", "mlm_head": "MLM head"}
    cut_off = [parts[name] for name in parts if curve.last(f"gradient_{name}") == 0]
    if not cut_off:  # healthy 0.02 to 8; planted exactly 0
        return None
    return (
        f"No gradient at all reaches the {' nor the '.join(cut_off)}.",
        "That part is frozen (requires_grad) or cut off (detach), so it keeps its first weights.",
        "Unfreeze it, and create the optimizer afterwards.",
    )


def output_not_tied(curve: Curve) -> Sentences | None:
    """Tell whether the output matrix is another one than the word embeddings."""
    share = curve.last("tied_share")
    if share >= 0.5:  # healthy 1, exactly; planted 0
        return None
    return (
        f"Of the vocabulary that a batch does not contain, {share:.0%} gets a gradient in its "
        f"word embedding; from a tied output all of it would.",
        "The output matrix is probably a copy of the word embeddings, not the same parameter.",
        "Give the output layer the embedding's own weight.",
    )


def loss_diluted(curve: Curve) -> Sentences | None:
    """Tell whether the MLM loss is something else than a mean over its predictions."""
    share = curve.last("counted_share")
    if 0.7 <= share <= 1.4:  # healthy 0.999 to 1.001; planted 0.15
        return None
    kind = "sum over the predictions" if share > 1 else "mean over more than the predictions"
    return (
        f"The MLM loss is {share:.2f} times the mean cross-entropy of its predictions.",
        f"It is probably a {kind}, so its value and its weight beside the SOP loss are wrong.",
        "Divide by the number of masked tokens, not by the positions or the sequences.",
    )


def padding(curve: Curve) -> Sentences | None:
    """Tell whether most of the computation is spent on padding."""
    share = curve.last("text_share")
    if share >= 0.5:  # healthy 0.87 to 0.98; planted 0.19
        return None
    return (
        f"Only {share:.0%} of the positions in a batch are text; the rest is padding.",
        f"The sequences are longer than the documents, and a step takes about {1 / share:.0f} "
        f"times as long as its text needs.",
        "Shorten sequence_length, or join short documents.",
    )


def segments_missing(curve: Curve) -> Sentences | None:
    """Tell whether the model is told which of the two segments a token belongs to."""
    share = curve.last("segment_share")
    if share >= 0.05:  # healthy 0.46 to 0.51; planted 0
        return None
    accuracy = curve.last("held_out_sop_accuracy")
    return (
        f"{share:.0%} of the text is marked as the second segment, and the held-out SOP accuracy "
        f"is {accuracy:.0%}; chance is 50%.",
        "The segment ids are probably left out, so the model must guess where one segment ends.",
        "Pass token_type_ids: 0 for the first segment, 1 for the second.",
    )


def late_divergence(curve: Curve) -> Sentences | None:
    """Tell whether a run that had begun to read has fallen back to counting."""
    step, lowest = curve.lowest
    unigram = curve.last("unigram_entropy")
    had_read = unigram - lowest  # nats below counting; healthy runs keep what they have
    kept = (unigram - curve.recent) / max(had_read, 1e-9)  # healthy 0.9 to 1; planted below 0
    if curve.steps < 2 * SHORTEST_RUN or had_read < 0.2 or kept > 0.25:
        return None
    rates = curve.history.column("learning_rate")
    return (
        f"After step {step} the loss was {lowest:.2f}, {had_read:.2f} below the unigram entropy; "
        f"now it is {curve.recent:.2f}.",
        f"The run had begun to use its context and has lost that again; the likely cause is a rate "
        f"too high for what had been learnt ({rates[step - 1]:.2g} then, up to "
        f"{rates[step - 1 :].max():.2g} since).",
        "Go back to a checkpoint before the rise and go on with a quarter of the rate; such a "
        "run seldom recovers by itself.",
    )


def rate_too_high(curve: Curve) -> Sentences | None:
    """Tell whether too large steps have made the hidden states the same for every input."""
    sensitivity = curve.history.column("hearing")
    if curve.unigram_progress < 0.5 and curve.recent < curve.last("uniform_loss") + 1:
        return None  # a fresh model, or a slow one
    is_zero = (
        sensitivity[-1] < 1e-5
    )  # healthy 4e-4 to 1; planted (rate 3 to 10 times too high) to 6e-6
    # Adam's step does not grow with the weights, and at three to ten times the right rate it leaves
    # some models merely low: 3e-5 to 7e-4, and not rising. Healthy ones are at 4e-4 to 3e-3 when
    # they come down to the unigram entropy, but not for half a run.
    half = sensitivity[(len(sensitivity) - 1) // 2]
    stays_low = len(sensitivity) >= 3 and sensitivity[-1] < min(2e-3, 1.5 * half)
    same_answer = curve.last("commonest_answer")
    if not (is_zero or (stays_low and curve.is_settled and same_answer > 0.9)):
        return None
    return (
        f"When the tokens around it are permuted, the hidden state of a masked token changes by "
        f"{sensitivity[-1]:.0e} of its norm, and {same_answer:.0%} of the predictions are the same "
        f"token; the loss is {curve.recent:.2f}, the unigram entropy "
        f"{curve.last('unigram_entropy'):.2f}.",
        f"The model ignores its context; the likely cause is a learning rate too high "
        f"(here up to {curve.history.column('learning_rate').max():.2g}).",
        "Start again with a quarter of the rate, or a longer warm-up; waiting does not help.",
    )


def rate_too_low(curve: Curve) -> Sentences | None:
    """Tell whether the weights hardly move."""
    rates = curve.history.column("learning_rate")
    if curve.steps > 1 and rates[1:].max() == 0:
        return (
            f"The learning rate was 0 at all {curve.steps} steps.",
            "So nothing was trained.",
            "Check the schedule: its peak, its warm-up and its number of steps.",
        )
    if "uniform_loss" not in curve.columns or curve.steps < SHORTEST_RUN:
        return None
    in_warm_up = rates[-1] >= rates.max() > rates.min()  # a constant rate has none
    progress = curve.unigram_progress
    # Steps to the unigram entropy at the pace so far, as a multiple of those done. Healthy runs
    # have passed it or need 0.2 times more; planted (a thousandth of the rate) 100 and more.
    if in_warm_up or progress >= 0.5 or (1 - progress) < 10 * max(progress, 1e-9):
        return None
    return (
        f"After {curve.steps} steps the loss is {curve.recent:.2f}, still close to "
        f"ln V = {curve.last('uniform_loss'):.2f}, though gradients arrive.",
        f"The likely cause is a learning rate too low (here up to {rates.max():.2g}).",
        "Try ten times the learning rate.",
    )


def overfitting(curve: Curve) -> Sentences | None:
    """Tell whether the training text is memorised."""
    held_out = curve.history.column("held_out_mlm_loss")
    gap = held_out[-1] - curve.recent
    # Healthy −0.1 to 0.3 nats, planted 3.5 to 4. In between, the held-out loss must have stopped
    # falling: that of another kind of text is higher too, but goes on falling.
    stopped = held_out[-1] > held_out[: (len(held_out) + 1) // 2].min() - 0.1
    if len(held_out) < 3 or gap < 0.7 or (gap < 1.5 and not stopped):
        return None
    return (
        f"The training loss is {curve.recent:.2f}, but the held-out loss is {held_out[-1]:.2f}; "
        f"its minimum was {held_out.min():.2f}.",
        "The model memorises its text: there is too little of it for so many steps.",
        "Use more text, stop earlier, or turn on dropout.",
    )


WRONG_LABELS = ("labels visible", "labels off by one", "other labels", "labels shuffled")
# Causes after which a curve says nothing else: inputs or labels are not those of the text.
INVALID_TRAINING = (*WRONG_LABELS, "attention mask", "no gradient", "loss diluted")
TRAINING_EXPLAINED = (*INVALID_TRAINING, "late divergence")
RULES = (
    Rule("labels visible", ("visible_share", "known_text_loss"), labels_visible),
    Rule("labels off by one", ("neighbour_share",), labels_beside, WRONG_LABELS),
    Rule("other labels", ("label_surprise",), labels_of_other_ids, WRONG_LABELS),
    Rule("labels shuffled", ("kept_share", "kept_expected"), labels_shuffled, WRONG_LABELS),
    Rule("attention mask", ("text_attended",), attention_mask_wrong),
    Rule("no gradient", ("gradient_words",), no_gradient),
    Rule("output not tied", ("tied_share",), output_not_tied, ("no gradient",)),
    Rule("loss diluted", ("counted_share",), loss_diluted),
    Rule("too much masked", ("hidden_share", "unigram_entropy"), too_much_masked),
    Rule("too few predictions", ("hidden_share", "predictions"), too_few_predictions),
    Rule("padding", ("text_share",), padding),
    Rule("segments missing", ("segment_share", "held_out_sop_accuracy"), segments_missing),
    Rule(
        "late divergence", ("unigram_entropy", "learning_rate"), late_divergence, INVALID_TRAINING
    ),
    Rule("rate too high", ("hearing", "commonest_answer"), rate_too_high, TRAINING_EXPLAINED),
    Rule("rate too low", ("learning_rate",), rate_too_low, (*TRAINING_EXPLAINED, "rate too high")),
    Rule("overfitting", ("held_out_mlm_loss",), overfitting, TRAINING_EXPLAINED),
)
