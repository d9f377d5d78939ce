"""This module puts the bars of all series on one line of times, and cuts it into cells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.bootstrap import TimeCells, cells_of
from rollsignal.analysis.decided_run import PastSeries

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ranks = NDArray[np.int32]


class Timeline(NamedTuple):
    """All times of some series, in order, and where the bars of each series are on it.

    times_ns: None for one series without times; then its bars are its times. places: None for one
    series: its bars are in the order of its run.
    """

    times_ns: "NDArray[Any] | None"
    count_of_times: int
    places: "list[Ranks] | None"

    def place(self, number: int, bars: "NDArray[np.intp] | slice") -> "NDArray[Any]":
        """Return where bars of the series of a number are."""
        import numpy as np

        if self.places is not None:
            found: NDArray[Any] = self.places[number][bars]
            return found
        return np.arange(bars.start, bars.stop) if isinstance(bars, slice) else bars


def timeline(series: Sequence[PastSeries]) -> Timeline | None:
    """Return the times of series; None for several of which one has no times."""
    import numpy as np

    if len(series) == 1:
        return Timeline(series[0].times_ns, len(series[0].closes), None)
    stamps = [each.times_ns for each in series if each.times_ns is not None]
    if len(stamps) < len(series):
        return None
    times = _distinct(max(stamps, key=len)) if stamps else np.empty(0, dtype=np.int64)
    places = [np.searchsorted(times, own).astype(np.int32) for own in stamps]
    last = max(len(times) - 1, 0)
    absent = [own[times[at.clip(0, last)] != own] for own, at in zip(stamps, places, strict=True)]
    if any(len(own) for own in absent):
        times = _distinct(np.concatenate([times, *absent]))
        places = [np.searchsorted(times, own).astype(np.int32) for own in stamps]
    return Timeline(times, len(times), places)


def _distinct(times: "NDArray[Any]") -> "NDArray[Any]":
    """Return times in order, each once."""
    import numpy as np

    times = np.sort(times)
    is_new = np.ones(len(times), dtype=np.bool_)
    is_new[1:] = times[1:] != times[:-1]
    return times if is_new.all() else times[is_new]


class Ranked(NamedTuple):
    """The times that count for a figure: the rank of each among them, and their cells."""

    ranks: "Ranks"
    cells: TimeCells

    def cell(self, places: "NDArray[Any]") -> "NDArray[np.int32]":
        """Return the cells of times, by their places on the line."""
        found: Ranks = self.ranks[places] // self.cells.width
        return found


def ranked(counts: "NDArray[np.bool_]") -> Ranked:
    """Rank the times that count."""
    import numpy as np

    ranks = np.cumsum(counts, dtype=np.int32) - np.int32(1)
    return Ranked(ranks, cells_of(int(ranks[-1]) + 1 if len(ranks) else 0))
