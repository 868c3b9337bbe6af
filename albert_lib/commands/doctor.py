"""doctor: check the installation on this machine."""

from __future__ import annotations

import argparse

from albert_lib.errors import counted
from albert_lib.workbook.environment import checks


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments."""


def run(options: argparse.Namespace) -> int:
    """Print one line per check, with the remedy where one fails; return 1 if any failed."""
    results = checks()
    for result in results:
        print(f"{'[OK]  ' if result.ok else '[FAIL]'} {result.name}: {result.detail}")
        if not result.ok:
            print(f"       → {result.remedy}")
    failed = sum(not result.ok for result in results)
    print("Everything is ready." if failed == 0 else f"{counted(failed, 'problem')} to repair.")
    return 1 if failed else 0
