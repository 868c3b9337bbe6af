"""Published models by name: what counts as a name, and what is found without asking anybody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants

from albert_lib import AlbertForMaskedLM, AlbertTokenizer, FillMask
from albert_lib.errors import CheckpointError, DownloadError
from albert_lib.hub import Part, PublishedModel, cached_folder, resolve_folder

BASE = "albert/albert-base-v2"
TEXT = "The [MASK] sings."


@pytest.mark.parametrize(
    ("name", "repository", "revision"),
    [
        ("albert-xlarge-v1", "albert/albert-xlarge-v1", "main"),
        ("someone/else", "someone/else", "main"),
        ("albert-base-v2@v1.0", BASE, "v1.0"),
        ("someone/else@refs/pr/1", "someone/else", "refs/pr/1"),
    ],
)
def test_a_name_without_an_organisation_means_albert(
    name: str, repository: str, revision: str
) -> None:
    assert PublishedModel.from_name(name) == PublishedModel(name, repository, revision)


def test_a_folder_wins_over_a_published_model_of_that_name(
    cache: Path,
    put_in_cache: Any,
    contents: dict[str, bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in_cache(contents)
    monkeypatch.chdir(tmp_path)
    assert resolve_folder("albert-base-v2", "weights").is_relative_to(cache)
    (tmp_path / "albert-base-v2").mkdir()
    assert resolve_folder("albert-base-v2", "weights") == Path("albert-base-v2")


def test_what_can_only_be_a_path_is_not_looked_for_on_the_hub(server: Any, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.touch()
    for path in (tmp_path / "gone", "./gone", "~/gone", "a/b/c", r"a\b", file):
        with pytest.raises(CheckpointError, match="is not a folder; give the folder that"):
            resolve_folder(path, "weights")
    assert not server.requests


@pytest.mark.parametrize("lacking", [None, "config.json", "model.safetensors", "spiece.model"])
def test_a_look_into_the_cache_alone_asks_nobody(
    lacking: str | None, cache: Path, put_in_cache: Any, contents: dict[str, bytes], server: Any
) -> None:
    server.models[BASE] = contents
    assert cached_folder("albert-base-v2") is None
    put_in_cache({name: content for name, content in contents.items() if name != lacking})
    folder = cached_folder("albert-base-v2")
    assert folder is None if lacking else folder is not None and folder.is_relative_to(cache)
    assert not server.requests


@pytest.mark.parametrize("offline_mode", [True, False])
def test_a_cached_model_loads_and_nobody_is_asked(
    offline_mode: bool,
    put_in_cache: Any,
    published: Path,
    contents: dict[str, bytes],
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in_cache(contents)
    server.models[BASE] = contents
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline_mode)
    model = AlbertForMaskedLM.from_pretrained("albert-base-v2")
    expected = AlbertForMaskedLM.from_pretrained(published).state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in model.state_dict().items())
    tokenizer = AlbertTokenizer.from_pretrained("albert-base-v2")
    assert tokenizer.fingerprint == AlbertTokenizer.from_pretrained(published).fingerprint
    answer = FillMask.from_pretrained("albert-base-v2")(TEXT)
    assert answer == FillMask.from_pretrained(published)(TEXT)
    assert not server.requests


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("weights", ["config.json"]),
        ("weights", ["model.safetensors"]),
        ("weights", ["config.json", "spiece.model", "tokenizer_config.json"]),
        ("weights", ["config.json", "model.safetensors.index.json"]),
        ("tokenizer", ["tokenizer_config.json"]),
        ("tokenizer", ["config.json", "model.safetensors"]),
    ],
)
def test_a_cache_with_some_of_the_files_is_refused_or_completed(
    part: Part,
    names: list[str],
    put_in_cache: Any,
    contents: dict[str, bytes],
    two_files: dict[str, bytes],
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put_in_cache({name: (two_files | contents)[name] for name in names})
    with monkeypatch.context() as offline, pytest.raises(DownloadError, match="not complete in"):
        offline.setattr(constants, "HF_HUB_OFFLINE", True)
        resolve_folder(BASE, part)
    server.models[BASE] = contents
    folder = resolve_folder(BASE, part)
    {"weights": AlbertForMaskedLM, "tokenizer": AlbertTokenizer}[part].from_pretrained(folder)


def test_weights_in_several_files_are_found_and_one_that_lacks_is_missed(
    put_in_cache: Any, published: Path, two_files: dict[str, bytes]
) -> None:
    snapshot = put_in_cache(two_files)
    model = AlbertForMaskedLM.from_pretrained("albert-base-v2")
    expected = AlbertForMaskedLM.from_pretrained(published).state_dict()
    assert all(torch.equal(tensor, expected[key]) for key, tensor in model.state_dict().items())
    (snapshot / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(DownloadError, match="not complete in"):
        resolve_folder(BASE, "weights")


def test_a_damaged_index_is_named(put_in_cache: Any, two_files: dict[str, bytes]) -> None:
    snapshot = put_in_cache(two_files | {"model.safetensors.index.json": b"[]"})
    (snapshot / ".." / ".." / ".no_exist" / snapshot.name).mkdir(parents=True)
    (snapshot / ".." / ".." / ".no_exist" / snapshot.name / "model.safetensors").touch()
    with pytest.raises(CheckpointError, match=r"index\.json does not list"):
        resolve_folder(BASE, "weights")


def test_settings_of_a_tokenizer_are_asked_for_where_the_cache_cannot_tell(
    put_in_cache: Any, contents: dict[str, bytes], server: Any
) -> None:
    put_in_cache({"spiece.model": contents["spiece.model"]})
    keeps_case = json.dumps({"do_lower_case": False}).encode()
    server.models[BASE] = {**contents, "tokenizer_config.json": keeps_case}
    assert AlbertTokenizer.from_pretrained("albert-base-v2").normalize("A") == "A"


def test_that_a_tokenizer_has_no_settings_is_asked_once(
    put_in_cache: Any, contents: dict[str, bytes], server: Any
) -> None:
    put_in_cache({"spiece.model": contents["spiece.model"]})
    server.models[BASE] = {"spiece.model": contents["spiece.model"]}
    assert AlbertTokenizer.from_pretrained("albert-base-v2").normalize("A") == "a"
    assert server.requests
    server.requests.clear()
    assert AlbertTokenizer.from_pretrained("albert-base-v2").normalize("A") == "a"
    assert not server.requests


def test_a_vocabulary_alone_is_enough_where_nobody_can_be_asked_but_it_is_said(
    put_in_cache: Any, contents: dict[str, bytes]
) -> None:
    put_in_cache({"spiece.model": contents["spiece.model"]})
    with pytest.warns(UserWarning, match=r"albert-base-v2: .* no tokenizer_config\.json"):
        tokenizer = AlbertTokenizer.from_pretrained("albert-base-v2")
    assert tokenizer.normalize("A") == "a"


def test_a_newer_state_of_a_model_is_had_by_its_revision(
    put_in_cache: Any, contents: dict[str, bytes], server: Any
) -> None:
    old = put_in_cache(contents)
    server.models[BASE] = contents
    server.revisions = {"main": "f" * 40, "v2": "f" * 40}
    assert resolve_folder(BASE, "weights") == old
    assert resolve_folder(f"{BASE}@{old.name}", "weights") == old
    assert not server.requests
    new = resolve_folder(f"{BASE}@v2", "weights")
    assert new.name == "f" * 40
    server.requests.clear()
    assert resolve_folder(f"{BASE}@v2", "weights") == new
    assert not server.requests
