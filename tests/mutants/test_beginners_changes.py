"""The changes of a beginner are what they say, and leave the sample of `make mutants` alone."""

from __future__ import annotations

import pytest
from beginners_changes import beginners_mutants
from mutations import mutants

SOURCE = '''
def scores(query, key_a: "Key", key_b: "Key", mask=None):
    """Words."""
    narrow, wide = query.shape
    first = query @ key_a.transpose(-2, -1) / wide**0.5
    if mask is not None:
        first = first.fill(max(mask, 2), -float("inf"))
    total = first.log_softmax(dim=-1) + torch.sqrt(key_b).sum(axis=0)
    for index in range(1, wide):
        total[index < 3 and index > 1] += sorted(key_b[: index * 2], key=abs)[0]
    order = np.argsort(total, kind="stable")
    kept = [each for each in order if each > 0]
    return (total if kept else first), F.cross_entropy(total, kept, reduction="sum")
'''


def changes() -> set[tuple[str, str]]:
    return {(mutant.before, mutant.after) for mutant in beginners_mutants("scores.py", SOURCE)}


@pytest.mark.parametrize(
    ("line", "old", "new"),
    [
        ("first = query", "query @ key_a.transpose(-2, -1)", "(key_a.transpose(-2, -1) @ query)"),
        ("first = query", "key_a.transpose(-2, -1)", "key_a"),
        ("first = query", "wide**0.5", "wide"),
        ("first = query", "wide**0.5", "narrow**0.5"),
        ("first = query", "/", "//"),
        ("first = query", "key_a", "key_b"),
        ("if mask", "mask is not None", "True"),
        ("if mask", "mask is not None", "False"),
        ("first = first", 'first = first.fill(max(mask, 2), -float("inf"))', "pass"),
        ("first = first", '-float("inf")', "0.0"),
        ("total = ", "log_softmax", "softmax"),
        ("total = ", "dim=-1", ""),
        ("total = ", "dim=-1", "dim=-2"),
        ("total = ", "axis=0", "axis=1"),
        ("total = ", "torch.sqrt(key_b)", "key_b"),
        ("total = ", ".sum(", ".mean("),
        ("total = ", " + torch.sqrt(key_b).sum(axis=0)", ""),
        ("total = ", "first.log_softmax(dim=-1) + ", ""),
        ("for index", "1, wide", "1 + 1, wide"),
        ("for index", "1, wide", "1, wide + 1"),
        ("for index", "1, wide", "1, wide - 1"),
        ("total[index", "index < 3", "index > 3"),
        ("total[index", "index < 3 and index > 1", "(index < 3)"),
        ("total[index", "index * 2", "index"),
        ("total[index", "index * 2", "(index * 2) - 1"),
        ("total[index", "index * 2", ""),
        ("total[index", "key=abs)", "key=abs, reverse=True)"),
        ("total[index", "+=", "="),
        ("order = ", "argsort(total", "argsort(-total"),
        ("order = ", 'kind="stable"', ""),
        ("kept = ", "if each > 0", "if True"),
        ("return", "(total if kept else first)", "(total)"),
        ("return", "(total if kept else first)", "(first)"),
        ("return", '"sum"', '"mean"'),
        ("first = first", "max(mask, 2)", "mask"),
    ],
)
def test_every_kind_of_change_is_made(line: str, old: str, new: str) -> None:
    before = next(each.strip() for each in SOURCE.splitlines() if each.strip().startswith(line))
    assert old in before
    wanted = before.replace(old, new, 1)
    made = {_without_brackets(after) for old_line, after in changes() if old_line == before}
    assert _without_brackets(wanted) in made


def _without_brackets(line: str) -> str:
    return line.replace("(", "").replace(")", "").replace(" ", "")


def test_parts_of_an_answer_are_exchanged() -> None:
    after = {after for before, after in changes() if before.startswith("return")}
    swapped = 'return F.cross_entropy(total, kept, reduction="sum"), total if kept else first'
    assert _without_brackets(swapped) in map(_without_brackets, after)


def test_nothing_is_compared_with_itself() -> None:
    source = "def gap(a, b):\n    first, last = a, b\n    return last - first\n"
    after = {mutant.after for mutant in beginners_mutants("gap.py", source)}
    assert {"return first - first", "return last - last"}.isdisjoint(after)
    assert "return first - last" in {each.replace("(", "").replace(")", "") for each in after}


def test_the_sample_of_the_other_mutants_stays() -> None:
    plain = {mutant.id for mutant in mutants("scores.py", SOURCE)}
    both = [mutant.id for mutant in beginners_mutants("scores.py", SOURCE)]
    assert plain < set(both) and len(both) == len(set(both)) > 2 * len(plain)
