"""Every row of `make fidelity`, at base shape; and that a row can fail."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import report
import torch
from published import PUBLISHED
from report import fill
from rows import ROWS, Row, can_run, largest, worst
from workshop import Workshop, published_vocabulary

from albert_lib.hub import cached_folder


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    made = Workshop("albert-base-v1", published_vocabulary())
    yield made
    made.close()


@pytest.mark.parametrize("entry", ROWS, ids=lambda entry: entry.feature)
def test_row_is_within_its_tolerance(entry: Row, workshop: Workshop) -> None:
    if not can_run(entry):
        pytest.skip(f"{entry.needs} is not installed (make tensorflow)")
    assert entry.measure(workshop) <= entry.tolerance


@pytest.mark.parametrize(
    ("name", "entry"),
    [(name, entry) for name, rows in PUBLISHED.items() for entry in rows],
    ids=lambda value: value.feature if isinstance(value, Row) else value,
)
def test_published_weights_give_the_numbers_they_are_known_for(
    name: str, entry: Row, workshop: Workshop
) -> None:
    if cached_folder(name) is None:
        pytest.skip(f"the hub's cache does not hold {name} (hf download albert/{name})")
    assert entry.measure(workshop) <= entry.tolerance


def test_other_weights_under_the_published_names_are_found_out(
    workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders of those names, with random weights, where a folder goes before the cache."""
    for name, rows in PUBLISHED.items():
        shutil.copytree(workshop.folder("albert-base-v2"), tmp_path / name)
        monkeypatch.chdir(tmp_path)
        assert all(entry.measure(workshop) > entry.tolerance for entry in rows)


def test_one_number_that_is_none_spoils_a_row() -> None:
    nothing = float("nan")
    for differences in ([nothing, 1e-6], [1e-6, nothing]):
        assert not worst(differences) <= 1e-5
    assert not largest(torch.tensor([1e-6, nothing])) <= 1e-5


@pytest.mark.parametrize(("difference", "status"), [(0.0, 0), (0.2, 1)])
def test_the_report_ends_with_what_it_found(
    difference: float,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    only = [Row("a", "b", 0.1, lambda _: difference), Row("c", "d", 0.1, lambda _: 0.0)]
    monkeypatch.setattr(report, "ROWS", only)
    monkeypatch.setattr(report, "published_rows", list)
    assert report.main(["--preset", "albert-base-v1"]) == status
    assert f"{2 - status} of 2 rows within tolerance" in capsys.readouterr().out


def test_a_row_out_of_tolerance_or_without_its_package_fails_the_report(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    good = Row("a", "b", 0.1, lambda _: 0.1)
    assert fill(good, workshop)
    assert not fill(Row("a", "b", 0.1, lambda _: 0.2), workshop)
    assert "OUT OF TOLERANCE" in capsys.readouterr().out
    assert not fill(Row("a", "b", 0.1, lambda _: float("nan")), workshop)
    assert not fill(Row("a", "b", 0.1, lambda _: 1 / 0), workshop)
    assert "failed: ZeroDivisionError" in capsys.readouterr().out
    assert not fill(Row("a", "b", 0.1, lambda _: 0.0, needs="no_such_package"), workshop)
    assert "not filled: no_such_package is not installed" in capsys.readouterr().out
