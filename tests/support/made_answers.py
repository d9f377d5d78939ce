"""This module decides what is right for the bars of a case, by the definition.

It never imports rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from tests.support.oracle import prices, signals

Decided = tuple[str, datetime | None, int | None]
"""A symbol, a time, and a signal."""


class Bar(NamedTuple):
    symbol: str
    at: datetime
    close: str | None


class Answer(NamedTuple):
    """What is right: the value, the rows if they are certain, and each bar with its signal."""

    value: Decimal
    rows: int | None
    bars: Counter[Decided]
    is_timed: bool


def answer(
    bars: Sequence[Bar], window: int, missing: str, warmup: str, is_timed: bool
) -> Answer | None:
    """Decide by the definition; return None where this config leaves nothing to decide."""
    if missing == "error" and any(bar.close is None for bar in bars):
        return None
    found: Counter[Decided] = Counter()
    counted = 0
    for symbol in dict.fromkeys(bar.symbol for bar in bars):
        rows = [bar for bar in bars if bar.symbol == symbol]
        kept = [bar for bar in rows if missing == "gap" or bar.close is not None]
        counted += len(kept)
        decided = signals(prices([bar.close for bar in kept]), window)
        pairs = [(bar.at, signal) for bar, signal in zip(kept, decided, strict=True)]
        pairs += [(bar.at, None) for bar in rows if missing != "gap" and bar.close is None]
        found.update((symbol, at if is_timed else None, signal) for at, signal in pairs)
    ones = sum(number for (_, _, signal), number in found.items() if signal)
    known = sum(number for (_, _, signal), number in found.items() if signal is not None)
    if not known:
        return None
    share = Fraction(ones, known if warmup == "exclude" else counted)
    value = (Decimal(share.numerator) / share.denominator).quantize(Decimal("1.0000"))
    return Answer(value, len(bars), found, is_timed)
