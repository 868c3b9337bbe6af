"""Plant two hundred small faults in the library, one at a time, and count those a test notices.

    python tests/mutants/run_mutants.py [--count 200] [--seed 0] [--folder model] [--processes 2]

prints a line a mutant and the figure, writes the survivors as a diff, and ends with 1 below 95 %.
Stopped and started again, it goes on where it was; mutants that survived are tried again once a
test has changed. The faults are planted in copies of the checkout. POSIX only.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from mutant_trials import Outcome, run_trials
from mutations import Mutant, mutants
from which_tests import FOLDERS, PROJECT, fingerprint, select

LEAST = 0.95  # of the mutants must be noticed
BUILD = PROJECT / "build" / "mutants"
RESULTS, SURVIVORS = BUILD / "results.json", BUILD / "survivors.diff"
EQUIVALENT = Path(__file__).with_name("equivalent.toml")


def equivalents() -> set[tuple[str, str, str]]:
    """(file, line before, line after) of the changes that change nothing one could test."""
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8")).get("mutant", [])
    return {(each["file"], each["before"], each["after"]) for each in entries}


def draw(count: int, seed: int, folders: Sequence[str]) -> list[Mutant]:
    """`count` mutants, as many from each folder, in an order that the seed decides.

    A mutant's place in the order depends on nothing but itself and the seed, so that a change
    elsewhere in the library leaves the sample as it was.
    """
    known = equivalents()
    drawn: list[Mutant] = []
    for number, folder in enumerate(folders):
        candidates = [
            mutant
            for path in sorted((PROJECT / "albert_lib" / folder).rglob("*.py"))
            for mutant in mutants(path.relative_to(PROJECT).as_posix(), path.read_text("utf-8"))
            if (mutant.file, mutant.before, mutant.after) not in known
        ]
        candidates.sort(key=lambda mutant: hashlib.sha256(f"{seed} {mutant.id}".encode()).digest())
        share = (count * (number + 1)) // len(folders) - (count * number) // len(folders)
        drawn += candidates[:share]
    return drawn


def as_diff(mutant: Mutant) -> str:
    """The change as a patch."""
    source = (PROJECT / mutant.file).read_text(encoding="utf-8")
    before, after = source.splitlines(), mutant.apply(source).splitlines()
    lines = difflib.unified_diff(before, after, mutant.file, mutant.kind, lineterm="", n=2)
    return "\n".join(lines) + "\n"


class Ledger:
    """What is known of each mutant, on disk after every trial."""

    def __init__(self) -> None:
        self.tests_now = fingerprint()
        stored = json.loads(RESULTS.read_text("utf-8")) if RESULTS.is_file() else {}
        self.entries: dict[str, dict[str, str]] = stored

    def known(self, mutant: Mutant) -> bool:
        """Whether a trial would only say again what the last one said."""
        entry = self.entries.get(mutant.id)
        if entry is None or entry["source"] != _digest(mutant.file):
            return False
        return entry["status"] == "killed" or entry["tests"] == self.tests_now

    def write(self, mutant: Mutant, outcome: Outcome) -> None:
        self.entries[mutant.id] = {
            "status": outcome.status,
            "by": outcome.by,
            "source": _digest(mutant.file),
            "tests": self.tests_now,
        }
        BUILD.mkdir(parents=True, exist_ok=True)
        unfinished = RESULTS.with_suffix(".new")
        unfinished.write_text(json.dumps(self.entries, indent=1), encoding="utf-8")
        unfinished.replace(RESULTS)

    def killed(self, mutant: Mutant) -> bool:
        return self.entries[mutant.id]["status"] == "killed"


def _digest(file: str) -> str:
    return hashlib.sha256((PROJECT / file).read_bytes()).hexdigest()[:16]


def report(sample: Sequence[Mutant], ledger: Ledger) -> float:
    """Print the figure, folder by folder; write the survivors; return the share that was killed."""
    survivors = [mutant for mutant in sample if not ledger.killed(mutant)]
    SURVIVORS.write_text("\n".join(map(as_diff, survivors)), encoding="utf-8")
    of = Counter(mutant.file.split("/")[1] for mutant in sample)
    left = Counter(mutant.file.split("/")[1] for mutant in survivors)
    for folder, number in of.items():
        print(f"{folder:<12}{number - left[folder]:4} of {number:3} killed")
    share = 1 - len(survivors) / len(sample)
    print(f"{len(sample) - len(survivors)} of {len(sample)} mutants killed: {share:.1%}", end="")
    print(f"; survivors in {SURVIVORS.relative_to(PROJECT)}" if survivors else "")
    return share


def main() -> int:
    """Try the sample; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", choices=FOLDERS, action="append", help="all six if not given")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="print the sample, and run nothing")
    options = parser.parse_args()
    folders = options.folder or FOLDERS
    sample = draw(options.count, options.seed, folders)
    if options.list:
        print("\n".join(map(as_diff, sample)))
        return 0
    selection, ledger = select(BUILD, folders), Ledger()
    waiting = [mutant for mutant in sample if not ledger.known(mutant)]
    print(f"{len(sample)} mutants, {len(waiting)} of them to try.")
    with tempfile.TemporaryDirectory(prefix="albert-mutants-") as folder:
        trials = run_trials(waiting, selection, options.processes, Path(folder))
        for number, (mutant, outcome) in enumerate(trials, start=1):
            ledger.write(mutant, outcome)
            place = f"{mutant.file}:{mutant.line}"
            print(
                f"{number:4}/{len(waiting)} {outcome.seconds:4.0f} s  {outcome.status:<9}", end=""
            )
            print(f"{place}  {mutant.kind}  {outcome.by}", flush=True)
    return 0 if report(sample, ledger) >= LEAST else 1


if __name__ == "__main__":
    sys.exit(main())
