"""This module turns JSON objects into batches of bars.

The keys of the first object are the columns. Later objects may have other keys, in any order: a
missing key is an empty cell, and a key that could be meant for another one is refused.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rollsignal.config.rules import NO_SYMBOLS, DateAndTime
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.bars import Batch
from rollsignal.errors import DataError
from rollsignal.messages import escaped, shown
from rollsignal.readers.cells import Cells
from rollsignal.readers.dialect import (
    columns_named,
    find_column,
    find_symbol,
    find_timestamp,
    odd_bytes,
)
from rollsignal.readers.wide import closes_in_header, described_closes

MAX_KNOWN_SHAPES = 1000

BarObject = Mapping[str, object]


class Keys(NamedTuple):
    """The keys of the columns that are read; None for a missing one."""

    close: str | None
    timestamp: str | None
    symbol: str | None
    clock: str | None = None
    rest: tuple[str | None, ...] = ()

    @property
    def symbols(self) -> list[str]:
        """Return the keys of the columns that make the symbols."""
        return [key for key in (self.symbol, *self.rest) if key is not None]

    @property
    def every(self) -> tuple[str | None, ...]:
        """Return the keys of all columns, each at its place."""
        return self.close, self.timestamp, self.symbol, self.clock, *self.rest


class FileFacts(NamedTuple):
    """What objects need to know of their file: how messages name it, and what its path tells.

    unit: what messages call the place of an object. in_path: the names of the columns that the
    path stands for. symbol: that of all its bars, if the path tells it. by_place: whether keys are
    the places of values without names.
    """

    name: str
    unit: str
    in_path: Sequence[str]
    symbol: str | None
    by_place: bool = False

    def label(self, key: str) -> str:
        """Return what messages call a column."""
        return f"column {key}" if self.by_place and key.isdecimal() else escaped(key) or "''"


class KeyedBars:
    """Read the objects of one file, of which the first ones show the columns.

    firsts: the first objects, from which timestamps are found without a name. where: the place of
    the first one. Raises `DataError` if a wanted column is missing.
    """

    def __init__(
        self, file: FileFacts, config: JobConfig, firsts: Sequence[BarObject], where: str
    ) -> None:
        self._file = file
        self._config = config
        self._wanted = config.columns
        self._shapes: set[tuple[str, ...]] = set()
        self._proved: str | None = None
        self.keys = self._columns(firsts, where)
        self._header = frozenset(firsts[0])
        self._closes = self._keys_of_closes(firsts, where)
        self._close = self.keys.close or ""
        stamps = [name for name in (self.keys.timestamp, self.keys.clock) if name is not None]
        stamp = " and ".join(map(file.label, stamps)) or None
        close = file.label(self._close)
        self.cells = Cells(file.name, file.unit, close, stamp, config.timestamp_format)
        self.cells.is_one_series = config.columns.are_one_series(file.symbol)
        self.cells.read_closes_as(config.table, has_signs=False)
        self.cells.set_day(config.columns.day)
        self.cells.timestamps.set_zone(config.local_zone)
        if self._closes:
            self.cells.close_of_each(self._closes, config)
        if self.keys.symbol is not None:
            from rollsignal.readers.symbols import SymbolRule

            self.cells.symbols = SymbolRule(self.keys.symbols, self._wanted, file.symbol)

    @property
    def memory(self) -> object | None:
        """Return what the reading of further objects depends on; None if it is not settled yet."""
        return self.cells.timestamps.memory if self._shapes else None

    def describe(self) -> list[str]:
        """Describe the columns that are read."""
        closes = described_closes(self._closes) if self._closes else self.cells.close
        description = [f"close from {closes}"]
        description += [f"timestamp from {self.cells.timestamp or 'none'}"]
        if self.keys.symbol is not None:
            names = map(self._file.label, self.keys.symbols)
            description += [f"symbol from {' and '.join(names)}"]
        return description

    def batch(self, records: Sequence[BarObject], places: Sequence[int]) -> Batch:
        """Return the bars of some objects; raises `DataError` for one that cannot be read.

        places: the line of each object, or its number.
        """
        self._refuse_other_keys(records, places)
        keys = self.keys
        stamps: Sequence[str] | None
        stamps = None if keys.timestamp is None else _texts(records, keys.timestamp)
        if stamps is not None and keys.clock is not None:
            stamps = self.cells.joined(stamps, _texts(records, keys.clock), places)
        if self._closes:
            closes = [_texts(records, key) for key in self._closes]
            return self.cells.wide_batch(closes, stamps, places, self._config.missing)
        cells = _texts(records, self._close)
        batch = self.cells.batch(cells, stamps, places, self._config.missing)
        if keys.symbol is None:
            return batch
        parts = [self._symbols(records, places, key) for key in keys.symbols]
        return self.cells.with_symbols(batch, parts)

    def _columns(self, firsts: Sequence[BarObject], where: str) -> Keys:
        """Find the columns in the first object; raises `DataError` if a wanted one is missing."""
        wanted, header, in_path = self._wanted, list(firsts[0]), self._file.in_path
        refuse_places(wanted, where)
        if not wanted.is_wide:
            find_column(header, wanted.close, where)
        find_timestamp(header, wanted.timestamp, where, in_path)
        if wanted.symbol is not None:
            find_symbol(header, wanted, where, in_path)
        keys = self._find(header, where)
        if keys.timestamp is None and self._config.seeks_timestamps:
            taken = () if wanted.is_wide else (keys.close, *keys.symbols)
            self._proved = self._proved_stamp(firsts, taken, where)
        return keys._replace(timestamp=keys.timestamp or self._proved)

    def _keys_of_closes(self, firsts: Sequence[BarObject], where: str) -> list[str]:
        """Return the keys that are symbols; none but for a wide table."""
        if not self._wanted.is_wide:
            return []
        header = list(firsts[0])
        # Times that are not read are no closes either.
        taken = find_timestamp(header, self._wanted.timestamp, where, self._file.in_path)
        if taken[0] is None and self._wanted.timestamp is None:
            proved = self.keys.timestamp or self._proved_stamp(firsts, (), where)
            taken = (None if proved is None else header.index(proved), None)
        indexes = closes_in_header(header, self._wanted.symbol, taken, where)
        return [header[index] for index in indexes]

    def _proved_stamp(
        self, firsts: Sequence[BarObject], taken: Sequence[str | None], where: str
    ) -> str | None:
        from rollsignal.readers.proof import timestamps_in_records

        return timestamps_in_records(firsts, taken, self._config, where)

    def _find(self, header: Sequence[str], where: str) -> Keys:
        """Find the keys of an object, where some may be missing."""
        close = None
        if not self._wanted.is_wide:
            close = _find(header, self._wanted.close, where)
        stamp, clock = self._find_stamps(header, where)
        symbol, *rest = self._find_symbols(header, where, (close, stamp, clock))
        return Keys(close, stamp, symbol, clock, tuple(rest))

    def _find_stamps(self, header: Sequence[str], where: str) -> tuple[str | None, str | None]:
        wanted = self._wanted.timestamp
        if not self._config.needs_timestamps:
            return None, None
        if wanted is None:
            indexes = find_timestamp(header, None, where)
            stamp, clock = (None if index is None else header[index] for index in indexes)
            return stamp or self._known_stamp(header), clock
        if isinstance(wanted, DateAndTime):
            stamp, clock = [*(_find(header, name, where) for name in wanted.columns), None][:2]
            return stamp, clock
        return _find(header, wanted, where), None

    def _find_symbols(
        self, header: Sequence[str], where: str, taken: Sequence[str | None]
    ) -> list[str | None]:
        """Return the keys that make the symbols, at least one, None for a missing one."""
        wanted = self._wanted
        if wanted.symbol == NO_SYMBOLS:
            return [None]
        if wanted.symbol is not None:
            return [_find(header, name, where) for name in wanted.symbol.columns] or [None]
        others = [header.index(key) for key in taken if key is not None]
        indexes = find_symbol(header, wanted, where, self._file.in_path, others)
        return [header[index] for index in indexes] or [None]

    def _known_stamp(self, header: Sequence[str]) -> str | None:
        return self._proved if self._proved in header else None

    def _refuse_other_keys(self, records: Sequence[BarObject], places: Sequence[int]) -> None:
        """Refuse an object in which a column has another key than in the first object."""
        shapes = [tuple(record) for record in records]
        for shape in dict.fromkeys(shapes):
            if shape in self._shapes:
                continue
            place = places[shapes.index(shape)]
            if self._closes:
                self._refuse_other_symbols(shape, place)
            here = self._find(shape, f"{self._file.name} {self._file.unit} {place}")
            for first, key in zip(self.keys.every, here.every, strict=True):
                if key is not None and key != first:
                    instead = f"no such key{self._way_out(key, here)}"
                    instead = instead if first is None else shown(first)
                    what = f"the key {shown(key)}, where the first object has {instead}"
                    raise self.cells.problem(place, what)
            if len(self._shapes) >= MAX_KNOWN_SHAPES:
                self._shapes.clear()
            self._shapes.add(shape)

    def _refuse_other_symbols(self, shape: Sequence[str], place: int) -> None:
        """Refuse an object of a wide table with a key that the first one does not have."""
        for key in shape:
            if key not in self._header:
                what = f"the key {shown(key)}, where the first object has no such key"
                hint = "add it to the first object with null, or leave it out of all"
                raise self.cells.problem(place, f"{what} ({hint})")

    def _way_out(self, key: str, here: Keys) -> str:
        """Return what to do about a key of symbols that the config does not declare."""
        if key != here.symbol or self._wanted.symbol is not None:
            return ""
        return " (set columns: {symbol: none} if all bars are one series)"

    def _symbols(self, records: Sequence[BarObject], places: Sequence[int], key: str) -> list[str]:
        """Return the symbols; raises `DataError` for one that is not text, or cannot be written."""
        symbols = _texts(records, key)
        for record, symbol, place in zip(records, symbols, places, strict=True):
            if record.get(key) not in (None, symbol) or odd_bytes(symbol):
                raise self.cells.problem(place, f"the symbol is {shown(symbol)}, not plain text")
        return symbols


def places_in(wanted: Columns) -> list[tuple[str, int]]:
    """Return the columns that the config declares by their places."""
    stamp = wanted.timestamp
    stamps = stamp.columns if isinstance(stamp, DateAndTime) else (stamp,)
    symbol = wanted.symbol and wanted.symbol.column
    declared = [("close", wanted.close), *(("timestamp", stamp) for stamp in stamps)]
    declared += [("symbol", symbol)]
    return [(setting, place) for setting, place in declared if isinstance(place, int)]


def refuse_places(wanted: Columns, where: str) -> None:
    """Raise `DataError` for a column that is declared by its place: objects have none."""
    if places := places_in(wanted):
        setting, place = places[0]
        raise DataError(
            f"{where}: columns.{setting} is the place {place}, but the bars are objects with names"
            f' (name the column as it is here; if {place} is its name, write {setting}: "{place}")'
        )


def _find(header: Sequence[str], wanted: str | int | None, where: str) -> str | None:
    """Return the key of a column; None if it is not wanted or missing."""
    if wanted is None or not columns_named(header, wanted):
        return None
    return header[find_column(header, wanted, where)]


def _texts(records: Sequence[BarObject], key: str) -> list[str]:
    """Return a column's values as cells of text."""
    values = [record.get(key) for record in records]
    return [value if isinstance(value, str) else _text(value) for value in values]


def _text(value: object) -> str:
    """Write a value that is neither text nor a number as a cell that is read as neither."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "[…]" if isinstance(value, list) else "{…}"
