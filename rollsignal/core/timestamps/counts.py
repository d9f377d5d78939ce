"""This module reads counts since 1970: all in the unit that the config names, or each by its size.

A count before 1973 may be anything: a year, a row's number, a spreadsheet's day. It is a time only
where its column has seconds of 1972 and of 1973, or where the config names the unit.
"""

import re
from collections.abc import Callable, Sequence

from rollsignal.core.timestamps.count_hints import EXCEL_DAYS, NO_TIME_HINT, hint_for
from rollsignal.core.timestamps.zones import DAY_NS, SECOND_NS
from rollsignal.errors import BadCellError

EPOCHS = {
    "epoch_s": ("seconds", 9),
    "epoch_ms": ("milliseconds", 6),
    "epoch_us": ("microseconds", 3),
    "epoch_ns": ("nanoseconds", 0),
}
"""The words for counts since 1970: their unit, and how many more digits nanoseconds have."""

COUNT = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]\+?([0-9]{1,3}))?", re.ASCII)
MOST_COUNT_DIGITS = 19
# Numbers with an exponent are rounded to so many digits by most formats: 1.704067e+12.
ROUNDED_DIGITS = 7

_WORDS = {decimals: word for word, (_, decimals) in EPOCHS.items()}
# The first whole number that is no more seconds, milliseconds or microseconds, but the next unit.
_BOUNDS = ((10**11, 9), (10**14, 6), (10**17, 3))
# Days since 1970. Bars are of no earlier and no later year than 1800 and 2199.
_YEAR_1800_NS, _YEAR_2200_NS = -62_091 * DAY_NS, 84_006 * DAY_NS
_YEAR_1972_NS, _YEAR_1973_NS, _YEAR_1974_NS = 730 * DAY_NS, 1_096 * DAY_NS, 1_461 * DAY_NS
_DECEMBER_NS, _FEBRUARY_NS, _MARCH_NS = -31 * DAY_NS, 31 * DAY_NS, 59 * DAY_NS
# Windows and .NET count 100 ns since 1601 and since the year 1. These are their years 1950 to 2199.
_OTHER_EPOCHS = ((110 * 10**15, 190 * 10**15), (615 * 10**15, 695 * 10**15))
# Counts of 2001 to 2191 in the four units have one of these widths and first digits.
_USUAL_WIDTHS, _USUAL_FIRST_DIGITS = (10, 13, 16, 19), frozenset("123456")

_ROUNDED = "write all digits of these counts, such as 1704067200000"
_MIXED = (
    "write these times as dates such as 2024-01-31, or set timestamp_format: null, which takes"
    " the unit of each count from its own size"
)


