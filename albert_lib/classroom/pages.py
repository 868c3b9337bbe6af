"""A page that needs nothing beside it, and the one that each learner gets back."""

from __future__ import annotations

import html

from albert_lib.classroom.gradebook import Mark
from albert_lib.classroom.results import AnswerResult

IN_WORDS = {
    "right": "✓ right",
    "wrong": "✗ not right yet",
    "raised": "✗ stopped with an error",
    "not attempted": "– not attempted",
    "missing": "– no such function",
    "unreadable": "✗ could not be read",
    "stopped": "✗ stopped",
}
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1a1a1a; background: #fff;
       max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
pre { white-space: pre-wrap; background: #f5f5f2; padding: .7rem .9rem; border-radius: 4px;
      font: 14px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .25rem .9rem .25rem 0;
      vertical-align: top; border-bottom: 1px solid #ddd; }
td.number, th.number { text-align: right; } img { max-width: 100%; }
.status { font-weight: normal; color: #555; } .points { float: right; font-weight: normal; }
"""


def html_page(title: str, body: str) -> str:
    """A whole HTML page in one piece; `body` is HTML, `title` is text.

    Example:
        >>> html_page("a < b", "<p>Text.</p>").count("a &lt; b")
        2
    """
    shown = html.escape(title)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{shown}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>{shown}</h1>\n"
        f"{body}\n</body>\n</html>\n"
    )


def feedback_page(mark: Mark) -> str:
    """What one learner gets back: every answer with its points, and the reason for what is lost.

    Nothing of anybody else stands in it.
    """
    result = mark.result
    lines = [f"<p><b>{mark.score:g} of {result.of:g} points.</b>"]
    if mark.lost_late:
        lines.append(
            f" Your answers won {result.points:g}; {mark.lost_late:g} of them are lost because "
            f"they came late."
        )
    lines.append("</p>")
    if result.problem is not None:
        lines.append(f"<p>The file could not be graded:</p>\n<pre>{_text(result.problem)}</pre>")
    else:
        lines += [_section(answer) for answer in result.answers]
    return html_page(f"{result.assignment} · {result.learner}", "\n".join(lines))


def reason_alone(answer: AnswerResult) -> str:
    """The reason without what the heading above it says already."""
    beginning = f"Exercise {answer.exercise}: "
    reason = answer.reason.removeprefix(f"{beginning}not right yet.\n")
    reason = reason.removeprefix(f"{beginning}right.\n").removeprefix(beginning)
    return reason[:1].upper() + reason[1:]


def _section(answer: AnswerResult) -> str:
    return (
        f"<h2>Exercise {answer.exercise} · {_text(answer.title)} "
        f'<span class="points">{answer.points:g} of {answer.of:g}</span>'
        f'<br><span class="status">{IN_WORDS[answer.status]}</span></h2>\n'
        f"<pre>{_text(reason_alone(answer))}</pre>"
    )


def _text(text: str) -> str:
    return html.escape(text)
