"""This module sorts the bars of files by time, and passes them on."""

from collections.abc import Iterator
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Self

from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.bars import Batch
from rollsignal.core.findings import zones_misfit
from rollsignal.core.quality import Finding
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.symbols import Coded, SymbolCodes
from rollsignal.core.ticks import Ticks, decimal_text
from rollsignal.engines.sorting import BarSorter, SortedBars, int64_times
from rollsignal.errors import BadCellError, DataError
from rollsignal.readers.cell_hints import DUPLICATES_HINT, ONE_SERIES_HINT

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SORTED = "the sorted bars"
UNTIMED_HINT = (
    "name the column in the config (columns: {timestamp: NAME}), or set sort: false if the rows"
    " are oldest first"
)


class BarsInOrder:
    """What is said of sorted bars, wherever they were sorted: each is named by its file and row.

    codes: the symbols of the series. units: what the row of a bar is called, for each file.
    """

    path = ""
    name = SORTED
    unit = "bar"
    symbol: str | None = None
    zoned: bool | None = None
    has_times = True

    def __init__(self, codes: SymbolCodes, units: list[str]) -> None:
        self._codes = codes
        self._units = units
        self._files: NDArray[np.int64] | None = None
        self._rows: NDArray[np.int64] | None = None

    def picked(self, places: "NDArray[np.int64]") -> Self:
        """Return a reader that names these bars of the batch that it has just yielded."""
        reader = copy(self)
        if self._files is not None and self._rows is not None:
            reader._files, reader._rows = self._files[places], self._rows[places]
        return reader

    def describe(self) -> str:
        """Describe the bars."""
        return "sorted"

    def bytes_read(self) -> int:
        """Return 0: the readers of the files count the bytes."""
        return 0

    def batches(self) -> Iterator[Bars]:
        """Yield nothing: bars come from somewhere else."""
        return iter(())

    def batch_of(self, bars: SortedBars, row: int) -> Bars:
        """Return the next bars as a batch; row: the number of the first one."""
        self._files, self._rows = bars.files, bars.rows
        plain = partial(self._plain, bars)
        if bars.missing is not None or bars.ticks is None:
            return plain()
        symbols = None if bars.codes is None else Coded(self._codes.names, bars.codes)
        times = bars.timestamps_ns if self.has_times else None
        return ArrayBatch(bars.ticks, times, symbols, plain, row)

    def _plain(self, bars: SortedBars) -> Batch:
        values, scale = bars.closes.listed(), bars.closes.scale
        if bars.missing is not None:
            pairs = zip(values, bars.missing.tolist(), strict=True)
            values = [None if missing else value for value, missing in pairs]
        cells = ["" if value is None else decimal_text(value, scale) for value in values]
        names = self._codes.names
        symbols = None if bars.codes is None else [names[code] for code in bars.codes.tolist()]
        times = bars.timestamps_ns.tolist() if self.has_times else None
        return Batch(Ticks(values, scale), cells, times, bars.rows.tolist(), symbols)

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a bar that has the time of another."""
        assert self._files is not None
        assert self._rows is not None
        where = f"{self._units[int(self._files[finding.place])]} {self._rows[finding.place]}"
        what = f"the timestamp {finding.what}, after sorting"
        hint = DUPLICATES_HINT if batch.symbols is None else ONE_SERIES_HINT
        return DataError(f"{where}: {what} ({hint})")


class SortedReader(BarsInOrder):
    """Read the bars of several readers in the order of time, as if from one file."""

    def __init__(self, sorter: BarSorter) -> None:
        super().__init__(SymbolCodes(), [])
        self._sorter = sorter
        # Of each series by its number: a file, and whether its times are known in UTC.
        self._zones: dict[int, tuple[str, bool | None]] = {}

    def add(self, batch: Bars, reader: Reader) -> None:
        """Receive a batch; raises `DataError` if it has no timestamps."""
        if not self._units or self._units[-1] != row_name_of(reader):
            self._units.append(row_name_of(reader))
        times = times_to_sort_by(batch, reader)
        codes = codes_in(batch, reader, self._codes)
        self._check_zones(codes, reader)
        file = len(self._units) - 1
        self._sorter.add(codes, times, batch.closes, file, batch.lines_int64())

    def _check_zones(self, codes: "NDArray[np.int64] | None", reader: Reader) -> None:
        """Raise `DataError` for a series of which only some files have times with a zone."""
        for number in series_in(codes):
            name, zoned = self._zones.setdefault(number, (reader.name, reader.zoned))
            if zoned != reader.zoned:
                raise zones_misfit(name, reader.name, bool(zoned))

    def batches(self) -> Iterator[Bars]:
        """Yield all bars in the order of time."""
        row = 1
        for bars in self._sorter.batches():
            yield self.batch_of(bars, row)
            row += len(bars.timestamps_ns)


def row_name_of(reader: Reader) -> str:
    """Return what the row of a bar is called in messages, before its number."""
    return f"{reader.name} {reader.unit}"


def times_to_sort_by(batch: Bars, reader: Reader) -> "NDArray[np.int64]":
    """Return the timestamps of bars; raises `DataError` if they have none, or none that is sorted.

    The numbers of rows in messages are those of the batch.
    """
    times_ns = batch.timestamps_ns
    if times_ns is None:
        raise DataError(f"{reader.name}: no timestamps to sort by", UNTIMED_HINT)
    try:
        return int64_times(times_ns)
    except BadCellError as bad:
        where = f"{row_name_of(reader)} {batch.line_of(bad.index)}"
        message = f"{where}: the timestamp is {bad.reason}"
        raise DataError(message, "set sort: false") from None


def codes_in(batch: Bars, reader: Reader, codes: SymbolCodes) -> "NDArray[np.int64] | None":
    """Return the number of each bar's series; None if bars have no symbols."""
    import numpy as np

    numbers = batch.codes_by(codes)
    if numbers is None and reader.symbol is not None:
        return np.full(batch.rows, codes.number(reader.symbol))
    return numbers


def series_in(codes: "NDArray[np.int64] | None") -> list[int]:
    """List the numbers of the series that bars are of; 0 for the only one."""
    import numpy as np

    numbers: list[int] = [0] if codes is None else np.flatnonzero(np.bincount(codes)).tolist()
    return numbers
