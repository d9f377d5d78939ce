"""This module turns polars columns into arrays, or into the cells of a text table."""

from typing import TYPE_CHECKING

from rollsignal.core.arrays import TickArray, ticks_of_array
from rollsignal.core.kernel import greatest

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray


# Up to 10^18, every power of ten is exact as a double, and fits int64.
MAX_CUT_DECIMALS = 18
MAX_QUOTIENT = 2.0**50
FIRST_ROWS = 1024
UNITS_NS = {"ms": 10**6, "us": 10**3, "ns": 1}
# The first and the last day of the calendar of Python, counted from 1970.
FIRST_DATE, LAST_DATE = -719_162, 2_932_896
# Microseconds; nanoseconds are more.
MOST_IN_DAY = 86_400 * 10**6


def timestamps_ns(stamps: "pl.Series") -> "NDArray[np.int64] | None":
    """Convert times to nanoseconds since 1970 UTC; None if they are not times or do not fit."""
    import numpy as np
    import polars as pl

    if stamps.null_count() or not stamps.dtype.is_temporal():
        return None
    if isinstance(stamps.dtype, pl.Datetime):
        unit_ns = UNITS_NS[stamps.dtype.time_unit]
    elif stamps.dtype == pl.Date:
        unit_ns = 86_400 * 10**9
    else:
        return None
    # Series.to_physical would run a query of its own.
    counts = stamps.to_numpy().view(np.int64)
    fits = max(abs(int(counts.min())), abs(int(counts.max()))) * unit_ns < 2**63
    return counts * unit_ns if fits else None


def ticks_of(closes: "pl.Series", window: int) -> TickArray | None:
    """Turn a column of closes into ticks; None if they are not numbers, or not all in int64."""
    import polars as pl

    dtype = closes.dtype
    if closes.null_count():
        return None
    if dtype.is_float():
        return ticks_of_array(closes.to_numpy(), window)
    if isinstance(dtype, pl.Decimal):
        return ticks_of_decimals(closes.to_physical(), dtype.scale, window)
    if not dtype.is_integer():
        return None
    whole = closes.cast(pl.Int64, strict=False)
    return None if whole.null_count() else TickArray(whole.to_numpy(), 0)


def ticks_of_decimals(units: "pl.Series", scale: int, window: int) -> TickArray | None:
    """Turn decimals, given in units of 10^-scale, into ticks; None if they need more than int64.

    A column with more decimals than its values need, such as decimal(38, 18), gets fewer.
    """
    import polars as pl

    whole = units.cast(pl.Int64, strict=False)
    if not whole.null_count():
        values = whole.to_numpy()
        ticks = TickArray(values, scale, greatest(values))
        if ticks.fits(window):
            return ticks
    lows = units.cast(pl.Int64, wrap_numerical=True).to_numpy()
    sizes = units.cast(pl.Float64).to_numpy()
    # The first closes show how many decimals are needed, and most often it suits the others.
    for needed in range(max(0, scale - MAX_CUT_DECIMALS), scale):
        divisor = 10 ** (scale - needed)
        if _quotients(lows[:FIRST_ROWS], sizes[:FIRST_ROWS], divisor) is not None:
            quotients = _quotients(lows, sizes, divisor)
            if quotients is not None:
                return TickArray(quotients, needed)
    return None


def _quotients(
    lows: "NDArray[np.int64]", sizes: "NDArray[np.float64]", divisor: int
) -> "NDArray[np.int64] | None":
    """Divide integers of 128 bits by a divisor of at most 10^18; None if one leaves a remainder.

    lows: their low 64 bits. sizes: the integers as doubles. With a quotient below 2^50, three
    roundings move it by less than 1/4, so an exact quotient is the whole number that is nearest.
    Multiplied again, it differs from the integer by less than 2^63, and so not at all if the low
    64 bits are the same.
    """
    import numpy as np

    quotients = np.rint(sizes / divisor)
    if not np.abs(quotients).max() < MAX_QUOTIENT:
        return None
    values = quotients.astype(np.int64)
    return values if (values * divisor == lows).all() else None


def texts_of(numbers: "pl.Series") -> list[str]:
    """Write numbers as cells of a text table, each float as the shortest decimal of its width."""
    import polars as pl

    # In a list of Python floats, those of fewer bits would be doubles.
    is_narrow = numbers.dtype.is_float() and numbers.dtype != pl.Float64
    values = numbers.to_numpy() if is_narrow else numbers.to_list()
    return list(map(cell_text, values))


def cell_text(value: object) -> str:
    """Write a value as a cell of a text table; None is an empty cell."""
    return "" if value is None else str(value)


def stamp_text(value: object) -> str:
    """Write a timestamp as a cell, a whole double without an exponent."""
    return cell_text(int(value) if isinstance(value, float) and value.is_integer() else value)


def stamps_of(schema: "pl.Schema", date: str, clock: str | None) -> "pl.Expr":
    """Return an expression for the timestamps, with dates and times of day joined."""
    import polars as pl

    if clock is None:
        return _in_utc(date, schema[date])
    # Cast to text, times of day would lose their decimals.
    parts = [
        pl.col(part).dt.to_string("iso") if schema[part].is_temporal() else pl.col(part)
        for part in (date, clock)
    ]
    return pl.concat_str(parts, separator=" ")


def _in_utc(name: str, dtype: "pl.DataType") -> "pl.Expr":
    """Return an expression for times that are stored in UTC, whatever their zone is called."""
    import polars as pl

    if not isinstance(dtype, pl.Datetime) or dtype.time_zone in (None, "UTC"):
        return pl.col(name)
    return pl.col(name).cast(pl.Int64).cast(pl.Datetime(dtype.time_unit, "UTC"))


def first_beyond_calendar(stamps: "pl.Series") -> int | None:
    """Return the index of the first time that is not within the years 1 to 9999, None without one.

    Asked for such a time, polars panics.
    """
    import polars as pl

    day = 1
    if isinstance(stamps.dtype, pl.Datetime):
        day = 86_400 * 10**9 // UNITS_NS[stamps.dtype.time_unit]
    # All nanoseconds that an int64 holds are within these years.
    if stamps.dtype.base_type() not in (pl.Date, pl.Datetime) or day > MOST_IN_DAY:
        return None
    counts = stamps.to_physical()
    outside = ~counts.is_between(FIRST_DATE * day, (LAST_DATE + 1) * day - 1)
    return outside.arg_true().first()  # type: ignore[return-value]  # indices are whole


def is_in_python(values: "pl.Series", index: int) -> bool:
    """Return whether Python can hold a value of a column."""
    try:
        values[index]
    except (ValueError, OverflowError):
        return False
    return True
