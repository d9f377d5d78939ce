"""This module computes what holding prices by their signals makes: growth, risk, and what is lost.

Several series are held in equal parts: what a time makes is the mean over the series of which a
step ends then.
"""

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from rollsignal.analysis.decided_run import PastSeries
from rollsignal.analysis.returns import PriceSteps, steps_in_blocks
from rollsignal.analysis.sums import exact_sum, exact_total, rounded
from rollsignal.analysis.timeline import Timeline
from rollsignal.core.kernel import BLOCK_BARS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BASIS_POINTS = 10**4


class Holding(NamedTuple):
    """What is held, and by which rules: series of closes above 0 on one line of times.

    line: None for several series without times.
    """

    series: Sequence[PastSeries]
    line: Timeline | None
    delay: int

    def steps(self) -> Iterator[PriceSteps]:
        """Yield the steps of all series."""
        for each in self.series:
            yield from steps_in_blocks(each, self.delay)

    def blocks(self) -> "Iterator[tuple[PriceSteps, NDArray[Any]]]":
        """Yield the steps of all series, and the places of the times at which they end."""
        line = self.known_line
        for number, each in enumerate(self.series):
            for steps in steps_in_blocks(each, self.delay):
                ends = slice(steps.first + 1, steps.first + 1 + len(steps.returns))
                yield steps, line.place(number, ends)

    @property
    def known_line(self) -> Timeline:
        """Return the line of times, which must be there."""
        assert self.line is not None, "without times there are only counts"
        return self.line


class Counts(NamedTuple):
    """Whole numbers: steps, those held, changes of position, entries, and flips of the signal."""

    steps: int
    held: int
    trades: int
    entries: int
    flips: int = 0


class Growth(NamedTuple):
    """What became of 1, and on the way there.

    growth: None where a double cannot hold it. fall: the deepest, as a share of the peak before,
    0 or below. places: the numbers of its peak, bottom and recovery, counted from 0 for the start;
    None without a fall, and for one that did not recover.
    """

    growth: float | None
    mean: float | None
    deviation: float | None
    fall: float | None
    places: tuple[int | None, int | None, int | None]


def counts_of(held: Holding, flips: int = 0) -> Counts:
    """Count the steps. flips: those of the signal, as they are counted elsewhere."""
    found = Counts(0, 0, 0, 0, flips)
    for steps in held.steps():
        entries = int((steps.changed & steps.held).sum())
        own = (len(steps.held), int(steps.held.sum()), int(steps.changed.sum()), entries, 0)
        found = Counts(*(a + b for a, b in zip(found, own, strict=True)))
    return found


def steps_by_time(held: Holding) -> "NDArray[np.int32]":
    """Return how many steps end at each time."""
    import numpy as np

    found = np.zeros(held.known_line.count_of_times, dtype=np.int32)
    for _, places in held.blocks():
        np.add.at(found, places, np.int32(1))
    return found


def gains(held: Holding, ends: "NDArray[np.int32]", cost: float | None) -> "Floats":
    """Return what each time makes of a unit of money, of the times at which a step ends.

    ends: as `steps_by_time` returns. cost: of a change of position, as a share; None to hold all
    the time, without any cost.
    """
    import numpy as np

    found = np.zeros(held.known_line.count_of_times)
    for steps, places in held.blocks():
        np.add.at(found, places, steps.returns if cost is None else steps.gained(cost))
    if held.known_line.places is None:
        return found[1:]
    has_ends = ends > 0
    return found[has_ends] / ends[has_ends]


def growth_of(gained: "Floats") -> Growth:
    """Return what gains make, one after the other."""
    import numpy as np

    if not len(gained):
        return Growth(1.0, None, None, 0.0, (None, None, None))
    equity = cast("Floats", np.cumprod(gained + 1.0))
    mean = exact_sum(gained) / len(gained)
    deviation = _deviation(gained, mean)
    if not np.isfinite(equity).all():
        return Growth(None, finite(mean), finite(deviation), None, (None, None, None))
    fall, places = _deepest_fall(equity)
    return Growth(float(equity[-1]), finite(mean), finite(deviation), fall, places)


def _deviation(values: "Floats", mean: float) -> float | None:
    """Return the standard deviation; None for a single value."""
    if len(values) < 2:
        return None
    if values.min() == values.max():
        return 0.0
    blocks = (values[at : at + BLOCK_BARS] - mean for at in range(0, len(values), BLOCK_BARS))
    return math.sqrt(exact_total(block * block for block in blocks) / (len(values) - 1))


def _deepest_fall(equity: "Floats") -> tuple[float, tuple[int | None, int | None, int | None]]:
    """Return the deepest fall from a peak, the start included, and where it is."""
    import numpy as np

    deepest, places = 0.0, (0, 0)
    peak, peak_at = 1.0, 0
    for start in range(0, len(equity), BLOCK_BARS):
        block = equity[start : start + BLOCK_BARS]
        peaks = np.maximum(np.maximum.accumulate(block), peak)
        falls = block / peaks - 1
        at = int(falls.argmin())
        highs = np.flatnonzero(block == peaks)
        if falls[at] < deepest:
            before = highs[highs <= at]
            deepest = float(falls[at])
            places = (start + int(before[-1]) + 1 if len(before) else peak_at, start + at + 1)
        if len(highs):
            peak, peak_at = float(peaks[-1]), start + int(highs[-1]) + 1
    if not deepest:
        return 0.0, (None, None, None)
    top, bottom = places
    level = equity[top - 1] if top else 1.0
    after = equity[bottom:] >= level
    recovered = bottom + int(after.argmax()) + 1 if after.any() else None
    return deepest, (top, bottom, recovered)


def finite(value: float | None) -> float | None:
    """Return a figure; None where a double cannot hold it."""
    return value if value is not None and math.isfinite(value) else None


def break_even_bp(growth: float | None, turnover: float) -> float | None:
    """Return the cost of a change of position, in basis points, that takes all that was made.

    growth: before costs. turnover: the changes of position, those of a series among several as its
    share of the whole. None without any.
    """
    if growth is None or not turnover:
        return None
    if growth <= 1:
        return 0.0
    return rounded(BASIS_POINTS * -math.expm1(-math.log(growth) / turnover))
