"""Laws of the kernel: the same margins and carry, however the closes come."""

from fractions import Fraction
from itertools import takewhile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.kernel import (
    BLOCK_BARS,
    INT64_MAX,
    Carry,
    Tally,
    advance,
    fits_int64,
    margin_blocks,
    rolling_mean,
    window_margins,
)
from rollsignal.core.ticks import Ticks, parse_closes
from tests.support import oracle
from tests.support.strategies import Series, cuts_of, series, spelled, windows_of

wholes = st.integers(-(10**40), 10**40)


def signals_of(cells: list[str], window: int) -> list[int | None]:
    decided, _ = advance(Carry(window), parse_closes(cells))
    return [None if margin is None else int(margin > 0) for margin in decided.margins]


def blocks_of(ticks: list[int], window: int) -> list[int]:
    blocks = margin_blocks(np.array(ticks, np.int64), window)
    return [margin for block in blocks for margin in block.tolist()]


@given(st.data(), series(gaps=True))
def test_margins_are_those_of_the_definition(data: st.DataObject, bars: Series) -> None:
    window = data.draw(windows_of(len(bars.ticks)))
    decided, _ = advance(Carry(window), Ticks(bars.ticks, bars.scale))
    margins = [None if m is None else Fraction(m, 10**decided.scale) for m in decided.margins]
    assert margins == oracle.margins(oracle.prices(bars.texts), window)


@given(st.data(), series(gaps=True))
def test_the_tally_counts_by_the_definition(data: st.DataObject, bars: Series) -> None:
    window = data.draw(windows_of(len(bars.ticks)))
    decided, _ = advance(Carry(window), Ticks(bars.ticks, bars.scale))
    assert decided.tally == oracle.counts(oracle.prices(bars.texts), window)


@given(st.data(), series(gaps=True))
def test_any_cutting_into_batches_gives_the_same_margins_tally_and_carry(
    data: st.DataObject, bars: Series
) -> None:
    """Each batch is parsed by itself, so that it has a scale of its own."""
    cells = [data.draw(spelled(t, bars.scale)) if t is not None else "" for t in bars.ticks]
    window = data.draw(windows_of(len(cells)))
    whole, end = advance(Carry(window), parse_closes(cells))
    carry, tally, margins, closes = Carry(window), Tally(), [], []
    for batch in data.draw(cuts_of(len(cells))):
        part, carry = advance(carry, parse_closes(cells[batch]))
        tally = tally.plus(part.tally)
        factor = 10 ** (whole.scale - part.scale)
        margins += [m if m is None else m * factor for m in part.margins]
        closes += [c if c is None else c * factor for c in part.closes]
    assert (margins, closes) == (whole.margins, whole.closes)
    assert (carry, tally) == (end, whole.tally)


@given(series(gaps=True), st.integers(1, 8))
def test_the_carry_holds_only_the_last_closes_it_needs(bars: Series, window: int) -> None:
    _, carry = advance(Carry(window), Ticks(bars.ticks, bars.scale))
    since_gap = list(takewhile(lambda tick: tick is not None, bars.ticks[::-1]))
    tail = tuple(since_gap[: window - 1][::-1])
    assert carry == (window, bars.scale, tail)


@given(series(gaps=True), series(gaps=True), st.integers(1, 8))
def test_a_gap_makes_the_bars_after_it_a_series_of_their_own(
    before: Series, after: Series, window: int
) -> None:
    values = [*before.ticks, None, *after.ticks]
    together, end = advance(Carry(window), Ticks(values, 0))
    first, _ = advance(Carry(window), Ticks(before.ticks, 0))
    second, second_end = advance(Carry(window), Ticks(after.ticks, 0))
    assert together.margins == [*first.margins, None, *second.margins]
    assert end == second_end


def test_no_window_contains_a_gap() -> None:
    decided, _ = advance(Carry(2), Ticks([1, 2, None, 3, 4, None, None, 5], 0))
    assert decided.margins == [None, 1, None, None, 1, None, None, None]


@given(st.data(), series())
def test_other_spellings_of_the_prices_give_the_same_signals(
    data: st.DataObject, bars: Series
) -> None:
    window = data.draw(windows_of(len(bars.ticks)))
    cells = [data.draw(spelled(tick, bars.scale)) for tick in bars.ticks if tick is not None]
    expected = oracle.signals(oracle.prices(bars.texts), window)
    assert signals_of(cells, window) == signals_of(bars.cells, window) == expected


@given(series(), st.integers(1, 6), st.integers(0, 20))
def test_scaling_the_prices_by_a_power_of_ten_gives_the_same_signals(
    bars: Series, window: int, power: int
) -> None:
    expected = signals_of(bars.cells, window)
    assert signals_of([f"{cell}e{power}" for cell in bars.cells], window) == expected
    assert signals_of([f"{cell}e-{power}" for cell in bars.cells], window) == expected


@given(series(), st.integers(1, 6), st.integers(1, 20))
def test_trailing_zeros_give_the_same_signals(bars: Series, window: int, zeros: int) -> None:
    longer = [cell + "." * ("." not in cell) + "0" * zeros for cell in bars.cells]
    assert signals_of(longer, window) == signals_of(bars.cells, window)


@given(wholes, st.integers(1, 30), st.integers(1, 30))
def test_flat_prices_are_never_above_their_mean(tick: int, bars: int, window: int) -> None:
    assert window_margins([tick] * bars, window) == [0] * max(0, bars - window + 1)


