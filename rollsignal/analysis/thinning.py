"""This module thins long lines to the points that a picture can show, and marks the calendar."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.core.timestamps.zones import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POINTS = 500
MOST_MARKS = 6
_SECOND_NS = 10**9
_HOUR_S = 3600
_MONTH_NS = 30 * DAY_NS
_YEAR_1970 = datetime(1970, 1, 1, tzinfo=UTC)
# Lengths of steps between marks, in seconds; longer ones are counted in months.
_SECONDS = (
    *(1, 5, 15, 30, 60, 300, 900, 1800),
    *(_HOUR_S, 3 * _HOUR_S, 6 * _HOUR_S, 12 * _HOUR_S),
    *(24 * _HOUR_S, 48 * _HOUR_S, 96 * _HOUR_S, 168 * _HOUR_S, 336 * _HOUR_S),
)
_MONTHS = (1, 3, 6, 12, 24, 60, 120, 240, 600, 1200)


class Curve(NamedTuple):
    """A line: values at places, which are whole numbers in ascending order."""

    places: list[int]
    values: list[float]


class Mark(NamedTuple):
    """A time that an axis names: the place of a bar, and what it is called."""

    place: int
    label: str


def thinned(values: "NDArray[Any]", most: int = MOST_POINTS) -> Curve:
    """Return at most so many points of a line: the least and the greatest of each part.

    The first and the last point stay.
    """
    import numpy as np

    count = len(values)
    places = range(count)
    if count > most:
        edges = np.linspace(0, count, (most - 2) // 2 + 1).astype(np.int64).tolist()
        kept = {0, count - 1}
        for start, stop in pairwise(edges):
            part = values[start:stop]
            kept |= {start + int(part.argmin()), start + int(part.argmax())}
        return Curve(sorted(kept), values[sorted(kept)].tolist())
    return Curve(list(places), values.tolist())


def calendar_marks(
    times_ns: "NDArray[Any] | Sequence[int] | None", most: int = MOST_MARKS
) -> list[Mark]:
    """Return the first bars of days, months or the like, each with its own time.

    times_ns: those of the bars; no marks where they are not there, or not in order.
    """
    import numpy as np

    times = np.asarray([] if times_ns is None else times_ns)
    if len(times) < 2 or (times[1:] < times[:-1]).any():
        return []
    step_ns, beginnings = _beginnings(int(times[0]), int(times[-1]), most)
    places = [int(np.searchsorted(times, time_ns)) for time_ns in beginnings]
    return [
        Mark(place, _label(int(times[place]), int(times[max(place - 1, 0)]), step_ns))
        for place in dict.fromkeys(places)
    ]


def _beginnings(first_ns: int, last_ns: int, most: int) -> tuple[int, list[int]]:
    """Return a round step, and the times between two others that are whole steps."""
    for step in _SECONDS:
        step_ns = step * _SECOND_NS
        if (last_ns - first_ns) // step_ns < most:
            return step_ns, list(range(-(-first_ns // step_ns) * step_ns, last_ns + 1, step_ns))
    for months in _MONTHS:
        found = list(_by_months(first_ns, last_ns, months))
        if len(found) <= most:
            break
    return months * _MONTH_NS, found


def _by_months(first_ns: int, last_ns: int, months: int) -> Iterator[int]:
    begin = _moment(first_ns)
    number = -(-(begin.year * 12 + begin.month - 1) // months) * months
    while number // 12 <= datetime.max.year:
        time_ns = (
            datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC) - _YEAR_1970
        ).days * DAY_NS
        if time_ns > last_ns:
            return
        if time_ns >= first_ns:
            yield time_ns
        number += months


def _label(time_ns: int, former_ns: int, step_ns: int) -> str:
    """Name the time of a bar, after the one before it, as exactly as steps are."""
    moment = _moment(time_ns)
    if step_ns >= 12 * _MONTH_NS:
        return f"{moment.year}"
    if step_ns >= _MONTH_NS:
        return f"{moment:%b} {moment.year}"
    if step_ns >= DAY_NS or time_ns % DAY_NS == 0 or time_ns // DAY_NS > former_ns // DAY_NS:
        return f"{moment.day} {moment:%b}"
    return f"{moment:%H:%M:%S}" if step_ns < 60 * _SECOND_NS else f"{moment:%H:%M}"


def _moment(time_ns: int) -> datetime:
    return _YEAR_1970 + timedelta(seconds=time_ns // _SECOND_NS)
