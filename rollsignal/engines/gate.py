"""This module lets only the bars through that come after the place that each series has reached."""

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.bars.batch import ArrayBatch, Batch, Coded, Reader
from rollsignal.bars.symbols import SymbolCodes
from rollsignal.engines.book import Book
from rollsignal.engines.rows import ArrayRows, Emit, SignalRow
from rollsignal.prices import decimal_text
from rollsignal.timestamps import to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BEFORE_ALL = -(2**63)

Take = Callable[[Batch | ArrayBatch, Reader], None]


class First(NamedTuple):
    """What is known of a file's first rows: so many are left out, and so many are old.

    Those left out are known by their bytes. Old ones are only counted where there are no
    timestamps.
    """

    left_out: int = 0
    old: int = 0


class Gate:
    """Part the bars of a file: new ones go to the book, old ones to `old`, without signals.

    Old are those at or before the place that their series has reached when the file begins.
    """

    def __init__(self, book: Book, old: Emit, first: First) -> None:
        self.rows = 0
        self._book = book
        self._old = old
        self._first = first
        self._places: dict[str, int] = {}

    @cached_property
    def _codes(self) -> SymbolCodes:
        return SymbolCodes()

    def __call__(self, batch: Batch | ArrayBatch, reader: Reader) -> None:
        """Take the next batch of the file."""
        left_out = min(batch.rows, max(0, self._first.left_out - self.rows))
        if left_out < batch.rows:
            if isinstance(batch, ArrayBatch):
                self._part_arrays(batch, left_out, reader)
            else:
                self._part(batch, left_out, reader)
        self.rows += batch.rows

    def _part(self, batch: Batch, left_out: int, reader: Reader) -> None:
        is_new = self._new_of(batch, reader)
        new = [at for at in range(left_out, batch.rows) if is_new[at]]
        if len(new) < batch.rows - left_out:
            old = [at for at in range(left_out, batch.rows) if not is_new[at]]
            self._old(_rows_of(batch.picked(old), reader))
        if new:
            self._book.take(batch if len(new) == batch.rows else batch.picked(new), reader)

    def _part_arrays(self, batch: ArrayBatch, left_out: int, reader: Reader) -> None:
        import numpy as np

        is_new = self._new_of_arrays(batch, reader)
        new, old = (left_out + np.flatnonzero(side[left_out:]) for side in (is_new, ~is_new))
        if len(old):
            self._old(self._rows_of_arrays(_picked_arrays(batch, old), reader))
        if len(new):
            taken = batch if len(new) == batch.rows else _picked_arrays(batch, new)
            self._book.take(taken, reader)

    def _new_of_arrays(self, batch: ArrayBatch, reader: Reader) -> "NDArray[np.bool_]":
        import numpy as np

        if batch.moments is None:
            return np.arange(self.rows, self.rows + batch.rows) >= self._first.old
        if batch.symbols is None:
            return batch.moments > self._place(reader.symbol or "")
        codes = self._codes.of(batch.symbols)
        places = [self._place(name) for name in self._codes.names]
        found: NDArray[np.bool_] = batch.moments > np.array([*places, BEFORE_ALL])[codes]
        return found

    def _new_of(self, batch: Batch, reader: Reader) -> list[bool]:
        if batch.moments is None:
            return [row >= self._first.old for row in range(self.rows, self.rows + batch.rows)]
        symbols = batch.symbols or [reader.symbol or ""] * batch.rows
        return [
            to_ns(moment) > self._place(symbol)
            for moment, symbol in zip(batch.moments, symbols, strict=True)
        ]

    def _place(self, symbol: str) -> int:
        """Tell the place that a series had reached when the file began."""
        # It is asked for before any bar of the series is taken from the file.
        if symbol not in self._places:
            reached = self._book.last_ns(symbol)
            self._places[symbol] = BEFORE_ALL if reached is None else reached
        return self._places[symbol]

    def _rows_of_arrays(self, batch: ArrayBatch, reader: Reader) -> ArrayRows:
        import numpy as np

        names: Sequence[str] = [reader.symbol or ""]
        codes = None
        if batch.symbols is not None:
            names, codes = self._codes.names, self._codes.of(batch.symbols)
        closes, scale, _ = batch.ticks
        numbers = None if batch.moments is not None else np.zeros(batch.rows, np.int64)
        unsigned = np.zeros(batch.rows, np.bool_)
        margins = np.zeros(batch.rows, np.int64)
        return ArrayRows(batch.moments, names, codes, closes, margins, unsigned, scale, numbers)


def _rows_of(batch: Batch, reader: Reader) -> list[SignalRow]:
    symbols = batch.symbols or [reader.symbol or ""] * batch.rows
    values, scale = batch.closes
    closes = [None if tick is None else decimal_text(tick, scale) for tick in values]
    moments = [None] * batch.rows if batch.moments is None else list(map(to_ns, batch.moments))
    found = zip(moments, symbols, closes, strict=True)
    return [SignalRow(ns, symbol, close, None, None) for ns, symbol, close in found]


def _picked_arrays(batch: ArrayBatch, rows: "NDArray[np.int64]") -> ArrayBatch:
    symbols = batch.symbols
    if isinstance(symbols, Coded):
        symbols = Coded(symbols.names, symbols.codes[rows])
    elif symbols is not None:
        symbols = symbols[rows]
    return ArrayBatch(
        batch.ticks._replace(values=batch.ticks.values[rows]),
        None if batch.moments is None else batch.moments[rows],
        symbols,
        partial(_plain, batch, rows.tolist()),
        batch.row + int(rows[0]),
    )


def _plain(batch: ArrayBatch, rows: Sequence[int]) -> Batch:
    return batch.plain().picked(rows)
