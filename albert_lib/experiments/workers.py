"""Processes that train small models side by side."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch

WORKERS = 2


def training_pool() -> ProcessPoolExecutor:
    """Return a pool of two processes of one thread each.

    A machine's precision is decided by its processor, so all of them train in the same.
    """
    return ProcessPoolExecutor(
        WORKERS,
        mp_context=get_context("spawn"),
        initializer=torch.set_num_threads,
        initargs=(1,),
    )
