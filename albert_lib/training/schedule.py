"""The learning rate of every step: a warm-up in a straight line, then a straight line to zero."""

from __future__ import annotations


def warmup_linear(step: int, *, peak: float, warmup_steps: int, total_steps: int) -> float:
    """Return the learning rate used at `step`, counted from 0.

    It climbs from 0 at step 0 to `peak` at `warmup_steps`, then falls to 0 at `total_steps`
    (ALBERT, section 4.1: 3,125 of 125,000 steps are warm-up). The same line as transformers'
    get_linear_schedule_with_warmup. Google's code lets its decay begin at step 0 and so drops
    a little, by warmup_steps / total_steps of the peak, on the step where warm-up ends.
    """
    if step < warmup_steps:
        return peak * step / warmup_steps
    remaining = max(0, total_steps - step)
    return peak * remaining / max(1, total_steps - warmup_steps)
