"""This module loads what a run left behind, for every figure that is made of it.

RUN is a record, or signals: a file or a folder of partitions. This is the one seam between a run
and its figures: `evaluate`, `sweep` and `audit` call `decided_run`, and compute with the series
that it returns. A bar takes 17 bytes, and its columns take 34 while they are put in order; what
polars takes to read comes on top.
"""

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.margins import margins_in_blocks
from rollsignal.analysis.past_run import PastRun, past_run
from rollsignal.analysis.signal_columns import NO_TIME, SignalColumns, as_wholes, signal_columns
from rollsignal.config.reading import load_config, with_values
from rollsignal.config.request import Request
from rollsignal.config.settings import OF_FIGURES, JobConfig
from rollsignal.core.kernel import BLOCK_BARS, INT64_MAX, NO_SIGNAL, Tally, greatest
from rollsignal.errors import DataError, InputError, UsageError
from rollsignal.files.fingerprints import fingerprint
from rollsignal.files.open import exists
from rollsignal.messages import shown, shown_path
from rollsignal.outputs.record.document import Record
from rollsignal.outputs.signals.tables import signal_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# What a config must have, and no figure needs: the window of bare signals is that of their bars.
ASSUMED_SETTINGS: dict[str, Any] = {"seed": 0, "window": 1, "version": "signals"}


class PastSeries(NamedTuple):
    """The bars of a symbol that have a close, in the order of the run.

    closes: ticks of 10^-scale, the least scale that holds all of them; int64 where they fit, else
    Python integers in an array of objects. signals: 0, 1 or `NO_SIGNAL`, as uint8. times_ns:
    nanoseconds since 1970, int64 where they fit; None if a bar has none. rows: all bars, also those
    without a close, of which `first_ns` and `last_ns` are the first and the last time. gaps: places
    in closes before which one or more are missing and end every window, ascending; none where the
    run leaves missing closes out.
    """

    symbol: str
    closes: "NDArray[Any]"
    scale: int
    signals: "NDArray[np.uint8]"
    times_ns: "NDArray[Any] | None"
    rows: int
    first_ns: int | None
    last_ns: int | None
    gaps: "NDArray[np.int64]"


class DecidedRun(NamedTuple):
    """A run that is over, and its series, sorted by symbol.

    config: the settings of its record; for bare signals, those of a config, with the window that
    their first signal shows. record: None for bare signals. whole: whether every series begins with
    its warm-up; else the windows of its first signals reach before its first bar.
    """

    path: str
    config: JobConfig
    record: Record | None
    series: list[PastSeries]
    whole: bool

    @property
    def window(self) -> int:
        """Return the bars in the rolling mean."""
        return self.config.window

    @property
    def tally(self) -> Tally:
        """Count bars, missing closes, signals and ones; ties are not counted."""
        rows = sum(each.rows for each in self.series)
        closes = sum(len(each.closes) for each in self.series)
        ones = sum(int((each.signals == 1).sum()) for each in self.series)
        zeros = sum(int((each.signals == 0).sum()) for each in self.series)
        return Tally(rows, rows - closes, zeros + ones, ones)


def decided_run(path: str, config: str | None = None, given: Sequence[str] = ()) -> DecidedRun:
    """Load a run from its record or its signals.

    config: the path of the settings of bare signals; None for config.yaml if there is one, else
    their defaults. given: settings as `KEY=VALUE`. Raises `UsageError`, `InputError`,
    `ConfigError`, and `DataError` where the signals are not those of the record, or not those of
    the window.
    """
    past = past_run(path)
    if past.record is not None:
        _check_succeeded(past, past.record)
    if past.signals is None:
        hint = "run again with --record and --signals"
        raise UsageError(f"{shown_path(path)} names no signals that are there", hint)
    if past.record is not None:
        _check_hashes(past.signals, past.record)
    settings = _settings_of_run(past, config, given)
    series = list(_series(past.signals))
    window = past.window or _told_window(series)
    if window is None:
        raise DataError(f"{shown_path(past.signals)}: no bar has a signal")
    if _skips_missing(settings.missing, series, window):
        series = [each._replace(gaps=each.gaps[:0]) for each in series]
    run = DecidedRun(path, settings._replace(window=window), past.record, series, False)
    run = run._replace(whole=_begins_with_warmup(run))
    for each in series:
        _check_signals(run, each)
    return run


