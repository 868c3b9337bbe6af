"""A limit on how long a learner's function may run, in a notebook's own kernel."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType

ONCE_MORE = 1.0  # seconds after which a function that caught the interruption is interrupted again


class TooSlow(BaseException):
    """The time is up. No Exception, so that a learner's `except Exception` lets it pass."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow inside the block when it has run for so many seconds.

    A limit inside another one ends with whichever of the two is up first. By an alarm of the
    operating system, which Windows has not, and which only the main thread of Python can set:
    elsewhere there is no limit. A single call that never comes back to Python is not interrupted
    either.
    """
    if (
        not hasattr(signal, "setitimer")
        or threading.current_thread() is not threading.main_thread()
    ):
        yield
        return
    outer, again = signal.getitimer(signal.ITIMER_REAL)
    started = time.monotonic()
    before = signal.signal(signal.SIGALRM, _ring)
    within = min(seconds, outer) if outer else seconds
    signal.setitimer(signal.ITIMER_REAL, max(within, 1e-6), ONCE_MORE)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer:
            left = max(outer - (time.monotonic() - started), 1e-6)
            signal.setitimer(signal.ITIMER_REAL, left, again)


def _ring(number: int, frame: FrameType | None) -> None:
    raise TooSlow
