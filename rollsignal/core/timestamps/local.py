"""This module turns times without a zone into UTC, by the rules of one place.

In autumn an hour comes twice. Which of the two a bar is of, is told by the rows of its series: they
are in order, so those after a step back are of the second. Where no step back shows that the hour
is there twice, nothing tells it, and the first such time is refused. Rows from the newest to the
oldest are the same seen in a mirror: those after a step forward are of the first of the two hours.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.timestamps.local_rules import ZoneRules, local_rules
from rollsignal.core.timestamps.zones import SECOND_NS
from rollsignal.errors import BadCellError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIRST_YEAR, _LAST_YEAR = 1800, 2199
_OF_1970 = datetime(1970, 1, 1)
_IN_UTC = "write the offset into every time, as in 2024-11-03T01:30:00-05:00"
_GAP = "correct it, or the setting timezone"
_BY_ORDER = (
    _IN_UTC
    + "; without sort: true, and with checks: {order: error}, the order of the rows tells it"
)


class _Repeat(NamedTuple):
    """The bars of a series in an hour that comes twice, so far.

    begin_ns: when the hour begins. line, cell: those of the first bar. last_ns: the local time of
    the last one. first, second: the number of bars in the two hours, in the order of the rows.
    is_tie: whether the second began at the very time at which the first ended.
    """

    begin_ns: int
    line: int
    cell: str
    last_ns: int
    first: int = 1
    second: int = 0
    is_tie: bool = False


class UnclearTimeError(Exception):
    """A local time of a line is none, or is one of two; `bad` says why."""

    def __init__(self, line: int, cell: str, bad: BadCellError) -> None:
        super().__init__(bad.reason)
        self.line = line
        self.cell = cell
        self.bad = bad


class LocalTimes:
    """Turn the local times of one file into UTC, batch after batch.

    in_order: whether rows that are not in the order of time are refused. newest_first: whether that
    order is from the newest to the oldest.
    """

    def __init__(self, place: str, in_order: bool, newest_first: bool = False) -> None:
        self._place = place
        self._in_order = in_order
        self._newest_first = newest_first
        self._years = (1, 0)
        self._rules = ZoneRules([], [], [0])
        self._open: dict[str, _Repeat] = {}

    @property
    def memory(self) -> object:
        """Return what the reading of further times depends on."""
        return dict(self._open)

    def in_utc(
        self,
        times_ns: Sequence[int],
        symbols: Sequence[str] | None,
        lines: Sequence[int],
        cells: Sequence[str],
    ) -> list[int]:
        """Return local times in UTC; raises `UnclearTimeError`.

        symbols: that of each row; None if they are all of one series.
        """
        if not times_ns:
            return []
        self._refuse_other_years(times_ns, lines, cells)
        rules = self._rules
        within = rules.without_change(min(times_ns), max(times_ns))
        if within is not None and not self._open:
            return [ns - within for ns in times_ns]
        return [
            ns - self._offset(ns, "" if symbols is None else symbols[row], lines[row], cells[row])
            for row, ns in enumerate(times_ns)
        ]

    def clear_in_utc(self, times_ns: "NDArray[np.int64]") -> "NDArray[np.int64] | None":
        """Return local times in UTC, None if the rows must be looked at one by one."""
        import numpy as np

        if self._open or not len(times_ns):
            return None if self._open else times_ns
        least, most = int(times_ns.min()), int(times_ns.max())
        if not self._has_rules_of(least, most):
            return None
        within = self._rules.without_change(least, most)
        if within is not None:
            return times_ns - within
        begins, ends, offsets = (np.array(part, np.int64) for part in self._rules)
        past = ends.searchsorted(times_ns, "right")
        if (past != begins.searchsorted(times_ns, "right")).any():
            return None
        return times_ns - offsets[past]

    def finish(self) -> None:
        """Raise `UnclearTimeError` if the last bars of a series may be of either hour."""
        for repeat in self._open.values():
            self._refuse_single(repeat)

    def _has_rules_of(self, least_ns: int, most_ns: int) -> bool:
        """Look up the rules of the years of two times; return whether they are known."""
        try:
            years = [
                (_OF_1970 + timedelta(seconds=ns // SECOND_NS)).year for ns in (least_ns, most_ns)
            ]
        except OverflowError:
            return False
        if years[0] < _FIRST_YEAR or years[1] > _LAST_YEAR:
            return False
        if years[0] < self._years[0] or years[1] > self._years[1]:
            before = self._years if self._years[0] <= self._years[1] else (years[0], years[1])
            self._years = min(years[0], before[0]), max(years[1], before[1])
            self._rules = local_rules(self._place, *self._years)
        return True

    def _refuse_other_years(
        self, times_ns: Sequence[int], lines: Sequence[int], cells: Sequence[str]
    ) -> None:
        if self._has_rules_of(min(times_ns), max(times_ns)):
            return
        row = next(row for row, ns in enumerate(times_ns) if not self._has_rules_of(ns, ns))
        what = "not in the years 1800 to 2199, for which timezone has rules"
        raise UnclearTimeError(lines[row], cells[row], BadCellError(what, hint=_IN_UTC))

    def _offset(self, ns: int, symbol: str, line: int, cell: str) -> int:
        """Return the offset from UTC of one local time; raises `UnclearTimeError`."""
        rules, repeat = self._rules, self._open.get(symbol)
        index = bisect_right(rules.ends_ns, ns)
        if index == bisect_right(rules.begins_ns, ns):
            if repeat:
                self._refuse_single(self._open.pop(symbol))
            return rules.offsets_ns[index]
        begin_ns, (before, after) = rules.begins_ns[index], rules.offsets_ns[index : index + 2]
        if before < after:
            clock = f"the clock goes from {_clock(begin_ns)} to {_clock(rules.ends_ns[index])}"
            what = f"a time that does not exist in {self._place}: {clock}"
            raise UnclearTimeError(line, cell, BadCellError(what, hint=_GAP))
        if repeat and repeat.begin_ns != begin_ns:
            self._refuse_single(repeat)
            repeat = None
        bar = _Repeat(begin_ns, line, cell, ns)
        repeat = self._after(repeat, bar, before - after) if repeat else self._first(bar)
        self._open[symbol] = repeat
        is_later = bool(repeat.second) != self._newest_first
        return after if is_later else before

    def _first(self, bar: _Repeat) -> _Repeat:
        """Begin the hour with its first bar."""
        if not self._in_order:
            raise self._unclear(bar, "the order of the rows may be wrong", _BY_ORDER)
        return bar

    def _after(self, repeat: _Repeat, bar: _Repeat, length_ns: int) -> _Repeat:
        """Continue the hour, of which the first and the second together last twice `length_ns`."""
        back_ns = repeat.last_ns - bar.last_ns
        if self._newest_first:
            back_ns = -back_ns
        if repeat.second:
            following = repeat._replace(second=repeat.second + 1)
        elif back_ns < 0:
            following = repeat._replace(first=repeat.first + 1)
        else:
            following = repeat._replace(second=1, is_tie=not back_ns)
            if 0 < 2 * back_ns < length_ns:
                step = "forward" if self._newest_first else "back"
                why = f"it steps {step} so little that the order may be wrong"
                raise self._unclear(bar, why)
        if following.is_tie and following.first + following.second > 2:
            raise self._unclear(bar, "one of these bars may be there twice")
        return following._replace(last_ns=bar.last_ns)

    def _refuse_single(self, repeat: _Repeat) -> None:
        """Raise `UnclearTimeError` for an hour of which no step back shows that it came twice."""
        if not repeat.second:
            raise self._unclear(
                repeat, "the rows of its series have it once: nothing tells which it is"
            )

    def _unclear(self, bar: _Repeat, why: str, hint: str = _IN_UTC) -> UnclearTimeError:
        what = f"a time that comes twice in {self._place}, and {why}"
        return UnclearTimeError(bar.line, bar.cell, BadCellError(what, hint=hint))


def _clock(ns: int) -> str:
    return f"{_OF_1970 + timedelta(seconds=ns // SECOND_NS):%H:%M}"
