"""This module holds the result of a run: accounts of its series, and findings of its checks."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.kernel import Account, Tally
from rollsignal.core.timestamps.reader import iso
from rollsignal.errors import DataError
from rollsignal.messages import LogLevel, Tell, shown

if TYPE_CHECKING:
    from rollsignal.core.waiting import WaitingBar

SHOWN_FINDINGS = 5
UNTIMED = "no timestamps: order, duplicates, gaps and the order of files are not checked"

_SYMBOLS_HINT = "if each file is of a symbol of its own, set columns: {symbol: {from: filename}}"
_OVERLAP_HINT = (
    "if they are of one series, set sort: true, with timezone: NAME if times without a zone are"
    " those of a place, and duplicates: same for bars that both have"
)


class LocatedFinding(NamedTuple):
    """A finding of a check, and where it is: `row` is a line or a row of the file."""

    check: str
    file: str
    row: int | None
    symbol: str
    timestamp: str | None
    message: str


class Findings:
    """Treat findings as the config says: an error ends the run, a warning is shown.

    levels: each check's level: error, warn or off. to_the_end: whether errors are collected
    instead. `counts` has the number of findings of each check, `shown` the first few of them.
    `place` is the index, in its batch, of the bar whose findings are reported.
    """

    place = 0

    def __init__(self, levels: Mapping[str, str], tell: Tell, to_the_end: bool = False) -> None:
        self.levels = levels
        self.counts: Counter[str] = Counter()
        self.shown: list[LocatedFinding] = []
        self._times_shown: Counter[str] = Counter()
        self._tell = tell
        self._to_the_end = to_the_end

    @property
    def first(self) -> dict[str, list[LocatedFinding]]:
        """Return the first findings of each check."""
        first: dict[str, list[LocatedFinding]] = {}
        for finding in self.shown:
            first.setdefault(finding.check, []).append(finding)
        return first

    def report(self, finding: LocatedFinding, count: int = 1) -> None:
        """Record the first of `count` similar findings; raises `DataError` if it is an error."""
        if self.is_muted(finding.check, count):
            return
        is_error = self.levels[finding.check] == "error"
        if is_error and not self._to_the_end:
            error = DataError(finding.message)
            error.check = finding.check
            raise error
        self.shown.append(finding)
        self._times_shown[finding.check] += 1
        self._tell("ERROR" if is_error else "WARNING", finding.message)
        self.counts[finding.check] += count

    def shows(self, check: str) -> bool:
        """Return whether one more finding of a check would be shown, or end the run."""
        return self.levels[check] != "off" and self._times_shown[check] < SHOWN_FINDINGS

    def is_muted(self, check: str, count: int = 1) -> bool:
        """Count findings that are not to be shown, if the check is off or has shown enough.

        Return whether that is so.
        """
        if self.levels[check] == "off":
            return True
        if self._times_shown[check] < SHOWN_FINDINGS:
            return False
        self.counts[check] += count
        return True

    def merge(self, later: "Findings") -> None:
        """Add the findings of the bars that follow; raises `DataError` as `report` does."""
        rest = later.counts.copy()
        for finding in later.shown:
            self.report(finding)
            rest[finding.check] -= 1
        self.counts.update(+rest)


def tell_nobody(level: LogLevel, text: str) -> None:
    """Tell nobody, where findings are told later or were told before."""


def times_misfit(
    account: Account, file: str, has_times: bool, zoned: bool | None
) -> DataError | None:
    """Return the error for bars of a file whose times are not like those of their series, if so.

    Either all bars of a series have timestamps or none, and either all are in UTC or none.
    """
    if not account.tally.rows:
        return None
    timed = account.last_ns is not None
    if has_times == timed:
        is_mixed = None not in (zoned, account.zoned) and zoned != account.zoned
        return zones_misfit(account.last_file, file, bool(account.zoned)) if is_mixed else None
    with_times, without = (account.last_file, file) if timed else (file, account.last_file)
    return DataError(
        f"{with_times} has timestamps, but {without}, of the same series, has none",
        "name its column in the config (columns: {timestamp: NAME}), or give it timestamps",
    )


def zones_misfit(first: str, second: str, first_is_zoned: bool) -> DataError:
    """Return the error for two files of a series, of which one has times without a zone."""
    zoned, unzoned = (first, second) if first_is_zoned else (second, first)
    return DataError(
        f"{zoned} has times with a zone, or counts since 1970, but those of {unzoned}, of the same"
        " series, have no zone",
        f"write the zone of each time into {unzoned}, as in 2024-01-31T09:30:00-05:00 or"
        " 2024-01-31T14:30:00Z",
    )


class FoundFile(NamedTuple):
    """The rows of a file, and a description of its format and columns.

    version: that of a table, if it keeps versions.
    """

    rows: int
    description: str
    version: str | None = None


class Found(NamedTuple):
    """The result of a run: the account of every series, their tally, the files and the findings.

    `files` are keyed by path. `digest` is that of all signals, None if it was not asked for.
    `dropped` are the rows that the setting `duplicates` leaves out.
    `waiting` are the bars that were read, but not decided before later ones are there, `unread`
    those that an earlier run has left waiting, and that are decided without being read again.
    """

    accounts: Mapping[str, Account]
    tally: Tally
    files: Mapping[str, FoundFile]
    findings: Findings
    digest: int | None = None
    dropped: int = 0
    waiting: "Sequence[WaitingBar]" = ()
    unread: "Sequence[WaitingBar]" = ()

    @property
    def newest_bar(self) -> tuple[int | None, int | None]:
        """Return the latest time of all series in ns, and how many series end before it.

        Bars that wait count too. Both are None without timestamps.
        """
        read = [(symbol, account.last_ns) for symbol, account in self.accounts.items()]
        read += [(bar.symbol, bar.ns) for bar in self.waiting]
        lasts: dict[str, int] = {}
        for symbol, ns in read:
            if ns is not None:
                lasts[symbol] = max(ns, lasts.get(symbol, ns))
        if not lasts:
            return None, None
        newest_ns = max(lasts.values())
        return newest_ns, sum(last_ns < newest_ns for last_ns in lasts.values())

    @property
    def untimed(self) -> list[str]:
        """List the series whose bars have no timestamps."""
        return [symbol for symbol, account in self.accounts.items() if account.last_ns is None]


def overlap_of(account: Account, symbol: str, first_ns: int, file: str) -> LocatedFinding | None:
    """Return the finding for a file that begins before the end of the file it continues."""
    if account.last_ns is None or account.last_file == file or first_ns > account.last_ns:
        return None
    check = "order" if first_ns < account.last_ns else "duplicates"
    of = f" for {shown(symbol)}" if symbol else ""
    begin = f"{file} begins at {iso(first_ns)}{of}"
    end = f"{account.last_file}, which comes before it, ends at {iso(account.last_ns)}"
    hint = _OVERLAP_HINT if symbol else f"{_SYMBOLS_HINT}; {_OVERLAP_HINT}"
    message = f"{begin}, but {end}: do they overlap? ({hint})"
    return LocatedFinding(check, file, None, symbol, iso(first_ns), message)


def mixed_symbols(before: str, has_symbols: bool, name: str) -> DataError:
    """Return the error for bars with symbols after bars without, or the reverse."""
    has, was = ("symbols", "without") if has_symbols else ("no symbols", "with symbols")
    former = "it was read before" if name == before else f"{before} was read"
    return DataError(
        f"{name} has {has}, but {former} {was}",
        "set columns: {symbol: none} if all bars are one series; else give all of them symbols",
    )
