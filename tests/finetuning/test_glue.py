"""Tables of SST-2 and MNLI and MultiNLI's jsonl: what ends a field, a line and a label."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from albert_lib.errors import TextError
from albert_lib.finetuning import TextExample, read_mnli, read_sst2

SST2_ROWS = ["sentence\tlabel", 'a " lone quote \t1', "n/a \t0", '"" dull \t0', "null\t1"]
SST2_READ = [('a " lone quote', "1"), ("n/a", "0"), ('"" dull', "0"), ("null", "1")]
TRAIN_HEADER = "index promptID genre sentence1_parse sentence1 sentence2 label1 gold_label"
DEV_HEADER = TRAIN_HEADER.replace("label1", "label1 label2 label3 label4 label5")


def write(folder: Path, content: str | bytes, name: str = "file.tsv") -> Path:
    file = folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def table(header: str, *rows: str) -> str:
    return "\n".join([header.replace(" ", "\t"), *(row.replace("|", "\t") for row in rows), ""])


# -- SST-2


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("begin", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
def test_sst2_in_every_form_of_its_lines(tmp_path: Path, begin: str, end: str, last: bool) -> None:
    content = begin + end.join(SST2_ROWS) + end * last
    read = read_sst2(write(tmp_path, content))
    assert [(one.first, one.label) for one in read.examples] == SST2_READ
    assert [one.id for one in read.examples] == ["0", "1", "2", "3"]
    assert {one.second for one in read.examples} == {None}
    assert (read.labels, read.n_undecided) == (("0", "1"), 0)
    assert (read.n_labelled("0"), read.n_labelled("1")) == (2, 2)


def test_quotes_join_no_rows(tmp_path: Path) -> None:
    rows = ['"open\t1', "still\t0", 'closed"\t1']
    read = read_sst2(write(tmp_path, "\n".join(["sentence\tlabel", *rows])))
    assert [one.first for one in read.examples] == ['"open', "still", 'closed"']


@pytest.mark.parametrize("inside", "\r\x0b\x85\u2028")
def test_other_line_ends_stay_in_the_text(tmp_path: Path, inside: str) -> None:
    read = read_sst2(write(tmp_path, f"sentence\tlabel\na{inside}b\t1\n"))
    assert [one.first for one in read.examples] == [f"a{inside}b"]


def test_columns_are_found_by_their_names(tmp_path: Path) -> None:
    read = read_sst2(write(tmp_path, "label\tsource\tsentence\n1\tweb\tfine\n"))
    assert read.examples == (TextExample("0", "fine", None, "1"),)


def test_sst2_to_predict_has_an_index_and_no_label(tmp_path: Path) -> None:
    read = read_sst2(write(tmp_path, "index\tsentence\r\n7\tfine .\r\n9\tdull .\r\n"))
    assert read.examples == (
        TextExample("7", "fine .", None, None),
        TextExample("9", "dull .", None, None),
    )


BAD_SST2 = {
    "empty": (b"", "has no column 'sentence' in its first line"),
    "no headings": (b"fine\t1\n", r"no column 'sentence' in its first line \('fine.t1'\)"),
    "commas": (b"sentence,label\nfine,1\n", "has no column 'sentence'"),
    "headings alone": (b"sentence\tlabel\n", "holds no examples"),
    "no label": (b"sentence\tlabel\nfine\t1\ndull\n", "line 3 has 1 fields, and .* names 2"),
    "a tab in the text": (b"sentence\tlabel\nfine\tday\t1\n", "line 2 has 3 fields"),
    "label of words": (b"sentence\tlabel\nfine\tpositive\n", "line 2 has the label 'positive'"),
    "no such label": (b"sentence\tlabel\n\nfine\t2\n", "line 3 has the label '2'.* of 0, 1"),
    "empty label": (b"sentence\tlabel\nfine\t\n", "line 2 has the label ''"),
    "undecided": (b"sentence\tlabel\nfine\t-\n", "line 2 has the label '-'"),
    "not UTF-8": (b"sentence\tlabel\nfine\t1\ncaf\xe9\t1\n", "line 3 is not UTF-8"),
}


@pytest.mark.parametrize(("content", "message"), BAD_SST2.values(), ids=BAD_SST2.keys())
def test_what_is_wrong_with_sst2(tmp_path: Path, content: bytes, message: str) -> None:
    file = write(tmp_path, content)
    with pytest.raises(TextError, match=message) as refused:
        read_sst2(file)
    assert str(refused.value).startswith(str(file)) and "\n" not in str(refused.value)


# -- MNLI as a table


def test_mnli_tables_of_one_and_of_five_annotators(tmp_path: Path) -> None:
    train = table(TRAIN_HEADER, '31|a|fiction|( It )|It " rains. |n/a|neutral|neutral')
    dev = table(
        DEV_HEADER,
        "0|a|b|c|It rains.|It is wet. |entailment|entailment|neutral|neutral|entailment|entailment",
    )
    assert read_mnli(write(tmp_path, train)).examples == (
        TextExample("31", 'It " rains.', "n/a", "neutral"),
    )
    assert read_mnli(write(tmp_path, dev)).examples == (
        TextExample("0", "It rains.", "It is wet.", "entailment"),
    )


def test_the_label_is_the_last_field_however_many_annotators_a_row_had(tmp_path: Path) -> None:
    rows = ["0|a|b|c|p|h|neutral|neutral|neutral|entailment", "1|a|b|c|p|h|contradiction"]
    read = read_mnli(write(tmp_path, table(TRAIN_HEADER, *rows)))
    assert [one.label for one in read.examples] == ["entailment", "contradiction"]


def test_pairs_without_agreement_are_left_out_and_counted(tmp_path: Path) -> None:
    rows = ["0|a|b|c|p|h|neutral|-", "1|a|b|c|p|h|neutral|neutral", "2|a|b|c|p|h|neutral|-"]
    read = read_mnli(write(tmp_path, table(TRAIN_HEADER, *rows)))
    assert [one.id for one in read.examples] == ["1"]
    assert read.n_undecided == 2


def test_mnli_to_predict(tmp_path: Path) -> None:
    content = table("index promptID sentence1 sentence2", "5|a|It rains.|It is wet.")
    read = read_mnli(write(tmp_path, content))
    assert read.examples == (TextExample("5", "It rains.", "It is wet.", None),)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("0|a|b|c|a tab|in it|h|neutral|neutral", "line 2 has 9 fields, and .* names 8"),
        ("0|a|b|c|p|h", "line 2 has 6 fields"),
        ("0|a|b|c|p|h|neutral|hidden", "line 2 has the label 'hidden'.*contradiction, entailment"),
    ],
)
def test_what_is_wrong_with_a_row_of_mnli(tmp_path: Path, row: str, message: str) -> None:
    with pytest.raises(TextError, match=message):
        read_mnli(write(tmp_path, table(TRAIN_HEADER, row)))


# -- MultiNLI's jsonl


def pair(**changes: Any) -> dict[str, Any]:
    record = {"gold_label": "neutral", "sentence1": " It rains. ", "sentence2": "n/a", **changes}
    return {key: value for key, value in record.items() if value is not ...}


def lines(*records: Any, end: str = "\n") -> str:
    return "".join(json.dumps(record) + end for record in records)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_jsonl_by_its_content_whatever_its_name(tmp_path: Path, end: str) -> None:
    records = [pair(), pair(gold_label="-"), pair(gold_label="entailment", pairID="6e")]
    read = read_mnli(write(tmp_path, "\ufeff" + end + lines(*records, end=end), "dev.txt"))
    assert read.examples == (
        TextExample("0", "It rains.", "n/a", "neutral"),
        TextExample("6e", "It rains.", "n/a", "entailment"),
    )
    assert read.n_undecided == 1


def test_jsonl_to_predict(tmp_path: Path) -> None:
    read = read_mnli(write(tmp_path, lines(pair(gold_label=...), pair(gold_label=...))))
    assert [one.label for one in read.examples] == [None, None]


BAD_JSONL = {
    "cut short": (lines(pair()) + '{"gold_label": "neut', "line 2 is not JSON"),
    "no hypothesis": (lines(pair(), pair(sentence2=...)), "line 2 has no 'sentence2'"),
    "hypothesis is none": (lines(pair(sentence2=None)), "'sentence2' of line 1 is NoneType"),
    "a label missing": (lines(pair(), pair(gold_label=...)), "line 2 has no 'gold_label'"),
    "label of another type": (lines(pair(gold_label=1)), "'gold_label' of line 1 is int"),
    "no such label": (lines(pair(gold_label="Neutral")), "line 1 has the label 'Neutral'"),
    "a list": (lines(pair(), [1]), "line 2 has no 'sentence1'"),
    "none agreed": (lines(pair(gold_label="-")), "holds no examples"),
}


@pytest.mark.parametrize(("content", "message"), BAD_JSONL.values(), ids=BAD_JSONL.keys())
def test_what_is_wrong_with_jsonl(tmp_path: Path, content: str, message: str) -> None:
    file = write(tmp_path, content)
    with pytest.raises(TextError, match=message) as refused:
        read_mnli(file)
    assert str(refused.value).startswith(str(file))


# -- the published files


@pytest.mark.parametrize(
    ("part", "negative", "positive"), [("train", 29_780, 37_569), ("dev", 428, 444)]
)
def test_the_published_sst2(tasks: Path, part: str, negative: int, positive: int) -> None:
    read = read_sst2(tasks / "sst2" / f"{part}.tsv")
    assert (read.n_labelled("0"), read.n_labelled("1")) == (negative, positive)
    assert len(read.examples) == negative + positive
    assert all(one.first == one.first.strip() != "" for one in read.examples)


@pytest.mark.parametrize(("part", "n"), [("train", 7_999), ("dev", 1_000)])
def test_the_published_mnli(tasks: Path, part: str, n: int) -> None:
    read = read_mnli(tasks / "mnli" / f"{part}.jsonl")
    assert (len(read.examples), read.n_undecided) == (n, 0)
    counts = Counter(one.label for one in read.examples)
    assert set(counts) == set(read.labels)
    assert all(abs(count / n - 1 / 3) < 0.02 for count in counts.values())
    texts = [text for one in read.examples for text in (one.first, one.second)]
    if part == "train":
        assert sum(one.second == "n/a" for one in read.examples) == 2
        assert sum('"' in text for text in texts if text) > 200
