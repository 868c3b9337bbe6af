"""Data sets of the Hugging Face hub, streamed row by row; never downloaded whole.

A data set is written hf:NAME, with hf:NAME:CONFIGURATION and hf:NAME@REVISION where it needs
them; NAME may also be a folder or file on this machine that the `datasets` library can read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from albert_lib.corpus.readers import ReadingEvent, events_of, file_identity, gather
from albert_lib.corpus.sources import Unit, is_whole
from albert_lib.errors import AlbertLibError, DownloadError, TextError, first_line

if TYPE_CHECKING:
    from datasets import DatasetBuilder, IterableDataset

# `datasets` is optional and slow to import: each function imports what it uses.

HubRow = dict[str, Any]

PREFIX = "hf:"
SECONDS_TO_ANSWER = 10.0  # before the hub counts as out of reach
INSTALL = "pip install -c requirements.lock -e '.[hub]'"


@dataclass(frozen=True)
class DataSet:
    """A data set by name, and which part of it.

    Attributes:
        name: The hub's id, or a path.
        configuration: The name of one of its configurations; None: the default one.
        revision: A branch, tag or commit of the hub's repository; None: main.
        files: A glob pattern of its files; None: those of the configuration.
        rows_per_document: How many rows make one document; above 1 where a row is a sentence.
    """

    name: str
    configuration: str | None = None
    revision: str | None = None
    files: str | None = None
    rows_per_document: int = 1


KNOWN = {
    "wikipedia": DataSet("wikimedia/wikipedia", "20231101.en"),
    # The repository itself holds a script, which `datasets` no longer runs; the rows are in the
    # hub's own Parquet conversion. A row is a sentence, and nothing marks where a book
    # ends (7,185 books, 74,004,228 rows): 512 rows are a document long enough for sentence pairs.
    "bookcorpus": DataSet(
        "bookcorpus/bookcorpus",
        revision="refs/convert/parquet",
        files="plain_text/train/*.parquet",
        rows_per_document=512,
    ),
}
"""The paper's two corpora, by their usual names."""


def parse(source: str) -> DataSet:
    """Read hf:NAME[@REVISION][:CONFIGURATION], or one of the KNOWN names with or without hf:."""
    name = source.removeprefix(PREFIX)
    if name in KNOWN:
        return KNOWN[name]
    if name and Path(name).exists():
        return DataSet(name)
    name, _, configuration = name.partition(":")
    name, _, revision = name.partition("@")
    if not name:
        raise TextError(f"{source} names no data set; write hf:NAME, such as hf:wikipedia.")
    return DataSet(name, configuration or None, revision or None)


def hub_units(
    source: str, field: str = "text", split: str = "train", rows_per_document: int | None = None
) -> list[Unit]:
    """The files of a data set, in order; each is streamed when it is read.

    Raises TextError when `datasets` is not installed or the data set has no such split,
    DownloadError when it is neither on this machine nor reachable on the hub.
    """
    wanted = parse(source)
    if rows_per_document is not None:
        wanted = replace(wanted, rows_per_document=rows_per_document)
    if not is_whole(wanted.rows_per_document) or wanted.rows_per_document < 1:
        raise TextError(
            f"rows_per_document is {rows_per_document!r}; make it a whole number of at least 1."
        )
    builder, licence = find(source, wanted)
    try:
        rows = builder.as_streaming_dataset(split=split)
    except ValueError as problem:
        raise TextError(
            f"{source} has no split {split} ({problem}); name another with --split."
        ) from None
    except Exception as problem:  # the library's errors and those of its transport
        raise DownloadError(out_of_reach(source, wanted, problem)) from None
    names = file_names(builder, split, rows.num_shards)
    return [
        Unit(
            source,
            name,
            identity_of(name, builder),
            lambda index=index: gather(events(rows, index, source, field, wanted)),  # type: ignore[misc]
            size=None,
            licence=licence,
        )
        for index, name in enumerate(names)
    ]


