"""The data card of a corpus: sources, licences, counts, and how it was made."""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

import numpy as np

import albert_lib
from albert_lib.corpus.journal import Journal
from albert_lib.corpus.sources import Unit
from albert_lib.corpus.store import TokenStore

LENGTHS = (0, 32, 128, 512, 2048, 8192, 32768)
"""The shortest document, in tokens, of each row of the table of lengths."""
COUNTED_AT_ONCE = 1 << 20  # documents
UNKNOWN_LICENCE = "to be filled in"


def data_card(
    name: str,
    command: str,
    units: Sequence[Unit],
    journal: Journal,
    stores: Mapping[str, TokenStore],
) -> str:
    """Describe a finished corpus in Markdown."""
    store = next(iter(stores.values()))
    counts = totals(journal.content)
    paragraphs = [
        f"# {name}: a corpus of token ids",
        "Text split into sentences and tokenized with an ALBERT vocabulary, ready for "
        "`python -m albert_lib pretrain --corpus`. It contains token ids, from which the text can "
        "be decoded with the vocabulary: the licences of the text apply to this folder too.",
        f"Made on {datetime.now(UTC).date().isoformat()} by albert_lib {albert_lib.__version__} "
        f"with",
        f"    {command or 'CorpusBuilder, called from Python'}",
        "## Sources",
        source_table(units, journal.content["sources"]),
        "Whoever made this folder fills in the licences that the sources do not state. "
        "`sources.json` lists every file with its size and the time of its last change; the same "
        "command on the same files makes the same `train/` and `held-out/`, byte for byte.",
        "## What is in it",
        count_table(stores),
        words_as_tokens(counts["n_words"], counts["n_pieces"], journal.content["n_unknown"]),
        f"The vocabulary has {store.vocab_size:,} pieces and the fingerprint (sha256) "
        f"`{store.tokenizer_fingerprint}`. A model trained on this corpus needs this vocabulary.",
        split_of(stores),
        "## How long the documents are",
        length_table(stores.values()),
        "## Time and memory",
        effort_of(journal.effort, counts["n_words"]),
    ]
    return "\n\n".join(map(wrapped, paragraphs)) + "\n"


def wrapped(paragraph: str) -> str:
    """Wrap a paragraph of text; tables, headings and commands stay as they are."""
    if paragraph.startswith(("#", "|", " ")):
        return paragraph
    return textwrap.fill(paragraph, 96, break_long_words=False, break_on_hyphens=False)


def totals(content: Mapping[str, Any]) -> dict[str, int]:
    """Documents, words and tokens of all sources together."""
    names = ("n_documents", "n_words", "n_pieces")
    return {name: sum(each[name] for each in content["sources"].values()) for name in names}


def source_table(units: Sequence[Unit], counts: Mapping[str, Mapping[str, int]]) -> str:
    """One row for each source."""
    rows = []
    for source, group in groupby(units, key=lambda unit: unit.source):
        members = list(group)
        sizes = [unit.size for unit in members]
        size = "unknown" if None in sizes else f"{sum(size or 0 for size in sizes):,}"
        licence = members[0].licence or UNKNOWN_LICENCE
        found = counts.get(source, {"n_documents": 0, "n_words": 0})
        n_documents, n_words = found["n_documents"], found["n_words"]
        rows.append(
            [f"`{source}`", f"{len(members):,}", size, f"{n_documents:,}", f"{n_words:,}", licence]
        )
    return markdown_table(
        ["source", "files", "bytes on disk", "documents", "words", "licence"], rows
    )


def count_table(stores: Mapping[str, TokenStore]) -> str:
    """One row for each store."""
    rows = [
        [f"`{name}/`", f"{each.n_documents:,}", f"{each.n_sentences:,}", f"{each.n_tokens:,}"]
        for name, each in stores.items()
    ]
    return markdown_table(["part", "documents", "sentences", "tokens"], rows)


def words_as_tokens(n_words: int, n_tokens: int, n_unknown: int) -> str:
    """How many tokens a word became, and how many of them the vocabulary does not know."""
    return (
        f"{n_words:,} words (separated by white space) became {n_tokens:,} tokens, "
        f"{ratio(n_tokens, n_words):.3f} per word. {n_unknown:,} of the tokens "
        f"({100 * ratio(n_unknown, n_tokens):.4f} %) are unknown: characters that the vocabulary "
        f"lacks."
    )


def split_of(stores: Mapping[str, TokenStore]) -> str:
    """How the documents were split into train/ and held-out/."""
    if len(stores) == 1:
        return "Nothing is held out: every document is in `train/`."
    share = stores["held-out"].n_documents / sum(each.n_documents for each in stores.values())
    return (
        f"`held-out/` is for evaluation: {100 * share:.1f} % of the documents, at even distances "
        f"in reading order, the same ones every time. None of them is in `train/`, unless the "
        f"sources contain a text twice."
    )


def length_table(stores: Iterable[TokenStore]) -> str:
    """How many documents have how many tokens, and what fraction of all tokens they hold."""
    n_documents = np.zeros(len(LENGTHS), dtype=np.int64)
    n_pieces = np.zeros(len(LENGTHS), dtype=np.int64)
    for store in stores:
        for start in range(0, store.n_documents, COUNTED_AT_ONCE):
            bounds = store.document_starts[start : start + COUNTED_AT_ONCE + 1]
            lengths = np.diff(store.sentence_starts[bounds])
            row = np.searchsorted(LENGTHS, lengths, side="right") - 1
            n_documents += np.bincount(row, minlength=len(LENGTHS))
            np.add.at(n_pieces, row, lengths)
    ends = [f"{end - 1:,}" for end in LENGTHS[1:]]
    names = [f"up to {ends[0]}"] + [
        f"{start:,} to {end}" for start, end in zip(LENGTHS[1:-1], ends[1:], strict=True)
    ]
    rows = [
        [name, f"{documents:,}", f"{100 * ratio(int(pieces), int(n_pieces.sum())):.1f} %"]
        for name, documents, pieces in zip(
            [*names, f"{LENGTHS[-1]:,} and more"], n_documents, n_pieces, strict=True
        )
    ]
    return markdown_table(["tokens", "documents", "fraction of all tokens"], rows)


def effort_of(effort: Mapping[str, Any], n_words: int) -> str:
    """Time, speed and peak memory in a sentence; also the command's last line."""
    seconds = effort["seconds"]
    starts = "" if effort["sittings"] == 1 else f" in {effort['sittings']} runs"
    memory = f"{effort['peak_memory'] / 1e6:,.0f} MB" if effort["peak_memory"] else "unknown"
    return (
        f"{seconds:,.1f} seconds{starts}, {n_words / max(seconds, 1e-3):,.0f} words a second; "
        f"peak memory {memory}, worker processes included, on {platform.system()} "
        f"{platform.machine()}."
    )


def markdown_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; columns are right-aligned, except the first and the licence."""
    marks = ["---" if title in (titles[0], "licence") else "---:" for title in titles]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [titles, marks, *rows])


def ratio(part: int, whole: int) -> float:
    """Part / whole, or 0 if whole is 0."""
    return part / whole if whole else 0.0