@given(st.lists(wholes, max_size=20))
def test_a_window_of_one_bar_is_always_a_tie(ticks: list[int]) -> None:
    assert window_margins(ticks, 1) == [0] * len(ticks)


@given(st.lists(wholes, max_size=20), st.integers(1, 20))
def test_a_window_longer_than_the_data_has_no_signal(ticks: list[int], more: int) -> None:
    assert window_margins(ticks, len(ticks) + more) == []


@given(st.lists(wholes, max_size=20), st.integers(1, 6), wholes)
def test_a_shift_of_all_prices_changes_no_margin(ticks: list[int], window: int, shift: int) -> None:
    assert window_margins([t + shift for t in ticks], window) == window_margins(ticks, window)


@given(st.lists(wholes, max_size=20), st.integers(1, 6))
def test_negating_the_prices_negates_the_margins(ticks: list[int], window: int) -> None:
    turned = window_margins([-tick for tick in ticks], window)
    assert turned == [-margin for margin in window_margins(ticks, window)]


@given(series(gaps=True), st.integers(1, 6))
def test_the_last_bar_has_the_last_signal_and_the_last_mean(bars: Series, window: int) -> None:
    decided, _ = advance(Carry(window), Ticks(bars.ticks, bars.scale))
    closes, last = oracle.prices(bars.texts), decided.last(window)
    if closes:
        assert last is not None
        assert last.signal == oracle.signals(closes, window)[-1]
        assert last.mean == oracle.means(closes, window)[-1]
    else:
        assert last is None


def test_advance_does_not_change_the_closes_it_is_given() -> None:
    values: list[int | None] = [1, None, 2]
    advance(Carry(2, scale=3, tail=(5,)), Ticks(values, 0))
    assert values == [1, None, 2]


@given(st.lists(st.tuples(*[st.integers(0, 10**12)] * 5), max_size=6))
def test_tallies_add_up_field_by_field(rows: list[tuple[int, int, int, int, int]]) -> None:
    total = Tally()
    for row in rows:
        total = total.plus(Tally(*row))
    assert total == tuple(map(sum, zip(*rows, strict=True))) or (not rows and total == Tally())


@given(st.lists(wholes, min_size=1, max_size=8), st.integers(0, 330))
def test_the_rolling_mean_is_the_double_nearest_to_the_exact_one(
    ticks: list[int], scale: int
) -> None:
    window = len(ticks)
    (margin,) = window_margins(ticks, window)
    exact = sum(Fraction(tick, 10**scale) for tick in ticks) / window
    assert rolling_mean(margin, ticks[-1], window, scale) == float(exact)


@given(st.lists(st.integers(-(2**40), 2**40), max_size=80), st.integers(1, 90))
def test_numpy_and_plain_integers_give_the_same_margins(ticks: list[int], window: int) -> None:
    expected = window_margins(ticks, window)
    assert blocks_of(ticks, window) == expected


@pytest.mark.parametrize("window", [1, 5, BLOCK_BARS // 4 + 1, BLOCK_BARS, 2 * BLOCK_BARS + 17])
@pytest.mark.parametrize("bars", [BLOCK_BARS, BLOCK_BARS + 1, 2 * BLOCK_BARS + 17])
def test_block_edges_do_not_change_any_margin(bars: int, window: int) -> None:
    ticks = np.random.default_rng(bars + window).integers(-50, 50, bars)
    expected = window_margins(ticks.tolist(), window)
    margins = [margin for block in margin_blocks(ticks, window) for margin in block.tolist()]
    assert margins == expected


@given(st.integers(1, 7), st.integers(1, 40), st.sampled_from([1, -1]))
def test_sums_that_wrap_around_leave_the_margins_exact(window: int, bars: int, sign: int) -> None:
    """The largest ticks that fit: their running sum passes 2^63 after a few bars."""
    most = INT64_MAX // (2 * window)
    ticks = [sign * (most if place % 3 else -most) for place in range(bars)]
    ticks += [sign * most] * bars
    assert fits_int64(np.array(ticks, np.int64), window)
    assert blocks_of(ticks, window) == window_margins(ticks, window)


@given(st.integers(1, 10**9), st.sampled_from([1, -1]), st.integers(0, 3))
def test_ticks_fit_up_to_the_largest_that_cannot_overflow(
    window: int, sign: int, others: int
) -> None:
    most = INT64_MAX // (2 * window)
    assert fits_int64(np.array([0] * others + [sign * most], np.int64), window)
    if most < INT64_MAX // 2:
        assert not fits_int64(np.array([0] * others + [sign * (most + 1)], np.int64), window)


def test_the_least_int64_does_not_fit_and_an_empty_array_always_does() -> None:
    assert not fits_int64(np.array([-(2**63)], np.int64), 1)
    assert fits_int64(np.array([], np.int64), 10**9)


def test_a_window_beyond_the_data_has_no_block_and_needs_no_memory() -> None:
    assert list(margin_blocks(np.array([0, 0], np.int64), 10**30)) == []


def test_a_read_only_view_of_an_array_gives_the_margins_of_its_elements() -> None:
    ticks = np.arange(40, dtype=np.int64) ** 2
    ticks.flags.writeable = False
    view = ticks[::-3]
    margins = [margin for block in margin_blocks(view, 4) for margin in block.tolist()]
    assert margins == window_margins(view.tolist(), 4)
