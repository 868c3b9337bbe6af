"""build-corpus from the command line: mixed sources, the card, Ctrl-C."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from albert_lib.corpus import TokenStore
from albert_lib.files import project_folder, read_json


def many_documents(n: int) -> str:
    return "\n".join(f"Mill {number} is old.\nIt stands by the water.\n" for number in range(n))


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("One is here.\nTwo.\n\nThree is here.\n")
    with gzip.open(folder / "b.jsonl.gz", "wt") as file:
        file.writelines(json.dumps({"body": f"Row {n}."}) + "\n" for n in range(5))
    return folder


def test_sources_are_mixed_and_the_card_says_what_they_are(
    texts: Path, tmp_path: Path, run
) -> None:
    pytest.importorskip("datasets")
    from pyarrow import Table, parquet

    (tmp_path / "table").mkdir()
    rows = [{"body": f"Cell {n}. It is small."} for n in range(4)]
    parquet.write_table(Table.from_pylist(rows), tmp_path / "table" / "train.parquet")
    output = tmp_path / "corpus"
    words = ("build-corpus", texts, f"hf:{tmp_path / 'table'}", texts / "a.txt", "--field", "body")
    printed = run(*words, "--output", output, "--held-out-every", "4", "--workers", "1")

    train, held_out = TokenStore.open(output / "train"), TokenStore.open(output / "held-out")
    assert (train.n_documents, held_out.n_documents) == (10, 3)
    counts = read_json(output / "counts.json")["content"]["sources"]
    assert [each["n_documents"] for each in counts.values()] == [7, 4, 2]
    *_, totals, effort = printed.splitlines()
    n_words = 7 + 10 + 20 + 7
    assert totals.startswith(f"{n_words} words, {train.n_tokens + held_out.n_tokens} tokens, ")
    assert re.fullmatch(
        r"[\d.]+ seconds, [\d,]+ words a second; peak memory [\d,]+ MB, worker processes "
        r"included, on \w+ \w+\.",
        effort,
    )
    card = (output / "README.md").read_text(encoding="utf-8")
    assert f"| `{texts}` | 2 | " in card
    assert f"| `{tmp_path / 'table'}" in card.replace("hf:", "")
    assert f"{n_words} words" in card
    assert train.tokenizer_fingerprint in card
    assert "to be filled in" in card
    assert "23.1 % of the documents" in card
    assert "| up to 31 | 13 | 100.0 % |" in card
    assert effort in " ".join(card.split())


def test_the_same_command_again_opens_what_is_there(texts: Path, tmp_path: Path, run) -> None:
    words = ("build-corpus", texts / "a.txt", "--output", tmp_path / "corpus")
    assert run(*words) == run(*words)


def test_the_layout_is_told_or_taken_as_said(tmp_path: Path, run) -> None:
    (tmp_path / "a.txt").write_text("बिल्ली सोती है।\nहम चलते हैं।\n\nबारिश होती है।\n")
    (tmp_path / "b.txt").write_text("The mill\nis old.")
    words = ("build-corpus", tmp_path, "--workers", "1")
    told = run(*words, "--output", tmp_path / "c")
    assert re.findall(r"layout of (.+?) \(.+\), (\w+);", told) == [
        ("1 text file: documents", "recognised"),
        ("1 text file: wrapped", "recognised"),
    ]
    assert "\n3 documents found\n" in told
    told = run(*words, "--output", tmp_path / "d", "--layout", "paragraphs")
    assert "layout of 2 text files: paragraphs (" in told
    assert "as --layout says\n" in told
    assert "\n2 documents found\n" in told
    assert read_json(tmp_path / "d" / "sources.json")["settings"]["layout"] == "paragraphs"


def test_another_command_for_the_same_folder_is_refused(
    texts: Path, tmp_path: Path, run, refusal
) -> None:
    words = ("build-corpus", texts / "a.txt", "--output", tmp_path / "corpus")
    run(*words)
    assert "other sources or settings" in refusal(*words, "--held-out-every", "0")
    run(*words, "--held-out-every", "0", "--start-over")
    assert not (tmp_path / "corpus" / "held-out").exists()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("c.jsonl", b'{"body": "Fine."}\n{"body"', "c.jsonl, line 2, is not valid JSON"),
        ("c.txt.xz", b"\xfd7zXZ\x00", "c.txt.xz is damaged or cut short"),
        ("c.txt", b"", None),
    ],
)
def test_a_bad_file_is_one_sentence(
    texts: Path, tmp_path: Path, run, refusal, name: str, content: bytes, sentence: str | None
) -> None:
    (texts / name).write_bytes(content)
    words = ("build-corpus", texts, "--field", "body", "--output", tmp_path / "corpus")
    if sentence is None:
        run(*words)  # one file of a folder may be empty
        assert "holds no text" in refusal("build-corpus", texts / name, "--output", tmp_path / "x")
    else:
        assert sentence in refusal(*words)
        assert not (tmp_path / "corpus").exists()


def test_an_empty_folder_is_one_sentence(tmp_path: Path, refusal) -> None:
    (tmp_path / "empty").mkdir()
    words = ("build-corpus", tmp_path / "empty", "--output", tmp_path / "corpus")
    assert "holds no .txt or .jsonl file" in refusal(*words)
    assert not (tmp_path / ".corpus.unfinished").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to press Ctrl-C in")
def test_ctrl_c_ends_all_processes_and_the_same_command_goes_on(
    heeding_ctrl_c: list[str], tmp_path: Path
) -> None:
    psutil = pytest.importorskip("psutil")
    (tmp_path / "a.txt").write_text(many_documents(250_000))
    words = [str(tmp_path / "a.txt"), "--output", str(tmp_path / "corpus"), "--workers", "2"]
    command = [sys.executable, "-m", "albert_lib", "build-corpus", *words]
    process = subprocess.Popen(
        [*heeding_ctrl_c, *command[1:]],
        cwd=project_folder(),
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    counts = tmp_path / ".corpus.unfinished" / "counts.json"
    while process.poll() is None and not counts.exists():
        time.sleep(0.01)
    children = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)
    errors = process.communicate(timeout=60)[1].decode()
    assert (process.returncode, errors.strip()) == (130, "Interrupted.")
    assert len(children) >= 2
    _, alive = psutil.wait_procs(children, timeout=10)
    assert not [child for child in alive if child.status() != psutil.STATUS_ZOMBIE]
    assert counts.exists()
    subprocess.run(command, cwd=project_folder(), check=True, capture_output=True)
    assert read_json(tmp_path / "corpus" / "counts.json")["effort"]["sittings"] == 2
