"""This module computes what timing adds to holding the same share of the time, and how surely."""

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.bootstrap import automatic_length, interval_of
from rollsignal.analysis.sums import exact_sum
from rollsignal.analysis.timeline import Ranked, ranked
from rollsignal.analysis.trading import Counts, Holding, finite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# With fewer ones, or zeros, an interval would say little.
LEAST_OF_EACH = 30


class Excess(NamedTuple):
    """The mean of (p - mean p) r over all times, before and after costs, with their intervals.

    p: the position, 1 or 0; r: the return of a step. An interval is None where there is too little.
    """

    gross: float | None
    gross_interval: list[float] | None
    net: float | None
    net_interval: list[float] | None


NO_EXCESS = Excess(None, None, None, None)


class TimedSums(NamedTuple):
    """Sums by cell of what each time has: times, positions, returns, both, changes of position."""

    times: "Floats"
    held: "Floats"
    returns: "Floats"
    gained: "Floats"
    changed: "Floats"


def timed_sums(held: Holding, ends: "NDArray[np.int32]") -> TimedSums | None:
    """Add up by cell; None without a step. ends: as `steps_by_time` returns."""
    import numpy as np

    at: Ranked = ranked(ends > 0)
    if not at.cells.times:
        return None
    found = TimedSums(*(np.zeros(at.cells.number) for _ in TimedSums._fields))
    for steps, places in held.blocks():
        cells, share = at.cell(places), 1.0 / ends[places]
        columns = steps.held, steps.returns, steps.gross, steps.changed
        for total, values in zip(found[1:], columns, strict=True):
            np.add.at(total, cells, values * share)
    found.times[:] = np.bincount(at.cell(np.flatnonzero(ends)), minlength=at.cells.number)
    return found


def excess_of(sums: TimedSums, counts: Counts, cost: float, seed: int | None) -> Excess:
    """Compute the excess and its intervals.

    cost: of a change of position, as a share. seed: that of the intervals; None for none.
    """
    number, held, returns, gained, changed = (exact_sum(column) for column in sums)
    share, mean = held / number, returns / number
    gross = finite(gained / number - share * mean)
    net = finite(gained / number - share * mean - cost * (changed / number))
    if gross is None or net is None:
        return NO_EXCESS
    intervals: list[list[float] | None] = [None, None]
    if seed is not None and min(counts.held, counts.steps - counts.held) >= LEAST_OF_EACH:
        for place, paid in enumerate((0.0, cost)):
            intervals[place] = _interval(sums, (share, mean), paid, seed)
    return Excess(gross, intervals[0], net, intervals[1])


def _interval(
    sums: TimedSums, means: tuple[float, float], cost: float, seed: int
) -> list[float] | None:
    """Return the interval of the excess after a cost."""
    share, mean = means

    def figure(*totals: Any) -> Any:
        number, held, returns, gained, changed = totals
        return gained / number - (held / number) * (returns / number) - cost * (changed / number)

    centred = sums.gained - share * sums.returns - mean * sums.held + share * mean * sums.times
    influence = centred - cost * sums.changed
    # Cells may have different numbers of times; what is left is the same for all.
    influence = influence - sums.times * (exact_sum(influence) / exact_sum(sums.times))
    return interval_of(figure, list(sums), automatic_length(influence), seed)


def t_value(held: Holding, excess: float | None) -> float | None:
    """Return the excess of one series by its standard error, as if its steps were independent."""
    import numpy as np

    steps = list(held.steps())
    if excess is None or not steps:
        return None
    positions = np.concatenate([each.held for each in steps])
    returns = np.concatenate([each.returns for each in steps])
    count = len(returns)
    values = positions - float(positions.sum()) / count
    values *= returns - exact_sum(returns) / count
    values -= excess
    spread = exact_sum(values * values)
    if count < 2 or not spread or not math.isfinite(spread):
        return None
    return finite(excess / math.sqrt(spread / (count - 1) / count))
