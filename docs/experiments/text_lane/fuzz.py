"""Hold every lane to the definition on damaged blocks: `python fuzz.py [SECONDS]`.

A lane must find the same ticks, or finding where the definition does.
"""

import random
import sys
import time
from collections.abc import Callable

import with_c
import with_numba
import with_numpy
from block import DoubtError, Shape, by_definition, padded

LANES = {"NumPy": with_numpy.ticks, "C": with_c.ticks, "numba": with_numba.ticks}
SPICE = [b"", b",", b"\n", b"\r\n", b'"', b".", b"-", b"+", b"e5", b" ", b"\0", b"\xff", b"\x7f"]
SPICE += [
    b"0",
    b"12345678",
    b"123456789",
    b"0x1",
    b"nan",
    b"\xef\xbb\xbf",
    b",,",
    b"\n\n",
    b"/",
    b":",
]


def block(draw: random.Random) -> tuple[bytes, Shape]:
    """Make a few rows, most often damaged somewhere."""
    width = draw.randint(2, 7)
    shape = Shape(width, draw.randrange(width), draw.randint(1, 8))
    rows = []
    for _ in range(draw.randint(1, 6)):
        fields = [str(draw.randrange(10 ** draw.randint(1, 12))) for _ in range(width)]
        digits = str(draw.randrange(10 ** draw.randint(1, 9)))
        decimals = f"{draw.randrange(10**shape.decimals):0{shape.decimals}}"
        fields[shape.column] = f"{digits}.{decimals}"
        rows.append(",".join(fields).encode() + b"\n")
    text = b"".join(rows)
    for _ in range(draw.choice([0, 1, 1, 1, 2, 3])):
        at, cut = draw.randrange(len(text) + 1), draw.choice([0, 0, 1, 2, 9])
        spice = draw.choice([draw.choice(SPICE), draw.randbytes(1)])
        text = text[:at] + spice + text[at + cut :]
    return text or b"\n", shape


def found(lane: Callable[..., object], *given: object) -> object:
    """Return the ticks of a lane as a list, or None for a finding."""
    try:
        return list(lane(*given))  # type: ignore[call-overload]  # any lane
    except DoubtError:
        return None


def main(seconds: float) -> None:
    """Draw blocks until the time is over; stop at the first that a lane reads otherwise."""
    draw, until, tried, plain = random.Random(42), time.monotonic() + seconds, 0, 0
    while time.monotonic() < until:
        text, shape = block(draw)
        expected = found(by_definition, text, shape)
        tried, plain = tried + 1, plain + (expected is not None)
        for name, ticks in LANES.items():
            if found(ticks, padded(text), shape) != expected:
                raise SystemExit(f"{name} differs on {text!r}, {shape}")
    print(f"{tried:,} blocks, {plain:,} of them plain: every lane says what the definition says")


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 10.0)
