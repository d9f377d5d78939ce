"""The lane in Python, compiled by numba: the same single pass as in C."""

import numpy as np
from block import PAD, DoubtError, Shape
from numba import njit
from numpy.typing import NDArray


def kinds_of_bytes() -> NDArray[np.uint8]:
    """Tell plain bytes (0) from commas (1), line ends (2) and those in finding (3)."""
    kinds = np.full(256, 3, np.uint8)
    kinds[32:127] = 0
    kinds[[ord('"'), ord(","), ord("\n")]] = 3, 1, 2
    return kinds


KINDS = kinds_of_bytes()


@njit(nogil=True, cache=True)
def close_ticks(block, at, end, decimals):
    point = end - decimals - 1
    if point - at < 1 or point - at > 8 or block[point] != 46:
        return -1
    ticks = 0
    for place in range(at, end):
        if place != point:
            digit = np.int64(block[place]) - 48
            if digit < 0 or digit > 9:
                return -1
            ticks = ticks * 10 + digit
    return ticks


@njit(nogil=True, cache=True)
def scan(block, at, ticks, kinds, shape):
    width, column, decimals = shape
    rows = 0
    while at < len(block):
        if rows == len(ticks):
            return -1
        for field in range(width):
            start = at
            while kinds[block[at]] == 0:
                at += 1
            kind, is_last = kinds[block[at]], field == width - 1
            if kind == 3 or (kind == 2) != is_last or (is_last and at == start):
                return -1
            if field == column:
                ticks[rows] = close_ticks(block, start, at, decimals)
                if ticks[rows] < 0:
                    return -1
            at += 1
        rows += 1
    return rows


def ticks(block: NDArray[np.uint8], shape: Shape) -> NDArray[np.int64]:
    """Find the ticks of a padded block of whole lines; raises `DoubtError`."""
    found = np.empty(len(block) // (2 * shape.width) + 1, np.int64)
    if block[-1] != ord("\n"):
        raise DoubtError("an unfinished line")
    rows = scan(block, PAD, found, KINDS, tuple(shape))
    if rows < 0:
        raise DoubtError("a block of another form")
    return found[:rows]
