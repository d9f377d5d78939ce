"""This module computes the margins of a series again, from its closes alone."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rollsignal.core.kernel import BLOCK_BARS, INT64_MAX

if TYPE_CHECKING:
    from numpy.typing import NDArray


def margins_in_blocks(
    closes: "NDArray[Any]", window: int
) -> "Iterator[tuple[slice, NDArray[Any]]]":
    """Yield the margins of all closes but the first `window` - 1, and where they are, in blocks.

    The margin of a close is `window` * close - the sum of its window, in ticks as the closes are.
    It is exact: int64 where nothing can overflow, else Python integers.

    >>> import numpy as np
    >>> [(at.start, found.tolist()) for at, found in margins_in_blocks(np.array([1, 2, 3, 7]), 3)]
    [(2, [3, 9])]
    """
    step = max(BLOCK_BARS, window)
    for start in range(window - 1, len(closes), step):
        stop = min(start + step, len(closes))
        yield slice(start, stop), _margins(closes[start - window + 1 : stop], window)


def _margins(closes: "NDArray[Any]", window: int) -> "NDArray[Any]":
    import numpy as np

    # A margin is the same if all closes are moved, so only their range counts.
    least, most = int(closes.min()), int(closes.max())
    if (most - least) * len(closes) * 2 > INT64_MAX:
        closes = closes.astype(object)
    moved = closes - least
    sums = np.cumsum(moved)
    window_sums = sums[window - 1 :].copy()
    window_sums[1:] -= sums[: len(sums) - window]
    margins: NDArray[Any] = window * moved[window - 1 :] - window_sums
    return margins
