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
    found = {text[row, :10].tobytes().decode() for row in (0, *_new_days(text, same_century))}
    return all(map(_is_date, found))


def _new_days(text: "NDArray[np.uint8]", same_century: bool) -> list[int]:
    """List the rows whose date may differ from that of the row above."""
    import numpy as np

    rows, width = text.shape
    if not same_century:
        return list(range(1, rows))
    # The eight bytes of YY-MM-DD as one number.
    days = np.ndarray((rows,), "<u8", text, 2, (width,))
    changed: list[int] = (np.flatnonzero(days[1:] != days[:-1]) + 1).tolist()
    return changed


def rises(text: "NDArray[np.uint8]") -> bool:
    """Tell whether rows of bytes, for which `is_iso` holds, rise strictly."""
    import numpy as np

    rows, width = text.shape
    # The last eight bytes as one number, its most significant byte first.
    ends = np.ndarray((rows,), ">u8", text, width - 8, (width,))
    later = ends[1:] > ends[:-1]
    same_century = bool((text[:, :2] == text[0, :2]).all())
    for row in _new_days(text, same_century):
        later[row - 1] = text[row].tobytes() > text[row - 1].tobytes()
    return bool(later.all())


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
