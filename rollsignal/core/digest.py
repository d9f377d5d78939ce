"""This module computes digests of signals: a number of 128 bits that is the same for equal runs.

The digest of bars is the sum of the hashes of all of them, modulo 2^128. So the order of the bars
does not matter, digests of parts add up to that of the whole, and the digest of no bars is 0. It
finds mistakes and differences; it does not protect against forged signals with an equal digest.

A bar is hashed by its symbol (a text, "" for one series without a symbol), its place (its
timestamp in nanoseconds since 1970 UTC or, where no timestamps are read, the number of its row
in its series, from 1) and its signal (0 or 1, or 2 if it has none). With all numbers modulo
2^64, `^` for exclusive or and `>>` for a shift that fills in zeros:

    mix(z):  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
             z = (z ^ (z >> 27)) * 0x94D049BB133111EB
             return z ^ (z >> 31)
    key(half, symbol):  k = 0x6A09E667F3BCC908 for half 0, 0xBB67AE8584CAA73B for half 1
                        for each word of the symbol:  k = mix(k ^ word)
                        return k
    base(half, symbol, signal) = mix(key(half, symbol) + (signal + 1) * 0x9E3779B97F4A7C15)
    hash = 2^64 * mix(place + base(0, symbol, signal)) + mix(place + base(1, symbol, signal))

The words of a symbol are its UTF-8 bytes (a lone surrogate has the three bytes that its number
would have), filled up with zero bytes to a multiple of 8 and read as little-endian numbers of 64
bits, and after them the count of its bytes before the filling. A place before 1970 is negative:
2^64 is added to it.

`mix` and the third constant are those of SplitMix64 (Steele, Lea and Flood, Fast Splittable
Pseudorandom Number Generators, 2014): `base` is its first, second and third output from the seed
`key`. The two keys start from the first two initial words of SHA-512.

Two implementations give the same bits: one on Python integers that each hold all bars at once,
which needs no library, and one on NumPy arrays.
"""

import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rollsignal.core.kernel import NO_SIGNAL

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


HASHED_ROWS = 1 << 13

_STARTS = (0x6A09E667F3BCC908, 0xBB67AE8584CAA73B)
_GAMMA = 0x9E3779B97F4A7C15
_ROUNDS = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
_LAST_SHIFT = 31
_WORD = 2**64 - 1
_SLOT_BITS = 128


def plus(left: int, right: int) -> int:
    """Add the digests of two parts of a run."""
    return (left + right) % 2**128


def hex_text(digest: int) -> str:
    """Write a digest as 32 hexadecimal digits.

    >>> hex_text(digest_rows("BTC", [60_000_000_000, 120_000_000_000], [None, 1]))
    '4a09999ce7d6627302731b65422080a3'
    """
    return f"{digest:032x}"


def digest_rows(symbol: str, places: Sequence[int], signals: Sequence[int | None]) -> int:
    """Digest bars of one symbol: the place of each, and its signal.

    A bar without a signal has None, or `NO_SIGNAL`.

    All bars are hashed at once, each in a slot of 128 bits of one number. A value fills the low 64,
    so that a product fits and never overflows into the next bar.
    """
    assert len(places) == len(signals), "each bar has a place and a signal"
    low = int.from_bytes((b"\xff" * 8 + b"\x00" * 8) * len(places), "little")
    words = [0] * (2 * len(places))
    words[::2] = [place & _WORD for place in places]
    at = int.from_bytes(struct.pack(f"<{len(words)}Q", *words), "little")
    pairs = [struct.pack("<QQ", *pair) for pair in zip(*_bases(symbol), strict=True)]
    base = {0: pairs[0], 1: pairs[1], NO_SIGNAL: pairs[NO_SIGNAL], None: pairs[NO_SIGNAL]}
    bases = int.from_bytes(b"".join([base[signal] for signal in signals]), "little")
    halves = [_mixed(at + (bases >> shift & low) & low, low) for shift in (0, 64)]
    first, second = (_sum_of_slots(half, len(places)) for half in halves)
    return plus(first << 64, second)


def key_table(symbols: Sequence[str]) -> "NDArray[np.uint64]":
    """Make the keys of symbols for `sums`: an array with 2 times 3 numbers for each.

    To add symbols, join tables by `concatenate(..., axis=1)`.
    """
    import numpy as np

    bases = [_bases(symbol) for symbol in symbols]
    return np.array(bases, np.uint64).reshape(-1, 2, 3).transpose(1, 0, 2).reshape(2, -1)


class SymbolKeys:
    """Keep the `key_table` of a list of symbols that only grows."""

    def __init__(self) -> None:
        self._symbols = 0
        self._keys: NDArray[np.uint64] | None = None

    def of(self, symbols: Sequence[str]) -> "NDArray[np.uint64]":
        """Return the table of all symbols; those of the last call must come first."""
        import numpy as np

        if self._keys is None or self._symbols < len(symbols):
            more = key_table(symbols[self._symbols :])
            self._keys = more if self._keys is None else np.concatenate((self._keys, more), axis=1)
            self._symbols = len(symbols)
        return self._keys


