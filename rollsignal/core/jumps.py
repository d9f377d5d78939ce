"""This module finds closes that jump: five times as high as both their neighbours, or a fifth.

A check looks for them, a run does not: a price may jump, but one that jumps there and back between
two bars has most often lost its decimal point, which makes it about ten times as high, or is in
another unit.
"""

from bisect import insort
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.findings import SHOWN_FINDINGS, Findings, LocatedFinding
from rollsignal.core.quality import is_sentinel
from rollsignal.core.reader import Reader
from rollsignal.core.ticks import Ticks, decimal_text
from rollsignal.core.timestamps.reader import iso
from rollsignal.messages import shown

if TYPE_CHECKING:
    from rollsignal.core.decisions import ArrayDecided, Int64s

FACTOR = 5


class PricedBar(NamedTuple):
    """A bar in the order of reading: its file's number, its line or row, its close in 10^-scale."""

    file: int
    row: int
    tick: int
    scale: int
    ns: int | None


class Jumps:
    """The jumps of all series, whose last two bars are kept until the next one comes.

    `count` is the number of all jumps; only the first ones are kept, in the order of reading.
    """

    def __init__(self) -> None:
        self.count = 0
        self._first: list[tuple[PricedBar, LocatedFinding]] = []
        self._tails: dict[str, list[PricedBar]] = {}
        self._files: list[tuple[str, str]] = []

    def take(
        self,
        symbol: str,
        closes: Ticks,
        timestamps_ns: Sequence[int] | None,
        rows: Sequence[int],
        reader: Reader,
    ) -> None:
        """Receive the next bars of one series; those without a close are passed over."""
        file = self._number(reader)
        stamps: Sequence[int | None] = timestamps_ns or [None] * len(rows)
        bars = [
            PricedBar(file, row, tick, closes.scale, ns)
            for tick, row, ns in zip(closes.values, rows, stamps, strict=True)
            if tick is not None
        ]
        self._follow(symbol, bars)

    def take_arrays(
        self, bars: "ArrayDecided", line_of: Callable[[int], int], reader: Reader
    ) -> None:
        """Receive bars of many series; `line_of` tells a bar's row."""
        import numpy as np

        file, order = self._number(reader), np.argsort(bars.every_code, kind="stable")
        codes, closes = bars.every_code[order], bars.closes[order]
        times = None if bars.timestamps_ns is None else bars.timestamps_ns[order]

        def between(first: int, end: int) -> list[PricedBar]:
            rows, ticks = map(line_of, order[first:end].tolist()), closes[first:end].tolist()
            stamps = [None] * len(ticks) if times is None else times[first:end].tolist()
            columns = zip(rows, ticks, stamps, strict=True)
            return [PricedBar(file, row, tick, bars.scale, ns) for row, tick, ns in columns]

        for index in _jumps_in(codes, closes):
            self._add(bars.symbols[codes[index]], *between(index - 1, index + 2))
        firsts = np.flatnonzero(np.diff(codes, prepend=-1)).tolist()
        for first, end in zip(firsts, [*firsts[1:], len(codes)], strict=True):
            symbol = bars.symbols[codes[first]]
            self._follow(symbol, between(first, min(first + 2, end)))
            if end - first > 2:
                self._tails[symbol] = between(end - 2, end)

    def report(self, findings: Findings) -> None:
        """Report all jumps, of which the first ones are shown."""
        for _, finding in self._first:
            findings.report(finding)
        if self.count > len(self._first):
            findings.is_muted("values", self.count - len(self._first))

    def _number(self, reader: Reader) -> int:
        if not self._files or self._files[-1] != (reader.name, reader.unit):
            self._files.append((reader.name, reader.unit))
        return len(self._files) - 1

    def _follow(self, symbol: str, bars: list[PricedBar]) -> None:
        """Compare the next bars of a series with each other, and with the last two before them."""
        bars = self._tails.get(symbol, []) + bars
        for before, bar, after in zip(bars, bars[1:], bars[2:], strict=False):
            if _is_jump(before, bar, after):
                self._add(symbol, before, bar, after)
        self._tails[symbol] = bars[-2:]

    def _add(self, symbol: str, before: PricedBar, bar: PricedBar, after: PricedBar) -> None:
        """Count a jump, and keep it if it is one of the first."""
        if is_sentinel(bar.tick, 10**bar.scale):
            return
        self.count += 1
        is_first = len(self._first) < SHOWN_FINDINGS or bar < self._first[-1][0]
        if is_first:
            texts = [decimal_text(each.tick, each.scale) for each in (bar, before, after)]
            finding = _finding(symbol, bar, *self._files[bar.file], texts)
            insort(self._first, (bar, finding))
            del self._first[SHOWN_FINDINGS:]


def _is_jump(*bars: PricedBar) -> bool:
    scale = max(bar.scale for bar in bars)
    before, close, after = (bar.tick * int(10 ** (scale - bar.scale)) for bar in bars)
    least, most = min(before, after), max(before, after)
    return least > 0 and close > 0 and (close >= FACTOR * most or FACTOR * close <= least)


def _jumps_in(codes: "Int64s", closes: "Int64s") -> list[int]:
    """Return the indexes of the jumps among closes that are sorted by series."""
    import numpy as np

    before, close, after = closes[:-2], closes[1:-1], closes[2:]
    least, most = np.minimum(before, after), np.maximum(before, after)
    # Whole division keeps within 64 bits, and is exact.
    jumps = (close // FACTOR >= most) | (close <= least // FACTOR)
    jumps &= (least > 0) & (close > 0) & (codes[:-2] == codes[2:])
    indexes: list[int] = (np.flatnonzero(jumps) + 1).tolist()
    return indexes


def _finding(
    symbol: str, bar: PricedBar, file: str, unit: str, texts: Sequence[str]
) -> LocatedFinding:
    """Describe a jump; texts: the close that jumps, the one before it and the one after it."""
    close, before, after = texts
    of = f" of {shown(symbol)}" if symbol else ""
    what = f"the close {close}{of} is between {before} and {after}: is a decimal point lost?"
    at = None if bar.ns is None else iso(bar.ns)
    return LocatedFinding("values", file, bar.row, symbol, at, f"{file} {unit} {bar.row}: {what}")
