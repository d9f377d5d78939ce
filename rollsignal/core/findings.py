"""This module says what a run finds: the accounts of its series, and what its checks found."""

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from rollsignal.core.kernel import Account, Tally
from rollsignal.errors import DataError
from rollsignal.messages import Tell

SHOWN_FINDINGS = 5


class LocatedFinding(NamedTuple):
    """One thing that a check found, and where: in `row` (a line, or a row) of a file."""

    check: str
    file: str
    row: int | None
    symbol: str
    timestamp: str | None
    message: str


class Findings:
    """Treat what the checks find as the config says: an error ends the run, a warning is told.

    levels: each check's level: error, warn or off. With `to_the_end`, errors are gathered too.
    `counts` tells how often each check found something, `told` are the first times of each.
    """

    def __init__(self, levels: Mapping[str, str], tell: Tell, to_the_end: bool = False) -> None:
        self.levels = levels
        self.counts: Counter[str] = Counter()
        self.told: list[LocatedFinding] = []
        self._times_told: Counter[str] = Counter()
        self._tell = tell
        self._to_the_end = to_the_end

    @property
    def first(self) -> dict[str, list[LocatedFinding]]:
        """Return the first findings of each check."""
        first: dict[str, list[LocatedFinding]] = {}
        for finding in self.told:
            first.setdefault(finding.check, []).append(finding)
        return first

    def report(self, finding: LocatedFinding, count: int = 1) -> None:
        """Receive a finding, the first of `count` alike; raises `DataError` if it is an error."""
        if self.is_muted(finding.check, count):
            return
        is_error = self.levels[finding.check] == "error"
        if is_error and not self._to_the_end:
            raise DataError(finding.message)
        self.told.append(finding)
        self._times_told[finding.check] += 1
        self._tell("ERROR" if is_error else "WARNING", finding.message)
        self.counts[finding.check] += count

    def is_muted(self, check: str, count: int = 1) -> bool:
        """Count findings of which enough are told, or none is to be told; return if that is so."""
        if self.levels[check] == "off":
            return True
        if self._times_told[check] < SHOWN_FINDINGS:
            return False
        self.counts[check] += count
        return True

    def merge(self, later: "Findings") -> None:
        """Receive what was found in the bars that follow; raises `DataError` as `report` does."""
        rest = later.counts.copy()
        for finding in later.told:
            self.report(finding)
            rest[finding.check] -= 1
        self.counts.update(+rest)


class FoundFile(NamedTuple):
    """What was found in one file: how many rows, and in which format with which columns."""

    rows: int
    description: str


class Found(NamedTuple):
    """What a run found: the account of every series, their tally, its files and findings.

    `files` are by their paths. `digest` is that of all signals, None where nobody asked for it.
    """

    accounts: Mapping[str, Account]
    tally: Tally
    files: Mapping[str, FoundFile]
    findings: Findings
    digest: int | None = None
