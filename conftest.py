"""What nbval needs for a notebook of this project, from whatever folder pytest is started."""

from __future__ import annotations

from pathlib import Path

import pytest

SETTINGS = Path(__file__).resolve().parent / "tests" / "notebooks" / "nbval.cfg"


def pytest_configure(config: pytest.Config) -> None:
    """Compare what nbval.cfg lets be compared, in this environment, unless the caller says else."""
    if not getattr(config.option, "nbval", False):
        return
    if config.option.nbval_sanitize_with is None:
        config.option.nbval_sanitize_with = str(SETTINGS)
    if not config.option.nbval_kernel_name:
        config.option.nbval_current_env = True
