"""Laws of quality: exactly the bars that break a rule of order or of prices are found."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.quality import (
    Finding,
    by_bar,
    is_sane,
    ohlc_findings,
    order_findings,
    value_findings,
)
from rollsignal.core.ticks import Ticks
from rollsignal.core.timestamps.reader import Timestamp
from tests.support.oracle import Price, price
from tests.support.strategies import cuts_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Few distinct times, so that duplicates and steps back are common.
columns = st.lists(st.integers(0, 4).map(lambda minute: minute * 60 * 10**9), max_size=12)


def by_definition(times: list[int]) -> list[tuple[str, int]]:
    return [
        ("duplicates" if times[index] == times[index - 1] else "order", index)
        for index in range(1, len(times))
        if times[index] <= times[index - 1]
    ]


def located(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(finding.check, finding.place) for finding in findings]


@given(columns)
def test_bars_that_are_not_later_than_the_one_before_are_found(times: list[int]) -> None:
    assert located(order_findings(times, None)) == by_definition(times)


@given(columns, st.booleans())
def test_datetimes_and_nanoseconds_have_the_same_findings(times: list[int], zoned: bool) -> None:
    epoch = EPOCH if zoned else EPOCH.replace(tzinfo=None)
    datetimes: list[Timestamp] = [epoch + timedelta(microseconds=ns // 1000) for ns in times]
    assert order_findings(datetimes, None) == order_findings(times, None)


@given(st.data(), columns)
def test_any_cutting_into_batches_has_the_same_findings(
    data: st.DataObject, times: list[int]
) -> None:
    findings: list[Finding] = []
    for batch in data.draw(cuts_of(len(times))):
        last_ns = times[batch.start - 1] if batch.start else None
        part = order_findings(times[batch], last_ns)
        findings += [finding._replace(place=finding.place + batch.start) for finding in part]
    assert findings == order_findings(times, None)


@given(st.sets(st.integers(0, 10**18)))
def test_bars_in_order_have_no_findings(times: set[int]) -> None:
    assert order_findings(sorted(times), None) == []
    assert order_findings(sorted(times), -1) == []


def test_a_finding_describes_what_is_wrong() -> None:
    times = [60 * 10**9, 60 * 10**9, 0]
    assert order_findings(times, None) == [
        Finding("duplicates", 1, "is the same as in the previous row"),
        Finding("order", 2, "is earlier than 1970-01-01T00:01:00Z in the previous row"),
    ]


def test_times_beyond_the_calendar_are_out_of_order_without_a_crash() -> None:
    """A count in milliseconds among seconds is in the year 55,000."""
    assert located(order_findings([17 * 10**17, 1_704_067_200_000 * 10**9, 18 * 10**17], None)) == [
        ("order", 2)
    ]
    early = [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=hours))) for hours in (1, 2)]
    assert located(order_findings(early, None)) == [("order", 1)]


# The prices of bars.

Columns = dict[str, Ticks]
NEVER_BELOW = {
    "high": ["open", "close", "low"],
    "open": ["low"],
    "close": ["low"],
}
VOLUMES = ["volume", "Volume USD"]


@st.composite
def tables_of_prices(draw: DrawFn, gaps: bool = True) -> Columns:
    """Draw columns of one length, each with its own scale; most prices are equal or nearly so."""
    others = st.sampled_from(["open", "high", "low", *VOLUMES])
    names = ["close", *draw(st.lists(others, unique=True))]
    rows = draw(st.integers(1, 6))
    few = st.sampled_from([-1, 0, 1, 100, 101, 1000, 1001, 10**16])
    tick = st.one_of(few, few, st.none()) if gaps else few
    column = st.builds(Ticks, st.lists(tick, min_size=rows, max_size=rows), st.integers(0, 3))
    return {name: draw(column) for name in names}


def exact(column: Ticks) -> list[Price]:
    return [None if tick is None else Fraction(tick, 10**column.scale) for tick in column.values]


def contradictions(columns: Columns) -> set[tuple[int, str, str]]:
    """List by definition each bar's columns where the first is below the second."""
    values = {name: exact(column) for name, column in columns.items()}
    values["zero"] = [Fraction(0)] * len(values["close"])
    pairs = [(upper, lower) for upper, lowers in NEVER_BELOW.items() for lower in lowers]
    pairs += [(name, "zero") for name in VOLUMES]
    return {
        (index, upper, lower)
        for upper, lower in pairs
        if upper in values and lower in values
        for index, (high, low) in enumerate(zip(values[upper], values[lower], strict=True))
        if high is not None and low is not None and high < low
    }


