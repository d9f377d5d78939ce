"""This module turns columns of polars into arrays, or into the text that a table would have."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

UNITS_NS = {"ms": 10**6, "us": 10**3, "ns": 1}


def moments_ns(stamps: "pl.Series") -> "NDArray[np.int64] | None":
    """Convert a column of times to nanoseconds since 1970 UTC, where it is one and they fit."""
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
    # Of a series, to_physical would be a query of its own.
    counts = stamps.to_numpy().view(np.int64)
    fits = max(abs(int(counts.min())), abs(int(counts.max()))) * unit_ns < 2**63
    return counts * unit_ns if fits else None


def texts_of(numbers: "pl.Series") -> list[str]:
    """Write numbers as they would stand in a text table, each float as its shortest decimal."""
    import polars as pl

    values = numbers.to_numpy() if numbers.dtype == pl.Float32 else numbers.to_list()
    return list(map(text_of, values))


def text_of(value: object) -> str:
    """Write a value as it would stand in a text table, nothing for none."""
    return "" if value is None else str(value)


def stamp_text(value: object) -> str:
    """Write a timestamp; a large whole double would be written with an exponent."""
    return text_of(int(value) if isinstance(value, float) and value.is_integer() else value)