def _settings_of_run(past: PastRun, config: str | None, given: Sequence[str]) -> JobConfig:
    if past.record is not None:
        if config is not None:
            hint = "set figures with --set evaluate.KEY=VALUE"
            raise UsageError("--config is not for a record, which has its own settings", hint)
        return _with_figures(past.record.job_config(), given)
    if config is None and exists(Request().config):
        config = Request().config
    if config is None and not given:
        return JobConfig(**ASSUMED_SETTINGS)
    return load_config(config or Request().config, ASSUMED_SETTINGS, given)


def _with_figures(recorded: JobConfig, given: Sequence[str]) -> JobConfig:
    """Return recorded settings with those of figures that are given."""
    for text in given:
        if not text.startswith(OF_FIGURES):
            what = f"--set {shown(text)}: a record has its settings, all but evaluate.KEY=VALUE"
            raise UsageError(what, "run again with it")
    return with_values(recorded, given) if given else recorded


def _check_succeeded(past: PastRun, record: Record) -> None:
    if record.status != "success":
        what = f"the run of {shown_path(past.path)} did not succeed: its status is {record.status}"
        raise DataError(what, "run again, and name the record of a run that succeeded")


def _check_hashes(signals: str, record: Record) -> None:
    """Raise `DataError` if signals are not the bytes that a record says were written."""
    written = record.asked.outputs["--signals"]
    parts = {os.path.relpath(file.path, written): file.sha256 for file in record.outputs}
    hashes = {part: sha for part, sha in parts.items() if not part.startswith(os.pardir)}
    if not any(hashes.values()):
        return
    now = {os.path.relpath(file, signals): file for file in signal_files(signals)}
    hint = "run again, or name the signals themselves instead of the record"
    for part in sorted(hashes.keys() | now.keys()):
        place = os.path.normpath(os.path.join(signals, part))
        if part not in now:
            raise DataError(f"{shown_path(place)} is in the record, and not there", hint)
        taken = fingerprint(now[part], "Signals", InputError)
        if part not in hashes or taken is None or taken.sha256 != hashes[part]:
            what = f"{shown_path(place)} is not what the recorded run wrote: its SHA-256 differs"
            raise DataError(what, hint)


def _series(path: str) -> Iterator[PastSeries]:
    """Read the signals, and cut them into series."""
    import numpy as np

    symbols: list[str] = []
    codes, times_ns, closes, has_close, scale, signals = _columns_joined(path, symbols)
    ends = [0, *np.cumsum(np.bincount(codes, minlength=len(symbols))).tolist()]
    if (codes[1:] < codes[:-1]).any():
        kind = np.uint32 if ends[-1] < 2**32 else np.int64
        order = np.argsort(codes, kind="stable").astype(kind)
        del codes
        # One column after the other, so that only one of them is there twice.
        times_ns = _reordered(times_ns, order)
        closes = _reordered(closes, order)
        has_close, signals = _reordered(has_close, order), _reordered(signals, order)
        del order
    for code in sorted(range(len(symbols)), key=symbols.__getitem__):
        rows = slice(ends[code], ends[code + 1])
        columns = SignalColumns(
            np.empty(0, dtype=np.int32),
            *(times_ns[rows], closes[rows], has_close[rows], scale, signals[rows]),
        )
        if (columns.signals[~columns.has_close] != NO_SIGNAL).any():
            what = f"a bar without a close has a signal{_of(symbols[code])}"
            raise DataError(f"{shown_path(path)}: not a table of signals: {what}")
        yield _one_series(symbols[code], columns)


