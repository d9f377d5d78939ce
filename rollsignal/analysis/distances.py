"""This module counts how far closes are from their rolling means, in ticks."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.decided_run import DecidedRun
from rollsignal.analysis.fragility import tick_of
from rollsignal.analysis.margins import margins_in_blocks
from rollsignal.core.kernel import INT64_MAX, NO_SIGNAL

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Distances(NamedTuple):
    """Signals by their close minus the mean, in ticks.

    edges: 0, 1, 2, 5, 10 and so on. below, above: how many are from each edge to the next one away
    from the mean, the next one left out. ties: how many are on it. unknown: signals whose window
    begins before the first bar.
    """

    edges: list[int]
    below: list[int]
    ties: int
    above: list[int]
    unknown: int


def distances(run: DecidedRun) -> Distances:
    """Count the signals of a run by their distance from the mean, each in ticks of its series."""
    below: dict[int, int] = {}
    above: dict[int, int] = {}
    ties = unknown = 0
    for each in run.series:
        unknown += int((each.signals[: run.window - 1] != NO_SIGNAL).sum())
        unit = tick_of(each) * run.window
        for place, margins in margins_in_blocks(each.closes, run.window):
            decided = margins[each.signals[place] != NO_SIGNAL]
            ties += int((decided == 0).sum())
            _count(decided[decided > 0], unit, above)
            _count(-decided[decided < 0], unit, below)
    most = max([*below, *above], default=0)
    edges = [0, *(_edge(number) for number in range(most))]
    counted = ([counts.get(place, 0) for place in range(most + 1)] for counts in (below, above))
    return Distances(edges, next(counted), ties, next(counted), unknown)


def _edge(number: int) -> int:
    """Return 1, 2, 5, 10, 20, 50 and so on, counted from 0."""
    power, place = divmod(number, 3)
    return int((1, 2, 5)[place] * 10**power)


def _count(sizes: "NDArray[Any]", unit: int, counts: dict[int, int]) -> None:
    """Add to the counts, by the number of the edge below each size; sizes are above 0."""
    import numpy as np

    if not len(sizes):
        return
    edges: list[int] = []
    greatest = int(sizes.max())
    while _edge(len(edges)) * unit <= greatest:
        edges.append(_edge(len(edges)) * unit)
    kind = np.int64 if greatest <= INT64_MAX else object
    places = np.searchsorted(np.array(edges, dtype=kind), sizes, side="right")
    for place, count in enumerate(np.bincount(places).tolist()):
        if count:
            counts[place] = counts.get(place, 0) + count
