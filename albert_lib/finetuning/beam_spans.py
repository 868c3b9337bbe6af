"""From the beams of SQuAD 2.0's head to the answer: the five likeliest starts, five ends of each.

What is possible is decided as for SQuAD 1.1 (spans.py), but only the head's own 25 candidates a
window are looked at: an end is scored for these starts alone. So, as in the paper's code, nothing
may be left, and then nothing is answered.

The two heads also differ in what says that there is no answer. There it is the score of [CLS]
less that of the best span; here it is a logit of its own, the least over the windows, and no span
is compared with it (`accumulate_predictions_v2` in google-research/albert squad_utils.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from albert_lib.errors import InputError
from albert_lib.finetuning.spans import (
    MAX_TOKENS,
    N_BEST,
    SpanPrediction,
    SpanScore,
    check_question,
    highest_spans,
    is_possible,
    rank_answers,
)
from albert_lib.finetuning.windows import SpanWindow
from albert_lib.model import ConditionedSpanOutput


@dataclass(frozen=True, eq=False)
class SpanBeams:
    """The likeliest starts in a window and the likeliest ends of each, as positions of the input.

    Attributes:
        start_log_probs: In nats.
        end_log_probs: In nats, given the start of the same row.
        no_answer_logit: The log odds that the question has no answer in this window.

    Example:
        >>> place, start, end = np.array([7]), np.array([-0.5]), np.array([[-1.0]])
        >>> SpanBeams(place, start, place[None], end, 0.0).candidates()[2].tolist()
        [-1.5]
    """

    starts: Int[np.ndarray, "starts"]
    start_log_probs: Float[np.ndarray, "starts"]
    ends: Int[np.ndarray, "starts ends"]
    end_log_probs: Float[np.ndarray, "starts ends"]
    no_answer_logit: float

    def candidates(
        self,
    ) -> tuple[
        Int[np.ndarray, "spans"],
        Int[np.ndarray, "spans"],
        Float[np.ndarray, "spans"],
    ]:
        """First and last position of every span, and its log probability, possible or not."""
        first = np.repeat(self.starts, self.ends.shape[1])
        log_probs = self.start_log_probs[:, None].astype(np.float64) + self.end_log_probs
        return first, self.ends.ravel(), log_probs.ravel()


@dataclass(frozen=True)
class ConditionedPrediction(SpanPrediction):
    """The n best answers, whose scores are log probabilities, and the logit of there being none.

    Example:
        >>> prediction = ConditionedPrediction((), null_score=0.0)
        >>> prediction.text(), prediction.null_margin, prediction.null_probability
        ('', 0.0, 0.5)
    """

    @property
    def null_margin(self) -> float:
        """The logit itself: it is no score of a span, to be compared with one."""
        return self.null_score


def beams_of_windows(output: ConditionedSpanOutput) -> list[SpanBeams]:
    """The beams of each row that a model gave without labels; InputError where it had labels.

    Example:
        >>> import torch
        >>> from albert_lib.finetuning import beams_of_windows
        >>> from albert_lib.model import ConditionedSpanOutput
        >>> top, end = torch.tensor([[3, 1]]), torch.tensor([[[4], [2]]])
        >>> output = ConditionedSpanOutput(
        ...     start_logits=torch.zeros(1, 6), no_answer_logits=torch.zeros(1),
        ...     top_starts=top, top_start_log_probs=-1.0 * top,
        ...     top_ends=end, top_end_log_probs=-1.0 * end)
        >>> [scores.tolist() for scores in beams_of_windows(output)[0].candidates()]
        [[3, 1], [4, 2], [-7.0, -3.0]]
    """
    tensors = [
        output.top_starts,
        output.top_start_log_probs,
        output.top_ends,
        output.top_end_log_probs,
        output.no_answer_logits,
    ]
    if any(tensor is None for tensor in tensors):
        raise InputError("This output has a loss and no beams; call the model without labels.")
    arrays = [tensor.detach().cpu().numpy() for tensor in tensors if tensor is not None]
    return [
        SpanBeams(starts, start_log_probs, ends, end_log_probs, float(logit))
        for starts, start_log_probs, ends, end_log_probs, logit in zip(*arrays, strict=True)
    ]


def predict_from_beams(
    windows: Sequence[SpanWindow],
    beams: Sequence[SpanBeams],
    *,
    max_tokens: int = MAX_TOKENS,
    n_best: int = N_BEST,
) -> ConditionedPrediction:
    """The best answers to one question; possibly none, and then its text is "".

    Args:
        windows: All windows of the question.
        beams: Of each window.
        max_tokens: Of an answer, at most.
        n_best: Spans that are kept, before a text that comes again is left out.

    Raises:
        InputError: when there are no windows, they are of several questions, there are not as many
            beams, a number is NaN or infinite, or `max_tokens` or `n_best` is below 1.

    Example:
        >>> from albert_lib.finetuning import SpanBeams, predict_from_beams
        >>> from albert_lib.finetuning.windows import example_windows
        >>> start, ends = np.array([7, 6]), np.array([[7, 6], [7, 5]])
        >>> log_probs = np.log([[0.5, 0.25], [0.75, 0.125]])
        >>> beams = SpanBeams(start, np.log([0.5, 0.25]), ends, log_probs, no_answer_logit=-1.0)
        >>> prediction = predict_from_beams(example_windows()[1:], [beams])
        >>> [(each.text, round(float(np.exp(each.score)), 4)) for each in prediction.answers]
        [('Sheep', 0.25), ('. Sheep', 0.1875)]
        >>> prediction.text(threshold=-0.5), prediction.text(threshold=-1.5)
        ('Sheep', '')
    """
    check_question(windows, max_tokens, n_best)
    _check_beams(windows, beams)
    found: list[SpanScore] = []
    for window, beam in zip(windows, beams, strict=True):
        first, last, log_probs = beam.candidates()
        possible = is_possible(window, first, last, max_tokens)
        found += highest_spans(window, first[possible], last[possible], log_probs[possible], n_best)
    least = min(beam.no_answer_logit for beam in beams)
    return ConditionedPrediction(rank_answers(windows[0].passage, found, n_best), least)


def _check_beams(windows: Sequence[SpanWindow], beams: Sequence[SpanBeams]) -> None:
    if len(windows) != len(beams):
        raise InputError(
            f"There are {len(windows)} windows, but beams of {len(beams)}; give one of each."
        )
    for window, beam in zip(windows, beams, strict=True):
        if not (np.isfinite(beam.candidates()[2]).all() and np.isfinite(beam.no_answer_logit)):
            raise InputError(
                f"Scores of question {window.question} are NaN or infinite; find out where in the "
                f"model that begins."
            )
