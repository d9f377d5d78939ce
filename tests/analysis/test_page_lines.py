"""Facts about the lines and counts that a page draws: growth, breadth, distances, thinning."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.analysis.breadth import breadth
from rollsignal.analysis.curves import curves
from rollsignal.analysis.distances import distances
from rollsignal.analysis.figures import evaluate
from rollsignal.analysis.frequency import rates
from rollsignal.analysis.symbols_now import symbol_now
from rollsignal.analysis.thinning import MOST_POINTS, calendar_marks, thinned
from tests.support.evaluated import DAY_NS, START_NS, Defined, grown, run_of, series_of, walk

MINUTE_NS = 60 * 10**9


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=3000))
def test_a_thinned_line_keeps_its_ends_its_least_and_its_greatest(values: list[float]) -> None:
    curve = thinned(np.array(values))
    assert curve.places == sorted(set(curve.places))
    assert len(curve.places) <= MOST_POINTS
    assert [values[place] for place in curve.places] == curve.values
    assert (curve.places[0], curve.places[-1]) == (0, len(values) - 1)
    assert (min(curve.values), max(curve.values)) == (min(values), max(values))
    if len(values) <= MOST_POINTS:
        assert curve.values == values


@pytest.mark.parametrize(
    ("step_ns", "bars", "labels"),
    [
        (MINUTE_NS, 10_000, ["2 Jan", "4 Jan", "6 Jan"]),
        (MINUTE_NS, 90, ["00:15", "00:30", "00:45", "01:00", "01:15"]),
        (DAY_NS, 400, ["Apr 2024", "Jul 2024", "Oct 2024", "Jan 2025"]),
        (DAY_NS, 3650, ["2026", "2028", "2030", "2032"]),
        (10**9, 20, ["00:00:05", "00:00:10", "00:00:15"]),
    ],
)
def test_an_axis_names_beginnings_that_are_round(
    step_ns: int, bars: int, labels: list[str]
) -> None:
    marks = calendar_marks(START_NS + np.arange(bars, dtype=np.int64) * step_ns)
    assert [mark.label for mark in marks if mark.place] == labels


def test_a_mark_names_the_time_of_its_own_bar_so_that_nights_leave_no_holes() -> None:
    opens = [START_NS + day * DAY_NS + 570 * MINUTE_NS for day in range(3)]
    times = [first + minute * MINUTE_NS for first in opens for minute in range(390)]
    marks = calendar_marks(times)
    assert [mark for mark in marks if mark.place % 390 == 0] == [
        (390, "2 Jan"),
        (780, "3 Jan"),
    ]
    for place, label in marks:
        own = times[place] % DAY_NS // MINUTE_NS
        assert label in (f"{own // 60:02}:{own % 60:02}", f"{1 + place // 390} Jan")


@pytest.mark.parametrize("times", [None, [], [5], [5, 4]])
def test_bars_without_an_order_in_time_have_no_marks(times: list[int] | None) -> None:
    assert calendar_marks(times) == []


def test_the_curves_are_those_of_the_definition() -> None:
    closes, cost = walk(5, 60), Fraction(1, 10_000)
    found = curves(run_of(series_of(closes, 3), window=3))
    defined = Defined(closes, 3, 1, cost)
    assert found is not None
    assert found.steps == len(closes) - 1
    net, gross, held = map(grown, (defined.net, defined.gross, defined.returns))
    for curve, expected in ((found.net, net), (found.gross, gross), (found.held, held)):
        assert curve.values == pytest.approx(list(map(float, expected)), rel=1e-12)
    falls = [float(each / max(net[: place + 1]) - 1) for place, each in enumerate(net)]
    assert found.falls_net.values == pytest.approx(falls, abs=1e-12)


@pytest.mark.parametrize("symbols", [1, 3])
def test_curves_end_where_the_evaluation_does(symbols: int) -> None:
    series = [series_of(walk(seed, 700), 5, f"S{seed}") for seed in range(symbols)]
    run = run_of(*series, window=5)
    trading, found = evaluate(run).evaluation.trading, curves(run)
    assert found is not None
    ends = [curve.values[-1] for curve in (found.net, found.gross, found.held)]
    assert ends == [trading.net.growth, trading.gross.growth, trading.held.growth]
    assert min(found.falls_net.values) == trading.net.max_drawdown
    assert min(found.falls_held.values) == trading.held.max_drawdown


def test_there_are_no_curves_without_a_step() -> None:
    assert curves(run_of(series_of([100], 1), window=1)) is None
    assert curves(run_of(series_of([-1, 0, -5], 1), window=1)) is None


def test_breadth_is_the_share_of_symbols_at_1_by_time() -> None:
    walks = [walk(seed, 90) for seed in range(5)]
    found = breadth(
        run_of(*(series_of(each, 4, f"S{n}") for n, each in enumerate(walks)), window=4)
    )
    assert found is not None
    expected = [
        sum(4 * each[at] > sum(each[at - 3 : at + 1]) for each in walks) / 5 for at in range(3, 90)
    ]
    assert found.times == len(expected)
    assert found.shares.values == expected
    assert found.last == expected[-1]
    former = sorted(expected[:-1])
    assert found.usual is not None
    assert former[0] <= found.usual[0] <= found.usual[1] <= former[-1]


def test_there_is_no_breadth_of_symbols_whose_times_are_not_the_same() -> None:
    times = [[START_NS + (3 * at + n) * DAY_NS for at in range(30)] for n in range(3)]
    series = [series_of(walk(n, 30), 2, f"S{n}", times[n]) for n in range(3)]
    assert breadth(run_of(*series, window=2)) is None
    assert breadth(run_of(series_of(walk(1, 30), 2), window=2)) is None


@given(
    st.lists(st.integers(-500, 500), min_size=1, max_size=80),
    st.integers(1, 5),
    st.sampled_from([1, 7, 10**18]),
)
def test_distances_are_counted_in_ticks_without_any_rounding(
    steps: list[int], window: int, unit: int
) -> None:
    closes = [int(each) * unit for each in np.cumsum(steps)]
    run = run_of(series_of(closes, window), window=window)
    found = distances(run)
    tick = int(np.gcd.reduce([each // unit - closes[0] // unit for each in closes])) * unit
    away = [
        closes[at] - Fraction(sum(closes[at - window + 1 : at + 1]), window)
        for at in range(window - 1, len(closes))
    ]
    assert found.ties == sum(each == 0 for each in away)
    edges = [*found.edges, 10**40]
    for number, (low, high) in enumerate(pairwise(edges)):
        inside = [each for each in away if each and low <= abs(each) / tick < high]
        assert found.above[number] == sum(each > 0 for each in inside)
        assert found.below[number] == sum(each < 0 for each in inside)
    assert found.unknown == 0


def test_signals_whose_window_begins_before_the_first_bar_have_an_unknown_distance() -> None:
    series = series_of(walk(2, 40), 5)
    late = series._replace(closes=series.closes[10:], signals=series.signals[10:])
    found = distances(run_of(late, window=5))
    assert found.unknown == 4
    assert sum(found.below) + found.ties + sum(found.above) == 26


def test_the_end_of_a_series_is_its_signal_and_how_far_it_is_above_its_mean() -> None:
    now = symbol_now(series_of([100, 110, 130], 3), 3, 2)
    assert (now.signal, now.closes) == (1, [1.1, 1.3])
    assert now.above == float(Fraction(130 * 3, 340) - 1)
    assert symbol_now(series_of([100], 3), 3, 2).signal is None


def test_periods_of_the_rate_end_at_the_last_bar_and_before_it() -> None:
    found = rates([series_of(walk(1, 60), 2)])
    last = START_NS + 59 * DAY_NS
    assert found.ends_ns[-1] == last
    assert len(found.ends_ns) == len(found.rates)
    steps = set(np.diff(found.ends_ns).tolist())
    assert steps == {7 * DAY_NS}
