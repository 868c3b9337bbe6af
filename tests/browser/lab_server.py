"""A JupyterLab server for one test: on this machine only, with nobody's settings."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

PROJECT = Path(__file__).resolve().parent.parent.parent
LOOPBACK = "127.0.0.1"


@contextlib.contextmanager
def running_lab(home: Path) -> Iterator[str]:
    """Start a JupyterLab server on a free port of this machine; yield its address."""
    write_settings(home)
    port = free_port()
    address = f"http://{LOOPBACK}:{port}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += [f"--ip={LOOPBACK}", f"--port={port}", f"--ServerApp.root_dir={home / 'notebooks'}"]
    command += ["--IdentityProvider.token=", "--ServerApp.password="]
    command += ["--LabApp.extension_manager=readonly"]
    command += [f"--LabApp.app_settings_dir={PROJECT / 'data' / 'jupyterlab'}"]  # as `make lab`
    log_path = home / "server.log"
    with log_path.open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=private_environment(home)
        )
        try:
            wait_for(f"{address}/api", server, log_path)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(timeout=20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def private_environment(home: Path) -> dict[str, str]:
    """The environment of the server: nobody's Jupyter folders, the project importable.

    Programs that ask the network for something are sent to a port where nobody listens.
    """
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "share",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
    }
    search_path = os.pathsep.join(filter(None, [str(PROJECT), os.environ.get("PYTHONPATH")]))
    private = {variable: str(home / name) for variable, name in folders.items()}
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), f"http://{LOOPBACK}:9")
    here = {"no_proxy": f"{LOOPBACK},localhost"}
    inherited = {k: v for k, v in os.environ.items() if k.lower() not in {*nowhere, *here}}
    return {**inherited, **private, **nowhere, **here, "PYTHONPATH": search_path}


def write_settings(home: Path) -> None:
    """Ask for every cell to be in the page rather than drawn on scrolling."""
    name = Path("@jupyterlab") / "notebook-extension" / "tracker.jupyterlab-settings"
    path = home / "settings" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"windowingMode": "none"}), encoding="utf-8")


def free_port() -> int:
    """A port that nobody on this machine listens on."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    """Return once `address` answers; raise with the end of the server's log if it does not."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError("JupyterLab did not start:\n" + log.read_text(encoding="utf-8")[-2000:])
