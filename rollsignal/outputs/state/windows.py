"""This module says which bars have left a file that always holds the newest ones.

Bars before the first one that a file now has of their series have left it. Of a series that the
file has no more, these are the bars up to the first one of the file.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.outputs.state.restated import Bars

    Bools = NDArray[np.bool_]

BEYOND = 2**63 - 1


class Jump(NamedTuple):
    """Two neighbours of a series in ns, of which a file has only the second any more."""

    file: int
    symbol: str
    last_ns: int
    first_ns: int


def have_left(known: "Bars", present: "Bars") -> "Bools":
    """Return which known bars have left their files; `present` are all that these have now."""
    import numpy as np

    if not len(known) or not len(present):
        return np.zeros(len(known), np.bool_)
    files, places = _firsts(present["file"], present["place"])
    at = np.minimum(np.searchsorted(files, known["file"]), len(files) - 1)
    has_file = files[at] == known["file"]
    bounds = np.where(places[at] < BEYOND, places[at] + 1, BEYOND)
    series, firsts = _firsts(_of_series(present), present["place"])
    wanted = _of_series(known)
    at = np.minimum(np.searchsorted(series, wanted), len(series) - 1)
    bounds = np.where(series[at] == wanted, firsts[at], bounds)
    left: Bools = has_file & (known["place"] < bounds)
    return left


def among(bars: "Bars", others: "Bars") -> "Bools":
    """Return which bars stand at the series and place of one of the others."""
    import numpy as np

    found = np.zeros(len(bars), np.bool_)
    if len(others):
        # Most often the others are few, and the newest.
        near = np.flatnonzero(bars["place"] >= others["place"].min())
        keys = np.unique(others[["series", "place"]])
        found[near] = np.isin(bars[near][["series", "place"]], keys)
    return found


def jumps(known: "Bars", new: "Bars", of_files: "Bars", symbols: Sequence[str]) -> list[Jump]:
    """List where files go on after the last known bar of a series, so that bars may be missing.

    new: all bars that are not known. of_files: the bars that these files have now. Nothing can be
    missing in a step that is not longer than the most common one, or where another file has bars.
    """
    import numpy as np

    found = []
    series, firsts = _firsts(_of_series(of_files), of_files["place"])
    for key, first in zip(series.tolist(), firsts.tolist(), strict=True):
        number = key & 0xFFFFFFFF
        places = np.unique(known["place"][known["series"] == number])
        others = new["place"][new["series"] == number]
        if not len(places) or first <= places[-1] or (others < first).any():
            continue
        if first - int(places[-1]) > _usual_step(places):
            found.append(Jump(key >> 32, symbols[number], int(places[-1]), first))
    return found


def _usual_step(places: "NDArray[np.int64]") -> int:
    """Return the most common step in time, the shortest of several, 0 without any."""
    import numpy as np

    steps, counts = np.unique(np.diff(places), return_counts=True)
    return int(steps[counts.argmax()]) if len(steps) else 0


def _of_series(bars: "Bars") -> "NDArray[np.int64]":
    """Return a number for the file and series of each bar."""
    numbers: NDArray[np.int64] = bars["file"].astype("i8") << 32 | bars["series"].astype("i8")
    return numbers


def _firsts(
    groups: "NDArray[np.integer]", places: "NDArray[np.int64]"
) -> "tuple[NDArray[np.integer], NDArray[np.int64]]":
    """Return each group, sorted, and the first of its places."""
    import numpy as np

    names, index = np.unique(groups, return_inverse=True)
    firsts = np.full(len(names), BEYOND)
    np.minimum.at(firsts, index, places)
    return names, firsts
