"""This module finds rows at the time of the row above them in their series."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.core.reader import Bars, Reader
from rollsignal.core.symbols import SymbolCodes
from rollsignal.core.ticks import at_least_scale

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class RowAbove(NamedTuple):
    """The last row of a series so far: its time, its values, and where it stands.

    row: its number in the file, from 0 on. values: the close as (tick, scale), and the cells of
    other columns that are compared.
    """

    ns: int
    values: object
    path: str
    row: int


class TiedRows(NamedTuple):
    """The rows of a batch, by their places there, that have the time of the row above them.

    `above` and `places` are rows in the batch and those above them, `begun` are the first rows of
    their series in the batch, with the rows above them in batches before.
    """

    above: "NDArray[np.intp]"
    places: "NDArray[np.intp]"
    begun: Sequence[tuple[RowAbove, int]]

    def equal(self, batch: Bars) -> list[int]:
        """Return the places of those that equal the row above them in all that is compared."""
        begun = [place for row, place in self.begun if row.values == compared_values(batch, place)]
        closes = _exact(batch.closes.values)
        is_equal = closes[self.places] == closes[self.above]
        pairs = zip(self.above[is_equal].tolist(), self.places[is_equal].tolist(), strict=True)
        return begun + [
            place for above, place in pairs if batch.others_of(above) == batch.others_of(place)
        ]


class Ties:
    """Receive batches in the order of reading, and find such rows, also over their bounds."""

    def __init__(self) -> None:
        self._codes = SymbolCodes()
        self._last: dict[str, RowAbove] = {}

    def of(self, batch: Bars, reader: Reader, begin: int) -> TiedRows:
        """Return the tied rows of the next batch; begin: the number of its first row in its file.

        The batch must have timestamps. Raises `DataError` if a symbol is empty.
        """
        import numpy as np

        order, bounds, names = self._series_of(batch, reader)
        assert batch.timestamps_ns is not None, "only bars with timestamps repeat one"
        times = _exact(batch.timestamps_ns)[order]
        begun = []
        for name, at in zip(names, bounds[:-1].tolist(), strict=True):
            above = self._last.get(name)
            if above and above.ns == times[at]:
                begun.append((above, int(order[at])))
        is_tied = times[1:] == times[:-1]
        is_tied[bounds[1:-1] - 1] = False
        ties = np.flatnonzero(is_tied)
        for name, end in zip(names, bounds[1:].tolist(), strict=True):
            place = int(order[end - 1])
            values = compared_values(batch, place)
            self._last[name] = RowAbove(int(times[end - 1]), values, reader.path, begin + place)
        return TiedRows(order[ties], order[ties + 1], begun)

    def _series_of(
        self, batch: Bars, reader: Reader
    ) -> "tuple[NDArray[np.intp], NDArray[np.intp], list[str]]":
        """Return the rows series by series, where each series begins and ends, and its symbol."""
        import numpy as np

        codes = batch.codes_by(self._codes)
        if codes is None:
            return np.arange(batch.rows), np.array([0, batch.rows]), [reader.symbol or ""]
        order = np.argsort(codes, kind="stable")
        sorted_codes = codes[order]
        changes = np.flatnonzero(sorted_codes[1:] != sorted_codes[:-1]) + 1
        bounds = np.concatenate(([0], changes, [batch.rows]))
        names = [self._codes.names[code] for code in sorted_codes[bounds[:-1]].tolist()]
        return order, bounds, names


def _exact(numbers: "Sequence[int | None] | NDArray[np.int64]") -> "NDArray[Any]":
    """Return numbers as an array; of those of any size NumPy might make floats."""
    import numpy as np

    return np.array(numbers, object) if isinstance(numbers, list) else np.asarray(numbers)


def compared_values(batch: Bars, index: int) -> object:
    """Return what is compared of a row besides its symbol and its time."""
    tick, scale = batch.closes.values[index], batch.closes.scale
    close = None if tick is None else at_least_scale([int(tick)], scale)
    return close and (close[0][0], close[1]), batch.others_of(index)
