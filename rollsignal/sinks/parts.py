"""This module counts and digests the signals of each partition, so that it can be known again."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from rollsignal.digest import digest_of_sums, digest_rows, plus, sums
from rollsignal.engines.digester import KeyTable
from rollsignal.engines.rows import ArrayRows, Rows, SignalRow
from rollsignal.engines.series import Series
from rollsignal.sinks.partitions import folder_name
from rollsignal.sinks.summary import harmless

DAY_NS = 86_400 * 10**9
_EPOCH = date(1970, 1, 1)

Group = tuple[str | None, int, int]


class Part(NamedTuple):
    """What a partition holds: so many rows, and their digest."""

    rows: int = 0
    digest: int = 0

    def plus(self, rows: int, digest: int) -> "Part":
        """Add rows."""
        return Part(self.rows + rows, plus(self.digest, digest))


class Written(NamedTuple):
    """The partitions that a state has written: by what, in which form, and what each holds."""

    key: str
    form: str
    parts: dict[str, Part]


class Known(NamedTuple):
    """The signals that a state knows: its series, the digest of all, and its partitions if any."""

    series: Mapping[str, Series]
    digest: int
    written: Written | None


class PartCounter:
    """Hear all rows; `parts` holds what each partition has, by the name of its folder."""

    def __init__(self, key: str, harmless_in: bool) -> None:
        self.parts: dict[str, Part] = {}
        self._key = key
        self._harmless_in = harmless_in
        self._keys = KeyTable()

    def __call__(self, rows: Rows) -> None:
        """Take rows."""
        of_rows = self._of_arrays(rows) if isinstance(rows, ArrayRows) else self._of_rows(rows)
        for value, count, digest in of_rows:
            shown = harmless(value) if value and self._harmless_in else value
            name = folder_name(self._key, shown)
            self.parts[name] = self.parts.get(name, Part()).plus(count, digest)

    def _of_rows(self, rows: Sequence[SignalRow]) -> Iterator[Group]:
        groups: dict[tuple[str | None, str], list[SignalRow]] = {}
        for row in rows:
            value = row.symbol if self._key == "symbol" else _day(row.ns)
            groups.setdefault((value, row.symbol), []).append(row)
        for (value, symbol), found in groups.items():
            places, signals = [row.place for row in found], [row.signal for row in found]
            yield value, len(found), digest_rows(symbol, places, signals)

    def _of_arrays(self, rows: ArrayRows) -> Iterator[Group]:
        import numpy as np

        codes = np.zeros(len(rows.closes), np.int64) if rows.codes is None else rows.codes
        by_day = self._key == "date"
        groups = codes
        if by_day:
            groups = np.zeros_like(codes) if rows.moments is None else rows.moments // DAY_NS
        order = np.argsort(groups, kind="stable")
        groups = groups[order]
        begins = np.flatnonzero(np.concatenate(([True], groups[1:] != groups[:-1])))
        counts = np.diff(np.append(begins, len(groups))).tolist()
        keys = self._keys.of(rows)
        found = sums(keys, rows.places[order], rows.signals[order], begins, codes[order])
        for number, count, four in zip(groups[begins].tolist(), counts, found.T, strict=True):
            day = None if rows.moments is None else _day(number * DAY_NS)
            yield (day if by_day else rows.symbols[number]), count, digest_of_sums(four.tolist())


def _day(ns: int | None) -> str | None:
    """Write the day of a time in UTC."""
    return None if ns is None else (_EPOCH + timedelta(days=ns // DAY_NS)).isoformat()
