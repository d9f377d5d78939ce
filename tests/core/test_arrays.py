"""Laws of arrays: a float is read as the shortest decimal that identifies it, or refused."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from rollsignal.core.arrays import (
    MarginArray,
    TickArray,
    advance_array,
    float_means,
    ticks_of_array,
)
from rollsignal.core.kernel import Carry, LastBar, Tally, advance, fits_int64
from rollsignal.core.ticks import Ticks
from tests.support.strategies import cuts_of, written

FLOATS = [np.float64, np.float32]


def decimals_of(array: Any) -> list[Fraction]:
    """Read each element as NumPy writes it: the shortest decimal for its own width."""
    return [Fraction(Decimal(str(number))) for number in array]


def values_of(ticks: TickArray) -> list[Fraction]:
    assert ticks.values.dtype == np.int64
    return [Fraction(tick, 10**ticks.scale) for tick in ticks.values.tolist()]


def present(ticks: TickArray | None) -> TickArray:
    assert ticks is not None
    return ticks


@given(st.lists(st.floats(), max_size=6), st.integers(1, 1000))
def test_ticks_of_doubles_are_their_shortest_decimals_or_none(
    numbers: list[float], window: int
) -> None:
    ticks = ticks_of_array(np.array(numbers, np.float64), window)
    assert ticks is None or values_of(ticks) == [Fraction(Decimal(repr(x))) for x in numbers]


@given(npst.arrays(np.float32, st.integers(0, 6)), st.integers(1, 1000))
def test_ticks_of_single_floats_are_their_shortest_decimals_or_none(
    numbers: Any, window: int
) -> None:
    ticks = ticks_of_array(numbers, window)
    assert ticks is None or values_of(ticks) == decimals_of(numbers)


@pytest.mark.parametrize(("kind", "digits"), [(np.float64, 15), (np.float32, 6)])
@given(data=st.data())
def test_prices_with_up_to_the_safe_number_of_digits_are_found_at_once(
    kind: type, digits: int, data: st.DataObject
) -> None:
    most = 10**digits - 1
    scale = data.draw(st.integers(0, digits - 1))
    ticks = data.draw(st.lists(st.integers(-most, most), max_size=8))
    texts = [written(tick, scale) for tick in ticks]
    advanced = present(ticks_of_array(np.array(texts, str).astype(kind), window=9))
    assert values_of(advanced) == [Fraction(text) for text in texts]


@given(st.lists(st.integers(-(10**9), 10**9), max_size=8), st.integers(0, 6))
def test_the_scale_is_the_least_that_holds_every_price(ticks: list[int], scale: int) -> None:
    advanced = present(ticks_of_array(np.array(ticks, np.float64) / 10**scale, window=3))
    assert all(number.denominator <= 10**advanced.scale for number in values_of(advanced))
    assert advanced.scale == 0 or any(tick % 10 for tick in advanced.values.tolist())


def test_a_fine_tick_after_many_coarse_ones_is_seen() -> None:
    closes = np.array([100.1] * 2000 + [100.125])
    assert present(ticks_of_array(closes, 5))[1] == 3
    assert values_of(present(ticks_of_array(closes, 5))) == decimals_of(closes)


@given(
    st.sampled_from([np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32])
    .map(np.dtype)
    .flatmap(lambda kind: npst.arrays(kind, st.integers(0, 6))),
    st.integers(1, 1000),
)
def test_whole_numbers_are_their_own_ticks_or_none(numbers: Any, window: int) -> None:
    ticks = ticks_of_array(numbers, window)
    if fits_int64(numbers.astype(np.int64), window):
        assert (present(ticks).values.tolist(), present(ticks).scale) == (numbers.tolist(), 0)
    else:
        assert ticks is None


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 1e15, -1e15, 1e308, 5e-324, 0.1 + 0.2])
def test_a_double_beyond_15_digits_is_left_to_the_slow_path(number: float) -> None:
    assert ticks_of_array(np.array([1.5, number]), 2) is None


@pytest.mark.parametrize("number", [np.nan, np.inf, 1e6, 16_777_216, 1e-6, 0.1234567])
def test_a_single_float_beyond_6_digits_is_left_to_the_slow_path(number: float) -> None:
    assert ticks_of_array(np.array([1.5, number], np.float32), 2) is None


@pytest.mark.parametrize(
    "closes",
    [
        np.array([1, 2], np.uint64),
        np.array([1, 2], np.float16),
        np.array([1, 2], np.longdouble),
        np.array([1, 2], object),
        np.array(["1", "2"]),
        np.array([True, False]),
        np.array([1, 2], "M8[s]"),
        np.array([1, 2], "m8[s]"),
        np.array([1, 2], complex),
    ],
    ids=lambda closes: str(closes.dtype),
)
def test_arrays_of_other_kinds_are_left_to_the_slow_path(closes: Any) -> None:
    assert ticks_of_array(closes, 2) is None


@pytest.mark.parametrize("kind", FLOATS)
def test_views_foreign_byte_orders_and_read_only_arrays_are_read_alike(kind: type) -> None:
    closes: Any = (np.arange(-30, 30) / 8).astype(kind)
    closes.flags.writeable = False
    swapped = closes.astype(closes.dtype.newbyteorder())
    for view in (closes[::-3], swapped, swapped[1::2]):
        assert values_of(present(ticks_of_array(view, 2))) == decimals_of(view)


def test_ticks_that_could_overflow_with_this_window_are_left_to_the_slow_path() -> None:
    closes = np.array([2**40, 5], np.int64)
    assert ticks_of_array(closes, 2**21) is not None
    assert ticks_of_array(closes, 2**22) is None


@given(st.integers(0, 2**32), st.sampled_from([20, 53, 54, 63]), st.integers(0, 15))
def test_means_are_the_doubles_nearest_to_the_exact_ones(seed: int, bits: int, scale: int) -> None:
    """NumPy draws the numbers: hypothesis prefers round ones, which any rounding gets right."""
    random = np.random.default_rng(seed)
    sums = random.integers(1 - 2**bits, 2**bits - 1, 8)
    for window in (3, int(random.integers(1, 10**4)), int(random.integers(1, 10**9))):
        advanced = float_means(sums, window, scale)
        assert advanced.dtype == np.float64
        exact = [Fraction(total, window * 10**scale) for total in sums.tolist()]
        assert advanced.tolist() == list(map(float, exact))


def test_without_sums_there_are_no_means() -> None:
    assert float_means(np.array([], np.int64), 3, 2).tolist() == []


def accounts(advanced: tuple[MarginArray, Carry]) -> tuple[Tally, LastBar, Carry]:
    decided, carry = advanced
    return decided.tally, decided.last(carry.window), carry


near = st.integers(-50, 50)
wide = st.one_of(near, st.sampled_from([2**40, -(2**62), 2**63 - 1, -(2**63)]))


@given(st.data(), st.one_of(st.lists(near), st.lists(wide)), st.integers(1, 24))
def test_an_array_is_decided_like_its_numbers_in_any_cutting(
    data: st.DataObject, ticks: list[int], window: int
) -> None:
    plain = Carry(window)
    for batch in data.draw(cuts_of(len(ticks))):
        if ticks[batch]:
            scale = data.draw(st.integers(0, 3))
            closes = TickArray(np.array(ticks[batch], np.int64), scale)
            decided, after = advance(plain, Ticks([*ticks[batch]], scale))
            advanced = advance_array(plain, closes)
            if advanced is None:
                sizes = [abs(close or 0) for close in decided.closes]
                kept = [abs(tick) * 10 ** (after.scale - plain.scale) for tick in plain.tail]
                assert 2 * window * max(sizes + kept) > 2**63 - 1
            else:
                assert advanced[0].closes.tolist() == decided.closes
                assert advanced[0].padded()[1].tolist() == [m or 0 for m in decided.margins]
                assert accounts(advanced) == (decided.tally, decided.last(window), after)
            plain = after


def test_whole_numbers_after_very_fine_ones_are_left_to_plain_numbers() -> None:
    for closes in ([0], [5, 5, 5]):
        assert advance_array(Carry(3, 30, (0, 0)), TickArray(np.array(closes), 0)) is None


def test_an_array_longer_than_a_block_is_decided_like_its_numbers() -> None:
    ticks = np.random.default_rng(1).integers(-9, 9, 200_000)
    for window in (1, 5, 70_000, 200_000, 200_001):
        decided, carry = advance(Carry(window), Ticks(ticks.tolist(), 2))
        expected = (decided.tally, decided.last(window), carry)
        advanced = advance_array(Carry(window), TickArray(ticks, 2))
        assert advanced is not None
        assert accounts(advanced) == expected
