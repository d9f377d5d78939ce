"""This module makes runs in memory, and evaluates series by definition, with fractions.

The definitions never use rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from statistics import mean

import numpy as np

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.analysis.signal_columns import as_wholes
from rollsignal.config.settings import Evaluate, JobConfig
from rollsignal.core.kernel import NO_SIGNAL
from tests.support import oracle

DAY_NS = 86_400 * 10**9
START_NS = 1_704_067_200 * 10**9

Closes = Sequence[int | None]


def walk(seed: int, bars: int, start: int = 10_000, most: int = 60) -> list[int]:
    """Return a random walk in ticks, above 0."""
    moves = np.random.default_rng(seed).integers(-most, most + 1, bars)
    return [abs(start + int(place)) + 1 for place in np.cumsum(moves)]


def series_of(
    closes: Closes,
    window: int,
    symbol: str = "",
    times_ns: Sequence[int] | None = None,
    scale: int = 2,
) -> PastSeries:
    """Return a series as it is loaded; None is a bar without a close, as with `missing: gap`."""
    signals = oracle.signals([None if c is None else Fraction(c) for c in closes], window)
    times = [START_NS + at * DAY_NS for at in range(len(closes))] if times_ns is None else times_ns
    is_there = [at for at, close in enumerate(closes) if close is not None]
    missing = [at for at, close in enumerate(closes) if close is None]
    told = [NO_SIGNAL if signals[at] is None else signals[at] for at in is_there]
    return PastSeries(
        symbol,
        as_wholes([close for close in closes if close is not None]),
        scale,
        np.array(told, dtype=np.uint8),
        np.array([times[at] for at in is_there], dtype=np.int64) if len(times) else None,
        len(closes),
        min(times) if len(times) else None,
        max(times) if len(times) else None,
        np.array(sorted({sum(at < gap for at in is_there) for gap in missing}), dtype=np.int64),
    )


def run_of(
    *series: PastSeries, window: int = 5, seed: int = 42, evaluate: Evaluate | None = None
) -> DecidedRun:
    """Return a run of series, whose symbols are in order."""
    config = JobConfig(seed, window, "v", evaluate=evaluate or Evaluate())
    return DecidedRun("run", config, None, list(series), whole=True)


class Defined:
    """A series of closes above 0, evaluated by definition."""

    def __init__(self, closes: Sequence[int], window: int, delay: int, cost: Fraction) -> None:
        self.closes = [Fraction(close) for close in closes]
        self.signals = oracle.signals(self.closes, window)
        steps = range(len(closes) - 1)
        self.returns = [(self.closes[k + 1] - self.closes[k]) / self.closes[k] for k in steps]
        self.positions = [int(k >= delay and self.signals[k - delay] == 1) for k in steps]
        before = [0, *self.positions[:-1]]
        self.changes = [abs(a - b) for a, b in zip(self.positions, before, strict=True)]
        self.gross = [p * r for p, r in zip(self.positions, self.returns, strict=True)]
        self.net = [
            (1 - cost * d) * (1 + g) - 1 for d, g in zip(self.changes, self.gross, strict=True)
        ]
        self.delay = delay

    @property
    def excess(self) -> Fraction:
        share = mean(map(Fraction, self.positions))
        pairs = zip(self.positions, self.returns, strict=True)
        return mean((p - share) * r for p, r in pairs)

    def ahead(self, horizon: int) -> Mapping[int, list[Fraction]]:
        """Return the forward returns after zeros and after ones."""
        found: dict[int, list[Fraction]] = {0: [], 1: []}
        for k, signal in enumerate(self.signals):
            last = k + self.delay + horizon
            if signal is not None and last < len(self.closes):
                found[signal].append(self.closes[last] / self.closes[k + self.delay] - 1)
        return found


def grown(gains: Sequence[Fraction]) -> list[Fraction]:
    """Return what becomes of 1 after each step."""
    found = [Fraction(1)]
    for gain in gains:
        found.append(found[-1] * (1 + gain))
    return found


def deepest_fall(equity: Sequence[Fraction]) -> tuple[Fraction, int | None, int | None, int | None]:
    """Return the deepest fall, and the places of its peak, bottom and recovery."""
    deepest, top, bottom = Fraction(0), None, None
    for at in range(len(equity)):
        peak = max(equity[: at + 1])
        if equity[at] / peak - 1 < deepest:
            deepest, bottom = equity[at] / peak - 1, at
            top = max(i for i in range(at) if equity[i] == peak)
    if top is None or bottom is None:
        return deepest, None, None, None
    later = (at for at in range(bottom, len(equity)) if equity[at] >= equity[top])
    return deepest, top, bottom, next(later, None)
