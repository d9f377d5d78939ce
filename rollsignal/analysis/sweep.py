"""This module asks what other windows would have made of the closes of a run.

A best of many is chosen, not found: how good it may look by chance is told along with it.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.analysis.returns import above_zero, quotients
from rollsignal.analysis.selection import Selection, selection
from rollsignal.analysis.sums import rounded
from rollsignal.analysis.sweep_growth import PanelGrowth, panel_growths
from rollsignal.analysis.sweep_sums import SweptSeries, WindowSums
from rollsignal.analysis.timeline import Timeline, ranked, timeline
from rollsignal.analysis.trading import BASIS_POINTS, break_even_bp, finite
from rollsignal.core.kernel import Tally
from rollsignal.outputs.metrics import signal_rate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Windows within a tenth of the best one are its neighbours.
NEAR = 10


class SweptWindow(NamedTuple):
    """What a window would have made; None where there is no answer.

    signals, ones, ties, flips, trades: counts. rate: as the metrics have it. time_in_market: the
    share of steps that are held. growth_gross, growth_net: what became of 1, before and after
    costs. earns_bp: what a trade earns over holding the same share of the time, in basis points.
    luck_bp: how far that may be off by chance, for all windows together. break_even_bp: the cost of
    a trade that takes all that was made.
    """

    window: int
    signals: int
    ones: int
    rate: float | None
    ties: int
    flips: int
    trades: int
    time_in_market: float | None
    growth_gross: float | None
    growth_net: float | None
    earns_bp: float | None
    luck_bp: float | None
    break_even_bp: float | None


class Sweep(NamedTuple):
    """All windows, in order, and the best one: the one that earns most after costs.

    best: None if no window trades. shape: plateau if every window within a tenth of the best earns
    at least half of what it earns a trade, else peak; None where the best earns nothing or has no
    neighbour. p_value: of the test that any window beats holding the same share of the time after
    costs; None where there is too little.
    """

    windows: list[SweptWindow]
    best: int | None
    shape: str | None
    p_value: float | None


def sweep(run: DecidedRun, windows: Sequence[int]) -> Sweep:
    """Sweep over windows, ascending, in one pass over the closes of a run."""
    rules, cost = run.config.evaluate, run.config.evaluate.cost_bp / BASIS_POINTS
    prices = [above_zero(each) for each in run.series]
    line = timeline(prices)
    swept, ends, cells = _swept(run.series, prices, line)
    sums = WindowSums(windows, cells, rules.delay)
    for each in swept:
        sums.add(each)
    paid = -math.log1p(-cost)
    chosen = selection(sums.earned, sums.changes, rounded(paid), run.config.seed) if cells else None
    growths = _growths_of(sums, swept, ends, cost, line)
    rows = _rows(run, sums, chosen, growths)
    return _judged(rows, sums, paid, chosen)


def _swept(
    series: Sequence[PastSeries], prices: Sequence[PastSeries], line: Timeline | None
) -> "tuple[list[SweptSeries], NDArray[np.int32], int]":
    """Prepare the series; also return how many steps end at each time, and the number of cells."""
    import numpy as np

    places = [_places(number, each, line) for number, each in enumerate(prices)]
    count = max((int(own[-1]) + 1 for own in places if len(own)), default=0)
    ends = np.zeros(count, np.int32)
    for own in places:
        np.add.at(ends, own, np.int32(1))
    at = ranked(ends > 0)
    swept = [
        _one_swept(each, own_prices, own, at.cell(own).astype(np.int64))
        for each, own_prices, own in zip(series, prices, places, strict=True)
    ]
    return swept, ends, at.cells.number


def _places(number: int, prices: PastSeries, line: Timeline | None) -> "NDArray[np.int64]":
    """Return the places of the times at which the steps end; without times, their numbers."""
    import numpy as np

    ends = slice(1, max(1, len(prices.closes)))
    if line is None:
        return np.arange(ends.start, ends.stop)
    return line.place(number, ends)


def _one_swept(
    series: PastSeries, prices: PastSeries, places: "NDArray[np.int64]", cells: "NDArray[np.int64]"
) -> SweptSeries:
    import numpy as np

    closes = prices.closes
    returns = quotients(closes[1:] - closes[:-1], closes[:-1])
    is_price = None if prices is series else series.closes > 0
    return SweptSeries(
        series.closes, series.gaps, is_price, returns, np.log1p(returns), places, cells
    )


def _growths_of(
    sums: WindowSums,
    swept: Sequence[SweptSeries],
    ends: "NDArray[np.int32]",
    cost: float,
    line: Timeline | None,
) -> list[PanelGrowth | None]:
    """Return the growth for each window; None for several series without times."""
    if line is None:
        return [None] * len(sums.windows)
    if line.places is not None:
        return list(panel_growths(swept, ends, sums.windows, sums.delay, cost))
    logs, trades = sums.log_growth, sums.trades.tolist()
    return [
        PanelGrowth(_exp(log), _exp(log + count * math.log1p(-cost)), count)
        for log, count in zip(logs, trades, strict=True)
    ]


def _exp(log: float) -> float:
    try:
        return math.exp(log)
    except OverflowError:
        return math.inf


def _rows(
    run: DecidedRun,
    sums: WindowSums,
    chosen: Selection | None,
    growths: Sequence[PanelGrowth | None],
) -> list[SweptWindow]:
    tally, trades = run.tally, sums.trades.tolist()
    rows = []
    for at, window in enumerate(sums.windows):
        own = tally._replace(signals=sums.signals[at], ones=sums.ones[at], ties=sums.ties[at])
        bound = chosen.bounds[at] if chosen else None
        growth = growths[at]
        gross = None if growth is None else _shown_growth(growth.gross)
        rows.append(
            SweptWindow(
                window=window,
                signals=own.signals,
                ones=own.ones,
                rate=_rate_of_window(run, own),
                ties=own.ties,
                flips=sums.flips[at],
                trades=trades[at],
                time_in_market=sums.held[at] / sums.steps if sums.steps else None,
                growth_gross=gross,
                growth_net=None if growth is None else _shown_growth(growth.net),
                earns_bp=_a_trade(sums.gains[at], trades[at]),
                luck_bp=None if bound is None else _a_trade(bound, trades[at]),
                break_even_bp=None if growth is None else break_even_bp(gross, growth.turnover),
            )
        )
    return rows


def _rate_of_window(run: DecidedRun, tally: Tally) -> float | None:
    has_rate = tally.signals > 0 or (run.config.warmup == "zero" and tally.rows > 0)
    return signal_rate(run.config, tally) if has_rate else None


def _shown_growth(growth: float) -> float | None:
    return None if finite(growth) is None else rounded(growth)


def _a_trade(earned: float, trades: int) -> float | None:
    return rounded(BASIS_POINTS * earned / trades) if trades else None


def _judged(
    rows: list[SweptWindow], sums: WindowSums, paid: float, chosen: Selection | None
) -> Sweep:
    kept = [gain - paid * row.trades for gain, row in zip(sums.gains, rows, strict=True)]
    trading = [at for at, row in enumerate(rows) if row.trades]
    p_value = chosen.p_value if chosen else None
    if not trading:
        return Sweep(rows, None, None, p_value)
    best = rows[max(trading, key=kept.__getitem__)]
    return Sweep(rows, best.window, _shape(rows, best), p_value)


def _shape(rows: list[SweptWindow], best: SweptWindow) -> str | None:
    near = [row for row in rows if NEAR * abs(row.window - best.window) <= best.window]
    if len(near) < 2 or best.earns_bp is None or best.earns_bp <= 0:
        return None
    holds = all(row.earns_bp is not None and 2 * row.earns_bp >= best.earns_bp for row in near)
    return "plateau" if holds else "peak"
