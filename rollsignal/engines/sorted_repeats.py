"""This module leaves out sorted rows that repeat a bar, as the setting `duplicates` says."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.void]


class SortedRepeats:
    """Leave rows out of blocks in the order of time; `dropped` counts them.

    keeps_last: keep the last row of each series and time, else all that differ from the one above.
    closes_of: returns the closes of some rows, to be compared.
    """

    def __init__(self, keeps_last: bool, closes_of: "Callable[[Rows], list[object]]") -> None:
        self.dropped = 0
        self._keeps_last = keeps_last
        self._closes_of = closes_of

    def left(self, blocks: "Iterator[Rows]") -> "Iterator[Rows]":
        """Yield blocks without these rows."""
        for block in _whole_times(blocks):
            left = self.left_of(block)
            if len(left):
                yield left

    def left_of(self, block: "Rows") -> "Rows":
        """Return a block without these rows; it has all rows of each series and time in it."""
        import numpy as np

        order = np.lexsort((block["code"], block["ns"]))
        rows = block[order]
        ties = np.flatnonzero((rows["ns"][1:] == rows["ns"][:-1])
                              & (rows["code"][1:] == rows["code"][:-1]))  # fmt: skip
        dropped = order[ties] if self._keeps_last else order[self._equal(rows, ties)]
        self.dropped += len(dropped)
        return np.delete(block, dropped) if len(dropped) else block

    def _equal(self, rows: "Rows", ties: "NDArray[np.intp]") -> "NDArray[np.intp]":
        """Return of the rows behind these those that have the close of the row above them."""
        above, below = self._closes_of(rows[ties]), self._closes_of(rows[ties + 1])
        equal = [one == other for one, other in zip(above, below, strict=True)]
        return (ties + 1)[equal] if equal else ties


def _whole_times(blocks: "Iterator[Rows]") -> "Iterator[Rows]":
    """Cut blocks again, so that all rows of a time are in one."""
    import numpy as np

    held: list[Rows] = []
    for block in blocks:
        begin = int(block["ns"].searchsorted(block["ns"][-1]))
        if begin or (held and held[-1]["ns"][-1] != block["ns"][0]):
            yield np.concatenate([*held, block[:begin]])
            held = []
        held.append(block[begin:])
    if held:
        yield np.concatenate(held)
