"""Laws of quality: every bar that is not later than the one before it is found, and no other."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from rollsignal.quality import Finding, order_findings
from rollsignal.timestamps import Moment
from tests.strategies import cuts_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Few different times, so that duplicates and steps back are common.
columns = st.lists(st.integers(0, 4).map(lambda minute: minute * 60 * 10**9), max_size=12)


def by_definition(times: list[int]) -> list[tuple[str, int]]:
    return [
        ("duplicates" if times[place] == times[place - 1] else "order", place)
        for place in range(1, len(times))
        if times[place] <= times[place - 1]
    ]


def kinds(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(finding.check, finding.place) for finding in findings]


@given(columns)
def test_bars_that_are_not_later_than_the_one_before_are_found(times: list[int]) -> None:
    assert kinds(order_findings(times, None)) == by_definition(times)


@given(columns, st.booleans())
def test_datetimes_and_nanoseconds_have_the_same_findings(times: list[int], zoned: bool) -> None:
    epoch = EPOCH if zoned else EPOCH.replace(tzinfo=None)
    moments: list[Moment] = [epoch + timedelta(microseconds=ns // 1000) for ns in times]
    assert order_findings(moments, None) == order_findings(times, None)


@given(st.data(), columns)
def test_any_cutting_into_batches_has_the_same_findings(
    data: st.DataObject, times: list[int]
) -> None:
    found: list[Finding] = []
    for batch in data.draw(cuts_of(len(times))):
        last_ns = times[batch.start - 1] if batch.start else None
        part = order_findings(times[batch], last_ns)
        found += [finding._replace(place=finding.place + batch.start) for finding in part]
    assert found == order_findings(times, None)


@given(st.sets(st.integers(0, 10**18)))
def test_bars_in_order_have_no_findings(times: set[int]) -> None:
    assert order_findings(sorted(times), None) == []
    assert order_findings(sorted(times), -1) == []


def test_a_finding_says_what_is_wrong_in_words() -> None:
    times = [60 * 10**9, 60 * 10**9, 0]
    assert order_findings(times, None) == [
        Finding("duplicates", 1, "is the same as in the row before"),
        Finding("order", 2, "is before 1970-01-01T00:01:00Z, that of the row before"),
    ]


def test_times_beyond_the_calendar_are_out_of_order_and_no_crash() -> None:
    """A count in milliseconds among seconds is in the year 55,000."""
    assert kinds(order_findings([17 * 10**17, 1_704_067_200_000 * 10**9, 18 * 10**17], None)) == [
        ("order", 2)
    ]
    early = [datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=hours))) for hours in (1, 2)]
    assert kinds(order_findings(early, None)) == [("order", 1)]
