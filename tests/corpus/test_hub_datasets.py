"""Data sets by name: local ones for real, those of the hub as far as the question to it."""

from __future__ import annotations

import builtins
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest

from albert_lib.corpus import hub_datasets
from albert_lib.corpus.hub_datasets import KNOWN, DataSet, hub_units, parse
from albert_lib.corpus.readers import documents_of
from albert_lib.errors import DownloadError, TextError

datasets = pytest.importorskip("datasets", reason="the hub extra is not installed")

ROWS = [{"body": f"Document {n}.\n\nIt is short.", "id": n} for n in range(7)]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set as the hub has them: a split in several Parquet files, with a licence."""
    from pyarrow import Table, parquet

    folder = tmp_path / "mill"
    folder.mkdir()
    for number, rows in enumerate((ROWS[:3], ROWS[3:6], [ROWS[6], {"body": None, "id": 7}])):
        parquet.write_table(Table.from_pylist(rows), folder / f"train-{number:05}-of-00003.parquet")
    return folder


def documents(source: str, **how: Any) -> list[list[str]]:
    units = hub_units(source, **how)
    return [document for unit in units for document in documents_of(unit.parts())]


def test_a_local_data_set_is_streamed_file_by_file(folder: Path) -> None:
    units = hub_units(f"hf:{folder}", field="body")
    assert [Path(unit.name).name for unit in units] == [
        f"train-{number:05}-of-00003.parquet" for number in range(3)
    ]
    assert all(unit.identity["bytes"] > 0 for unit in units)
    expected = [[f"Document {n}.", "It is short."] for n in range(7)]
    assert documents(f"hf:{folder}", field="body") == expected
    assert list(documents_of(units[1].parts())) == expected[3:6], "each can be read by itself"
    assert list(documents_of(units[1].parts())) == expected[3:6], "and again"


def test_rows_that_are_sentences_are_put_together(folder: Path) -> None:
    found = documents(f"hf:{folder}", field="body", rows_per_document=2)
    assert [len(document) for document in found] == [4, 2, 4, 2, 2]
    assert found[0] == ["Document 0.", "It is short.", "Document 1.", "It is short."]


def test_json_lines_in_the_librarys_hands(tmp_path: Path) -> None:
    (tmp_path / "mill").mkdir()
    lines = "\n".join(map(json.dumps, ROWS))
    (tmp_path / "mill" / "train.jsonl").write_text(lines)
    assert len(documents(f"hf:{tmp_path / 'mill'}", field="body")) == 7


def test_a_wrong_column_or_split_is_one_sentence(folder: Path) -> None:
    with pytest.raises(TextError, match=r"has no column 'text', only body, id; name one with --f"):
        documents(f"hf:{folder}")
    with pytest.raises(TextError, match="has int values in its column 'id', not text"):
        documents(f"hf:{folder}", field="id")
    with pytest.raises(TextError, match="has no split test"):
        documents(f"hf:{folder}", split="test")
    with pytest.raises(TextError, match="rows_per_document is 0"):
        documents(f"hf:{folder}", rows_per_document=0)


def test_a_damaged_table_is_one_sentence(folder: Path) -> None:
    for file in folder.iterdir():
        content = bytearray(file.read_bytes())
        content[4:40] = bytes(36)
        file.write_bytes(content)
    with pytest.raises(TextError, match="cannot be read"):
        documents(f"hf:{folder}", field="body")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("hf:a/b", DataSet("a/b")),
        ("hf:a/b:c", DataSet("a/b", "c")),
        ("hf:a/b@refs/pr/1:c", DataSet("a/b", "c", "refs/pr/1")),
        ("wikipedia", KNOWN["wikipedia"]),
        ("hf:bookcorpus", KNOWN["bookcorpus"]),
    ],
)
def test_names(source: str, expected: DataSet) -> None:
    assert parse(source) == expected


def test_a_source_without_a_name_is_one_sentence() -> None:
    with pytest.raises(TextError, match=r"names no data set; write hf:NAME"):
        parse("hf:")


@pytest.mark.parametrize(
    ("source", "question"),
    [
        ("wikipedia", ("wikimedia/wikipedia", "20231101.en", None, None)),
        (
            "bookcorpus",
            ("bookcorpus/bookcorpus", None, "refs/convert/parquet", "plain_text/train/*.parquet"),
        ),
    ],
)
def test_the_corpora_of_the_paper_are_asked_for_by_their_ids(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, question: tuple[str | None, ...]
) -> None:
    asked: list[tuple[str | None, ...]] = []
    local = datasets.load_dataset_builder(str(folder))

    def load(name: str, configuration: str | None, **how: str | None) -> Any:
        asked.append((name, configuration, how["revision"], how["data_files"]))
        return local

    def look_up(self: object, name: str, *, revision: str | None, timeout: float) -> Any:
        assert (name, revision) == (question[0], question[2])
        return SimpleNamespace(card_data=SimpleNamespace(license=["cc-by-sa-3.0", "gfdl"]))

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", look_up)
    monkeypatch.setattr(datasets, "load_dataset_builder", load)
    units = hub_units(source, field="body")
    assert asked == [question]
    assert {unit.licence for unit in units} == {"cc-by-sa-3.0, gfdl"}
    n_documents = 3 if source == "bookcorpus" else 7  # 512 rows of a file are one, for bookcorpus
    assert sum(1 for unit in units for _ in documents_of(unit.parts())) == n_documents


@pytest.mark.parametrize(
    ("problem", "sentence"),
    [
        (OSError("Name or service not known"), r"cannot be read from the hub \(OSError: Name"),
        (huggingface_hub.errors.OfflineModeIsEnabled(""), "HF_HUB_OFFLINE is set"),
        (ValueError("BuilderConfig 'x' not found.\nAvailable"), "BuilderConfig 'x' not found$"),
    ],
)
def test_without_a_network_one_sentence_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, problem: Exception, sentence: str
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    with pytest.raises((DownloadError, TextError), match=sentence) as info:
        hub_units("hf:a/b")
    if not isinstance(problem, ValueError):
        assert "hf download --repo-type dataset a/b --local-dir FOLDER" in str(info.value)


def test_a_network_that_fails_on_the_way_is_one_sentence(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> Any:
        yield {"text": "One."}
        raise ConnectionError("reset by peer")

    rows = hub_datasets.stream(broken(), "hf:a/b", DataSet("a/b"))
    assert next(rows) == {"text": "One."}
    with pytest.raises(DownloadError, match="ConnectionError: reset by peer"):
        next(rows)


def test_without_the_library_one_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = builtins.__import__

    def without_datasets(name: str, *arguments: Any, **settings: Any) -> Any:
        if name == "datasets":
            raise ImportError(name)
        return real(name, *arguments, **settings)

    monkeypatch.setattr(builtins, "__import__", without_datasets)
    with pytest.raises(TextError, match=r"not installed; run `pip install .*\[hub\]"):
        hub_units("wikipedia")
