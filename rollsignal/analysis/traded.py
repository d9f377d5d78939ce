"""This module puts together what holding by the signals makes, as an evaluation reports it."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.evaluation import NO_PERFORMANCE, Performance, Trading
from rollsignal.analysis.excess import NO_EXCESS, Excess, excess_of, timed_sums
from rollsignal.analysis.frequency import bars_per_year, years
from rollsignal.analysis.sums import exact_sum, rounded
from rollsignal.analysis.trading import (
    BASIS_POINTS,
    Counts,
    Growth,
    Holding,
    break_even_bp,
    counts_of,
    finite,
    gains,
    growth_of,
    steps_by_time,
)
from rollsignal.config.settings import Evaluate
from rollsignal.core.timestamps.reader import iso

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Yearly(NamedTuple):
    """What turns figures of a step into figures of a year: bars a year, and the span in years."""

    bars: float | None
    span: float | None


class Traded(NamedTuple):
    """What holding makes, and the excess with the sums by time that it was made of."""

    trading: Trading
    excess: Excess


def traded(held: Holding, settings: Evaluate, flips: int, seed: int | None) -> Traded:
    """Compute all figures of holding.

    flips: as counted on all bars. seed: that of the intervals; None for none. Several series
    without times have counts alone: nothing tells which of their bars are of one time.
    """
    import numpy as np

    counts = counts_of(held, flips)
    yearly = _yearly(held, settings)
    if held.line is None:
        return Traded(_trading(counts, yearly, [NO_PERFORMANCE] * 3, None), NO_EXCESS)
    ends = steps_by_time(held)
    cost = settings.cost_bp / BASIS_POINTS
    times = held.line.times_ns
    if times is not None and held.line.places is not None:
        times = np.concatenate([times[:1], times[ends > 0]])
    grown = [growth_of(gains(held, ends, paid)) for paid in (cost, 0.0, None)]
    sums = timed_sums(held, ends)
    performances = [_performance(each, yearly, times) for each in grown]
    excess = NO_EXCESS if sums is None else excess_of(sums, counts, cost, seed)
    turnover = exact_sum(sums.changed) if sums else 0.0
    even = break_even_bp(grown[1].growth, turnover)
    return Traded(_trading(counts, yearly, performances, even), excess)


def _yearly(held: Holding, settings: Evaluate) -> Yearly:
    if held.line is None:
        return Yearly(settings.bars_per_year, None)
    times = held.line.times_ns
    return Yearly(settings.bars_per_year or bars_per_year(times), years(times))


def _trading(
    counts: Counts, yearly: Yearly, performances: list[Performance], even: float | None
) -> Trading:
    return Trading(
        yearly.bars,
        counts.held / counts.steps if counts.steps else None,
        counts.flips,
        counts.trades,
        counts.held / counts.entries if counts.entries else None,
        even,
        *performances,
    )


def _performance(grown: Growth, yearly: Yearly, times: "NDArray[Any] | None") -> Performance:
    """Annualise what became of 1, and say when it fell."""
    root = math.sqrt(yearly.bars) if yearly.bars else None
    volatility = sharpe = None
    if root is not None and grown.deviation is not None and grown.mean is not None:
        volatility = finite(grown.deviation * root)
        sharpe = finite(grown.mean / grown.deviation * root) if grown.deviation else None
    stamps = [
        None if place is None or times is None else iso(int(times[place])) for place in grown.places
    ]
    return Performance(
        grown.growth, _a_year(grown.growth, yearly), volatility, sharpe, grown.fall, *stamps
    )


def _a_year(growth: float | None, yearly: Yearly) -> float | None:
    """Return what growth makes a year; None where the span is no year."""
    if growth is None or yearly.span is None or yearly.bars is None or yearly.span < 1:
        return None
    return finite(rounded(growth ** (1 / yearly.span) - 1))
