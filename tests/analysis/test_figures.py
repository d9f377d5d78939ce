"""Facts about the figures of an evaluation: their definitions, their laws, and the odd series."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from statistics import mean, stdev
from typing import Any

import jsonschema
import numpy as np
import pytest

from rollsignal.analysis.decided_run import DecidedRun, PastSeries
from rollsignal.analysis.evaluation import evaluation_json, evaluation_schema
from rollsignal.analysis.evaluation_text import evaluation_text
from rollsignal.analysis.figures import evaluate
from rollsignal.analysis.returns import steps_in_blocks
from rollsignal.analysis.symbol_rows import rendered_rows, symbol_rows
from rollsignal.analysis.timeline import timeline
from rollsignal.analysis.trading import Holding, gains, steps_by_time
from rollsignal.config.settings import Evaluate
from tests.support.evaluated import (
    DAY_NS,
    START_NS,
    Defined,
    deepest_fall,
    grown,
    run_of,
    series_of,
    walk,
)
from tests.support.shell import strict_json

W = 5
WALK = walk(1, 400)


def document(run: DecidedRun) -> dict[str, Any]:
    """Evaluate; the JSON must be strict and as published, and the text must be there."""
    found = evaluate(run)
    written = evaluation_json(found.evaluation)
    jsonschema.validate(written, evaluation_schema())
    text = evaluation_text(found.evaluation, found.over_time.rates)
    assert "nan" not in text
    assert len(text.splitlines()) <= 28
    for row in symbol_rows(run):
        assert all(not isinstance(v, float) or math.isfinite(v) for v in row.values())
    return strict_json(json.dumps(written, allow_nan=False))


def one(closes: list[Any], **more: Any) -> dict[str, Any]:
    return document(run_of(series_of(closes, W), window=W, **more))


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize("scale_of_closes", [1, 2**54, 2**70])
def test_returns_and_positions_are_those_of_the_definition(
    delay: int, scale_of_closes: int
) -> None:
    closes = [close * scale_of_closes + at for at, close in enumerate(WALK)]
    defined = Defined(closes, W, delay, Fraction(0))
    (steps,) = steps_in_blocks(series_of(closes, W), delay)
    assert steps.returns.tolist() == [float(value) for value in defined.returns]
    assert steps.held.tolist() == defined.positions
    assert steps.changed.tolist() == defined.changes


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_of_a_series_is_that_of_the_definition(delay: int, seed: int) -> None:
    closes = walk(seed, 500)
    found = one(closes, evaluate=Evaluate((1, 5), delay, 2.5))
    defined = Defined(closes, W, delay, Fraction(25, 100_000))
    for row in found["forward"]:
        after = defined.ahead(row["horizon"])
        assert (row["ones"], row["zeros"]) == (len(after[1]), len(after[0]))
        assert row["mean_one"] == pytest.approx(float(mean(after[1])), rel=1e-13)
        assert row["mean_zero"] == pytest.approx(float(mean(after[0])), rel=1e-13)
        assert row["rose_one"] == sum(f > 0 for f in after[1]) / len(after[1])
        assert row["rose_zero"] == sum(f > 0 for f in after[0]) / len(after[0])
    trading = found["trading"]
    assert trading["bars_per_year"] == pytest.approx(365.2425, rel=1e-15)
    assert trading["trades"] == sum(defined.changes)
    assert trading["time_in_market"] == sum(defined.positions) / len(defined.positions)
    pairs = zip([0, *defined.positions[:-1]], defined.positions, strict=True)
    entries = sum(after > before for before, after in pairs)
    assert trading["holding_bars"] == sum(defined.positions) / entries
    for name, steps in (("net", defined.net), ("gross", defined.gross), ("held", defined.returns)):
        assert_performance(trading[name], steps)
    assert found["excess"]["gross"] == pytest.approx(float(defined.excess), rel=1e-9)
    cost = mean(map(Fraction, defined.changes)) * Fraction(25, 100_000)
    assert found["excess"]["net"] == pytest.approx(float(defined.excess - cost), rel=1e-9)


def assert_performance(found: dict[str, Any], steps: list[Fraction]) -> None:
    equity = grown(steps)
    years = len(steps) / 365.2425
    values = [float(step) for step in steps]
    fall, *places = deepest_fall(equity)
    assert found["growth"] == pytest.approx(float(equity[-1]), rel=1e-12)
    assert found["return_per_year"] == pytest.approx(float(equity[-1]) ** (1 / years) - 1, rel=1e-9)
    assert found["volatility"] == pytest.approx(stdev(values) * 365.2425**0.5, rel=1e-12)
    assert found["sharpe"] == pytest.approx(mean(values) / stdev(values) * 365.2425**0.5, rel=1e-9)
    assert found["max_drawdown"] == pytest.approx(float(fall), rel=1e-12)
    told = [found[name] for name in ("from", "bottom", "until")]
    days = [
        None if at is None else np.datetime64("2024-01-01") + np.timedelta64(at, "D")
        for at in places
    ]
    assert told == [None if day is None else f"{day}T00:00:00Z" for day in days]


def test_breaking_even_leaves_nothing() -> None:
    closes = walk(9, 3_000, most=200)
    found = one(closes)
    cost = found["trading"]["break_even_bp"]
    assert cost > 0
    growth, trades = found["trading"]["gross"]["growth"], found["trading"]["trades"]
    assert growth * (1 - cost / 10_000) ** trades == pytest.approx(1, rel=1e-9)


def test_the_signals_that_one_tick_turns_are_counted_by_turning_them() -> None:
    closes = [3 * close for close in walk(4, 300, most=3)]
    found = one(closes)["fragility"]
    assert found["tick"] == "0.03"

    def signal(at: int, moved: int) -> bool:
        window = closes[at - W + 1 : at + 1]
        window[-1] += moved
        return W * window[-1] > sum(window)

    turned = sum(
        signal(at, 0) != signal(at, 3) or signal(at, 0) != signal(at, -3)
        for at in range(W - 1, len(closes))
    )
    assert found["one_tick"] == turned
    ties = sum(W * closes[at] == sum(closes[at - W + 1 : at + 1]) for at in range(W - 1, 300))
    assert found["ties"] == ties > 0


# Laws.


@pytest.mark.parametrize("delay", [0, 1, 4])
def test_nothing_up_to_a_bar_depends_on_later_closes(delay: int) -> None:
    later = WALK[:200] + walk(77, 200, start=300)
    (before,), (after,) = (steps_in_blocks(series_of(closes, W), delay) for closes in (WALK, later))
    for name in ("returns", "held", "changed"):
        assert (getattr(before, name)[:199] == getattr(after, name)[:199]).all()
    equity = [equity_of(series_of(closes, W), delay)[:199] for closes in (WALK, later)]
    assert (equity[0] == equity[1]).all()


def equity_of(series: PastSeries, delay: int) -> Any:
    held = Holding([series], timeline([series]), delay)
    return np.cumprod(gains(held, steps_by_time(held), 0.0001) + 1)


def without(evaluation: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in evaluation.items() if name not in names}


def test_prices_times_1000_give_the_same_figures() -> None:
    found = one(WALK)
    for thousandfold in (
        series_of([close * 1000 for close in WALK], W),
        series_of([close * 1000 for close in WALK], W, scale=0),
        series_of([close * 1000 * 2**60 for close in WALK], W),
    ):
        other = document(run_of(thousandfold, window=W))
        assert without(other, "fragility") == without(found, "fragility")
        assert other["fragility"]["one_tick"] == found["fragility"]["one_tick"]


def panel() -> list[PastSeries]:
    """Return three series of two calendars, one of them with a gap."""
    weekdays = [START_NS + at * DAY_NS for at in range(500) if at % 7 < 5][:300]
    gaps: list[int | None] = [*walk(7, 150), None, *walk(8, 60)]
    return [
        series_of(walk(5, 300), W, "A", weekdays),
        series_of(walk(6, 418), W, "B"),
        series_of(gaps, W, "C"),
    ]


def test_a_panel_holds_the_mean_of_the_symbols_whose_step_ends_then() -> None:
    found = document(run_of(*panel(), window=W))
    by_time: dict[int, list[Fraction]] = {}
    after: dict[int, list[Fraction]] = {0: [], 1: []}
    for series in panel():
        closes = series.closes.tolist()
        assert series.times_ns is not None
        signals = [None if s > 1 else s for s in series.signals.tolist()]
        for k in range(len(closes) - 1):
            held = int(k >= 1 and signals[k - 1] == 1)
            gain = held * Fraction(closes[k + 1] - closes[k], closes[k])
            by_time.setdefault(int(series.times_ns[k + 1]), []).append(gain)
            signal = signals[k]
            if signal is not None and k + 2 < len(closes):
                after[signal].append(Fraction(closes[k + 2], closes[k + 1]) - 1)
    equity = grown([mean(by_time[time]) for time in sorted(by_time)])
    assert found["trading"]["gross"]["growth"] == pytest.approx(float(equity[-1]), rel=1e-12)
    fall = float(deepest_fall(equity)[0])
    assert found["trading"]["gross"]["max_drawdown"] == pytest.approx(fall, rel=1e-12)
    assert found["forward"][0]["mean_one"] == pytest.approx(float(mean(after[1])), rel=1e-12)
    assert found["coverage"]["late"] == 1
    assert found["coverage"]["first_late"] == ["C"]
    assert found["verdicts"]["trust"]["verdict"] == "look"


def test_a_symbol_of_a_panel_has_the_figures_that_it_has_alone() -> None:
    rows = symbol_rows(run_of(*panel(), window=W))
    for row, series in zip(rows, panel(), strict=True):
        alone = document(run_of(series, window=W))
        trading = alone["trading"]
        assert row["growth_net"] == trading["net"]["growth"]
        assert row["growth_held"] == trading["held"]["growth"]
        assert row["sharpe"] == trading["net"]["sharpe"]
        assert row["excess"] == alone["excess"]["gross"]
        assert row["break_even_bp"] == trading["break_even_bp"]
        assert row["difference_5"] == alone["forward"][1]["difference"]
        assert (row["flips"], row["trades"]) == (trading["flips"], trading["trades"])
        assert row["ties"] == alone["fragility"]["ties"]
        assert row["late"] == (series.symbol == "C")


def test_the_t_value_is_that_of_the_mean_of_products() -> None:
    closes = walk(3, 900)
    (row,) = symbol_rows(run_of(series_of(closes, W), window=W))
    defined = Defined(closes, W, 1, Fraction(0))
    p, r = np.array(defined.positions, float), np.array([float(x) for x in defined.returns])
    z = (p - p.mean()) * (r - r.mean())
    assert row["excess_t"] == pytest.approx(z.mean() / (z.std(ddof=1) / len(z) ** 0.5), rel=1e-9)


def test_all_formats_of_the_rows_say_the_same(tmp_path: Any) -> None:
    import io

    import polars as pl

    rows = symbol_rows(run_of(*panel(), window=W))
    from_json = json.loads(rendered_rows(rows, ".json"))
    assert from_json == rows
    assert pl.read_parquet(io.BytesIO(rendered_rows(rows, ".parquet"))).to_dicts() == rows
    table = pl.read_csv(
        io.BytesIO(rendered_rows(rows, ".csv")), schema_overrides={"tick": pl.String}
    )
    assert table.to_dicts() == rows


# Odd series: an answer, or None, and never a warning.


ODD: dict[str, list[Any]] = {
    "one bar": [5],
    "two bars": [5, 6],
    "as many bars as the window": [5, 6, 7, 8, 9],
    "flat": [700] * 300,
    "always up": list(range(1_000, 1_600)),
    "always down": list(range(1_600, 1_000, -1)),
    "zero and below": [*walk(3, 100), 0, -3_763, 1, 2, *walk(4, 100)],
    "all below": [-5, -6, -4, -7] * 30,
    "missing closes": [close if at % 17 else None for at, close in enumerate(WALK)],
    "huge": [10**300 * close for close in WALK],
    "huge range": [10**300 * close if at % 9 else 1 for at, close in enumerate(WALK)],
    "doubling": [2**at for at in range(1_500)],
    "halving": [2 ** (1_500 - at) for at in range(1_500)],
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("delay", [0, 1, 600])
def test_an_odd_series_has_an_answer_or_none(name: str, delay: int) -> None:
    found = one(ODD[name], evaluate=Evaluate((1, 20), delay))
    assert found["undefined"] == sum(close is not None and close <= 0 for close in ODD[name])
    assert found["run"]["bars"] == len(ODD[name])


def test_a_flat_series_has_no_risk_and_no_tick() -> None:
    found = one(ODD["flat"])
    assert found["fragility"] == {"tick": None, "ties": 296, "one_tick": None}
    assert found["trading"]["held"] == {
        "growth": 1.0,
        "return_per_year": None,
        "volatility": 0.0,
        "sharpe": None,
        "max_drawdown": 0.0,
        "from": None,
        "bottom": None,
        "until": None,
    }
    assert found["trading"]["break_even_bp"] is None
    assert found["verdicts"]["good"]["verdict"] is None


def test_without_ones_or_zeros_there_is_no_difference() -> None:
    up, down = one(ODD["always up"]), one(ODD["always down"])
    for found, row in ((up, "zeros"), (down, "ones")):
        assert found["forward"][0][row] == 0
        assert found["forward"][0]["difference"] is found["forward"][0]["interval"] is None
        assert found["excess"]["gross_interval"] is None
    assert up["trading"]["break_even_bp"] > 0
    assert down["trading"]["trades"] == 0


def test_a_close_below_zero_is_left_out_and_the_position_held_across() -> None:
    closes = [*walk(3, 100), 0, -3_763, *walk(4, 100)]
    found = one(closes)
    assert found["undefined"] == 2
    growth = closes[-1] / closes[0]
    assert found["trading"]["held"]["growth"] == pytest.approx(growth, rel=1e-12)


def test_several_series_without_times_have_what_needs_no_times() -> None:
    pair = [series_of(walk(at, 200), W, symbol, []) for at, symbol in ((1, "A"), (2, "B"))]
    found = document(run_of(*pair, window=W))
    assert found["trading"]["trades"] > 0
    assert found["forward"][0]["difference"] is not None
    assert found["forward"][0]["interval"] is None
    assert found["trading"]["net"]["growth"] is None
    assert found["coverage"] == {"last": None, "late": None, "first_late": []}


def test_one_series_without_times_has_all_but_times() -> None:
    found, timed = document(run_of(series_of(WALK, W, "", []), window=W)), one(WALK)
    assert found["forward"] == timed["forward"]
    assert found["excess"] == timed["excess"]
    assert found["trading"]["net"]["growth"] == timed["trading"]["net"]["growth"]
    assert found["trading"]["net"]["sharpe"] is found["trading"]["net"]["from"] is None
    assert found["rate"]["period"] is None


def test_ties_are_unknown_where_the_first_windows_are_not_there() -> None:
    series = series_of(WALK, W)
    series = series._replace(
        closes=series.closes[50:],
        signals=series.signals[50:],
        times_ns=None if series.times_ns is None else series.times_ns[50:],
    )
    found = document(run_of(series, window=W))["fragility"]
    assert found == {"tick": "0.01", "ties": None, "one_tick": None}


def test_the_text_is_one_screen() -> None:
    for run in (run_of(series_of(WALK, W), window=W), run_of(*panel(), window=W)):
        found = evaluate(run)
        lines = evaluation_text(found.evaluation, found.over_time.rates).splitlines()
        assert len(lines) <= 26
        assert max(map(len, lines)) <= 100


# Chance.


def test_a_planted_edge_is_found_and_a_planted_loss_is_bad() -> None:
    rng = np.random.default_rng(11)
    for sign, verdict in ((1, "ok"), (-1, "bad")):
        closes = [100_000]
        for _ in range(3_000):
            window = closes[-5:]
            above = 5 * closes[-1] > sum(window)
            drift = 150 if above else -150
            closes.append(closes[-1] + sign * drift + int(rng.integers(-300, 301)))
            closes[-1] = max(closes[-1], 20_000)
        found = one(closes, evaluate=Evaluate((1,), 0, 0.5))
        assert found["verdicts"]["good"]["verdict"] == verdict
