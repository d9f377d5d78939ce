"""This module defines bars that are held, as columns of numbers: which they are, not what."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]
    Flags = NDArray[np.bool_]


class HeldRows(NamedTuple):
    """Bars as columns: numbers of their series and sources, their rows there, and their times.

    foreign: whether a bar is from another file than the one that is read, so that this one may
    bring it again. disputed: as in `WaitingBar`. Those of a series are in their order.
    """

    codes: "Numbers"
    sources: "Numbers"
    rows: "Numbers"
    times: "Numbers"
    foreign: "Flags"
    disputed: "Flags"

    def at(self, places: "Numbers | Flags") -> "HeldRows":
        """Return the bars at these indexes."""
        return HeldRows._make(column[places] for column in self)

    def plus(self, other: "HeldRows") -> "HeldRows":
        """Add bars."""
        return HeldRows._make(map(np.concatenate, zip(self, other, strict=True)))


class HeldBar(NamedTuple):
    """One of `HeldRows`."""

    code: int
    source: int
    row: int
    time: int
    foreign: bool
    disputed: bool


def held_rows_of(bars: Sequence[HeldBar]) -> HeldRows:
    """Return bars as columns."""
    columns = zip(*bars, strict=True) if bars else [()] * len(HeldBar._fields)
    kinds = [np.int64] * 4 + [np.bool_] * 2
    return HeldRows._make(
        np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)
    )


def held_bars_of(rows: HeldRows) -> Iterator[HeldBar]:
    """Yield each of the bars."""
    return map(HeldBar._make, zip(*(column.tolist() for column in rows), strict=True))
