"""Facts about the packed bars of a page: every close, time and signal is there, exactly."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode
from collections.abc import Iterator
from fractions import Fraction
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.analysis.decided_run import DecidedRun
from rollsignal.core.kernel import NO_SIGNAL
from rollsignal.report.bars import packed_bars
from rollsignal.report.varints import MOST_IN_ARRAYS, differences, varint_parts, varints
from tests.support import oracle
from tests.support.pages import run_of, series_of

DAY_NS = 86_400 * 10**9
HUGE = 10**40


def numbers_in(written: bytes) -> Iterator[int]:
    """Read zigzag varints, a byte after the other."""
    value = shift = 0
    for byte in written:
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield -((value + 1) >> 1) if value & 1 else value >> 1
            value = shift = 0


def unpacked(run: DecidedRun, most: int = 10**6) -> tuple[dict[str, Any], list[list[bytes]]]:
    """Return the header, and the bytes of each series for each kind."""
    content = json.loads(packed_bars(run, most).json)
    stream = zlib.decompress(b64decode(content["packed"]), wbits=-15)
    start = 4 + int.from_bytes(stream[:4], "big")
    header = json.loads(stream[4:start])
    kinds = []
    for sizes in header["sizes"]:
        kinds.append([stream[start + end - size : start + end] for size, end in ends(sizes)])
        start += sum(sizes)
    assert start == len(stream)
    return header, kinds


def ends(sizes: list[int]) -> Iterator[tuple[int, int]]:
    yield from zip(sizes, accumulate(sizes), strict=True)


def times_of(steps: bytes, parts: bytes, digits: int) -> list[int]:
    """Return nanoseconds since 1970, from changes of steps and from parts of a second."""
    first, *changes = list(numbers_in(steps)) or [0]
    seconds = list(accumulate(accumulate(changes), initial=first))
    rest = list(numbers_in(parts)) or [0] * len(seconds)
    pairs = zip(seconds, rest, strict=True)
    return [second * 10**9 + part * 10 ** (9 - digits) for second, part in pairs]


def test_every_close_is_the_decimal_that_was_written() -> None:
    texts = ["1.10", "-2", "3.05", "100000", None, "0", "7.77", "7.77"]
    prices = oracle.prices(texts)
    ticks = [None if price is None else int(price * 100) for price in prices]
    header, (_, _, closes, signals) = unpacked(run_of(series_of(ticks, 2), window=2))
    read = [Fraction(tick, 10 ** header["scales"][0]) for tick in accumulate(numbers_in(closes[0]))]
    assert read == [price for price in prices if price is not None]
    told = [
        NO_SIGNAL if signal is None else signal
        for signal, price in zip(oracle.signals(prices, 2), prices, strict=True)
        if price is not None
    ]
    assert list(signals[0]) == told
    assert header["gaps"] == [[4]]
    assert (header["counts"], header["rows"], header["before"]) == ([7], [8], [0])


@pytest.mark.parametrize(
    ("step_ns", "digits"), [(DAY_NS, 0), (10**9, 0), (5 * 10**6, 3), (7 * 10**3, 6), (1, 9)]
)
def test_times_are_exact_and_take_only_the_digits_they_need(step_ns: int, digits: int) -> None:
    times = [-3 * 10**9 + step_ns * number**2 for number in range(50)]
    series = series_of([100] * 50, 2, times_ns=times)
    header, (steps, parts, _, _) = unpacked(run_of(series, window=2))
    assert header["digits"] == digits
    assert times_of(steps[0], parts[0], digits) == times


def test_times_of_any_year_are_exact() -> None:
    times = [-62_000_000_000 * 10**9, 0, 250_000_000_000 * 10**9]
    series = series_of([1, 2, 3], 2, times_ns=times)
    assert series.times_ns is not None
    assert series.times_ns.dtype == object
    header, (steps, parts, _, _) = unpacked(run_of(series, window=2))
    assert times_of(steps[0], parts[0], header["digits"]) == times


def test_closes_of_any_size_are_exact() -> None:
    closes = [HUGE, -HUGE, 1, HUGE + 7]
    small = series_of([5, 4, 6], 2, symbol="small")
    run = run_of(series_of(closes, 2, symbol="huge"), small, window=2)
    header, (_, _, steps, _) = unpacked(run)
    assert [list(accumulate(numbers_in(each))) for each in steps] == [closes, [5, 4, 6]]
    assert header["wide"] == [1, 0]
    assert header["exact"] == [0, 1]


@pytest.mark.parametrize(
    ("most", "window", "scale", "exact"),
    [
        (2**50 - 1, 4, 0, 1),
        (2**50, 4, 0, 0),
        (-(2**50), 4, 0, 0),
        (1, 5, 15, 1),
        (1, 10, 15, 0),
        (0, 1, 0, 1),
    ],
)
def test_margins_are_shown_only_where_doubles_are_exact(
    most: int, window: int, scale: int, exact: int
) -> None:
    run = run_of(series_of([1, most, 1], window, scale=scale), window=window)
    assert unpacked(run)[0]["exact"] == [exact]


def test_all_series_share_the_page_and_a_short_one_leaves_its_rest_to_the_others() -> None:
    series = [series_of(list(range(1, 1 + n)), 2, symbol=f"{n}") for n in (3, 100, 90)]
    run = run_of(*series, window=2)
    packed = packed_bars(run, 103)
    assert (packed.bars, packed.of_bars, packed.share) == (103, 193, 50)
    header, (_, _, closes, signals) = unpacked(run, 103)
    assert header["counts"] == [3, 50, 50]
    assert header["before"] == [0, 50, 40]
    assert list(accumulate(numbers_in(closes[1]))) == list(range(51, 101))
    assert [len(each) for each in signals] == [3, 50, 50]
    assert packed_bars(run, 1).bars == 3


def test_missing_closes_before_the_page_are_not_in_it() -> None:
    closes = [1, 2, None, 3, 4, None, 5, 6]
    header, _ = unpacked(run_of(series_of(closes, 2), window=2), most=3)
    assert (header["counts"], header["before"], header["gaps"]) == ([3], [3], [[1]])


def test_a_series_without_times_may_stand_beside_one_with_times() -> None:
    timed = series_of([1, 2], 1, symbol="a", times_ns=[0, DAY_NS])
    header, (steps, _, _, _) = unpacked(run_of(timed, series_of([1], 1, symbol="b"), window=1))
    assert header["timed"] == [1, 0]
    assert [len(each) > 0 for each in steps] == [True, False]


def test_a_series_without_any_close_has_no_bars() -> None:
    run = run_of(series_of([None, None], 1, symbol="a"), series_of([1], 1, symbol="b"), window=1)
    header, (_, _, closes, _) = unpacked(run)
    assert header["counts"] == [0, 1]
    assert closes[0] == b""


def test_names_are_shown_escaped_and_end_no_script() -> None:
    name = "</script>\u202e\x00"
    packed = packed_bars(run_of(series_of([1], 1, symbol=name), window=1))
    assert "<" not in packed.json
    run = run_of(series_of([1], 1, symbol=name), window=1)
    assert unpacked(run)[0]["names"] == ["</script>\\u202e\\x00"]


def test_the_same_run_gives_the_same_bytes() -> None:
    run = run_of(series_of(list(range(500)), 5), window=5)
    assert packed_bars(run) == packed_bars(run)


def test_a_million_bars_take_three_megabytes() -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    steps = np.round(rng.standard_normal(10**6) * 300).astype(np.int64)
    small = series_of([1, 2], 2, times_ns=[0, 1])
    times = np.arange(10**6, dtype=np.int64) * 60 * 10**9
    signals = (steps > 0).astype(np.uint8)
    closes = 5_000_000 + np.cumsum(steps)
    series = small._replace(closes=closes, signals=signals, times_ns=times, rows=10**6)
    assert len(packed_bars(run_of(series, window=20)).json) < 3 * 10**6


@given(st.lists(st.one_of(st.integers(-300, 300), st.integers(-(2**62), 2**62), st.integers())))
def test_varints_and_differences_are_read_back(numbers: list[int]) -> None:
    fits = all(abs(number) < 2**63 for number in numbers)
    array = np.array(numbers, dtype=np.int64 if fits else object)
    steps = differences(array)
    assert list(accumulate(numbers_in(varints(steps)))) == numbers
    has_large = any(abs(number) > MOST_IN_ARRAYS for number in numbers)
    assert (steps.dtype == object) == (has_large or not fits)


@given(st.lists(st.lists(st.integers(-(2**40), 2**40), max_size=5), min_size=1))
def test_parts_are_those_of_each_array(lists: list[list[int]]) -> None:
    parts = varint_parts([np.array(numbers, dtype=np.int64) for numbers in lists])
    assert [list(numbers_in(part)) for part in parts] == lists
