"""A stand-in for the hub that answers on this machine, and one for its cache on disk."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants
from safetensors.torch import load_file, save_file

from albert_lib import AlbertConfig, AlbertForMaskedLM, AlbertTokenizer

BASE = "albert/albert-base-v2"
COMMIT = "0123456789abcdef0123456789abcdef01234567"

PutInCache = Callable[[dict[str, bytes]], Path]


class StandInHub(ThreadingHTTPServer):
    """The answers of the hub that a download needs, for models held in memory."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.models: dict[str, dict[str, bytes]] = {}
        self.revisions = {"main": COMMIT}
        self.refusals: dict[str, tuple[int, str]] = {}  # model → status and the hub's error code
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: StandInHub

    def do_GET(self) -> None:
        self.server.requests.append(self.path)
        path = self.path.partition("?")[0].strip("/").removeprefix("api/models/")
        organisation, name, what, revision, *rest = path.split("/")
        files = self.server.models.get(f"{organisation}/{name}")
        commit = self.server.revisions.get(revision, revision)
        file = "/".join(rest)
        if f"{organisation}/{name}" in self.server.refusals and what == "resolve":
            return self.refuse(*self.server.refusals[f"{organisation}/{name}"])
        if files is None:
            return self.refuse(401, "RepoNotFound")
        if commit not in self.server.revisions.values():
            return self.refuse(404, "RevisionNotFound")
        if what == "revision":
            return self.reply(json.dumps({"id": f"{organisation}/{name}", "sha": commit}).encode())
        if what == "tree":
            rows = [
                {"type": "file", "path": key, "size": len(value), "oid": etag_of(value)}
                for key, value in files.items()
            ]
            return self.reply(json.dumps(rows).encode())
        if file not in files:
            return self.refuse(404, "EntryNotFound", {"X-Repo-Commit": commit})
        etag = {"ETag": f'"{etag_of(files[file])}"', "X-Repo-Commit": commit}
        self.reply(files[file], etag)

    do_HEAD = do_GET

    def reply(
        self, content: bytes, headers: dict[str, str] | None = None, status: int = 200
    ) -> None:
        self.send_response(status)
        for key, value in {**(headers or {}), "Content-Length": str(len(content))}.items():
            self.send_header(key, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content)

    def refuse(self, status: int, code: str, headers: dict[str, str] | None = None) -> None:
        self.reply(b"", {"X-Error-Code": code, **(headers or {})}, status)

    def log_message(self, *_: object) -> None:
        """Nothing on stderr."""


def etag_of(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, and nobody to ask: whatever goes wrong, no test reaches the real hub."""
    monkeypatch.setenv("NO_PROXY", "*")
    huggingface_hub.close_session()
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        point_to(f"http://127.0.0.1:{free.getsockname()[1]}", monkeypatch)
    return tmp_path / "cache"


def point_to(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = url + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInHub]:
    with StandInHub() as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        point_to(running.url, monkeypatch)
        yield running
        running.shutdown()


@pytest.fixture
def silence(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A hub that takes calls and never answers, as behind some firewalls."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_to(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        yield


@pytest.fixture(scope="session")
def published(english_tokenizer: AlbertTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model with its tokenizer, as a folder."""
    folder = tmp_path_factory.mktemp("published")
    config = AlbertConfig(
        vocab_size=english_tokenizer.vocab_size,
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        initializer_range=0.5,
    )
    AlbertForMaskedLM(config).save_pretrained(folder)
    english_tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def contents(published: Path) -> dict[str, bytes]:
    """The files that a model and its tokenizer are read from; the folder has more, for others."""
    needed = ("config.json", "model.safetensors", "spiece.model", "tokenizer_config.json")
    return {name: (published / name).read_bytes() for name in needed}


@pytest.fixture
def two_files(contents: dict[str, bytes], tmp_path: Path) -> dict[str, bytes]:
    """The same model with its weights in two files and an index."""
    work = tmp_path / "two-files"
    work.mkdir()
    (work / "whole").write_bytes(contents["model.safetensors"])
    tensors = load_file(work / "whole")
    files = {name: value for name, value in contents.items() if name != "model.safetensors"}
    weight_map = {}
    for number in (1, 2):
        name = f"model-0000{number}-of-00002.safetensors"
        keys = sorted(tensors)[number - 1 :: 2]
        save_file({key: tensors[key] for key in keys}, work / name)
        files[name] = (work / name).read_bytes()
        weight_map |= dict.fromkeys(keys, name)
    return files | {"model.safetensors.index.json": json.dumps({"weight_map": weight_map}).encode()}


@pytest.fixture
def put_in_cache(cache: Path) -> PutInCache:
    """Lay files of BASE into the cache as the hub's client does: a ref, blobs, links to them."""

    def put(files: dict[str, bytes]) -> Path:
        storage = cache / f"models--{BASE.replace('/', '--')}"
        snapshot = storage / "snapshots" / COMMIT
        for folder in (storage / "refs", storage / "blobs", snapshot):
            folder.mkdir(parents=True, exist_ok=True)
        (storage / "refs" / "main").write_text(COMMIT)
        for name, content in files.items():
            (storage / "blobs" / etag_of(content)).write_bytes(content)
            (snapshot / name).symlink_to(Path("..", "..", "blobs", etag_of(content)))
        return snapshot

    return put
