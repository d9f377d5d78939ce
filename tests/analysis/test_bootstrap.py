"""Facts about resamples: what is drawn, how long blocks are, and how far a figure may be off."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from rollsignal.analysis.bootstrap import (
    MOST_CELLS,
    automatic_length,
    cells_of,
    interval_of,
    resample_blocks,
    resampled_sums,
    whole_units,
)
from rollsignal.analysis.sums import exact_sum, rounded

NOISE = np.random.default_rng(5).normal(size=4_000)


@pytest.mark.parametrize("times", [1, 2, 9_999, 10_000, 10_001, 25_000, 1_000_000])
def test_cells_have_equal_counts_but_for_the_last(times: int) -> None:
    cells = cells_of(times)
    assert cells.number <= MOST_CELLS
    assert cells.width * (cells.number - 1) < times <= cells.width * cells.number
    assert cells.width == 1 or times > MOST_CELLS


@pytest.mark.parametrize("mean_block", [1.0, 1.5, 7.0, 40.0])
@pytest.mark.parametrize("cells", [1, 3, 50, 2_000])
def test_every_resample_has_as_many_cells_as_there_are(cells: int, mean_block: float) -> None:
    rows = 0
    for starts, lengths in resample_blocks(cells, mean_block, seed=1, resamples=300):
        assert (lengths.sum(axis=1) == cells).all()
        assert (lengths >= 0).all()
        assert ((starts >= 0) & (starts < cells)).all()
        rows += len(starts)
    assert rows == 300


@pytest.mark.parametrize("mean_block", [1.0, 2.0, 9.5])
def test_blocks_begin_anywhere_and_have_geometric_lengths(mean_block: float) -> None:
    ((starts, lengths),) = resample_blocks(1_000, mean_block, seed=2, resamples=100)
    first = lengths[:, :50]
    assert first.mean() == pytest.approx(mean_block, rel=0.06)
    assert (first == 1).mean() == pytest.approx(1 / mean_block, rel=0.1)
    assert starts.mean() == pytest.approx(500, rel=0.05)


def test_the_totals_of_resamples_are_those_of_their_blocks() -> None:
    values = np.array([5.0, -3.0, 0.5, 8.0, 1.25])
    totals = resampled_sums([values], mean_block=2.5, seed=9, resamples=40)[0]
    expected = []
    for starts, lengths in resample_blocks(5, 2.5, seed=9, resamples=40):
        for row_starts, row_lengths in zip(starts.tolist(), lengths.tolist(), strict=True):
            blocks = zip(row_starts, row_lengths, strict=True)
            expected.append(sum(values[(a + i) % 5] for a, n in blocks for i in range(n)))
    assert totals.tolist() == expected


def test_the_draws_of_a_seed_stay_the_same() -> None:
    ((starts, lengths),) = resample_blocks(10, 2.0, seed=42, resamples=2)
    assert starts[:, :4].tolist() == [[7, 4, 8, 6], [3, 9, 6, 8]]
    assert lengths[:, :4].tolist() == [[3, 1, 4, 1], [4, 1, 1, 1]]


def definition_of_the_length(series: list[float]) -> float:
    """Follow Politis and White (2004) and the correction of 2009, slowly."""
    count, mean = len(series), sum(series) / len(series)
    x = [value - mean for value in series]
    run = max(5, int(math.log10(count)))
    most = math.ceil(math.sqrt(count)) + run
    covariance = [
        sum(x[at] * x[at + lag] for at in range(count - lag)) / count for lag in range(most + 1)
    ]
    bound = 2 * math.sqrt(math.log10(count) / count)
    first = next(
        lag
        for lag in range(most)
        if all(abs(covariance[lag + i] / covariance[0]) < bound for i in range(run))
    )
    width = min(2 * max(first, 1), most)
    weights = [1 if lag / width <= 0.5 else 2 * (1 - lag / width) for lag in range(1, width + 1)]
    lags = list(zip(range(1, width + 1), weights, strict=True))
    g = sum(2 * weight * lag * covariance[lag] for lag, weight in lags)
    f0 = covariance[0] + sum(2 * weight * covariance[lag] for lag, weight in lags)
    return float((2 * g**2 / (2 * f0**2)) ** (1 / 3) * count ** (1 / 3))


@pytest.mark.parametrize("tie", [0.0, 0.4, 0.8])
def test_the_automatic_length_is_that_of_politis_and_white(tie: float) -> None:
    series = [0.0]
    for shock in NOISE[:1_500].tolist():
        series.append(tie * series[-1] + shock)
    wanted = max(1.0, definition_of_the_length(series))
    assert automatic_length(np.array(series)) == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("series", [[], [1.0], [2.0] * 50, [0.0] * 3, [1.0, 2.0], [1.0, 2.0, 3.0]])
def test_a_series_without_a_length_has_blocks_of_one(series: list[float]) -> None:
    assert automatic_length(np.array(series)) >= 1


def test_an_interval_of_noise_is_that_of_the_normal_distribution() -> None:
    ones = np.ones(len(NOISE))
    low, high = interval_of(lambda total, count: total / count, [NOISE, ones], 1.0, 3) or (0, 0)
    error = NOISE.std() / math.sqrt(len(NOISE))
    assert low == pytest.approx(NOISE.mean() - 1.96 * error, abs=error / 8)
    assert high == pytest.approx(NOISE.mean() + 1.96 * error, abs=error / 8)


def test_there_is_no_interval_of_few_blocks_or_without_answers() -> None:
    ones = np.ones(100)
    assert interval_of(lambda total: total, [ones], 5.1, 3) is None
    assert interval_of(lambda total: total, [ones], 5.0, 3) is not None
    assert interval_of(lambda total: total / 0, [ones], 1.0, 3) is None


def test_whole_units_are_exact_to_38_bits() -> None:
    units, unit = whole_units(NOISE)
    assert (np.abs(units) <= 2**38).all()
    assert (units == np.rint(units)).all()
    assert np.abs(units * unit - NOISE).max() <= np.abs(NOISE).max() * 2.0**-37
    assert whole_units(np.zeros(3))[0].tolist() == [0, 0, 0]


def test_sums_are_the_same_in_any_order() -> None:
    values = np.concatenate([NOISE, NOISE[::-1] * 1e20, [1e-300]])
    assert exact_sum(values) == exact_sum(values[::-1]) == math.fsum(values.tolist())


@pytest.mark.parametrize(
    ("value", "text"),
    [(2 / 3, "0.666666666667"), (-1e300 / 3, "-3.33333333333e+299"), (0.0, "0.0")],
)
def test_what_is_rounded_has_12_digits(value: float, text: str) -> None:
    assert repr(rounded(value)) == text


def test_intervals_of_neighbours_that_are_tied_are_wider() -> None:
    tied = np.convolve(NOISE, np.ones(20) / 20, mode="valid")
    ones = np.ones(len(tied))
    widths = []
    for mean_block in (1.0, 40.0):
        low, high = interval_of(lambda total, n: total / n, [tied, ones], mean_block, 3) or (0, 0)
        widths.append(high - low)
    assert all(after > 2 * before for before, after in pairwise(widths))
