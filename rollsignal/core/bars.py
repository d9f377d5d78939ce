"""This module defines what readers produce: batches of bars, plain or as arrays."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rollsignal.core.quality import Finding, value_findings
from rollsignal.core.ticks import BLANKS, Ticks, decimal_text
from rollsignal.core.timestamps.reader import Timestamp, to_ns
from rollsignal.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.core.arrays import TickArray
    from rollsignal.core.decisions import ArrayDecided, PlainDecided
    from rollsignal.core.symbols import Coded, SymbolCodes

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


class ArrayBatch(NamedTuple):
    """Consecutive bars as arrays, all with a close, in any order of time.

    `timestamps_ns` are nanoseconds since 1970 UTC, `row` is the line or row of the first bar.
    `plain` makes a `Batch` of the same bars, `suspects` counts its findings. `lines` are the lines
    or rows of all bars, None if they are consecutive.
    """

    closes: "TickArray"
    timestamps_ns: "Indexes | None"
    symbols: "Coded | None"
    plain: Callable[[], Batch]
    row: int = 0
    suspects: int = 0
    lines: "Indexes | None" = None

    @property
    def has_timestamps(self) -> bool:
        """Return whether timestamps are read."""
        return self.timestamps_ns is not None

    @property
    def rows(self) -> int:
        """Count the bars."""
        return len(self.closes.values)

    def line_of(self, index: int) -> int:
        """Return the line or row of one bar."""
        return self.row + index if self.lines is None else int(self.lines[index])

    def others_of(self, index: int) -> tuple[str, ...]:
        """Return no cells: bars whose other columns are compared are plain."""
        return ()

    def lines_int64(self) -> "Indexes":
        """Return the lines or rows of all bars as an array."""
        import numpy as np

        return np.arange(self.row, self.row + self.rows) if self.lines is None else self.lines

    def missing(self) -> list[int]:
        """Return no indexes: every bar has a close."""
        return []

    def codes_by(self, codes: "SymbolCodes") -> "Indexes | None":
        """Return the number of each bar's symbol, None if symbols are not read.

        Raises `DataError` if a symbol is empty.
        """
        if self.symbols is None:
            return None
        numbers = codes.of(self.symbols)
        if numbers.min() < 0:
            # This raises the error, which names the line.
            self.plain()
        return numbers

    def picked(self, places: "Places") -> "ArrayBatch":
        """Return the bars at these indexes."""
        import numpy as np

        rows, times, symbols = np.asarray(places), self.timestamps_ns, self.symbols
        closes = self.closes._replace(values=self.closes.values[rows])
        are_consecutive = self.lines is None and int(rows[-1] - rows[0]) == len(rows) - 1
        return ArrayBatch(
            closes,
            None if times is None else times[rows],
            symbols and symbols._replace(codes=symbols.codes[rows]),
            partial(_picked_plain, self, rows.tolist()),
            self.line_of(int(rows[0])),
            closes.suspects() if self.suspects else 0,
            None if are_consecutive else self.lines_int64()[rows],
        )

    def backwards(self) -> "ArrayBatch":
        """Return the bars from the last to the first, without the text that they come from.

        Raises `DataError` if a symbol is empty.
        """
        times, symbols = self.timestamps_ns, self.symbols
        if symbols and not all(name.strip(BLANKS) for name in symbols.names):
            # This raises the error, which names the line, if a bar has the empty one.
            self.plain()
        lines = self.lines_int64()[::-1].copy()
        closes = self.closes._replace(values=self.closes.values[::-1].copy())
        times = None if times is None else times[::-1].copy()
        symbols = symbols and symbols._replace(codes=symbols.codes[::-1].copy())
        plain = partial(_plain_of, closes, times, symbols, lines)
        return ArrayBatch(closes, times, symbols, plain, int(lines[0]), self.suspects, lines)

    def detached(self) -> "Bars":
        """Return few bars without reference to the batch that they were picked from.

        What can hardly be a price is told as it is written, so it is read again.
        """
        if self.suspects:
            return self.plain()
        plain = partial(
            _plain_of, self.closes, self.timestamps_ns, self.symbols, self.lines_int64()
        )
        return self._replace(plain=plain)

    def parted(
        self, begin: int, reached: Callable[[str], int], symbol: str
    ) -> "tuple[Places, Places]":
        """Return the indexes of bars later than the time their series has reached, and of the rest.

        Bars before the index `begin` are in neither. symbol: that of all bars, if symbols are not
        read. The batch must have timestamps.
        """
        import numpy as np

        assert self.timestamps_ns is not None, "only bars with timestamps can be parted"
        reached_ns: Indexes | int = reached(symbol) if self.symbols is None else 0
        if self.symbols is not None:
            names = [name.strip(BLANKS) for name in self.symbols.names]
            reached_ns = np.array([reached(name) for name in names], np.int64)[self.symbols.codes]
        is_later = (self.timestamps_ns > reached_ns)[begin:]
        return begin + np.flatnonzero(is_later), begin + np.flatnonzero(~is_later)

    def undecided(self, file: str, symbol: str) -> "ArrayDecided":
        """Return the bars as decided bars without signals."""
        import numpy as np

        from rollsignal.core.decisions import ArrayDecided

        names, codes = [symbol], None
        if self.symbols is not None:
            names, codes = [name.strip(BLANKS) for name in self.symbols.names], self.symbols.codes
        times, nothing = self.timestamps_ns, np.zeros(self.rows, np.int64)
        return ArrayDecided(
            file,
            names,
            codes,
            times,
            nothing if times is None else None,
            self.closes.values,
            nothing,
            np.zeros(self.rows, np.bool_),
            self.closes.scale,
        )

    def of_series(self, symbol: str, whole: str) -> SeriesBars:
        """Return the bars of one series; `whole` is the symbol if symbols are not read."""
        import numpy as np

        from rollsignal.core.arrays import float_means

        if self.symbols is None:
            places = np.arange(self.rows if whole == symbol else 0)
        else:
            names = [name.strip(BLANKS) for name in self.symbols.names]
            wanted = [code for code, name in enumerate(names) if name == symbol]
            places = np.isin(self.symbols.codes, wanted).nonzero()[0]
        times, closes = self.timestamps_ns, self.closes
        return SeriesBars(
            places,
            None if times is None else times[places],
            float_means(closes.values[places], 1, closes.scale),
        )


def _picked_plain(batch: ArrayBatch, places: Sequence[int]) -> Batch:
    return batch.plain().picked(places)


def _plain_of(
    closes: "TickArray", times: "Indexes | None", symbols: "Coded | None", lines: "Indexes"
) -> Batch:
    """Return bars as plain ones: their closes as written are gone, but not their values."""
    listed = closes.listed()
    ticks = Ticks(listed, closes.scale)
    cells = ["" if tick is None else decimal_text(tick, closes.scale) for tick in listed]
    names = symbols and [name.strip(BLANKS) for name in symbols.names]
    return Batch(
        ticks,
        cells,
        None if times is None else times.tolist(),
        lines.tolist(),
        names and symbols and [names[code] for code in symbols.codes.tolist()],
        value_findings(ticks),
    )


Bars = Batch | ArrayBatch


class Reader(Protocol):
    """What an engine needs of the reader of a file.

    `path` is the file's path, `name` its name in messages; `symbol` is that of the whole file, if
    it has one; `unit` is what a row is called: line or row. `zoned` is whether the timestamps read
    so far are known in UTC, as counts or with their zone; None if nothing tells it.
    """

    path: str
    name: str
    unit: str
    symbol: str | None

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps are known in UTC."""

    def describe(self) -> str:
        """Describe the format of the file and the columns that are read."""

    def batches(self) -> Iterator[Bars]:
        """Yield all bars; raises `DataError` for bars that cannot be trusted."""

    def bytes_read(self) -> int:
        """Return about how many bytes of the file are read."""

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a bar with a finding, such as one not later than the bar before."""


TakeBatch = Callable[[Bars, Reader], None]


def have_symbols(batch: Bars, reader: Reader) -> bool:
    """Return whether bars have symbols, each its own or that of their file."""
    return batch.symbols is not None or reader.symbol is not None