def sums(
    keys: "NDArray[np.uint64]",
    places: "NDArray[np.int64]",
    signals: "NDArray[np.int8]",
    begins: "NDArray[np.int64]",
    series: "NDArray[np.int64] | None" = None,
) -> "NDArray[np.uint64]":
    """Sum the hashes of consecutive bars, from each of `begins`, of which the first is 0.

    keys: the `key_table` of one symbol; or of many, and `series` has each bar's number, from 0.
    signals: 0, 1 or `NO_SIGNAL`. Returns 4 numbers for each begin: of both halves of the hashes,
    the sum modulo 2^64, and then the sum of the bits above the low 32. Such arrays may be added
    while they stand for fewer than 2^32 bars. Works in blocks that fit the cache.
    """
    import numpy as np

    totals = np.zeros((4, len(begins)), np.uint64)
    scratch = np.empty((2, 2, min(len(places), HASHED_ROWS)), np.uint64)
    for start in range(0, len(places), HASHED_ROWS):
        block = slice(start, start + HASHED_ROWS)
        columns = signals[block].astype(np.intp)
        if series is not None:
            columns += series[block] * 3
        hashes, upper = scratch[:, :, : len(columns)]
        np.take(keys, columns, axis=1, out=hashes, mode="clip")
        np.add(hashes, places[block].view(np.uint64), out=hashes)
        _mix_array(hashes, upper)
        np.right_shift(hashes, np.uint64(32), out=upper)
        # A run of bars from an earlier block may continue at the start of this one.
        first = np.searchsorted(begins, start, "right") - 1
        run = slice(first, np.searchsorted(begins, start + len(columns)))
        at = np.maximum(begins[run] - start, 0)
        totals[:2, run] += np.add.reduceat(hashes, at, axis=1)
        totals[2:, run] += np.add.reduceat(upper, at, axis=1)
    return totals


def place_hashes(
    keys: "NDArray[np.uint64]", places: "NDArray[np.int64]", series: "NDArray[np.int64]"
) -> "NDArray[np.uint64]":
    """Hash symbol and place of each bar, so that any part of the numbers has its share of them.

    keys: the `key_table` of the symbols, of which `series` has each bar's number.
    """
    import numpy as np

    hashes: NDArray[np.uint64] = keys[0][series * 3] + places.view(np.uint64)
    _mix_array(hashes, np.empty_like(hashes))
    return hashes


def digest_of_sums(four: Sequence[int]) -> int:
    """Return the digest for one column of `sums`."""
    first, second = (
        (upper << 32) + (whole - (upper << 32) & _WORD)
        for whole, upper in zip(four[:2], four[2:], strict=True)
    )
    return plus(first << 64, second)


def digest_arrays(
    keys: "NDArray[np.uint64]",
    places: "NDArray[np.int64]",
    signals: "NDArray[np.int8]",
    series: "NDArray[np.int64] | None" = None,
) -> int:
    """Digest fewer than 2^32 bars as `digest_rows` does; the arguments are those of `sums`."""
    import numpy as np

    column = sums(keys, places, signals, np.zeros(1, np.int64), series)
    return digest_of_sums(column[:, 0].tolist())


def _bases(symbol: str) -> list[list[int]]:
    """List, for each half, the `base` of a bar whose signal is 0, 1 or none."""
    text = symbol.encode("utf-8", "surrogatepass")
    padded = text + bytes(-len(text) % 8)
    words = [word for (word,) in struct.iter_unpack("<Q", padded)]
    keys = [_key(start, [*words, len(text)]) for start in _STARTS]
    return [[_mixed(key + _GAMMA * step & _WORD, _WORD) for step in (1, 2, 3)] for key in keys]


def _key(start: int, words: list[int]) -> int:
    key = start
    for word in words:
        key = _mixed(key ^ word, _WORD)
    return key


def _mixed(values: int, low: int) -> int:
    """Mix one value, or the values in many slots at once; `low` has ones in the bits of values."""
    for shift, factor in _ROUNDS:
        # Bits that a shift moves in from the next slot land above the value, where `low` is 0.
        values = ((values ^ values >> shift) & low) * factor & low
    return (values ^ values >> _LAST_SHIFT) & low


def _sum_of_slots(values: int, count: int) -> int:
    """Sum the values in all slots by adding one half of the slots to the other."""
    while count > 1:
        count = (count + 1) // 2
        bits = _SLOT_BITS * count
        values = (values >> bits) + (values & (1 << bits) - 1)
    return values


def _mix_array(values: "NDArray[np.uint64]", shifted: "NDArray[np.uint64]") -> None:
    """Mix all values in place; `shifted` is scratch space of the same size."""
    import numpy as np

    for shift, factor in _ROUNDS:
        np.right_shift(values, np.uint64(shift), out=shifted)
        np.bitwise_xor(values, shifted, out=values)
        np.multiply(values, np.uint64(factor), out=values)
    np.right_shift(values, np.uint64(_LAST_SHIFT), out=shifted)
    np.bitwise_xor(values, shifted, out=values)