def find(source: str, wanted: DataSet) -> tuple[DatasetBuilder, str | None]:
    """Look up a data set and its licence, without fetching any text."""
    try:
        import datasets
    except ImportError:
        raise TextError(
            f"{source} is read by the library `datasets`, which is not installed; run `{INSTALL}`."
        ) from None
    try:
        licence = None
        if not Path(wanted.name).exists():
            licence = ask_the_hub(wanted)
        builder = datasets.load_dataset_builder(
            wanted.name, wanted.configuration, revision=wanted.revision, data_files=wanted.files
        )
    except ValueError as problem:  # such as an unknown configuration
        raise TextError(f"{source} cannot be read as a data set: {first_line(problem)}") from None
    except Exception as problem:  # the library's errors and those of its transport
        raise DownloadError(out_of_reach(source, wanted, problem)) from None
    return builder, builder.info.license or licence


def ask_the_hub(wanted: DataSet) -> str | None:
    """The licence on the hub; fails early without a network, where `datasets` would retry."""
    from huggingface_hub import HfApi

    info = HfApi().dataset_info(wanted.name, revision=wanted.revision, timeout=SECONDS_TO_ANSWER)
    licence = getattr(info.card_data, "license", None)
    return ", ".join(licence) if isinstance(licence, list) else licence


def file_names(builder: DatasetBuilder, split: str, n_shards: int) -> list[str]:
    """The files behind a split, as `datasets` names them (with the commit, on the hub)."""
    files = list(map(str, (builder.config.data_files or {}).get(split, ())))
    return files if len(files) == n_shards else [f"{split}, part {i}" for i in range(n_shards)]


def identity_of(name: str, builder: DatasetBuilder) -> dict[str, int | str]:
    """What identifies a file when a build resumes: size and time, or else the data set's hash."""
    return dict(file_identity(Path(name))) if Path(name).is_file() else {"hash": builder.hash}


def events(
    rows: IterableDataset, index: int, source: str, field: str, wanted: DataSet
) -> Iterator[ReadingEvent]:
    """Yield the paragraphs of one file's rows, and where documents end."""
    shard = rows.shard(num_shards=rows.num_shards, index=index)
    for number, row in enumerate(stream(shard, source, wanted), start=1):
        if field not in row:
            raise TextError(
                f"{source} has no column {field!r}, only {', '.join(row)}; name one with --field."
            )
        text = row[field]
        if text is not None and not isinstance(text, str):
            raise TextError(
                f"{source} has {type(text).__name__} values in its column {field!r}, not text; "
                f"name another column with --field."
            )
        paragraphs = events_of(text or "")
        ends = number % wanted.rows_per_document == 0
        yield from (event for event in paragraphs if ends or event[0] is not None)


def stream(rows: Iterable[HubRow], source: str, wanted: DataSet) -> Iterator[HubRow]:
    """Yield the rows; an error on the way becomes one sentence."""
    try:
        yield from rows
    except AlbertLibError:
        raise
    except Exception as problem:
        if Path(wanted.name).exists():
            raise TextError(
                f"{source} cannot be read to its end ({first_line(problem)}); repair or replace it."
            ) from None
        raise DownloadError(out_of_reach(source, wanted, problem)) from None


def out_of_reach(source: str, wanted: DataSet, problem: Exception) -> str:
    """One sentence that says why the hub could not be read, and what to do."""
    from huggingface_hub import errors

    if isinstance(problem, errors.GatedRepoError):
        return (
            f"{source}: {wanted.name} is open only to those who agreed to its terms; agree to them "
            f"on its page of the hub, then run `hf auth login`."
        )
    if isinstance(problem, errors.RevisionNotFoundError):
        return (
            f"{source}: {wanted.name} on the hub has no revision {wanted.revision}; name another."
        )
    if isinstance(problem, errors.RepositoryNotFoundError):
        return (
            f"{source} is not on this machine, and the hub has no public data set "
            f"{wanted.name}; check the spelling, or run `hf auth login` if it is private."
        )
    cause = problem.__cause__ or problem
    reason = (
        "HF_HUB_OFFLINE is set"
        if isinstance(cause, errors.OfflineModeIsEnabled)
        else f"{type(cause).__name__}: {first_line(cause)}"
    )
    return (
        f"{source} cannot be read from the hub ({reason}): run the same command again where there "
        f"is a network, or fetch it there with `hf download --repo-type dataset {wanted.name} "
        f"--local-dir FOLDER`, bring the folder here and give hf:FOLDER."
    )
