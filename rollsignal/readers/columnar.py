"""This module reads Parquet and Arrow IPC files with polars, as arrays of ticks.

A batch with an unclear bar (no close, a timestamp that is not a time, more digits than an int64
holds) becomes text and Python numbers instead, with the same checks and messages as text tables.
"""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from rollsignal.config.settings import JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.quality import is_sane
from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.files.find import Input
from rollsignal.messages import escaped
from rollsignal.readers.cells import Cells, compared
from rollsignal.readers.columns import (
    first_beyond_calendar,
    is_in_python,
    stamp_text,
    texts_of,
    ticks_of,
    timestamps_ns,
)
from rollsignal.readers.frame_columns import find_frame_columns
from rollsignal.readers.frame_symbols import FrameSymbols
from rollsignal.readers.opening import symbol_of, with_day
from rollsignal.readers.polars_calls import PolarsCalls
from rollsignal.readers.symbols import SymbolRule
from rollsignal.readers.wide import WideRows, described_closes, melted_ticks

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


CHUNK_ROWS = 1 << 17
PANEL_ROWS = 1 << 19


class FrameReader:
    """Read one columnar file, or the frames of a table."""

    unit = "row"

    def __init__(
        self, file: Input, file_format: str, config: JobConfig, calls: PolarsCalls | None = None
    ) -> None:
        """Open the file; raises `DataError` if it is damaged or has no close column.

        calls: how polars reads it; None for a file of a usual format.
        """
        # First, because polars reads its settings from the environment when it is imported.
        self._calls = calls or PolarsCalls(file, file_format)

        config = with_day(config, file)
        self.path, self.name = file.path, file.name
        self.symbol = symbol_of(file, config)
        self._format, self._config, self._size = file_format, config, file.size or 0
        self._row = 0
        self._rows: int | None = None
        self._table, schema = self._calls.scan()
        in_path = [name for name, _ in file.partitions]
        self._columns = find_frame_columns(
            schema, config, self.name, in_path, self._timestamps_by_cells
        )
        self._cells = self._new_cells()
        self._symbols: FrameSymbols | None = None
        if config.columns.is_wide:
            self._cells.close_of_each(self._columns.closes, config)
        elif names := self._columns.symbol_names:
            rule = SymbolRule(names, config.columns, self.symbol)
            self._symbols = FrameSymbols(self._columns, rule, self.name)
            self._cells.symbols = rule
        self.order_problem = self._cells.order_problem

    def _new_cells(self) -> Cells:
        columns = self._columns
        written = None if columns.stores_times else self._config.timestamp_format
        close = escaped(columns.closes[0])
        cells = Cells(self.name, "row", close, columns.shown_timestamp, written)
        cells.place_of = self._calls.place_of
        cells.is_one_series = self._config.columns.are_one_series(self.symbol)
        cells.read_closes_as(self._config.table, has_signs=False)
        cells.set_day(self._config.columns.day)
        cells.timestamps.set_zone(self._config.local_zone)
        return cells

    def _timestamps_by_cells(self, taken: tuple[int, ...]) -> int | None:
        """Return the index of the column that holds timestamps by its type or its cells."""
        from rollsignal.readers.proof import timestamps_in_frame

        find = partial(timestamps_in_frame, self._table, taken, self._config, self.name)
        return self._calls.guarded(find)

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps read so far are known in UTC."""
        if self._columns.clock is None and self._columns.stores_times:
            return self._columns.has_zone or self._cells.timestamps.local is not None
        return self._cells.timestamps.zoned

    def describe(self) -> str:
        """Describe the file's format and the columns that are read."""
        stamp = self._cells.timestamp or "none"
        closes = self._columns.closes
        close = described_closes(closes) if self._cells.closes else closes[0]
        table = f"{self._format}, close from {close}, timestamp from {stamp}"
        if names := self._columns.symbol_names:
            table += f", symbol from {' and '.join(map(escaped, names))}"
        return table + compared(self._config.checks.ohlc, self._columns.others)

    def bytes_read(self) -> int:
        """Return about how many of the file's bytes have been read."""
        return self.bytes_of(self._row)

    def bytes_of(self, rows: int) -> int:
        """Return about how many of the file's bytes a number of rows takes."""
        import polars as pl

        if not self._size:
            return 0
        if self._rows is None:
            count = self._table.select(pl.len())
            self._rows = self._calls.guarded(lambda: count.collect().item())
        return self._size * rows // max(1, self._rows)

    @property
    def row(self) -> int:
        """Return how many rows of the table have been read, and passed over before."""
        return self._row

    @property
    def depends_on_first(self) -> bool:
        """Return whether the first rows determine how all others are read."""
        rule, columns = self._cells.symbols, self._columns
        is_text = columns.timestamp is not None and not columns.stores_times
        return is_text or columns.clock is not None or not (rule is None or rule.agree(()))

    @property
    def memory(self) -> object:
        """Return what the reading of further rows depends on."""
        has_empty = self._symbols is not None and self._symbols.has_empty
        return self._cells.timestamps.memory, has_empty

    def rows(self, begin: int, end: int | None) -> "pl.LazyFrame":
        """Return a range of rows, of which `batches_of` is to yield the bars next."""
        self._row = begin
        return self._table.slice(begin, None if end is None else end - begin)

    def batches(self) -> Iterator[Batch | ArrayBatch]:
        """Yield all bars; raises `DataError` for a bad one."""
        yield from self.batches_of(self._table)
        self._rows = self._row
        self.finish()

    def finish(self) -> None:
        """Raise `DataError` if no row proved that a cell read as a timestamp is one."""
        self._cells.finish()

    def batches_of(self, rows: "pl.LazyFrame") -> Iterator[Batch | ArrayBatch]:
        """Yield the bars of rows of the table; raises `DataError` for a bad one, or too few."""
        columns = self._columns
        table = rows.select(columns.selected())
        size = PANEL_ROWS if columns.symbols else max(1, CHUNK_ROWS // len(columns.closes))
        frames = iter(self._calls.guarded(lambda: table.collect_batches(chunk_size=size)))
        # Load NumPy while polars starts to read. Later polars would load it in its compiled code,
        # which panics if a signal arrives then.
        import numpy as np  # noqa: F401  # only loaded

        before = self._row
        checksums = self._calls.checksums(columns.read_names, before)
        while (frame := self._calls.guarded(lambda: next(frames, None))) is not None:
            if frame.height:
                if checksums:
                    checksums.check_until(self._row + frame.height)
                yield self._calls.guarded(partial(self._batch, frame, self._row + 1))
                self._row += frame.height
        self._calls.check_count(rows, self._row - before)
        self._calls.end()

    def _batch(self, frame: "pl.DataFrame", row: int) -> Batch | ArrayBatch:
        ticks = self._ticks(frame)
        times_ns, is_local = self._times(frame)
        plain = partial(self._calls.guarded, partial(self._plain, frame, row, times_ns, is_local))
        untimed = is_local or (self._columns.timestamp is not None and times_ns is None)
        closes_as = self._cells.closes_as
        if ticks and closes_as and not closes_as.are_present(ticks):
            return plain()
        if self._config.compares_rows:
            return plain()
        if not ticks or untimed or not self._is_sane(frame, ticks):
            return plain()
        if self._cells.closes:
            names = [name.strip(BLANKS) for name in self._columns.closes]
            return WideRows(names, row, frame.height).batch(ticks, times_ns, plain)
        coded = self._symbols.coded(frame) if self._symbols else None
        if coded is None and self._symbols:
            return plain()
        return ArrayBatch(ticks, times_ns, coded, plain, row, ticks.suspects())

    def _ticks(self, frame: "pl.DataFrame") -> TickArray | None:
        """Return the closes, row by row; None if they are not numbers, or not all in int64."""
        window = self._config.window
        count = len(self._columns.closes)
        columns = [ticks_of(frame[f"close {number}"], window) for number in range(count)]
        if len(columns) == 1 and not self._cells.closes:
            return columns[0]
        given = [column for column in columns if column is not None]
        return melted_ticks(given, window) if len(given) == len(columns) else None

    def _times(self, frame: "pl.DataFrame") -> "tuple[NDArray[np.int64] | None, bool]":
        """Return times of a stored type, and whether they are not in UTC, as some are unclear."""
        is_read = self._columns.timestamp is not None and not self._config.columns.day
        times_ns = timestamps_ns(frame["timestamp"]) if is_read else None
        local = self._cells.timestamps.local
        if times_ns is None or not local or getattr(frame["timestamp"].dtype, "time_zone", None):
            return times_ns, False
        in_utc = local.clear_in_utc(times_ns)
        return (times_ns, True) if in_utc is None else (in_utc, False)

    def _is_sane(self, frame: "pl.DataFrame", closes: TickArray) -> bool:
        """Return whether the other prices agree with the closes, if they are checked."""
        columns = {"close": closes[:2]}
        for number, name in enumerate(self._columns.others):
            ticks = ticks_of(frame[f"other {number}"], self._config.window)
            if ticks is None:
                return False
            columns[name] = ticks[:2]
        return not self._columns.others or is_sane(columns)

    def _plain(
        self, frame: "pl.DataFrame", row: int, times_ns: "NDArray[np.int64] | None", is_local: bool
    ) -> Batch:
        """Return a batch as the cells of a text table; is_local: whether times are not in UTC."""
        rows = range(row, row + frame.height)
        cells = [self._close_cells(frame, number) for number in range(len(self._columns.closes))]
        stamps = None
        if self._columns.timestamp is not None and times_ns is None:
            stamps = self._stamp_texts(frame["timestamp"], row)
        if self._cells.closes:
            batch = self._cells.wide_batch(cells, stamps, rows, self._config.missing)
        else:
            batch = self._cells.batch(cells[0], stamps, rows, self._config.missing)
        if self._symbols:
            batch = self._cells.with_symbols(batch, self._symbols.cells(frame))
        if self._columns.others:
            others = {
                name: texts_of(frame[f"other {number}"])
                for number, name in enumerate(self._columns.others)
            }
            batch = self._cells.checked(batch, others)
            if self._config.compares_rows:
                batch = batch._replace(others=list(zip(*others.values(), strict=True)))
        if times_ns is None:
            return batch
        count = len(self._columns.closes)
        batch = batch._replace(timestamps=times_ns.repeat(count).tolist())
        stamps = []
        if is_local:
            texts = self._stamp_texts(frame["timestamp"], row)
            stamps = [text for text in texts for _ in range(count)]
        return self._cells.in_utc(batch, stamps) if is_local else batch

    def _close_cells(self, frame: "pl.DataFrame", number: int) -> list[str]:
        """Return the closes of a column as cells; raises `DataError` for another type."""
        import polars as pl

        closes = frame[f"close {number}"]
        if not (closes.dtype.is_numeric() or closes.dtype == pl.String):
            name = escaped(self._columns.closes[number])
            what = f"{name} is a column of {closes.dtype}, not of numbers or text"
            raise DataError(f"{self.name}: {what}")
        return texts_of(closes)

    def _stamp_texts(self, stamps: "pl.Series", row: int) -> list[str]:
        """Return timestamps as cells; raises `DataError` for one that Python cannot hold."""
        bad = first_beyond_calendar(stamps)
        if bad is None:
            try:
                return list(map(stamp_text, stamps.to_list()))
            except (ValueError, OverflowError):
                bad = next(index for index in range(len(stamps)) if not is_in_python(stamps, index))
        what = f"{self._cells.timestamp} is not within the years 1 to 9999"
        raise self._cells.problem(row + bad, what)
