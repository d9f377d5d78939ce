"""This module reads the bars of a table that an engine hands over in frames, sorted by series.

Rows of such a table have no numbers, so messages name the symbol and the time of a bar. They have
no order either: frames must come sorted by symbol and time, and bars of a series at the same time
must have the same close.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rollsignal.config.rules import NO_SYMBOLS
from rollsignal.config.settings import JobConfig
from rollsignal.core.reader import Bars
from rollsignal.core.timestamps.reader import iso
from rollsignal.errors import DataError, DiskError
from rollsignal.files.find import Input
from rollsignal.messages import shown
from rollsignal.readers.columnar import FrameReader
from rollsignal.readers.columns import timestamps_ns
from rollsignal.readers.polars_calls import PolarsCalls

if TYPE_CHECKING:
    import polars as pl

TABLE = "table"
# The symbol and the time of a bar, None where it has none: symbols in the order of their bytes.
Key = tuple[bytes, int | None]


class HandedReader:
    """Read the bars of frames with these columns, which the config declares.

    `begin` and `end` are the keys of the first and the last bar so far.
    """

    unit = "row"
    dropped = 0

    def __init__(self, file: Input, schema: "pl.Schema", config: JobConfig) -> None:
        """Raise `DataError` for a column that cannot be read."""
        columns = config.columns
        symbol = None
        if columns.symbol is not None and columns.symbol != NO_SYMBOLS:
            symbol = str(columns.symbol.column)
        self._calls = HandedCalls(file, schema, str(columns.timestamp), symbol)
        self._reader = FrameReader(file, TABLE, config, self._calls)
        self.symbol: str | None = None
        self._close = str(columns.close)
        self._names_ties = config.checks.duplicates == "error"
        self._last: pl.DataFrame | None = None
        self.begin: Key | None = None
        self.end: Key | None = None
        self.path = self._reader.path
        self.name = self._reader.name
        self.describe = self._reader.describe
        self.order_problem = self._reader.order_problem

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps are known in UTC."""
        return self._reader.zoned

    def bytes_read(self) -> int:
        """Return 0: a table that is handed over has no bytes."""
        return 0

    def batches(self) -> Iterator[Bars]:
        """Yield nothing: bars come in frames."""
        return iter(())

    def batches_of(self, frame: "pl.DataFrame") -> Iterator[Bars]:
        """Yield the bars of the next frame.

        Raises `DiskError` if it is not sorted, and `DataError` for bars that cannot be trusted.
        """
        self._calls.show(frame)
        keys = [self._calls.key_of(row) for row in (0, -1)]
        self.begin, self.end = self.begin or keys[0], keys[1]
        self._check_order(frame)
        yield from self._reader.batches_of(frame.lazy())

    def _check_order(self, frame: "pl.DataFrame") -> None:
        """Compare each bar with the one before it."""
        import polars as pl

        before = self._last
        self._last = frame.tail(1)
        rows = frame if before is None else pl.concat([before, frame], rechunk=False)
        stamp, symbol = pl.col(self._calls.timestamp), pl.lit("")
        if self._calls.symbol is not None:
            symbol = pl.col(self._calls.symbol)
        is_same = symbol == symbol.shift(1)
        later = (is_same & (stamp > stamp.shift(1))) | (symbol > symbol.shift(1))
        if self._calls.symbol is None:
            is_same, later = pl.lit(True), stamp > stamp.shift(1)
        if rows.select(later.all()).item():
            return
        earlier = is_same & (stamp < stamp.shift(1))
        if self._calls.symbol is not None:
            earlier |= symbol < symbol.shift(1)
        if rows.select(earlier.any()).item():
            raise unsorted(self.name)
        if not self._names_ties:
            self._refuse_unlike(rows, is_same & (stamp == stamp.shift(1)))

    def _refuse_unlike(self, rows: "pl.DataFrame", is_tie: "pl.Expr") -> None:
        """Raise `DataError` for bars at the same time whose closes differ."""
        import polars as pl

        close = pl.col(self._close)
        is_unlike = is_tie & close.ne_missing(close.shift(1))
        unlike = rows.select(is_unlike.fill_null(False)).to_series().arg_true()
        if len(unlike):
            at = unlike[0]
            closes = sorted(shown(str(rows[self._close][row])) for row in (at - 1, at))
            where = f"{self.name} {self._calls.place_in(rows, at)}"
            raise DataError(
                f"{where}: two bars at the same time, with the closes {closes[0]} and {closes[1]}:"
                " the rows of a table have no order, so nothing tells which comes first (keep one"
                " of them)"
            )


class HandedCalls(PolarsCalls):
    """Calls of polars for a table that is handed over in frames."""

    def __init__(
        self, file: Input, schema: "pl.Schema", timestamp: str, symbol: str | None
    ) -> None:
        super().__init__(file, TABLE)
        self.timestamp = timestamp
        self.symbol = symbol
        self._schema = schema
        self._frame: pl.DataFrame | None = None
        self._rows_before = 0

    def scan(self) -> "tuple[pl.LazyFrame, pl.Schema]":
        """Return a table without rows, and its schema."""
        import polars as pl

        return pl.LazyFrame(schema=self._schema), self._schema

    def show(self, frame: "pl.DataFrame") -> None:
        """Receive the frame whose rows are read next."""
        self._rows_before += 0 if self._frame is None else self._frame.height
        self._frame = frame

    def place_of(self, row: int) -> str:
        """Return the symbol and the time of a row of the frame."""
        assert self._frame is not None, "a message is about a row that was handed over"
        return self.place_in(self._frame, row - self._rows_before - 1)

    def place_in(self, frame: "pl.DataFrame", row: int) -> str:
        """Return the symbol and the time of a row, as messages show them."""
        symbol = "" if self.symbol is None else frame[self.symbol][row]
        times_ns = timestamps_ns(frame[self.timestamp][row : row + 1])
        when = "without a time" if times_ns is None else f"at {iso(int(times_ns[0]))}"
        return f"{shown(symbol)} {when}" if symbol else when

    def key_of(self, row: int) -> Key:
        """Return the key of a row of the frame; row: 0 for the first, -1 for the last."""
        import polars as pl

        assert self._frame is not None
        symbol = "" if self.symbol is None else self._frame[self.symbol][row]
        time = self._frame[self.timestamp].cast(pl.Int64)[row]
        return (symbol or "").encode(), time


def unsorted(name: str) -> DiskError:
    """Return the error for rows that come in another order than they were asked for."""
    return DiskError(
        f"{name}: rows came from Spark in another order than they were asked for",
        "run again; if that does not help, write the table to files and read those",
    )
