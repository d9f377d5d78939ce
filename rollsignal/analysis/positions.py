"""This module decides one series for many windows in one pass over its closes.

The margin of a bar, `window * close - sum of its window's closes`, is `a + b`, where `a`, the
product less the sum of all closes up to the bar, grows by one close from window to window, and `b`
is the sum of all closes before the window. Closes are taken a block at a time, relative to the
block's first, in the smallest type that is proved to hold every margin; sums may wrap around, and
margins are exact all the same.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]
    # Whole ticks as int64; as Python integers (dtype object) where an int64 is too small.
    Ticks = NDArray[Any]
    Bools = NDArray[np.bool_]


SWEPT_BARS = 65_536


class DecidedBlock(NamedTuple):
    """The signals of bars that follow each other, for one window.

    `ones[0]` is the bar before `start` (False for the first of the series), `ones[k + 1]` the bar
    `start + k`; False also stands for a bar without a signal. `ages` is the number of closes up to
    each bar since the series began or a close was missing; None if it is above the window for all.
    The arrays are overwritten by the next block: use them before.
    """

    window: int
    start: int
    ones: "Bools"
    ages: "Ints | None"
    signals: int
    ties: int


def decided_blocks(ticks: "Ticks", gaps: "Ints", windows: Sequence[int]) -> Iterator[DecidedBlock]:
    """Yield the signals of every block of bars for each window, block by block.

    ticks: the closes of a series, without missing ones. gaps: places in it before which a close is
    missing that ends every window; ascending. windows: ascending.
    """
    import numpy as np

    longest = windows[-1]
    before = np.zeros(len(windows), np.bool_)
    ones = np.empty(SWEPT_BARS + 1, np.bool_)
    for start in range(0, len(ticks), SWEPT_BARS):
        closes = ticks[max(0, start - longest) : start + SWEPT_BARS]
        ages = _ages(start, min(SWEPT_BARS, len(ticks) - start), gaps)
        for place, margins in enumerate(_margins_by_window(closes, min(start, longest), windows)):
            window = windows[place]
            block = ones[: len(margins) + 1]
            block[0] = before[place]
            old = None if ages[0] > window and not len(gaps) else ages
            yield _decided_block(window, start, margins, block, old)
            before[place] = block[-1]


def _decided_block(
    window: int, start: int, margins: "Ticks", ones: "Bools", ages: "Ints | None"
) -> DecidedBlock:
    import numpy as np

    np.greater(margins, 0, out=ones[1:])
    if ages is None:
        ties = len(margins) - int(np.count_nonzero(margins))
        return DecidedBlock(window, start, ones, None, len(margins), ties)
    has_signal = ages >= window
    ones[1:] &= has_signal
    ties = int(np.count_nonzero((margins == 0) & has_signal))
    return DecidedBlock(window, start, ones, ages, int(np.count_nonzero(has_signal)), ties)


def _ages(start: int, count: int, gaps: "Ints") -> "Ints":
    """Return for each bar the number of closes, itself included, since nothing was missing."""
    import numpy as np

    places = np.arange(start, start + count)
    if not len(gaps):
        return places + 1
    since = np.searchsorted(gaps, places, side="right")
    begins = np.concatenate((np.zeros(1, np.int64), gaps))[since]
    return places - begins + 1


def _margins_by_window(closes: "Ticks", first: int, windows: Sequence[int]) -> "Iterator[Ticks]":
    """Yield for each window the margins of `closes[first:]`.

    Those without a whole window mean nothing. Each array overwrites the one before.
    """
    import numpy as np

    closes = relative(closes, windows[-1])
    sums = np.zeros(len(closes) + 1, closes.dtype)
    np.cumsum(closes, dtype=closes.dtype, out=sums[1:])
    own = closes[first:]
    rising = -sums[first + 1 :]
    margins = np.empty_like(own)
    last = 0
    for window in windows:
        rising += own if window - last == 1 else own * (window - last)
        last = window
        missing = min(len(own), max(0, window - 1 - first))
        margins[:missing] = 0
        if missing < len(own):
            before = sums[first + 1 - window + missing :][: len(own) - missing]
            np.add(rising[missing:], before, out=margins[missing:])
        yield margins


def relative(closes: "Ticks", longest: int) -> "Ticks":
    """Subtract the first close, and choose the smallest type that holds every margin.

    A margin and each side of it is at most `2 * window * range` in size.
    """
    import numpy as np

    base = int(closes[0])
    size = max(int(closes.max()) - base, base - int(closes.min()))
    if 2 * longest * size < 2**31:
        return (closes - base).astype(np.int32)
    if closes.dtype == np.int64 and 2 * longest * size < 2**63:
        return closes - base
    return closes.astype(object) - base
