"""This module follows the share of symbols whose signal is 1 through time."""

from typing import TYPE_CHECKING, NamedTuple

from rollsignal.analysis.decided_run import DecidedRun
from rollsignal.analysis.frequency import LEAST_PERIODS, quantile
from rollsignal.analysis.thinning import Curve, Mark, calendar_marks, thinned
from rollsignal.analysis.timeline import timeline

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

USUAL = (0.025, 0.975)


class Breadth(NamedTuple):
    """Shares of symbols at 1 by time, at most 500 of them.

    times: how many there are; places are their numbers. last: that of the last time. usual: what
    the middle 95 % of all before are between, None where they are too few.
    """

    times: int
    marks: list[Mark]
    shares: Curve
    last: float
    usual: list[float] | None


def breadth(run: DecidedRun) -> Breadth | None:
    """Compute the breadth of a panel; None for one series, without times or without signals.

    Also None where a usual time has signals of fewer than half of the symbols: it would compare
    other symbols from time to time.
    """
    import numpy as np

    line = timeline(run.series) if len(run.series) > 1 else None
    if line is None:
        return None
    ones, signals = np.zeros((2, line.count_of_times), dtype=np.int64)
    for number, each in enumerate(run.series):
        for signal in (0, 1):
            places = line.place(number, np.flatnonzero(each.signals == signal))
            np.add.at(signals, places, 1)
            if signal:
                np.add.at(ones, places, 1)
    there = signals > 0
    if not there.any() or np.median(signals[there]) * 2 < len(run.series):
        return None
    assert line.times_ns is not None
    return _breadth(ones[there] / signals[there], line.times_ns[there])


def _breadth(shares: "NDArray[np.float64]", times_ns: "NDArray[np.int64]") -> Breadth:
    former = sorted(shares[:-1].tolist())
    usual = None
    if len(former) >= LEAST_PERIODS:
        usual = [quantile(former, share) for share in USUAL]
    marks = calendar_marks(times_ns)
    return Breadth(len(shares), marks, thinned(shares), float(shares[-1]), usual)
