"""This module adds up, for many windows, what holding at a signal of 1 would have made."""

import math
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.analysis.positions import DecidedBlock, decided_blocks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.analysis.positions import Bools, Ints, Ticks

    Doubles = NDArray[np.float64]


class SweptSeries(NamedTuple):
    """A series for a sweep: n closes, m of them prices, with m - 1 steps from price to price.

    ticks: (n,), the closes that are there. gaps: places in them before which a close is missing
    that ends every window, ascending. is_price: (n,), whether a close is above 0; None if all are.
    returns: (m - 1,), of the steps. logs: (m - 1,), their log returns. places: (m - 1,), of the
    times at which they end, ascending. cells: (m - 1,), the cells of these times.
    """

    ticks: "Ticks"
    gaps: "Ints"
    is_price: "Bools | None"
    returns: "Doubles"
    logs: "Doubles"
    places: "Ints"
    cells: "Ints"


class HeldSteps(NamedTuple):
    """The steps that the signals of a block of bars hold, for one window.

    first: the number of the first step. held, changed: whether each step is held, and whether that
    is another position than over the step before. turned: whether each bar of the block has
    another signal than the bar before.
    """

    block: DecidedBlock
    turned: "Bools"
    first: int
    held: "Bools"
    changed: "Bools"


def held_steps(series: SweptSeries, windows: Sequence[int], delay: int) -> Iterator[HeldSteps]:
    """Yield what each window holds, block by block; as `decided_blocks` does.

    delay: bars between the close of a signal and the close from which it is held.
    """
    prices = _Prices(series.is_price, len(windows))
    for place, block in enumerate(decided_blocks(series.ticks, series.gaps, windows)):
        turned = block.ones[1:] != block.ones[:-1]
        first, ones, changed = block.start, block.ones[1:], turned
        if series.is_price is not None:
            first, ones, changed = prices.only(place % len(windows), block)
        count = max(0, len(series.logs) - delay - first)
        yield HeldSteps(block, turned, first + delay, ones[:count], changed[:count])


class _Prices:
    """Leaves out the closes that are no prices."""

    def __init__(self, is_price: "Bools | None", windows: int) -> None:
        import numpy as np

        self._is_price = is_price
        self._before = np.zeros(windows, np.bool_)

    def only(self, at: int, block: DecidedBlock) -> "tuple[int, Bools, Bools]":
        """Return the number of the first price, the ones, and where they change."""
        import numpy as np

        assert self._is_price is not None, "called only where closes are left out"
        first = int(np.count_nonzero(self._is_price[: block.start]))
        is_price = self._is_price[block.start : block.start + len(block.ones) - 1]
        ones = np.concatenate((self._before[at : at + 1], block.ones[1:][is_price]))
        self._before[at] = ones[-1]
        return first, ones[1:], ones[1:] != ones[:-1]


class WindowSums:
    """Sums over all series, a row for each window, a column for each cell of time.

    earned: (windows, cells), the log returns of steps that were held, less what holding the same
    share of all steps would have earned in them. changes: (windows, cells), changes of position.
    The others are counts for each window; `steps` is the number of steps of all series.
    """

    def __init__(self, windows: Sequence[int], cells: int, delay: int) -> None:
        """windows: ascending. delay: bars between a signal and the close at which it acts."""
        import numpy as np

        count = len(windows)
        self.windows, self.delay, self.steps = windows, delay, 0
        self.earned = np.zeros((count, cells))
        self.changes = np.zeros((count, cells))
        self.signals, self.ones, self.ties, self.flips, self.held = ([0] * count for _ in range(5))
        self._usual_share = np.zeros(count)

    def add(self, series: SweptSeries) -> None:
        """Add a series."""
        import numpy as np

        steps = len(series.logs)
        mean = float(series.logs.sum() / steps) if steps else 0.0
        logs = series.logs - mean
        held_before = np.array(self.held)
        found = held_steps(series, self.windows, self.delay)
        for _, blocks in groupby(found, lambda steps: steps.block.start):
            for at, held in enumerate(blocks):
                if at == 0:
                    part = slice(held.first, held.first + len(held.held))
                    cut = _BlockSteps(logs[part], series.cells[part])
                self._count(at, held)
                cut.add(self, at, held)
        self.steps += steps
        if not steps:
            return
        held_counts = np.array(self.held) - held_before
        self._usual_share += held_counts * mean
        # What holding the same share would have earned: nothing over all steps, but not in a cell.
        cells, firsts = runs_of(series.cells)
        self.earned[:, cells] -= np.outer(held_counts / steps, np.add.reduceat(logs, firsts))

    def _count(self, at: int, held: HeldSteps) -> None:
        import numpy as np

        block = held.block
        ages = block.ages
        turned = held.turned if ages is None else held.turned & (ages > block.window)
        self.signals[at] += block.signals
        self.ones[at] += int(np.count_nonzero(block.ones[1:]))
        self.ties[at] += block.ties
        self.flips[at] += int(np.count_nonzero(turned))
        self.held[at] += int(np.count_nonzero(held.held))

    @cached_property
    def trades(self) -> "Ints":
        """Return the changes of position for each window."""
        trades: Ints = self.changes.sum(axis=1).astype("int64")
        return trades

    @cached_property
    def gains(self) -> list[float]:
        """Return for each window what was earned over holding the same share, in log returns."""
        return [math.fsum(row.tolist()) for row in self.earned]

    @property
    def log_growth(self) -> list[float]:
        """Return the sum of the log returns that were held for each window, all series together."""
        usual = self._usual_share.tolist()
        return [gain + share for gain, share in zip(self.gains, usual, strict=True)]


class _BlockSteps:
    """The steps that a block of bars holds, cut at the cells of time."""

    def __init__(self, logs: "Doubles", cells: "Ints") -> None:
        import numpy as np

        self._logs = logs
        self._product = np.empty(len(logs))
        self._cells, self._firsts = runs_of(cells)

    def add(self, sums: WindowSums, at: int, held: HeldSteps) -> None:
        """Add what the window with number `at` holds."""
        import numpy as np

        if not len(self._logs):
            return
        np.copyto(self._product, held.held)
        np.multiply(self._product, self._logs, out=self._product)
        sums.earned[at, self._cells] += np.add.reduceat(self._product, self._firsts)
        changes = held.changed.view(np.uint8)
        # No more than a block has bars, which fits.
        sums.changes[at, self._cells] += np.add.reduceat(changes, self._firsts, dtype=np.uint32)


def runs_of(cells: "Ints") -> "tuple[slice | Ints, Ints]":
    """Return the cells that are there, as a slice if none is left out, and where each begins.

    cells: ascending.
    """
    import numpy as np

    present, firsts = np.unique(cells, return_index=True)
    if len(present) and present[-1] - present[0] + 1 == len(present):
        return slice(int(present[0]), int(present[-1]) + 1), firsts
    return present, firsts
