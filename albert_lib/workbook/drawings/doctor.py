"""The doctor's desk: a run's curve, what one instrument reads of it, and a diagnosis judged."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping

import matplotlib.pyplot as plt
import numpy as np
from jaxtyping import Float, Int
from matplotlib.figure import Figure

from albert_lib.diagnosis import diagnose
from albert_lib.training import History
from albert_lib.training.history import Row
from albert_lib.workbook.drawings.chapter_05 import SMOOTHED_OVER, draw_marks, smoothed
from albert_lib.workbook.measured import here
from albert_lib.workbook.style import COLORS

NOT_YET, HEALTHY = "not yet", "healthy"
LINE = 46  # characters beside the curve


def beside_counting(row: Row, name: str) -> str:
    """Say how far a loss lies from the unigram entropy of its text, and on which side."""
    gain = row["unigram_entropy"] - row[name]
    return f"{abs(gain):.2f} {'below' if gain > 0 else 'above'} counting"


INSTRUMENTS: dict[str, Callable[[Row], str]] = {
    "the curve alone": lambda row: "Nothing but the curve. Take an instrument.",
    "attention to context": lambda row: (
        f"When the tokens around it are permuted, the hidden state of a masked token changes by "
        f"{row['hearing']:.2g} of its norm; the most in this run was {row['most_hearing']:.2g}, at "
        f"step {row['most_hearing_at']:,}. {row['commonest_answer']:.0%} of the predictions are "
        f"the same token."
    ),
    "lowest loss": lambda row: (
        f"The training loss was lowest at step {row['lowest_at']:,}: {row['lowest']:.2f} nats, "
        f"{beside_counting(row, 'lowest')}. Now it is {row['loss_now']:.2f}, "
        f"{beside_counting(row, 'loss_now')}."
    ),
    "attention mask": lambda row: (
        f"The mask lets through {row['text_attended']:.0%} of the text and "
        f"{row.get('padding_attended', 0.0):.0%} of the padding."
    ),
    "labels in the input": lambda row: (
        f"At {row['visible_share']:.0%} of the predicted positions the input is the label; of "
        f"those that are not [MASK] at {row['kept_share']:.0%}, by the masking it should be "
        f"{row['kept_expected']:.0%}. {row['neighbour_share']:.0%} of the labels stand one "
        f"position beside."
    ),
    "learning rate": lambda row: (
        f"The highest rate so far was {row['highest_rate']:.2g}; {row['rate_at_lowest']:.2g} where "
        f"the loss was lowest."
    ),
}
# Where to look before such a diagnosis is made.
DECIDED_BY = {
    "rate too high": "attention to context",
    "rate too low": "learning rate",
    "late divergence": "lowest loss",
    "attention mask": "attention mask",
    "labels visible": "labels in the input",
    "labels shuffled": "labels in the input",
    "labels off by one": "labels in the input",
}
DIAGNOSES = (NOT_YET, HEALTHY, *DECIDED_BY)


def draw_patient(
    history: History, marks: Mapping[str, float], instrument: str, diagnosis: str
) -> tuple[Figure, str]:
    """A run's losses against marks; beside them one instrument's reading and the verdict.

    `instrument` is one of INSTRUMENTS, `diagnosis` one of DIAGNOSES.
    """
    figure, (axes, page) = plt.subplots(1, 2, figsize=(9, 3.8), width_ratios=(1, 1.1))
    steps, training = _training_curve(history)
    axes.plot(steps, training, color=COLORS[5], label="training")
    axes.plot(
        *history.curve("held_out_mlm_loss"), marker="o", markersize=4, color=COLORS[0],
        label="held-out",
    )  # fmt: skip
    draw_marks(axes, marks, int(history.rows[-1]["step"]), offset=-13)
    axes.margins(y=0.1)
    axes.set_xlabel("step")
    axes.set_ylabel("MLM loss, nats")
    axes.legend(loc="upper right")
    page.axis("off")
    paragraphs = [
        f"Seen by: {instrument}.",
        INSTRUMENTS[instrument](_last_look(history)),
        *judged(history, diagnosis),
    ]
    page.text(
        0, 1, "\n\n".join("\n".join(textwrap.wrap(each, LINE)) for each in paragraphs),
        va="top", fontsize=10,
    )  # fmt: skip
    return figure, f"A run's losses over its steps. {here(' '.join(paragraphs))}"


def judged(history: History, diagnosis: str) -> list[str]:
    """What is said to a diagnosis: nothing yet, that it is right and why, or where to look."""
    if diagnosis == NOT_YET:
        return ["Your diagnosis?"]
    found = diagnose(history).problems
    if diagnosis in ([each.cause for each in found] or [HEALTHY]):
        reasons = [f"{each.evidence} {each.remedy}" for each in found if each.cause == diagnosis]
        return [f"✓ Right: {diagnosis}.", *(reasons or ["No cause found: let it go on."])]
    where = DECIDED_BY.get(diagnosis)
    look = f"Look at: {where}." if where else "One of the instruments reads what it should not."
    if diagnosis == "rate too high" and "late divergence" in [each.cause for each in found]:
        # Deaf it is, so the instrument that decides would seem to say yes.
        look = f"It has not always ignored its context. Look at: {DECIDED_BY['late divergence']}."
    return [f"✗ Not this: {diagnosis}. {look}"]


def _training_curve(
    history: History,
) -> tuple[Int[np.ndarray, " windows"], Float[np.ndarray, " windows"]]:
    """Steps and training losses, means of SMOOTHED_OVER; a history of looks alone as it is."""
    steps, losses = history.curve("mlm_loss")
    if len(losses) <= SMOOTHED_OVER:
        return steps, losses
    return steps[SMOOTHED_OVER - 1 :], smoothed(losses)


def _last_look(history: History) -> Row:
    """The columns of the last look, and where in the run the numbers worth knowing were reached."""
    looked = next(row for row in reversed(history.rows) if "hearing" in row)
    steps, losses = _training_curve(history)
    lowest_at = steps[losses.argmin()]
    most = max((row for row in history.rows if "hearing" in row), key=lambda row: row["hearing"])
    return {
        **looked,
        "highest_rate": float(history.column("learning_rate").max()),
        "rate_at_lowest": next(r["learning_rate"] for r in history.rows if r["step"] == lowest_at),
        "lowest": float(losses.min()),
        "lowest_at": int(lowest_at),
        "loss_now": float(losses[-1]),
        "most_hearing": most["hearing"],
        "most_hearing_at": most["step"],
    }
