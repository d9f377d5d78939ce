"""This module compares bars that were decided with what a file holds now: what was restated."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Bars = NDArray[np.void]


class Restated(NamedTuple):
    """What was changed of one series: so many bars, the first at this place."""

    symbol: str
    place: int
    bars: int


def restated(known: "Bars", now: "Bars", symbols: Sequence[str]) -> list[Restated]:
    """List the series of which bars are only in one of two sets of bars, with the same numbers.

    known, now: arrays with the fields series, place and close.
    """
    import numpy as np

    bars = np.concatenate((known, now))
    sides = np.repeat([-1, 1], [len(known), len(now)])
    if not len(bars):
        return []
    order = np.lexsort((bars["close"], bars["place"], bars["series"]))
    bars, sides = bars[order], sides[order]
    begins = np.flatnonzero(np.concatenate(([True], _differ(bars, ("series", "place", "close")))))
    changed = bars[begins[np.add.reduceat(sides, begins) != 0]]
    if not len(changed):
        return []
    changed = changed[np.concatenate(([True], _differ(changed, ("series", "place"))))]
    series, firsts, counts = np.unique(changed["series"], return_index=True, return_counts=True)
    return [
        Restated(symbols[number], int(changed["place"][first]), int(count))
        for number, first, count in zip(series, firsts, counts, strict=True)
    ]


def flips(before: "Bars", after: "Bars") -> int:
    """Count the bars that are in both sets, with the same numbers, and have another signal now."""
    import numpy as np

    bars = np.concatenate((before, after))
    sides = np.repeat([0, 1], [len(before), len(after)])
    order = np.lexsort((sides, bars["place"], bars["series"]))
    bars, sides = bars[order], sides[order]
    pairs = ~_differ(bars, ("series", "place")) & (sides[1:] > sides[:-1])
    return int(np.count_nonzero(pairs & _differ(bars, ("signal",))))


def _differ(bars: "Bars", fields: Sequence[str]) -> "NDArray[np.bool_]":
    """Tell which bars differ from the one before in a field."""
    import numpy as np

    found = np.zeros(len(bars) - 1, np.bool_)
    for field in fields:
        found |= bars[field][1:] != bars[field][:-1]
    return found
