"""This module decides series with long windows on arrays, at a cost that does not grow with them.

A cumulative sum over all bars gives the sum of any window as a difference of two of its values, so
a batch takes as long as its own bars do, however many closes the window reaches back.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

from rollsignal.core.kernel import greatest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class LongTail(Sequence[int]):
    """The last closes of a series: those between `start` and `end` of an array that can grow.

    sums: cumulative sums of ticks, one more than there are closes. They may wrap around:
    differences of wrapped sums are exact as long as each difference fits into an int64. most: no
    tick is greater in size.
    """

    def __init__(self, sums: "NDArray[np.int64]", start: int, end: int, most: int) -> None:
        self._sums = sums
        self._start = start
        self._end = end
        self.most = most
        self._is_last = True

    @classmethod
    def of(cls, ticks: Sequence[int], factor: int, limit: int) -> "LongTail | None":
        """Return ticks times a factor as a tail; None if one is greater in size than the limit."""
        import numpy as np

        if isinstance(ticks, LongTail) and ticks.most * factor <= limit:
            return ticks._scaled(factor)
        # A bound that is kept may be that of a tick that is no longer in the tail.
        listed = [tick * factor for tick in ticks]
        most = max(map(abs, listed), default=0)
        if most > limit:
            return None
        return cls(np.cumsum(np.array([0, *listed], np.int64)), 0, len(listed), most)

    def _scaled(self, factor: int) -> "LongTail":
        if factor == 1:
            return self
        sums = self._sums[self._start : self._end + 1] * factor
        return LongTail(sums, 0, len(self), self.most * factor)

    def decided(
        self, ticks: "NDArray[np.int64]", window: int
    ) -> "tuple[NDArray[np.int64], LongTail]":
        """Return the margins of the next bars that have one, and the tail after them.

        Each product of `window` and a tick must fit into an int64. The last closes are not copied,
        except when the array has to grow, which is rare.
        """
        import numpy as np

        sums, start = self._with_room(len(ticks))
        old, end = start + len(self), start + len(self) + len(ticks)
        np.cumsum(ticks, out=sums[old + 1 : end + 1])
        sums[old + 1 : end + 1] += sums[old]
        tail = LongTail(sums, max(start, end - window + 1), end, max(self.most, greatest(ticks)))
        # A bar has a margin if its window begins at the start of the tail, or later.
        first = max(old + 1, start + window)
        if first > end:
            return np.empty(0, np.int64), tail
        margins = ticks[first - old - 1 :] * window
        margins -= sums[first : end + 1]
        margins += sums[first - window : end + 1 - window]
        return margins, tail

    def _with_room(self, more: int) -> "tuple[NDArray[np.int64], int]":
        """Return an array with room for more sums after the end, and where the tail starts in it.

        The array of this tail is used again, but only by the first that continues it.
        """
        import numpy as np

        has_room = self._is_last and self._end + 1 + more <= len(self._sums)
        self._is_last = False
        if has_room:
            return self._sums, self._start
        sums = np.empty(2 * (len(self) + 1 + more), np.int64)
        sums[: len(self) + 1] = self._sums[self._start : self._end + 1]
        return sums, 0

    def _ticks(self) -> list[int]:
        sums = self._sums[self._start : self._end + 1]
        return [*(sums[1:] - sums[:-1]).tolist()]

    def __len__(self) -> int:
        return self._end - self._start

    def __iter__(self) -> Iterator[int]:
        return iter(self._ticks())

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> list[int]: ...
    def __getitem__(self, index: int | slice) -> int | list[int]:
        return self._ticks()[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._ticks() == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._ticks()))
