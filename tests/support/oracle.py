"""The answers by definition, slow and obvious: fractions on the closes as they are written.

This module never imports rollsignal, so that the product is never its own oracle.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import lcm

Price = Fraction | None


def price(text: str) -> Fraction:
    """Read a number as written."""
    return Fraction(Decimal(text.strip(" \t")))


def prices(texts: Sequence[str | None]) -> list[Price]:
    """Read a series; None stands for a bar without a close."""
    return [None if text is None else price(text) for text in texts]


def windows(closes: Sequence[Price], window: int) -> tuple[list[list[int] | None], int]:
    """List every bar's last `window` closes; None where they are fewer or one is missing.

    They are whole numbers, so that sums are quick: multiples of 1 over the number that comes last.
    """
    parts = lcm(*(close.denominator for close in closes if close is not None))
    wholes = [None if close is None else int(close * parts) for close in closes]
    found: list[list[int] | None] = []
    for end in range(1, len(closes) + 1):
        known = [close for close in wholes[max(0, end - window) : end] if close is not None]
        found.append(known if len(known) == window else None)
    return found, parts


def margins(closes: Sequence[Price], window: int) -> list[Price]:
    """Subtract from each close, `window` times, the sum of its window."""
    found, parts = windows(closes, window)
    return [
        None if last is None else Fraction(window * last[-1] - sum(last), parts) for last in found
    ]


def signals(closes: Sequence[Price], window: int) -> list[int | None]:
    """Decide 1 where a close is above the mean of its window: `window` times it above the sum."""
    found, _ = windows(closes, window)
    return [None if last is None else int(window * last[-1] > sum(last)) for last in found]


def means(closes: Sequence[Price], window: int) -> list[float | None]:
    """Round each window's mean to the nearest double."""
    found, parts = windows(closes, window)
    return [None if last is None else float(Fraction(sum(last), window * parts)) for last in found]


def doubtful(closes: Iterable[Fraction | None]) -> int:
    """Count the closes that can hardly be prices."""
    sentinels = (2**31 - 1, 2**63 - 1, 2**63, Fraction("9.223372036854776e18"))
    return sum(close is not None and (close <= 0 or close in sentinels) for close in closes)


def counts(closes: Sequence[Price], window: int) -> tuple[int, int, int, int, int]:
    """Count rows, missing closes, signals, ones and ties."""
    known = [margin for margin in margins(closes, window) if margin is not None]
    ones, ties = sum(margin > 0 for margin in known), sum(margin == 0 for margin in known)
    return len(closes), sum(close is None for close in closes), len(known), ones, ties


def mix(value: int) -> int:
    """Finish a number as SplitMix64 does, which C would do modulo 2^64."""
    value = (value ^ (value // 2**30)) * 0xBF58476D1CE4E5B9 % 2**64
    value = (value ^ (value // 2**27)) * 0x94D049BB133111EB % 2**64
    return value ^ (value // 2**31)


@lru_cache(maxsize=4096)
def base(number: int, symbol: str, signal: int) -> int:
    """Compute by the definition what the halves of all bars of a symbol with a signal share."""
    text = symbol.encode("utf-8", "surrogatepass")
    key = [0x6A09E667F3BCC908, 0xBB67AE8584CAA73B][number]
    for start in range(0, len(text), 8):
        word = sum(byte * 256**place for place, byte in enumerate(text[start : start + 8]))
        key = mix(key ^ word)
    key = mix(key ^ len(text))
    return mix((key + (signal + 1) * 0x9E3779B97F4A7C15) % 2**64)


def half(number: int, symbol: str, place: int, signal: int) -> int:
    """Compute one half of a bar's hash by the definition."""
    return mix((place + base(number, symbol, signal)) % 2**64)


def hashed(symbol: str, place: int, signal: int | None) -> int:
    """Compute a bar's hash by the definition."""
    number = 2 if signal is None else signal
    return 2**64 * half(0, symbol, place, number) + half(1, symbol, place, number)


def digest(bars: Sequence[tuple[str, int, int | None]]) -> int:
    """Add the hashes of bars up: of each its symbol, place and signal."""
    return sum(hashed(*bar) for bar in bars) % 2**128
