"""This module compares what prices did after a signal of 1 with what they did after one of 0."""

from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.analysis.bootstrap import automatic_length, interval_of
from rollsignal.analysis.excess import LEAST_OF_EACH
from rollsignal.analysis.returns import ahead_in_blocks
from rollsignal.analysis.sums import exact_sum, rounded, total_of
from rollsignal.analysis.timeline import ranked
from rollsignal.analysis.trading import Holding, finite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Forward(NamedTuple):
    """Returns over `horizon` bars, after ones and after zeros; None where there is no answer.

    difference: mean_one - mean_zero. rose_one, rose_zero: shares of returns above 0. block_bars:
    the mean length of the blocks of the resamples.
    """

    horizon: int
    ones: int
    zeros: int
    mean_one: float | None
    mean_zero: float | None
    difference: float | None
    interval: list[float] | None
    rose_one: float | None
    rose_zero: float | None
    block_bars: float | None


def forward(held: Holding, horizon: int) -> Forward:
    """Compare forward returns, of all series and times together; without an interval."""
    counts, rose = [0, 0], [0, 0]
    sums: list[list[float]] = [[], []]
    for each in held.series:
        for ahead in ahead_in_blocks(each, held.delay, horizon):
            for signal in (0, 1):
                chosen = ahead.is_one if signal else ~ahead.is_one
                counts[signal] += int(chosen.sum())
                rose[signal] += int(ahead.rose[chosen].sum())
                sums[signal].append(exact_sum(ahead.returns[chosen]))
    zeros, ones = counts
    mean_zero, mean_one = (
        finite(total_of(parts) / count) if count else None
        for parts, count in zip(sums, counts, strict=True)
    )
    difference = None
    if mean_one is not None and mean_zero is not None:
        difference = mean_one - mean_zero
    rose_zero, rose_one = (
        part / count if count else None for part, count in zip(rose, counts, strict=True)
    )
    return Forward(
        *(horizon, ones, zeros, mean_one, mean_zero, difference),
        *(None, rose_one, rose_zero, None),
    )


def with_interval(found: Forward, held: Holding, seed: int) -> Forward:
    """Add the interval of the difference, where there are enough ones and zeros."""
    if found.difference is None or min(found.ones, found.zeros) < LEAST_OF_EACH:
        return found
    columns, width = _by_cell(held, found.horizon)
    mean_one, mean_zero = found.mean_one or 0.0, found.mean_zero or 0.0
    after_zero, zeros, after_one, ones = columns
    influence = (after_one - mean_one * ones) / found.ones
    influence -= (after_zero - mean_zero * zeros) / found.zeros
    block_bars = max(float(found.horizon), automatic_length(influence) * width)
    interval = interval_of(_difference, columns, max(1.0, block_bars / width), seed)
    return found._replace(interval=interval, block_bars=rounded(block_bars))


def _difference(after_zero: Any, zeros: Any, after_one: Any, ones: Any) -> Any:
    return after_one / ones - after_zero / zeros


def _by_cell(held: Holding, horizon: int) -> "tuple[list[Floats], int]":
    """Add up by cell what came after zeros, zeros, what came after ones, and ones.

    Also return the times of a cell. Only times of which some bar has a forward return count.
    """
    import numpy as np

    line = held.known_line
    is_there = np.zeros(line.count_of_times, dtype=np.bool_)
    for number, each in enumerate(held.series):
        for ahead in ahead_in_blocks(each, held.delay, horizon):
            is_there[line.place(number, ahead.numbers)] = True
    at = ranked(is_there)
    sums, counts = np.zeros((2, 2 * at.cells.number))
    for number, each in enumerate(held.series):
        for ahead in ahead_in_blocks(each, held.delay, horizon):
            cells = at.cell(line.place(number, ahead.numbers))
            # Zeros first, then ones.
            rows = cells + ahead.is_one * np.int32(at.cells.number)
            np.add.at(sums, rows, ahead.returns)
            np.add.at(counts, rows, 1.0)
    half = at.cells.number
    return [sums[:half], counts[:half], sums[half:], counts[half:]], at.cells.width
