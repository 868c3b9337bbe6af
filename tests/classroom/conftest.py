"""A class that is graded once, in a process of its own as a teacher would, for many tests."""

from __future__ import annotations

import os
import shutil
import signal
import time

import pytest
from graded import BAD_FILES, CHAPTER, STEM, GradedClass, finished, grade, hand_in_bad_files

from benchmarks.generated_class import hand_in, learners


@pytest.fixture(scope="session")
def graded_class(tmp_path_factory: pytest.TempPathFactory) -> GradedClass:
    """Two hundred learners and some bad files, graded; once killed in the middle."""
    folder = tmp_path_factory.mktemp("class")
    everybody = hand_in(folder, CHAPTER, learners(CHAPTER, 200 - len(BAD_FILES)))
    hand_in_bad_files(folder)
    first = grade(folder)
    results = folder / "graded" / "results" / STEM
    while len(list(results.glob("*.json"))) < 80 and first.poll() is None:
        time.sleep(0.1)
    os.kill(first.pid, signal.SIGKILL)
    first.communicate()
    kept = {file.name: file.stat().st_mtime_ns for file in results.glob("*.json")}
    assert 80 <= len(kept) < 200
    printed = finished(grade(folder))
    assert "200 submissions in" in printed
    again = {name: (results / name).stat().st_mtime_ns for name in kept}
    assert again == kept, "what was graded before the kill was graded again"
    return GradedClass(folder, {each.name: each for each in everybody})


@pytest.fixture(scope="session")
def graded_again(
    graded_class: GradedClass, tmp_path_factory: pytest.TempPathFactory
) -> GradedClass:
    """The different ones of the class, graded by themselves from the beginning."""
    folder = tmp_path_factory.mktemp("again")
    different = [name for name in graded_class.learners if "-again-" not in name]
    for name in different:
        shutil.copytree(graded_class.folder / "submitted" / name, folder / "submitted" / name)
    finished(grade(folder, "--jobs", "3"))
    return GradedClass(folder, {name: graded_class.learners[name] for name in different})
