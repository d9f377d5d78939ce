"""This module lets only the bars through that come after the place that each series has reached."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from rollsignal.bars.batch import ArrayBatch, Batch, Coded, Reader
from rollsignal.bars.symbols import SymbolCodes
from rollsignal.engines.rows import ArrayRows, Emit, SignalRow
from rollsignal.prices import decimal_text
from rollsignal.timestamps import to_ns

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BEFORE_ALL = -(2**63)

Take = Callable[[Batch | ArrayBatch, Reader], None]


class Gate:
    """Part the bars of a file: new ones go to `take`, old ones to `old`, without signals.

    reached: each series' last timestamp in ns. known_rows: how many rows of the file are old where
    it has no timestamps.
    """

    def __init__(
        self, take: Take, old: Emit, reached: Mapping[str, int], known_rows: int = 0
    ) -> None:
        self.rows = 0
        self._take = take
        self._old = old
        self._reached = reached
        self._known_rows = known_rows

    @cached_property
    def _codes(self) -> SymbolCodes:
        return SymbolCodes()

    def __call__(self, batch: Batch | ArrayBatch, reader: Reader) -> None:
        """Take the next batch of the file."""
        if isinstance(batch, ArrayBatch):
            self._part_arrays(batch, reader)
        else:
            self._part(batch, reader)
        self.rows += batch.rows

    def _part(self, batch: Batch, reader: Reader) -> None:
        new = self._new_of(batch, reader)
        if all(new):
            self._take(batch, reader)
            return
        old, places = ([at for at, is_new in enumerate(new) if is_new == side] for side in (0, 1))
        self._old(_rows_of(batch.picked(old), reader))
        if places:
            self._take(batch.picked(places), reader)

    def _part_arrays(self, batch: ArrayBatch, reader: Reader) -> None:
        import numpy as np

        new = self._new_of_arrays(batch, reader)
        if new.all():
            self._take(batch, reader)
            return
        old, places = np.flatnonzero(~new), np.flatnonzero(new)
        self._old(self._rows_of_arrays(_picked_arrays(batch, old), reader))
        if len(places):
            self._take(_picked_arrays(batch, places), reader)

    def _new_of_arrays(self, batch: ArrayBatch, reader: Reader) -> "NDArray[np.bool_]":
        import numpy as np

        if batch.moments is None:
            return np.arange(self.rows, self.rows + batch.rows) >= self._known_rows
        if batch.symbols is None:
            return batch.moments > self._reached.get(reader.symbol or "", BEFORE_ALL)
        codes = self._codes.of(batch.symbols)
        reached = [self._reached.get(name, BEFORE_ALL) for name in self._codes.names]
        found: NDArray[np.bool_] = batch.moments > np.array([*reached, BEFORE_ALL])[codes]
        return found

    def _new_of(self, batch: Batch, reader: Reader) -> list[bool]:
        if batch.moments is None:
            return [row >= self._known_rows for row in range(self.rows, self.rows + batch.rows)]
        symbols = batch.symbols or [reader.symbol or ""] * batch.rows
        return [
            to_ns(moment) > self._reached.get(symbol, BEFORE_ALL)
            for moment, symbol in zip(batch.moments, symbols, strict=True)
        ]

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
