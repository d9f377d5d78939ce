"""This module is the Python API: the signals of a series in memory, the job and the check."""

import logging
from collections.abc import Iterable, Mapping, Sequence, Set
from decimal import Decimal
from os import PathLike, fspath
from time import perf_counter
from typing import Any, Literal, NamedTuple, cast

from rollsignal.commands import check as inspection
from rollsignal.commands import run as job
from rollsignal.config.request import MOST_WORKERS, EngineName, Request, Workers
from rollsignal.core.arrays import float_means, ticks_of_array
from rollsignal.core.kernel import Carry, advance, margin_blocks, rolling_mean
from rollsignal.core.ticks import parse_closes
from rollsignal.engines import ENGINES
from rollsignal.errors import BadCellError, DataError
from rollsignal.files.formats import FORMATS, Format
from rollsignal.messages import LogLevel, plural, shown
from rollsignal.outputs.metrics import SuccessMetrics

Path = str | PathLike[str]

_GAP_HINT = 'missing="gap" leaves the windows with it without a signal'

LOGGER = logging.getLogger("rollsignal")
# The program that uses the library decides whether messages are shown, and where.
LOGGER.addHandler(logging.NullHandler())


class RollingSignal(NamedTuple):
    """The signals (1 or 0) and rolling means of a series, one of each for every close.

    In warm-up both are missing: None in lists, masked in NumPy arrays, null in pandas and polars
    series.
    """

    signals: Any
    means: Any


def rolling_signal(
    closes: Any, window: int, *, missing: Literal["error", "gap"] = "error"
) -> RollingSignal:
    """Decide the signal of every close of one series, exactly.

    closes: n closes, oldest first: a list or other iterable of str, int, float or Decimal, a
    NumPy array, a pandas or polars series, or a data frame of one column. A float stands for the
    shortest decimal that identifies it. window: bars, at least 1, the current one included.
    missing: what to do about None, NaN and the like: "error", or "gap": a window that contains one
    has no signal.

    Returns n signals and n means, in the container that was given: lists, masked arrays (int8 and
    float64), pandas series with the same index (Int8, Float64), polars series (Int8, Float64).
    Raises `ValueError` for a bad window, `DataError` for a close that is not a number.

    >>> rolling_signal(["100.10", "100.10", "100.10"], window=3)
    RollingSignal(signals=[None, None, 0], means=[None, None, 100.1])
    >>> rolling_signal([0.1, 0.2, 0.3, 0.2], window=3).means
    [None, None, 0.2, 0.23333333333333334]
    """
    if isinstance(window, bool) or not isinstance(window, int) or window < 1:
        raise ValueError(f"window is {window!r}, not a whole number of bars of at least 1")
    if missing not in ("error", "gap"):
        raise ValueError(f"missing is {missing!r}, not 'error' or 'gap'")
    closes = _only_column(closes)
    library = type(closes).__module__.partition(".")[0]
    if library == "pandas":
        return _of_pandas(closes, window, missing)
    if library == "polars":
        return _of_polars(closes, window, missing)
    if library == "numpy" and hasattr(closes, "dtype"):
        return _of_numpy(closes, window, missing)
    return _of_values(closes, window, missing)


