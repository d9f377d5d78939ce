"""This module finds out how good the best of many may look by chance.

Resamples of the same cells of time are taken for all of them together, so that what they share
counts once. Sums are whole numbers below 2^53, as in `bootstrap`, so that a product of matrices is
exact in whatever order it is computed.
"""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.analysis.bootstrap import (
    LEAST_BLOCKS,
    OUTSIDE,
    automatic_length,
    resample_blocks,
    whole_units,
)
from rollsignal.analysis.sums import rounded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Doubles = NDArray[np.float64]

SWEEP_RESAMPLES = 1_000
# Of so many candidates the length of blocks is found out; it hardly differs between them.
MEASURED = 5
_BATCH_ROWS = 50


class Selection(NamedTuple):
    """What chance does for the best of many.

    bounds: for each candidate, what its gain may be off by chance, so that with 95 % none of all is
    further off; None for one that does not vary. p_value: of the test that any of them gains after
    costs; None if none varies. mean_block: in cells.
    """

    bounds: list[float | None]
    p_value: float | None
    mean_block: float


def selection(gains: "Doubles", changes: "Doubles", cost: float, seed: int) -> Selection | None:
    """Judge candidates by their gains; None where there are too few cells.

    gains: (candidates, cells), sums of what is gained in each cell, before costs. changes:
    (candidates, cells), whole numbers, each of which costs `cost`.

    The bounds are simultaneous: the greatest |t| of 1,000 resamples, times the standard error of
    the candidate. The test is that for superior predictive ability of Hansen (2005), Journal of
    Business & Economic Statistics 23, its consistent form: candidates that lose clearly do not
    count. It compares gains, as the best candidate is the one that gains most, not gains by their
    standard errors.
    """
    import numpy as np

    cells = gains.shape[1]
    mean_block = _mean_block(gains - cost * changes)
    if cells < LEAST_BLOCKS * mean_block:
        return None
    units, unit = whole_units(gains)
    resampled = [
        (counts @ units.T * unit, counts @ changes.T * cost)
        for counts in _resampled_counts(cells, mean_block, seed)
    ]
    gross = np.concatenate([gross for gross, _ in resampled])
    net = gross - np.concatenate([costs for _, costs in resampled])
    total = units.sum(axis=1) * unit
    bounds = _simultaneous_bounds(gross - total)
    return Selection(bounds, _p_value(total - cost * changes.sum(axis=1), net, cells), mean_block)


def _mean_block(gains: "Doubles") -> float:
    """Return the median of the lengths of blocks that suit some of the candidates."""
    import numpy as np

    places = np.unique(np.linspace(0, len(gains) - 1, MEASURED).astype(np.int64))
    lengths = sorted(automatic_length(gains[place]) for place in places.tolist())
    return lengths[len(lengths) // 2]


def _resampled_counts(cells: int, mean_block: float, seed: int) -> "Iterator[Doubles]":
    """Yield how often each resample has each cell, (rows, cells), a few resamples at a time."""
    import numpy as np

    for starts, lengths in resample_blocks(cells, mean_block, seed, SWEEP_RESAMPLES):
        for first in range(0, len(starts), _BATCH_ROWS):
            begins, ends = starts[first : first + _BATCH_ROWS], lengths[first : first + _BATCH_ROWS]
            ends = begins + ends
            # A block that reaches the last cell goes on with the first one.
            goes_on = ends >= cells
            steps = _counts_by_row(begins, cells) - _counts_by_row(ends - cells * goes_on, cells)
            steps[:, 0] += np.count_nonzero(goes_on, axis=1)
            yield np.cumsum(steps, axis=1, dtype=np.float64)


def _counts_by_row(places: "NDArray[np.int64]", cells: int) -> "NDArray[np.int64]":
    """Return how often each row has each cell."""
    import numpy as np

    rows = len(places)
    flat = (places + np.arange(rows)[:, np.newaxis] * cells).ravel()
    return np.bincount(flat, minlength=rows * cells).reshape(rows, cells)


def _simultaneous_bounds(deviations: "Doubles") -> list[float | None]:
    """Return simultaneous bounds of 95 % from the deviations of resamples, (rows, candidates)."""
    import numpy as np

    errors = _standard_errors(deviations)
    varies = errors > 0
    if not varies.any():
        return [None] * len(errors)
    greatest = np.sort((np.abs(deviations[:, varies]) / errors[varies]).max(axis=1))
    bound = greatest[len(greatest) - len(greatest) * OUTSIDE // 1000 - 1]
    return [rounded(float(bound * error)) if error else None for error in errors.tolist()]


def _p_value(totals: "Doubles", resampled: "Doubles", cells: int) -> float | None:
    import numpy as np

    errors = _standard_errors(resampled - totals)
    if not (errors > 0).any():
        return None
    lost = -rounded(math.sqrt(2 * math.log(math.log(cells))))
    centres = np.where(totals >= lost * errors, totals, 0.0)
    best = np.maximum((resampled - centres).max(axis=1), 0.0)
    reached = best >= max(float(totals.max()), 0.0)
    return int(np.count_nonzero(reached)) / len(reached)


def _standard_errors(deviations: "Doubles") -> "Doubles":
    """Return the roots of the mean squares of each column."""
    import numpy as np

    squares = [math.fsum((column * column).tolist()) for column in deviations.T]
    return np.sqrt(np.array(squares) / len(deviations))
