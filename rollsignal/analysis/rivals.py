"""This module asks tools that compute with binary doubles for the rolling means of a series.

Each tool gets the whole series, because the results of most of them depend on earlier sums. A close
takes 8 bytes, and what the tool adds: pandas about 30 more. These answers never decide a signal.
"""

from collections.abc import Callable
from importlib.util import find_spec
from math import isfinite
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]


class Rival(NamedTuple):
    """A tool that computes rolling means with doubles.

    `name` is the title of its method, `module` what is imported, `package` what is installed (""
    for Python itself). `means` takes the closes, NaN where one is missing, and a window; it returns
    as many means, NaN where the tool computes none.
    """

    name: str
    module: str
    package: str
    means: "Callable[[Doubles, int], Doubles]"

    @property
    def is_installed(self) -> bool:
        """Return whether the tool can be imported here; imports nothing."""
        return find_spec(self.module) is not None

    @property
    def version(self) -> str:
        """Return the version of the installed tool."""
        import platform
        from importlib.metadata import version

        return version(self.package) if self.package else platform.python_version()


class FloatAnswer(NamedTuple):
    """The rolling mean that an engine computes, and the signal that follows from it.

    Both are None if the engine computes no finite number.
    """

    engine: str
    mean: float | None
    signal: int | None


def float_answers(closes: "Doubles", window: int) -> list[FloatAnswer]:
    """Return the answer of every installed tool for the last close; NaN is a missing close.

    closes: at least `window` of them.

    >>> import numpy as np
    >>> float_answers(np.array([42518.00, 42518.01, 42518.02, 42518.01, 42518.01]), 5)[3]
    FloatAnswer(engine='Python sum of floats', mean=42518.01, signal=0)
    """
    close = float(closes[-1])
    installed = [rival for rival in RIVALS.values() if rival.is_installed]
    return [
        _answer(rival.name, float(rival.means(closes, window)[-1]), close) for rival in installed
    ]


def _answer(engine: str, mean: float, close: float) -> FloatAnswer:
    if not isfinite(mean):
        return FloatAnswer(engine, None, None)
    return FloatAnswer(engine, mean, int(close > mean))


def _pandas(closes: "Doubles", window: int) -> "Doubles":
    import pandas as pd

    return pd.Series(closes).rolling(window).mean().to_numpy()


def _polars(closes: "Doubles", window: int) -> "Doubles":
    import polars as pl

    means = pl.Series(closes, nan_to_null=True).rolling_mean(window)
    return means.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def _cumsum(closes: "Doubles", window: int) -> "Doubles":
    import numpy as np

    # Sums of doubles may overflow, and infinities then cancel to NaN: the tool has no answer.
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.cumsum(closes)
        means = np.full(len(closes), np.nan)
        means[window - 1 : window] = sums[window - 1 : window] / window
        means[window:] = (sums[window:] - sums[:-window]) / window
    return means


def _python(closes: "Doubles", window: int) -> "Doubles":
    """Add the closes of each window from first to last, as a loop in Python does.

    Not as `sum` does, which compensates for rounding errors from Python 3.12 on.
    """
    import numpy as np

    means = np.full(len(closes), np.nan)
    with np.errstate(over="ignore", invalid="ignore"):
        count = max(0, len(closes) - window + 1)
        sums = np.zeros(count)
        for place in range(window):
            sums += closes[place : place + count]
        means[window - 1 :] = sums / window
    return means


def _duckdb(closes: "Doubles", window: int) -> "Doubles":
    import duckdb
    import numpy as np

    query = (
        "SELECT CASE WHEN count(close) OVER bars = ? THEN avg(close) OVER bars END AS mean FROM"
        " (SELECT place, CASE WHEN isnan(close) THEN NULL ELSE close END AS close FROM table_of)"
        f" WINDOW bars AS (ORDER BY place ROWS {window - 1:d} PRECEDING) ORDER BY place"
    )
    with duckdb.connect() as connection:
        connection.register("table_of", {"place": np.arange(len(closes)), "close": closes})
        means = connection.execute(query, [window]).fetchnumpy()["mean"]
    return np.ma.filled(means, np.nan)


def _talib(closes: "Doubles", window: int) -> "Doubles":
    import numpy as np
    import talib

    # It knows no mean of a single close, and has no answer where there are fewer than the window.
    if not 2 <= window <= TALIB_LONGEST or len(closes) < window:
        return np.full(len(closes), np.nan)
    means: Doubles = talib.SMA(closes, timeperiod=window)
    return means


def _bottleneck(closes: "Doubles", window: int) -> "Doubles":
    import bottleneck
    import numpy as np

    if len(closes) < window:
        return np.full(len(closes), np.nan)
    means: Doubles = bottleneck.move_mean(closes, window)
    return means


TALIB_LONGEST = 100_000
RIVALS = {
    "pandas": Rival("pandas rolling().mean()", "pandas", "pandas", _pandas),
    "polars": Rival("polars rolling_mean", "polars", "polars", _polars),
    "numpy": Rival("NumPy cumsum", "numpy", "numpy", _cumsum),
    "python": Rival("Python sum of floats", "builtins", "", _python),
    "duckdb": Rival("DuckDB avg() OVER", "duckdb", "duckdb", _duckdb),
    "talib": Rival("TA-Lib SMA", "talib", "ta-lib", _talib),
    "bottleneck": Rival("bottleneck move_mean", "bottleneck", "bottleneck", _bottleneck),
}
