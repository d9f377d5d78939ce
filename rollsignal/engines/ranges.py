"""This module hands on the bars of a range of time alone, decided with all those before them."""

from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.engines.rows import ArrayRows, Emit, Rows, SignalRow
from rollsignal.engines.series import Series
from rollsignal.errors import DataError
from rollsignal.kernel import Carry, Last, Tally, total
from rollsignal.timestamps import iso


class Span(NamedTuple):
    """A range of time in ns since 1970 UTC: from the first on, before the second; None is open."""

    since_ns: int | None
    until_ns: int | None

    def has(self, ns: int) -> bool:
        """Tell whether a time is in the range."""
        after = self.since_ns is None or ns >= self.since_ns
        return after and (self.until_ns is None or ns < self.until_ns)

    def __str__(self) -> str:
        named = (("since", self.since_ns), ("until", self.until_ns))
        return " ".join(f"{name} {iso(ns)}" for name, ns in named if ns is not None)


class Range:
    """Hear all rows; hand on those of a span, and keep the account of each series there."""

    def __init__(self, span: Span, window: int, emit: Emit | None) -> None:
        self.series: dict[str, Series] = {}
        self._span = span
        self._window = window
        self._emit = emit

    def __call__(self, rows: Rows) -> None:
        """Take rows; raises `DataError` if they have no timestamps."""
        if isinstance(rows, ArrayRows):
            within = self._within_arrays(rows)
            if not len(within.closes):
                return
            self._count_arrays(within)
            kept: Rows = within
        else:
            kept = self._within(rows)
            for row in kept:
                self._count(row)
        if self._emit and (isinstance(kept, ArrayRows) or kept):
            self._emit(kept)

    def tally(self) -> Tally:
        """Add the tallies of all series up."""
        return total(series.tally for series in self.series.values())

    def _within(self, rows: Sequence[SignalRow]) -> list[SignalRow]:
        if any(row.ns is None for row in rows):
            raise _untimed()
        return [row for row in rows if row.ns is not None and self._span.has(row.ns)]

    def _within_arrays(self, rows: ArrayRows) -> ArrayRows:
        import numpy as np

        if rows.moments is None:
            raise _untimed()
        since, until = self._span
        within = np.ones(len(rows.moments), np.bool_)
        if since is not None:
            within &= rows.moments >= since
        if until is not None:
            within &= rows.moments < until
        return rows._replace(
            moments=rows.moments[within],
            codes=None if rows.codes is None else rows.codes[within],
            closes=rows.closes[within],
            margins=rows.margins[within],
            signed=rows.signed[within],
        )

    def _count(self, row: SignalRow) -> None:
        ties = row.last is not None and row.last.margin == 0
        tally = Tally(1, row.close is None, row.signal is not None, row.signal == 1, ties)
        self._add(row.symbol, tally, row.last, (row.ns, row.ns))

    def _count_arrays(self, rows: ArrayRows) -> None:
        import numpy as np

        assert rows.moments is not None
        codes = np.zeros(len(rows.closes), np.int64) if rows.codes is None else rows.codes
        order = np.argsort(codes, kind="stable")
        begins = np.flatnonzero(np.concatenate(([True], codes[order][1:] != codes[order][:-1])))
        for at in np.split(order, begins[1:]):
            signed, margins = rows.signed[at], rows.margins[at]
            counts = (signed, signed & (margins > 0), signed & (margins == 0))
            tally = Tally(len(at), 0, *(int(np.count_nonzero(fact)) for fact in counts))
            margin = int(margins[-1]) if signed[-1] else None
            last = Last(int(rows.closes[at[-1]]), margin, rows.scale, self._window)
            span = int(rows.moments[at[0]]), int(rows.moments[at[-1]])
            self._add(rows.symbols[codes[at[0]]], tally, last, span)

    def _add(
        self, symbol: str, tally: Tally, last: Last | None, span: tuple[int | None, int | None]
    ) -> None:
        series = self.series.get(symbol) or Series(Carry(self._window), first_ns=span[0])
        self.series[symbol] = series._replace(
            tally=series.tally.plus(tally), last=last or series.last, last_ns=span[1]
        )


def _untimed() -> DataError:
    return DataError("A range of time needs timestamps, which are not there or not read")
