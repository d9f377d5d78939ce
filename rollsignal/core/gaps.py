"""This module finds gaps in time: steps longer than the most common step of their series.

The most common step is only known at the end, so every distinct step of a series is remembered
with its count and the bar where it first occurs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.findings import Findings, LocatedFinding
from rollsignal.core.reader import Reader
from rollsignal.core.timestamps.reader import iso
from rollsignal.core.timestamps.zones import DAY_NS
from rollsignal.messages import shown

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MAX_STEPS = 1_000
HOUR_NS = DAY_NS // 24


class StepPlace(NamedTuple):
    """Where a step first occurs: the bar after it."""

    ns: int
    file: str
    unit: str
    row: int

    def moved(self, lines: int) -> "StepPlace":
        """Return the place so many lines further down."""
        return self._replace(row=self.row + lines)

    def unnumbered(self) -> "StepPlace":
        """Return the place if rows have no numbers: only the time is left of it."""
        return self._replace(row=0)

    def __str__(self) -> str:
        """Name the place in a message; the time is told beside it."""
        return f"{self.file} {self.unit} {self.row}" if self.row else self.file


class _Step(NamedTuple):
    """How often a step occurs, the earliest bar after it, and the first file that has it."""

    times: int
    earliest: StepPlace | None
    file: str

    def plus(self, times: int, earliest: StepPlace | None) -> "_Step":
        """Count more of the same step, which come later in the order of the bars."""
        both = self.earliest and earliest and min(self.earliest, earliest)
        return _Step(self.times + times, both, self.file)

    def moved(self, lines: int) -> "_Step":
        """Return the same step, so many lines further down."""
        return self._replace(earliest=self.earliest and self.earliest.moved(lines))

    def unnumbered(self) -> "_Step":
        """Return the same step, whose place has no number."""
        return self._replace(earliest=self.earliest and self.earliest.unnumbered())


class StepsSeen(NamedTuple):
    """The last time of every series, and its distinct steps in the order of the bars."""

    last: dict[str, int]
    steps: dict[str, dict[int, _Step]]

    def moved(self, lines: int) -> "StepsSeen":
        """Return the same steps, so many lines further down in their file."""
        moved = {
            symbol: {step: each.moved(lines) for step, each in steps.items()}
            for symbol, steps in self.steps.items()
        }
        return StepsSeen(self.last, moved)

    def unnumbered(self) -> "StepsSeen":
        """Return the same steps, of rows without numbers."""
        steps = {
            symbol: {step: each.unnumbered() for step, each in steps.items()}
            for symbol, steps in self.steps.items()
        }
        return StepsSeen(self.last, steps)


class Steps:
    """The steps in time of every series, counted batch after batch in the order of the bars.

    A series with more than `MAX_STEPS` distinct steps has no usual one: then only the file where
    it passes that number counts, and its steps are kept without their counts.
    """

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self._steps: dict[str, dict[int, _Step]] = {}
        self._irregular: dict[str, str] = {}

    def seen(self) -> StepsSeen:
        """Return all that is known of the steps so far, as plain values."""
        return StepsSeen(
            dict(self._last),
            {
                symbol: {
                    step: _Step(0, None, each.file) if symbol in self._irregular else each
                    for step, each in steps.items()
                }
                for symbol, steps in self._steps.items()
            },
        )

    def merge(self, later: StepsSeen, starts: Mapping[str, StepPlace]) -> None:
        """Add the steps of the bars that follow; `starts` has the first bar of each series."""
        for symbol, start in starts.items():
            if symbol in self._last:
                self._count(symbol, start.ns - self._last[symbol], 1, start, start.file)
        for symbol, steps in later.steps.items():
            for step, each in steps.items():
                self._count(symbol, step, *each)
        self._last |= later.last

    def take(
        self, symbol: str, timestamps_ns: Sequence[int], rows: Sequence[int], reader: Reader
    ) -> None:
        """Receive the next bars of one series: their timestamps, and their lines or rows."""
        last = self._last.get(symbol)
        for ns, row in zip(timestamps_ns, rows, strict=True):
            if last is not None:
                place = StepPlace(ns, reader.name, reader.unit, row)
                self._count(symbol, ns - last, 1, place, reader.name)
            last = ns
        if last is not None:
            self._last[symbol] = last

    def take_arrays(
        self,
        symbols: Sequence[str],
        codes: "NDArray[np.int64]",
        timestamps_ns: "NDArray[np.int64]",
        line_of: Callable[[int], int],
        reader: Reader,
    ) -> None:
        """Receive bars of many series; `codes` index `symbols`, `line_of` tells a bar's row."""
        import numpy as np

        order = np.argsort(codes, kind="stable")
        sorted_codes, times = codes[order], timestamps_ns[order]
        before = np.concatenate((times[:1], times[:-1]))
        firsts = np.flatnonzero(np.concatenate(([True], sorted_codes[1:] != sorted_codes[:-1])))
        # A series' last time may be beyond 64 bits: the step from there is counted by `take`.
        before[firsts] = times[firsts]
        for at in firsts.tolist():
            row = line_of(int(order[at]))
            self.take(symbols[sorted_codes[at]], [int(times[at])], [row], reader)
        # Timestamps rise, so a difference that overflows int64 is right as uint64.
        steps = (times - before).view(np.uint64)
        distinct, step_of = np.unique(steps, return_inverse=True)
        _, indexes, counts = np.unique(
            sorted_codes * len(distinct) + step_of, return_index=True, return_counts=True
        )
        # In the order of the bars, as `take` counts them.
        for at, count in sorted(zip(indexes.tolist(), counts.tolist(), strict=True)):
            row = line_of(int(order[at]))
            first = StepPlace(int(times[at]), reader.name, reader.unit, row)
            self._count(symbols[sorted_codes[at]], int(steps[at]), count, first, reader.name)
        for at in (np.append(firsts[1:], len(times)) - 1).tolist():
            self._last[symbols[sorted_codes[at]]] = int(times[at])

    def _count(
        self, symbol: str, step: int, count: int, earliest: StepPlace | None, file: str
    ) -> None:
        if step <= 0 or symbol in self._irregular:
            return
        steps = self._steps.setdefault(symbol, {})
        before = steps.get(step)
        steps[step] = before.plus(count, earliest) if before else _Step(count, earliest, file)
        if len(steps) > MAX_STEPS:
            self._irregular[symbol] = file

    def report(self, findings: Findings) -> None:
        """Report every step longer than the most common one of its series, in the order of time."""
        for _, count, finding in sorted(self._gaps(), key=itemgetter(0)):
            findings.report(finding, count)
        for symbol, file in sorted(self._irregular.items()):
            findings.report(_irregular(symbol, file))

    def report_strays(self, findings: Findings) -> None:
        """Report every bar that is off the grid of its series, in the order of time."""
        for _, finding in sorted(self._strays(), key=itemgetter(0)):
            findings.report(finding)

    def _strays(self) -> Iterator[tuple[StepPlace, LocatedFinding]]:
        """Find bars with a step before and after them that is off the grid and unlike all others.

        So a change of the clock is none, nor is a session that begins at half past.
        """
        for symbol, steps in self._steps.items():
            if symbol in self._irregular:
                continue
            usual, grid = _usual(steps), _grid(steps)
            odd = {
                step: at
                for step, (times, at, _) in steps.items()
                if at and times == 1 and step % grid
            }
            begins = {at.ns - step for step, at in odd.items()}
            for step, at in odd.items():
                # Before the last bar the clock may have changed, by whole hours.
                is_last = at.ns == self._last[symbol] and step % min(grid, HOUR_NS) > 0
                if is_last or at.ns in begins:
                    yield at, _stray(symbol, step, usual, at)

    def _gaps(self) -> Iterator[tuple[StepPlace, int, LocatedFinding]]:
        for symbol, steps in self._steps.items():
            if symbol in self._irregular:
                continue
            usual = _usual(steps)
            for step, (count, first, _) in steps.items():
                if step > usual and first:
                    yield first, count, _gap(symbol, step, usual, first)


