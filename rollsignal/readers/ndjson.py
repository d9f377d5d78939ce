"""This module reads bars from NDJSON: one JSON object per line, every number as it is written.

The keys of the first object are the columns. Later objects may have other keys, in any order: a
missing key is an empty cell, and a key that could be meant for another one is refused. A file
without an object is a table without bars.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rollsignal.config.rules import NO_SYMBOLS, DateAndTime
from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import NO_OBJECTS, Batch
from rollsignal.errors import DataError
from rollsignal.messages import escaped, shown
from rollsignal.readers.blocks import text_of
from rollsignal.readers.cells import Cells
from rollsignal.readers.dialect import (
    columns_named,
    find_column,
    find_symbol,
    find_timestamp,
    odd_bytes,
)
from rollsignal.readers.objects import JsonObject, Objects, read_objects
from rollsignal.readers.opening import OpenedFile, symbol_of

MAX_KNOWN_SHAPES = 1000


class Keys(NamedTuple):
    """The keys of the columns that are read; None for a missing one."""

    close: str | None
    timestamp: str | None
    symbol: str | None
    clock: str | None = None


class NdjsonReader:
    """Read one file of JSON objects, batch after batch."""

    unit = "line"
    compares_cut_row = False

    def __init__(self, file: OpenedFile, config: JobConfig) -> None:
        """Find the columns in the first object; raises `DataError` if it is bad or lacks them."""
        self.path = file.input.path
        self.name = file.name
        self.symbol = symbol_of(file.input, config)
        self.bytes_read = file.bytes_read
        self._file = file
        self._config = config
        self._line = 1
        self._shapes: set[tuple[str, ...]] = set()
        self._proved: str | None = None
        self._in_path = [name for name, _ in file.input.partitions]
        header, where = self._header()
        # Without an object there are no bars, and the columns do not matter.
        self._keys = self._columns(header, where) if header is not None else Keys("", None, None)
        self._close = self._keys.close or ""
        self._is_empty = header is None
        stamps = [name for name in (self._keys.timestamp, self._keys.clock) if name is not None]
        stamp = escaped(" and ".join(name or "''" for name in stamps)) or None
        self._cells = Cells(self.name, "line", escaped(self._close), stamp, config.timestamp_format)
        if self._keys.symbol is not None:
            from rollsignal.readers.symbols import SymbolRule

            rule = SymbolRule(self._keys.symbol, config.columns, self.symbol)
            self._cells.symbols = rule
        self.order_problem = self._cells.order_problem

    def _columns(self, header: list[str], where: str) -> Keys:
        """Find the columns in the first object; raises `DataError` if a wanted one is missing."""
        wanted = self._config.columns
        find_column(header, wanted.close, where)
        find_timestamp(header, wanted.timestamp, where, self._in_path)
        if wanted.symbol is not None:
            find_symbol(header, wanted, where, self._in_path)
        keys = self._find(header, where)
        if keys.timestamp is None and self._config.seeks_timestamps:
            self._proved = self._timestamps_by_cells(keys, where)
        return keys._replace(timestamp=keys.timestamp or self._proved)

    def _timestamps_by_cells(self, keys: Keys, where: str) -> str | None:
        """Return the key whose values read as timestamps in the first objects."""
        from rollsignal.readers.proof import timestamps_in_records

        text, suspect = text_of(self._file.beginning)
        records = read_objects(text, 1, suspect).records
        return timestamps_in_records(records, (keys.close, keys.symbol), self._config, where)

    def _header(self) -> tuple[list[str] | None, str]:
        """Return the keys of the first object, None without one, and its location for messages."""
        text, suspect = text_of(self._file.beginning)
        start = len(text) - len(text.lstrip(" \t\n"))
        if start == len(text):
            return None, self.name
        line = text.count("\n", 0, start) + 1
        where = f"{self.name} line {line}"
        row = text[start:].partition("\n")[0]
        first = read_objects(row, line, suspect)
        if first.problem:
            hint = "" if row[0] in "{[" else " (if this is a text table: --format csv)"
            raise DataError(f"{where}: {first.problem}{hint}")
        return list(first.records[0]), where

    def _find(self, header: Sequence[str], where: str) -> Keys:
        """Find the keys of an object, where some may be missing."""
        close = _find(header, self._config.columns.close, where)
        stamp, clock = self._find_stamps(header, where)
        symbol = self._find_symbol(header, where, (close, stamp, clock))
        return Keys(close, stamp, symbol, clock)

    def _find_stamps(self, header: Sequence[str], where: str) -> tuple[str | None, str | None]:
        wanted = self._config.columns.timestamp
        if not self._config.needs_timestamps:
            return None, None
        if wanted is None:
            indexes = find_timestamp(header, None, where)
            stamp, clock = (None if index is None else header[index] for index in indexes)
            return stamp or self._known_stamp(header), clock
        if isinstance(wanted, DateAndTime):
            stamp, clock = (_find(header, name, where) for name in wanted)
            return stamp, clock
        return _find(header, wanted, where), None

    def _find_symbol(
        self, header: Sequence[str], where: str, taken: Sequence[str | None]
    ) -> str | None:
        wanted = self._config.columns
        if wanted.symbol == NO_SYMBOLS:
            return None
        if wanted.symbol is not None:
            return _find(header, wanted.symbol.column, where)
        others = [header.index(key) for key in taken if key is not None]
        index = find_symbol(header, wanted, where, self._in_path, others)
        return None if index is None else header[index]

    def _known_stamp(self, header: Sequence[str]) -> str | None:
        return self._proved if self._proved in header else None

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps read so far are known in UTC."""
        return self._cells.timestamps.zoned

    def describe(self) -> str:
        """Describe the file's format and the columns that are read."""
        description = [self._file.compression] if self._file.compression else []
        description += [self._file.blocks.encoding, "ndjson"]
        if self._is_empty:
            return ", ".join([*description, NO_OBJECTS])
        description += [f"close from {self._cells.close}"]
        description += [f"timestamp from {self._cells.timestamp or 'none'}"]
        if self._keys.symbol is not None:
            description += [f"symbol from {escaped(self._keys.symbol)}"]
        return ", ".join(description)

    def batches(self) -> Iterator[Batch]:
        """Yield all bars; raises `DataError` where the text is wrong or unclear."""
        yield from self.beginning()
        yield from self.following()
        self.finish()

    def beginning(self) -> Iterator[Batch]:
        """Yield the bars of the first block."""
        yield from self._read(self._file.beginning)

    def following(self) -> Iterator[Batch]:
        """Yield the bars of the blocks below the first one."""
        for block in self._file.blocks:
            yield from self._read(block)

    def finish(self) -> None:
        """Raise `DataError` if no row proved that a cell read as a timestamp is one."""
        self._cells.finish()

    @property
    def memory(self) -> object | None:
        """Return what the reading of further rows depends on; None if it is not settled yet."""
        return self._cells.timestamps.memory if self._shapes else None

    @property
    def line(self) -> int:
        """Return the line where the next row begins."""
        return self._line

    def number_from(self, line: int) -> None:
        """Say at which line the next row begins."""
        self._line = line

    def _read(self, block: bytearray) -> Iterator[Batch]:
        text, suspect = text_of(block)
        objects = read_objects(text, self._line, suspect)
        self._line += text.count("\n")
        if objects.records:
            yield self._batch(objects)
        if objects.problem:
            raise self._cells.problem(objects.bad_line, objects.problem)

    def _batch(self, objects: Objects) -> Batch:
        self._refuse_other_keys(objects)
        records, keys = objects.records, self._keys
        cells = _texts(records, self._close)
        stamps: Sequence[str] | None
        stamps = None if keys.timestamp is None else _texts(records, keys.timestamp)
        if stamps is not None and keys.clock is not None:
            stamps = self._cells.joined(stamps, _texts(records, keys.clock), objects.lines)
        batch = self._cells.batch(cells, stamps, objects.lines, self._config.missing)
        if keys.symbol is None:
            return batch
        return self._cells.with_symbols(batch, self._symbols(objects, keys.symbol))

    def _refuse_other_keys(self, objects: Objects) -> None:
        """Refuse an object in which a column has another key than in the first object."""
        shapes = [tuple(record) for record in objects.records]
        for shape in dict.fromkeys(shapes):
            if shape in self._shapes:
                continue
            line = objects.lines[shapes.index(shape)]
            here = self._find(shape, f"{self.name} line {line}")
            for first, key in zip(self._keys, here, strict=True):
                if key is not None and key != first:
                    instead = f"no such key{self._way_out(key, here)}"
                    instead = instead if first is None else shown(first)
                    what = f"the key {shown(key)}, where the first object has {instead}"
                    raise self._cells.problem(line, what)
            if len(self._shapes) >= MAX_KNOWN_SHAPES:
                self._shapes.clear()
            self._shapes.add(shape)

    def _way_out(self, key: str, here: Keys) -> str:
        """Return what to do about a key of symbols that the config does not declare."""
        if key != here.symbol or self._config.columns.symbol is not None:
            return ""
        return " (set columns: {symbol: none} if all bars are one series)"

    def _symbols(self, objects: Objects, key: str) -> list[str]:
        """Return the symbols; raises `DataError` for one that is not text, or cannot be written."""
        symbols = _texts(objects.records, key)
        for record, symbol, line in zip(objects.records, symbols, objects.lines, strict=True):
            if record.get(key) not in (None, symbol) or odd_bytes(symbol):
                raise self._cells.problem(line, f"the symbol is {shown(symbol)}, not plain text")
        return symbols


def _find(header: Sequence[str], wanted: str | None, where: str) -> str | None:
    """Return the key of a column; None if it is not wanted or missing."""
    if wanted is None or not columns_named(header, wanted):
        return None
    return header[find_column(header, wanted, where)]


def _texts(records: Sequence[JsonObject], key: str) -> list[str]:
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
