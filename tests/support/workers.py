"""Engines that decide small pieces in worker processes, which are started once for all tests."""

from __future__ import annotations

import atexit
from collections.abc import Callable
from contextlib import nullcontext

from rollsignal.engines.interface import Engine
from rollsignal.engines.pieces import PiecesEngine
from rollsignal.engines.runner import Processes


def engine_on(workers: int, piece_bytes: int) -> Callable[[], Engine]:
    """Return a function that makes an engine, all on the same processes."""
    pool = Processes(workers)
    atexit.register(pool.close)
    return lambda: PiecesEngine(workers, lambda: nullcontext(pool), piece_bytes)
