"""This module turns rows of files that Spark has sorted into bars.

Rows of a series at one time are in the order of the files and of the rows in them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.reader import Bars
from rollsignal.core.symbols import SymbolCodes
from rollsignal.core.ticks import Ticks
from rollsignal.engines.sorted_bars import SORTED, BarsInOrder
from rollsignal.engines.sorted_repeats import SortedRepeats
from rollsignal.engines.sorting import ASIDE, bars_of_rows, comparable, plain_closes
from rollsignal.engines.spark.cuts import FILE, ROW, STAMP, SYMBOL
from rollsignal.engines.spark.file_rows import (
    PLACED_COLUMNS,
    SCALE,
    SORTED_COLUMNS,
    TICK,
    TIME,
    WIDE,
    codes_of_symbols,
)
from rollsignal.engines.spark.piece_frames import frames_by_piece
from rollsignal.engines.spill import FIELDS
from rollsignal.errors import DiskError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from rollsignal.engines.spark.piece_frames import Batches, Frames
    from rollsignal.readers.handed import Key


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
    """Read the bars of a piece; `begin` and `end` are the keys of the first and last so far.

    `columns` are those of the frames by the fields of `engines.spill`; without a column, a field
    is 0. By `sorted_by`, in this order, rows are sorted.
    """

    columns: Mapping[str, str] = {
        "code": SYMBOL,
        "ns": STAMP,
        "tick": TICK,
        "scale": SCALE,
        "file": FILE,
        "row": ROW,
    }
    sorted_by: tuple[str, ...] = ("code", "ns", "file", "row")

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
        rows = _fields_of(frame, self.columns)
        self._check_order([rows[name] for name in self.sorted_by])
        self.begin, self.end = self.begin or self._key_at(rows, 0), self._key_at(rows, -1)
        self._wide = frame[WIDE]
        if self._repeats:
            rows = self._repeats.left_of(rows)
        bars = bars_of_rows(rows, self._plain_closes, is_coded=bool(self._codes.names))
        yield self.batch_of(bars, 1)

    def _key_at(self, rows: "NDArray[np.void]", at: int) -> "Key":
        symbol, place = (int(rows[name][at]) for name in self.sorted_by[:2])
        return symbol.to_bytes(8, "big"), place

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


class PlacedReading(SortedReading):
    """How rows are read that are sorted by series and place."""

    def reader(self) -> "ShuffledReader":
        """Return a reader for the frames of a piece."""
        return PlacedReader(codes_of_symbols(self.symbols), list(self.units))

    def pieces(self, batches: "Batches") -> "Iterator[tuple[int, Frames]]":
        """Yield the pieces of a partition, each with its frames; raises `DiskError`."""
        yield from frames_by_piece(batches, PLACED_COLUMNS, self.unsorted)


class UntimedReading(PlacedReading):
    """How such rows are read that are of bars without timestamps."""

    def reader(self) -> "ShuffledReader":
        """Return a reader for the frames of a piece."""
        return UntimedReader(codes_of_symbols(self.symbols), list(self.units))


class PlacedReader(ShuffledReader):
    """Read the bars of a piece in the order of series and place."""

    columns: Mapping[str, str] = {
        "code": SYMBOL,
        "ns": TIME,
        "tick": TICK,
        "scale": SCALE,
        "row": STAMP,
    }
    sorted_by: tuple[str, ...] = ("code", "row")


class UntimedReader(PlacedReader):
    """Read the bars of a piece, which have no timestamps, in the order of series and place."""

    has_times = False


def _fields_of(frame: "pl.DataFrame", columns: Mapping[str, str]) -> "NDArray[np.void]":
    """Return the rows of a frame as those of `engines.spill`."""
    import numpy as np

    rows = np.zeros(frame.height, FIELDS)
    for field, column in columns.items():
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


def _close_of(text: str) -> tuple[int, int]:
    tick, scale = text.split()
    return int(tick, 16), int(scale)
