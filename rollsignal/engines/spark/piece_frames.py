"""This module cuts the rows of a partition into frames, each of one piece.

A partition holds several pieces or none. Its rows are sorted by piece, symbol and time, which the
readers of the frames check, whatever sorted them.
"""

from collections.abc import Callable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from rollsignal.core.reader import Bars, Reader
from rollsignal.errors import DiskError
from rollsignal.readers.handed import Key

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    Batches = Iterator[pa.RecordBatch]
    Frames = Iterator[pl.DataFrame]

# Spark hands over 10,000 rows at a time; work on longer arrays takes less time for each.
GATHERED_ROWS = 1 << 19


class RowsReading(Protocol):
    """How rows that Spark has sorted are read, wherever."""

    @property
    def measured(self) -> bool:
        """Return whether the digits of the closes are to be counted."""

    def reader(self) -> "FramesReader":
        """Return a reader for the frames of a piece."""

    def pieces(self, batches: "Batches") -> "Iterator[tuple[int, Frames]]":
        """Yield the pieces of a partition, each with its frames; raises `DiskError`."""

    def unsorted(self) -> DiskError:
        """Return the error for rows that come in another order than they were asked for."""


class FramesReader(Reader, Protocol):
    """A reader of the bars of a piece; `begin` and `end` are the keys of its first and last one."""

    begin: Key | None
    end: Key | None

    @property
    def dropped(self) -> int:
        """Count the rows left out so far."""

    def batches_of(self, frame: "pl.DataFrame") -> Iterator[Bars]:
        """Yield the bars of the next frame; raises `JobError`."""


def frames_by_piece(
    batches: "Batches", names: list[str], unsorted: Callable[[], DiskError]
) -> "Iterator[tuple[int, Frames]]":
    """Yield the pieces of a partition, each with its frames; at last those without bars.

    names: those of the columns. Raises the error that `unsorted` returns.
    """
    lost: set[int] = set()
    before = -1
    parts = _frames_of_one_piece(batches, names, lost)
    for number, frames in groupby(parts, key=itemgetter(0)):
        if number <= before:
            raise unsorted()
        before = number
        yield number, map(itemgetter(1), frames)
        lost.discard(number)
    for number in lost:
        yield number, iter(())


def _frames_of_one_piece(
    batches: "Batches", names: list[str], announced: set[int]
) -> "Iterator[tuple[int, pl.DataFrame]]":
    """Yield frames of bars of one piece each, with its number; add what is announced.

    How pieces are numbered, and which row announces one, is that of `cuts.in_pieces`.
    """
    import numpy as np
    import polars as pl

    for table in _long_tables(batches):
        last = table.num_columns - 1
        codes = table.column(last).to_numpy()
        frame = pl.DataFrame(pl.from_arrow(_with_utc(table.remove_column(last))))
        frame.columns = names
        begins = [0, *(np.flatnonzero(codes[1:] != codes[:-1]) + 1).tolist()]
        for begin, end in zip(begins, [*begins[1:], len(codes)], strict=True):
            number, has_bars = divmod(int(codes[begin]), 2)
            if has_bars:
                yield number, frame[begin:end]
            else:
                announced.add(number)


def _long_tables(batches: "Batches") -> "Iterator[pa.Table]":
    """Put batches together to longer tables."""
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if batch.num_rows:
            held.append(batch)
            rows += batch.num_rows
        if rows >= GATHERED_ROWS:
            yield pa.Table.from_batches(held)
            held, rows = [], 0
    if held:
        yield pa.Table.from_batches(held)


def _with_utc(table: "pa.Table") -> "pa.Table":
    """Return a table with its times in UTC: they are stored so, whatever their zone is called."""
    import pyarrow as pa

    fields = []
    for field in table.schema:
        is_zoned = pa.types.is_timestamp(field.type) and field.type.tz is not None
        fields.append(field.with_type(pa.timestamp("us", "UTC")) if is_zoned else field)
    return table.cast(pa.schema(fields))
