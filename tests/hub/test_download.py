"""Published models by name: what is fetched, and one sentence each for why it could not be."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from albert_lib import FillMask, hub
from albert_lib.errors import CheckpointError, DownloadError
from albert_lib.hub import resolve_folder

BASE = "albert/albert-base-v2"
TEXT = "The [MASK] sings."


def test_only_what_is_needed_is_downloaded_and_then_needs_no_network(
    cache: Path,
    published: Path,
    contents: dict[str, bytes],
    server: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    others = ("pytorch_model.bin", "tf_model.h5", "flax_model.msgpack", "tokenizer.json")
    server.models[BASE] = contents | dict.fromkeys(others, b"not wanted")
    snapshot = resolve_folder("albert-base-v2", "tokenizer")
    assert {file.name for file in snapshot.iterdir()} == {"spiece.model", "tokenizer_config.json"}
    answer = FillMask.from_pretrained("albert-base-v2")(TEXT)
    assert answer == FillMask.from_pretrained(published)(TEXT)
    assert {file.name for file in snapshot.iterdir()} == contents.keys()
    assert not [path for path in server.requests if path.endswith(others)]

    server.requests.clear()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert FillMask.from_pretrained("albert-base-v2")(TEXT) == answer
    assert not server.requests


def test_weights_in_several_files_are_downloaded(two_files: dict[str, bytes], server: Any) -> None:
    server.models[BASE] = two_files
    folder = resolve_folder("albert-base-v2", "weights")
    assert sorted(file.name for file in folder.glob("*.safetensors")) == [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ]


def test_a_model_without_safetensors_is_refused_with_the_way_to_convert(
    contents: dict[str, bytes], server: Any
) -> None:
    server.models[BASE] = {"config.json": contents["config.json"], "pytorch_model.bin": b"code"}
    with pytest.raises(CheckpointError, match=r"no model\.safetensors.*pickle.*save_pretrained"):
        resolve_folder("albert-base-v2", "weights")
    assert not [path for path in server.requests if path.endswith(".bin")]
    with pytest.raises(CheckpointError, match=r"albert-base-v2 on the hub has no spiece\.model"):
        resolve_folder("albert-base-v2", "tokenizer")


def test_each_refusal_of_the_hub_has_its_own_sentence(
    contents: dict[str, bytes], server: Any
) -> None:
    server.models |= {"some/gated": contents, "some/broken": contents}
    server.refusals = {"some/gated": (403, "GatedRepo"), "some/broken": (418, "")}
    for name, sentence in {
        "albert-bse-v2": "no public model albert/albert-bse-v2; check the spelling",
        "some/gated": "some/gated is open only to those who agreed to its terms",
        "some/broken": "cannot be reached .*418",
        "some/gated@v9": "some/gated on the hub has no revision v9; .*ask for some/gated",
    }.items():
        with pytest.raises(DownloadError, match=sentence) as caught:
            resolve_folder(name, "weights")
        assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_named(
    cache: Path, contents: dict[str, bytes], server: Any
) -> None:
    server.models[BASE] = contents
    cache.write_text("a file where the folder should be")
    with pytest.raises(DownloadError, match=r"cache.* cannot be written .*HF_HUB_CACHE"):
        resolve_folder("albert-base-v2", "weights")


def test_without_network_one_sentence_says_what_to_fetch_and_where_to_put_it(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = time.monotonic()
    with pytest.raises(DownloadError) as caught:
        resolve_folder("albert-xlarge-v1", "weights")
    assert time.monotonic() - began < 3
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert "ConnectError" in sentence
    assert (
        "`hf download albert/albert-xlarge-v1 config.json model.safetensors spiece.model "
        "tokenizer_config.json --local-dir albert-xlarge-v1`"
    ) in sentence
    assert f"models--albert--albert-xlarge-v1 into {cache}" in sentence
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        resolve_folder("albert-xlarge-v1", "tokenizer")


def test_a_network_that_does_not_answer_is_given_up(
    silence: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SECONDS_TO_ANSWER", 0.2)
    began = time.monotonic()
    with pytest.raises(DownloadError, match=r"cannot be reached .*Timeout"):
        resolve_folder("albert-xlarge-v1", "weights")
    assert time.monotonic() - began < 3


def test_the_command_of_that_sentence_fetches_a_folder_that_loads(
    published: Path,
    contents: dict[str, bytes],
    server: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as offline, pytest.raises(DownloadError) as caught:
        offline.setattr(constants, "HF_HUB_OFFLINE", True)
        resolve_folder("albert-base-v2", "weights")
    program, *words = shlex.split(str(caught.value).split("`")[1])
    server.models[BASE] = contents | {"pytorch_model.bin": b"not wanted"}
    subprocess.run(
        [Path(sys.executable).with_name(program), *words],
        cwd=tmp_path,
        env={**os.environ, "HF_ENDPOINT": server.url, "HF_HUB_OFFLINE": "0", "HF_HOME": "home"},
        check=True,
        capture_output=True,
    )
    folder = tmp_path / "albert-base-v2"
    assert not (folder / "pytorch_model.bin").exists()
    assert FillMask.from_pretrained(folder)(TEXT) == FillMask.from_pretrained(published)(TEXT)
