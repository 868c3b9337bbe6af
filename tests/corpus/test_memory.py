from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from albert_lib.files import project_folder
from albert_lib.objectives import SegmentPairs


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not tell a process's peak")
def test_ten_times_the_text_takes_no_more_memory():
    shown = subprocess.run(
        [sys.executable, "-m", "benchmarks.data_memory", "--tokens", "2000000"],
        cwd=project_folder(),
        capture_output=True,
        text=True,
    )
    assert shown.returncode == 0, shown.stdout + shown.stderr


STARTING = """
import json, sys, time
from pathlib import Path
import numpy as np
from albert_lib import AlbertTokenizer
from albert_lib.corpus import TokenStore
from albert_lib.memory import peak_memory
from albert_lib.objectives import PretrainingBatches

folder = Path(sys.argv[1])
tokenizer = AlbertTokenizer.from_pretrained("english-8k")
n_tokens, length, per_document = 2_000_000_000, 500, 200
n_sentences = n_tokens // length
with open(folder / "ids.bin", "wb") as file:
    file.truncate(2 * n_tokens)  # a hole: it takes no room on the disk
np.arange(0, n_tokens + 1, length).tofile(folder / "sentences.bin")
np.arange(0, n_sentences + 1, per_document).tofile(folder / "documents.bin")
description = dict(
    format_version=1, dtype="<u2", n_tokens=n_tokens, n_sentences=n_sentences,
    n_documents=n_sentences // per_document, vocab_size=len(tokenizer),
    tokenizer_fingerprint=tokenizer.fingerprint,
)
(folder / "store.json").write_text(json.dumps(description))
TokenStore.open(folder)
before, start = peak_memory(), time.process_time()
store = TokenStore.open(folder)
store.fingerprint
batches = PretrainingBatches(store, tokenizer, batch_size=8, sequence_length=128)
batches.batch(0)
batches.batch(2_000_000)  # in the second epoch
print(json.dumps([time.process_time() - start, peak_memory() - before]))
"""


@pytest.mark.alone  # its seconds are counted
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="makes a file with a hole")
def test_starting_a_run_on_two_billion_tokens_takes_seconds_and_little_memory(tmp_path):
    """Opening, the fingerprint, the first batch, and one in the second epoch."""
    shown = subprocess.run(
        [sys.executable, "-c", STARTING, str(tmp_path)],
        cwd=project_folder(), capture_output=True, text=True, check=True,
    )  # fmt: skip
    seconds, memory = json.loads(shown.stdout)
    assert seconds < 20
    assert memory < 150e6  # the fingerprint alone once held 750 MB of pages


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_pages_that_were_read_are_let_go(make_store):
    store = make_store([[[7] * 1000] * 1000])

    def resident_kilobytes() -> int:
        with open("/proc/self/smaps") as maps:
            lines = maps.read().split(str(store.folder / "ids.bin"))[1].splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("Rss:"))

    assert int(np.asarray(store.ids).sum()) == 7_000_000
    assert resident_kilobytes() > 1000
    store.release_pages()
    assert resident_kilobytes() == 0
    assert store.ids[-1] == 7


def test_looking_at_the_blocks_of_a_store_leaves_no_page_behind(make_store, monkeypatch):
    store = make_store([[[7, 8, 9]] * 10] * 4)
    released = []
    monkeypatch.setattr(type(store), "release_pages", lambda self: released.append(self))
    pairs = SegmentPairs(store, 16)
    released.clear()
    pairs.count(0, 0)
    pairs.text(0)
    assert len(released) == 3  # the offsets twice, the pieces once
