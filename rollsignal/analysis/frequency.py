"""This module finds out how many bars a year has, and how the signal rate went over time."""

import math
from collections.abc import Sequence
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.decided_run import PastSeries
from rollsignal.core.timestamps.zones import DAY_NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

MINUTE_NS = 60 * 10**9
YEAR_NS = 3652425 * DAY_NS // 10**4
# The least span that shows how many bars a year has, closing times and holidays included.
TELLING_SPAN_NS = 28 * DAY_NS
USUAL_SHARE = 0.95
PERIODS_NS = {
    "minute": MINUTE_NS,
    "15 minutes": 15 * MINUTE_NS,
    "hour": 60 * MINUTE_NS,
    "4 hours": 240 * MINUTE_NS,
    "day": DAY_NS,
    "week": 7 * DAY_NS,
    "month": 3044 * DAY_NS // 100,
    "quarter": YEAR_NS // 4,
    "year": YEAR_NS,
}
MOST_PERIODS = 48
LEAST_PERIODS = 20
FULL_SHARE = 0.9


def bars_per_year(times_ns: "NDArray[Any] | None") -> float | None:
    """Return how many times a year has; None if they do not show it.

    times_ns: all times in order. They show it if they span 28 days, or if they span a day and steps
    of the usual length cover 95 % of it, as those of a market that never closes.
    """
    if times_ns is None or len(times_ns) < 2:
        return None
    span_ns = int(times_ns.max()) - int(times_ns.min())
    if span_ns < TELLING_SPAN_NS and not _is_steady(times_ns, span_ns):
        return None
    return (len(times_ns) - 1) * YEAR_NS / span_ns


def _is_steady(times_ns: "NDArray[Any]", span_ns: int) -> bool:
    import numpy as np

    if span_ns < DAY_NS:
        return False
    lengths, counts = np.unique(np.diff(np.sort(times_ns)), return_counts=True)
    usual = counts.argmax()
    return int(lengths[usual]) * int(counts[usual]) >= USUAL_SHARE * span_ns


def years(times_ns: "NDArray[Any] | None") -> float | None:
    """Return the span of times in years; None without times."""
    if times_ns is None or not len(times_ns):
        return None
    return (int(times_ns.max()) - int(times_ns.min())) / YEAR_NS


class Rates(NamedTuple):
    """The signal rate over time, by periods counted back from the last bar, the last one last.

    period: their length in words, None without times. usual: what the middle 95 % of all but the
    last are between; None for fewer than 20 of them. whole: between what all but the last are.
    ends_ns: when each of the periods ends.
    """

    period: str | None
    rates: list[float]
    usual: list[float] | None
    whole: list[float] | None
    ends_ns: list[int]


def rates(series: Sequence[PastSeries]) -> Rates:
    """Compute the signal rate over time; periods with few signals are left out."""
    spans = [
        (each.first_ns, each.last_ns)
        for each in series
        if each.first_ns is not None and each.last_ns is not None
    ]
    if len(spans) < len(series) or not spans:
        return Rates(None, [], None, None, [])
    first, last = min(span[0] for span in spans), max(span[1] for span in spans)
    name = next(
        (name for name, length in PERIODS_NS.items() if (last - first) // length < MOST_PERIODS),
        "year",
    )
    counts = _counts_by_period(series, last, PERIODS_NS[name])
    full = FULL_SHARE * median(sum(pair) for pair in counts.values()) if counts else 0
    kept = [back for back in sorted(counts, reverse=True) if sum(counts[back]) >= full]
    found = [ones / (zeros + ones) for zeros, ones in map(counts.__getitem__, kept)]
    ends = [last - back * PERIODS_NS[name] for back in kept]
    former = sorted(found[:-1])
    if len(former) < LEAST_PERIODS:
        return Rates(name, found, None, None, ends)
    usual = [quantile(former, (1 - USUAL_SHARE) / 2), quantile(former, (1 + USUAL_SHARE) / 2)]
    return Rates(name, found, usual, [former[0], former[-1]], ends)


def _counts_by_period(
    series: Sequence[PastSeries], last_ns: int, length_ns: int
) -> dict[int, tuple[int, int]]:
    """Count zeros and ones of each period, by its number counted back from the last one, 0."""
    import numpy as np

    counts: dict[int, tuple[int, int]] = {}
    for each in series:
        assert each.times_ns is not None
        for signal in (0, 1):
            times = each.times_ns[each.signals == signal]
            backs = ((last_ns - times) // length_ns).astype(np.int64)
            for back, count in enumerate(np.bincount(backs).tolist()):
                if not count:
                    continue
                zeros, ones = counts.get(back, (0, 0))
                counts[back] = (zeros, ones + count) if signal else (zeros + count, ones)
    return counts


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return what a share of ordered values is below, between its two neighbours."""
    place = (len(ordered) - 1) * share
    lower = math.floor(place)
    upper = min(lower + 1, len(ordered) - 1)
    return ordered[lower] + (ordered[upper] - ordered[lower]) * (place - lower)
