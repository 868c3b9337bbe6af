"""What a class knows: where it was stuck, and which mistakes it made, for its teacher."""

from __future__ import annotations

import base64
import html
import io
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib
from matplotlib.figure import Figure

from albert_lib.classroom.gradebook import Mark
from albert_lib.classroom.pages import html_page, reason_alone
from albert_lib.classroom.results import AnswerResult
from albert_lib.errors import counted
from albert_lib.workbook.exercise import find_exercise
from albert_lib.workbook.figures import image_html
from albert_lib.workbook.style import COLORS, DOTS_PER_INCH, use_style

MOST_MISTAKES = 12  # that are drawn; the table has all
OUTCOMES = {  # of the table and the figure: which statuses count, and a colour and a pattern
    "right": (("right",), COLORS[0], ""),
    "not right": (("wrong",), COLORS[1], ""),
    "stopped or unreadable": (("raised", "stopped", "unreadable"), COLORS[3], "//"),
    "not attempted": (("not attempted", "missing"), "#d0d0d0", ".."),
}


@dataclass(frozen=True)
class Mistake:
    """A known mistake in a class: of which exercise, by how many, and what the check says."""

    exercise: str
    name: str
    count: int
    said: str


@dataclass(frozen=True)
class ClassSummary:
    """What became of an assignment: one list of answers an exercise, in reading order."""

    assignment: str
    marks: Sequence[Mark]

    @property
    def graded(self) -> list[Mark]:
        """Those whose file could be read."""
        return [mark for mark in self.marks if mark.result.problem is None]

    def answers(self) -> dict[str, list[AnswerResult]]:
        """By exercise, the answers of all whose file could be read."""
        found: dict[str, list[AnswerResult]] = defaultdict(list)
        for mark in self.graded:
            for answer in mark.result.answers:
                found[answer.exercise].append(answer)
        return dict(found)

    def outcomes(self) -> dict[str, dict[str, int]]:
        """By exercise, how many answers came out how."""
        return {
            exercise: {
                name: sum(answer.status in statuses for answer in answers)
                for name, (statuses, _, _) in OUTCOMES.items()
            }
            for exercise, answers in self.answers().items()
        }

    def first_stumbles(self) -> Counter[str]:
        """By exercise, for how many it is the first one in order that is not right."""
        first = (
            next((each.exercise for each in mark.result.answers if each.status != "right"), None)
            for mark in self.graded
        )
        return Counter(exercise for exercise in first if exercise is not None)

    def mistakes(self) -> list[Mistake]:
        """The known mistakes, the most frequent first."""
        held: dict[tuple[str, str], list[AnswerResult]] = defaultdict(list)
        for answers in self.answers().values():
            for answer in answers:
                if answer.misconception is not None and answer.status == "wrong":
                    held[answer.exercise, answer.misconception].append(answer)
        found = [
            Mistake(exercise, name, len(answers), reason_alone(answers[0]).partition("\n")[0])
            for (exercise, name), answers in held.items()
        ]
        return sorted(found, key=lambda each: -each.count)

    def identical(self) -> list[tuple[str, int, list[str]]]:
        """Answers that read alike but for comments and layout: exercise, lines, learners."""
        held: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for mark in self.graded:
            for answer in mark.result.answers:
                if answer.digest is not None:
                    held[answer.exercise, answer.digest, answer.lines].append(mark.result.learner)
        alike = [(id, lines, who) for (id, _, lines), who in held.items() if len(who) > 1]
        return sorted(alike, key=lambda each: (-each[1], each[0]))


def summary_page(summary: ClassSummary, picture: bytes, alt: str) -> str:
    """The page for the teacher, with its figure inside."""
    scores = [mark.score for mark in summary.graded]
    of = max((mark.result.of for mark in summary.marks), default=0.0)
    said = counted(len(summary.marks), "submission")
    if scores:
        mean, median = statistics.mean(scores), statistics.median(scores)
        said += f"; mean {mean:.1f}, median {median:g} of {of:g} points"
    lines = [f"<p>{said}.</p>", image_html(base64.b64encode(picture).decode("ascii"), alt)]
    lines += _exercises(summary) + _mistakes(summary) + _ungraded(summary) + _identical(summary)
    return html_page(f"{summary.assignment}: what the class knows", "\n".join(lines))


