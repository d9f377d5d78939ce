"""This module counts the signals that one tick would turn."""

from collections.abc import Iterable
from math import gcd
from typing import NamedTuple

from rollsignal.analysis.decided_run import PastSeries
from rollsignal.analysis.margins import margins_in_blocks
from rollsignal.core.kernel import NO_SIGNAL
from rollsignal.core.ticks import decimal_text


class Fragility(NamedTuple):
    """The tick of the closes, and how many signals hang on it.

    tick: the greatest common divisor of all differences of closes, None if there are none. ties:
    closes that equal their rolling mean. one_tick: signals that turn if their own close moves by
    one tick, None without a tick. Both are None where the windows of some signals reach before the
    first bar.
    """

    tick: str | None
    ties: int | None
    one_tick: int | None


def fragility(series: PastSeries, window: int) -> Fragility:
    """Count the fragile signals of a series."""
    ticks = tick_of(series)
    tick = decimal_text(ticks, series.scale) if ticks else None
    if (series.signals[: window - 1] != NO_SIGNAL).any():
        return Fragility(tick, None, None)
    ties = one_tick = 0
    most = (window - 1) * ticks
    for place, margins in margins_in_blocks(series.closes, window):
        decided = margins[series.signals[place] != NO_SIGNAL]
        ties += int((decided == 0).sum())
        one_tick += int(((decided > -most) & (decided <= most)).sum())
    return Fragility(tick, ties, one_tick if ticks else None)


def tick_of(series: PastSeries) -> int:
    """Return the greatest common divisor of the differences of all closes, 0 if all are equal."""
    import numpy as np

    closes = series.closes
    if len(closes) < 2:
        return 0
    # Differences from the least close have the same divisor, and none of them is below 0.
    least = int(closes.min())
    if int(closes.max()) - least >= 2**63:
        return gcd(*(close - least for close in closes.tolist()))
    found = 0
    for start in range(0, len(closes), 65_536):
        found = gcd(found, int(np.gcd.reduce(closes[start : start + 65_536] - least)))
    return found


def all_fragilities(found: Iterable[Fragility], ticks: Iterable[tuple[int, int]]) -> Fragility:
    """Add up what series have. ticks: the tick of each, with its scale.

    The tick of all is the greatest common divisor of theirs.
    """
    scaled = list(ticks)
    most = max((scale for _, scale in scaled), default=0)
    tick = gcd(*(ticks * 10 ** (most - scale) for ticks, scale in scaled))
    each = list(found)
    ties = [one.ties for one in each if one.ties is not None]
    turning = [one.one_tick for one in each if one.one_tick is not None]
    return Fragility(
        decimal_text(tick, most) if tick else None,
        sum(ties) if len(ties) == len(each) else None,
        sum(turning) if len(turning) == len(each) else None,
    )
