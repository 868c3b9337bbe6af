"""A small model of every family, written once."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
from families import FAMILIES, write_family

from albert_lib.probing import FillMask


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    @functools.cache
    def folder(name: str) -> Path:
        return write_family(name, tmp_path_factory.mktemp(name))

    return folder


@pytest.fixture(scope="session")
def model_of(folder_of: Callable[[str], Path]) -> Callable[[str], FillMask]:
    return functools.cache(lambda name: FillMask.from_pretrained(folder_of(name)))


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)