def _usual(steps: Mapping[int, _Step]) -> int:
    """Return the most common step, the shortest of several."""
    return max(steps, key=lambda step: (steps[step].times, -step))


def _grid(steps: Mapping[int, _Step]) -> int:
    """Return the length that more than two thirds of the steps are whole numbers of; 1 without one.

    It is the most common step if that divides a day, and a day if that is whole days.
    """
    usual = _usual(steps)
    grid = min(usual, DAY_NS)
    on_grid = sum(each.times for step, each in steps.items() if step % grid == 0)
    is_grid = steps[usual].times > 1 and usual % grid == DAY_NS % grid == 0
    most = 2 * sum(each.times for each in steps.values())
    return grid if is_grid and 3 * on_grid > most else 1


def _stray(symbol: str, step: int, usual: int, at: StepPlace) -> LocatedFinding:
    of = f" of {shown(symbol)}" if symbol else ""
    what = f"{iso(at.ns)}{of} is {_duration(step)} after {iso(at.ns - step)}, off the grid of"
    message = f"{at}: {what} {_duration(usual)}: is the bar unfinished?"
    return LocatedFinding("values", at.file, at.row, symbol, iso(at.ns), message)


def _gap(symbol: str, step: int, usual: int, first: StepPlace) -> LocatedFinding:
    of = f" of {shown(symbol)}" if symbol else ""
    before = f"before {iso(first.ns)}{of}"
    what = f"a step of {_duration(step)} {before}, where {_duration(usual)} is usual"
    message = f"{first}: {what} (set checks: {{gaps: warn}})"
    return LocatedFinding("gaps", first.file, first.row, symbol, iso(first.ns), message)


def _irregular(symbol: str, file: str) -> LocatedFinding:
    of = f" of {shown(symbol)}" if symbol else ""
    what = f"more than {MAX_STEPS:,} different steps in time{of}, so none is usual"
    message = f"{file}: {what} (set checks: {{gaps: off}})"
    return LocatedFinding("gaps", file, None, symbol, None, message)


def _duration(ns: int) -> str:
    """Write a span of time."""
    try:
        return str(timedelta(microseconds=ns // 1000)) if ns % 1000 == 0 else f"{ns:,} ns"
    except OverflowError:
        return f"{ns:,} ns"
