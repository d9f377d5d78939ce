"""This module reads Parquet and Arrow IPC files with polars, as arrays of ticks.

Bars that are in any doubt (no close, no later timestamp, more digits than an int64 holds) are
handed on as text and Python numbers instead, for the same checks and words as text tables get.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from rollsignal.arrays import TickArray, ticks_of_array
from rollsignal.bars.batch import ArrayBatch, Batch, PanelBatch
from rollsignal.bars.cells import Cells
from rollsignal.bars.header import find_column, find_symbol, find_timestamp
from rollsignal.bars.source import symbol_of
from rollsignal.config import JobConfig
from rollsignal.errors import (
    DataError,
    DiskError,
    escaped,
    is_url,
    shown_path,
    text_without_secrets,
)

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from rollsignal.bars.objects import Watch

CHUNK_ROWS = 1 << 17
PANEL_ROWS = 1 << 20
UNITS_NS = {"ms": 10**6, "us": 10**3, "ns": 1}

T = TypeVar("T")


class FrameReader:
    """Read one columnar file of one series."""

    def __init__(self, path: str, form: str, config: JobConfig) -> None:
        """Open the file; raises `DataError` if it is damaged or has no close column."""
        # polars would load it later within its compiled code, which panics if a signal comes then.
        import numpy as np  # noqa: F401
        import polars as pl

        self.name = shown_path(path)
        self.symbol = symbol_of(path, config)
        self._form = form
        self._config = config
        self._watch = _watch(path)
        scan = pl.scan_parquet if form == "parquet" else pl.scan_ipc
        self._table, schema = self._guarded(lambda: _with_schema(scan(path, glob=False)))
        names = schema.names()
        self._close = names[find_column(names, config.columns.close, self.name)]
        place = find_timestamp(names, config.columns.timestamp, self.name)
        self._timestamp = None if place is None or not config.needs_timestamps else names[place]
        self._symbol = find_symbol(names, config.columns, self.name)
        if self._symbol is not None:
            self._check_symbols(names[self._symbol], schema)
        self._cells = Cells(self.name, "row", escaped(self._close), self._timestamp)
        self.order_problem = self._cells.order_problem
        self._last_ns: int | None = None

    def _check_symbols(self, name: str, schema: "pl.Schema") -> None:
        import polars as pl

        kind = schema[name]
        if not (kind.is_integer() or kind in (pl.String, pl.Categorical, pl.Enum)):
            raise DataError(f"{self.name}: the symbol column {name} is of {kind}")

    def describe(self) -> str:
        """Say in which form the file is and which columns are read."""
        return f"{self._form}, close from {self._close}, timestamp from {self._timestamp or 'none'}"

    def batches(self) -> Iterator[Batch | ArrayBatch | PanelBatch]:
        """Yield all bars; raises `DataError` where they are in doubt."""
        import polars as pl

        columns = [pl.col(self._close).alias("close")]
        if self._timestamp is not None:
            columns.append(pl.col(self._timestamp).alias("timestamp"))
        if self._symbol is not None:
            columns.append(pl.nth(self._symbol).alias("symbol"))
        table = self._table.select(columns)
        rows = CHUNK_ROWS if self._symbol is None else PANEL_ROWS
        frames = iter(self._guarded(lambda: table.collect_batches(chunk_size=rows)))
        row = 1
        while (frame := self._guarded(lambda: next(frames, None))) is not None:
            if frame.height:
                yield self._batch(frame, row)
                row += frame.height
        if self._watch:
            self._watch.end()

    def _batch(self, frame: "pl.DataFrame", row: int) -> Batch | ArrayBatch | PanelBatch:
        ticks = self._ticks(frame["close"])
        if self._symbol is not None:
            return self._panel_batch(frame, row, ticks)
        if self._timestamp is None:
            plain = partial(self._plain, frame, row, None)
            return ArrayBatch(ticks, None, None, plain) if ticks else plain()
        moments = _moments_ns(frame["timestamp"])
        plain = partial(self._plain, frame, row, moments)
        if ticks and moments is not None and self._rise(moments):
            self._last_ns = int(moments[-1])
            return ArrayBatch(ticks, int(moments[0]), self._last_ns, plain)
        return plain()

    def _panel_batch(
        self, frame: "pl.DataFrame", row: int, ticks: TickArray | None
    ) -> Batch | PanelBatch:
        moments = None if self._timestamp is None else _moments_ns(frame["timestamp"])
        symbols = frame["symbol"]
        plain = partial(self._plain, frame, row, moments)
        if not ticks or symbols.null_count() or (self._timestamp and moments is None):
            return plain()
        return PanelBatch(symbols, ticks, moments, plain)

    def _ticks(self, closes: "pl.Series") -> TickArray | None:
        import polars as pl

        kind = closes.dtype
        if closes.null_count():
            return None
        if kind.is_float():
            return ticks_of_array(closes.to_numpy(), self._config.window)
        if not (kind.is_integer() or isinstance(kind, pl.Decimal)):
            return None
        whole = closes.to_physical().cast(pl.Int64, strict=False)
        scale = kind.scale if isinstance(kind, pl.Decimal) else 0
        return None if whole.null_count() else TickArray(whole.to_numpy(), scale)

    def _rise(self, moments: "NDArray[np.int64]") -> bool:
        after_last = self._last_ns is None or int(moments[0]) > self._last_ns
        return after_last and bool((moments[1:] > moments[:-1]).all())

    def _plain(self, frame: "pl.DataFrame", row: int, moments: "NDArray[np.int64] | None") -> Batch:
        """Hand a batch on as text, as it would stand in a text table."""
        import polars as pl

        places = range(row, row + frame.height)
        closes = frame["close"]
        if not (closes.dtype.is_numeric() or closes.dtype == pl.String):
            raise DataError(f"{self.name}: {self._cells.close} is a column of {closes.dtype}")
        values = closes.to_numpy() if closes.dtype == pl.Float32 else closes.to_list()
        cells = ["" if value is None else str(value) for value in values]
        stamps = None
        if self._timestamp is not None and moments is None:
            stamps = [_written(value) for value in frame["timestamp"].to_list()]
        batch = self._cells.batch(cells, stamps, places, self._config.missing)
        if self._symbol is not None:
            batch = self._cells.with_symbols(batch, list(map(_written, frame["symbol"].to_list())))
        return batch if moments is None else batch._replace(moments=moments.tolist())

    def _guarded(self, act: Callable[[], T]) -> T:
        """Turn the library's errors into ours."""
        from polars.exceptions import PolarsError

        try:
            return self._watch.over(act) if self._watch else act()
        except PolarsError as error:
            if self._watch:
                self._watch.end()
            reason = escaped(text_without_secrets(str(error).partition("\n")[0]))
            raise DataError(f"{self.name}: not a whole {self._form} file: {reason}") from (
                None if self._watch else error
            )
        except OSError as error:
            if error.errno is not None:
                raise DiskError(f"{self.name}: reading failed: {error.strerror}") from error
            raise DataError(f"{self.name}: not a whole {self._form} file: {error}") from error


def _watch(path: str) -> "Watch | None":
    if not is_url(path):
        return None
    from rollsignal.bars.objects import Watch

    return Watch(path)


def _with_schema(table: "pl.LazyFrame") -> "tuple[pl.LazyFrame, pl.Schema]":
    return table, table.collect_schema()


def _moments_ns(stamps: "pl.Series") -> "NDArray[np.int64] | None":
    """Convert a column of times to nanoseconds since 1970 UTC, where it is one and they fit."""
    import polars as pl

    if stamps.null_count() or not stamps.dtype.is_temporal():
        return None
    if isinstance(stamps.dtype, pl.Datetime):
        unit_ns = UNITS_NS[stamps.dtype.time_unit]
    elif stamps.dtype == pl.Date:
        unit_ns = 86_400 * 10**9
    else:
        return None
    counts = stamps.to_physical().cast(pl.Int64).to_numpy()
    fits = max(abs(int(counts.min())), abs(int(counts.max()))) * unit_ns < 2**63
    return counts * unit_ns if fits else None


def _written(value: object) -> str:
    return "" if value is None else str(value)
