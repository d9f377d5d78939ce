"""This module collects the heads of the series of a piece from its decided bars."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rollsignal.core.edges import Head, head_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.core.decisions import Decided


class GrowingHead:
    """The first bars of a series: at most `most` of them, up to a gap.

    skips: whether a bar without a close is left out; otherwise it is a gap.
    """

    def __init__(self, most: int, *, skips: bool) -> None:
        self._most = most
        self._skips = skips
        self._closes: list[int] = []
        self._places: list[int] = []
        self._scale = 0
        self._has_ended = False

    @property
    def needed(self) -> int:
        """Return how many more bars belong to the head."""
        return 0 if self._has_ended else self._most - len(self._closes)

    def head(self) -> Head:
        """Return the head."""
        return head_of(self._closes, self._scale, self._places, is_open=self.needed > 0)

    def take(self, rows: "NDArray[np.int64]", bars: "Decided") -> None:
        """Receive the next bars of the series, of which these are the rows."""
        self._rescale(bars.scale)
        factor = 10 ** (self._scale - bars.scale)
        while self.needed and len(rows):
            some, rows = rows[: self.needed], rows[self.needed :]
            closes, places = picked(bars.closes, some), picked(bars.places, some)
            if None in closes and not self._skips:
                self._has_ended = True
                closes = closes[: closes.index(None)]
            pairs = [pair for pair in zip(closes, places, strict=False) if pair[0] is not None]
            self._closes += [close * factor for close, _ in pairs if close is not None]
            self._places += [place for _, place in pairs if place is not None]

    def _rescale(self, scale: int) -> None:
        if scale > self._scale:
            factor = 10 ** (scale - self._scale)
            self._closes = [close * factor for close in self._closes]
            self._scale = scale


class HeadRows:
    """The rows of a batch by series.

    names: the symbols that `codes` number; without codes, all bars are of the only one.
    """

    def __init__(self, names: Sequence[str], codes: "NDArray[np.int64] | None", count: int) -> None:
        self._names = names
        self._codes = codes
        self._count = count

    def begins(self, known: Mapping[str, object]) -> list[tuple[int, str]]:
        """Return the first row of each series that is not known."""
        import numpy as np

        is_new = np.array([name not in known for name in self._names], np.bool_)
        if self._codes is None:
            return [(0, self._names[0])] if is_new[0] else []
        if not is_new.any():
            return []
        rows = np.flatnonzero(is_new[self._codes])
        codes, at = np.unique(self._codes[rows], return_index=True)
        places = rows[at].tolist()
        return sorted(zip(places, [self._names[code] for code in codes], strict=True))

    def of_open(
        self, heads: Mapping[str, GrowingHead]
    ) -> "Iterator[tuple[str, NDArray[np.int64]]]":
        """Yield the rows of each series whose head needs more bars."""
        import numpy as np

        names = [name for name in self._names if name in heads]
        if not any(heads[name].needed for name in names):
            return iter(())
        is_open = np.array(
            [name in heads and heads[name].needed > 0 for name in self._names], np.bool_
        )
        if self._codes is None:
            return self._split(np.arange(self._count))
        return self._split(np.flatnonzero(is_open[self._codes]))

    def by_series(self, column: bytes) -> Iterator[tuple[str, bytes]]:
        """Split a column of one byte a row by series."""
        import numpy as np

        if self._codes is None:
            yield self._names[0], column
            return
        values = np.frombuffer(column, np.uint8)
        for name, rows in self._split(np.arange(self._count)):
            yield name, values[rows].tobytes()

    def _split(self, rows: "NDArray[np.int64]") -> "Iterator[tuple[str, NDArray[np.int64]]]":
        import numpy as np

        if self._codes is None:
            yield self._names[0], rows
            return
        codes = self._codes[rows]
        order = np.argsort(codes, kind="stable")
        ordered = codes[order]
        ends = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
        for part in np.split(order, ends) if len(order) else ():
            yield self._names[codes[part[0]]], rows[part]


def picked(
    column: "Sequence[int | None] | NDArray[np.int64]", rows: "NDArray[np.int64]"
) -> list[int | None]:
    """Return the values of a column, a list or an array, at some rows."""
    import numpy as np

    if isinstance(column, np.ndarray):
        return [*column[rows].tolist()]
    return [column[row] for row in rows.tolist()]
