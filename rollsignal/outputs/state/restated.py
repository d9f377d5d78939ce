"""This module compares decided bars with the present content of files, to find restated bars."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bars = NDArray[np.void]


BEFORE, NOW = 1, 2
BOTH_SIDES = BEFORE | NOW


class Restated(NamedTuple):
    """The restated bars of one series: their number `bars`, and the place of the first.

    is_timed: whether that place is a time in ns, and not the number of a bar. gone: how many of
    them are not there any more. added: how many were not there.
    """

    symbol: str
    place: int
    bars: int
    is_timed: bool = True
    gone: int = 0
    added: int = 0


def restated(before: "Bars", now: "Bars", symbols: Sequence[str]) -> list[Restated]:
    """List the series with bars in only one of two sets; both sets number series alike.

    before, now: arrays with the fields series, place and close. A bar that several files have
    alike is one bar of the set.
    """
    import numpy as np

    bars = np.concatenate((before, now))
    sides = np.repeat([BEFORE, NOW], [len(before), len(now)])
    if not len(bars):
        return []
    order = np.lexsort((bars["close"], bars["place"], bars["series"]))
    bars, sides = bars[order], sides[order]
    starts = np.flatnonzero(np.concatenate(([True], _differ(bars, ("series", "place", "close")))))
    sides = np.bitwise_or.reduceat(sides, starts)
    changed, sides = bars[starts[sides != BOTH_SIDES]], sides[sides != BOTH_SIDES]
    if not len(changed):
        return []
    starts = np.flatnonzero(np.concatenate(([True], _differ(changed, ("series", "place")))))
    # A bar that has another close is there twice, once on each side.
    sides = np.bitwise_or.reduceat(sides, starts)
    changed = changed[starts]
    series, firsts, counts = np.unique(changed["series"], return_index=True, return_counts=True)
    gone, added = (np.add.reduceat((sides == side).astype(int), firsts) for side in (BEFORE, NOW))
    places = changed["place"][firsts]
    columns = (array.tolist() for array in (series, places, counts, gone, added))
    return [
        Restated(symbols[number], place, count, gone=of_gone, added=of_added)
        for number, place, count, of_gone, of_added in zip(*columns, strict=True)
    ]


def flips(before: "Bars", after: "Bars") -> int:
    """Count the bars in both sets whose signal has changed; both sets number series alike."""
    import numpy as np

    bars = np.concatenate((before, after))
    sides = np.repeat([0, 1], [len(before), len(after)])
    order = np.lexsort((sides, bars["place"], bars["series"]))
    bars, sides = bars[order], sides[order]
    pairs = ~_differ(bars, ("series", "place")) & (sides[1:] > sides[:-1])
    return int(np.count_nonzero(pairs & _differ(bars, ("signal",))))


def _differ(bars: "Bars", fields: Sequence[str]) -> "NDArray[np.bool_]":
    """Return which bars differ from the bar before in one of the fields."""
    import numpy as np

    differ = np.zeros(len(bars) - 1, np.bool_)
    for field in fields:
        differ |= bars[field][1:] != bars[field][:-1]
    return differ
