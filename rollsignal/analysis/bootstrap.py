"""This module finds out how far a figure may be off by chance: the stationary bootstrap over time.

Politis and Romano (1994), "The stationary bootstrap", JASA 89: a resample is made of blocks of
neighbouring times, which begin anywhere and have random lengths, so that it keeps what ties
neighbours together. Times are first joined to at most 10,000 cells, and whatever a figure needs is
added up by cell: a million times cost no more than ten thousand.

Nothing depends on the machine. Only raw words of a PCG64 generator are drawn, which NumPy promises
to keep the same for a seed. Sums are whole numbers below 2^53, so no order of adding changes them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.sums import rounded, total_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.random import PCG64
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Places = NDArray[np.int64]

MOST_CELLS = 10_000
RESAMPLES = 2_000
LEAST_BLOCKS = 20
# What is outside of an interval of 95 %, of a thousand.
OUTSIDE = 50
# Sums of 20,000 such numbers, of all cells twice, are below 2^53.
WHOLE_BITS = 38
_WORD_BITS = 32
_LENGTH_VALUES = 1 << 16
_BATCH_VALUES = 1 << 17


class TimeCells(NamedTuple):
    """Times in their order, cut into cells of `width` times; the last may have fewer."""

    times: int
    width: int

    @property
    def number(self) -> int:
        """Return how many cells there are."""
        return -(-self.times // self.width)


def cells_of(times: int) -> TimeCells:
    """Cut a number of times into at most 10,000 cells of equal count.

    >>> cells_of(25_000)
    TimeCells(times=25000, width=3)
    """
    return TimeCells(times, max(1, -(-times // MOST_CELLS)))


def automatic_length(influence: Floats) -> float:
    """Return the mean length of blocks that suits a series, in its steps.

    influence: what each step adds to the figure. By Politis and White (2004), "Automatic
    block-length selection for the dependent bootstrap", as corrected by Patton, Politis and White
    (2009), both in Econometric Reviews.
    """
    count = len(influence)
    if count < 2:
        return 1.0
    centred = influence - total_of(influence.tolist()) / count
    covariances = _covariances(centred)
    bandwidth = len(covariances) - 1
    slope, spectrum = 0.0, covariances[0]
    for lag in range(1, bandwidth + 1):
        # A flat top: 1 up to half of the bandwidth, then down to 0.
        taper = min(1.0, 2 * (1 - lag / bandwidth))
        slope += 2 * taper * lag * covariances[lag]
        spectrum += 2 * taper * covariances[lag]
    if not spectrum or not covariances[0] or not math.isfinite(slope / spectrum):
        return 1.0
    length = rounded((slope * slope / (spectrum * spectrum) * count) ** (1 / 3))
    return max(1.0, min(length, math.ceil(min(3 * math.sqrt(count), count / 3))))


def _covariances(centred: Floats) -> list[float]:
    """Return the covariances up to the bandwidth: twice the first lag after which all are small."""
    count = len(centred)
    run = max(5, int(rounded(math.log10(count))))
    most = min(math.ceil(math.sqrt(count)) + run, count - 2)
    least = rounded(2 * math.sqrt(math.log10(count) / count))
    covariances: list[float] = []
    wanted, small = most, 0
    for lag in range(most + 1):
        if lag > wanted:
            break
        early, late = centred[: count - lag], centred[lag:]
        products = total_of((early * late).tolist())
        covariances.append(products / count)
        if wanted < most or small == run:
            continue
        sizes = total_of((early * early).tolist()) * total_of((late * late).tolist())
        small = small + 1 if products * products < least * least * sizes else 0
        if small == run:
            wanted = min(most, 2 * max(lag - run + 1, 1))
    return covariances[: wanted + 1]


def resample_blocks(
    cells: int, mean_block: float, seed: int, resamples: int = RESAMPLES
) -> Iterator[tuple[Places, Places]]:
    """Yield the blocks of resamples in batches: their first cells and their lengths.

    Both have a row for each resample. A block that reaches the last cell goes on with the first
    one; blocks at the end of a row may have the length 0. mean_block: in cells.
    """
    from numpy.random import PCG64

    generator = PCG64(seed)
    table = _length_table(mean_block)
    # So many that most often they are enough.
    blocks = cells / mean_block
    columns = min(cells, int(blocks + 4 * math.sqrt(blocks)) + 8)
    step = max(1, _BATCH_VALUES // columns)
    for first in range(0, resamples, step):
        rows = min(step, resamples - first)
        yield _drawn(generator, (rows, columns), cells, table)


def _length_table(mean_block: float) -> Places | None:
    """Return the length of a block for each value of 16 random bits; None if all are 1.

    Lengths are geometric: after each cell, a block ends with the chance 1 / `mean_block`.
    """
    import numpy as np

    if mean_block <= 1:
        return None
    goes_on = 1 - 1 / mean_block
    lengths = np.ones(_LENGTH_VALUES, dtype=np.int64)
    longer = goes_on * _LENGTH_VALUES
    while longer >= 1:
        lengths[: int(longer)] += 1
        longer *= goes_on
    return lengths


def _drawn(
    generator: PCG64, shape: tuple[int, int], cells: int, table: Places | None
) -> tuple[Places, Places]:
    """Draw the blocks of some resamples: their first cells and their lengths.

    shape: rows, and the columns that are drawn at once.
    """
    import numpy as np

    starts, lengths = _words(generator, shape, cells, table)
    while lengths.sum(axis=1).min() < cells:
        more = _words(generator, shape, cells, table)
        starts, lengths = np.hstack([starts, more[0]]), np.hstack([lengths, more[1]])
    if table is None:
        return starts, lengths
    ends = np.minimum(np.cumsum(lengths, axis=1), cells)
    return starts, np.diff(ends, axis=1, prepend=0)


def _words(
    generator: PCG64, shape: tuple[int, int], cells: int, table: Places | None
) -> tuple[Places, Places]:
    """Draw a word for each block: its upper half chooses the first cell, 16 bits the length."""
    import numpy as np

    words = generator.random_raw(shape[0] * shape[1]).reshape(shape)
    half = np.uint64(_WORD_BITS)
    starts = (((words >> half) * np.uint64(cells)) >> half).view(np.int64)
    if table is None:
        return starts, np.ones(shape, dtype=np.int64)
    return starts, table.take((words & np.uint64(_LENGTH_VALUES - 1)).view(np.int64))


def whole_units(sums: Floats) -> tuple[Floats, float]:
    """Round sums to whole numbers of a unit, below 2^38; also return the unit.

    >>> import numpy as np
    >>> units, unit = whole_units(np.array([0.5, -3.0]))
    >>> (units * unit).tolist()
    [0.5, -3.0]
    """
    import numpy as np

    greatest = float(np.abs(sums).max(initial=0.0))
    unit = math.ldexp(1.0, math.frexp(greatest)[1] - WHOLE_BITS) if greatest else 1.0
    return np.rint(sums / unit), unit


def resampled_sums(
    sums: list[Floats], mean_block: float, seed: int, resamples: int = RESAMPLES
) -> list[Floats]:
    """Return the totals of resamples: for each list of sums by cell, one total a resample."""
    import numpy as np

    cells = len(sums[0])
    wholes = [whole_units(column) for column in sums]
    # Two columns go through as one of complex numbers, which takes half the time.
    columns = [units for units, _ in wholes] + [np.zeros(cells)] * (len(wholes) % 2)
    pairs = [a + 1j * b for a, b in zip(columns[::2], columns[1::2], strict=True)]
    totals: list[list[Any]] = [[] for _ in pairs]
    # What is up to each cell, so that a block is a difference; cells come twice, for blocks that
    # go on with the first cell.
    upto = [np.concatenate([[0.0], np.cumsum(np.tile(pair, 2))]) for pair in pairs]
    for starts, lengths in resample_blocks(cells, mean_block, seed, resamples):
        ends = starts + lengths
        for pair, column, found in zip(pairs, upto, totals, strict=True):
            if mean_block <= 1:
                found.append(pair.take(starts).sum(axis=1))
            else:
                found.append((column.take(ends) - column.take(starts)).sum(axis=1))
    joined = [np.concatenate(found) for found in totals]
    halves = [half for pair in joined for half in (pair.real, pair.imag)]
    return [half * unit for half, (_, unit) in zip(halves, wholes, strict=False)]


def interval_of(
    figure: Callable[..., Floats], sums: list[Floats], mean_block: float, seed: int
) -> list[float] | None:
    """Return the middle 95 % of a figure over resamples; None where there are too few blocks.

    figure: computes the figure from the totals of each of the sums; NaN where it has no answer.
    mean_block: in cells.
    """
    import numpy as np

    are_finite = all(np.isfinite(column).all() for column in sums)
    if len(sums[0]) < LEAST_BLOCKS * mean_block or not are_finite:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        values = figure(*resampled_sums(sums, mean_block, seed))
    found = np.sort(values[np.isfinite(values)])
    if len(found) * 1000 < len(values) * (1000 - OUTSIDE):
        return None
    cut = len(found) * OUTSIDE // 2000
    return [float(found[cut - 1]), float(found[len(found) - cut])]
