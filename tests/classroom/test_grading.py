"""Two hundred are graded: each gets what it deserves, and the reason, whoever abuses what."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import psutil
import pytest
from graded import BAD_FILES, CHAPTER, STEM, GradedClass, finished, grade, hand_in_sources

from albert_lib.__main__ import main
from albert_lib.classroom.results import seed_of
from albert_lib.classroom.submissions import assignments_of, course_folder, find_submissions
from albert_lib.workbook.checks import examine
from albert_lib.workbook.exercise import find_exercise
from benchmarks.generated_class import ABUSES, notebook_of


def test_everybody_gets_the_points_that_the_answers_deserve(graded_class: GradedClass) -> None:
    given = {name: graded_class.result(name).points for name in graded_class.learners}
    assert given == {name: each.deserves for name, each in graded_class.learners.items()}
    assert len(given) + len(BAD_FILES) == 200


def test_grading_again_gives_the_same(graded_class: GradedClass, graded_again: GradedClass) -> None:
    for name in graded_again.learners:
        first, second = graded_class.result(name), graded_again.result(name)
        assert first.key == second.key
        for one, other in zip(first.answers, second.answers, strict=True):
            assert (one.status, one.points, one.misconception, one.seed) == (
                other.status, other.points, other.misconception, other.seed
            )  # fmt: skip


def test_every_mistake_is_named(graded_class: GradedClass) -> None:
    made = {name: each.mistake for name, each in graded_class.learners.items() if each.mistake}
    assert len(made) > 20
    for name, (exercise, misconception) in made.items():
        answer = next(
            each for each in graded_class.result(name).answers if each.exercise == exercise
        )
        assert (answer.status, answer.misconception) == ("wrong", misconception)


# What is said of each abuse: of nobody else, and of none that it is right.
SAID = {
    "redefines-check": "a decimal number, a whole number is expected",
    "patches-the-check": "a Yes, a whole number is expected",
    "exits-with-success": "ended its process",
    "leaves": "raised SystemExit",
    "prints-a-verdict": "returned None",
    "writes-into-every-pipe": "(ended its process|no answer)",
    "never-ends": "stopped after 3 seconds",
    "takes-all-memory": "(more memory than an answer may take|stopped after 3 seconds)",
    "forks-without-end": "(stopped after 3 seconds|temporarily unavailable)",
    "kills-its-process": "ended by SIGKILL",
    "kills-its-parents": "(returned None|ended by SIGKILL|ended the process that checks it)",
    "asks-the-network": "(PermissionError|ConnectionRefused)",  # Linux refuses, others cannot
    "floods": "stopped after 3 seconds",
    "does-not-compile": "no Python that can be run .*line 2",
}


@pytest.mark.parametrize("abuse", ABUSES)
def test_an_abuse_gets_a_sentence_of_its_own(graded_class: GradedClass, abuse: str) -> None:
    (answer,) = graded_class.result(abuse).answers
    assert re.search(SAID[abuse], answer.reason, re.DOTALL), answer.reason


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_bad_file_gets_a_sentence_of_its_own(graded_class: GradedClass, name: str) -> None:
    result = graded_class.result(name)
    assert BAD_FILES[name][1] in str(result.problem)
    assert (result.points, result.of) == (0, 3)


def test_nothing_is_left_running(graded_class: GradedClass, graded_again: GradedClass) -> None:
    words = [" ".join(each.info["cmdline"] or []) for each in psutil.process_iter(["cmdline"])]
    folders = (str(graded_class.folder), str(graded_again.folder))
    assert not [each for each in words if any(folder in each for folder in folders)]


def test_feedback_gives_every_reason_and_nothing_of_others(graded_class: GradedClass) -> None:
    names = sorted(graded_class.learners, key=len, reverse=True)
    mistaken = next(name for name in names if name.startswith("mistake") and "again" not in name)
    page = graded_class.feedback(mistaken)
    (answer,) = graded_class.result(mistaken).answers
    assert "0 of 3" in page and "not right yet" in page
    assert f"seed={answer.seed}" in page and "hint(&quot;8.1&quot;)" in page
    others = [name for name in (*names, *BAD_FILES) if name not in ("empty", mistaken)]
    assert not [name for name in others if re.search(rf"\b{name}\b", page)]
    assert not re.search(r"(src|href)=", page)  # it needs nothing beside it


def test_summary_tells_what_the_class_knows(graded_class: GradedClass) -> None:
    page = (graded_class.output / f"summary-{STEM}.html").read_text(encoding="utf-8")
    assert "200 submissions" in page
    mistakes = {each.mistake[1] for each in graded_class.learners.values() if each.mistake}
    assert all(f"<td>{name}</td>" in page for name in mistakes)
    assert re.search(r'<img alt="Two bar charts\. .*8\.1 \d+ of \d+', page)
    assert all(name in page for name in BAD_FILES)
    alike = next(row for row in page.split("<tr>") if "perfect, " in row)
    assert "perfect-again-0" in alike and "empty" not in alike


def test_grades_are_a_table_as_nbgrader_exports_it(graded_class: GradedClass) -> None:
    with (graded_class.output / "grades.csv").open(encoding="utf-8", newline="") as stream:
        rows = {row["student_id"]: row for row in csv.DictReader(stream)}
    assert len(rows) == 200
    assert {name: float(rows[name]["score"]) for name in graded_class.learners} == {
        name: each.deserves for name, each in graded_class.learners.items()
    }


# Answers whose fault shows only between calls, in the arguments, or in the gradient; and kinds of
# answers. In another process they are judged as they are in a notebook.
ANSWERS = {
    "changes-a-list": ("1.4", "def with_special_tokens(first, second, cls_id, sep_id):\n"
        "    rest = [] if second is None else second + [sep_id]\n"
        "    first.insert(0, cls_id)\n    first.append(sep_id)\n"
        "    return first + rest, len(first)"),
    "changes-an-array": ("2.4", "import numpy as np\n"
        "def masking_budget(lengths, rate, max_predictions=None):\n"
        "    most = max_predictions or 10**9\n"
        "    budget = np.clip(np.round(rate * lengths), 1, most).astype(np.int64)\n"
        "    lengths += 1\n    return budget"),
    "one-buffer": ("6.6", "import numpy as np\n"
        "from albert_lib.probing.corrections import holm as h\n"
        "kept = {}\ndef holm(p_values):\n"
        "    held = kept.setdefault(len(p_values), np.empty(len(p_values)))\n"
        "    held[:] = h(p_values)\n    return held"),
    "keeps-calls": ("1.1", "seen = []\ndef mark_words(text):\n"
        "    from albert_lib.text import unigram\n    seen.append(text)\n"
        "    import albert_lib.workbook.exercise as e\n"
        "    return e.find_exercise('1.1').solution(text) + 'x' * (len(seen) > 120)"),
    "draws-elsewhere": ("6.5", "import numpy as np\n"
        "def bootstrap_ends(values, rng, confidence=0.95, resamples=1000):\n"
        "    rng = np.random\n"
        "    means = [np.mean(rng.choice(values, len(values))) for _ in range(99)]\n"
        "    low, high = np.quantile(means, [0.025, 0.975])\n    return float(low), float(high)"),
    "detached": ("3.4", "from albert_lib.workbook.exercise import find_exercise\n"
        "def feed_forward(*given):\n    return find_exercise('3.4').solution(*given).detach()"),
    "another-gradient": ("3.6", "import copy\ndef share_across_depth(hidden, layer, n):\n"
        "    states = [hidden]\n    for _ in range(n):\n"
        "        states.append(copy.deepcopy(layer)(states[-1]))\n    return states"),
    "with-a-gradient": ("3.6", "def share_across_depth(hidden, layer, n):\n"
        "    states = [hidden]\n    for _ in range(n):\n        states.append(layer(states[-1]))\n"
        "    return states"),
    "no-function": ("1.6", "truncate_pair = 7"),
    "too-few-arguments": ("1.6", "def truncate_pair(first):\n    return first"),
    "raises": ("1.6", "def truncate_pair(first, second, room):\n    return first[10**6]"),
    "an-object": ("7.5", "class F1(float):\n    pass\ndef word_f1(predicted, gold):\n"
        "    return {'f1': F1(1)}"),
    "a-numpy-number": ("7.5", "import numpy as np\n"
        "from albert_lib.workbook.exercise import find_exercise\n"
        "def word_f1(*given):\n    return np.float64(find_exercise('7.5').solution(*given))"),
    "a-callable": ("7.5", "from albert_lib.workbook.exercise import find_exercise\n"
        "class F1:\n    def __call__(self, predicted, gold):\n"
        "        return find_exercise('7.5').solution(predicted, gold)\nword_f1 = F1()"),
}  # fmt: skip


@pytest.fixture(scope="module")
def graded_answers(tmp_path_factory: pytest.TempPathFactory) -> GradedClass:
    folder = tmp_path_factory.mktemp("answers")
    handed_in = [
        (name, f"{int(id.partition('.')[0]):02d}", source) for name, (id, source) in ANSWERS.items()
    ]
    hand_in_sources(folder, handed_in)
    finished(grade(folder))
    return GradedClass(folder, {})


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_elsewhere_is_judged_as_it_is_here(
    graded_answers: GradedClass, name: str
) -> None:
    id, source = ANSWERS[name]
    chapter = id.partition(".")[0]
    exercise = find_exercise(id)
    namespace: dict[str, object] = {"__name__": "__main__"}
    exec(source, namespace)
    here = examine(exercise, namespace[exercise.name], seed_of(name, chapter))
    result = graded_answers.result(name, f"{int(chapter):02d}")
    there = next(each for each in result.answers if each.exercise == id)
    assert (there.status, there.misconception) == (here.status, here.misconception), there.reason
    first = here.text.splitlines()[1 if here.status in ("right", "wrong") else 0]
    assert first.partition("(here")[0] in there.reason


def test_learners_are_not_given_the_same_inputs(graded_class: GradedClass) -> None:
    seeds = [graded_class.result(name).answers[0].seed for name in graded_class.learners]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize(
    ("put", "said"),
    [
        ({}, "holds nothing to grade"),
        ({"week.py": "def f(): pass"}, "cannot be told; say the chapter"),
    ],
    ids=["empty", "unknown"],
)
def test_a_folder_with_nothing_to_grade_says_so(
    tmp_path: Path, put: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in put.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert main(["grade", str(tmp_path)]) == 2
    assert said in capsys.readouterr().err


def test_a_flat_folder_of_notebooks_and_files(tmp_path: Path) -> None:
    (tmp_path / "ada_02_masking.py").write_text("x = 1\n", encoding="utf-8")
    (tmp_path / "bob.py").write_text("def mlm_loss(a, b):\n    return 0.0\n", encoding="utf-8")
    (tmp_path / "eve.ipynb").write_bytes(notebook_of(3).read_bytes())
    found = find_submissions(tmp_path)
    assert [(each.learner, each.assignment) for each in found] == [
        ("ada", "02_masking"), ("eve", "03_shared_encoder"), ("bob", "04_heads"),
    ]  # fmt: skip
    asked = assignments_of(found, course_folder(tmp_path))
    assert list(asked["02_masking"].points) == ["2.1", "2.2", "2.3", "2.4", "2.5"]


def test_points_are_those_of_the_course(tmp_path: Path) -> None:
    source = tmp_path / "source" / "week-3" / "week-3.ipynb"
    source.parent.mkdir(parents=True)
    text = notebook_of(CHAPTER).read_text(encoding="utf-8")
    source.write_text(text.replace('"points": 3', '"points": 7'), encoding="utf-8")
    hand_in_sources(tmp_path, [("ada", "week-3", "x = 1\n")])
    found = find_submissions(tmp_path)
    assert assignments_of(found, course_folder(tmp_path))["week-3"].points == {"8.1": 7.0}
