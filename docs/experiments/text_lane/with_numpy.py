"""The lane in NumPy: find the delimiters of a block at once, then read eight digits in one word."""

import numpy as np
from block import MAX_WHOLE_DIGITS, PAD, DoubtError, Shape
from numpy.typing import NDArray

Words = NDArray[np.uint64]

ZEROS = np.uint64(0x3030303030303030)
ABOVE_NINE = np.uint64(0x7676767676767676)
HIGH_BITS = np.uint64(0x8080808080808080)
PAIRS = np.uint64(0x000000FF000000FF)
HUNDREDS = np.uint64(100 + (1_000_000 << 32))
UNITS = np.uint64(1 + (10_000 << 32))


def ticks(block: NDArray[np.uint8], shape: Shape) -> NDArray[np.int64]:
    """Find the ticks of a padded block of whole lines; raises `DoubtError`."""
    ends = _field_ends(block, shape)
    end = ends[:, shape.column]
    if shape.column:
        start = ends[:, shape.column - 1] + 1
    else:
        start = np.concatenate(([PAD], ends[:-1, -1] + 1))
    point = end - (shape.decimals + 1)
    digits = point - start
    if digits.min() < 1 or digits.max() > MAX_WHOLE_DIGITS or (block[point] != ord(".")).any():
        raise DoubtError("a close of another form")
    words = np.ndarray(len(block) - 7, np.dtype("<u8"), block, strides=(1,))
    whole = _number(words[point - 8], ((8 - digits) * 8).astype(np.uint64))
    fraction = _number(words[end - 8], np.uint64(64 - 8 * shape.decimals))
    return (whole * np.uint64(10**shape.decimals) + fraction).view(np.int64)


def _field_ends(block: NDArray[np.uint8], shape: Shape) -> NDArray[np.int64]:
    """Find the end of every field, a row for each row, and look at every byte on the way."""
    text = block[PAD:]
    line_ends = text == ord("\n")
    rows = np.count_nonzero(line_ends)
    unprintable = np.count_nonzero(text - np.uint8(32) > 94)
    if unprintable != rows or (text == ord('"')).any() or text[-1] != ord("\n"):
        raise DoubtError("bytes beyond printable ASCII, a quote, or an unfinished line")
    ends = np.flatnonzero(line_ends | (text == ord(","))) + PAD
    if len(ends) != rows * shape.width:
        raise DoubtError("rows of several widths")
    grid = ends.reshape(rows, shape.width)
    if (block[grid[:, -1]] != ord("\n")).any() or (np.diff(grid[:, -2:]) < 2).any():
        raise DoubtError("rows of several widths, or without a last field")
    return grid


def _number(words: Words, ignored_bits: Words | np.uint64) -> Words:
    """Read eight characters as a number; the first of them, so many bits, count as zeros."""
    words = ((words ^ ZEROS) >> ignored_bits) << ignored_bits
    if ((words + ABOVE_NINE | words) & HIGH_BITS).any():
        raise DoubtError("a close of another form")
    words = words * np.uint64(10) + (words >> np.uint64(8))
    high, low = (words & PAIRS) * HUNDREDS, (words >> np.uint64(16) & PAIRS) * UNITS
    return (high + low) >> np.uint64(32)
