"""Print how far this library is from every reference: `make fidelity`.

    python tests/fidelity/report.py [--preset albert-xlarge-v1] [--vocabulary FOLDER] [--xxlarge]

One row a feature of the model card: the largest difference found in a run just now, and the
largest allowed. Ends with 1 if a row is out of its tolerance or could not be filled.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path += [str(Path(__file__).parent.parent / folder) for folder in ("interop", "text")]

from published import not_here, published_rows
from rows import ROWS, Row, can_run, head_row
from workshop import Workshop, published_vocabulary, quiet

from albert_lib.config import AlbertConfig


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill every row; return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--preset", default="albert-xlarge-v1", choices=AlbertConfig.presets())
    parser.add_argument("--vocabulary", type=Path, default=published_vocabulary())
    parser.add_argument("--xxlarge", action="store_true", help="also that size: 4 GB of memory")
    options = parser.parse_args(arguments)
    if options.xxlarge:
        head_row("albert-xxlarge-v2", "pretraining", "AlbertForPreTraining")
    quiet()
    workshop = Workshop(options.preset, options.vocabulary)
    pieces = f"{workshop.tokenizer.vocab_size:,} pieces"
    print(f"Shape where none is named: {options.preset}, random weights, {pieces}.\n")
    print(f"{'feature of the card':<45}{'reference':<48}{'difference':>10} {'allowed':>8}")
    try:
        rows = [*ROWS, *published_rows()]
        failed = [entry.feature for entry in rows if not fill(entry, workshop)]
    finally:
        workshop.close()
    print(f"\n{len(rows) - len(failed)} of {len(rows)} rows within tolerance.")
    if missing := not_here():
        print(
            f"The published weights of {' and '.join(missing)} are not in the hub's cache; with "
            f"them, there are rows for the numbers that they are known to give."
        )
    return int(bool(failed))


def fill(entry: Row, workshop: Workshop) -> bool:
    """Measure and print one row; say whether it is within its tolerance."""
    line = f"{entry.feature:<45}{entry.reference:<48}"
    if not can_run(entry):
        print(f"{line} not filled: {entry.needs} is not installed (make tensorflow)")
        return False
    began = time.perf_counter()
    try:
        difference = entry.measure(workshop)
    except Exception as problem:  # one row that breaks must not hide the others
        print(f"{line} failed: {type(problem).__name__}: {problem}", flush=True)
        return False
    within = difference <= entry.tolerance
    mark = "" if within else "  OUT OF TOLERANCE"
    seconds = time.perf_counter() - began
    print(f"{line}{difference:>10.1e} {entry.tolerance:>8.0e} {seconds:5.0f} s{mark}", flush=True)
    return within


if __name__ == "__main__":
    sys.exit(main())
