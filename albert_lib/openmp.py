"""PyTorch's threads sleep while they wait, as long as others need the processors.

A parallel region of OpenMP ends when its slowest thread does, and the others look again and again
whether it has: they spin, up to some milliseconds, since waking a sleeping thread takes longer than
most regions do. On a machine of one's own that is quickest. With a neighbour who keeps a processor
busy, the thread that all wait for has no processor, because one that waits is using it up; training
then takes several times as long. `share_processors` watches how busy others are, and lets threads
spin only while nobody is hindered by it. No digit of a sum depends on that. How many threads there
are does decide about digits; that number stays as it is.

**GNU's OpenMP** (PyTorch for Linux) looks at every wait whether the process has more threads than
there are processors, and then spins a hundred times instead of 300,000 (GCC's manual, under
GOMP_SPINCOUNT). So a few more threads, asleep, are all it takes, at any moment of a process.
**LLVM's and Intel's** (macOS and Windows) read KMP_BLOCKTIME once, when PyTorch is loaded: there
the choice is made at the start, and stays.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from pathlib import Path

from albert_lib.processors import OthersUse, allowed_processors

# What a user may have said about waiting; then nothing here is done.
WAIT_SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
SECONDS_BETWEEN_LOOKS = 0.5
FIRST_LOOK = 0.1  # seconds, where the choice is made once
HINDERED = 0.25  # processors of others, beyond those that our threads leave free: do not spin
UNHINDERED = 0.1  # below it for QUIET_LOOKS, spin again
QUIET_LOOKS = 4
_watch: Watch | None = None


def share_processors() -> None:
    """Watch, from now on, whether others need the processors; called again it does nothing.

    Commands, notebooks and training runs call it. Nothing is done if the user has set one of
    OMP_WAIT_POLICY, GOMP_SPINCOUNT and KMP_BLOCKTIME.
    """
    global _watch
    if _watch is not None or waiting_set_by_user() or len(allowed_processors()) < 2:
        return
    if sys.platform == "linux":
        _watch = Watch()
        _watch.start()
    elif "torch" not in sys.modules:
        _sleep_from_the_start_if_busy()


def waiting_set_by_user() -> str | None:
    """The setting by which the user has said how threads wait, as "GOMP_SPINCOUNT=1000"."""
    return next(
        (f"{name}={os.environ[name]}" for name in WAIT_SETTINGS if name in os.environ), None
    )


def how_threads_wait() -> str:
    """In words, how PyTorch's threads wait for each other now, and why."""
    if said := waiting_set_by_user():
        return f"as {said} says"
    if len(allowed_processors()) < 2:
        return "there is one"
    if _watch is None:
        return "as PyTorch's OpenMP has it"
    others = f"others use {_watch.others or 0:.1f}"
    return f"{others}: {'asleep' if _watch.short_spins.threads else 'spinning'}"


def _sleep_from_the_start_if_busy() -> None:
    use = OthersUse()
    time.sleep(FIRST_LOOK)
    if (use.since_last() or 0.0) > HINDERED:
        os.environ["KMP_BLOCKTIME"] = "0"


def threads_of_torch() -> int:
    """How many threads PyTorch works with; 1 as long as it is not loaded."""
    return int(getattr(sys.modules.get("torch"), "get_num_threads", lambda: 1)())


class Watch(threading.Thread):
    """Looks twice a second how busy others are, for as long as the process lives."""

    def __init__(self) -> None:
        super().__init__(name="albert_lib: do others need the processors?", daemon=True)
        self.others: float | None = None
        self.short_spins = ShortSpins()
        self.use, self.quiet_looks = OthersUse(), 0

    def run(self) -> None:
        """Look, and do what follows."""
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            self.look(self.use.since_last(), threads_of_torch())

    def look(self, others: float | None, threads: int) -> None:
        """Let `threads` threads spin shortly if `others`, in processors, leave them too few."""
        self.others = others
        lacking = threads + (others or 0.0) - len(allowed_processors())
        self.quiet_looks = self.quiet_looks + 1 if lacking < UNHINDERED else 0
        if threads > 1 and lacking > HINDERED:
            self.short_spins.begin(threads)
        elif threads < 2 or self.quiet_looks >= QUIET_LOOKS:
            self.short_spins.end()


class ShortSpins:
    """Gives GNU's OpenMP more threads than processors, so that none of them spins for long.

    The additional ones run nothing and sleep.
    """

    def __init__(self) -> None:
        self.threads = 0  # of PyTorch, for which it was begun
        self._over = threading.Event()

    def begin(self, threads: int) -> None:
        """Add sleeping threads until, with `threads` of PyTorch, there are too many."""
        if threads == self.threads:
            return
        self.end()
        library = _gnu_openmp()
        if library is None:
            return
        self.threads, self._over = threads, threading.Event()
        team = max(2, len(allowed_processors()) - threads + 2)
        ready = threading.Event()
        threading.Thread(
            target=_hold_a_team, args=(library, team, ready, self._over), daemon=True
        ).start()
        ready.wait()

    def end(self) -> None:
        """Let the additional threads end."""
        self.threads = 0
        self._over.set()


def _hold_a_team(
    library: ctypes.CDLL, threads: int, ready: threading.Event, over: threading.Event
) -> None:
    """Open a parallel region of OpenMP in which nothing is done; its threads stay until `over`.

    OpenMP keeps them for the next region of the thread that opened it, and ends them with it.
    """
    nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)  # a function without effects
    library.GOMP_parallel(nothing, None, ctypes.c_uint(threads), ctypes.c_uint(0))
    ready.set()
    over.wait()


def _gnu_openmp() -> ctypes.CDLL | None:
    """The OpenMP library that PyTorch has loaded, if it is GNU's.

    Others may be there as well: sentencepiece brings one of its own.
    """
    torch = sys.modules.get("torch")
    if torch is None or not getattr(torch, "__file__", None):
        return None
    found = loaded_libraries("libgomp")
    own = Path(str(torch.__file__)).resolve().parent / "lib"
    chosen = next((path for path in found if path.resolve().parent == own), None)
    if chosen is None and len(found) == 1:  # a system's package links to the system's library
        chosen = found[0]
    return None if chosen is None else ctypes.CDLL(str(chosen))


def loaded_libraries(name: str) -> list[Path]:
    """The files of shared libraries in this process whose name begins with `name` (Linux)."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    paths = {Path(line.split(maxsplit=5)[-1]) for line in lines.splitlines()}
    return sorted(path for path in paths if path.name.startswith(name))


def _forget_in_a_fork() -> None:
    """A forked process has its parent's watch, but not the thread: it may have one of its own."""
    global _watch
    _watch = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_a_fork)
