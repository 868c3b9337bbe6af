"""Find a model by name: a folder, a model that comes with albert_lib, the hub's cache, the hub.

A cached file is used without asking the hub for a newer one: published checkpoints do not
change, and loading them must work without a network. For another version ask for `name@revision`
(a branch, tag or commit), or delete the cached one.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from albert_lib.errors import CheckpointError, DownloadError
from albert_lib.files import read_json
from albert_lib.paths import from_home, given_path
from albert_lib.shipped import shipped_folder

# huggingface_hub is slow to import and rarely needed: each function imports what it uses.

ORGANISATION = "albert"  # the one that a name such as albert-base-v2 means
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"  # of weights saved in several files
ALL_FILES = f"config.json {WEIGHTS_FILE} spiece.model tokenizer_config.json"
_SHARD = re.compile(r"[\w.-]+\.safetensors")  # a file of the same folder
SECONDS_TO_ANSWER = 10.0  # after which the hub counts as unreachable

# Of other models' tokenizers, whichever there are; transformers knows what to make of them.
TOKENIZER_FILES = (
    "tokenizer.json tokenizer_config.json special_tokens_map.json added_tokens.json vocab.txt "
    "vocab.json merges.txt spiece.model spm.model sentencepiece.bpe.model"
).split()

PUBLISHED = ", or the id of a published model such as albert-base-v2"
Part = Literal["tokenizer", "any tokenizer", "weights"]
Get = Callable[[str], Path | None]  # file name → path, or None if the model has no such file


class _Missing(Exception):
    """A file that every model needs is missing; the message is its name."""


@dataclass(frozen=True)
class PublishedModel:
    """A model on the hub: the name asked for, its repository, and a branch, tag or commit."""

    name: str
    repository: str
    revision: str

    @classmethod
    def from_name(cls, name: str) -> PublishedModel:
        """Read `model`, `organisation/model` or either with `@revision`.

        A model whose name begins with "albert" is the organisation `albert`'s unless it says so.

        Raises CheckpointError if `name` cannot be a hub id and so must be meant as a path.

        Example:
            >>> from albert_lib.hub import PublishedModel
            >>> model = PublishedModel.from_name("albert-base-v2@v1.0")
            >>> model.repository, model.revision
            ('albert/albert-base-v2', 'v1.0')
        """
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

        model, _, revision = name.partition("@")
        is_short = model.startswith(ORGANISATION) and "/" not in model
        repository = f"{ORGANISATION}/{model}" if is_short else model
        try:
            validate_repo_id(repository)
        except HFValidationError:
            raise CheckpointError(_not_a_folder(name)) from None
        return cls(name, repository, revision or "main")

    def cached(self, file: str) -> Path | None:
        """Path of a cached file, or None if the cache records that the model has no such file.

        Raises _Missing when the cache knows nothing of the file.
        """
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.repository, file, revision=self.revision)
        if found is None:
            raise _Missing(file)
        return Path(found) if isinstance(found, str) else None

    def cached_or_absent(self, file: str) -> Path | None:
        """Path of a cached file, or None if it is not in the cache, for whatever reason.

        Example:
            >>> from albert_lib.hub import PublishedModel
            >>> print(PublishedModel.from_name("nobody/nothing").cached_or_absent("config.json"))
            None
        """
        with suppress(_Missing):
            return self.cached(file)
        return None

    def download(self, file: str) -> Path | None:
        """Fetch a file into the cache; None, noted in the cache, if the model has no such file."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        try:
            return Path(hf_hub_download(self.repository, file, revision=self.revision))
        except LocalEntryNotFoundError:  # the network failed; a subclass of EntryNotFoundError
            raise
        except EntryNotFoundError:
            return None


