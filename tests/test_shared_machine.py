"""Two people at one machine, at the same time, in one checkout that neither may write to."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from albert_lib.files import project_folder

PARTS = ("albert_lib", "data", "notebooks", "pyproject.toml", "tests/workbook/right_answers")
NOBODYS = (12001, 12002)  # numbers of users; they need no name to be one
NOTEBOOK = ["-m", "albert_lib.workbook.run", "notebooks/00_start_here.ipynb"]
# What that notebook writes, and what exercises do, without the seconds of another kernel.
WORK = """
from albert_lib import AlbertTokenizer, TokenStore
from albert_lib.__main__ import main
from albert_lib.files import build_folder

tokenizer = AlbertTokenizer.from_pretrained("english-8k")
TokenStore.build(build_folder() / "workbook" / "start" / "store", [["Two mills."]], tokenizer)
answers = "tests/workbook/right_answers/chapter_02.py"
raise SystemExit(main(["check", answers, "--only", "2.1", "--keep"]))
"""

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0,
    reason="root alone can act as two other people",
)


# Runs Python as a user without rights. (Not subprocess's `user`: it would fork the test process,
# which has threads.)
BECOMING = """
import os, sys
number = int(sys.argv[1])
os.setgroups([]), os.setgid(number), os.setuid(number)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@dataclass(frozen=True)
class Person:
    """A user without rights, with a home."""

    number: int
    home: Path
    temporary: Path  # where everybody's temporary files are
    python: str
    checkout: Path

    def start(self, words: list[str]) -> subprocess.Popen[str]:
        packages = sysconfig.get_path("purelib")
        return subprocess.Popen(
            [self.python, "-I", "-c", BECOMING, str(self.number), *words],
            cwd=self.checkout, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={
                "HOME": str(self.home), "TMPDIR": str(self.temporary), "OMP_NUM_THREADS": "1",
                "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": os.pathsep.join([str(self.checkout), packages]),
            },
        )  # fmt: skip


def python_of(number: int) -> str:
    """An interpreter of this version that such a user may run; root's own may lie in its home."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            subprocess.run(
                [python, "-I", "-c", BECOMING, str(number), "-c", "import ctypes, sqlite3, ssl"],
                cwd="/", env={}, check=True, capture_output=True,
            )  # fmt: skip
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    pytest.skip(f"no {version} here that a user without rights may run")


@pytest.fixture(scope="module")
def people() -> Iterator[list[Person]]:
    pythons = [python_of(number) for number in NOBODYS]
    folder = Path(tempfile.mkdtemp(prefix="shared-machine-"))  # pytest's own folders are private
    checkout, temporary = folder / "checkout", folder / "tmp"
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for part in PARTS:
        source, target = project_folder() / part, checkout / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=ignored)
        else:
            shutil.copy(source, target)
    for path in [checkout, *checkout.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    temporary.mkdir()
    temporary.chmod(0o1777)
    folder.chmod(0o755)
    found = []
    for number, python in zip(NOBODYS, pythons, strict=True):
        home = folder / str(number)
        home.mkdir(mode=0o700)
        os.chown(home, number, number)
        found.append(Person(number, home, temporary, python, checkout))
    yield found
    shutil.rmtree(folder)


def state(folder: Path) -> dict[str, tuple[int, int]]:
    """Every file and folder, with its size and the time of its last change."""
    paths = [folder, *folder.rglob("*")]
    return {str(p): (p.lstat().st_size, p.lstat().st_mtime_ns) for p in paths}


def test_two_people_work_at_once_and_nothing_is_written_into_the_checkout(
    people: list[Person],
) -> None:
    before = state(people[0].checkout)
    notebook, work = people[0].start(NOTEBOOK), people[1].start(["-c", WORK])
    printed, told = (process.communicate(timeout=600)[0] for process in (notebook, work))
    assert re.search(r"1 notebook in .* 0 failed", printed), printed  # late it may be
    assert work.returncode == 0, told
    assert state(people[0].checkout) == before
    for person in people:
        made = list(person.home.rglob("*"))
        assert person.home / ".cache/albert_lib/build/workbook/start/store/store.json" in made
        assert {path.lstat().st_uid for path in made} == {person.number}
    kept = ".local/share/albert_lib/answers/answer_find_words.py"
    assert [(person.home / kept).is_file() for person in people] == [False, True]


def test_notebooks_that_cannot_be_stored_are_not_run(people: list[Person]) -> None:
    process = people[1].start([*NOTEBOOK, "--write"])
    told = process.communicate(timeout=300)[0]
    assert process.returncode == 2
    assert re.fullmatch(r"notebooks cannot be written \(Permission denied\); .*\.\n", told), told
