"""What can be wrong with a pretraining run, each fault with the numbers that give it away.

Every limit lies between what healthy runs and runs with that fault planted were measured to do.
Both ranges stand beside it, from `python -m benchmarks.diagnosis`, with `--text small` (a made-up
text of 5,000 pieces, width 48) and `--text english` (documentation, width 128) together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from albert_lib.diagnosis.curve import SHORT, Readings


@dataclass(frozen=True)
class Finding:
    """One thing that is probably wrong: a name for the cause, and three sentences."""

    cause: str
    seen: str  # in the numbers
    likely: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.seen} {self.likely} {self.remedy}"


@dataclass(frozen=True)
class Rule:
    """How one cause is told: the columns it needs, and the judgement."""

    cause: str
    needs: tuple[str, ...]
    judge: Callable[[Readings], tuple[str, str, str] | None]
    unless: tuple[str, ...] = ()  # causes that, found before, explain the same numbers


def labels_visible(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the answers stand in the input."""
    share = read.last("visible_share")
    if share <= 0.6:  # healthy 0 to 0.11; planted 1; labels off by one 0.26
        return None
    return (
        f"At {share:.0%} of the places that the loss asks about, the answer itself is shown "
        f"(by the paper's masking a tenth); the training loss is {read.recent:.2f}, but where "
        f"[MASK] stands the same text costs {read.last('known_text_loss'):.2f} nats a piece.",
        "The model learns to copy, because the pieces are not hidden.",
        "Check that what is masked is what the model is given, and mask_probability.",
    )


