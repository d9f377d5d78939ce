"""What every lane is given, what it must find, and what it must finding."""

import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PAD = 16  # bytes before a block, so that eight bytes can be read back from its start
BLOCK_BYTES = 1 << 17
MAX_WHOLE_DIGITS = 8
PLAIN = re.compile(rb"[ !#-~]*")


class DoubtError(Exception):
    """A block is not of the plain shape; a careful reader must look at it."""


class Shape(NamedTuple):
    """Rows of `width` fields; the close is field `column` and has so many decimals, at least 1."""

    width: int
    column: int
    decimals: int


def by_definition(block: bytes, shape: Shape) -> list[int]:
    """Find the ticks of a block of whole lines, slowly and obviously; raises `DoubtError`.

    All bytes are printable ASCII but the quote, every row is as wide as the shape and has a last
    field, and the close is 1 to 8 digits, a point and the decimals.
    """
    close = re.compile(rb"([0-9]{1,%d})\.([0-9]{%d})" % (MAX_WHOLE_DIGITS, shape.decimals))
    if not block.endswith(b"\n"):
        raise DoubtError("an unfinished line")
    ticks = []
    for line in block.removesuffix(b"\n").split(b"\n"):
        fields = line.split(b",")
        if len(fields) != shape.width or not fields[-1] or not PLAIN.fullmatch(line):
            raise DoubtError(line)
        match = close.fullmatch(fields[shape.column])
        if not match:
            raise DoubtError(line)
        ticks.append(int(match[1] + match[2]))
    return ticks


def padded(block: bytes) -> "NDArray[np.uint8]":
    """Put the padding before a block."""
    return np.frombuffer(bytes(PAD) + block, np.uint8)


def blocks(path: str, start: int, end: int) -> Iterator["NDArray[np.uint8]"]:
    """Read a stretch of a file in padded blocks of whole lines; each overwrites the one before."""
    buffer = np.empty(PAD + 2 * BLOCK_BYTES, np.uint8)
    view = memoryview(buffer).cast("B")
    kept = PAD
    with open(path, "rb", buffering=0) as file:
        file.seek(start)
        while start < end:
            count = file.readinto(view[kept : kept + min(BLOCK_BYTES, end - start)])
            start += count
            last = _last_line_end(buffer, kept + count)
            yield buffer[:last]
            rest = kept + count - last
            buffer[PAD : PAD + rest] = buffer[last : kept + count].copy()
            kept = PAD + rest
    if kept > PAD:
        raise DoubtError("an unfinished line")


def _last_line_end(buffer: "NDArray[np.uint8]", filled: int) -> int:
    """Find the place after the last line end, looking back a little at a time."""
    for back in (1 << 10, 1 << 16, filled - PAD):
        low = max(PAD, filled - back)
        found = np.flatnonzero(buffer[low:filled] == ord("\n"))
        if len(found):
            return low + int(found[-1]) + 1
    raise DoubtError("a line longer than a block")


def stretches(path: str, count: int) -> list[tuple[int, int]]:
    """Cut a file into stretches of whole lines of about the same size, its header left out."""
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        places = []
        for part in range(count):
            file.seek(part * size // count)
            file.readline()
            places.append(file.tell())
    return list(zip(places, [*places[1:], size], strict=True))
