"""This module counts and digests the signals of each partition, so that it can be known again."""

from collections.abc import Mapping
from typing import NamedTuple

from rollsignal.core.decisions import Decided
from rollsignal.core.digest import SymbolKeys, plus
from rollsignal.core.kernel import Account
from rollsignal.outputs.signals.forms import escape_formula, folder_name


class PartitionCount(NamedTuple):
    """How many rows a partition has, and their digest."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: int, digest: int) -> "PartitionCount":
        """Add rows."""
        return PartitionCount(self.rows + rows, plus(self.digest, digest))


class WrittenPartitions(NamedTuple):
    """The partitions that a state has written: by what, in which form, and what each holds."""

    key: str
    form: str
    parts: dict[str, PartitionCount]


class KnownSignals(NamedTuple):
    """The signals that a state knows: its series, the digest of all, and its partitions if any."""

    series: Mapping[str, Account]
    digest: int
    written: WrittenPartitions | None


class PartitionCounter:
    """Count all bars that are taken; `parts` holds what each partition has, by its folder's name.

    escaped: whether symbols are written so that no spreadsheet runs them as a formula.
    """

    def __init__(self, key: str, *, escaped: bool) -> None:
        self.parts: dict[str, PartitionCount] = {}
        self._key = key
        self._escaped = escaped
        self._keys = SymbolKeys()

    def take(self, bars: Decided) -> None:
        """Receive the next decided bars."""
        for value, count, digest in bars.counted(self._keys, by_day=self._key == "date"):
            written = escape_formula(value) if value and self._escaped else value
            self.add(folder_name(self._key, written), count, digest)

    def add(self, name: str, count: int, digest: int) -> None:
        """Add rows to a partition."""
        self.parts[name] = self.parts.get(name, PartitionCount()).plus(count, digest)
