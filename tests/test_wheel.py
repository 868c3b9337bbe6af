"""A wheel brings what the library needs: it works where there is no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from albert_lib.files import build_folder

PROJECT = Path(__file__).resolve().parent.parent
LARGEST = 12 * 2**20  # bytes; most of it is the trained checkpoint

USE = """
import sys
from pathlib import Path
import albert_lib
from albert_lib import AlbertTokenizer, FillMask, Town
from albert_lib.accelerators import accelerators
from albert_lib.files import build_folder, data_folder
from albert_lib.paper import paper_table
from albert_lib.workbook.exercise import all_exercises
from albert_lib.workbook.hints import reveal_html
from albert_lib.workbook.widgets import slider

assert Path(albert_lib.__file__).is_relative_to(sys.prefix), albert_lib.__file__
assert not build_folder().is_relative_to(sys.prefix), build_folder()
tokenizer = AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")
print(tokenizer.vocab_size, "pieces")
print(len(list(Town(bias=0.5).documents(3))), "documents")
fill_mask = FillMask.from_pretrained(data_folder() / "checkpoints" / "albert-mini-en")
print(len(fill_mask("the [MASK] sleeps.", top_k=4)), "fills")
assert paper_table("table_1") and accelerators()
assert (data_folder() / "histories" / "quick-five-minutes.json").is_file()
assert "albert_lib/" in reveal_html(next(iter(all_exercises().values())))
dial = slider("words", 3, 1, 5)
assert "render" in dial._esm and ":focus-visible" in dial._css  # dials.js and dials.css came along
print(data_folder())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", folder, PROJECT], check=True)
    (built,) = folder.glob("albert_lib-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel, and finds all else in this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder)
    program = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", program, "install", "-q"]
    subprocess.run([*pip, "--no-index", "--no-deps", "--ignore-installed", wheel], check=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    said = subprocess.run([program, "-c", ask], capture_output=True, text=True, check=True)
    # a path in a .pth file is searched last, and the .pth files in it are not read
    others = sysconfig.get_path("purelib")
    (Path(said.stdout.strip()) / "others.pth").write_text(others, encoding="utf-8")
    return program


def use(python: Path, folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python in `folder`, far from the checkout."""
    left_out = ("PYTHONPATH", "ALBERT_LIB_HOME", "PYTHONHOME")
    environment = {name: value for name, value in os.environ.items() if name not in left_out}
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA", "XDG_CACHE_HOME"):
        environment[name] = str(folder)
    return subprocess.run(
        [python, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_a_wheel_is_small(wheel: Path) -> None:
    assert wheel.stat().st_size < LARGEST


def test_an_installed_library_has_its_data(python: Path, tmp_path: Path) -> None:
    used = use(python, tmp_path, "-c", USE)
    assert used.returncode == 0, used.stderr
    *lines, data = used.stdout.splitlines()
    assert lines == ["8000 pieces", "3 documents", "4 fills"]

    model = Path(data) / "checkpoints" / "albert-mini-en"
    words = ("-m", "albert_lib", "fill-mask", "--model", model, "--top-k", "2", "the [MASK].")
    used = use(python, tmp_path, *words)
    assert used.returncode == 0, used.stderr
    assert len(used.stdout.splitlines()) == 2

    words = ("-m", "albert_lib", "probe", "crows-pairs", "--model", model, "--output", "report")
    used = use(python, tmp_path, *words, "--data", Path(data) / "probes" / "pairs.csv")
    assert used.returncode == 0, used.stderr
    assert (tmp_path / "report" / "report.md").is_file()


def test_doctor_is_content_and_writes_nothing_into_the_package(
    python: Path, tmp_path: Path
) -> None:
    package = next(python.parent.parent.rglob("albert_lib/__init__.py")).parent
    before = {path for path in package.rglob("*") if "__pycache__" not in path.parts}
    used = use(python, tmp_path, "-m", "albert_lib", "doctor")
    assert used.returncode == 0, used.stdout + used.stderr
    assert "[OK]   platformdirs" in used.stdout
    after = {path for path in package.rglob("*") if "__pycache__" not in path.parts}
    assert after == before


def test_a_folder_of_ones_own_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALBERT_LIB_HOME", str(tmp_path))
    assert build_folder() == tmp_path.resolve() / "build"
