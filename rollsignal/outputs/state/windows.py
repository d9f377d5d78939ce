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
_LOW_HALF = 0xFFFFFFFF


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
    series, firsts = _firsts(file_series(present), present["place"])
    wanted = file_series(known)
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

    keys, firsts = _firsts(file_series(of_files), of_files["place"])
    series = keys & _LOW_HALF
    # Bars that wait may be of a series without a number, as none of its bars is decided.
    known, new = known[known["series"] >= 0], new[new["series"] >= 0]
    last_of = np.full(len(symbols), -BEYOND)
    np.maximum.at(last_of, known["series"], known["place"])
    first_of = np.full(len(symbols), BEYOND)
    np.minimum.at(first_of, new["series"], new["place"])
    at = (firsts > last_of[series]) & (last_of[series] > -BEYOND) & (first_of[series] >= firsts)
    steps = _usual_steps(known[np.isin(known["series"], series[at])])
    return [
        Jump(key >> 32, symbols[key & _LOW_HALF], last, first)
        for key, last, first in zip(
            keys[at].tolist(), last_of[series[at]].tolist(), firsts[at].tolist(), strict=True
        )
        if first - last > steps.get(key & _LOW_HALF, 0)
    ]


def _usual_steps(bars: "Bars") -> dict[int, int]:
    """Return the most common step in time of each series, the shortest of several."""
    import numpy as np

    order = np.lexsort((bars["place"], bars["series"]))
    series, places = bars["series"][order], bars["place"][order]
    found = {}
    for part in np.split(np.arange(len(order)), np.flatnonzero(np.diff(series)) + 1):
        steps, counts = np.unique(np.diff(places[part]), return_counts=True)
        if len(steps):
            found[int(series[part[0]])] = int(steps[counts.argmax()])
    return found


def file_series(bars: "Bars") -> "NDArray[np.int64]":
    """Return a number for the file and series of each bar."""
    low: NDArray[np.int64] = bars["series"].astype("i8") & _LOW_HALF
    return bars["file"].astype("i8") << 32 | low


def _firsts(
    groups: "NDArray[np.integer]", places: "NDArray[np.int64]"
) -> "tuple[NDArray[np.integer], NDArray[np.int64]]":
    """Return each group, sorted, and the first of its places."""
    import numpy as np

    names, index = np.unique(groups, return_inverse=True)
    firsts = np.full(len(names), BEYOND)
    np.minimum.at(firsts, index, places)
    return names, firsts
