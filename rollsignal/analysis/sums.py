"""This module adds and rounds so that no figure depends on the machine that computes it."""

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rollsignal.core.kernel import BLOCK_BARS

if TYPE_CHECKING:
    from numpy.typing import NDArray

SURE_DIGITS = 12


def exact_sum(values: "NDArray[Any]") -> float:
    """Return the double nearest to the sum of all values, whatever their order.

    >>> import numpy as np
    >>> exact_sum(np.array([1e100, 1.0, -1e100]))
    1.0
    """
    return exact_total([values])


def exact_total(parts: "Iterable[NDArray[Any]]") -> float:
    """Return the double nearest to the sum of all values of all parts."""
    blocks = (
        part[start : start + BLOCK_BARS]
        for part in parts
        for start in range(0, len(part), BLOCK_BARS)
    )
    return math.fsum(value for block in blocks for value in block.tolist())


def rounded(value: float) -> float:
    """Round to 12 significant digits what needs a logarithm or a power.

    Libraries of mathematics differ in the last of their 16 digits.

    >>> rounded(2 / 3)
    0.666666666667
    """
    return float(f"{value:.{SURE_DIGITS - 1}e}")
