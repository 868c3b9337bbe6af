"""Processes that train small models side by side, alike in all but what is compared."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

from albert_lib.training.precision import PRECISION_VARIABLE, PRECISIONS, best_dtype

WORKERS = 2


def alike_workers() -> ProcessPoolExecutor:
    """A pool of processes of one thread each, all of which multiply in this process's precision.

    Left to themselves they would each time both precisions while the others work, and models that
    are to be compared could come out in different ones.
    """
    names = {dtype: name for name, dtype in PRECISIONS.items()}
    return ProcessPoolExecutor(
        WORKERS,
        mp_context=get_context("spawn"),
        initializer=begin,
        initargs=(names[best_dtype()],),
    )


def begin(precision: str) -> None:
    """Settle what a worker would otherwise choose for itself."""
    torch.set_num_threads(1)
    os.environ[PRECISION_VARIABLE] = precision