def run(  # noqa: PLR0913  # the flags of the command
    input: Path | Sequence[Path] = "data.csv",
    config: Path = "config.yaml",
    output: Path = "metrics.json",
    log_file: Path | None = "run.log",
    summary: Path | None = None,
    signals: Path | None = None,
    partition_by: Literal["symbol", "date"] | None = None,
    format: Format | None = None,
    wait: float = 0,
    record: Path | None = None,
    if_changed: bool = False,
    state: Path | None = None,
    since: str | None = None,
    until: str | None = None,
    workers: Workers | None = None,
    engine: EngineName | None = None,
    expect: str | None = None,
    publish: str | Sequence[str] = (),
) -> SuccessMetrics:
    """Run the job as the command does, and return its metrics.

    URLs are text. publish: targets that are told of the run, for at most two seconds; it needs a
    record. Messages go to the standard library's logger `rollsignal`. Raises the `JobError` that
    ended the run, after the error metrics and the log are written, and `ValueError` for an unknown
    format or engine, or a wrong number of workers.
    """
    started = perf_counter()
    if workers not in (None, "auto") and not _is_worker_count(workers):
        most = f"a whole number between 1 and {MOST_WORKERS:,}"
        raise ValueError(f"workers is {workers!r}, neither {most} nor 'auto'")
    if format not in (None, *FORMATS):
        raise ValueError(f"format is {format!r}, not one of {', '.join(FORMATS)}")
    if engine not in (None, *ENGINES):
        raise ValueError(f"engine is {engine!r}, not one of {', '.join(ENGINES)}")
    request = Request(
        _paths(input),
        fspath(config),
        fspath(output),
        _path(log_file),
        summary=_path(summary),
        signals=_path(signals),
        partition_by=partition_by,
        format=format,
        wait=wait,
        record=_path(record),
        if_changed=if_changed,
        state=_path(state),
        since=since,
        until=until,
        workers=workers,
        engine=engine,
        expect=expect,
        publish=(publish,) if isinstance(publish, str) else tuple(publish),
    )
    outcome = job.run(request, started, _to_logger)
    if outcome.publishing:
        outcome.publishing.publish()
    if outcome.error:
        raise outcome.error
    return cast(SuccessMetrics, outcome.metrics)


def _is_worker_count(workers: object) -> bool:
    is_whole = isinstance(workers, int) and not isinstance(workers, bool)
    return is_whole and workers in range(1, MOST_WORKERS + 1)


def check(
    input: Path | Sequence[Path] = "data.csv", config: Path | None = None
) -> dict[str, object]:
    """Check bars with every check on, and return the report that the command prints.

    config: a config file, in which no setting is required; None for the defaults. Writes no file.
    Raises a `JobError` where there is nothing to check. Findings are in the report, and go to the
    logger `rollsignal`.
    """
    return inspection.check(_paths(input), _path(config), _to_logger).document


def _path(path: Path | None) -> str | None:
    return None if path is None else fspath(path)


def _paths(paths: Path | Sequence[Path]) -> tuple[str, ...]:
    each = (paths,) if isinstance(paths, str | PathLike) else paths
    return tuple(fspath(path) for path in each)


def _to_logger(level: LogLevel, text: str) -> None:
    LOGGER.log(logging.getLevelNamesMapping()[level], text)


def _only_column(closes: Any) -> Any:
    """Return the one column of a data frame; anything else as it is."""
    if type(closes).__name__ != "DataFrame" or not hasattr(closes, "columns"):
        return closes
    names = [str(name) for name in closes.columns]
    if len(names) != 1:
        listed = ", ".join(names[:10]) + (", …" if len(names) > 10 else "")
        raise DataError(
            f"closes are a DataFrame of {plural(len(names), 'column')}, not one"
            f" ({listed}): select the column of the closes"
        )
    is_pandas = hasattr(closes, "iloc")
    return closes.iloc[:, 0] if is_pandas else closes.to_series()


def _of_values(closes: Iterable[Any], window: int, missing: str) -> RollingSignal:
    if isinstance(closes, str | bytes | Mapping | Set):
        raise DataError(f"closes are a {type(closes).__name__}, not a series in order")
    cells = list(map(_as_text, closes))
    try:
        ticks = parse_closes(cells)
        if missing == "error" and None in ticks.values:
            raise BadCellError("not a number", ticks.values.index(None), _GAP_HINT)
    except BadCellError as bad:
        cell = shown(cells[bad.index])
        hint = f" ({bad.hint})" if bad.hint else ""
        what = f"close {bad.index} (counted from 0) is {cell}, {bad.reason}{hint}"
        raise DataError(what) from None
    decided, _ = advance(Carry(window), ticks)
    signals: list[int | None] = []
    means: list[float | None] = []
    for close, margin in zip(decided.closes, decided.margins, strict=True):
        if close is None or margin is None:
            signals.append(None)
            means.append(None)
        else:
            signals.append(int(margin > 0))
            means.append(rolling_mean(margin, close, window, decided.scale))
    return RollingSignal(signals, means)


