"""This module counts and digests the signals of each partition, so that it can be recognized."""

from collections.abc import Mapping
from typing import NamedTuple

from rollsignal.core.decisions import Decided
from rollsignal.core.digest import SymbolKeys, plus
from rollsignal.core.kernel import Account
from rollsignal.files.staged import FileContent
from rollsignal.outputs.signals.forms import escape_formula, folder_name


class PartitionCount(NamedTuple):
    """The number of rows in a partition, and their digest."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: int, digest: int) -> "PartitionCount":
        """Return the count with more rows."""
        return PartitionCount(self.rows + rows, plus(self.digest, digest))


class WrittenPartitions(NamedTuple):
    """The partitions that a state has written: their key, file suffix and counts."""

    key: str
    suffix: str
    parts: dict[str, PartitionCount]


class KnownSignals(NamedTuple):
    """The signals in a state: its accounts, the digest of all signals, and any partitions.

    files: what each file of the signals holds; empty in states of former versions, which know only
    the digests.
    """

    accounts: Mapping[str, Account]
    digest: int
    written: WrittenPartitions | None
    files: Mapping[str, FileContent] = {}


class PartitionCounter:
    """A counter of the bars of each partition; `parts` has the counts by the names of folders.

    escaped: whether symbols are protected from being run as formulas by a spreadsheet.
    """

    def __init__(self, key: str, *, escaped: bool) -> None:
        self.parts: dict[str, PartitionCount] = {}
        self._key = key
        self._escaped = escaped
        self._keys = SymbolKeys()

    def take(self, bars: Decided) -> None:
        """Receive the next decided bars."""
        for value, count, digest in bars.counted(self._keys, by_day=self._key == "date"):
            text = escape_formula(value) if value and self._escaped else value
            self.add(folder_name(self._key, text), count, digest)

    def add(self, name: str, count: int, digest: int) -> None:
        """Add rows to a partition."""
        self.parts[name] = self.parts.get(name, PartitionCount()).plus(count, digest)
