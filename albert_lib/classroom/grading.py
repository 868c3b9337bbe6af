"""Grade a class: a process for every submission, so many at a time; a kill loses nothing done."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch

from albert_lib.classroom.cells import MOST_CODE
from albert_lib.classroom.checker import check_submission
from albert_lib.classroom.limits import (
    Limits,
    Stranger,
    end_all_of,
    end_group,
    keep_from_being_read,
    stranger,
)
from albert_lib.classroom.results import (
    AnswerResult,
    SubmissionResult,
    library_mark,
    load_result,
    save_result,
    seed_of,
)
from albert_lib.classroom.submissions import Assignment, Submission
from albert_lib.errors import AlbertLibError
from albert_lib.workbook.checks import examine

SECONDS_AN_ANSWER = 150.0  # whatever it does; the check gives up on one within seconds
Say = Callable[[int, int, SubmissionResult], None]


class GradingError(AlbertLibError, RuntimeError):
    """This system cannot run answers apart from their check."""


@dataclass
class Job:
    """A submission that is being checked: its process, and what has come of it so far."""

    submission: Submission
    assignment: Assignment
    key: str
    seed: int
    user: Stranger | None
    process: int = 0
    results: Connection | None = None
    answers: list[AnswerResult] = field(default_factory=list)
    begun: str | None = None  # the exercise whose answer is running
    deadline: float = 0.0
    problem: str | None = None
    is_done: bool = False

    def result(self) -> SubmissionResult:
        """What became of the submission."""
        at = self.submission.handed_in
        found = SubmissionResult(
            self.submission.learner,
            self.submission.assignment,
            self.key,
            at.isoformat() if at is not None else None,
            tuple(self.answers),
            self.problem,
        )
        if self.problem is None:
            return found
        return nothing_graded(found, self.assignment, self.seed)


def nothing_graded(result: SubmissionResult, assignment: Assignment, seed: int) -> SubmissionResult:
    """The result of a file that could not be graded: no points, and its sentence as the reason."""
    answers = [
        AnswerResult(each.id, each.title, "unreadable", 0.0, assignment.points[each.id],
                     result.problem or "", seed)
        for each in assignment.exercises
    ]  # fmt: skip
    return SubmissionResult(**{**vars(result), "answers": tuple(answers)})


def grade_class(
    submissions: Sequence[Submission],
    assignments: dict[str, Assignment],
    output: Path,
    *,
    jobs: int = 2,
    limits: Limits | None = None,
    salt: str = "",
    say: Say = lambda done, all, result: None,
) -> list[SubmissionResult]:
    """The results of a class, in the order of `submissions`; each is kept in `output` at once.

    What is kept there for the same file, library, seed and points is not graded again. At most
    `jobs` submissions are checked at a time, each answer in a fresh process under `limits`. `say`
    hears of each result. Raises GradingError on a system without fork.
    """
    if not hasattr(os, "fork"):
        raise GradingError(
            "Grading needs Linux or macOS, where an answer can be run under limits; on Windows, "
            "run it in WSL."
        )
    found: dict[str, SubmissionResult] = {}
    waiting: list[Job] = []
    for submission in submissions:
        job = _job(submission, assignments[submission.assignment], salt)
        kept = load_result(output, submission.learner, submission.assignment, job.key)
        if kept is not None:
            found[submission.name] = kept
        else:
            waiting.append(job)
    for job in _Running(waiting, jobs, limits or Limits()).finished():
        result = job.result()
        save_result(output, result)
        found[job.submission.name] = result
        say(len(found), len(submissions), result)
    return [found[each.name] for each in submissions]


def _job(submission: Submission, assignment: Assignment, salt: str) -> Job:
    """What is to be done for a submission; its key changes with all that its marks depend on."""
    seed = seed_of(submission.learner, assignment.chapter, salt)
    points = ",".join(f"{id}={value:g}" for id, value in assignment.points.items())
    key = "/".join(
        (submission.digest(), str(submission.handed_in), library_mark(), str(seed), points)
    )
    return Job(submission, assignment, key, seed, None, problem=submission.problem)


class _Running:
    """The jobs that are running, and those that wait for a place."""

    def __init__(self, waiting: Sequence[Job], places: int, limits: Limits) -> None:
        self.waiting = list(waiting)
        self.limits = limits
        self.running: list[Job] = []
        self.others: set[int] = set()  # children of this process that are none of ours
        self.users = [stranger(place) for place in range(places)] if waiting else []

    def finished(self) -> Any:
        """Every job, as it is done."""
        if self.waiting:
            self._prepare()
        try:
            while self.waiting or self.running:
                while self.waiting and len(self.running) < len(self.users):
                    job = self.waiting.pop(0)
                    if job.problem is not None:
                        yield job
                        continue
                    taken = [each.user for each in self.running]
                    job.user = next((user for user in self.users if user not in taken), None)
                    self._start(job)
                self._listen()
                for job in [each for each in self.running if each.is_done]:
                    self.running.remove(job)
                    yield job
        finally:
            for job in self.running:
                self._end(job)

    def _prepare(self) -> None:
        """Load once what every process needs, on one thread: a fork takes no others along.

        PyTorch loads some parts only when they are used, an optimizer's for seconds.
        """
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # gradients would start threads for each device
        torch.set_num_threads(1)
        self.others = {each.pid for each in psutil.Process().children()}
        keep_from_being_read()
        asked = {each.id: each for job in self.waiting for each in job.assignment.exercises}
        for exercise in asked.values():
            examine(exercise, exercise.solution, 0)
        gc.collect()
        gc.freeze()

    def _start(self, job: Job) -> None:
        """Start, or go on after a process that was killed, without what is done."""
        job.results, theirs = Pipe(duplex=False)
        job.begun, job.deadline = None, time.monotonic() + SECONDS_AN_ANSWER
        done = [answer.exercise for answer in job.answers]
        sys.stdout.flush()
        job.process = os.fork()
        if job.process == 0:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            check_submission(
                job.submission, job.assignment, job.seed, self.limits, job.user, theirs, done
            )
        theirs.close()
        if job not in self.running:
            self.running.append(job)

    def _listen(self) -> None:
        """Take in what the processes say, and end those whose time is up."""
        pipes = {job.results: job for job in self.running if job.results is not None}
        if not pipes:
            return
        for pipe in wait(list(pipes), timeout=0.5):
            self._hear(pipes[pipe])  # type: ignore[index]
        for job in self.running:
            if not job.is_done and time.monotonic() > job.deadline:
                self._give_up(job, f"It was stopped after {SECONDS_AN_ANSWER:g} seconds.")

    def _hear(self, job: Job) -> None:
        assert job.results is not None
        try:
            kind, held = json.loads(job.results.recv_bytes(MOST_CODE))
        except (EOFError, OSError):
            self._give_up(
                job, "The answer ended the process that checks it, which nothing honest does."
            )
            return
        job.deadline = time.monotonic() + SECONDS_AN_ANSWER
        if kind == "begins":
            job.begun = held
        elif kind == "answer":
            job.answers.append(AnswerResult(**held))
        else:
            job.problem = held
            job.is_done = True
            job.results.close()  # its process has ended all that was left of the answers
            job.results = None
            os.waitpid(job.process, 0)

    def _give_up(self, job: Job, why: str) -> None:
        """End a job's process, blame the answer that was running, and go on behind it."""
        begun = next((each for each in job.assignment.exercises if each.id == job.begun), None)
        self._end(job)
        if begun is None:
            job.problem = f"{job.submission.file.name} could not be read. {why}"
            job.is_done = True
            return
        of = job.assignment.points[begun.id]
        job.answers.append(AnswerResult(begun.id, begun.title, "stopped", 0.0, of, why, job.seed))
        self._start(job)

    def _end(self, job: Job) -> None:
        """Kill a job's process and what it has left to this one, and close its pipe."""
        if job.results is not None:
            job.results.close()
            job.results = None
        end_group(job.process)
        if job.user is not None:
            end_all_of(job.user)
        own = self.others | {each.process for each in self.running if each is not job}
        for _ in range(100):
            children = [each for each in psutil.Process().children() if each.pid not in own]
            for stray in [each for child in children for each in _with_descendants(child)]:
                with contextlib.suppress(psutil.Error):
                    stray.kill()
            for child in children:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(child.pid, 0)
            if not children:
                break


def _with_descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return [process]
