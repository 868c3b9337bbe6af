"""The sentiment sentences: what their card counts, and that no shortcut gives the label away."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import combinations
from math import log, sqrt
from statistics import mean
from typing import NamedTuple

import pytest

from albert_lib import AlbertTokenizer
from albert_lib.files import data_folder
from albert_lib.finetuning import read_sst2

FOLDER = data_folder() / "sentiment"
NEGATIONS = set("no not never nobody nothing none nor neither without cannot".split())
CONTRAST = {"but"}
ONLY_TRAIN = {"bread", "trains"}
ONLY_TEST = {"doctors", "pets"}
PARTS = ("train", "test")


class Sentence(NamedTuple):
    """One row of a file."""

    text: str
    label: int
    subject: str


Features = Callable[[str], Iterable[str]]


@cache
def part(name: str) -> list[Sentence]:
    with (FOLDER / f"{name}.tsv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Sentence(row["sentence"], int(row["label"]), row["subject"]) for row in rows]


@cache
def both_parts() -> list[Sentence]:
    return [*part("train"), *part("test")]


@cache
def words(text: str) -> list[str]:
    return re.findall(r"[a-z']+", text.lower())


def of_label(sentences: Sequence[Sentence], label: int) -> list[Sentence]:
    return [each for each in sentences if each.label == label]


def n_with(sentences: Sequence[Sentence], wanted: set[str]) -> int:
    return sum(not wanted.isdisjoint(words(each.text)) for each in sentences)


def naive_bayes(train: Sequence[Sentence], features: Features = words) -> Callable[[str], int]:
    """Which features a text has, whatever their order; one added to each count, classes equal."""
    counts = [
        Counter(word for each in of_label(train, label) for word in set(features(each.text)))
        for label in (0, 1)
    ]
    known = counts[0].keys() | counts[1].keys()
    totals = [count.total() + len(known) for count in counts]
    weight = {
        word: log((counts[1][word] + 1) / totals[1]) - log((counts[0][word] + 1) / totals[0])
        for word in known
    }
    return lambda text: int(sum(weight.get(word, 0.0) for word in sorted(set(features(text)))) > 0)


def n_right(classify: Callable[[str], int], sentences: Sequence[Sentence]) -> int:
    return sum(classify(each.text) == each.label for each in sentences)


def right_by_leaving_out_subjects() -> int:
    """Each subject in turn is read by a Naive Bayes that was trained on the other 23."""
    right = 0
    for subject in {each.subject for each in both_parts()}:
        train = [each for each in both_parts() if each.subject != subject]
        right += n_right(naive_bayes(train), [s for s in both_parts() if s.subject == subject])
    return right


def share(count: int, total: int) -> str:
    return f"{count} of {total}, {100 * count / total:.1f} %"


# -- the files


def test_read_sst2_reads_the_files_and_each_has_as_many_of_either_label() -> None:
    for name, count in (("train", 360), ("test", 120)):
        read = read_sst2(FOLDER / f"{name}.tsv")
        assert [(one.first, one.label) for one in read.examples] == [
            (each.text, str(each.label)) for each in part(name)
        ]
        assert read.n_labelled("0") == read.n_labelled("1") == count // 2


def test_subjects_are_balanced_and_two_are_new_in_the_test() -> None:
    rows = {name: Counter((each.subject, each.label) for each in part(name)) for name in PARTS}
    subjects = {each.subject for each in both_parts()}
    assert len(subjects) == 24
    for subject in subjects:
        in_test = 10 if subject in ONLY_TEST else 0 if subject in ONLY_TRAIN else 2
        for label in (0, 1):
            assert rows["test"][subject, label] == in_test
            assert rows["train"][subject, label] == 10 - in_test


@pytest.mark.parametrize("name", PARTS)
def test_two_lines_are_a_pair_of_one_subject_and_either_label(name: str) -> None:
    """So a learning curve may take the first 2n lines and have n of each label."""
    for one, other in zip(part(name)[::2], part(name)[1::2], strict=True):
        assert one.subject == other.subject
        assert {one.label, other.label} == {0, 1}


def test_every_sentence_has_six_to_sixteen_words_and_plain_marks() -> None:
    for each in both_parts():
        assert 6 <= len(words(each.text)) <= 16, each
        assert re.fullmatch(r"[A-Z][A-Za-z', ]*[a-z]\.", each.text), each
        assert "  " not in each.text, each


def test_the_vocabulary_knows_every_word() -> None:
    tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
    for each in both_parts():
        ids = tokenizer.encode(each.text)
        assert tokenizer.unk_token_id not in ids and len(ids) <= 32, each


# -- no sentence twice


def overlap(one: Sentence, other: Sentence) -> float:
    """Words in both, of the words in either."""
    first, second = set(words(one.text)), set(words(other.text))
    return len(first & second) / len(first | second)


def test_no_two_sentences_are_nearly_the_same_but_the_two_of_a_pair() -> None:
    paired = [each for name in PARTS for each in part(name)]
    for (i, one), (j, other) in combinations(enumerate(paired), 2):
        if i // 2 != j // 2:
            assert overlap(one, other) < 0.5, (one, other)


# -- no shortcut


def first_word(text: str) -> list[str]:
    return words(text)[:1]


def n_words(text: str) -> list[str]:
    return [str(len(words(text)))]


def marks(text: str) -> list[str]:
    return [f"{text.count(',')} commas", f"{text.count(chr(39))} apostrophes"]


PRONOUNS = set("i me my we us our he him his she her it its they them their you your".split())


def pronouns(text: str) -> list[str]:
    return [word for word in words(text) if word in PRONOUNS]


def negations(text: str) -> list[str]:
    return [word for word in words(text) if word in NEGATIONS | CONTRAST]


SHORTCUTS: dict[str, Features] = {
    "first word": first_word,
    "number of words": n_words,
    "marks": marks,
    "pronouns": pronouns,
    "negation and contrast words": negations,
}


@pytest.mark.parametrize("name", SHORTCUTS)
def test_a_shortcut_alone_does_not_tell_the_label(name: str) -> None:
    classify = naive_bayes(part("train"), SHORTCUTS[name])
    assert 0.38 <= n_right(classify, part("test")) / 120 <= 0.58
    everything = naive_bayes(both_parts(), SHORTCUTS[name])  # even where the answers are known
    assert n_right(everything, both_parts()) / 480 <= 0.58


def test_bags_of_words_learn_something_and_not_nearly_all() -> None:
    assert 0.55 <= n_right(naive_bayes(part("train")), part("test")) / 120 <= 0.85
    assert 0.55 <= right_by_leaving_out_subjects() / 480 <= 0.85


# -- the card


def count_rows() -> list[str]:
    groups = [of_label(part(name), label) for name in PARTS for label in (1, 0)]
    lengths = [[len(words(each.text)) for each in group] for group in groups]
    cells: dict[str, list[str]] = {
        "sentences": [str(len(group)) for group in groups],
        "subjects": [str(len({each.subject for each in group})) for group in groups],
        "words, mean": [f"{mean(each):.1f}" for each in lengths],
        "words, fewest to most": [f"{min(each)} to {max(each)}" for each in lengths],
        "with a negation": [str(n_with(group, NEGATIONS)) for group in groups],
        "with *but*": [str(n_with(group, CONTRAST)) for group in groups],
        "with a comma": [str(sum("," in each.text for each in group)) for group in groups],
    }
    return [f"| {name} | {' | '.join(row)} |" for name, row in cells.items()]


def baseline_rows() -> list[str]:
    test = part("test")
    classify = naive_bayes(part("train"))
    new = [each for each in test if each.subject in ONLY_TEST]
    old = [each for each in test if each.subject not in ONLY_TEST]
    rows = {
        "always the same answer": share(60, 120),
        "Naive Bayes, words": share(n_right(classify, test), 120),
        "… subjects that were trained on": share(n_right(classify, old), len(old)),
        "… the two new subjects": share(n_right(classify, new), len(new)),
        "Naive Bayes, every subject left out once": share(right_by_leaving_out_subjects(), 480),
    }
    for name, features in SHORTCUTS.items():
        shortcut = naive_bayes(part("train"), features)
        rows[f"Naive Bayes, {name} alone"] = share(n_right(shortcut, test), 120)
    return [f"| {name} | {value} |" for name, value in rows.items()]


def test_the_card_says_what_the_files_hold() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    missing = [row for row in [*count_rows(), *baseline_rows()] if row not in card.splitlines()]
    assert not missing, "write into data/sentiment/README.md:\n" + "\n".join(missing)
    assert f"± {196 * sqrt(0.7 * 0.3 / 120):.0f} points" in card
    tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
    longest = max(len(tokenizer.encode(each.text)) for each in both_parts())
    assert f"at most {longest} tokens" in card
    distinct = {word for each in both_parts() for word in words(each.text)}
    assert f"{len(distinct):,} different words" in card
    unseen = distinct - {word for each in part("train") for word in words(each.text)}
    assert f"{len(unseen)} of them only in the test" in card
