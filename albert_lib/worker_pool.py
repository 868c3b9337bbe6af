"""Processes that work for this one, and end with it without a word, however it ends.

As concurrent.futures' ProcessPoolExecutor, which prints tracebacks of half-started processes when
the one that starts them is killed: there, each is handed what it needs while it starts. Here each
is a Python of its own that reads its jobs from a pipe. The end of that pipe, which the system
closes when this process is gone, means that there is nothing more to do, at any instant.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import IO, Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Returned = TypeVar("Returned")
LENGTH = 8  # bytes, before every message

# Ctrl-C, which a terminal sends to all, is for the process that started this one. What it imports
# it finds where that one does.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
sys.path[:] = sys.argv[1:]
from albert_lib.worker_pool import serve
serve()
"""


class WorkerPool(Executor):
    """At most `workers` processes, each of which first calls `initializer(*arguments)`.

    A function is one of a module. Arguments and what is returned are pickled on their way between
    processes of one program; nothing is read from a file. A job whose process is gone raises
    BrokenProcessPool.

    Example:
        >>> with WorkerPool(1) as pool:
        ...     pool.submit(pow, 2, 10).result()
        1024
    """

    def __init__(
        self,
        workers: int,
        initializer: Callable[..., Any] | None = None,
        arguments: tuple[Any, ...] = (),
    ) -> None:
        self._first = None if initializer is None else pickle.dumps((initializer, arguments, {}))
        self._most = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="worker")
        self._workers: list[Worker] = []
        self._idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()

    def submit(
        self, fn: Callable[Given, Returned], /, *args: Given.args, **kwargs: Given.kwargs
    ) -> Future[Returned]:
        """Let a process that is free call a function; return what will hold its result."""
        if len(self._workers) < self._most and self._idle.empty():
            with interruptions_held_back():  # which the new process inherits
                self._workers.append(Worker(self._first))
            self._idle.put(self._workers[-1])
        return self._threads.submit(self._call, fn, args, kwargs)

    def _call(self, *job: Any) -> Any:
        said = pickle.dumps(job)
        worker = self._idle.get()
        try:
            return worker.call(said)
        finally:
            self._idle.put(worker)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, after their jobs, or at once if those are cancelled."""
        if cancel_futures:
            for worker in self._workers:
                worker.process.kill()
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        if wait:
            for worker in self._workers:
                worker.close()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End the processes, after an error or Ctrl-C without waiting for their jobs."""
        self.shutdown(cancel_futures=kind is not None)


class Worker:
    """One process; `first` is the pickled job that it does before all others."""

    def __init__(self, first: bytes | None) -> None:
        self.first = first
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *sys.path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def call(self, job: bytes) -> Any:
        """Return what the process answers to a pickled job, or raise what it raised."""
        assert self.process.stdin is not None and self.process.stdout is not None
        for said in (job,) if self.first is None else (self.first, job):
            try:
                send(self.process.stdin, said)
                received = receive(self.process.stdout)
            except OSError:  # its end of a pipe is closed
                received = None
            if received is None:
                raise BrokenProcessPool("A worker process ended before its work was done.")
            went_well, answer = pickle.loads(received)
            if not went_well:
                raise answer
            self.first = None
        return answer

    def close(self) -> None:
        """Let the process end, and wait until it has."""
        with contextlib.suppress(OSError):  # of what a process that is gone has not read
            self.process.communicate()


@contextlib.contextmanager
def interruptions_held_back() -> Iterator[None]:
    """Ignore Ctrl-C inside the block; processes started in it inherit that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def send(pipe: IO[bytes] | io.BytesIO, message: bytes) -> None:
    """Write a message and its length before it."""
    pipe.write(len(message).to_bytes(LENGTH, "big"))
    pipe.write(message)
    pipe.flush()


def receive(pipe: IO[bytes] | io.BytesIO) -> bytes | None:
    """Read a message, or None where the pipe has ended, be it in the middle of one.

    Example:
        >>> import io
        >>> pipe = io.BytesIO()
        >>> send(pipe, b"work")
        >>> receive(io.BytesIO(pipe.getvalue())), receive(io.BytesIO(pipe.getvalue()[:-1]))
        (b'work', None)
    """
    length = int.from_bytes(pipe.read(LENGTH), "big")
    message = pipe.read(length)
    return message if 0 < length == len(message) else None


# -- what runs in the processes


def serve() -> None:
    """Do the jobs that standard input brings and write the answers to standard output."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a job prints is no answer
    jobs: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    # Not sys.stdin: Python closes that when it ends, and aborts where a thread is reading from it.
    source = os.fdopen(os.dup(0), "rb")
    threading.Thread(target=listen, args=(source, jobs), daemon=True).start()
    while True:
        try:
            send(answers, done(jobs.get()))
        except OSError:  # nobody is there to read it
            os._exit(0)


def listen(source: IO[bytes] | io.BytesIO, jobs: queue.SimpleQueue[bytes]) -> None:
    """Pass jobs on, and end this process when there can be no more, though one is being done."""
    with contextlib.suppress(OSError):
        while (job := receive(source)) is not None:
            jobs.put(job)
    os._exit(0)


def done(job: bytes) -> bytes:
    """Whether a pickled job went well, and what came of it: a value or an exception; pickled.

    Example:
        >>> pickle.loads(done(pickle.dumps((len, ([1, 2],), {}))))
        (True, 2)
    """
    try:
        function, given, named = pickle.loads(job)
        return pickle.dumps((True, function(*given, **named)))
    except Exception as problem:
        try:
            answer = pickle.dumps((False, problem))
            pickle.loads(answer)
        except Exception:  # not every exception can be made again from its arguments
            answer = pickle.dumps((False, RuntimeError(f"{type(problem).__name__}: {problem}")))
        return answer
