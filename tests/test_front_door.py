"""The files that get a person in: packages, pins, commands, and the README that names them."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parent.parent
CONDA_NAMES = {"torch": "pytorch-cpu", "matplotlib": "matplotlib-base"}  # where conda-forge differs

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str, folder: Path = PROJECT) -> subprocess.CompletedProcess[str]:
    # `make test` runs these tests: its own flags and variables are not for the make below it
    inherited = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARGS", "PYTHON")
    environment = {name: value for name, value in os.environ.items() if name not in inherited}
    command = ["make", *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def read(name: str) -> str:
    return (PROJECT / name).read_text(encoding="utf-8")


def project_table() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(read("pyproject.toml"))["project"]
    return project


def requirements(*extras: str) -> list[Requirement]:
    project = project_table()
    lines = list(project["dependencies"])
    for extra in extras:
        lines += project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def applies(needed: Requirement, extras: Iterable[str] = ()) -> bool:
    """Whether a requirement counts on this machine, for a package installed with `extras`."""
    return needed.marker is None or any(
        needed.marker.evaluate({"extra": extra}) for extra in ("", *extras)
    )


def locked() -> dict[str, list[Requirement]]:
    pins: dict[str, list[Requirement]] = defaultdict(list)
    for line in read("requirements.lock").splitlines():
        if line and not line.startswith("#"):
            pin = Requirement(line)
            pins[canonicalize_name(pin.name)].append(pin)
    return pins


def test_conda_and_pip_ask_for_the_same() -> None:
    environment = yaml.safe_load(read("environment.yml"))["dependencies"]
    conda = dict(line.partition(" ")[::2] for line in environment if isinstance(line, str))
    assert {"pip": ["-e ."]} in environment, "the package itself comes through pip"
    assert conda.pop("pip") == ""
    python = Requirement(f"python{conda.pop('python')}").specifier
    assert str(python) == project_table()["requires-python"]

    pip = {CONDA_NAMES.get(each.name, each.name): each.specifier for each in requirements()}
    assert {name: Requirement(name + bounds).specifier for name, bounds in conda.items()} == pip


@pytest.mark.parametrize("extra", ["test", "tensorflow"])
def test_lock_pins_every_package_that_an_installation_needs(extra: str) -> None:
    if extra == "tensorflow" and importlib.util.find_spec("tensorflow") is None:
        pytest.skip("the tensorflow extra is not installed (make tensorflow)")
    pins = locked()
    asked = [each for each in requirements(extra) if applies(each)]
    waiting = [(each.name, frozenset(each.extras)) for each in asked]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        assert canonicalize_name(name) in pins, f"{name} is not pinned: run make lock"
        for line in importlib.metadata.requires(name) or []:
            needed = Requirement(line)
            item = (needed.name, frozenset(needed.extras))
            if applies(needed, extras) and item not in seen:
                seen.add(item)
                waiting.append(item)
    assert len(seen) > len(asked)


def test_lock_is_within_the_declared_ranges() -> None:
    pins = locked()
    groups = tomllib.loads(read("pyproject.toml"))["dependency-groups"]
    alone = [Requirement(line) for line in groups["keras-hub"]]
    for needed in [*requirements("test", "tensorflow", "benchmark-finetuning"), *alone]:
        assert pins[canonicalize_name(needed.name)], f"{needed.name} is not pinned: run make lock"
        for pin in pins[canonicalize_name(needed.name)]:
            (version,) = [each.version for each in pin.specifier]
            assert version in needed.specifier, f"{pin} is outside {needed}: run make lock"


def test_lock_holds_exact_versions_and_nothing_else() -> None:
    text = read("requirements.lock")
    assert "://" not in text and "--" not in text, "no addresses, no hashes, no options"
    for pin in (pin for pins in locked().values() for pin in pins):
        assert [each.operator for each in pin.specifier] == ["=="], str(pin)
        assert "+" not in str(pin.specifier), f"{pin} is one build of a version, not the version"
        assert not pin.extras, f"{pin}: pip refuses extras in a constraint"


def test_the_test_tools_do_without_tensorflow() -> None:
    heavy = {"tensorflow", "tensorflow-cpu", "keras", "keras-hub"}
    assert heavy.isdisjoint(canonicalize_name(each.name) for each in requirements("test"))


@pytest.mark.parametrize("place", ["Makefile", ".github/workflows/ci.yml"])
def test_keras_hub_comes_without_the_gpu_build_it_asks_for(place: str) -> None:
    installs = [line for line in read(place).splitlines() if "pip install" in line]
    (alone,) = [line for line in installs if "keras-hub" in line]
    assert alone.endswith("-c requirements.lock --no-deps keras-hub")


@needs_make
def test_make_lab_passes_arguments_through() -> None:
    printed = make("--dry-run", "lab", "ARGS=--no-browser")
    assert printed.returncode == 0, printed.stderr
    command_line = " ".join(printed.stdout.replace("\\\n", " ").split())
    assert "-m jupyterlab " in command_line
    assert command_line.endswith(" notebooks/00_start_here.ipynb --no-browser")


@needs_make
def test_make_lab_lets_jupyterlab_ask_nothing() -> None:
    printed = make("--dry-run", "lab").stdout
    (folder,) = re.findall(r'--LabApp\.app_settings_dir="([^"]+)"', printed)
    settings = json.loads((PROJECT / folder / "overrides.json").read_text(encoding="utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


# What pip writes: packages it has found, files it has fetched, and at last all names in one line.
PIP = """
import sys, time
for line in ("Collecting torch<3,>=2.6 (from albert-lib)", "  Downloading torch.whl (190 MB)",
             "Collecting numpy (from albert-lib)", "Requirement already satisfied: pip"):
    print(line, flush=True)