def resolve_folder(name_or_path: str | os.PathLike[str], part: Part) -> Path:
    """Find the folder that holds one part of a model, given a folder or a model's name.

    A folder of that name is taken first, then a model or tokenizer that comes with albert_lib,
    then a published model, from the cache or the hub. ~ is the home folder; a name that begins
    with "albert" and names no organisation means the organisation `albert`.

    The part "tokenizer" is spiece.model, or else tokenizer.json, with tokenizer_config.json and
    added_tokens.json where the model has them, and "any tokenizer" whatever a model that is no
    ALBERT has; "weights" is config.json with model.safetensors or the several files that replace
    it. Only these are fetched, never a pickle.

    Raises CheckpointError for a path that is not a folder and for a model that lacks a file,
    DownloadError when a model is not on this machine and cannot be fetched.

    Example:
        >>> from albert_lib.hub import resolve_folder
        >>> resolve_folder("albert-mini-en", "weights").parent.name
        'checkpoints'
    """
    folder = from_home(given_path(name_or_path, PUBLISHED))
    if folder.is_dir():
        return folder
    if (shipped := shipped_folder(str(name_or_path), part)) is not None:
        return shipped
    if folder.exists():
        raise CheckpointError(_not_a_folder(str(name_or_path)))
    return _published_folder(PublishedModel.from_name(str(name_or_path)), part)


def _published_folder(model: PublishedModel, part: Part) -> Path:
    """The folder of one part of a published model: from the cache, else from the hub."""
    gather = GATHER[part]
    with suppress(_Missing):
        return gather(model.cached)
    try:
        _ask_the_hub(model)
        return gather(model.download)
    except _Missing as missing:
        raise CheckpointError(_lacks(model, str(missing))) from None
    except CheckpointError:
        raise
    except Exception as problem:  # the client's errors and those of its transport: many families
        with suppress(_Missing):
            folder = gather(model.cached_or_absent)
            if part == "tokenizer":
                warnings.warn(_settings_unknown(model), stacklevel=4)
            return folder
        raise DownloadError(_why(model, problem)) from None


def cached_folder(name: str) -> Path | None:
    """The folder of a published model if the cache holds its tokenizer and weights, else None.

    The hub is not asked. Raises CheckpointError if `name` cannot be a hub id.

    Example:
        >>> from albert_lib.hub import cached_folder
        >>> print(cached_folder("nobody/nothing"))
        None
    """
    model = PublishedModel.from_name(str(given_path(name, PUBLISHED)))
    try:
        _gather_tokenizer(model.cached_or_absent)
        return _gather_weights(model.cached_or_absent)
    except _Missing:
        return None


def _gather_tokenizer(get: Get) -> Path:
    vocabulary = get("spiece.model") or get("tokenizer.json")
    if vocabulary is None:
        if get("vocab.txt") is not None:
            raise _Missing("vocab.txt")
        raise _Missing("spiece.model")
    get("tokenizer_config.json")
    with suppress(_Missing):  # few models have one
        get("added_tokens.json")
    return vocabulary.parent


def _gather_weights(get: Get) -> Path:
    config = _require(get, "config.json")
    if get(WEIGHTS_FILE) is None:
        index = get(INDEX_FILE)
        if index is None:
            raise _Missing(WEIGHTS_FILE)
        for file in files_of_index(index):
            _require(get, file)
    return config.parent


def _gather_any_tokenizer(get: Get) -> Path:
    found = [path for file in TOKENIZER_FILES if (path := get(file)) is not None]
    if not found:
        raise _Missing("tokenizer.json")
    return found[0].parent


GATHER: dict[Part, Callable[[Get], Path]] = {
    "tokenizer": _gather_tokenizer,
    "any tokenizer": _gather_any_tokenizer,
    "weights": _gather_weights,
}


def _require(get: Get, file: str) -> Path:
    found = get(file)
    if found is None:
        raise _Missing(file)
    return found


def files_of_index(index: Path) -> list[str]:
    """Names of the files that hold the weights, each once, from an index in JSON.

    Raises CheckpointError if the index lists anything but .safetensors files of its own folder.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from albert_lib.hub import INDEX_FILE, files_of_index
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     index = Path(folder) / INDEX_FILE
        ...     _ = index.write_text('{"weight_map": {"a": "1.safetensors", "b": "1.safetensors"}}')
        ...     files_of_index(index)
        ['1.safetensors']
    """
    content = read_json(index)
    listing = content.get("weight_map") if isinstance(content, dict) else None
    names = set(map(str, listing.values())) if isinstance(listing, dict) else set()
    if not names or not all(map(_SHARD.fullmatch, names)):
        raise CheckpointError(
            f"{index} does not list .safetensors files as its weight_map; download it again."
        )
    return sorted(names)


