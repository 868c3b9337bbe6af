"""What several test files share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import jaxtyping
import pytest
import torch
from hypothesis import settings

from albert_lib import AlbertConfig, AlbertTokenizer, openmp
from albert_lib.files import data_folder, project_folder

# Never started: one thread has nobody to wait for, and another one, whose checked calls draw random
# numbers, would disturb what is said here about randomness.
openmp._watch = openmp.Watch()

# How long one example takes is the machine's business: another program may have the processor.
settings.register_profile("no clock", settings(), deadline=None)
settings.load_profile("no clock")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Tests compare small tensors: one thread is quicker, and sums in one order everywhere."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def english_tokenizer() -> AlbertTokenizer:
    """The tokenizer that comes with the project, 8,000 pieces of English."""
    return AlbertTokenizer.from_pretrained(data_folder() / "tokenizers" / "english-8k")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Corpora and published test sets that do not come with the project; skips without them."""
    folder = Path(os.environ.get("ALBERT_SHARED_DATA", project_folder().parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no {folder}; set ALBERT_SHARED_DATA to the folder with the published data")
    return folder


@pytest.fixture
def tiny() -> AlbertConfig:
    """A model small enough to compare in milliseconds."""
    return AlbertConfig(
        vocab_size=100,
        embedding_size=16,
        hidden_size=32,
        num_hidden_layers=6,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )


@pytest.fixture
def without_shape_checks() -> Iterator[None]:
    """Run as users do: the shape checks of the test run would refuse bad input before we can."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def heeding_ctrl_c() -> list[str]:
    """What starts Python with Ctrl-C heeded: a shell lets its jobs in the background ignore it.

    (Not `preexec_fn`: it would fork the test process, which has threads.)
    """
    heed = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    return [
        sys.executable,
        "-c",
        heed + "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])",
    ]
