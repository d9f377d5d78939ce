"""This module narrows down which column is that of the closes, where no name tells it.

Of open, high, low and close, the high is the greatest in every bar and the low the least. So four
neighbouring columns with that relation leave two for the close. Which of these is the open cannot
be known for sure; that bars begin where the former one ended makes one of them more likely.
"""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from operator import sub

from rollsignal.commands.solutions import Solution

PRICES_OF_A_BAR = 4
# Prices of one bar are near each other, unlike prices and volumes.
MOST_RATIO = 2
LEAST_ROWS = 2

Values = Sequence[Fraction]


def between_the_others(solutions: Sequence[Solution]) -> list[Solution]:
    """Return the solutions whose close may be the close of four prices, the likeliest first.

    If no four columns are such prices, all solutions are returned. A column that leaves the bars
    without times, where others do not, holds the times itself.
    """
    timed = [each for each in solutions if all(bar.ns is not None for bar in each.look.bars)]
    solutions = timed or list(solutions)
    columns: dict[object, Values] = {}
    for solution in solutions:
        if (name := solution.settings.get("columns.close")) not in columns:
            columns[name] = [Fraction(bar.tick or 0, 10**bar.scale) for bar in solution.look.bars]
    fitting = list(dict.fromkeys(_closes_of_four(columns)))
    kept = [each for each in solutions if each.settings.get("columns.close") in fitting]
    if not kept:
        return solutions
    steps = {name: _distance(columns, name, fitting) for name in fitting}
    return sorted(kept, key=lambda each: steps[each.settings["columns.close"]])


def _closes_of_four(columns: Mapping[object, Values]) -> Iterator[object]:
    """Yield the columns that may be the close of four that are neighbours."""
    names = list(columns)
    for at in range(len(names) - PRICES_OF_A_BAR + 1):
        four = names[at : at + PRICES_OF_A_BAR]
        first, last = four[0], four[-1]
        if not (isinstance(first, int) and isinstance(last, int) and last - first > len(four) - 1):
            yield from _inner(four, [columns[name] for name in four])


def _inner(names: Sequence[object], columns: Sequence[Values]) -> list[object]:
    """Return the two columns that are between the greatest and the least in every row."""
    rows = list(zip(*columns, strict=False))
    if len(rows) < LEAST_ROWS or any(len(column) != len(rows) for column in columns):
        return []
    if any(min(row) <= 0 or max(row) > MOST_RATIO * min(row) for row in rows):
        return []
    highs = [at for at in range(len(names)) if all(row[at] == max(row) for row in rows)]
    lows = [at for at in range(len(names)) if all(row[at] == min(row) for row in rows)]
    if not highs or not lows:
        return []
    if len(highs) > 1 or len(lows) > 1:
        return list(names)
    return [name for at, name in enumerate(names) if at not in (highs[0], lows[0])]


def _distance(
    columns: Mapping[object, Values], close: object, fitting: Sequence[object]
) -> Fraction:
    """Return how far bars begin from the end of the former one, with the other column as open."""
    ends, steps = columns[close], []
    for name in fitting:
        if name != close:
            begins = columns[name][1:]
            steps.append(sum(map(abs, map(sub, begins, ends)), Fraction()))
    return min(steps, default=Fraction())
