"""Facts about sweeps: every window exactly, by one pass, and luck told apart."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.analysis import positions, sweep_growth
from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.analysis.figures import evaluate
from rollsignal.analysis.sweep import Sweep, SweptWindow, sweep
from rollsignal.config.settings import Evaluate, JobConfig
from tests.support import evaluated, oracle

MINUTE_NS = 60 * 10**9


def series_of(
    closes: list[int | None], symbol: str = "", start: int = 0, *, reaches_over: bool = False
) -> PastSeries:
    """Make a series of whole closes, of which None is missing; a bar a minute from `start` on."""
    present = [at for at, close in enumerate(closes) if close is not None]
    values = [close for close in closes if close is not None]
    fits = all(abs(close) < 2**63 for close in values)
    gaps = sorted({sum(at < place for at in present) for place in _missing(closes)})
    return PastSeries(
        symbol=symbol,
        closes=np.array(values, dtype=np.int64 if fits else object),
        scale=0,
        signals=np.full(len(values), 2, dtype=np.uint8),
        times_ns=np.array([(start + at) * MINUTE_NS for at in present], dtype=np.int64),
        rows=len(closes),
        first_ns=start * MINUTE_NS,
        last_ns=(start + len(closes) - 1) * MINUTE_NS,
        gaps=np.array([] if reaches_over else gaps, dtype=np.int64),
    )


def _missing(closes: list[int | None]) -> list[int]:
    return [at for at, close in enumerate(closes) if close is None]


def run_of(*series: PastSeries, **rules: Any) -> DecidedRun:
    config = JobConfig(seed=1, window=2, version="v", evaluate=Evaluate(**rules))
    return DecidedRun("r.json", config, None, list(series), True)


class Expected:
    """One window by the definitions, a bar at a time, with fractions."""

    def __init__(self, panel: list[list[int | None]], window: int, delay: int) -> None:
        self.signals = self.ones = self.ties = self.flips = self.trades = 0
        self.held: list[list[bool]] = []
        self.steps: list[list[Fraction]] = []
        self.ends: list[list[int]] = []
        for closes in panel:
            self._add(
                [None if close is None else Fraction(close) for close in closes], window, delay
            )

    def _add(self, closes: list[Fraction | None], window: int, delay: int) -> None:
        signals = oracle.signals(closes, window)
        margins = oracle.margins(closes, window)
        self.signals += sum(signal is not None for signal in signals)
        self.ones += signals.count(1)
        self.ties += sum(margin == 0 for margin in margins)
        pairs = [pair for pair in pairwise(signals) if None not in pair]
        self.flips += sum(before != now for before, now in pairs)
        prices = [at for at, close in enumerate(closes) if close is not None and close > 0]
        held = [
            step >= delay and signals[prices[step - delay]] == 1 for step in range(len(prices) - 1)
        ]
        self.trades += sum(now != before for before, now in zip([False, *held], held, strict=False))
        self.held.append(held)
        self.steps.append([_price(closes, b) / _price(closes, a) for a, b in pairwise(prices)])
        self.ends.append(prices[1:])

    @property
    def earned(self) -> float:
        """Return what is earned over holding the same share, in log returns."""
        total = 0.0
        for held, steps in zip(self.held, self.steps, strict=True):
            share = sum(held) / len(held) if held else 0.0
            total += sum(
                (on - share) * math.log(step) for on, step in zip(held, steps, strict=True)
            )
        return total

    def growth(self, cost: Fraction) -> Fraction:
        """Return what became of 1: at each time, the mean over the series that step then."""
        made: dict[int, list[Fraction]] = {}
        for held, steps, ends in zip(self.held, self.steps, self.ends, strict=True):
            before = False
            for on, step, end in zip(held, steps, ends, strict=True):
                factor = (step if on else Fraction(1)) * (1 - cost if on != before else 1)
                made.setdefault(end, []).append(factor)
                before = on
        growth = Fraction(1)
        for factors in made.values():
            growth *= sum(factors, Fraction(0)) / len(factors)
        return growth


def _price(closes: list[Fraction | None], at: int) -> Fraction:
    close = closes[at]
    assert close is not None
    return close


def assert_right(row: SweptWindow, expected: Expected, cost: Fraction) -> None:
    counts = (row.signals, row.ones, row.ties, row.flips, row.trades)
    wanted = expected
    assert counts == (wanted.signals, wanted.ones, wanted.ties, wanted.flips, wanted.trades)
    steps = sum(map(len, expected.held))
    held = sum(map(sum, expected.held))
    assert row.time_in_market == (held / steps if steps else None)
    assert row.growth_gross == pytest.approx(float(expected.growth(Fraction(0))), rel=1e-10)
    assert row.growth_net == pytest.approx(float(expected.growth(cost)), rel=1e-10)
    if row.trades:
        a_trade = 10**4 * expected.earned / row.trades
        assert row.earns_bp == pytest.approx(a_trade, rel=1e-8, abs=1e-8)
    else:
        assert row.earns_bp is None


closes_drawn = st.lists(
    st.one_of(st.integers(90, 110), st.integers(90, 110), st.integers(-2, 3), st.none()),
    max_size=60,
)
windows_drawn = st.sets(st.integers(1, 30), min_size=1, max_size=6).map(sorted)


@settings(deadline=None, max_examples=100)
@given(closes_drawn, windows_drawn, st.integers(0, 3), st.sampled_from([1, 3, 7, 65_536]))
def test_every_window_is_what_the_definitions_say(
    closes: list[int | None], windows: list[int], delay: int, block: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(positions, "SWEPT_BARS", block)
        found = sweep(run_of(series_of(closes), delay=delay, cost_bp=25), windows)
    assert [row.window for row in found.windows] == windows
    for row in found.windows:
        assert_right(row, Expected([closes], row.window, delay), Fraction(25, 10**4))


@settings(deadline=None, max_examples=60)
@given(st.lists(closes_drawn, min_size=2, max_size=3), windows_drawn, st.integers(0, 2))
def test_a_panel_holds_equal_parts_of_the_series_that_step_at_a_time(
    panel: list[list[int | None]], windows: list[int], delay: int
) -> None:
    made = [series_of(closes, f"S{at}") for at, closes in enumerate(panel)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep_growth, "MOST_VALUES", 100)
        found = sweep(run_of(*made, delay=delay, cost_bp=25), windows)
    for row in found.windows:
        assert_right(row, Expected(panel, row.window, delay), Fraction(25, 10**4))


@pytest.mark.parametrize("size", [10**3, 10**10, 10**17, 10**30])
def test_closes_of_any_size_have_exact_signals(size: int) -> None:
    draw = random.Random(size)
    closes: list[int | None] = [size + draw.randrange(-size // 10, size // 10) for _ in range(300)]
    found = sweep(run_of(series_of(closes)), [2, 7, 50])
    for row in found.windows:
        expected = Expected([closes], row.window, 1)
        assert (row.ones, row.ties) == (expected.ones, expected.ties)


def test_missing_closes_that_are_skipped_end_no_window() -> None:
    closes = [5, 6, None, 7, 8, None, None, 9, 3, 4]
    found = sweep(run_of(series_of(closes, reaches_over=True)), [3])
    present: list[int | None] = [close for close in closes if close is not None]
    assert_right(found.windows[0], Expected([present], 3, 1), Fraction(1, 10**4))


@pytest.mark.parametrize(
    "closes", [[], [5], [5] * 50, list(range(1, 50)), list(range(50, 0, -1)), [-1] * 40]
)
def test_a_series_without_an_answer_has_none_and_never_not_a_number(closes: list[int]) -> None:
    found = sweep(run_of(series_of(list(closes))), [2, 5])
    for row in found.windows:
        assert_right(row, Expected([list(closes)], row.window, 1), Fraction(1, 10**4))
        assert not any(isinstance(value, float) and math.isnan(value) for value in row)
    assert found.shape is None


def test_several_series_without_times_have_no_growth() -> None:
    made = [series_of([3, 4, 5, 4], symbol)._replace(times_ns=None) for symbol in "AB"]
    (row,) = sweep(run_of(*made), [2]).windows
    assert (row.growth_gross, row.growth_net, row.break_even_bp) == (None, None, None)
    assert row.trades == Expected([[3, 4, 5, 4]] * 2, 2, 1).trades


def walk(seed: int, bars: int = 2_000, edge: int = 0) -> list[int | None]:
    """Draw a random walk; with an edge, steps after a close above its mean of 10 go up more."""
    draw = random.Random(seed)
    closes = [100_000]
    while len(closes) < bars:
        step = draw.randrange(-100, 101)
        if edge and len(closes) > 11:
            window = closes[-11:-1]
            step += edge if 10 * window[-1] > sum(window) else -edge
        closes.append(closes[-1] + step)
    return list(closes)


def swept(closes: list[int | None], windows: list[int], **rules: Any) -> Sweep:
    return sweep(run_of(series_of(closes), **rules), windows)


def test_a_planted_edge_is_found() -> None:
    found = swept(walk(1, edge=30), [2, 5, 10, 20, 50])
    assert found.best == 10
    assert found.p_value is not None
    assert found.p_value < 0.05
    best = next(row for row in found.windows if row.window == 10)
    assert best.earns_bp is not None
    assert best.luck_bp is not None
    assert best.earns_bp > best.luck_bp


def test_random_walks_are_rarely_taken_for_an_edge() -> None:
    found = [swept(walk(seed, 500), [2, 5, 10, 20, 50], cost_bp=0) for seed in range(200)]
    assert all(each.p_value is not None for each in found)
    assert 1 <= sum(each.p_value < 0.05 for each in found if each.p_value is not None) <= 20
    # The best of all is further off than its bound in about one of twenty.
    beyond = [
        any(
            row.luck_bp is not None and row.earns_bp is not None and row.earns_bp > row.luck_bp
            for row in each.windows
        )
        for each in found
    ]
    assert sum(beyond) <= 20


def test_the_best_window_of_many_that_all_lose_has_no_small_p_value() -> None:
    assert swept(walk(3), [2, 3, 4], cost_bp=50).p_value == 1.0


def test_too_few_bars_have_no_bound_and_no_p_value() -> None:
    found = swept(walk(1, 18), [2, 3])
    assert found.p_value is None
    assert {row.luck_bp for row in found.windows} == {None}


def test_a_plateau_has_neighbours_that_earn_at_least_half() -> None:
    found = swept(walk(1, edge=30), [9, 10, 11, 50])
    assert (found.best, found.shape) == (10, "plateau")
    assert swept(walk(1, edge=30), [2, 10, 50]).shape is None


def test_prices_in_other_units_and_symbols_in_another_order_give_the_same() -> None:
    one, two = walk(1, 400), walk(2, 400)
    first = sweep(run_of(series_of(one, "A"), series_of(two, "B", 7)), [2, 9])
    scaled = [close and close * 1000 for close in one]
    again = sweep(run_of(series_of(two, "A", 7), series_of(scaled, "B")), [2, 9])
    for row, other in zip(first.windows, again.windows, strict=True):
        assert row == pytest.approx(other, rel=1e-9)
    assert first.p_value == again.p_value


@pytest.mark.parametrize("symbols", [1, 3])
def test_the_window_of_the_run_has_the_figures_of_its_evaluation(symbols: int) -> None:
    series = [evaluated.series_of(evaluated.walk(at, 300), 9, f"S{at}") for at in range(symbols)]
    run = evaluated.run_of(*series, window=9, evaluate=Evaluate((1,), 2, 3.0))
    (row,) = sweep(run, [9]).windows
    told = evaluate(run).evaluation
    trading = told.trading
    assert (row.signals, row.ties) == (told.run.signals, told.fragility.ties)
    assert (row.flips, row.trades) == (trading.flips, trading.trades)
    assert (row.rate, row.time_in_market) == (told.rate.value, trading.time_in_market)
    assert row.growth_gross == pytest.approx(trading.gross.growth, rel=1e-9)
    assert row.growth_net == pytest.approx(trading.net.growth, rel=1e-9)
    assert row.break_even_bp == pytest.approx(trading.break_even_bp, rel=1e-6)