class Count:
    """Counts since 1970 UTC in one unit, which the config names.

    `unproven` is the reason why a count that was read may not be a time, None without one.
    """

    pattern = ""
    zoned: bool | None = True
    # Why the first count with an exponent may be rounded, and whether a longer one has been read.
    _rounded: BadCellError | None = None
    _has_long = False

    def __init__(self, word: str) -> None:
        self._word = word
        self._unit, self._decimals = EPOCHS[word]
        self._most_digits = MOST_COUNT_DIGITS - self._decimals
        self._has_january = self._has_neighbour = self._has_other = False

    @property
    def counts(self) -> "Count":
        """Return itself: these are counts."""
        return self

    @property
    def unproven(self) -> BadCellError | None:
        """Return why a count may be no time, or another one than is written."""
        return self._rounded

    @property
    def memory(self) -> tuple[bool, ...]:
        """Return what was seen so far, on which it depends whether further counts are refused."""
        january = self._has_january, self._has_neighbour, self._has_other
        return *january, self._rounded is not None, self._has_long

    def read(self, cell: str) -> int:
        """Read one count, with decimals down to nanoseconds."""
        is_negative, digits, fraction = _count_parts(
            cell, f"not a count of {self._unit} since 1970"
        )
        if len(digits) > self._most_digits:
            raise BadCellError(f"too many digits for {self._unit} since 1970")
        return _count_ns(is_negative, digits, fraction, self._decimals)

    def read_all(self, cells: Sequence[str]) -> list[int]:
        """Read many counts; plain whole numbers are converted all at once.

        Raises `BadCellError` also for a count in January 1970 where others are not: that is what
        today's counts become in a unit that is too small.
        """
        plain = _plain_counts(cells, self._most_digits)
        if plain and (unit_ns := self.unit_ns_of(*plain[1:])):
            return [count * unit_ns for count in plain[0]]
        times_ns = read_each(self.read, cells)
        self.check(times_ns)
        self._note_exponents(cells)
        return times_ns

    def unit_ns_of(self, least: int, most: int) -> int:
        """Return the unit of a batch of whole counts; 0 if they must be read one by one."""
        unit_ns = 10**self._decimals
        is_january = most * unit_ns < _FEBRUARY_NS
        if not is_january and least * unit_ns < _MARCH_NS:
            return 0
        self._has_january |= is_january
        self._has_other |= not is_january
        return 0 if self._is_mixed() else unit_ns

    def setting(self, cell: str) -> str:
        """Return the word for this unit."""
        return self._word

    def check(self, times_ns: Sequence[int]) -> None:
        """Raise `BadCellError` for a time that the unit puts apart from those so far."""
        january = [0 <= ns < _FEBRUARY_NS for ns in times_ns]
        others = [ns for ns, is_january in zip(times_ns, january, strict=True) if not is_january]
        neighbours = (_DECEMBER_NS <= ns < _MARCH_NS for ns in others)
        self._has_neighbour = self._has_neighbour or any(neighbours)
        self._has_january |= any(january)
        self._has_other |= bool(others)
        if self._is_mixed():
            what = f"in January 1970 as {self._unit}, where other rows are not"
            if not any(january):
                what = f"not in January 1970 as {self._unit}, where the rows above are"
            raise BadCellError(what, january.index(True) if any(january) else 0, _MIXED)

    def _note_exponents(self, cells: Sequence[str]) -> None:
        """Note whether all counts with exponents so far may have been rounded."""
        if self._has_long or not any("e" in cell or "E" in cell for cell in cells):
            return
        for index, cell in enumerate(cells):
            mantissa, _, exponent = cell.strip().upper().partition("E")
            if exponent and sum(map(str.isdigit, mantissa)) > ROUNDED_DIGITS:
                self._has_long, self._rounded = True, None
                return
            if exponent and self._rounded is None:
                what = f"with an exponent and at most {ROUNDED_DIGITS} digits, so perhaps rounded"
                self._rounded = BadCellError(what, index, _ROUNDED)

    def _is_mixed(self) -> bool:
        return self._has_january and self._has_other and not self._has_neighbour


class SizedCount(Count):
    """Counts since 1970 UTC, each in the unit that its own size tells."""

    def __init__(self) -> None:
        self._early: BadCellError | None = None
        self._has_1972 = self._has_1973 = False

    @property
    def unproven(self) -> BadCellError | None:
        """Return why a count may be no time, or another one than is written."""
        return self._early or self._rounded

    @property
    def memory(self) -> tuple[bool, ...]:
        """Return what was seen so far, on which it depends whether further counts are refused."""
        years = self._has_1972, self._has_1973, self._early is not None
        return *years, self._rounded is not None, self._has_long

    def read(self, cell: str) -> int:
        """Read one count; raises `BadCellError` if it is no plausible time in any unit."""
        is_negative, digits, fraction = _count_parts(cell, "not a count since 1970")
        if len(digits) > MOST_COUNT_DIGITS:
            raise BadCellError("too many digits for a count since 1970", hint=NO_TIME_HINT)
        size = int("0" + digits)
        decimals = _decimals_of(size)
        ns = _count_ns(is_negative, digits, fraction, decimals)
        first_ns = _YEAR_1800_NS if decimals == 9 else _YEAR_1973_NS
        if not first_ns <= ns < _YEAR_2200_NS:
            unit = EPOCHS[_WORDS[decimals]][0]
            raise BadCellError(f"no plausible time as {unit} since 1970", hint=NO_TIME_HINT)
        if not decimals and any(first <= size < stop for first, stop in _OTHER_EPOCHS):
            what = "not clearly a time: nanoseconds since 1970, or units of 100 ns as in .NET"
            raise BadCellError(what, hint=NO_TIME_HINT)
        return ns

    def read_all(self, cells: Sequence[str]) -> list[int]:
        """Read many counts; those of one plain unit are converted all at once.

        Where counts before 1973 may still turn out to be times, `unproven` is set.
        """
        plain = _plain_counts(cells, MOST_COUNT_DIGITS)
        if plain and (unit_ns := self.unit_ns_of(*plain[1:])):
            return [count * unit_ns for count in plain[0]]
        times_ns = read_each(self.read, cells)
        self._prove(cells, times_ns)
        self._note_exponents(cells)
        return times_ns

    def unit_ns_of(self, least: int, most: int) -> int:
        """Return the unit of a batch of clear counts; 0 if they must be read one by one."""
        decimals = _decimals_of(most)
        unit_ns: int = 10**decimals
        if self._early or decimals != _decimals_of(least):
            return 0
        if least * unit_ns < _YEAR_1973_NS or most * unit_ns >= _YEAR_2200_NS:
            return 0
        if not decimals and any(least < stop and most >= first for first, stop in _OTHER_EPOCHS):
            return 0
        self._has_1973 |= decimals == 9 and least * unit_ns < _YEAR_1974_NS
        return unit_ns

    def setting(self, cell: str) -> str:
        """Return the word for the unit of this count, or all that it may have."""
        digits = _count_parts(cell, "not a count since 1970")[1]
        is_small = int("0" + digits) * SECOND_NS < _YEAR_1973_NS
        return " or ".join(EPOCHS) if is_small else _WORDS[_decimals_of(int(digits))]

    def _prove(self, cells: Sequence[str], times_ns: list[int]) -> None:
        """Decide whether counts before 1973 are times; raises `BadCellError` if that is hopeless.

        Only seconds can be counts before 1973: milliseconds have as few digits there as seconds.
        """
        self._has_1972 |= any(_YEAR_1972_NS <= ns < _YEAR_1973_NS for ns in times_ns)
        self._has_1973 |= any(_YEAR_1973_NS <= ns < _YEAR_1974_NS for ns in times_ns)
        if self._has_1972 and self._has_1973:
            self._early = None
            return
        early = next((row for row, ns in enumerate(times_ns) if ns < _YEAR_1973_NS), None)
        if early is None:
            return
        hint = hint_for(cells[early], times_ns)
        what = "not clearly a time: as seconds since 1970 it would be before 1973"
        bad = BadCellError(what, early, hint)
        if hint == EXCEL_DAYS:
            bad.choices = [{"timestamp_format": "excel"}]
        is_sorted = sorted(times_ns) in (times_ns, times_ns[::-1])
        if max(times_ns) >= _YEAR_1973_NS or not is_sorted:
            raise bad
        self._early = self._early or bad


