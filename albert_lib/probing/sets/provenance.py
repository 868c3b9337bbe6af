"""What a report was made from: enough to make it again, and to see that it is the same."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from albert_lib.engines.onnx_files import ONNX_FILE, is_exported
from albert_lib.hub import INDEX_FILE, WEIGHTS_FILE, files_of_index, resolve_folder

PIECE = 1 << 20  # bytes read at a time
_SNAPSHOT = re.compile(r"snapshots/([0-9a-f]{40})$")  # where the hub's cache keeps one commit


@dataclass(frozen=True)
class Provenance:
    """The command that makes a report, and what it found when it ran.

    Example:
        >>> made = Provenance("python -m …", "0.1.0", "9f86…", None, "2c26…", "float32", "PyTorch")
        >>> made.sentences()[0]
        'python -m …'
    """

    command: str
    version: str  # of albert_lib
    weights: str  # sha256 of the model's weights
    revision: str | None  # the commit of a published model, where it came from the hub
    data: str  # sha256 of the set's files
    precision: str
    engine: str

    def sentences(self) -> list[str]:
        """The same for a reader, a line each, the command first."""
        revision = "" if self.revision is None else f", revision {self.revision}"
        return [
            self.command,
            f"albert_lib {self.version}, {self.engine}, {self.precision}",
            f"weights: sha256 {self.weights}{revision}",
            f"data: sha256 {self.data}",
        ]


def provenance(
    words: Iterable[str],
    model: str | os.PathLike[str],
    data: str | os.PathLike[str],
    version: str,
    engine: str | None = None,
    precision: str = "float32",
) -> Provenance:
    """Of a report on one model and one set's files, made by `python -m albert_lib` and `words`.

    `version` is that of albert_lib; `engine` is None for PyTorch.

    Raises CheckpointError or DownloadError for a model that is not there.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile(suffix=".jsonl") as file:
        ...     made = provenance(["probe", "blimp"], "albert-mini-en", file.name, "0.1.0")
        >>> made.command, made.data[:8], made.revision
        ('python -m albert_lib probe blimp', 'e3b0c442', None)
    """
    folder = resolve_folder(model, "weights")
    snapshot = _SNAPSHOT.search(folder.as_posix())
    return Provenance(
        command=shlex.join(["python", "-m", "albert_lib", *words]),
        version=version,
        weights=sha256_of(_weight_files(folder)),
        revision=snapshot[1] if snapshot else None,
        data=sha256_of(files_below(Path(data))),
        precision=precision,
        engine=_with_version("PyTorch" if engine is None else engine),
    )


def _with_version(engine: str) -> str:
    package = "torch" if engine == "PyTorch" else engine
    return f"{engine} {importlib.metadata.version(package).partition('+')[0]}"


def files_below(path: Path) -> list[Path]:
    """A file itself, or every file in a folder and below it, in the order of their names.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "b").write_text("2"), Path(folder, "a").write_text("1")
        ...     [file.name for file in files_below(Path(folder))]
        ['a', 'b']
    """
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.is_file())


def sha256_of(files: Iterable[Path]) -> str:
    """The sha256 of the contents of files, one after another; of one file, what sha256sum prints.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a").write_text("abc")
        ...     sha256_of(files_below(Path(folder)))[:16]
        'ba7816bf8f01cfea'
    """
    digest = hashlib.sha256()
    for file in files:
        with file.open("rb") as opened:
            while piece := opened.read(PIECE):
                digest.update(piece)
    return digest.hexdigest()


def _weight_files(folder: Path) -> list[Path]:
    index = folder / INDEX_FILE
    if is_exported(folder) and not (folder / WEIGHTS_FILE).exists() and not index.exists():
        return [folder / ONNX_FILE]
    if (folder / WEIGHTS_FILE).exists() or not index.exists():
        return [folder / WEIGHTS_FILE]
    return [folder / name for name in files_of_index(index)]
