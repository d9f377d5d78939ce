"""This module writes whole numbers as bytes: seven bits a byte, the lowest first.

A byte above 127 says that another one follows. Whether a number is below zero is its lowest bit, so
that numbers near zero of either sign take one byte ("zigzag", as in Protocol Buffers).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Numbers up to this size are written as arrays: their differences and signs fit into 64 bits.
MOST_IN_ARRAYS = 2**61


def varints(numbers: "NDArray[Any]") -> bytes:
    r"""Return whole numbers as bytes; int64, or Python integers of any size.

    >>> import numpy as np
    >>> varints(np.array([0, -1, 1, 64])).hex(" ")
    '00 01 02 80 01'
    """
    return varint_parts([numbers])[0]


def varint_parts(arrays: "Sequence[NDArray[Any]]") -> list[bytes]:
    r"""Return the numbers of each array as bytes; many small ones as fast as a large one.

    >>> import numpy as np
    >>> varint_parts([np.array([1, 64]), np.array([], int), np.array([3])])
    [b'\x02\x80\x01', b'', b'\x06']
    """
    import numpy as np

    if any(numbers.dtype == object for numbers in arrays):
        return [b"".join(map(_one_varint, numbers.tolist())) for numbers in arrays]
    written, ends = _varints_and_ends(np.concatenate(arrays))
    ends = np.concatenate(([0], ends))[np.cumsum([0, *map(len, arrays)])].tolist()
    return [written[start:end] for start, end in pairwise(ends)]


def _varints_and_ends(numbers: "NDArray[np.int64]") -> "tuple[bytes, NDArray[np.int64]]":
    """Return whole numbers as bytes, and where each of them ends."""
    import numpy as np

    zigzag = ((numbers << 1) ^ (numbers >> 63)).view(np.uint64)
    widths = np.ones(len(zigzag), np.int64)
    for bits in range(7, 64, 7):
        if not (more := zigzag >= np.uint64(1 << bits)).any():
            break
        widths += more
    ends = np.cumsum(widths)
    written = np.zeros(int(ends[-1]) if len(ends) else 0, np.uint8)
    places, at = ends - widths, 0
    while len(places):
        follows = widths > at + 1
        digits = (zigzag >> np.uint64(7 * at)) & np.uint64(127)
        written[places + at] = digits.astype(np.uint8) | (follows.astype(np.uint8) << 7)
        zigzag, places, widths, at = zigzag[follows], places[follows], widths[follows], at + 1
    return written.tobytes(), ends


def differences(numbers: "NDArray[Any]") -> "NDArray[Any]":
    """Return the first number, and what each other one adds to the one before it.

    >>> import numpy as np
    >>> differences(np.array([5, 7, 4])).tolist()
    [5, 2, -3]
    """
    import numpy as np

    if numbers.dtype != object and np.abs(numbers).max(initial=0) > MOST_IN_ARRAYS:
        numbers = numbers.astype(object)
    stepped = numbers.copy()
    stepped[1:] -= numbers[:-1]
    return stepped


def _one_varint(number: int) -> bytes:
    rest = number << 1 if number >= 0 else ~(number << 1)
    written = bytearray()
    while rest > 127:
        written.append(rest & 127 | 128)
        rest >>= 7
    written.append(rest)
    return bytes(written)
