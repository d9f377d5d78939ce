"""This module finds gaps in time: steps beyond the most common one of their own series.

Which step is the most common is known at the end only, so every different step of a series is
remembered, with its count and the place where it is first met.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.bars.batch import Reader
from rollsignal.engines.doubts import Doubt, Doubts
from rollsignal.errors import shown
from rollsignal.timestamps import iso

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_STEPS = 1_000


class First(NamedTuple):
    """Where a step is first met: the bar after it."""

    ns: int
    file: str
    unit: str
    row: int


class Steps:
    """The steps in time of every series, taken batch after batch in the order of the bars.

    A series with more than `MAX_STEPS` different ones has no usual one: only the file where that
    is seen is remembered.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._steps: dict[str, dict[int, tuple[int, First]]] = {}
        self._irregular: dict[str, str] = {}

    def take(
        self, symbol: str, moments: Sequence[int], rows: Sequence[int], reader: Reader
    ) -> None:
        """Take the next bars of one series: their timestamps in ns, lines or rows."""
        last = self._last.get(symbol)
        for ns, row in zip(moments, rows, strict=True):
            if last is not None:
                self._count(symbol, ns - last, 1, First(ns, reader.name, reader.unit, row))
            last = ns
        if last is not None:
            self._last[symbol] = last

    def take_arrays(
        self,
        symbols: Sequence[str],
        codes: "NDArray[np.int64]",
        moments: "NDArray[np.int64]",
        begin: int,
        reader: Reader,
    ) -> None:
        """Take rows of many series; `codes` are places in `symbols`, `begin` the first row."""
        import numpy as np

        order = np.argsort(codes, kind="stable")
        sorted_codes, times = codes[order], moments[order]
        before = np.concatenate((times[:1], times[:-1]))
        firsts = np.flatnonzero(np.concatenate(([True], sorted_codes[1:] != sorted_codes[:-1])))
        # What is kept of a series before may be beyond 64 bits: that step is counted by itself.
        before[firsts] = times[firsts]
        for at in firsts.tolist():
            row = begin + int(order[at])
            self.take(symbols[sorted_codes[at]], [int(times[at])], [row], reader)
        # Timestamps rise, so a difference that wraps around in 63 bits is right in 64.
        steps = (times - before).view(np.uint64)
        kinds, kind_of = np.unique(steps, return_inverse=True)
        _, places, counts = np.unique(
            sorted_codes * len(kinds) + kind_of, return_index=True, return_counts=True
        )
        for place, count in zip(places.tolist(), counts.tolist(), strict=True):
            first = First(int(times[place]), reader.name, reader.unit, begin + int(order[place]))
            self._count(symbols[sorted_codes[place]], int(steps[place]), count, first)
        for at in (np.append(firsts[1:], len(times)) - 1).tolist():
            self._last[symbols[sorted_codes[at]]] = int(times[at])

    def _count(self, symbol: str, step: int, count: int, first: First) -> None:
        if step <= 0 or symbol in self._irregular:
            return
        steps = self._steps.setdefault(symbol, {})
        known, place = steps.get(step, (0, first))
        steps[step] = known + count, min(place, first)
        if len(steps) > MAX_STEPS:
            self._irregular[symbol] = first.file
            del self._steps[symbol]

    def report(self, doubts: Doubts) -> None:
        """Heed every step beyond its series' most common one, in the order of time."""
        for _, count, doubt in sorted(self._gaps(), key=itemgetter(0)):
            doubts.heed(doubt, count)
        for symbol, file in sorted(self._irregular.items()):
            doubts.heed(_irregular(symbol, file))

    def _gaps(self) -> Iterator[tuple[First, int, Doubt]]:
        for symbol, steps in self._steps.items():
            usual = max(steps, key=lambda step: (steps[step][0], -step))
            for step, (count, first) in steps.items():
                if step > usual:
                    yield first, count, _doubt(symbol, step, usual, first)


def _doubt(symbol: str, step: int, usual: int, first: First) -> Doubt:
    of = f" of {shown(symbol)}" if symbol else ""
    what = f"a step of {_span(step)} before {iso(first.ns)}{of}, where {_span(usual)} is usual"
    message = f"{first.file} {first.unit} {first.row}: {what} (set checks: {{gaps: warn}})"
    return Doubt("gaps", first.file, first.row, symbol, iso(first.ns), message)


def _irregular(symbol: str, file: str) -> Doubt:
    of = f" of {shown(symbol)}" if symbol else ""
    what = f"more than {MAX_STEPS:,} different steps in time{of}, so none is usual"
    message = f"{file}: {what} (set checks: {{gaps: off}})"
    return Doubt("gaps", file, None, symbol, None, message)


def _span(ns: int) -> str:
    """Write a span of time."""
    try:
        return str(timedelta(microseconds=ns // 1000)) if ns % 1000 == 0 else f"{ns:,} ns"
    except OverflowError:
        return f"{ns:,} ns"
