"""This module writes signals decided on arrays as CSV, as they would be written one by one."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollsignal.core.arrays import float_means
from rollsignal.core.decisions import ArrayDecided
from rollsignal.outputs.signals.forms import escape_formula

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


# Within these bounds, polars writes a float as Python does.
PLAIN_FLOATS = (1e-3, 1e15)
# With more decimals than these, every int64 of ticks is below 1.
MAX_WHOLE_SCALE = 18


def csv_of(bars: ArrayDecided, window: int, escaped: bool) -> tuple[bytes, int, int]:
    """Write bars as CSV; return it, and the most digits of a close before and after its point.

    escaped: whether symbols are protected from being run as formulas by a spreadsheet.
    """
    import polars as pl

    whole, decimals = _close_halves(bars)
    point = pl.when(decimals.str.len_bytes() > 0).then(pl.lit(".")).otherwise(pl.lit(""))
    table = pl.DataFrame(
        {
            "timestamp": _timestamps(bars),
            "symbol": _symbols(bars, escaped),
            "sign": pl.Series(bars.closes < 0),
            "whole": whole,
            "decimals": decimals,
            "rolling_mean": _means(bars, window),
            "signal": pl.Series((bars.margins > 0).astype("int8")),
            "has_signal": pl.Series(bars.has_signal),
        }
    )
    sign = pl.when("sign").then(pl.lit("-")).otherwise(pl.lit(""))
    table = table.select(
        "timestamp",
        "symbol",
        pl.concat_str(sign, "whole", point, "decimals").alias("close"),
        "rolling_mean",
        pl.when("has_signal").then("signal"),
    )
    text = io.BytesIO()
    table.write_csv(text, include_header=False, quote_style="never")
    return text.getvalue(), longest(whole), longest(decimals)


def longest(text: "pl.Series") -> int:
    """Return the length of the longest text in bytes, 0 without any text."""
    return int(text.str.len_bytes().max() or 0)  # type: ignore[arg-type]  # whole numbers


def _close_halves(bars: ArrayDecided) -> "tuple[pl.Series, pl.Series]":
    """Write the digits of closes before and after the point, without zeros at the end."""
    import numpy as np
    import polars as pl

    sizes = np.abs(bars.closes)
    fits = bars.scale <= MAX_WHOLE_SCALE
    whole, rest = np.divmod(sizes, 10**bars.scale) if fits else (np.zeros_like(sizes), sizes)
    if not bars.scale:
        return pl.Series(whole).cast(pl.String), pl.Series([""]).new_from_index(0, len(whole))
    decimals = pl.Series(rest).cast(pl.String).str.zfill(bars.scale).str.strip_chars_end("0")
    return pl.Series(whole).cast(pl.String), decimals


def _timestamps(bars: ArrayDecided) -> "pl.Series":
    import polars as pl

    if bars.timestamps_ns is None:
        return pl.Series([""]).new_from_index(0, len(bars.closes))
    times = pl.Series(bars.timestamps_ns).cast(pl.Datetime("ns"))
    if (bars.timestamps_ns % 10**9).any():
        text = times.dt.strftime("%Y-%m-%dT%H:%M:%S.%9f")
        return text.str.strip_chars_end("0").str.strip_chars_end(".") + "Z"
    return times.dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _symbols(bars: ArrayDecided, escaped: bool) -> "pl.Series":
    import polars as pl

    names = pl.Series(symbol_texts(bars.symbols, escaped), dtype=pl.String)
    return names.new_from_index(0, len(bars.closes)) if bars.codes is None else names[bars.codes]


def symbol_texts(symbols: Sequence[str], escaped: bool) -> list[str]:
    """Write each symbol as a field of CSV, `escaped` if a spreadsheet might run it as a formula."""
    text = io.StringIO(newline="")
    # The line end matters: the writer quotes fields that contain its characters.
    writer = csv.writer(text, lineterminator="\n")
    fields = []
    for symbol in symbols:
        writer.writerow([escape_formula(symbol) if escaped else symbol, ""])
        fields.append(text.getvalue().removesuffix(",\n"))
        text.seek(0)
        text.truncate()
    return fields


def _means(bars: ArrayDecided, window: int) -> "pl.Series":
    import polars as pl

    means = float_means(window * bars.closes - bars.margins, window, bars.scale)
    frame = pl.DataFrame({"mean": mean_texts(means), "has_signal": bars.has_signal})
    return frame.select(pl.when("has_signal").then("mean")).to_series()


def mean_texts(means: "NDArray[np.float64]") -> "pl.Series":
    """Write each rolling mean as the shortest decimal that identifies the double."""
    import numpy as np
    import polars as pl

    least, most = PLAIN_FLOATS
    sizes = np.abs(means)
    if ((sizes >= least) & (sizes < most)).all():
        return pl.Series(means).cast(pl.String)
    return pl.Series([repr(mean) for mean in means.tolist()], dtype=pl.String)
