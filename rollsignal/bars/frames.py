"""This module reads columnar files, Parquet and Arrow IPC, with polars, as arrays of ticks."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

CHUNK_ROWS = 1 << 17
