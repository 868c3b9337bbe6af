"""Published models by name: a folder, else the hub's cache, else the hub itself.

What the cache holds is used as it lies there, without asking whether the hub has something
newer: published checkpoints do not change, and loading them must work without a network. Ask
for another state as `name@revision` (a branch, tag or commit), or delete the cached one.
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
from albert_lib.files import data_folder, read_json

# huggingface_hub is slow to import and rarely needed: each function imports what it uses.

ORGANISATION = "albert"  # whose models may be named without it, as on the hub
WEIGHTS_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"  # of weights that were saved in several files
ALL_FILES = f"config.json {WEIGHTS_FILE} spiece.model tokenizer_config.json"
_SHARD = re.compile(r"[\w.-]+\.safetensors")  # a file of the same folder
SECONDS_TO_ANSWER = 10.0  # before the hub counts as out of reach

Part = Literal["tokenizer", "weights"]
Get = Callable[[str], Path | None]  # a file's name → where it is; None: the model has no such file


class _Missing(Exception):
    """A file that a model cannot do without is not there; carries its name."""


@dataclass(frozen=True)
class PublishedModel:
    """A model of the hub: as it was asked for, its full id, and a branch, tag or commit of it."""

    name: str
    repository: str
    revision: str

    @classmethod
    def from_name(cls, name: str) -> PublishedModel:
        """Read `model`, `organisation/model` or either with `@revision`.

        Raises CheckpointError for what cannot be a hub id and so must be meant as a path.
        """
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

        model, _, revision = name.partition("@")
        repository = model if "/" in model else f"{ORGANISATION}/{model}"
        try:
            validate_repo_id(repository)
        except HFValidationError:
            raise CheckpointError(_not_a_folder(name)) from None
        return cls(name, repository, revision or "main")

    def cached(self, file: str) -> Path | None:
        """Where the cache has a file, or None if the cache knows that the model has none.

        Raises _Missing when the cache cannot tell.
        """
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(self.repository, file, revision=self.revision)
        if found is None:
            raise _Missing(file)
        return Path(found) if isinstance(found, str) else None

    def cached_or_absent(self, file: str) -> Path | None:
        """As `cached`, taking what the cache lacks for what the model lacks."""
        with suppress(_Missing):
            return self.cached(file)
        return None

    def download(self, file: str) -> Path | None:
        """Fetch a file into the cache; None, and the cache notes it, if the model has none."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

        try:
            return Path(hf_hub_download(self.repository, file, revision=self.revision))
        except LocalEntryNotFoundError:  # the network failed; a kind of EntryNotFoundError
            raise
        except EntryNotFoundError:
            return None


def resolve_folder(name_or_path: str | os.PathLike[str], part: Part) -> Path:
    """Turn a folder or a name into a folder that holds one part of a model.

    A folder goes before a model or tokenizer of that name that comes with albert_lib, and that
    before a published model; ~ is the home folder.

    The part "tokenizer" is spiece.model and, where the model has one, tokenizer_config.json;
    "weights" is config.json with model.safetensors or the several files that replace it. Only
    these are fetched, never a pickle. A name without an organisation means the `albert` one.

    Raises CheckpointError for a path that is no folder and for a model that lacks a file,
    DownloadError when a model is not on this machine and cannot be fetched.
    """
    folder = Path(name_or_path).expanduser()
    if folder.is_dir():
        return folder
    if (shipped := shipped_folder(str(name_or_path), part)) is not None:
        return shipped
    if folder.exists():
        raise CheckpointError(_not_a_folder(str(name_or_path)))
    model = PublishedModel.from_name(str(name_or_path))
    gather = _gather_tokenizer if part == "tokenizer" else _gather_weights
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
                warnings.warn(_settings_unknown(model), stacklevel=3)
            return folder
        raise DownloadError(_why(model, problem)) from None


def shipped_folder(name: str, part: Part) -> Path | None:
    """The folder of a model or tokenizer that comes with albert_lib; None if it has none such.

    A name is one word; what may be a path, such as "." or "..", is none.

    Example:
        >>> shipped_folder("english-8k", "tokenizer").name, shipped_folder(".", "tokenizer")
        ('english-8k', None)
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w-]*", name):
        return None
    kinds = ("checkpoints", "tokenizers") if part == "tokenizer" else ("checkpoints",)
    folders = (data_folder() / kind / name for kind in kinds)
    return next((folder for folder in folders if folder.is_dir()), None)


def cached_folder(name: str) -> Path | None:
    """The folder of a published model whose tokenizer and weights the cache holds, else None.

    Nothing is fetched and nobody is asked. Raises CheckpointError for what is no hub id.
    """
    model = PublishedModel.from_name(name)
    try:
        _gather_tokenizer(model.cached_or_absent)
        return _gather_weights(model.cached_or_absent)
    except _Missing:
        return None


def _gather_tokenizer(get: Get) -> Path:
    vocabulary = _require(get, "spiece.model")
    get("tokenizer_config.json")
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


def _require(get: Get, file: str) -> Path:
    found = get(file)
    if found is None:
        raise _Missing(file)
    return found


def files_of_index(index: Path) -> list[str]:
    """The files that hold the weights, each once; CheckpointError if the index names others."""
    content = read_json(index)
    listing = content.get("weight_map") if isinstance(content, dict) else None
    names = set(map(str, listing.values())) if isinstance(listing, dict) else set()
    if not names or not all(map(_SHARD.fullmatch, names)):
        raise CheckpointError(
            f"{index} does not list .safetensors files as its weight_map; download it again."
        )
    return sorted(names)


def _ask_the_hub(model: PublishedModel) -> None:
    """Fail early: without a network a download goes on trying for half a minute or for ever."""
    from huggingface_hub import HfApi

    HfApi().model_info(model.repository, revision=model.revision, timeout=SECONDS_TO_ANSWER)


def _not_a_folder(name: str) -> str:
    return (
        f"{name} is not a folder; give the folder that holds config.json, {WEIGHTS_FILE} and "
        f"spiece.model, or the name of a published model such as albert-base-v2."
    )


def _settings_unknown(model: PublishedModel) -> str:
    return (
        f"{model.name}: the hub's cache holds no tokenizer_config.json and the hub cannot be asked "
        f"for one, so ALBERT's usual settings hold; fetch it where there is a network."
    )


def _lacks(model: PublishedModel, file: str) -> str:
    if file == WEIGHTS_FILE:
        return (
            f"{model.repository} on the hub has no {file}, and no other weights are fetched "
            f"(pytorch_model.bin is a pickle, which could run code when opened); convert it where "
            f"you trust it, with transformers' from_pretrained and save_pretrained, and give that "
            f"folder."
        )
    return (
        f"{model.repository} on the hub has no {file}, which every ALBERT has; check the name, "
        f"or put the missing file into a folder with the others and give that folder."
    )


def _why(model: PublishedModel, problem: Exception) -> str:
    """One sentence for what went wrong between here and the hub, and what to do about it."""
    from huggingface_hub import errors

    if isinstance(problem, errors.GatedRepoError):
        return (
            f"{model.repository} is open only to those who agreed to its terms; agree to them on "
            f"its page of the hub, then run `hf auth login`."
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
