"""Whether a corpus whose building is killed while its workers start ends as if it had not been.

A part of `python -m benchmarks.kills`. Each build is killed with SIGKILL at a random instant after
its first worker process appeared; nothing may be said on standard error by what it leaves, no
process may outlive it, and the same command, run again, has to end with the same stores.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import psutil

from albert_lib.corpus import python_documentation
from albert_lib.corpus.encoding import BATCH_CHARACTERS
from albert_lib.files import project_folder

DOCUMENTS = 150
BATCHES = 5  # so that every worker has work while others still start
SECONDS_TO_END = 10.0  # for workers whose parent is gone
STARTING = 1.5  # seconds; about as long as two workers take until they are both at work


def kill_builds(folder: Path, kills: int, draw: random.Random) -> int:
    """Kill so many builds, a line each; return how many left something or ended otherwise."""
    text = folder / "text.txt"
    write_text(text)
    run(start(text, folder / "alone-corpus"))
    wrong = 0
    for number in range(1, kills + 1):
        output = folder / "killed-corpus"
        shutil.rmtree(output, ignore_errors=True)
        delay = draw.random() * STARTING
        problem = kill_while_workers_start(start(text, output), delay)
        said = run(start(text, output))
        if not problem and said:
            problem = f"building went on with {said!r}"
        if not problem and content(output) != content(folder / "alone-corpus"):
            problem = "it is another corpus"
        wrong += bool(problem)
        print(f"build {number}: killed {delay:.2f} s after its first worker: {problem or 'same'}")
    return wrong


def write_text(path: Path) -> None:
    """Write as much of Python's documentation, over and over, as fills a few batches."""
    documents = islice(python_documentation(packages=()), DOCUMENTS)
    text = "\n\n".join("\n".join(map(str, document)) for document in documents)
    copies = BATCHES * BATCH_CHARACTERS // len(text) + 1
    path.write_text("\n\n".join([text] * copies), encoding="utf-8")


def start(text: Path, output: Path) -> subprocess.Popen[str]:
    """Start to build a corpus with two workers."""
    words = ["build-corpus", text, "--tokenizer", "english-8k", "--output", output]
    return subprocess.Popen(
        [sys.executable, "-m", "albert_lib", *map(str, words), "--workers", "2"],
        cwd=project_folder(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(process: subprocess.Popen[str]) -> str:
    """Wait for a build; return what it said apart from its progress, if that was an error."""
    said = process.communicate()[1]
    return "" if process.returncode == 0 else said


def kill_while_workers_start(process: subprocess.Popen[str], delay: float) -> str:
    """Kill a build that long after its first worker appeared; say what it left, or nothing."""
    parent = psutil.Process(process.pid)
    while process.poll() is None and not parent.children():
        time.sleep(0.002)
    time.sleep(delay)
    children = parent.children(recursive=True) if process.poll() is None else []
    process.kill()
    said = process.communicate()[1]
    _, alive = psutil.wait_procs(children, timeout=SECONDS_TO_END)
    if any(each.status() != psutil.STATUS_ZOMBIE for each in alive):
        return "a worker outlived it"
    if any(word in said for word in ("Traceback", "Error", "Warning")):
        return f"its workers said {said[-200:]!r}"
    return ""


def content(corpus: Path) -> dict[str, bytes]:
    """The bytes of the stores of a corpus by their names."""
    return {
        path.relative_to(corpus).as_posix(): path.read_bytes()
        for path in sorted(corpus.rglob("*.bin"))
    }
