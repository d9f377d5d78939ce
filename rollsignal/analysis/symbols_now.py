"""This module looks at the end of a series: its signal now, and its last closes."""

from typing import NamedTuple

from rollsignal.analysis.decided_run import PastSeries
from rollsignal.core.kernel import NO_SIGNAL


class SymbolNow(NamedTuple):
    """The last close of a series: its signal, and by which share it is above its rolling mean.

    closes: the last ones, as doubles, for a small picture.
    """

    signal: int | None
    above: float | None
    closes: list[float]


def symbol_now(series: PastSeries, window: int, most: int) -> SymbolNow:
    """Look at the end of a series; `most` closes are kept."""
    if not len(series.closes):
        return SymbolNow(None, None, [])
    signal = int(series.signals[-1])
    tail = [int(close) for close in series.closes[-window:].tolist()]
    total = sum(tail)
    above = None
    if signal != NO_SIGNAL and len(tail) == window and total > 0:
        above = (window * tail[-1] - total) / total
    unit = 10**series.scale
    closes = [int(close) / unit for close in series.closes[-most:].tolist()] if most else []
    return SymbolNow(None if signal == NO_SIGNAL else signal, above, closes)