def class_figure(summary: ClassSummary) -> tuple[bytes, str]:
    """A PNG of how the exercises came out and of the most frequent mistakes, and its alt text."""
    outcomes, mistakes = summary.outcomes(), summary.mistakes()[:MOST_MISTAKES]
    names = [f"{id} {find_exercise(id).title}" for id in outcomes]
    height = 1.4 + 0.42 * max(len(outcomes), len(mistakes), 3)
    with matplotlib.rc_context():
        use_style()
        figure = Figure(figsize=(11, height), dpi=DOTS_PER_INCH)
        left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
        beginning = [0] * len(outcomes)
        for name, (_, color, hatch) in OUTCOMES.items():
            counts = [outcome[name] for outcome in outcomes.values()]
            left.barh(
                names, counts, left=beginning, color=color, hatch=hatch, edgecolor="white",
                label=name,
            )  # fmt: skip
            beginning = [a + b for a, b in zip(beginning, counts, strict=True)]
        left.set(title="How the exercises came out", xlabel="learners")
        left.legend(loc="upper center", bbox_to_anchor=(0.3, -0.75 / height), ncols=2, fontsize=9)
        labels = [f"{each.exercise} {each.name}" for each in mistakes]
        right.barh(labels, [each.count for each in mistakes], color=COLORS[1])
        right.set(title="The most frequent mistakes", xlabel="learners")
        rows = max(len(names), len(labels), 3)
        for axes in (left, right):
            axes.set_ylim(rows - 0.5, -0.5)  # the first one on top
            axes.grid(visible=False, axis="y")
            axes.xaxis.get_major_locator().set_params(integer=True)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue(), _alt(outcomes, mistakes)


def _alt(outcomes: dict[str, dict[str, int]], mistakes: Sequence[Mistake]) -> str:
    right = ", ".join(
        f"{id} {outcome['right']} of {sum(outcome.values())}" for id, outcome in outcomes.items()
    )
    alt = f"Two bar charts. Left, for each exercise how many learners have it right: {right}."
    if mistakes:
        made = ", ".join(f"{each.exercise} {each.name} ({each.count})" for each in mistakes[:5])
        alt += f" Right, the most frequent mistakes: {made}."
    return alt


def _exercises(summary: ClassSummary) -> list[str]:
    stumbles = summary.first_stumbles()
    rows = [
        [f"{id} {find_exercise(id).title}", *map(str, outcome.values()), str(stumbles[id])]
        for id, outcome in summary.outcomes().items()
    ]
    return [
        "<h2>Where the class was stuck</h2>",
        "<p>The last column says for how many this is the first exercise that is not right.</p>",
        _table(["exercise", *OUTCOMES, "first stumble"], rows),
    ]


def _mistakes(summary: ClassSummary) -> list[str]:
    rows = [[each.exercise, each.name, str(each.count), each.said] for each in summary.mistakes()]
    if not rows:
        return ["<h2>Mistakes</h2>", "<p>No known mistake was recognised.</p>"]
    head = ["exercise", "mistake", "learners", "what the check says"]
    return ["<h2>Mistakes, the most frequent first</h2>", _table(head, rows, numbers=(2,))]


def _ungraded(summary: ClassSummary) -> list[str]:
    rows = [
        [mark.result.learner, mark.result.problem]
        for mark in summary.marks
        if mark.result.problem is not None
    ]
    return ["<h2>Files that could not be graded</h2>", _table(["learner", "why"], rows, ())] * bool(
        rows
    )


def _identical(summary: ClassSummary) -> list[str]:
    rows = [[id, str(lines), ", ".join(who)] for id, lines, who in summary.identical()]
    if not rows:
        return []
    return [
        "<h2>Answers that read alike</h2>",
        "<p>The same but for comments and layout, the longest first. That says nothing of why: a "
        "short function often has one natural form.</p>",
        _table(["exercise", "lines", "learners"], rows, numbers=(1,)),
    ]


def _table(
    head: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] | None = None
) -> str:
    """An HTML table of texts; the columns of `numbers`, else all but the first, are numbers."""
    if numbers is None:
        numbers = range(1, len(head))

    right = ' class="number"'

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{right if i in numbers else ''}>{html.escape(text)}</{tag}>"
            for i, text in enumerate(row)
        )

    body = "\n".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    return f"<table>\n<tr>{cells(head, 'th')}</tr>\n{body}\n</table>"
