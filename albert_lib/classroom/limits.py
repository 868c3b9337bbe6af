"""What an answer's process may take: memory, seconds, processes, files; and how all of it ends."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil  # type: ignore[import-untyped]

MEGABYTE = 2**20
# Users that no machine gives away, one for each job, so that a limit counts each one's processes.
FIRST_STRANGER = 61_700
DUMPABLE, KEEP_RIGHTS, SUBREAPER = 4, 8, 36  # Linux's prctl
RIGHTS_TO_READ = 0b110  # over files that belong to others, as Linux numbers root's rights
CAPSET_VERSION = 0x20080522


@dataclass(frozen=True)
class Stranger:
    """A user without rights; `reads` where it has to keep one, to read what only root may.

    So it is where Python itself is installed in root's own folder.
    """

    number: int
    reads: bool = False


@dataclass(frozen=True)
class Limits:
    """What one answer may take: megabytes beside those of the libraries, seconds, processes."""

    memory: int = 2048
    seconds: int = 120  # of the processor; the check itself waits for much less
    processes: int = 48
    file: int = 64  # megabytes of any file that it writes


def confine(limits: Limits, user: Stranger | None) -> None:
    """Put this process and those that it starts under limits, for good.

    `user` is what the process becomes, where it may. Limits that this system has not are left out.
    """
    import resource  # Windows has none

    def limit(name: str, most: int) -> None:
        number = getattr(resource, name, None)
        if number is None:
            return
        hard = resource.getrlimit(number)[1]
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        with contextlib.suppress(ValueError, OSError):  # not on this system
            resource.setrlimit(number, (most, most))

    if sys.platform == "linux":  # elsewhere the size of a process says nothing
        limit("RLIMIT_AS", psutil.Process().memory_info().vms + limits.memory * MEGABYTE)
    limit("RLIMIT_CPU", limits.seconds)
    limit("RLIMIT_FSIZE", limits.file * MEGABYTE)
    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_NOFILE", 256)
    if user is not None:
        _become(user)
        limit("RLIMIT_NPROC", limits.processes)
    else:
        limit("RLIMIT_NPROC", _threads_of_this_user() + limits.processes)


def stranger(job: int) -> Stranger | None:
    """The user without rights for a job's answers, or None where this one cannot become another.

    That takes root, as in a container.
    """
    if sys.platform != "linux" or os.getuid() != 0:
        return None
    for reads in (False, True):
        process = os.fork()
        if process == 0:
            with contextlib.suppress(BaseException):
                _become(Stranger(FIRST_STRANGER + job, reads))
                for place in (ctypes.__file__, psutil.__file__, __file__):
                    with open(place, "rb"):
                        pass
                os._exit(0)
            os._exit(1)
        if os.waitpid(process, 0)[1] == 0:
            return Stranger(FIRST_STRANGER + job, reads)
    return None


def _become(user: Stranger) -> None:
    """Become another user, for good; OSError where this one must not."""
    if user.reads:
        ctypes.CDLL(None).prctl(KEEP_RIGHTS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(user.number)
    os.setuid(user.number)
    if user.reads:
        system = ctypes.CDLL(None, use_errno=True)
        head, rights = (ctypes.c_uint32 * 2)(CAPSET_VERSION, 0), (ctypes.c_uint32 * 6)()
        system.capget(head, rights)
        kept = rights[1] & RIGHTS_TO_READ
        rights[:] = [kept, kept, 0, 0, 0, 0]
        if system.capset(head, rights):
            raise OSError(ctypes.get_errno(), "capset")


def keep_from_being_read() -> None:
    """Let no other process of this user look into this one, and take in orphans of its own."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            system = ctypes.CDLL(None)
            system.prctl(DUMPABLE, 0, 0, 0, 0)
            system.prctl(SUBREAPER, 1, 0, 0, 0)


def end_everything(process: int, user: Stranger | None) -> None:
    """Kill a process, its group, and whatever it has started and left to this one.

    This process must have no other children, and take in orphans (`keep_from_being_read`).
    """
    end_group(process)
    if user is not None:
        end_all_of(user)
    for _ in range(100):
        if not _collect():
            break
        strays = psutil.Process().children(recursive=True)
        for number in (signal.SIGSTOP, signal.SIGKILL):  # so that none starts another meanwhile
            for stray in strays:
                with contextlib.suppress(psutil.Error):
                    stray.send_signal(number)


def end_group(process: int) -> None:
    """Kill a process and those in its group."""
    for kill in (os.killpg, os.kill):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)


def end_all_of(user: Stranger) -> None:
    """Kill every process of a user at once, which only that user's own process can."""
    process = os.fork()
    if process == 0:
        with contextlib.suppress(BaseException):
            os.setgid(user.number)
            os.setuid(user.number)
            os.kill(-1, signal.SIGKILL)
        os._exit(0)
    os.waitpid(process, 0)


def _collect() -> bool:
    """Take note of ended children, so that none is left as a zombie; whether others are left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _threads_of_this_user() -> int:
    """How many threads this user has, which is what the limit of processes counts."""
    own, count = os.getuid(), 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_uid == own:
                count += len(list((folder / "task").iterdir()))
    return count or len(psutil.pids())
