"""This module tells what engines that compute with binary doubles say of the last bar of a series.

Each is given all closes up to that bar, because what most of them say depends on what they summed
before. So beside 8 bytes a close they need what they need: pandas some 30 more. None of it ever
decides a signal.
"""

from collections.abc import Callable
from functools import reduce
from math import isfinite
from operator import add
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]


class FloatAnswer(NamedTuple):
    """The rolling mean that an engine computes, and the signal that follows from it.

    Both are None where it computes no finite number.
    """

    engine: str
    mean: float | None
    signal: int | None


def float_answers(closes: "Doubles", window: int) -> list[FloatAnswer]:
    """Ask every engine for the last of at least `window` closes; NaN is a missing one.

    >>> import numpy as np
    >>> float_answers(np.array([42518.00, 42518.01, 42518.02, 42518.01, 42518.01]), 5)[-1]
    FloatAnswer(engine='Python sum of floats', mean=42518.01, signal=0)
    """
    close = float(closes[-1])
    return [_answer(engine, mean(closes, window), close) for engine, mean in RIVALS.items()]


def _answer(engine: str, mean: float | None, close: float) -> FloatAnswer:
    if mean is None or not isfinite(mean):
        return FloatAnswer(engine, None, None)
    return FloatAnswer(engine, mean, int(close > mean))


def _pandas(closes: "Doubles", window: int) -> float:
    import pandas as pd

    return float(pd.Series(closes).rolling(window).mean().iloc[-1])


def _polars(closes: "Doubles", window: int) -> float | None:
    import polars as pl

    mean: float | None = pl.Series(closes, nan_to_null=True).rolling_mean(window)[-1]
    return mean


def _cumsum(closes: "Doubles", window: int) -> float:
    import numpy as np

    # A run of doubles may overflow, and infinities then cancel to NaN: that is no answer.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.cumsum(closes)
        before = sums[-1 - window] if len(sums) > window else 0.0
        return float((sums[-1] - before) / window)


def _python(closes: "Doubles", window: int) -> float:
    # One after the other: from Python 3.12 on, sum() compensates for what it rounds.
    return float(reduce(add, closes[-window:].tolist()) / window)


RIVALS: "dict[str, Callable[[Doubles, int], float | None]]" = {
    "pandas rolling().mean()": _pandas,
    "polars rolling_mean": _polars,
    "NumPy cumsum": _cumsum,
    "Python sum of floats": _python,
}
