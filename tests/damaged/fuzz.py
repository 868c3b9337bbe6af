"""A thousand damaged files of ten kinds: each works as others read it, or is refused in a sentence.

    .venv/bin/python tests/damaged/fuzz.py [--count 1000] [--seed 0] [--kind NAME]

Prints a line for everything that went wrong and one of counts, and fails unless tracebacks and
silently wrong results are 0. What a damaged file means is asked of another reader of it
(transformers, tokenizers, json), or it must mean what it meant before.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path

import transformers
from kinds import KINDS, Inputs, Wrong

from albert_lib.errors import AlbertLibError

SECONDS = 20  # for one input; no answer counts as a traceback
LONGEST_MESSAGE = 1200  # the command that converts a pickle is in one


class NoAnswer(Exception):
    """An input took longer than SECONDS."""


def no_answer(*_: object) -> None:
    raise NoAnswer


def outcome(inputs: Inputs, kind: str, number: int, seed: int) -> tuple[str, str]:
    """What became of one input, and what to print of it."""
    rng = random.Random(f"{seed} {kind} {number}")
    before = signal.signal(signal.SIGALRM, no_answer)
    signal.alarm(SECONDS)
    try:
        KINDS[kind](inputs, rng)
    except AlbertLibError as refusal:
        message = str(refusal)
        if message.endswith(".") and "\n" not in message and len(message) <= LONGEST_MESSAGE:
            return "refused", ""
        return "traceback", f"no sentence: {message[:300]!r}"
    except Wrong as wrong:
        return "wrong", str(wrong)
    except (Exception, RecursionError) as problem:
        place = traceback.extract_tb(problem.__traceback__)[-1]
        return "traceback", f"{type(problem).__name__}: {problem} ({place.filename}:{place.lineno})"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        inputs.restore()
    return "worked", ""


def main() -> int:
    """Make the inputs, print the counts."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=KINDS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    counts: Counter[str] = Counter()
    kinds = [options.kind] if options.kind else list(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        inputs = Inputs.make(Path(folder))
        started = time.process_time()
        for number in range(options.count):
            kind = kinds[number % len(kinds)]
            result, told = outcome(inputs, kind, number, options.seed)
            counts[result] += 1
            if told:
                print(f"{kind} {number}: {told[:600]}")
    print(
        f"{options.count} damaged inputs of {len(kinds)} kinds: worked {counts['worked']}, "
        f"refused in a sentence {counts['refused']}, traceback {counts['traceback']}, "
        f"silently wrong {counts['wrong']}"
    )
    print(f"{time.process_time() - started:.0f} s", file=sys.stderr)
    return int(counts["traceback"] + counts["wrong"] > 0)


if __name__ == "__main__":
    raise SystemExit(main())