def labels_beside(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the labels are the pieces next to those that are asked for."""
    share = read.last("neighbour_share")
    if share <= 0.6:  # healthy 0 to 0.01; planted 1
        return None
    return (
        f"{share:.0%} of the labels stand in the input one place beside the place asked about.",
        "Labels and positions are off by one against each other.",
        "Count from the same end: does one of the two include [CLS], the other not?",
    )


def labels_of_other_ids(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the labels are pieces that the text does not have."""
    surprise, unigram = read.last("label_surprise"), read.last("unigram_entropy")
    if surprise <= unigram + 1.2:  # above it: healthy −0.4 to 0.1; planted 1.7 to 6.1
        return None
    return (
        f"The labels are pieces that are rare in the training text: by its counts they cost "
        f"{surprise:.2f} nats each, pieces of the text itself {unigram:.2f}.",
        "They are probably numbered by another vocabulary, or taken from another place.",
        "Decode a few labels next to their inputs, and compare the tokenizer of each.",
    )


def labels_shuffled(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether labels are of the right text but of the wrong places."""
    found, expected = read.last("kept_share"), read.last("kept_expected")
    if found >= expected / 2:  # of `expected`: healthy 0.9 to 1.2; planted 0 to 0.1
        return None
    return (
        f"Of the places that are asked about but show a piece, {found:.0%} show the label; by the "
        f"masking it should be {expected:.0%}. The labels are as common as the text's pieces.",
        "The labels are probably shuffled against their inputs, so only counting can be learned.",
        "Check whatever sorts, gathers or batches inputs and labels: both need the same order.",
    )


def attention_mask_wrong(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether attention is open to padding, or closed to text."""
    text = read.last("text_attended")
    padding = read.last("padding_attended") if "padding_attended" in read.columns else 0.0
    if text >= 0.9 and padding <= 0.1:  # healthy 1 and 0, exactly; planted 0 and 1
        return None
    return (
        f"The attention mask lets through {text:.0%} of the text and {padding:.0%} of the padding.",
        "It is probably inverted, or built for other sequences.",
        "Pass 1 where there is text and 0 where there is padding.",
    )


def too_much_hidden(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether so much is hidden that there is no context left to read."""
    share = read.last("hidden_share")
    # Healthy runs at 0.15 and 0.4; planted 0.9. What then shows is a loss near the unigram
    # entropy: planted 0.8 to 1.1 of it.
    if share <= 0.7 or read.recent < 0.7 * read.last("unigram_entropy"):
        return None
    return (
        f"{share:.0%} of the text is hidden, and the training loss is {read.recent:.2f} where "
        f"counting alone gives {read.last('unigram_entropy'):.2f}.",
        "There is hardly any context left to tell a hidden piece from.",
        "Hide less: a share of 0.15 to 0.4.",
    )


def too_few_predictions(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether a batch asks so little that its gradient is mostly chance."""
    share, number = read.last("hidden_share"), read.last("predictions")
    # Healthy 0.15 of the text and 60 pieces or more; planted 0.035 and 16. The paper's 20 of 512
    # are 0.039 too, but 80,000 a batch. One piece's loss deviates by about 2.5 nats: at 50 pieces
    # a batch's mean is off by a third of a nat.
    if share >= 0.08 or number >= 50:
        return None
    return (
        f"A batch asks for {number:.0f} pieces, {share:.1%} of its text.",
        "What is learned in a step is mostly the chance of those few pieces.",
        "Raise max_predictions or share, or take larger batches.",
    )


def no_gradient(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether a part of the model is cut off from the loss."""
    parts = {"words": "word embeddings", "encoder": "encoder", "mlm_head": "MLM head"}
    silent = [parts[name] for name in parts if read.last(f"gradient_{name}") == 0]
    if not silent:  # healthy 0.02 to 8; planted exactly 0
        return None
    return (
        f"No gradient at all reaches the {' nor the '.join(silent)}.",
        "That part is frozen (requires_grad) or cut off (detach), so it stays as it was drawn.",
        "Unfreeze it, and build the optimiser afterwards.",
    )


def output_not_tied(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether pieces are scored by another matrix than the word embeddings."""
    share = read.last("tied_share")
    if share >= 0.5:  # healthy 1, exactly; planted 0
        return None
    return (
        f"Of the pieces that a batch does not contain, {share:.0%} get a gradient in their word "
        f"embedding; from a tied output all of them would.",
        "The output matrix is probably a copy of the word embeddings, not the same parameter.",
        "Hand the embedding's own weight to the output layer.",
    )


def loss_diluted(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the MLM loss is something else than a mean over what it asks for."""
    share = read.last("counted_share")
    if 0.7 <= share <= 1.4:  # healthy 0.999 to 1.001; planted 0.15
        return None
    kind = "sum over the pieces asked for" if share > 1 else "mean over more than those pieces"
    return (
        f"The loss is {share:.2f} times the mean over the pieces that it asks for.",
        f"It is probably a {kind}, so its number and its weight beside the order loss are off.",
        "Divide by the number of hidden pieces, not by the positions or the sequences.",
    )


def padding(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether most of the work is spent on padding."""
    share = read.last("text_share")
    if share >= 0.5:  # healthy 0.87 to 0.98; planted 0.19
        return None
    return (
        f"Only {share:.0%} of the positions in a batch are text; the rest is padding.",
        f"The sequences are longer than the documents, and a step costs about {1 / share:.0f} "
        f"times what its text is worth.",
        "Shorten sequence_length, or join short documents.",
    )


def segments_missing(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the model is told which of the two passages a piece belongs to."""
    share = read.last("segment_share")
    if share >= 0.05:  # healthy 0.46 to 0.51; planted 0
        return None
    accuracy = read.last("held_out_sop_accuracy")
    return (
        f"{share:.0%} of the text is marked as the second passage, and the order of held-out pairs "
        f"is judged right at {accuracy:.0%}; a coin gets 50%.",
        "The segment ids are probably left out, so the model must guess where one passage ends.",
        "Pass token_type_ids: 0 for the first passage, 1 for the second.",
    )


def rate_too_high(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the layers were shaken until they say the same to every input."""
    hearing = read.history.column("hearing")
    if read.counted < 0.5 and read.recent < read.last("uniform_loss") + 1:
        return None  # not yet shaken anywhere: a fresh model, or a slow one
    deaf = hearing[-1] < 1e-5  # healthy 4e-4 to 1; planted (rate 3 to 10 times too high) to 6e-6
    # Adam's step does not grow with the weights, and at three to ten times the right rate leaves
    # some models merely hard of hearing: 3e-5 to 7e-4, and not rising. Healthy ones are at 4e-4
    # to 3e-3 when they come down to the unigram entropy, but not for half a run.
    half = hearing[(len(hearing) - 1) // 2]
    hard_of_hearing = len(hearing) >= 3 and hearing[-1] < min(2e-3, 1.5 * half) and read.is_settled
    same_answer = read.last("commonest_answer")
    if not (deaf or (hard_of_hearing and same_answer > 0.9)):
        return None
    return (
        f"When all its neighbours are exchanged, the state of a hidden piece changes by "
        f"{hearing[-1]:.0e} of its length, and {same_answer:.0%} of the answers are the same one; "
        f"the loss is {read.recent:.2f}, and counting alone gives "
        f"{read.last('unigram_entropy'):.2f}.",
        f"The model is deaf; the likely cause is a learning rate too high "
        f"(here up to {read.history.column('learning_rate').max():.2g}).",
        "Start again with a quarter of the rate, or a longer warm-up; waiting does not help.",
    )


def rate_too_low(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the weights hardly move."""
    rates = read.history.column("learning_rate")
    if read.steps > 1 and rates[1:].max() == 0:
        return (
            f"The learning rate was 0 at all {read.steps} steps.",
            "So nothing was trained.",
            "Look at the schedule: its peak, its warm-up and its number of steps.",
        )
    if "uniform_loss" not in read.columns or read.steps < SHORT:
        return None
    in_warm_up = rates[-1] >= rates.max() > rates.min()  # a constant rate has none
    done = read.counted
    # Steps to the unigram entropy at the pace so far, as a multiple of those done. Healthy runs
    # have passed it or need 0.2 times more; planted (a thousandth of the rate) 100 and more.
    if in_warm_up or done >= 0.5 or (1 - done) < 10 * max(done, 1e-9):
        return None
    return (
        f"After {read.steps} steps the loss is {read.recent:.2f}, still close to "
        f"ln V = {read.last('uniform_loss'):.2f}, though gradients arrive.",
        f"The likely cause is a learning rate too low (here up to {rates.max():.2g}).",
        "Try ten times the rate.",
    )


def overfitting(read: Readings) -> tuple[str, str, str] | None:
    """Tell whether the text is learned by heart."""
    held_out = read.history.column("held_out_mlm_loss")
    gap = held_out[-1] - read.recent
    # Healthy −0.1 to 0.3 nats, planted 3.5 to 4. In between, held-out text must have stopped
    # gaining: text of another kind costs more too, but goes on gaining.
    stopped = held_out[-1] > held_out[: (len(held_out) + 1) // 2].min() - 0.1
    if len(held_out) < 3 or gap < 0.7 or (gap < 1.5 and not stopped):
        return None
    return (
        f"The training loss is {read.recent:.2f}, but held-out text costs {held_out[-1]:.2f}; "
        f"its best was {held_out.min():.2f}.",
        "The model is learning its text by heart: there is too little of it for so many steps.",
        "Use more text, stop earlier, or turn on dropout.",
    )


WRONG_LABELS = ("labels visible", "labels off by one", "other labels", "labels shuffled")
# What a curve is worth nothing after: the model is taught, or shown, something else.
SPOILERS = (*WRONG_LABELS, "attention mask", "no gradient", "loss diluted")
RULES = (
    Rule("labels visible", ("visible_share", "known_text_loss"), labels_visible),
    Rule("labels off by one", ("neighbour_share",), labels_beside, WRONG_LABELS),
    Rule("other labels", ("label_surprise",), labels_of_other_ids, WRONG_LABELS),
    Rule("labels shuffled", ("kept_share", "kept_expected"), labels_shuffled, WRONG_LABELS),
    Rule("attention mask", ("text_attended",), attention_mask_wrong),
    Rule("no gradient", ("gradient_words",), no_gradient),
    Rule("output not tied", ("tied_share",), output_not_tied, ("no gradient",)),
    Rule("loss diluted", ("counted_share",), loss_diluted),
    Rule("too much hidden", ("hidden_share", "unigram_entropy"), too_much_hidden),
    Rule("too few predictions", ("hidden_share", "predictions"), too_few_predictions),
    Rule("padding", ("text_share",), padding),
    Rule("segments missing", ("segment_share", "held_out_sop_accuracy"), segments_missing),
    Rule("rate too high", ("hearing", "commonest_answer"), rate_too_high, SPOILERS),
    Rule("rate too low", ("learning_rate",), rate_too_low, (*SPOILERS, "rate too high")),
    Rule("overfitting", ("held_out_mlm_loss",), overfitting, SPOILERS),
)
