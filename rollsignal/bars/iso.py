"""This module tells whether a whole polars column of text holds plain ISO 8601 timestamps."""

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

SHAPE = "0000-00-00 00:00:00"
LENGTHS = (10, 16, 19)


def as_bytes(cells: "pl.Expr", length: int) -> "pl.Expr":
    """Lay a column of texts of one length out as bytes; any other length is a polars error."""
    import polars as pl

    return cells.cast(pl.Binary).bin.reinterpret(dtype=pl.Array(pl.UInt8, length))


def is_iso(text: "NDArray[np.uint8]") -> bool:
    """Tell whether all rows of bytes are times like `2024-01-31 23:59:59`, or less of one.

    Where that is so, their order as text is their order in time.
    """
    least, most = _column_extremes(text)
    return (
        _has_shape(least, most)
        and _is_clock(text, most)
        and _are_dates(text, same_century=least[:2] == most[:2])
    )


def _column_extremes(text: "NDArray[np.uint8]") -> "tuple[list[int], list[int]]":
    """Find the least and the greatest byte of every column.

    Rows are joined 64 by 64, because NumPy is slow along short rows.
    """
    rows, width = text.shape
    whole = rows - rows % 64
    parts = [text[:whole].reshape(-1, 64 * width), text[whole:]]
    least = [part.min(axis=0).reshape(-1, width).min(axis=0) for part in parts if part.size]
    most = [part.max(axis=0).reshape(-1, width).max(axis=0) for part in parts if part.size]
    return (
        [int(min(column)) for column in zip(*least, strict=True)],
        [int(max(column)) for column in zip(*most, strict=True)],
    )


def _has_shape(least: list[int], most: list[int]) -> bool:
    for form, low, high in zip(SHAPE, least, most, strict=False):
        if form == "0":
            if low < ord("0") or high > ord("9"):
                return False
        elif low != high or chr(low) not in ("T " if form == " " else form):
            return False
    return True


def _is_clock(text: "NDArray[np.uint8]", most: list[int]) -> bool:
    """Tell whether digits in the right places are times of the day."""
    if any(most[place] > ord("5") for place in (14, 17) if place < len(most)):
        return False
    if len(most) == LENGTHS[0] or most[11] < ord("2"):
        return True
    hours = (text[:, 11] - ord("0")) * 10 + (text[:, 12] - ord("0"))
    return bool(hours.max() < 24)


def _are_dates(text: "NDArray[np.uint8]", same_century: bool) -> bool:
    """Tell whether digits in the right places are dates: each that differs from the one above."""
    import numpy as np

    rows, width = text.shape
    # The eight bytes of YY-MM-DD as one number.
    days = np.ndarray((rows,), "<u8", np.ascontiguousarray(text), 2, (width,))
    changed = np.flatnonzero(days[1:] != days[:-1]) + 1 if same_century else np.arange(1, rows)
    found = {text[row, :10].tobytes().decode() for row in (0, *changed.tolist())}
    return all(map(_is_date, found))


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
