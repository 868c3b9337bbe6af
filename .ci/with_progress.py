"""Run pip, and say once a minute how far it is: neither silence nor a line for every package.

python .ci/with_progress.py [--every SECONDS] python -m pip install …

Exits as the command does. What it writes to stderr, as pip's errors, is shown as it comes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence


def progress(lines: Sequence[str]) -> str:
    """Where pip is, in a few words, from the lines it has written."""
    found = {line.split()[1] for line in lines if line.startswith("Collecting ")}
    if any(line.startswith("Installing collected packages") for line in lines):
        return "all is there, and is being unpacked"
    fetched = [line.strip() for line in lines if line.lstrip().startswith("Downloading ")]
    told = f"{len(found)} packages found"
    return f"{told}; {fetched[-1].replace('Downloading', 'last fetched:')}" if fetched else told


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(description="Run pip, and say once a minute how far it is.")
    parser.add_argument("--every", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    began = time.monotonic()
    process = subprocess.Popen(
        options.command,
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        env={**os.environ, "PYTHONUNBUFFERED": "1"},  # each line when it is written
    )
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.extend(process.stdout or ()), daemon=True)
    reader.start()
    while True:
        try:
            return process.wait(timeout=options.every)
        except subprocess.TimeoutExpired:
            minutes = (time.monotonic() - began) / 60
            print(f"  {minutes:.0f} min: {progress(tuple(lines))}", flush=True)
        except KeyboardInterrupt:  # the command has it too
            return process.wait() or 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
