"""This module turns the bars of files into rows that Spark sorts, and the sorted rows into bars.

A row has numbers only, but for closes beyond 64 bits: so Spark compares whole numbers, and computes
none. Rows of a series at one time are in the order of the files and of the rows in them.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.arrays import TickArray
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.symbols import SymbolCodes
from rollsignal.core.ticks import Ticks
from rollsignal.engines.passes import Reading, Splits
from rollsignal.engines.sorted_bars import SORTED, BarsInOrder, codes_in, times_to_sort_by
from rollsignal.engines.sorted_repeats import SortedRepeats
from rollsignal.engines.sorting import (
    ASIDE,
    INT64,
    MISSING,
    bars_of_rows,
    comparable,
    plain_closes,
)
from rollsignal.engines.spark.carrier import working_in
from rollsignal.engines.spark.cuts import FILE, ROW, STAMP, SYMBOL
from rollsignal.engines.spark.piece_frames import frames_by_piece
from rollsignal.engines.spill import FIELDS
from rollsignal.engines.splits import ReadWholeError
from rollsignal.errors import DataError, DiskError
from rollsignal.files.fingerprints import changed

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    import pyarrow as pa
    from numpy.typing import NDArray

    from rollsignal.engines.spark.piece_frames import Batches, Frames
    from rollsignal.readers.handed import Key

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

    def __call__(self, batches: "Batches") -> "Batches":
        """Yield the rows of the pieces with these numbers; raises `DiskError`."""
        for batch in batches:
            for number in batch.column(0).to_pylist():
                with working_in(self.folder):
                    yield from self._piece(number)

    def _piece(self, number: int) -> "Batches":
        """Yield the rows of a piece: what cannot be read now could be read before."""
        splits, codes = self.pieces[number], codes_of_symbols(self.symbols)
        try:
            with closing(self.reading.opened(splits, self.first_rows[number])) as each:
                for split, opened in each:
                    with opened as reader:
                        for bars in reader.batches():
                            yield self._rows(bars, reader, codes, self.files[split.file.path])
        except (DataError, ReadWholeError) as problem:
            raise changed(splits[0].file.path) from problem

    def _rows(self, bars: Bars, reader: Reader, codes: SymbolCodes, file: int) -> "pa.RecordBatch":
        import numpy as np
        import pyarrow as pa

        numbers = codes_in(bars, reader, codes)
        if len(codes.names) > len(self.symbols):
            raise changed(reader.path)
        ticks, scales, wide = _stored_closes(bars.closes)
        columns = [
            pa.array(np.zeros(bars.rows) if numbers is None else numbers).cast(pa.int32()),
            pa.array(times_to_sort_by(bars, reader)),
            pa.array(ticks),
            pa.array(scales, pa.int32()),
            pa.nulls(bars.rows, pa.string()) if wide is None else pa.array(wide, pa.string()),
            pa.array(np.full(bars.rows, file, np.int32)),
            pa.array(bars.lines_int64()),
        ]
        return pa.RecordBatch.from_arrays(columns, SORTED_COLUMNS)


class SortedReading(NamedTuple):
    """How the sorted rows are read.

    symbols: by their numbers; none if bars have none. units: what a row of each file is called.
    duplicates: which rows of a series at one time are read, as the setting says.
    """

    symbols: Sequence[str]
    units: Sequence[str]
    duplicates: str = "keep"

    @property
    def measured(self) -> bool:
        """Return False: no table needs to know how many digits the closes have."""
        return False

    def reader(self) -> "ShuffledReader":
        """Return a reader for the frames of a piece."""
        return ShuffledReader(codes_of_symbols(self.symbols), list(self.units), self.duplicates)

    def pieces(self, batches: "Batches") -> "Iterator[tuple[int, Frames]]":
        """Yield the pieces of a partition, each with its frames; raises `DiskError`."""
        for number, frames in frames_by_piece(batches, SORTED_COLUMNS, self.unsorted):
            yield number, frames if self.duplicates == "keep" else _with_whole_times(frames)

    def unsorted(self) -> DiskError:
        """Return the error for rows that come in another order than they were asked for."""
        return DiskError(
            f"{SORTED} came from Spark in another order than they were asked for",
            "run again; if that does not help, set engine: local",
        )


class ShuffledReader(BarsInOrder):
    """Read the bars of a piece; `begin` and `end` are the keys of the first and last so far."""

    def __init__(self, codes: SymbolCodes, units: list[str], duplicates: str = "keep") -> None:
        super().__init__(codes, units)
        self.begin: Key | None = None
        self.end: Key | None = None
        self._last: list[NDArray[np.int64]] | None = None
        self._wide: pl.Series | None = None
        self._repeats: SortedRepeats | None = None
        if duplicates != "keep":
            self._repeats = SortedRepeats(duplicates == "last", self._comparable)

    @property
    def dropped(self) -> int:
        """Count the rows left out so far."""
        return self._repeats.dropped if self._repeats else 0

    def batches_of(self, frame: "pl.DataFrame") -> Iterator[Bars]:
        """Yield the bars of the next frame; raises `DiskError` if it is not sorted.

        Where rows are left out, it has all rows of each series and time in it.
        """
        rows = _fields_of(frame)
        self._check_order([rows[name] for name in ("code", "ns", "file", "row")])
        self.begin, self.end = self.begin or _key_at(rows, 0), _key_at(rows, -1)
        self._wide = frame[WIDE]
        if self._repeats:
            rows = self._repeats.left_of(rows)
        bars = bars_of_rows(rows, self._plain_closes, is_coded=bool(self._codes.names))
        yield self.batch_of(bars, 1)

    def _plain_closes(self, rows: "NDArray[np.void]") -> Ticks:
        """Return closes of any size; the tick of one that was put aside is its row in the frame."""
        assert self._wide is not None
        put_aside = rows["tick"][rows["scale"] == ASIDE].tolist()
        aside = {at: _close_of(self._wide[at]) for at in put_aside}
        return plain_closes(rows["tick"], rows["scale"], aside)

    def _comparable(self, rows: "NDArray[np.void]") -> list[object]:
        return comparable(self._plain_closes(rows)) if len(rows) else []

    def _check_order(self, keys: "list[NDArray[np.int64]]") -> None:
        """Compare each bar with the one before it: no two are the same row of a file."""
        import numpy as np

        if self._last:
            pairs = zip(self._last, keys, strict=True)
            keys = [np.concatenate((last, column)) for last, column in pairs]
        self._last = [column[-1:] for column in keys]
        is_later = np.zeros(len(keys[0]) - 1, np.bool_)
        is_same = ~is_later
        for column in keys:
            is_later |= is_same & (column[1:] > column[:-1])
            is_same &= column[1:] == column[:-1]
        if not is_later.all():
            raise SortedReading((), ()).unsorted()


def codes_of_symbols(symbols: Sequence[str]) -> SymbolCodes:
    """Return numbers of symbols in this order."""
    codes = SymbolCodes()
    for symbol in symbols:
        codes.number(symbol)
    return codes


def _fields_of(frame: "pl.DataFrame") -> "NDArray[np.void]":
    """Return the rows of a frame as those of `engines.spill`."""
    import numpy as np

    rows = np.empty(frame.height, FIELDS)
    names = {"code": SYMBOL, "ns": STAMP, "tick": TICK, "scale": SCALE, "file": FILE, "row": ROW}
    for field, column in names.items():
        rows[field] = frame[column].to_numpy()
    put_aside = np.flatnonzero(rows["scale"] == ASIDE)
    rows["tick"][put_aside] = put_aside
    return rows


def _with_whole_times(frames: "Frames") -> "Frames":
    """Cut frames again, so that all rows of a series at one time are in one."""
    import polars as pl

    held: pl.DataFrame | None = None
    for frame in frames:
        whole = frame if held is None else pl.concat([held, frame])
        keys = whole.select(SYMBOL, STAMP)
        is_last = (keys[SYMBOL] == keys[SYMBOL][-1]) & (keys[STAMP] == keys[STAMP][-1])
        begin = whole.height - int(is_last.sum())
        if begin:
            yield whole[:begin]
        held = whole[begin:]
    if held is not None:
        yield held


def _key_at(rows: "NDArray[np.void]", at: int) -> "Key":
    return int(rows["code"][at]).to_bytes(8, "big"), int(rows["ns"][at])


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


def _close_of(text: str) -> tuple[int, int]:
    tick, scale = text.split()
    return int(tick, 16), int(scale)
