"""The name of a weekday before a date must be that of the date."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.core.timestamps.reader import TimestampReader, iso, to_ns
from rollsignal.errors import BadCellError

EPOCH = datetime(1970, 1, 1)
PATTERNS = (
    *("%a, %d %b %Y %H:%M", "%A %d/%m/%Y %H:%M:%S", "%a %Y-%m-%dT%H:%M", "%a %b %d, %Y %I:%M %p"),
    *("%A, %B %d, %Y %H:%M", "%a%Y.%m.%d %H:%M"),
)


def read(*cells: str, written: str | None = None) -> list[str]:
    return [iso(to_ns(time)) for time in TimestampReader(written).read(cells)]


@given(st.datetimes(datetime(1970, 1, 1), datetime(2199, 1, 1)), st.sampled_from(PATTERNS))
def test_a_date_after_its_weekday_is_read(time: datetime, pattern: str) -> None:
    time = time.replace(second=0, microsecond=0)
    ns = (time - EPOCH).days * 86_400 * 10**9 + time.hour * 3600 * 10**9 + time.minute * 60 * 10**9
    if "%d/%m" not in pattern:
        assert [to_ns(at) for at in TimestampReader().read([time.strftime(pattern)])] == [ns]
    assert [to_ns(at) for at in TimestampReader(pattern).read([time.strftime(pattern)])] == [ns]


@pytest.mark.parametrize(
    ("cells", "written"),
    [
        (["Wed 31-Jan-2024", "Fri 01-Feb-2024"], None),
        (["31.01.2024 Wed 09:30", "01.02.2024 Wed 09:30"], "%d.%m.%Y %a %H:%M"),
        (["Wed 2024-01-31 09:30", "Thu 2024-02-01 09:30", "Wed 2024-02-01 09:30"], None),
    ],
)
def test_a_weekday_of_another_date_is_refused(cells: list[str], written: str | None) -> None:
    with pytest.raises(BadCellError, match=r"not a valid date \(it is a Thu\)") as caught:
        read(*cells, written=written)
    assert caught.value.index == len(cells) - 1


def test_a_weekday_tells_the_day_from_the_month() -> None:
    assert read("Thu 01/02/2024", "Fri 02/02/2024")[0] == "2024-02-01T00:00:00Z"
    assert read("Tue 01/02/2024", "Fri 02/02/2024")[0] == "2024-01-02T00:00:00Z"


@pytest.mark.parametrize("cell", ["Wed Wed 31 Jan 2024", "Wed", "Mo 2024-01-29", "Wednes 31/01/24"])
def test_other_words_before_a_date_are_no_weekday(cell: str) -> None:
    with pytest.raises(BadCellError):
        read(cell)
