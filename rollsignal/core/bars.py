"""This module holds bars as they are written, as careful readers produce them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.core.quality import Finding
from rollsignal.core.ticks import Ticks
from rollsignal.core.timestamps.reader import Timestamp, to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.core.decisions import PlainDecided
    from rollsignal.core.symbols import SymbolCodes

    Indexes = NDArray[np.int64]
    Places = Sequence[int] | Indexes

# The end of a reader's description of a file that has neither a header nor bars.
NO_OBJECTS = "no objects"


class SeriesBars(NamedTuple):
    """Bars of one series: their indexes in the batch, times in ns since 1970 UTC, and closes.

    `doubles` are the doubles nearest to the closes, NaN for a missing one.
    """

    places: "Indexes"
    timestamps_ns: "NDArray[Any] | None"
    doubles: "NDArray[np.float64]"


class Batch(NamedTuple):
    """Consecutive bars of one file: the close, timestamp and physical line or row of each.

    `cells` are the closes as written; `timestamps` and `symbols` are None if they are not read.
    `findings` are those that need no other bars. `others` are the cells of other columns of each
    bar, where rows are compared by them.
    """

    closes: Ticks
    cells: Sequence[str]
    timestamps: Sequence[Timestamp] | None
    lines: Sequence[int]
    symbols: Sequence[str] | None = None
    findings: Sequence[Finding] = ()
    others: Sequence[tuple[str, ...]] | None = None

    @property
    def rows(self) -> int:
        """Count the bars."""
        return len(self.lines)

    @property
    def has_timestamps(self) -> bool:
        """Return whether timestamps are read."""
        return self.timestamps is not None

    @property
    def timestamps_ns(self) -> list[int] | None:
        """Convert the timestamps to nanoseconds since 1970 UTC."""
        return None if self.timestamps is None else list(map(to_ns, self.timestamps))

    def plain(self) -> "Batch":
        """Return the batch itself: it is plain already."""
        return self

    def detached(self) -> "Batch":
        """Return the batch itself: it refers to no others."""
        return self

    def line_of(self, index: int) -> int:
        """Return the line or row of one bar."""
        return self.lines[index]

    def lines_int64(self) -> "Indexes":
        """Return the lines or rows of all bars as an array."""
        import numpy as np

        return np.array(self.lines, np.int64)

    def missing(self) -> list[int]:
        """Return the indexes of the bars without a close."""
        return [index for index, tick in enumerate(self.closes.values) if tick is None]

    def codes_by(self, codes: "SymbolCodes") -> "Indexes | None":
        """Return the number of each bar's symbol, None if symbols are not read."""
        import numpy as np

        if self.symbols is None:
            return None
        return np.array([codes.number(symbol) for symbol in self.symbols], np.int64)

    def picked(self, places: "Places") -> "Batch":
        """Return the bars at these indexes, with their findings."""
        symbols, timestamps = self.symbols, self.timestamps
        now = {before: index for index, before in enumerate(places)} if self.findings else {}
        return Batch(
            Ticks([self.closes.values[index] for index in places], self.closes.scale),
            [self.cells[index] for index in places],
            None if timestamps is None else [timestamps[index] for index in places],
            [self.lines[index] for index in places],
            None if symbols is None else [symbols[index] for index in places],
            [f._replace(place=now[f.place]) for f in self.findings if f.place in now],
            None if self.others is None else [self.others[index] for index in places],
        )

    def others_of(self, index: int) -> tuple[str, ...]:
        """Return the cells of other columns of one bar that are compared."""
        return () if self.others is None else self.others[index]

    def backwards(self) -> "Batch":
        """Return the bars from the last to the first, with their findings."""
        return self.picked(range(self.rows - 1, -1, -1))

    def parted(
        self, begin: int, reached: Callable[[str], int], symbol: str
    ) -> "tuple[Places, Places]":
        """Return the indexes of bars later than the time their series has reached, and of the rest.

        Bars before the index `begin` are in neither. symbol: that of all bars, if symbols are not
        read. The batch must have timestamps.
        """
        times = self.timestamps_ns or ()
        symbols = self.symbols or [symbol] * self.rows
        later = [at for at in range(begin, self.rows) if times[at] > reached(symbols[at])]
        rest = set(later)
        return later, [at for at in range(begin, self.rows) if at not in rest]

    def undecided(self, file: str, symbol: str) -> "PlainDecided":
        """Return the bars as decided bars without signals."""
        from rollsignal.core.decisions import PlainDecided

        names = list(dict.fromkeys(self.symbols or [symbol]))
        code_of = {name: code for code, name in enumerate(names)}
        codes = None if self.symbols is None else [code_of[name] for name in self.symbols]
        times, nothing = self.timestamps_ns, [0] * self.rows
        return PlainDecided(
            file,
            names,
            codes,
            times,
            nothing if times is None else None,
            self.closes.values,
            [None] * self.rows,
            self.closes.scale,
        )

    def of_series(self, symbol: str, whole: str) -> SeriesBars:
        """Return the bars of one series; `whole` is the symbol if symbols are not read."""
        import numpy as np

        symbols = self.symbols or [whole] * self.rows
        places = [index for index, name in enumerate(symbols) if name == symbol]
        unit, times = 10**self.closes.scale, self.timestamps_ns
        ticks = [self.closes.values[index] for index in places]
        return SeriesBars(
            np.array(places, np.int64),
            # Python numbers, because times may be beyond 64 bits.
            None if times is None else np.array([times[index] for index in places], object),
            np.array([np.nan if tick is None else tick / unit for tick in ticks], np.float64),
        )
