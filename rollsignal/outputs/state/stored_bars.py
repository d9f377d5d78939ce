"""This module defines how decided bars are stored beside a state, and packs them so.

A bar is 25 bytes: the number of its series and of its file, its place (its timestamp in ns, or its
number), a number that identifies its close, and its signal.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rollsignal.core.decisions import ArrayDecided, Decided, PlainDecided
from rollsignal.errors import DataError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The low digits of a close's number count its decimals, of which no close has this many.
CLOSE_PLACES = 8192
NO_CLOSE = CLOSE_PLACES - 1
STORED_FIELDS = [
    ("series", "<i4"),
    ("file", "<i4"),
    ("place", "<i8"),
    ("close", "<u8"),
    ("signal", "i1"),
]
_BAR = struct.Struct("<iiqQb")
STORED_BAR_BYTES = _BAR.size


class Numbering:
    """Number series by their symbols, in the order in which they are met."""

    def __init__(self, symbols: Sequence[str] = ()) -> None:
        self.symbols = list(symbols)
        self._numbers = {symbol: number for number, symbol in enumerate(symbols)}

    def number(self, symbol: str) -> int:
        """Return the number of a series, its index in `symbols`."""
        if symbol not in self._numbers:
            self._numbers[symbol] = len(self.symbols)
            self.symbols.append(symbol)
        return self._numbers[symbol]


def packed(bars: Decided, numbering: Numbering, files: Mapping[str, int]) -> bytes:
    """Return decided bars as they are stored; `files` are the numbers of files, by path."""
    file = files[bars.file]
    series = [numbering.number(symbol) for symbol in bars.symbols]
    if isinstance(bars, PlainDecided):
        return _packed_plain(bars, series, file)
    return _packed_arrays(bars, series, file)


def renumbered(data: bytes, numbers: Sequence[int]) -> bytes:
    """Return stored bars with other numbers of their series; `numbers` has the new ones."""
    import numpy as np

    bars = np.frombuffer(data, STORED_FIELDS).copy()
    bars["series"] = np.array(numbers)[bars["series"]]
    return bars.tobytes()


def _packed_plain(bars: PlainDecided, series: Sequence[int], file: int) -> bytes:
    codes = [0] * bars.rows if bars.codes is None else bars.codes
    columns = zip(codes, bars.places, bars.closes, bars.signals, strict=True)
    try:
        return b"".join(
            _BAR.pack(series[code], file, place, key_of_close(close, bars.scale), signal)
            for code, place, close, signal in columns
        )
    except struct.error as problem:
        raise DataError("A state cannot hold timestamps outside 1678 to 2261") from problem


def _packed_arrays(bars: ArrayDecided, series: Sequence[int], file: int) -> bytes:
    import numpy as np

    packed = np.zeros(bars.rows, STORED_FIELDS)
    packed["series"] = np.array(series)[0 if bars.codes is None else bars.codes]
    packed["file"] = file
    packed["place"], packed["signal"] = bars.places, bars.signals
    packed["close"] = _keys_of_ticks(bars.closes, bars.scale)
    return packed.tobytes()


def key_of_close(tick: int | None, scale: int) -> int:
    """Return a number that identifies a close, the same for every scale of its ticks."""
    if tick is None:
        return NO_CLOSE
    while scale and not tick % 10:
        tick, scale = tick // 10, scale - 1
    return (tick * CLOSE_PLACES + scale) % 2**64


def _keys_of_ticks(ticks: "NDArray[np.int64]", scale: int) -> "NDArray[np.uint64]":
    import numpy as np

    mantissas, decimals = ticks.copy(), np.full(len(ticks), scale)
    for _ in range(scale):
        has_zero = (mantissas % 10 == 0) & (decimals > 0)
        if not has_zero.any():
            break
        mantissas = np.where(has_zero, mantissas // 10, mantissas)
        decimals -= has_zero
    # Products of 64-bit numbers wrap around as the remainders of `key_of_close` do.
    return mantissas.view(np.uint64) * np.uint64(CLOSE_PLACES) + decimals.view(np.uint64)
