"""This module writes signals decided on arrays as CSV, as they would be written one by one."""

import csv
import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, cast

from rollsignal.core.arrays import float_means
from rollsignal.core.decisions import ArrayDecided
from rollsignal.core.timestamps.zones import DAY_NS, SECOND_NS
from rollsignal.outputs.signals.forms import escape_formula

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


# Within these bounds, polars writes a float as Python does.
PLAIN_FLOATS = (1e-3, 1e15)
# With more decimals than these, every int64 of ticks is below 1.
MAX_WHOLE_SCALE = 18
WRITTEN_ROWS = 1 << 14
DAY_SECONDS = DAY_NS // SECOND_NS


class _Writer:
    """A file for polars, which passes on what is written, and keeps the error of a failure."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self.problem: BaseException | None = None

    def write(self, text: bytes) -> int:
        """Pass on bytes."""
        try:
            self._write(text)
        except BaseException as problem:
            self.problem = problem
            raise
        return len(text)

    def flush(self) -> None:
        """Do nothing: whoever writes decides when."""


def write_array_csv(bars: ArrayDecided, window: int, write: Callable[[bytes], object]) -> None:
    """Write bars as CSV, with symbols that a spreadsheet does not run as formulas.

    write: receives the text in parts, without a copy of the whole; may raise `OSError`.
    """
    import polars as pl

    means = float_means(window * bars.closes - bars.margins, window, bars.scale)
    table = pl.DataFrame(
        {
            "timestamp": _timestamps(bars),
            "symbol": _symbols(bars),
            "close": close_texts(bars),
            "rolling_mean": mean_texts(means),
            "signal": (bars.margins > 0).astype("int8"),
        }
    )
    if not bars.has_signal.all():
        answers = pl.col("rolling_mean", "signal")
        table = table.with_columns(pl.when(pl.Series(bars.has_signal)).then(answers))
    writer = _Writer(write)
    file = cast("IO[bytes]", writer)
    try:
        table.write_csv(file, include_header=False, quote_style="never", batch_size=WRITTEN_ROWS)
    finally:
        # polars may wrap an error of the writer.
        if writer.problem:
            raise writer.problem


def _written_once(
    numbers: "NDArray[np.int64]", write: "Callable[[NDArray[np.int64]], pl.Series]"
) -> "pl.Series":
    """Return the text of each number; write each number of their range only once, if it is short.

    write: returns the texts of numbers.
    """
    import numpy as np

    least, most = int(numbers.min()), int(numbers.max())
    if most - least >= len(numbers):
        return write(numbers)
    return write(np.arange(least, most + 1))[numbers - least]


def close_texts(bars: ArrayDecided) -> "pl.Series":
    """Write closes without zeros at the end of their decimals."""
    return _written_once(bars.closes, partial(_decimal_texts, scale=bars.scale))


def _decimal_texts(ticks: "NDArray[np.int64]", scale: int) -> "pl.Series":
    """Write ticks of 10^-scale as decimals, without zeros at their end."""
    import numpy as np
    import polars as pl

    if not scale:
        return pl.Series(ticks).cast(pl.String)
    sizes = np.abs(ticks)
    fits = scale <= MAX_WHOLE_SCALE
    whole, rest = np.divmod(sizes, 10**scale) if fits else (np.zeros_like(sizes), sizes)
    table = pl.DataFrame(
        {
            "sign": pl.Series(["", "-"])[(ticks < 0).astype(np.int64)],
            "whole": pl.Series(whole).cast(pl.String),
            "decimals": _written_once(rest, partial(_after_point, scale=scale)),
        }
    )
    return table.select(pl.concat_str(pl.all())).to_series()


def _after_point(rest: "NDArray[np.int64]", scale: int) -> "pl.Series":
    """Write a point and the decimals after it; neither if they are zero."""
    import polars as pl

    digits = pl.Series(rest).cast(pl.String).str.zfill(scale).str.strip_chars_end("0")
    return ("." + digits).set(digits == "", "")


def _timestamps(bars: ArrayDecided) -> "pl.Series":
    import polars as pl

    if bars.timestamps_ns is None:
        return pl.Series([""]).new_from_index(0, len(bars.closes))
    # By a constant, NumPy divides much faster than it finds remainders.
    seconds = bars.timestamps_ns // SECOND_NS
    if (seconds * SECOND_NS != bars.timestamps_ns).any():
        times = pl.Series(bars.timestamps_ns).cast(pl.Datetime("ns"))
        text = times.dt.strftime("%Y-%m-%dT%H:%M:%S.%9f")
        return text.str.strip_chars_end("0").str.strip_chars_end(".") + "Z"
    days = seconds // DAY_SECONDS
    clocks = seconds - days * DAY_SECONDS
    minutes = clocks // 60
    if (minutes * 60 == clocks).all():
        clock_texts = _written_once(minutes, partial(_clocks_of, unit_s=60))
    else:
        clock_texts = _written_once(clocks, partial(_clocks_of, unit_s=1))
    return _written_once(days, _dates_of) + clock_texts


def _dates_of(days: "NDArray[np.int64]") -> "pl.Series":
    import polars as pl

    return pl.Series(days).cast(pl.Date).dt.strftime("%Y-%m-%dT")


def _clocks_of(counts: "NDArray[np.int64]", unit_s: int) -> "pl.Series":
    import polars as pl

    return pl.Series(counts * (unit_s * SECOND_NS)).cast(pl.Time).dt.strftime("%H:%M:%SZ")


def _symbols(bars: ArrayDecided) -> "pl.Series":
    import polars as pl

    names = pl.Series(symbol_texts(bars.symbols), dtype=pl.String)
    return names.new_from_index(0, len(bars.closes)) if bars.codes is None else names[bars.codes]


def symbol_texts(symbols: Sequence[str]) -> list[str]:
    """Write each symbol as a field of CSV that a spreadsheet does not run as a formula."""
    text = io.StringIO(newline="")
    # The line end matters: the writer quotes fields that contain its characters.
    writer = csv.writer(text, lineterminator="\n")
    fields = []
    for symbol in symbols:
        writer.writerow([escape_formula(symbol), ""])
        fields.append(text.getvalue().removesuffix(",\n"))
        text.seek(0)
        text.truncate()
    return fields


def mean_texts(means: "NDArray[np.float64]") -> "pl.Series":
    """Write each rolling mean as the shortest decimal that identifies the double."""
    import numpy as np
    import polars as pl

    least, most = PLAIN_FLOATS
    sizes = np.abs(means)
    if ((sizes >= least) & (sizes < most)).all():
        return pl.Series(means).cast(pl.String)
    return pl.Series([repr(mean) for mean in means.tolist()], dtype=pl.String)