time.sleep(1.5)
print("Installing collected packages: numpy, torch", flush=True)
time.sleep(1.5)
print("no such package", file=sys.stderr)
sys.exit(3)
"""


def test_an_installation_says_how_far_it_is_and_ends_as_pip_does() -> None:
    program = [sys.executable, PROJECT / ".ci" / "with_progress.py", "--every", "1"]
    ran = subprocess.run(
        [*program, sys.executable, "-c", PIP], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 3 and ran.stderr == "no such package\n"
    first, *_, last = ran.stdout.splitlines()
    assert first == "  0 min: 2 packages found; last fetched: torch.whl (190 MB)"
    assert last == "  0 min: all is there, and is being unpacked"


def test_an_installation_that_is_quick_says_nothing() -> None:
    program = [sys.executable, PROJECT / ".ci" / "with_progress.py", sys.executable, "-c", "1"]
    ran = subprocess.run(program, capture_output=True, text=True, check=True)
    assert ran.stdout == ran.stderr == ""


@needs_make
def test_make_says_so_when_python_is_too_old(tmp_path: Path) -> None:
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / name, tmp_path)
    # `false` stands for a Python that answers "older than 3.11"
    refused = make("lab", "PYTHON=false", folder=tmp_path)
    assert refused.returncode != 0
    assert "needs Python 3.11 or newer and found none among: false." in refused.stderr
    assert not (tmp_path / ".venv").exists()


def test_readme_names_only_commands_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"^(?: {4}|.*`)make ([a-z-]+)", read("README.md"), re.MULTILINE))
    assert {"lab", "test", "run"} <= named <= targets


def test_readme_links_lead_somewhere_and_miss_no_notebook() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", read("README.md"))
    missing = [link for link in links if not (PROJECT / link).exists()]
    assert not missing
    notebooks = {f"notebooks/{path.name}" for path in (PROJECT / "notebooks").glob("*.ipynb")}
    assert notebooks <= set(links)


LONGEST_PATH = 3000  # lines


def the_path() -> list[Path]:
    """The files that README tells a learner to read, in its order."""
    (section,) = re.findall(r"^## The path\n(.*?)^## ", read("README.md"), re.MULTILINE | re.DOTALL)
    return [PROJECT / name for name in re.findall(r"`(albert_lib/[\w/]+\.py)`", section)]


def test_the_path_of_a_learner_is_short_and_leads_through_every_stage() -> None:
    path = the_path()
    missing = [file.relative_to(PROJECT).as_posix() for file in path if not file.is_file()]
    assert not missing, f"README's path names {missing}"
    stages = dict.fromkeys(file.parent.name for file in path)
    assert list(stages) == ["text", "objectives", "albert_lib", "model", "training"]
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in path)
    assert lines <= LONGEST_PATH, f"README's path has {lines} lines"
    for file in path:
        importlib.import_module(".".join(file.relative_to(PROJECT).with_suffix("").parts))


def test_readme_and_contributing_name_only_files_that_exist() -> None:
    for name in ("README.md", "CONTRIBUTING.md"):
        named = re.findall(r"`((?:albert_lib|tests|benchmarks)/[\w/]+\.(?:py|toml))`", read(name))
        missing = [file for file in named if not (PROJECT / file).is_file()]
        assert not missing, f"{name} names {missing}"
