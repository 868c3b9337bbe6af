"""Give every exercise's check all wrong variants of its function; count what it refuses and names.

    python tests/mutants/run_exercise_mutants.py [--list 4.3 7] [--processes 2]

prints a line an exercise and the totals, and ends with 1 where a target is missed. `--list` takes
exercises (4.3) or chapters (7) and shows each of their variants that is accepted, or refused
without a name, by its changed line. The inputs have a fixed seed.

Of a refused variant one of these is true, and the table counts them apart:
- it returned something wrong: then the check has named a misconception, or said how the answers
  hang together with the right ones ("too small by hidden_size": measured), or neither. The share
  that is named, and that 60 % is asked of, is of these alone, and measured ones do not count;
- it raised an error or did not end, or returned None everywhere: the check says so in a sentence
  of its own, with the line and the input. That is no misconception and counts as neither.
Below the totals the share of all refused variants stands as well.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from exercise_mutants import PROJECT, Variant, waiting_of
from exercise_trials import (
    ACCEPTED,
    MEASURED,
    NAMED,
    NOTHING,
    PARTLY,
    RAISED,
    UNNAMED,
    Outcome,
    outcomes,
)

from albert_lib.workbook.exercise import Exercise, all_exercises

EXERCISES, MISCONCEPTIONS, REFUSED, OF_THESE_NAMED = 30, 120, 0.97, 0.60
REPORT = PROJECT / "build" / "mutants" / "exercises.txt"
Tried = list[tuple[Variant, Outcome]]


class Counts:
    """How many variants had which outcome."""

    def __init__(self, tried: Tried) -> None:
        self.of = Counter(outcome.word for _, outcome in tried)
        self.mutants = len(tried)
        self.refused = self.mutants - self.of[ACCEPTED]
        self.named = self.of[NAMED] + self.of[PARTLY]
        self.measured = self.of[MEASURED]
        self.wrong = self.named + self.measured + self.of[UNNAMED]

    def share_refused(self) -> float:
        return self.refused / max(self.mutants, 1)

    def share_named(self) -> float:
        return self.named / max(self.wrong, 1)

    def share_measured(self) -> float:
        return self.measured / max(self.wrong, 1)


HEADINGS = (
    f"{'id':5}{'title':32}{'function':26}{'':4}{'min':>5}{'points':>7}{'mistakes':>9}"
    f"{'mutants':>8}{'refused':>9}{'named':>7}{'measured':>10}"
)


def row(exercise: Exercise, counts: Counts) -> str:
    """One line of the table."""
    dots = "●" * exercise.difficulty + "○" * (3 - exercise.difficulty)
    return (
        f"{exercise.id:5}{exercise.title[:31]:32}{exercise.name[:25]:26}{dots:4}"
        f"{exercise.minutes:5}{exercise.points:7}{len(exercise.misconceptions):9}"
        f"{counts.mutants:8}{counts.share_refused():9.1%}{counts.share_named():7.0%}"
        f"{counts.share_measured():10.0%}"
    )


def totals(exercises: Sequence[Exercise], counts: Counts) -> tuple[list[str], bool]:
    """The lines below the table, and whether every target is met."""
    mistakes = sum(len(each.misconceptions) for each in exercises)
    figures = [
        ("exercises", len(exercises), EXERCISES, "d"),
        ("misconceptions", mistakes, MISCONCEPTIONS, "d"),
        ("mutants refused", counts.share_refused(), REFUSED, ".1%"),
        (
            "of those that answer something wrong, named",
            counts.share_named(),
            OF_THESE_NAMED,
            ".1%",
        ),
    ]
    lines = [
        f"{value:>7{form}}  {what} (at least {least:{form if form == 'd' else '.0%'}})"
        + ("" if value >= least else "  ← too few")
        for what, value, least, form in figures
    ]
    of = counts.of
    told = of[RAISED] + of[NOTHING]
    lines += [
        f"{counts.mutants} mutants: {counts.refused} refused, {of[ACCEPTED]} accepted.",
        f"Refused: {counts.named} named ({of[PARTLY]} of them as the nearest mistake), "
        f"{of[MEASURED]} with how the answers hang together with the right ones, "
        f"{of[UNNAMED]} with the input and both answers, {of[RAISED]} with the error, its line and "
        f"the input, {of[NOTHING]} as without a return.",
        f"Named, of all refused: {counts.named / max(counts.refused, 1):.1%}; of those that answer "
        f"something wrong: {counts.share_named():.1%}. Named or told what is missing or raised: "
        f"{(counts.named + told) / max(counts.refused, 1):.1%}.",
        f"{sum(each.minutes for each in exercises)} minutes, "
        f"{sum(each.points for each in exercises)} points.",
    ]
    return lines, all(value >= least for _, value, least, _ in figures)


def listing(tried: Tried) -> list[str]:
    """Each variant that is accepted or unnamed, by its changed line."""
    lines = []
    for word in (ACCEPTED, MEASURED, UNNAMED):
        for variant, outcome in tried:
            if outcome.word == word:
                mutant = variant.mutant
                lines.append(f"  {word} · {mutant.kind} · {mutant.file}:{mutant.line}")
                lines += [f"    - {mutant.before}", f"    + {mutant.after}"]
    return lines


def tried_in_order(
    exercises: Sequence[Exercise], processes: int
) -> Iterator[tuple[Exercise, Tried]]:
    """Yield each exercise with its variants and their outcomes, in reading order."""
    waiting = waiting_of(exercises)
    found: dict[int, Outcome] = {}
    left = list(exercises)
    for number, outcome in outcomes(waiting, processes):
        found[number] = outcome
        while left:
            numbers = [i for i, each in enumerate(waiting) if each.exercise == left[0].id]
            if not all(i in found for i in numbers):
                break
            yield left.pop(0), [(waiting[i], found[i]) for i in numbers]


def main() -> int:
    """Print the table, or the list; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--list", nargs="+", metavar="ID", help="exercises or chapters: 4.3 7")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    exercises = [
        exercise
        for exercise in all_exercises().values()
        if not options.list or {exercise.id, exercise.id.partition(".")[0]} & set(options.list)
    ]
    if not exercises:
        parser.error(f"there is no exercise or chapter {' or '.join(options.list)}")
    started, everything = time.monotonic(), []
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    print(HEADINGS, flush=True)
    with REPORT.open("w", encoding="utf-8") as report:
        for exercise, tried in tried_in_order(exercises, options.processes):
            everything += tried
            print(row(exercise, Counts(tried)), flush=True)
            lines = "\n".join(listing(tried))
            print(f"{exercise.id} {exercise.name}\n{lines}\n", file=report)
            if options.list:
                print(lines)
    lines, enough = totals(exercises, Counts(everything))
    if options.list:
        return 0
    print("\n".join(["", *lines]))
    place = REPORT.relative_to(PROJECT).as_posix()
    print(f"{time.monotonic() - started:.0f} s; what was accepted or not named is in {place}")
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
