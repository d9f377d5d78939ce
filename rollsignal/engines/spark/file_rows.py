"""This module turns the bars of files into rows that Spark sorts.

A row has numbers only, but for closes beyond 64 bits: so Spark compares whole numbers, and computes
none.
"""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.arrays import TickArray
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.symbols import SymbolCodes
from rollsignal.core.ticks import Ticks
from rollsignal.engines.passes import Reading, Splits
from rollsignal.engines.sorted_bars import codes_in, times_to_sort_by
from rollsignal.engines.sorting import ASIDE, INT64, MISSING
from rollsignal.engines.spark.carrier import working_in
from rollsignal.engines.spark.cuts import FILE, ROW, STAMP, SYMBOL
from rollsignal.engines.splits import ReadWholeError
from rollsignal.errors import DataError
from rollsignal.files.fingerprints import changed

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from rollsignal.engines.spark.piece_frames import Batches

TICK, SCALE, WIDE = "tick", "scale", "wide"
SORTED_COLUMNS = [SYMBOL, STAMP, TICK, SCALE, WIDE, FILE, ROW]
"""Numbers of series and file, the time in ns, the close, and the row in the file.

A close is a tick and its scale, or one of the marks of `engines.sorting`; a close that was put
aside is in `WIDE`, as text.
"""

DDL = (
    f"{SYMBOL} int, {STAMP} bigint, {TICK} bigint, {SCALE} int, {WIDE} string, {FILE} int,"
    f" {ROW} bigint"
)


TIME = "time"
PLACED_COLUMNS = [SYMBOL, STAMP, TICK, SCALE, WIDE, TIME]
"""The columns of rows that are sorted by their places in the order of reading: see `place_of`."""

PLACED_DDL = (
    f"{SYMBOL} int, {STAMP} bigint, {TICK} bigint, {SCALE} int, {WIDE} string, {TIME} bigint"
)
# No piece has more rows.
PLACES_OF_PIECE = 1 << 40


class RowsOfFiles(NamedTuple):
    """The task that reads pieces of files again, and yields a row for each bar.

    first_rows: the number of lines before each piece in its file. symbols: of all files, by their
    numbers. files: the number of each file, by its path. folder: where relative paths begin.
    """

    pieces: Sequence[Splits]
    first_rows: Sequence[int]
    reading: Reading
    symbols: Sequence[str]
    files: Mapping[str, int]
    folder: str

    @property
    def names(self) -> list[str]:
        """List the columns of the rows, in their order."""
        return SORTED_COLUMNS

    def __call__(self, batches: "Batches") -> "Batches":
        """Yield the rows of the pieces with these numbers; raises `DiskError`."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                with working_in(self.folder):
                    yield from self._piece(number)

    def _piece(self, number: int) -> "Batches":
        """Yield the rows of a piece: what cannot be read now could be read before."""
        splits, codes = self.pieces[number], codes_of_symbols(self.symbols)
        passed = 0
        try:
            with closing(self.reading.opened(splits, self.first_rows[number])) as each:
                for split, opened in each:
                    with opened as reader:
                        for bars in reader.batches():
                            where = WhereRead(self.files[split.file.path], number, passed)
                            yield self._rows(bars, reader, codes, where)
                            passed += bars.rows
        except (DataError, ReadWholeError) as problem:
            raise changed(splits[0].file.path) from problem

    def _rows(
        self, bars: Bars, reader: Reader, codes: SymbolCodes, where: "WhereRead"
    ) -> "pa.RecordBatch":
        import numpy as np
        import pyarrow as pa

        numbers = codes_in(bars, reader, codes)
        if len(codes.names) > len(self.symbols):
            raise changed(reader.path)
        ticks, scales, wide = _stored_closes(bars.closes)
        columns = {
            SYMBOL: pa.array(np.zeros(bars.rows) if numbers is None else numbers).cast(pa.int32()),
            TICK: pa.array(ticks),
            SCALE: pa.array(scales, pa.int32()),
            WIDE: pa.nulls(bars.rows, pa.string()) if wide is None else pa.array(wide, pa.string()),
            **self._places(bars, reader, where),
        }
        return pa.RecordBatch.from_pydict({name: columns[name] for name in self.names})

    def _places(self, bars: Bars, reader: Reader, where: "WhereRead") -> "dict[str, pa.Array]":
        """Return the columns that say where bars belong."""
        import numpy as np
        import pyarrow as pa

        return {
            STAMP: pa.array(times_to_sort_by(bars, reader)),
            FILE: pa.array(np.full(bars.rows, where.file, np.int32)),
            ROW: pa.array(bars.lines_int64()),
        }


class PlacedRows(RowsOfFiles):
    """The task that yields the rows with their places in the order of reading.

    Bars without timestamps have 0 for them.
    """

    @property
    def names(self) -> list[str]:
        """List the columns of the rows, in their order."""
        return PLACED_COLUMNS

    def _places(self, bars: Bars, reader: Reader, where: "WhereRead") -> "dict[str, pa.Array]":
        import numpy as np
        import pyarrow as pa

        first, times_ns = place_of(where.piece, where.passed), np.zeros(bars.rows, np.int64)
        if bars.timestamps_ns is not None:
            times_ns = times_to_sort_by(bars, reader)
        return {STAMP: pa.array(np.arange(first, first + bars.rows)), TIME: pa.array(times_ns)}


class WhereRead(NamedTuple):
    """Where bars are read: the number of the file, that of the piece, and its bars before them."""

    file: int
    piece: int
    passed: int


def place_of(piece: int, passed: int) -> int:
    """Return the place of a bar in the order of reading; passed: those of its piece before it."""
    return piece * PLACES_OF_PIECE + passed


def codes_of_symbols(symbols: Sequence[str]) -> SymbolCodes:
    """Return numbers of symbols in this order."""
    codes = SymbolCodes()
    for symbol in symbols:
        codes.number(symbol)
    return codes


def _stored_closes(
    closes: TickArray | Ticks,
) -> "tuple[NDArray[np.int64], NDArray[np.int64], list[str | None] | None]":
    """Return a number and a scale for each close, and the text of those that are put aside."""
    import numpy as np

    try:
        ticks = np.asarray(closes.values, np.int64)
        return ticks, np.full(len(ticks), closes.scale), None
    except (TypeError, OverflowError):
        stored = [_stored_close(tick, closes.scale) for tick in closes.values]
    plain, scales, wide = zip(*stored, strict=True)
    return np.array(plain, np.int64), np.array(scales, np.int64), list(wide)


def _stored_close(tick: int | None, scale: int) -> tuple[int, int, str | None]:
    if tick is None:
        return 0, MISSING, None
    return (tick, scale, None) if tick in INT64 else (0, ASIDE, f"{tick:x} {scale}")
