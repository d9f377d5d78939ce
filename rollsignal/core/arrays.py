"""This module turns NumPy arrays of closes into int64 ticks, decides them, and computes means."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.core.kernel import INT64_MAX, Carry, LastBar, Tally, fits_int64, margin_blocks
from rollsignal.core.quality import SENTINELS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# How many significant digits of a decimal a float always keeps, by its size in bytes.
SAFE_DIGITS = {4: 6, 8: 15}
DOUBLE_WHOLE = 2**53
FLOAT_BLOCK = 1 << 14
# A batch of closes is laid after the last closes of a shorter window, which costs little.
LONG_WINDOW = 4096


class TickArray(NamedTuple):
    """Closes as int64 ticks of 10^-scale, none greater in size than `most`."""

    values: "NDArray[np.int64]"
    scale: int
    most: int = 2**63

    def listed(self) -> list[int | None]:
        """Return the ticks as a list."""
        return [*self.values.tolist()]

    def suspects(self) -> int:
        """Count the closes that `value_findings` finds; look for the greatest only if need be."""
        import numpy as np

        least = SENTINELS[0] * 10**self.scale
        count = 0 if self.values.min() > 0 else int(np.count_nonzero(self.values <= 0))
        if least <= self.most and self.values.max() >= least:
            sentinels = [number * 10**self.scale for number in SENTINELS]
            fitting = [number for number in sentinels if number <= INT64_MAX]
            count += int(np.count_nonzero(np.isin(self.values, fitting)))
        return count

    def fits(self, window: int) -> bool:
        """Prove the same as `fits_int64`; look at the ticks only if `most` does not prove it."""
        return 2 * window * self.most <= INT64_MAX or fits_int64(self.values, window)


def ticks_of_array(closes: "NDArray[Any]", window: int) -> TickArray | None:
    """Turn an array of integers or floats into ticks that `fits_int64`.

    A float stands for the shortest decimal that identifies it. Returns None if the ticks need more
    than int64, or a float more digits than `SAFE_DIGITS`: then each close is read as text.
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

    At most one decimal of 15 significant digits or fewer (6 for float32) rounds to a given double,
    so it is the shortest; and t / 10^s is correctly rounded while t is below 2^53 and s at most
    22. Source: IEEE 754 and the DBL_DIG, FLT_DIG of C.
    """
    import numpy as np

    digits = SAFE_DIGITS[closes.dtype.itemsize]
    values = np.empty(len(closes), np.int64)
    scale = 0
    # The first closes show the scale, and most often it suits the others.
    for size in (min(1024, len(closes)), len(closes)):
        while not _fill(values[:size], closes[:size], scale):
            scale += 1
            if scale == digits:
                return None
    return TickArray(values, scale, 10**digits)


def _fill(values: "NDArray[np.int64]", closes: "NDArray[np.floating[Any]]", scale: int) -> bool:
    """Fill in the ticks at this scale; return if each close is the nearest float to its ticks.

    Works in blocks that fit the cache. NaN is refused because it is not equal to itself, and
    infinity because it is not below the limit.
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
        """Return the last bar."""
        margin = int(self.margins[-1]) if len(self.margins) else None
        return LastBar(int(self.closes[-1]), margin, self.scale, window)

    def numbers(self, before: int) -> "NDArray[np.int64]":
        """Return each bar's number in its series, from 1; `before` bars came earlier."""
        import numpy as np

        return before + 1 + np.arange(len(self.closes))

    def padded(self) -> "tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]":
        """Return the closes, a margin for each (0 where there is none), and which bars have one."""
        import numpy as np

        warm_up = np.zeros(len(self.closes) - len(self.margins), np.int64)
        margins = np.concatenate((warm_up, self.margins))
        return self.closes, margins, np.arange(len(margins)) >= len(warm_up)


def advance_array(carry: Carry, closes: TickArray) -> tuple[MarginArray, Carry] | None:
    """Decide the next bars of a series as `kernel.advance` does; the array must not be empty.

    Returns None if that needs more than int64.
    """
    import numpy as np

    scale = max(carry.scale, closes.scale)
    factor = 10 ** (scale - closes.scale)
    if factor > INT64_MAX or not closes.fits(carry.window * factor):
        return None
    values = closes.values * factor if factor > 1 else closes.values
    if carry.window > LONG_WINDOW:
        return _advance_long(carry, values, scale)
    tail = [tick * 10 ** (scale - carry.scale) for tick in carry.tail]
    if 2 * carry.window * max(map(abs, tail), default=0) > INT64_MAX:
        return None
    joined = np.concatenate((np.array(tail, np.int64), values))
    margins = np.empty(max(0, len(joined) - carry.window + 1), np.int64)
    at = ones = ties = 0
    for block in margin_blocks(joined, carry.window):
        margins[at : at + len(block)] = block
        ones += int(np.count_nonzero(block > 0))
        ties += len(block) - int(np.count_nonzero(block))
        at += len(block)
    kept = joined[max(0, len(joined) - carry.window + 1) :].tolist()
    tally = Tally(len(values), 0, len(margins), ones, ties)
    return MarginArray(values, margins, scale, tally), Carry(carry.window, scale, tuple(kept))


def _advance_long(
    carry: Carry, values: "NDArray[np.int64]", scale: int
) -> tuple[MarginArray, Carry] | None:
    """Do the same for a long window, with ticks of 10^-scale."""
    import numpy as np

    from rollsignal.core.long_windows import LongTail

    limit = INT64_MAX // (2 * carry.window)
    tail = LongTail.of(carry.tail, 10 ** (scale - carry.scale), limit)
    if tail is None:
        return None
    margins, kept = tail.decided(values, carry.window)
    ones, ties = (int(np.count_nonzero(fact)) for fact in (margins > 0, margins == 0))
    tally = Tally(len(values), 0, len(margins), ones, ties)
    return MarginArray(values, margins, scale, tally), Carry(carry.window, scale, kept)


def float_means(sums: "NDArray[np.int64]", window: int, scale: int) -> "NDArray[np.float64]":
    """Divide window sums in ticks by the window: the doubles nearest to the exact means.

    The division of two doubles is correctly rounded; if a sum or the divisor is not exact as a
    double, Python divides whole numbers, which is correctly rounded too.
    """
    import numpy as np

    divisor = window * 10**scale
    if divisor <= DOUBLE_WHOLE and len(sums) and np.abs(sums).max() <= DOUBLE_WHOLE:
        return sums / float(divisor)
    return np.array([total / divisor for total in sums.tolist()], np.float64)
