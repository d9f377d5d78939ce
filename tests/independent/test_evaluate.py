"""The figures of `evaluate` are those of empyrical, alphalens, arch and statsmodels."""

from __future__ import annotations

import alphalens
import empyrical
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from arch.bootstrap import StationaryBootstrap, optimal_block_length

from rollsignal.analysis.bootstrap import automatic_length, interval_of
from rollsignal.analysis.evaluation import Evaluation
from rollsignal.analysis.figures import evaluate
from rollsignal.analysis.returns import steps_in_blocks
from rollsignal.analysis.timeline import timeline
from rollsignal.analysis.trading import Holding, gains, steps_by_time
from rollsignal.config.settings import Evaluate
from tests.support.evaluated import run_of, series_of, walk

# What these libraries warn of is not ours.
pytestmark = pytest.mark.filterwarnings("ignore")

BARS, WINDOW, DELAY, COST_BP = 1_500, 20, 1, 2.0
HORIZONS = (1, 5, 20)
CLOSES = walk(21, BARS)
SERIES = series_of(CLOSES, WINDOW)
DAYS = pd.date_range("2024-01-01", periods=BARS, freq="D")


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    settings = Evaluate(HORIZONS, DELAY, COST_BP)
    return evaluate(run_of(SERIES, window=WINDOW, evaluate=settings)).evaluation


@pytest.mark.parametrize(
    ("name", "cost"), [("net", COST_BP / 10_000), ("gross", 0.0), ("held", None)]
)
def test_growth_risk_and_falls_are_those_of_empyrical(
    evaluation: Evaluation, name: str, cost: float | None
) -> None:
    held = Holding([SERIES], timeline([SERIES]), DELAY)
    returns = pd.Series(gains(held, steps_by_time(held), cost), index=DAYS[1:])
    a_year = evaluation.trading.bars_per_year
    found = getattr(evaluation.trading, name)
    assert found.growth == pytest.approx(1 + empyrical.cum_returns_final(returns), rel=1e-9)
    assert found.max_drawdown == pytest.approx(empyrical.max_drawdown(returns), rel=1e-9)
    volatility = empyrical.annual_volatility(returns, annualization=a_year)
    assert found.volatility == pytest.approx(volatility, rel=1e-9)
    sharpe = empyrical.sharpe_ratio(returns, annualization=a_year)
    assert found.sharpe == pytest.approx(sharpe, rel=1e-9)


def forward_returns(horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what alphalens computes, and the signals, of the bars that have both closes.

    alphalens fills prices forward, so the last rows are left out.
    """
    index = pd.MultiIndex.from_product([DAYS, ["A"]], names=["date", "asset"])
    factor = pd.Series(SERIES.signals.astype(float), index=index)
    prices = pd.DataFrame({"A": np.array(CLOSES, float) / 100}, index=DAYS).shift(-DELAY)
    found = alphalens.utils.compute_forward_returns(
        factor, prices, periods=(horizon,), filter_zscore=None
    )
    count = BARS - DELAY - horizon
    returns, signals = found.iloc[:, 0].to_numpy()[:count], SERIES.signals[:count]
    return returns[signals <= 1], (signals[signals <= 1] == 1).astype(float)


@pytest.mark.parametrize("place", range(len(HORIZONS)))
def test_forward_returns_are_those_of_alphalens(evaluation: Evaluation, place: int) -> None:
    found = evaluation.forward[place]
    returns, ones = forward_returns(found.horizon)
    assert (found.ones, found.zeros) == (ones.sum(), (1 - ones).sum())
    assert found.mean_one == pytest.approx(returns[ones == 1].mean(), abs=1e-12)
    assert found.mean_zero == pytest.approx(returns[ones == 0].mean(), abs=1e-12)


@pytest.mark.parametrize("place", range(len(HORIZONS)))
def test_blocks_and_intervals_are_those_of_arch(evaluation: Evaluation, place: int) -> None:
    found = evaluation.forward[place]
    returns, ones = forward_returns(found.horizon)
    influence = ones * (returns - found.mean_one) / found.ones
    influence -= (1 - ones) * (returns - found.mean_zero) / found.zeros
    length = max(found.horizon, optimal_block_length(influence).iloc[0, 0])
    assert found.block_bars == pytest.approx(length, rel=0.15)
    assert found.interval is not None
    resamples = StationaryBootstrap(found.block_bars, returns, ones, seed=3)
    assert_alike(found.interval, resamples.conf_int(difference, 2_000, method="percentile"))


def difference(returns: np.ndarray, ones: np.ndarray) -> float:
    after_one = (returns * ones).sum() / ones.sum()
    return float(after_one - (returns * (1 - ones)).sum() / (1 - ones).sum())


def assert_alike(found: list[float], other: np.ndarray) -> None:
    """Hold both ends to 10 % of the width."""
    low, high = other.ravel()
    assert found == pytest.approx([low, high], abs=0.1 * (high - low))


def test_the_interval_of_the_excess_is_that_of_arch(evaluation: Evaluation) -> None:
    (steps,) = steps_in_blocks(SERIES, DELAY)
    held, returns = steps.held.astype(float), steps.returns
    influence = (held - held.mean()) * (returns - returns.mean())
    length = max(1.0, optimal_block_length(influence).iloc[0, 0])
    assert automatic_length(influence) == pytest.approx(length, rel=0.15)
    resamples = StationaryBootstrap(length, held, returns, seed=3)
    other = resamples.conf_int(
        lambda p, r: (p * r).mean() - p.mean() * r.mean(), 2_000, method="percentile"
    )
    assert evaluation.excess.gross_interval is not None
    assert_alike(evaluation.excess.gross_interval, other)


@pytest.mark.parametrize("tie", [0.0, 0.3, 0.8, 0.95])
def test_the_length_and_interval_of_tied_noise_are_those_of_arch(tie: float) -> None:
    noise = np.random.default_rng(8).normal(size=5_000)
    tied = np.zeros_like(noise)
    for at in range(1, len(noise)):
        tied[at] = tie * tied[at - 1] + noise[at]
    length = optimal_block_length(tied).iloc[0, 0]
    assert automatic_length(tied) == pytest.approx(length, rel=0.15)
    found = interval_of(lambda total, count: total / count, [tied, np.ones(5_000)], length, 3)
    assert found is not None
    resamples = StationaryBootstrap(length, tied, seed=3)
    assert_alike(found, resamples.conf_int(np.mean, 2_000, method="percentile"))


@pytest.mark.parametrize("place", range(len(HORIZONS)))
def test_the_difference_is_the_slope_of_a_regression(evaluation: Evaluation, place: int) -> None:
    found = evaluation.forward[place]
    returns, ones = forward_returns(found.horizon)
    model = sm.OLS(returns, sm.add_constant(ones))
    fitted = model.fit(cov_type="HAC", cov_kwds={"maxlags": found.horizon + 5})
    assert found.difference == pytest.approx(fitted.params[1], abs=1e-12)
    low, high = fitted.conf_int()[1]
    assert found.interval is not None
    # Two ways to reckon with neighbours that are tied: about as wide.
    assert found.interval[1] - found.interval[0] == pytest.approx(high - low, rel=0.25)
