"""Calls with arguments of wrong types, as a user makes them.

In the tests a type checker stands before every function and raises errors of its own. So these
calls are made in a process without it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from albert_lib.files import project_folder

PROGRAM = """
import json, sys
calls, setting_up = json.loads(sys.argv[1])
exec(setting_up)
found = {}
for call in calls:
    try:
        found[call] = f"no error: {eval(call)}"
    except Exception as error:
        found[call] = f"{type(error).__name__}: {error}"
print(json.dumps(found))
"""


def errors_of(calls: Sequence[str], setting_up: str) -> dict[str, str]:
    """What each call raises, as "ErrorName: message"; "no error: …" where it returns."""
    argument = json.dumps([list(calls), setting_up])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, argument],
        cwd=project_folder(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(done.stdout)
    return found
