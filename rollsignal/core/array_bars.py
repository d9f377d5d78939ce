"""This module holds bars as arrays, as fast readers produce them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.bars import Batch, SeriesBars
from rollsignal.core.quality import value_findings
from rollsignal.core.ticks import BLANKS, Ticks, decimal_text

if TYPE_CHECKING:
    from rollsignal.core.arrays import TickArray
    from rollsignal.core.bars import Indexes, Places
    from rollsignal.core.decisions import ArrayDecided
    from rollsignal.core.symbols import Coded, SymbolCodes


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

    def detached(self) -> "Batch | ArrayBatch":
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
