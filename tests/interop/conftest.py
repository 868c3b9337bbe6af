"""What the tests beside other libraries share."""

from __future__ import annotations

import importlib.util

import pytest

EXTRA = "the tensorflow extra is not installed (make tensorflow)"


@pytest.fixture(scope="session")
def tensorflow() -> None:
    """Skips without TensorFlow."""
    if importlib.util.find_spec("tensorflow") is None:
        pytest.skip(EXTRA)


@pytest.fixture(scope="session")
def keras_hub(tensorflow: None) -> None:
    """Skips without TensorFlow or KerasHub."""
    if importlib.util.find_spec("keras_hub") is None:
        pytest.skip(EXTRA)
