"""This module adds and rounds so that no figure depends on the machine that computes it."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rollsignal.core.kernel import BLOCK_BARS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE_DIGITS = 12
_MANTISSA_BITS = 53
_HALF_BITS = 26
# The least double is 2^-1074; its fraction is moved by 53 bits more.
_LEAST_EXPONENT = 1127


def exact_sum(values: "NDArray[Any]") -> float:
    """Return the double nearest to the sum of all values, whatever their order.

    >>> import numpy as np
    >>> exact_sum(np.array([1e100, 1.0, -1e100]))
    1.0
    """
    return exact_total([values])


def exact_total(parts: "Iterable[NDArray[Any]]") -> float:
    """Return the double nearest to the sum of all values of all parts, as `math.fsum` does.

    Each double is a whole number of small units, and whole numbers are added: that is faster.
    """
    import numpy as np

    total, unit = 0, 1 << _LEAST_EXPONENT
    for part in parts:
        for start in range(0, len(part), BLOCK_BARS):
            block = part[start : start + BLOCK_BARS]
            if not np.isfinite(block).all():
                return math.nan
            total += _units(block)
    try:
        return total / unit
    except OverflowError:
        return math.nan


def _units(block: "NDArray[Any]") -> int:
    """Return the exact sum of doubles, in units of 2^-1127."""
    import numpy as np

    fractions, exponents = np.frexp(block)
    wholes = np.ldexp(fractions, _MANTISSA_BITS).astype(np.int64)
    # Halves of the digits, so that sums of a block of them stay below 2^53.
    upper = wholes >> _HALF_BITS
    lower = wholes - (upper << _HALF_BITS)
    least = int(exponents.min())
    places = exponents - least
    found = 0
    for half, shift in ((upper, _HALF_BITS), (lower, 0)):
        for place, units in enumerate(np.bincount(places, weights=half).tolist()):
            found += int(units) << (place + shift)
    return found << (least - _MANTISSA_BITS + _LEAST_EXPONENT)


def total_of(values: Iterable[float]) -> float:
    """Return the double nearest to a sum; not a number where none is near.

    >>> total_of([1e308, 1e308])
    nan
    """
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return math.nan


def rounded(value: float) -> float:
    """Round to 12 significant digits what needs a logarithm or a power.

    Libraries of mathematics differ in the last of their 16 digits.

    >>> rounded(2 / 3)
    0.666666666667
    """
    return float(f"{value:.{SURE_DIGITS - 1}e}")
