"""Processes that train small models side by side."""

from __future__ import annotations

import torch

from albert_lib.worker_pool import WorkerPool

WORKERS = 2


def training_pool() -> WorkerPool:
    """Return a pool of two processes of one thread each.

    A machine's precision is decided by its processor, so all of them train in the same.
    """
    return WorkerPool(WORKERS, torch.set_num_threads, (1,))
