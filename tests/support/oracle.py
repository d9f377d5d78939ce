"""The answers by definition, slow and obvious: fractions on the closes as they are written.

This module never imports rollsignal, so that the product is never its own oracle.
"""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

Price = Fraction | None


def price(text: str) -> Fraction:
    """Read a number as written."""
    return Fraction(Decimal(text.strip(" \t")))


def prices(texts: Sequence[str | None]) -> list[Price]:
    """Read a series; None stands for a bar without a close."""
    return [None if text is None else price(text) for text in texts]


def windows(closes: Sequence[Price], window: int) -> list[list[Fraction] | None]:
    """List every bar's last `window` closes; None where they are fewer or one is missing."""
    found: list[list[Fraction] | None] = []
    for end in range(1, len(closes) + 1):
        known = [close for close in closes[max(0, end - window) : end] if close is not None]
        found.append(known if len(known) == window else None)
    return found


def margins(closes: Sequence[Price], window: int) -> list[Price]:
    """Subtract from each close, `window` times, the sum of its window."""
    found = windows(closes, window)
    return [None if last is None else window * last[-1] - sum(last) for last in found]


def signals(closes: Sequence[Price], window: int) -> list[int | None]:
    """Decide 1 where a close is above the mean of its window."""
    found = windows(closes, window)
    return [None if last is None else int(last[-1] > sum(last) / window) for last in found]


def means(closes: Sequence[Price], window: int) -> list[float | None]:
    """Round each window's mean to the nearest double."""
    found = windows(closes, window)
    return [None if last is None else float(sum(last) / window) for last in found]


def counts(closes: Sequence[Price], window: int) -> tuple[int, int, int, int, int]:
    """Count rows, missing closes, signals, ones and ties."""
    known = [margin for margin in margins(closes, window) if margin is not None]
    ones, ties = sum(margin > 0 for margin in known), sum(margin == 0 for margin in known)
    return len(closes), sum(close is None for close in closes), len(known), ones, ties
