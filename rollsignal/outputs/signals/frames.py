"""This module turns decided bars into rows of CSV, or into frames: tables in memory."""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from rollsignal.core.arrays import float_means
from rollsignal.core.decisions import ArrayDecided, Decided, PlainDecided
from rollsignal.core.kernel import INT64_MAX, NO_SIGNAL, greatest, rolling_mean
from rollsignal.core.ticks import decimal_text
from rollsignal.core.timestamps.reader import iso
from rollsignal.outputs.signals.arrays import close_texts, write_array_csv
from rollsignal.outputs.signals.forms import escape_formula, iso_stamps
from rollsignal.outputs.signals.widths import Widths

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    Types = Mapping[str, pl.DataType]

US_NS = 1000
# Most often these closes show how many decimals all of them need.
TELLING_ROWS = 1000
# With fewer digits than these, a power of ten fits into an int64.
INT64_DIGITS = 19


def write_csv(bars: Decided, window: int, write: Callable[[bytes], object]) -> None:
    """Write bars as CSV, with symbols that a spreadsheet does not run as formulas.

    write: receives the text in parts; may raise `OSError`.
    """
    if isinstance(bars, PlainDecided):
        write(_plain_csv(bars, window))
    else:
        write_array_csv(bars, window, write)


def widths_of(bars: Decided, known: Widths) -> Widths:
    """Return what bars need of their types, at least if it is more than what is known."""
    if isinstance(bars, PlainDecided):
        return _plain_widths(bars)
    times_ns = bars.timestamps_ns
    fits_us = times_ns is None or not known.fits_us or not (times_ns % US_NS).any()
    whole = len(str(greatest(bars.closes) // 10**bars.scale))
    decimals = _needed_decimals(bars.closes, bars.scale, known.decimals)
    return Widths(whole, decimals, fits_us)


def frame_of(bars: Decided, window: int, types: "Types") -> "pl.DataFrame":
    """Return a row for every bar, with these types of timestamps and closes.

    The types must hold the bars' values.
    """
    import polars as pl

    if isinstance(bars, PlainDecided):
        return pl.DataFrame(_plain_series(bars, window, types))
    return pl.DataFrame(_array_series(bars, window, types))


def _plain_csv(bars: PlainDecided, window: int) -> bytes:
    times_ns, scale = bars.timestamps_ns, bars.scale
    stamps = [""] * bars.rows if times_ns is None else list(map(iso, times_ns))
    names = list(map(escape_formula, bars.names))
    closes = ["" if tick is None else decimal_text(tick, scale) for tick in bars.closes]
    means = ["" if mean is None else mean for mean in _plain_means(bars, window)]
    signals = ["" if signal == NO_SIGNAL else signal for signal in bars.signals]
    return csv_bytes(zip(stamps, names, closes, means, signals, strict=True))


def _plain_means(bars: PlainDecided, window: int) -> list[float | None]:
    """Compute the rolling mean of each bar that has one."""
    return [
        None if margin is None else rolling_mean(margin, close or 0, window, bars.scale)
        for close, margin in zip(bars.closes, bars.margins, strict=True)
    ]


def csv_bytes(rows: Iterable[Sequence[object]]) -> bytes:
    """Write rows as CSV."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def _plain_widths(bars: PlainDecided) -> Widths:
    times_ns = bars.timestamps_ns or [0]
    fits_ns = min(times_ns) + 1 >= -INT64_MAX and max(times_ns) <= INT64_MAX
    fits_us = not any(ns % US_NS for ns in times_ns)
    texts = [decimal_text(tick, bars.scale) for tick in bars.closes if tick is not None]
    halves = [text.lstrip("-").partition(".") for text in texts or ["0"]]
    whole, decimals = (max(len(half[index]) for half in halves) for index in (0, 2))
    return Widths(whole, decimals, fits_us, fits_ns)


def _needed_decimals(closes: "NDArray[np.int64]", scale: int, known: int) -> int:
    """Return the most decimals of a close; `known` if none has more."""
    for needed in range(scale, known, -1):
        unit = 10 ** (scale - needed + 1)
        for part in (closes[:TELLING_ROWS], closes):
            if part.any() if unit > INT64_MAX else (part % unit).any():
                return needed
    return known


def _plain_series(bars: PlainDecided, window: int, types: "Types") -> "list[pl.Series]":
    import polars as pl

    times_ns, time_type, close_type = bars.timestamps_ns, types["timestamp"], types["close"]
    stamps: list[object] = [None] * bars.rows
    if times_ns is not None:
        unit_ns = US_NS if time_type == pl.Datetime("us", "UTC") else 1
        is_text = time_type == pl.String
        stamps = [iso(ns) if is_text else ns // unit_ns for ns in times_ns]
    closes = [None if tick is None else decimal_text(tick, bars.scale) for tick in bars.closes]
    signals = [None if signal == NO_SIGNAL else signal for signal in bars.signals]
    stamp_values = pl.String if time_type == pl.String else pl.Int64
    return [
        pl.Series("timestamp", stamps, stamp_values).cast(time_type),
        pl.Series("symbol", [name or None for name in bars.names], pl.String),
        pl.Series("close", closes, pl.String).cast(close_type),
        pl.Series("rolling_mean", _plain_means(bars, window), pl.Float64),
        pl.Series("signal", signals, pl.Int8),
    ]


def _array_series(bars: ArrayDecided, window: int, types: "Types") -> "list[pl.Series]":
    import polars as pl

    means = float_means(window * bars.closes - bars.margins, window, bars.scale)
    answers = pl.DataFrame({"rolling_mean": means, "signal": (bars.margins > 0).astype("int8")})
    if not bars.has_signal.all():
        has_signal = pl.Series("has_signal", bars.has_signal)
        answers = answers.select(pl.when(has_signal).then(pl.all()))
    return [
        _times(bars, types["timestamp"]).alias("timestamp"),
        _symbol_series(bars).alias("symbol"),
        _closes(bars, types["close"]).alias("close"),
        *answers,
    ]


def _times(bars: ArrayDecided, time_type: "pl.DataType") -> "pl.Series":
    import polars as pl

    times_ns = bars.timestamps_ns
    if times_ns is None:
        return pl.Series([None], dtype=time_type).new_from_index(0, bars.rows)
    if time_type == pl.Datetime("us", "UTC"):
        return pl.Series(times_ns // US_NS).cast(time_type)
    times = pl.Series("timestamp", times_ns).cast(pl.Datetime("ns", "UTC"))
    if time_type != pl.String:
        return times
    return times.to_frame().select(iso_stamps(pl.col("timestamp"))).to_series()


def _symbol_series(bars: ArrayDecided) -> "pl.Series":
    import polars as pl

    names = pl.Series([name or None for name in bars.symbols], dtype=pl.String)
    return names.new_from_index(0, bars.rows) if bars.codes is None else names[bars.codes]


def _closes(bars: ArrayDecided, close_type: "pl.DataType") -> "pl.Series":
    import polars as pl

    if not isinstance(close_type, pl.Decimal):
        return close_texts(bars)
    more, ticks = close_type.scale - bars.scale, bars.closes
    if more < 0:
        # The last digits of all closes are zeros; beyond int64, so is the rest.
        ticks = ticks // 10**-more if -more < INT64_DIGITS else ticks * 0
    units = pl.col("close").cast(pl.Int128)
    if more > 0:
        units = units * pl.lit(10**more, pl.Int128)
    frame = pl.Series("close", ticks).to_frame()
    return frame.select(units.reinterpret(dtype=close_type)).to_series()
