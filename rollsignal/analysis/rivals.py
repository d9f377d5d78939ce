"""This module asks engines that compute with binary doubles for the signal of the last bar.

Each engine gets all closes up to that bar, because the result of most of them depends on earlier
sums. A close takes 8 bytes, and what the engine adds: pandas about 30 more. These answers never
decide a signal.
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

    Both are None if the engine computes no finite number.
    """

    engine: str
    mean: float | None
    signal: int | None


def float_answers(closes: "Doubles", window: int) -> list[FloatAnswer]:
    """Return the answer of every engine for the last close; NaN is a missing close.

    closes: at least `window` of them.

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

    # Sums of doubles may overflow, and infinities then cancel to NaN: the engine has no answer.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.cumsum(closes)
        sum_before = sums[-1 - window] if len(sums) > window else 0.0
        return float((sums[-1] - sum_before) / window)


def _python(closes: "Doubles", window: int) -> float:
    # Not sum(): from Python 3.12 on, it compensates for rounding errors.
    return float(reduce(add, closes[-window:].tolist()) / window)


RIVALS: "dict[str, Callable[[Doubles, int], float | None]]" = {
    "pandas rolling().mean()": _pandas,
    "polars rolling_mean": _polars,
    "NumPy cumsum": _cumsum,
    "Python sum of floats": _python,
}