def _as_text(close: Any) -> str:
    """Return the decimal that one close stands for, as text."""
    if close is None or type(close).__name__ == "NAType":
        return ""
    # A NumPy float writes the shortest decimal of its own width; as a Python float it would not.
    if isinstance(close, bool) or not (
        isinstance(close, str | int | float | Decimal) or hasattr(close, "dtype")
    ):
        raise DataError(f"a close is {shown(repr(close))}, not a number")
    try:
        return str(close)
    except ValueError as error:
        raise DataError(f"a close is too large: {error}") from None


def _of_numpy(closes: Any, window: int, missing: str) -> RollingSignal:
    import numpy as np

    if closes.ndim != 1:
        raise DataError(f"closes have {closes.ndim} dimensions, not 1")
    if np.ma.isMaskedArray(closes):
        absent = np.ma.getmaskarray(closes)
        values = [None if gap else close for close, gap in zip(closes.data, absent, strict=True)]
        return _masked(_of_values(values, window, missing))
    ticks = ticks_of_array(closes, window)
    if ticks is None:
        return _masked(_of_values(list(closes), window, missing))
    count, start = len(closes), min(window - 1, len(closes))
    absent = np.arange(count) < start
    signals, means = np.zeros(count, np.int8), np.zeros(count, np.float64)
    for margins in margin_blocks(ticks.values, window):
        block = slice(start, start + len(margins))
        signals[block] = margins > 0
        means[block] = float_means(ticks.values[block] * window - margins, window, ticks.scale)
        start += len(margins)
    return RollingSignal(np.ma.array(signals, mask=absent), np.ma.array(means, mask=absent))


def _masked(lists: RollingSignal) -> RollingSignal:
    import numpy as np

    absent = np.array([signal is None for signal in lists.signals], np.bool_)
    return RollingSignal(
        np.ma.array([signal or 0 for signal in lists.signals], mask=absent, dtype=np.int8),
        np.ma.array([mean or 0.0 for mean in lists.means], mask=absent, dtype=np.float64),
    )


def _of_pandas(closes: Any, window: int, missing: str) -> RollingSignal:
    import numpy as np
    import pandas as pd

    plain = isinstance(closes.dtype, np.dtype) and closes.dtype.kind in "iuf"
    if plain or closes.dtype == "Float32":
        values = closes.to_numpy() if plain else closes.to_numpy(np.float32, na_value=np.nan)
    else:
        values = np.array([*closes.tolist(), None], object)[:-1]
    signals, means = _of_numpy(values, window, missing)
    return RollingSignal(
        pd.Series(
            pd.arrays.IntegerArray(signals.data, np.ma.getmaskarray(signals)),
            index=closes.index,
            name="signal",
        ),
        pd.Series(
            pd.arrays.FloatingArray(means.data, np.ma.getmaskarray(means)),
            index=closes.index,
            name="rolling_mean",
        ),
    )


def _of_polars(closes: Any, window: int, missing: str) -> RollingSignal:
    import numpy as np
    import polars as pl

    whole = closes.dtype.is_integer() and closes.dtype not in (pl.Int128, pl.UInt64)
    if closes.dtype.is_float() or (whole and not closes.null_count()):
        values = closes.to_numpy()
    else:
        values = np.array([*closes.to_list(), None], object)[:-1]
    arrays = _of_numpy(values, window, missing)
    signals, means = (
        pl.select(
            pl.when(pl.lit(pl.Series(~np.ma.getmaskarray(array)))).then(pl.Series(array.data))
        ).to_series()
        for array in arrays
    )
    return RollingSignal(signals.rename("signal"), means.rename("rolling_mean"))