def _reordered(column: "NDArray[Any]", order: "NDArray[Any]") -> "NDArray[Any]":
    """Return a column in another order, with little memory besides."""
    import numpy as np

    found = np.empty_like(column)
    for start in range(0, len(order), BLOCK_BARS):
        block = slice(start, start + BLOCK_BARS)
        found[block] = column[order[block]]
    return found


def _columns_joined(path: str, symbols: list[str]) -> SignalColumns:
    """Read and join all batches, with closes of one scale."""
    import numpy as np

    parts: dict[str, list[Any]] = {name: [] for name in SignalColumns._fields}
    for batch in signal_columns(path, symbols):
        for name, values in batch._asdict().items():
            parts[name].append(values)
    scales = parts.pop("scale")
    scale = max(scales, default=0)
    for index, own_scale in enumerate(scales):
        parts["closes"][index] = _at_scale(parts["closes"][index], scale - own_scale)
    columns = {name: np.concatenate(parts.pop(name)) for name in list(parts)} if scales else {}
    if not columns:
        raise DataError(f"{shown_path(path)}: no bar has a signal")
    return SignalColumns(scale=scale, **columns)


def _at_scale(closes: "NDArray[Any]", more: int) -> "NDArray[Any]":
    """Return ticks with more decimals."""
    if not more:
        return closes
    if greatest(closes) * 10**more > INT64_MAX:
        closes = closes.astype(object)
    scaled: NDArray[Any] = closes * 10**more
    return scaled


def _one_series(symbol: str, columns: SignalColumns) -> PastSeries:
    import numpy as np

    times_ns: NDArray[Any] | None
    _, times_ns, closes, has_close, scale, signals = columns
    rows = len(closes)
    if (times_ns == NO_TIME).any():
        times_ns, first_ns, last_ns = None, None, None
    else:
        first_ns, last_ns = int(times_ns.min()), int(times_ns.max())
    gaps = np.zeros(0, np.int64)
    if not has_close.all():
        gaps = np.unique(np.cumsum(has_close)[~has_close])
        closes, signals = closes[has_close], signals[has_close]
        times_ns = None if times_ns is None else times_ns[has_close]
    while scale and not (closes % 10).any():
        closes, scale = closes // 10, scale - 1
    if closes.dtype == object:
        closes = as_wholes(closes.tolist())
    return PastSeries(symbol, closes, scale, signals, times_ns, rows, first_ns, last_ns, gaps)


def _told_window(series: list[PastSeries]) -> int | None:
    """Return the window that the first signal of bare signals shows, as `diff` does."""
    has_signal = [(each.signals != NO_SIGNAL) for each in series]
    return min((int(each.argmax()) + 1 for each in has_signal if each.any()), default=None)


def _skips_missing(missing: str, series: list[PastSeries], window: int) -> bool:
    """Return whether windows reach over missing closes; signals tell it where no setting does."""
    if missing != "error":
        return missing == "skip"
    firsts = (each.signals[each.gaps[each.gaps < len(each.signals)]] for each in series)
    return window > 1 and any((first != NO_SIGNAL).any() for first in firsts)


def _begins_with_warmup(run: DecidedRun) -> bool:
    return all((each.signals[: run.window - 1] == NO_SIGNAL).all() for each in run.series)


def _check_signals(run: DecidedRun, series: PastSeries) -> None:
    """Raise `DataError` if the signals of a series are not those of the closes and the window."""
    for place, margins in margins_in_blocks(series.closes, run.window):
        signals = series.signals[place]
        wrong = ((margins > 0) != (signals == 1)) & (signals != NO_SIGNAL)
        if wrong.any():
            number = place.start + int(wrong.argmax()) + 1
            what = f"close {number:,}{_of(series.symbol)} has not the signal of window {run.window}"
            hint = "name the record of the run, which has its window"
            if run.record is not None:
                hint = "run again with --record and --signals"
            raise DataError(f"{shown_path(run.path)}: {what}", hint)


def _of(symbol: str) -> str:
    return f" of {shown(symbol)}" if symbol else ""
