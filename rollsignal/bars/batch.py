"""This module says what readers hand on: batches of bars, plain or as arrays."""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from rollsignal.arrays import TickArray
from rollsignal.errors import DataError
from rollsignal.prices import Ticks
from rollsignal.quality import Finding
from rollsignal.timestamps import Moment

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

# How a reader describes a file that has neither a header nor bars.
NO_OBJECTS = "no objects"


class Batch(NamedTuple):
    """Consecutive bars of one file: for each its close, timestamp and physical line or row.

    `cells` are the closes as written; `moments` and `symbols` are None where they are not read.
    `findings` are what the bars themselves show, each in its place.
    """

    closes: Ticks
    cells: Sequence[str]
    moments: Sequence[Moment] | None
    lines: Sequence[int]
    symbols: Sequence[str] | None = None
    findings: Sequence[Finding] = ()

    @property
    def rows(self) -> int:
        """Count the bars."""
        return len(self.lines)

    def picked(self, rows: Sequence[int]) -> "Batch":
        """Take some rows, with what was found in them."""
        moments, symbols = self.moments, self.symbols
        places = {row: place for place, row in enumerate(rows)} if self.findings else {}
        return Batch(
            Ticks([self.closes.values[row] for row in rows], self.closes.scale),
            [self.cells[row] for row in rows],
            None if moments is None else [moments[row] for row in rows],
            [self.lines[row] for row in rows],
            None if symbols is None else [symbols[row] for row in rows],
            [f._replace(place=places[f.place]) for f in self.findings if f.place in places],
        )


class Coded(NamedTuple):
    """A column of symbols: the different ones, and each row's place among them."""

    names: list[str]
    codes: "NDArray[np.int64]"


class ArrayBatch(NamedTuple):
    """Consecutive bars as arrays: all closes known, all timestamps read, in any order.

    `moments` are nanoseconds since 1970 UTC, `row` the line or row of the first bar. `plain` makes
    a `Batch` of them.
    """

    ticks: TickArray
    moments: "NDArray[np.int64] | None"
    symbols: "Coded | pl.Series | None"
    plain: Callable[[], Batch]
    row: int = 0

    @property
    def rows(self) -> int:
        """Count the bars."""
        return len(self.ticks.values)


class Reader(Protocol):
    """What an engine needs of whoever reads a file.

    `symbol` is that of the whole file, if any; `unit` is what its rows are called: line or row.
    """

    name: str
    unit: str
    symbol: str | None

    def describe(self) -> str:
        """Say in which form the file is and which columns are read."""

    def batches(self) -> Iterator[Batch | ArrayBatch]:
        """Yield all bars; raises `DataError` where they are in doubt."""

    def bytes_read(self) -> int:
        """Tell how many of the file's bytes are read, about."""

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Explain that a bar is not later than the one before it."""
