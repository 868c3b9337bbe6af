"""How fast a class is graded beside nbgrader's autograding of whole notebooks, in one run.

    python -m benchmarks.grading [--chapter 5] [--learners 20] [--nbgrader 2] [--jobs 2]

The same release, the same learners with right answers. nbgrader runs the first few of them, whole
notebooks one after another, as it does; `albert_lib grade` all. Points of those that both have
graded must be equal. What a class of 200 takes is each one's seconds a learner times 200, and is
marked as such.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from albert_lib.classroom.release import course_api, make_course, release
from albert_lib.files import project_folder
from benchmarks.common import seconds
from benchmarks.generated_class import Learner, exercises_of, hand_in, notebook_of, right_answer

CLASS = 200


def main() -> int:
    """Print the ratio; fail where points differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--chapter", type=int, default=5)
    parser.add_argument("--learners", type=int, default=20, help="graded by albert_lib")
    parser.add_argument("--nbgrader", type=int, default=2, help="of them by nbgrader too")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    answers: dict[str, str | None] = {
        each.id: right_answer(each) for each in exercises_of(options.chapter)
    }
    with tempfile.TemporaryDirectory() as temporary:
        course = Path(temporary).resolve()
        (assignment,) = make_course(course, [notebook_of(options.chapter)])
        release(course, assignment)
        hand_in(
            course,
            options.chapter,
            (Learner(f"learner-{number:03}", answers, 0) for number in range(options.learners)),
        )
        api = course_api(course)
        theirs, their_seconds = {}, 0.0
        for number in range(min(options.nbgrader, options.learners)):
            name = f"learner-{number:03}"
            their_seconds += seconds(lambda name=name: api.autograde(assignment, name, create=True))
            theirs[name] = float(api.get_submission(assignment, name)["score"])
        our_seconds = seconds(lambda: grade(course, options.jobs))
        with (course / "graded" / "grades.csv").open(encoding="utf-8") as stream:
            ours = {row["student_id"]: float(row["score"]) for row in csv.DictReader(stream)}
    each, their_each = our_seconds / options.learners, their_seconds / max(1, len(theirs))
    print(f"{assignment}, {options.jobs} jobs, {os.cpu_count()} cores")
    print(f"nbgrader autograde   {len(theirs):4} graded  {their_each:8.2f} s each")
    print(f"albert_lib grade     {options.learners:4} graded  {each:8.2f} s each")
    print(
        f"a class of {CLASS}, by multiplication: {CLASS * their_each / 3600:.1f} hours and "
        f"{CLASS * each / 60:.1f} minutes, {their_each / each:.2f} times as fast"
    )
    differ = {name: (score, ours[name]) for name, score in theirs.items() if score != ours[name]}
    print(f"points that differ: {differ or 'none'}")
    return int(bool(differ))


def grade(course: Path, jobs: int) -> None:
    """Grade a course as a teacher does."""
    subprocess.run(
        [sys.executable, "-m", "albert_lib", "grade", str(course), "--jobs", str(jobs)],
        cwd=project_folder(),
        check=True,
        stdout=subprocess.DEVNULL,
    )


if __name__ == "__main__":
    sys.exit(main())
