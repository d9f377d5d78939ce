"""This module decides signals: closes in ticks and a carry in, margins and the next carry out.

The margin of a bar is `window * close - sum of its window's closes`, in whole ticks of
10^-scale: its signal is 1 if the margin is above zero, and a margin of zero is a tie. Nothing
is rounded. Two implementations give the same margins: Python integers of any size, which read
like the definition, and NumPy int64, used only after a proof that nothing can overflow.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from rollsignal.core.ticks import Ticks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


BLOCK_BARS = 65_536
INT64_MAX = 2**63 - 1
# Stands for a signal where there is none; signals are 0 and 1.
NO_SIGNAL = 2
Close = TypeVar("Close", int, "int | None")


class Tally(NamedTuple):
    """Counts of bars and signals. Tallies add up, so partial runs merge.

    `rows` counts all data rows, `missing` those without a close, `signals` the bars that have
    a signal, `ones` the signals that are 1, `ties` the closes that equal their rolling mean.
    """

    rows: int = 0
    missing: int = 0
    signals: int = 0
    ones: int = 0
    ties: int = 0

    def plus(self, other: "Tally") -> "Tally":
        """Add another tally to this one."""
        return Tally(*(a + b for a, b in zip(self, other, strict=True)))


class Carry(NamedTuple):
    """All that must be remembered of a series to continue it.

    `tail` holds at most its last `window - 1` closes, oldest first, in ticks of 10^-scale.
    """

    window: int
    scale: int = 0
    tail: Sequence[int] = ()


class LastBar(NamedTuple):
    """A bar's close and margin in ticks of 10^-scale; no margin means no signal."""

    close: int | None
    margin: int | None
    scale: int
    window: int

    @property
    def mean(self) -> float | None:
        """Compute its rolling mean, if it has one."""
        if self.close is None or self.margin is None:
            return None
        return rolling_mean(self.margin, self.close, self.window, self.scale)

    @property
    def signal(self) -> int | None:
        """Return its signal, if it has one."""
        return None if self.margin is None else int(self.margin > 0)


class Account(NamedTuple):
    """The account of one series: its carry and tally, its last bar, its time span.

    `zoned` is whether the times of `last_file` are known in UTC; None if nothing tells it.
    """

    carry: Carry
    tally: Tally = Tally()
    last: LastBar | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    last_file: str = ""
    zoned: bool | None = None


class Margins(NamedTuple):
    """The closes and margins of consecutive bars, in ticks of 10^-scale.

    A margin is None where there is no signal.
    """

    closes: list[int | None]
    margins: list[int | None]
    scale: int
    tally: Tally

    def last(self, window: int) -> LastBar | None:
        """Return the last bar, if there is one."""
        if not self.closes:
            return None
        return LastBar(self.closes[-1], self.margins[-1], self.scale, window)


class SeriesMargins(NamedTuple):
    """The margins of the bars of a series in a batch: one for each bar that was not left out.

    `places` are the indexes of all its bars there, `before` counts the bars before them.
    """

    symbol: str
    places: Sequence[int]
    margins: Margins
    before: int


def tally_of(accounts: Mapping[str, Account]) -> Tally:
    """Add up the tallies of all series; none make an empty one."""
    tallies = (account.tally for account in accounts.values())
    return Tally(*map(sum, zip(*tallies, strict=True)))


def advance(carry: Carry, closes: Ticks) -> tuple[Margins, Carry]:
    """Decide the next bars of a series. A close of None is a gap: no window contains it.

    >>> decided, carry = advance(Carry(window=2), Ticks([10, 10, 11], scale=1))
    >>> decided.margins
    [None, 0, 1]
    >>> advance(carry, Ticks([1105], scale=3))[0].margins
    [5]
    """
    scale = max(carry.scale, closes.scale)
    tail = _rescaled(carry.tail, scale - carry.scale)
    values = _rescaled(closes.values, scale - closes.scale)
    margins: list[int | None] = []
    for run in _runs(values):
        if run is None:
            margins.append(None)
            tail = []
            continue
        joined = tail + run
        decided = window_margins(joined, carry.window)
        margins += [None] * (len(run) - len(decided))
        margins += decided
        tail = joined[max(0, len(joined) - carry.window + 1) :]
    tally = _tally(values, margins)
    return Margins(values, margins, scale, tally), Carry(carry.window, scale, tuple(tail))


def window_margins(closes: Sequence[int], window: int) -> list[int]:
    """Compute `window * close - window sum` for every bar that has a whole window.

    >>> window_margins([1, 2, 3, 7], window=3)
    [3, 9]
    """
    sums = list(accumulate(closes, initial=0))
    return [
        window * close - (after - before)
        for close, before, after in zip(closes[window - 1 :], sums, sums[window:], strict=False)
    ]


def rolling_mean(margin: int, close: int, window: int, scale: int) -> float:
    """Compute the double nearest to `window sum / window`.

    Python divides whole numbers correctly rounded, whatever their size.

    >>> rolling_mean(margin=0, close=10010, window=3, scale=2)
    100.1
    """
    return (window * close - margin) / (window * int(10**scale))


def _runs(values: list[int | None]) -> Iterator[list[int] | None]:
    """Cut at the gaps: yield the closes between them as lists, and None for each gap."""
    start = 0
    for _ in range(values.count(None)):
        gap = values.index(None, start)
        yield cast("list[int]", values[start:gap])
        yield None
        start = gap + 1
    yield cast("list[int]", values[start:] if start else values)


def _rescaled(values: Sequence[Close], places: int) -> list[Close]:
    if places == 0:
        return list(values)
    factor = 10**places
    return [value if value is None else value * factor for value in values]


def _tally(closes: list[int | None], margins: list[int | None]) -> Tally:
    decided = [margin for margin in margins if margin is not None]
    return Tally(
        rows=len(margins),
        missing=closes.count(None),
        signals=len(decided),
        ones=sum(map((0).__lt__, decided)),
        ties=decided.count(0),
    )


def fits_int64(ticks: "NDArray[np.int64]", window: int) -> bool:
    """Prove that every product, window sum and margin of these ticks fits into an int64.

    With |tick| <= m, each of `window * tick` and the window sum is at most `window * m` in
    size, and their difference at most `2 * window * m`.
    """
    return 2 * window * greatest(ticks) <= INT64_MAX


def greatest(ticks: "NDArray[np.int64]") -> int:
    """Return the greatest size of any tick, 0 without ticks."""
    return max(int(ticks.max()), -int(ticks.min())) if len(ticks) else 0


def margin_blocks(ticks: "NDArray[np.int64]", window: int) -> Iterator["NDArray[np.int64]"]:
    """Yield the `window_margins` of an array that `fits_int64`, block by block.

    Blocks are small enough for the cache, and each overwrites the one before: use it before the
    next. The cumulative sum may wrap around; differences of wrapped sums are exact as long as
    each window sum fits.
    """
    import numpy as np

    count = max(0, len(ticks) - window + 1)
    if not count:
        return
    block = min(count, max(BLOCK_BARS, 4 * window))
    sums = np.zeros(block + window, np.int64)
    margins = np.empty(block, np.int64)
    for start in range(0, count, block):
        size = min(block, count - start)
        closes = ticks[start : start + size + window - 1]
        np.cumsum(closes, out=sums[1 : len(closes) + 1])
        part = np.multiply(closes[window - 1 :], window, out=margins[:size])
        part -= sums[window : window + size]
        part += sums[:size]
        yield part
