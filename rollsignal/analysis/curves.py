"""This module follows what holding by the signals made: growth, and falls from peaks."""

from typing import TYPE_CHECKING, NamedTuple

from rollsignal.analysis.decided_run import DecidedRun
from rollsignal.analysis.returns import above_zero
from rollsignal.analysis.thinning import Curve, Mark, calendar_marks, thinned
from rollsignal.analysis.timeline import timeline
from rollsignal.analysis.trading import BASIS_POINTS, Holding, gains, steps_by_time

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Curves(NamedTuple):
    """What became of 1, and how far it was below its last peak, at most 500 points of each.

    Places are numbers of steps, 0 for the start. net, gross: held by the signals, after and before
    costs; held: held all the time. falls: shares of the peak before, 0 or below.
    """

    steps: int
    marks: list[Mark]
    net: Curve
    gross: Curve
    held: Curve
    falls_net: Curve
    falls_held: Curve


def curves(run: DecidedRun) -> Curves | None:
    """Compute the curves of a run; None without a step, or where nothing tells what is of a time.

    Also None where a double cannot hold them.
    """
    import numpy as np

    settings = run.config.evaluate
    priced = [above_zero(each) for each in run.series]
    held = Holding(priced, timeline(priced), settings.delay)
    if held.line is None:
        return None
    with np.errstate(all="ignore"):
        ends = steps_by_time(held)
        costs = (settings.cost_bp / BASIS_POINTS, 0.0, None)
        grown = [_equity(gains(held, ends, cost)) for cost in costs]
    if len(grown[0]) < 2 or not all(np.isfinite(each).all() for each in grown):
        return None
    times = held.line.times_ns
    if times is not None and held.line.places is not None:
        times = np.concatenate([times[:1], times[ends > 0]])
    falls = [_falls(grown[0]), _falls(grown[2])]
    return Curves(
        len(grown[0]) - 1, calendar_marks(times), *(thinned(each) for each in grown + falls)
    )


def _equity(gained: "Floats") -> "Floats":
    """Return what became of 1 after each step, with the start."""
    import numpy as np

    return np.concatenate([[1.0], np.cumprod(gained + 1.0)])


def _falls(equity: "Floats") -> "Floats":
    import numpy as np

    found: Floats = equity / np.maximum.accumulate(equity) - 1
    return found
