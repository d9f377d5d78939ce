"""This module reads wide tables, in which each symbol has a column of closes of its own.

The name of a column is the symbol. A row holds a bar of every symbol, in the order of the columns.
"""

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.config.rules import InHeader, SymbolFrom
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.arrays import TickArray
from rollsignal.core.bars import Batch
from rollsignal.core.kernel import INT64_MAX
from rollsignal.core.symbols import Coded
from rollsignal.core.ticks import BLANKS, NUMBER
from rollsignal.core.timestamps.reader import plain_name
from rollsignal.errors import DataError
from rollsignal.messages import escaped, shown
from rollsignal.readers.dialect import find_column, odd_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Names of columns that no ticker has, and that are not closes of a symbol.
_ROW_NUMBERS = ("index", "unnamed:0", "level0", "rownames")
_OTHER_NAMES = ("close", "adjclose", "volume", "symbol", "ticker", *_ROW_NUMBERS)


def closes_in_header(
    header: Sequence[str], source: SymbolFrom | None, taken: Collection[int | None], where: str
) -> tuple[int, ...]:
    """Return the indexes of the columns of closes, each of which is called as its symbol.

    taken: the columns of timestamps. Raises `DataError` for a name that may be no symbol, or that
    is there twice.
    """
    declared = (source and source.header) or InHeader()
    listed = [find_column(header, name, where) for name in declared.only + declared.leaves_out]
    for index in listed:
        if declared.only and index in taken:
            what = f"{shown(header[index])} is the column of the timestamps, and no symbol"
            raise DataError(f"{where}: {what} (leave out that name in columns.symbol.only)")
    if declared.only:
        indexes = sorted(set(listed))
    else:
        others = {*taken, *listed}
        indexes = [index for index in range(len(header)) if index not in others]
        _refuse_others(header, indexes, where)
    names = [header[index].strip(BLANKS) for index in indexes]
    if not names:
        what = "no columns but those of the timestamps, and so no symbols in the header"
        raise DataError(f"{where}: {what}", "set columns: {symbol: null} if it is no wide table")
    _check_names(names, indexes, where)
    if all(map(NUMBER.fullmatch, names)) and (set(taken) == {None} or _count_up(names)):
        what = "a header of nothing but numbers, where symbols must be"
        hint = "say with table: {header: LINE} which line has the symbols"
        raise DataError(f"{where}: {what} ({hint})")
    return tuple(indexes)


def _refuse_others(header: Sequence[str], indexes: Sequence[int], where: str) -> None:
    """Refuse a column that is not said to be a symbol, and has a usual name of something else."""
    for index in indexes:
        name = header[index].strip(BLANKS)
        if name and plain_name(name) not in _OTHER_NAMES:
            continue
        column = shown(name) if name else f"column {index + 1}, which is nameless,"
        wanted = escaped(name) or index + 1
        raise DataError(
            f"{where}: {column} may be no symbol (set columns: {{symbol: {{from: header, except:"
            f" [{wanted}]}}}} to leave it out, or name all symbols with only: [NAME, NAME])"
        )


def _check_names(names: Sequence[str], indexes: Sequence[int], where: str) -> None:
    for at, (name, index) in enumerate(zip(names, indexes, strict=True)):
        if not name:
            raise DataError(f"{where}: column {index + 1} has no name, and so no symbol")
        if problem := odd_bytes(name):
            raise DataError(f"{where}: the symbol {shown(name)} {problem}")
        if name in names[:at]:
            first = indexes[names.index(name)] + 1
            raise DataError(
                f"{where}: columns {first} and {index + 1} are both called {shown(name)} (set"
                f" columns: {{symbol: {{from: header, except: [{first}]}}}} or [{index + 1}],"
                " whichever holds no closes)"
            )


def _count_up(names: Sequence[str]) -> bool:
    return any(names == [str(first + at) for at in range(len(names))] for first in (0, 1, 2))


def described_closes(names: Sequence[str]) -> str:
    """Describe the columns of closes."""
    listed = [escaped(name.strip(BLANKS)) for name in names[:2]]
    if len(names) == 1:
        return listed[0]
    last = listed[1] if len(names) == 2 else f"{len(names) - 1:,} more columns"
    return f"{listed[0]} and {last}"


def melted_ticks(columns: Sequence[TickArray], window: int) -> TickArray | None:
    """Return the ticks of all columns row by row; None if int64 does not hold them all."""
    import numpy as np

    scale = max(column.scale for column in columns)
    most = 0
    values = np.empty((len(columns[0].values), len(columns)), np.int64)
    for at, column in enumerate(columns):
        factor = 10 ** (scale - column.scale)
        size = max(abs(int(column.values.min())), abs(int(column.values.max()))) * factor
        if size > INT64_MAX:
            return None
        most = max(most, size)
        np.multiply(column.values, factor, out=values[:, at])
    ticks = TickArray(values.reshape(-1), scale, most)
    return ticks if ticks.fits(window) else None


class WideRows(NamedTuple):
    """Consecutive rows with a close of each symbol; first: the line or number of the first."""

    names: Sequence[str]
    first: int
    rows: int

    def batch(
        self,
        ticks: TickArray,
        times_ns: "NDArray[np.int64] | None",
        plain: Callable[[], Batch],
    ) -> ArrayBatch:
        """Return the bars of the rows; ticks: row by row. times_ns: of each row."""
        import numpy as np

        count = len(self.names)
        return ArrayBatch(
            ticks,
            None if times_ns is None else np.repeat(times_ns, count),
            Coded(self.names, np.tile(np.arange(count), self.rows)),
            plain,
            self.first,
            ticks.suspects(),
            np.repeat(np.arange(self.first, self.first + self.rows), count),
        )
