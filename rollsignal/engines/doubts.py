"""This module gathers what the checks find: how often, and where the first times."""

from collections import Counter
from collections.abc import Callable
from typing import Literal, NamedTuple

from rollsignal.errors import DataError

SHOWN = 5

Tell = Callable[[Literal["INFO", "WARNING", "ERROR"], str], None]


class Doubt(NamedTuple):
    """One thing that a check found, and where: in `row` (a line, or a row) of a file."""

    check: str
    file: str
    row: int | None
    symbol: str
    timestamp: str | None
    message: str


class Doubts:
    """Heed what the checks find as the config says: an error ends the run, a warning is told.

    levels: each check's level: error, warn or off. With `to_the_end`, errors are gathered too.
    """

    def __init__(self, levels: dict[str, str], tell: Tell, to_the_end: bool = False) -> None:
        self.levels = levels
        self.counts: Counter[str] = Counter()
        self.first: dict[str, list[Doubt]] = {}
        self._tell = tell
        self._to_the_end = to_the_end

    def heed(self, doubt: Doubt, count: int = 1) -> None:
        """Take a doubt, the first of `count` alike; raises `DataError` if it is an error."""
        if self.passed_over(doubt.check, count):
            return
        is_error = self.levels[doubt.check] == "error"
        if is_error and not self._to_the_end:
            raise DataError(doubt.message)
        self.first.setdefault(doubt.check, []).append(doubt)
        self._tell("ERROR" if is_error else "WARNING", doubt.message)
        self.counts[doubt.check] += count

    def passed_over(self, check: str, count: int = 1) -> bool:
        """Count doubts of which enough are told, or none is to be told; tell if that is so."""
        if self.levels[check] == "off":
            return True
        if len(self.first.get(check, ())) < SHOWN:
            return False
        self.counts[check] += count
        return True
