"""This module writes signals that were decided on arrays as CSV, as they would be one by one."""

import csv
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollsignal.arrays import float_means
from rollsignal.engines.rows import ArrayRows
from rollsignal.sinks.summary import harmless

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

# Between these, polars writes a float as Python does.
PLAIN_FLOATS = (1e-3, 1e15)
# With more decimals than these, every int64 of ticks is below 1.
MAX_WHOLE_SCALE = 18


def csv_of(rows: ArrayRows, window: int, harmless_in: bool) -> tuple[bytes, int, int]:
    """Write rows as CSV; tell the most digits before and after the point of any close.

    harmless_in: whether symbols are to be harmless in a spreadsheet.
    """
    import polars as pl

    whole, decimals = _close_halves(rows)
    point = pl.when(decimals.str.len_bytes() > 0).then(pl.lit(".")).otherwise(pl.lit(""))
    table = pl.DataFrame(
        {
            "timestamp": _timestamps(rows),
            "symbol": _symbols(rows, harmless_in),
            "sign": pl.Series(rows.closes < 0),
            "whole": whole,
            "decimals": decimals,
            "rolling_mean": _means(rows, window),
            "signal": pl.Series((rows.margins > 0).astype("int8")),
            "signed": pl.Series(rows.signed),
        }
    )
    sign = pl.when("sign").then(pl.lit("-")).otherwise(pl.lit(""))
    table = table.select(
        "timestamp",
        "symbol",
        pl.concat_str(sign, "whole", point, "decimals").alias("close"),
        "rolling_mean",
        pl.when("signed").then("signal"),
    )
    text = io.BytesIO()
    table.write_csv(text, include_header=False, quote_style="never")
    return text.getvalue(), longest(whole), longest(decimals)


def longest(text: "pl.Series") -> int:
    """Return the most bytes of any text, 0 where there is none."""
    return int(text.str.len_bytes().max() or 0)  # type: ignore[arg-type]  # whole numbers


def _close_halves(rows: ArrayRows) -> "tuple[pl.Series, pl.Series]":
    """Write what stands before the points of closes and after them, without zeros at the end."""
    import numpy as np
    import polars as pl

    sizes = np.abs(rows.closes)
    fits = rows.scale <= MAX_WHOLE_SCALE
    whole, rest = np.divmod(sizes, 10**rows.scale) if fits else (np.zeros_like(sizes), sizes)
    if not rows.scale:
        return pl.Series(whole).cast(pl.String), pl.Series([""]).new_from_index(0, len(whole))
    decimals = pl.Series(rest).cast(pl.String).str.zfill(rows.scale).str.strip_chars_end("0")
    return pl.Series(whole).cast(pl.String), decimals


def _timestamps(rows: ArrayRows) -> "pl.Series":
    import polars as pl

    if rows.moments is None:
        return pl.Series([""]).new_from_index(0, len(rows.closes))
    moments = pl.Series(rows.moments).cast(pl.Datetime("ns"))
    if (rows.moments % 10**9).any():
        text = moments.dt.strftime("%Y-%m-%dT%H:%M:%S.%9f")
        return text.str.strip_chars_end("0").str.strip_chars_end(".") + "Z"
    return moments.dt.strftime("%Y-%m-%dT%H:%M:%SZ")


def _symbols(rows: ArrayRows, harmless_in: bool) -> "pl.Series":
    import polars as pl

    names = pl.Series(symbol_texts(rows.symbols, harmless_in), dtype=pl.String)
    return names.new_from_index(0, len(rows.closes)) if rows.codes is None else names[rows.codes]


def symbol_texts(symbols: Sequence[str], harmless_in: bool) -> list[str]:
    """Write each symbol as a field of CSV; `harmless_in` says where that must be harmless."""
    text = io.StringIO(newline="")
    # The writer quotes only what its own line end is made of.
    writer = csv.writer(text, lineterminator="\n")
    written = []
    for symbol in symbols:
        writer.writerow([harmless(symbol) if harmless_in else symbol, ""])
        written.append(text.getvalue().removesuffix(",\n"))
        text.seek(0)
        text.truncate()
    return written


def _means(rows: ArrayRows, window: int) -> "pl.Series":
    import polars as pl

    means = float_means(window * rows.closes - rows.margins, window, rows.scale)
    frame = pl.DataFrame({"mean": mean_texts(means), "signed": rows.signed})
    return frame.select(pl.when("signed").then("mean")).to_series()


def mean_texts(means: "NDArray[np.float64]") -> "pl.Series":
    """Write rolling means, each as the shortest decimal that identifies the double."""
    import numpy as np
    import polars as pl

    least, most = PLAIN_FLOATS
    sizes = np.abs(means)
    if ((sizes >= least) & (sizes < most)).all():
        return pl.Series(means).cast(pl.String)
    return pl.Series([repr(mean) for mean in means.tolist()], dtype=pl.String)
