"""The kernel alone beside other libraries' rolling means: one process, one array, no file.

`python -m bench.kernel ROWS REPEATS` prints JSON: for each library the seconds from the array to
the signals, and how many signals are wrong; null for a library that is not installed.
"""

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from bench import oracle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.core.arrays import TickArray

    Signals = NDArray[np.bool_]

OURS = "rollsignal, int64 ticks"
POLARS = "polars rolling_mean, int64"
WINDOW = oracle.WINDOW


class Arrays(NamedTuple):
    """The same closes twice: in int64 ticks and as doubles."""

    ticks: Any
    doubles: Any


def rollsignal_ticks(arrays: Arrays) -> "Signals":
    from rollsignal.core.arrays import TickArray

    return _decided(TickArray(arrays.ticks, 2))


def rollsignal_doubles(arrays: Arrays) -> "Signals":
    from rollsignal.core.arrays import ticks_of_array

    ticks = ticks_of_array(arrays.doubles, WINDOW)
    assert ticks
    return _decided(ticks)


def _decided(ticks: "TickArray") -> "Signals":
    """Decide as a run does."""
    from rollsignal.core.arrays import advance_array
    from rollsignal.core.kernel import Carry

    advanced = advance_array(Carry(WINDOW), ticks)
    assert advanced
    signals: Signals = advanced[0].margins > 0
    return signals


def polars_ticks(arrays: Arrays) -> "Signals":
    return _polars(arrays.ticks)


def polars_doubles(arrays: Arrays) -> "Signals":
    return _polars(arrays.doubles)


def _polars(closes: Any) -> "Signals":
    import polars as pl

    series = pl.Series(closes)
    return (series > series.rolling_mean(WINDOW)).slice(WINDOW - 1).to_numpy()


def pandas_doubles(arrays: Arrays) -> "Signals":
    import pandas as pd

    series = pd.Series(arrays.doubles, copy=False)
    signals: Signals = (series > series.rolling(WINDOW).mean()).to_numpy()[WINDOW - 1 :]
    return signals


def talib_doubles(arrays: Arrays) -> "Signals":
    import talib

    signals: Signals = (arrays.doubles > talib.SMA(arrays.doubles, WINDOW))[WINDOW - 1 :]
    return signals


def bottleneck_doubles(arrays: Arrays) -> "Signals":
    import bottleneck

    signals: Signals = (arrays.doubles > bottleneck.move_mean(arrays.doubles, WINDOW))[WINDOW - 1 :]
    return signals


def cumsum_doubles(arrays: Arrays) -> "Signals":
    import numpy as np

    sums = np.cumsum(np.concatenate(([0.0], arrays.doubles)))
    signals: Signals = arrays.doubles[WINDOW - 1 :] > (sums[WINDOW:] - sums[:-WINDOW]) / WINDOW
    return signals


PROGRAMS: dict[str, Callable[[Arrays], "Signals"]] = {
    OURS: rollsignal_ticks,
    "rollsignal, doubles to ticks first": rollsignal_doubles,
    POLARS: polars_ticks,
    "polars rolling_mean, doubles": polars_doubles,
    "pandas rolling().mean(), doubles": pandas_doubles,
    "TA-Lib SMA, doubles": talib_doubles,
    "bottleneck move_mean, doubles": bottleneck_doubles,
    "NumPy cumsum, doubles": cumsum_doubles,
}


def measure(rows: int, repeats: int) -> dict[str, dict[str, object] | None]:
    """Check each library once, then time them in turn."""
    texts = oracle.closes_text(rows)
    ticks = oracle.cents(texts)
    arrays = Arrays(ticks, texts.cast(float).to_numpy())
    sides = oracle.sides(ticks.reshape(1, -1), WINDOW)
    oracle.hold_to_definition(sides, texts)
    right = sides[0] > 0
    wrong: dict[str, int] = {}
    for name, decide in PROGRAMS.items():
        try:
            wrong[name] = int((decide(arrays) != right).sum())
        except ModuleNotFoundError:
            continue
    seconds: dict[str, list[float]] = {name: [] for name in wrong}
    for _ in range(repeats):
        for name in wrong:
            started = time.perf_counter()
            PROGRAMS[name](arrays)
            seconds[name].append(time.perf_counter() - started)
    return {
        name: {"seconds": seconds[name], "wrong": wrong[name]} if name in wrong else None
        for name in PROGRAMS
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), int(sys.argv[2]))))