def read_each(read: Callable[[str], int], cells: Sequence[str]) -> list[int]:
    """Read cells one by one; raises `BadCellError` with the index of the first bad one."""
    timestamps_ns: list[int] = []
    try:
        timestamps_ns.extend(map(read, cells))
    except BadCellError as bad:
        raise BadCellError(bad.reason, len(timestamps_ns), bad.hint) from None
    return timestamps_ns


def _plain_counts(cells: Sequence[str], most_digits: int) -> tuple[list[int], int, int] | None:
    """Convert plain whole numbers, all at once; return None if any cell is not one.

    Also returns bounds of all: exact ones, or rough ones, found faster, for the years 2001 to 2191.
    """
    text = "".join(cells)
    if not (text.isascii() and text.isdigit() and all(cells)):
        return None
    width = max(map(len, cells))
    if width > most_digits:
        return None
    whole = list(map(int, cells))
    if width in _USUAL_WIDTHS and len(text) == width * len(cells):
        first_digits = set(text[::width])
        if first_digits <= _USUAL_FIRST_DIGITS:
            unit = 10 ** (width - 1)
            return whole, int(min(first_digits)) * unit, (int(max(first_digits)) + 1) * unit - 1
    return whole, min(whole), max(whole)


def _count_parts(cell: str, misfit: str) -> tuple[bool, str, str]:
    """Return whether a count is negative, and its digits before and after the point."""
    match = COUNT.fullmatch(cell.strip())
    if match is None:
        raise BadCellError(misfit)
    digits, fraction = match[2], (match[3] or "").rstrip("0")
    if match[4]:
        exponent = int(match[4])
        if len(fraction) > exponent:
            raise BadCellError("a count with an exponent that is not a whole number")
        digits, fraction = digits + fraction.ljust(exponent, "0"), ""
    return bool(match[1]), digits.lstrip("0"), fraction


def _decimals_of(size: int) -> int:
    """Return how many more digits nanoseconds have than the unit of a count of this size."""
    return next((decimals for bound, decimals in _BOUNDS if size < bound), 0)


def _count_ns(is_negative: bool, digits: str, fraction: str, decimals: int) -> int:
    if len(fraction) > decimals:
        raise BadCellError("finer than a nanosecond")
    ns = int("0" + digits + fraction.ljust(decimals, "0"))
    return -ns if is_negative else ns
