"""This module computes, for many windows, what several series held in equal parts would make."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.analysis.sweep_sums import SweptSeries, held_steps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

# Values of a window for every time that are held at once.
MOST_VALUES = 1 << 21


class PanelGrowth(NamedTuple):
    """What became of 1, before and after costs, and how much of the whole was turned over."""

    gross: float
    net: float
    turnover: float


def panel_growths(
    series: Sequence[SweptSeries],
    ends: "NDArray[np.int32]",
    windows: Sequence[int],
    delay: int,
    cost: float,
) -> Iterator[PanelGrowth]:
    """Yield the growth for each window; a time makes the mean over the series that step then.

    ends: how many steps end at each time. cost: of a change of position, as a share.
    """
    import numpy as np

    step = max(1, MOST_VALUES // max(1, len(ends)))
    if len(windows) > step:
        for first in range(0, len(windows), step):
            yield from panel_growths(series, ends, windows[first : first + step], delay, cost)
        return
    gross = np.zeros((len(windows), len(ends)))
    net = np.zeros_like(gross)
    turnover = np.zeros(len(windows))
    for each in series:
        shares = 1.0 / ends[each.places]
        for at, steps in enumerate(held_steps(each, windows, delay)):
            window = at % len(windows)
            part = slice(steps.first, steps.first + len(steps.held))
            places, share = each.places[part], shares[part]
            gained = steps.held * each.returns[part]
            paid = cost * steps.changed
            np.add.at(gross[window], places, gained * share)
            np.add.at(net[window], places, (gained - paid - paid * gained) * share)
            turnover[window] += share[steps.changed].sum()
    with np.errstate(over="ignore"):
        growths = [np.multiply.reduce(made + 1.0, axis=1).tolist() for made in (gross, net)]
    yield from map(PanelGrowth, *growths, turnover.tolist())
