"""This module computes what prices did, and what holding them by their signals would have made.

A bar whose close is not above 0 has no return, and is left out. A step leads from one close to the
next. All quotients are those of whole ticks, rounded once; the steps up to a bar depend on no later
bar.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.decided_run import PastSeries
from rollsignal.core.kernel import BLOCK_BARS, greatest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

# Whole numbers up to this are doubles, so that NumPy rounds their quotient once.
EXACT_WHOLES = 2**53


class PriceSteps(NamedTuple):
    """PriceSteps that follow each other, from the close of number `first` on.

    held: whether the position is held over the step. changed: whether it is another one than over
    the step before.
    """

    first: int
    returns: "Floats"
    held: "Flags"
    changed: "Flags"

    @property
    def gross(self) -> "Floats":
        """Return what each step adds before costs."""
        import numpy as np

        return np.where(self.held, self.returns, 0.0)

    def gained(self, cost: float) -> "Floats":
        """Return what each step adds to a unit of money that is held by the signals.

        cost: what a change of position takes, as a share of what is held.
        """
        gross = self.gross
        paid = cost * self.changed
        return gross - paid - paid * gross


class Ahead(NamedTuple):
    """Bars with a signal, and with the close at which it is acted on and the one `horizon` later.

    numbers: the bars. is_one: their signals. returns: from the one close to the other. rose:
    whether they are above 0.
    """

    numbers: "NDArray[np.intp]"
    is_one: "Flags"
    returns: "Floats"
    rose: "Flags"


def above_zero(series: PastSeries) -> PastSeries:
    """Return a series without the bars whose close is not above 0."""
    is_price = series.closes > 0
    if is_price.all():
        return series
    times_ns = None if series.times_ns is None else series.times_ns[is_price]
    return series._replace(
        closes=series.closes[is_price], signals=series.signals[is_price], times_ns=times_ns
    )


def quotients(numerators: "NDArray[Any]", denominators: "NDArray[Any] | int") -> "Floats":
    """Return the double nearest to each quotient of whole numbers; infinity where none is.

    denominators: one for each numerator, or one for all.

    >>> import numpy as np
    >>> quotients(np.array([1, -2]), np.array([4, 3])).tolist()
    [0.25, -0.6666666666666666]
    """
    import numpy as np

    below = np.atleast_1d(denominators)
    is_plain = numerators.dtype == below.dtype == np.int64
    if is_plain and max(map(greatest, (numerators, below))) <= EXACT_WHOLES:
        divided: Floats = numerators / below
        return divided
    pairs = zip(numerators.tolist(), np.broadcast_to(below, len(numerators)).tolist(), strict=True)
    return np.array([_quotient(*pair) for pair in pairs], dtype=np.float64)


def _quotient(numerator: int, denominator: int) -> float:
    try:
        return numerator / denominator
    except OverflowError:
        return float("inf") if numerator > 0 else float("-inf")


def steps_in_blocks(series: PastSeries, delay: int) -> Iterator[PriceSteps]:
    """Yield the steps of a series of closes above 0, in blocks.

    The position over the step from bar k is 1 if the signal of bar k - `delay` is 1, else 0.
    """
    import numpy as np

    closes, is_one = series.closes, series.signals == 1
    for first in range(0, len(closes) - 1, BLOCK_BARS):
        after = min(first + BLOCK_BARS, len(closes) - 1)
        block = closes[first : after + 1]
        # The position before the first step is 0, as before the first signal that is acted on.
        known = is_one[max(0, first - 1 - delay) : max(0, after - delay)]
        positions = np.zeros(after - first + 1, dtype=np.bool_)
        positions[len(positions) - len(known) :] = known
        yield PriceSteps(
            first,
            quotients(block[1:] - block[:-1], block[:-1]),
            positions[1:],
            positions[1:] != positions[:-1],
        )


def ahead_in_blocks(series: PastSeries, delay: int, horizon: int) -> Iterator[Ahead]:
    """Yield the forward returns of a series of closes above 0, in blocks.

    That of bar k leads from the close of bar k + `delay` to the one `horizon` bars later.
    """
    import numpy as np

    closes, signals = series.closes, series.signals
    count = len(closes) - delay - horizon
    for first in range(0, count, BLOCK_BARS):
        after = min(first + BLOCK_BARS, count)
        numbers = np.flatnonzero(signals[first:after] <= 1) + first
        acted = closes[numbers + delay]
        gained = closes[numbers + (delay + horizon)] - acted
        yield Ahead(
            numbers,
            signals[numbers] == 1,
            quotients(gained, acted),
            (gained > 0).astype(np.bool_),
        )