def _ask_the_hub(model: PublishedModel) -> None:
    """Fail early: without a network, a download would retry for half a minute or forever."""
    from huggingface_hub import HfApi

    HfApi().model_info(model.repository, revision=model.revision, timeout=SECONDS_TO_ANSWER)


def _not_a_folder(name: str) -> str:
    return (
        f"{name} is not a folder; give the folder that holds config.json, {WEIGHTS_FILE} and "
        f"spiece.model, or the name of a published model such as albert-base-v2."
    )


def _settings_unknown(model: PublishedModel) -> str:
    return (
        f"{model.name}: the hub's cache holds no tokenizer_config.json and the hub cannot be "
        f"reached, so ALBERT's default tokenizer settings are used; load the model once with a "
        f"network to get its own."
    )


def _lacks(model: PublishedModel, file: str) -> str:
    if file == "vocab.txt":
        return (
            f"{model.repository} has a WordPiece vocabulary (vocab.txt), as BERT and the Chinese "
            f"ALBERTs have it, but this library segments text by SentencePiece's unigram model; "
            f"choose a model that has a spiece.model, or use transformers' BertTokenizer."
        )
    if file == WEIGHTS_FILE:
        return (
            f"{model.repository} on the hub has no {file}, and no other weights are fetched "
            f"(pytorch_model.bin is a pickle, which can run code when it is opened); if you trust "
            f"it, convert model and tokenizer with transformers' from_pretrained and "
            f"save_pretrained, put its spiece.model beside them if it has one, and give that "
            f"folder."
        )
    return (
        f"{model.repository} on the hub has no {file}, which every ALBERT needs; check the name, "
        f"or put the missing file into a folder with the others and give that folder."
    )


def _why(model: PublishedModel, problem: Exception) -> str:
    """One sentence for what went wrong between here and the hub, and what to do about it."""
    from huggingface_hub import errors

    if isinstance(problem, errors.GatedRepoError):
        return (
            f"{model.repository} is open only to those who agreed to its terms; agree to them on "
            f"its page on the hub, then run `hf auth login`."
        )
    if isinstance(problem, errors.RepositoryNotFoundError):
        return (
            f"{model.name} is not a folder here, and the hub has no public model "
            f"{model.repository}; check the spelling, or run `hf auth login` if it is private."
        )
    if isinstance(problem, errors.RevisionNotFoundError):
        return (
            f"{model.repository} on the hub has no revision {model.revision}; name a branch, a "
            f"tag or a whole commit of it, or ask for {model.name.partition('@')[0]}."
        )
    if isinstance(problem, OSError) and problem.filename:
        return (
            f"{problem.filename} cannot be written ({problem.strerror}); make room there, or name "
            f"another folder for the hub's cache in HF_HUB_CACHE."
        )
    return _out_of_reach(model, problem)


def _out_of_reach(model: PublishedModel, problem: Exception) -> str:
    from huggingface_hub import constants, errors

    cause = problem.__cause__ or problem
    if isinstance(cause, errors.OfflineModeIsEnabled):
        reason = "HF_HUB_OFFLINE is set"
    else:
        reason = f"{type(cause).__name__}: {cause}".partition("\n")[0]
    folder = model.repository.partition("/")[2]
    revision = "" if model.revision == "main" else f" --revision {model.revision}"
    command = f"hf download {model.repository} {ALL_FILES}{revision}"
    cache = f"models--{model.repository.replace('/', '--')}"
    return (
        f"{model.name} is not a folder here, not complete in the hub's cache, and the hub cannot "
        f"be reached ({reason}): where there is a network, run `{command} --local-dir {folder}`, "
        f"bring {folder} here and give its path; or run it without --local-dir and bring {cache} "
        f"into {constants.HF_HUB_CACHE}."
    )
