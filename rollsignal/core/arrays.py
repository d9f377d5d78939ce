"""This module turns NumPy arrays of closes into int64 ticks, and sums into means, exactly."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.core.kernel import INT64_MAX, Carry, LastBar, Tally, fits_int64, margin_blocks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# Any two decimals of so many significant digits are told apart by such a float.
SAFE_DIGITS = {4: 6, 8: 15}
DOUBLE_WHOLE = 2**53
FLOAT_BLOCK = 1 << 14


class TickArray(NamedTuple):
    """Closes as int64 ticks of 10^-scale, each of `most` in size at most."""

    values: "NDArray[np.int64]"
    scale: int
    most: int = 2**63

    def listed(self) -> list[int | None]:
        """Return the ticks as a list."""
        return [*self.values.tolist()]

    def fits(self, window: int) -> bool:
        """Prove what `fits_int64` does, by looking at the ticks only if `most` is no proof."""
        return 2 * window * self.most <= INT64_MAX or fits_int64(self.values, window)


def ticks_of_array(closes: "NDArray[Any]", window: int) -> TickArray | None:
    """Turn an array of integers or floats into ticks that `fits_int64`.

    A float stands for the shortest decimal that identifies it. Returns None where that needs
    more than int64 or more digits than are safe to find at once: then each is read as text.
    """
    import numpy as np

    ticks: TickArray | None = None
    if closes.dtype.kind == "f" and closes.dtype.itemsize in SAFE_DIGITS:
        ticks = _ticks_of_floats(closes)
    elif closes.dtype.kind == "i" or (closes.dtype.kind == "u" and closes.dtype.itemsize < 8):
        ticks = TickArray(closes.astype(np.int64), 0)
    return ticks if ticks and ticks.fits(window) else None


def _ticks_of_floats(closes: "NDArray[np.floating[Any]]") -> TickArray | None:
    """Find the least scale at which every float is the nearest one to a whole number of ticks.

    A decimal of at most 15 significant digits (6 for float32) that rounds to a double is the
    only one so short that does, hence the shortest; and t / 10^s is correctly rounded while t
    is below 2^53 and s at most 22. Source: IEEE 754 and the DBL_DIG, FLT_DIG of C.
    """
    import numpy as np

    digits = SAFE_DIGITS[closes.dtype.itemsize]
    values = np.empty(len(closes), np.int64)
    scale = 0
    # The first few tell the scale, which the rest most often share.
    for size in (min(1024, len(closes)), len(closes)):
        while not _fill(values[:size], closes[:size], scale):
            scale += 1
            if scale == digits:
                return None
    return TickArray(values, scale, 10**digits)


def _fill(values: "NDArray[np.int64]", closes: "NDArray[np.floating[Any]]", scale: int) -> bool:
    """Fill in the ticks of this scale; tell if each close is the nearest float to its ticks.

    In blocks that stay in cache. No NaN equals itself, and no infinity is below the limit.
    """
    import numpy as np

    unit, limit = 10.0**scale, 10.0 ** SAFE_DIGITS[closes.dtype.itemsize]
    ticks = np.empty(min(len(closes), FLOAT_BLOCK))
    back = np.empty_like(ticks)
    with np.errstate(over="ignore", invalid="ignore"):
        for start in range(0, len(closes), FLOAT_BLOCK):
            block = closes[start : start + FLOAT_BLOCK]
            whole, again = ticks[: len(block)], back[: len(block)]
            np.multiply(block, unit, out=whole, dtype=np.float64)
            np.rint(whole, out=whole)
            if not (whole.max() < limit and whole.min() > -limit):
                return False
            np.divide(whole, unit, out=again)
            if not (again.astype(closes.dtype, copy=False) == block).all():
                return False
            values[start : start + len(block)] = whole
    return True


class MarginArray(NamedTuple):
    """The closes and margins of consecutive bars, in ticks of 10^-scale.

    The first bars have no margin: `margins` holds those of the last `len(margins)`.
    """

    closes: "NDArray[np.int64]"
    margins: "NDArray[np.int64]"
    scale: int
    tally: Tally

    def last(self, window: int) -> LastBar:
        """Take the last bar."""
        margin = int(self.margins[-1]) if len(self.margins) else None
        return LastBar(int(self.closes[-1]), margin, self.scale, window)

    def numbers(self, before: int) -> "NDArray[np.int64]":
        """Count the bars of their series, of which so many came before."""
        import numpy as np

        return before + 1 + np.arange(len(self.closes))

    def padded(self) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]":
        """Return closes, a margin for every one of them, and which ones have it."""
        import numpy as np

        warm_up = np.zeros(len(self.closes) - len(self.margins), np.int64)
        margins = np.concatenate((warm_up, self.margins))
        return self.closes, margins, np.arange(len(margins)) >= len(warm_up)


def advance_array(carry: Carry, closes: TickArray) -> tuple[MarginArray, Carry] | None:
    """Decide the next bars of a series as `kernel.advance` does, on an array of at least one.

    Returns None where that needs more than int64.
    """
    import numpy as np

    scale = max(carry.scale, closes.scale)
    factor = 10 ** (scale - closes.scale)
    tail = [tick * 10 ** (scale - carry.scale) for tick in carry.tail]
    kept_fit = 2 * carry.window * max(map(abs, tail), default=0) <= INT64_MAX
    if factor > INT64_MAX or not (kept_fit and closes.fits(carry.window * factor)):
        return None
    values = closes.values * factor if factor > 1 else closes.values
    known = np.concatenate((np.array(tail, np.int64), values))
    margins = np.empty(max(0, len(known) - carry.window + 1), np.int64)
    at = ones = ties = 0
    for block in margin_blocks(known, carry.window):
        margins[at : at + len(block)] = block
        ones += int(np.count_nonzero(block > 0))
        ties += len(block) - int(np.count_nonzero(block))
        at += len(block)
    kept = known[max(0, len(known) - carry.window + 1) :].tolist()
    tally = Tally(len(values), 0, len(margins), ones, ties)
    return MarginArray(values, margins, scale, tally), Carry(carry.window, scale, tuple(kept))


def float_means(sums: "NDArray[np.int64]", window: int, scale: int) -> "NDArray[np.float64]":
    """Divide window sums in ticks by the window: the doubles nearest to the exact means.

    The division of two doubles is correctly rounded; where a sum or the divisor is no double,
    Python's division of whole numbers is.
    """
    import numpy as np

    divisor = window * 10**scale
    if divisor <= DOUBLE_WHOLE and len(sums) and np.abs(sums).max() <= DOUBLE_WHOLE:
        return sums / float(divisor)
    return np.array([total / divisor for total in sums.tolist()], np.float64)
