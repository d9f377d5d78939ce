"""This module reads numbers from words of 64 bits, of eight characters, the last one highest.

The digits are added up in the word itself (the method is known as SWAR, SIMD within a register).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Words = NDArray[np.uint64]


WORD = 8
ONES, ZEROS, POINTS, HIGH_BITS = (
    int.from_bytes(bytes([byte]) * WORD, "little") for byte in (1, 0x30, 0x2E, 0x80)
)
# Added to a byte below 10, it leaves the high bit at 0; added to one from 10 to 127, it sets it.
BEYOND_NINE = int.from_bytes(bytes([0x76]) * WORD, "little")
ALL = (1 << 64) - 1


class NotPlainError(Exception):
    """These bytes are not plain: the careful parser must read them."""


def squeezed(low: "Words", high: "Words | None", decimals: int) -> "tuple[Words, Words | None]":
    """Remove the point of numbers that all have `decimals` decimals; raises `NotPlainError`."""
    import numpy as np

    first = np.uint64(ZEROS & 0xFF)
    if decimals >= WORD:
        if high is None:
            raise NotPlainError("no point where the others have it")
        return low, _without_point(high, decimals - WORD, first)
    carried = first if high is None else high >> np.uint64(56)
    low = _without_point(low, decimals, carried)
    return low, None if high is None else (high << np.uint64(8)) | first


def _without_point(words: "Words", decimals: int, carried: "Words | np.uint64") -> "Words":
    """Remove the point before the last `decimals` characters; raises `NotPlainError` without one.

    The characters before it move up, and `carried` becomes the first.
    """
    import numpy as np

    shift = 8 * (WORD - 1 - decimals)
    before, point = (1 << shift) - 1, 0xFF << shift
    if ((words ^ np.uint64(POINTS)) & np.uint64(point)).any():
        raise NotPlainError("no point where the others have it")
    after = ALL ^ before ^ point
    moved = (words & np.uint64(before)) << np.uint64(8)
    return moved | (words & np.uint64(after)) | carried


def value(words: "Words") -> "NDArray[np.int64]":
    """Combine eight digits to a number, in pairs, fours, then all; raises `NotPlainError`."""
    import numpy as np

    digits = words - np.uint64(ZEROS)
    if (((digits + np.uint64(BEYOND_NINE)) | digits) & np.uint64(HIGH_BITS)).any():
        raise NotPlainError("a character that is not a digit")
    for count, mask in ((1, 0x00FF00FF00FF00FF), (2, 0x0000FFFF0000FFFF), (4, 0xFFFFFFFF)):
        digits = (digits * np.uint64(10**count) + (digits >> np.uint64(8 * count))) & np.uint64(
            mask
        )
    return digits.view(np.int64)