def found_in(columns: Columns) -> list[Finding]:
    others = {name: column for name, column in columns.items() if name != "close"}
    return ohlc_findings(columns["close"], others)


def named(what: str) -> tuple[str, str]:
    """Return the names of the columns in a finding; another test checks its numbers."""
    upper, _, lower = what.partition(" is below ")
    return upper.rpartition(" ")[0], lower.partition(" ")[0]


@given(tables_of_prices())
def test_exactly_the_contradictions_between_prices_are_found(columns: Columns) -> None:
    contradicted = [(finding.place, *named(finding.what)) for finding in found_in(columns)]
    assert len(contradicted) == len(set(contradicted))
    assert set(contradicted) == contradictions(columns)


@given(tables_of_prices())
def test_the_numbers_of_a_finding_are_those_of_the_bar(columns: Columns) -> None:
    for finding in found_in(columns):
        for side in finding.what.split(" is below "):
            name, _, number = side.rpartition(" ")
            if name:
                assert price(number) == exact(columns[name])[finding.place]


@given(tables_of_prices(gaps=False))
def test_arrays_are_sane_if_there_are_no_findings(columns: Columns) -> None:
    arrays = {
        name: (np.array(column.values, np.int64), column.scale) for name, column in columns.items()
    }
    prices = [columns[name] for name in columns if name not in VOLUMES]
    scale = max(column.scale for column in prices)
    sizes = [
        abs(value) * 10 ** (scale - column.scale)
        for column in prices
        for value in column.values
        if value is not None
    ]
    # Prices that do not fit 64 bits at one scale are left to plain numbers.
    assert is_sane(arrays) == (found_in(columns) == [] and max(sizes) < 2**63)


def sane(**columns: tuple[list[int], int]) -> bool:
    arrays: Mapping[str, tuple[np.ndarray, int]] = {
        name: (np.array(ticks, np.int64), scale) for name, (ticks, scale) in columns.items()
    }
    return is_sane(arrays)


def test_prices_that_do_not_fit_into_64_bits_at_one_scale_are_left_to_plain_numbers() -> None:
    assert sane(close=([5], 0), high=([6 * 10**17], 17))
    assert not sane(close=([93], 0), high=([10**17], 17))
    assert not sane(close=([0], 0), high=([0], 19))
    assert not sane(close=([-93], 0), low=([-(10**18)], 17))


def test_the_scale_of_a_volume_does_not_matter_to_prices() -> None:
    assert sane(close=([10**18], 0), volume=([1], 300))
    small = {"volume": Ticks([-1], 5000), "open": Ticks([2], 0), "low": Ticks([1], 0)}
    (finding,) = ohlc_findings(Ticks([10**6], 0), small)
    assert finding.what.startswith("volume '-0.000")
    assert finding.what.endswith("…' (5,003 characters) is below zero")


def test_findings_have_the_same_words_and_order_on_every_run() -> None:
    columns = {name: Ticks([-1], 0) for name in ["z volume", "a volume", "volume"]}
    assert [finding.what for finding in ohlc_findings(Ticks([5], 0), columns)] == [
        "z volume -1 is below zero",
        "a volume -1 is below zero",
        "volume -1 is below zero",
    ]


@given(st.lists(st.builds(Finding, st.just("ohlc"), st.integers(0, 5), st.sampled_from("abc"))))
def test_findings_are_joined_to_one_per_bar_in_the_order_of_bars(findings: list[Finding]) -> None:
    bars = by_bar(findings)
    assert [bar.place for bar in bars] == sorted({finding.place for finding in findings})
    for bar in bars:
        whats = [finding.what for finding in findings if finding.place == bar.place]
        assert bar.what == ", ".join(whats)


@pytest.mark.parametrize("values", [[None], [None, 1], [1, None], [None, None], [], [1, 2]])
def test_missing_closes_beside_good_ones_are_no_findings(values: list[int | None]) -> None:
    assert value_findings(Ticks(values, 0)) == []
