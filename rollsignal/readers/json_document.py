"""This module reads bars from one JSON document, as exchanges and data services return them."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from rollsignal.config.json_paths import key_path
from rollsignal.config.rules import NO_SYMBOLS, NO_TIMESTAMPS, DateAndTime, DayInPath, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.bars import NO_OBJECTS, Batch
from rollsignal.core.quality import Finding
from rollsignal.errors import DataError
from rollsignal.messages import escaped, plural, shown
from rollsignal.readers.cells import Cells
from rollsignal.readers.dialect import columns_named, named_as_symbols
from rollsignal.readers.json_bars import BarsOfDocument, FoundRows
from rollsignal.readers.json_text import JsonText
from rollsignal.readers.keyed import FileFacts, KeyedBars, places_in
from rollsignal.readers.opening import OpenedFile, symbol_of, with_day
from rollsignal.readers.proof import SAMPLED_ROWS
from rollsignal.readers.symbols import PARTING_NAMES
from rollsignal.readers.wrong_records import without_names

SYMBOL_KEY = "(key)"
"""The name of the column for symbols that are keys above the bars."""


class DocumentReader:
    """Read one JSON document, batch after batch; its bars are numbered from 1 on."""

    unit = "row"

    def __init__(self, file: OpenedFile, config: JobConfig) -> None:
        """Find the bars and their columns; raises `DataError` if they are not found."""
        config = with_day(config, file.input)
        self.path = file.input.path
        self.name = file.name
        self.symbol = symbol_of(file.input, config)
        self.bytes_read = file.bytes_read
        self._file = file
        self._config = config
        text = JsonText(chain([file.beginning], file.blocks.pieces()), self.name)
        self._document = BarsOfDocument(text, config)
        pieces = self._document.pieces()
        self._first = next(pieces, None)
        # Of a short document all is known then, also what stands behind its bars.
        self._others = _ahead(pieces)
        self._beside: dict[str, str] = {}
        self._bars = None if self._first is None else self._found(self._first)
        self._cells = Cells(self.name, self.unit, "", None, None)
        if self._bars is not None:
            self._cells = self._bars.cells

    def _found(self, first: FoundRows) -> KeyedBars:
        """Find the columns in the first bars."""
        where = f"{self.name} row 1"
        columns = self._config.columns
        if not first.has_names:
            columns = _by_place(columns, len(first.records[0]), where)
        self._beside = self._symbols_beside(list(first.records[0]))
        if first.symbol is not None:
            columns = columns._replace(symbol=SymbolFrom(SYMBOL_KEY))
        in_path = [name for name, _ in self._file.input.partitions]
        facts = FileFacts(self.name, self.unit, in_path, self.symbol, not first.has_names)
        config = self._config._replace(columns=columns)
        records = self._records(first)[:SAMPLED_ROWS]
        return KeyedBars(facts, config, records, where)

    def _symbols_beside(self, header: Sequence[str]) -> dict[str, str]:
        """Return the symbols beside the bars, by their keys, that count as columns of them."""
        beside, source = self._document.symbols_beside, self._config.columns.symbol
        if source is None:
            return {} if named_as_symbols(header, PARTING_NAMES) else beside
        names = list(beside)
        missing = [name for name in source.columns if not columns_named(header, name)]
        wanted = [
            at for name in missing if isinstance(name, str) for at in columns_named(names, name)
        ]
        return {names[at]: beside[names[at]] for at in wanted}

    def _records(self, piece: FoundRows) -> list[dict[str, object]]:
        """Return the objects of some bars, with the symbols that stand beside all of them."""
        if piece.symbol is not None:
            return [{**record, SYMBOL_KEY: piece.symbol} for record in piece.records]
        if not self._beside:
            return piece.records
        return [{**record, **self._beside} for record in piece.records]

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps read so far are known in UTC."""
        return self._cells.timestamps.zoned

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a finding about a bar, for example that it is out of order."""
        return self._cells.order_problem(batch, finding)

    def describe(self) -> str:
        """Describe the file's format, where its bars are, and the columns that are read."""
        description = [self._file.compression] if self._file.compression else []
        description += [self._file.blocks.encoding, "json"]
        if self._bars is None:
            return ", ".join([*description, NO_OBJECTS])
        if path := self._document.path:
            description += [f"bars at {escaped(key_path(path))}"]
        return ", ".join(description + self._bars.describe())

    def batches(self) -> Iterator[Batch]:
        """Yield all bars; raises `DataError` where the document is wrong or unclear."""
        number = 1
        if self._first is not None and self._bars is not None:
            for piece in chain([self._first], self._others):
                rows = range(number, number + len(piece.records))
                number = rows.stop
                yield self._bars.batch(self._records(piece), rows)
            self._refuse_late_symbol(self._bars)
        self._cells.finish()

    def _refuse_late_symbol(self, bars: KeyedBars) -> None:
        """Raise `DataError` if the document says only behind its bars whose they are."""
        late = self._document.symbols_beside
        is_asked_for = self._config.columns.symbol is None and bars.keys.symbol is None
        if not is_asked_for or {symbol.strip() for symbol in late.values()} <= {self.symbol}:
            return
        key, symbol = next(iter(late.items()))
        raise DataError(
            f"{self.name}: {shown(key)} is {shown(symbol)}, which stands behind the bars",
            "set columns: {symbol: none} if all bars are one series, or"
            " {symbol: {from: filename}} for files of a symbol each",
        )


def _ahead(pieces: Iterator[FoundRows]) -> Iterator[FoundRows]:
    """Return the same pieces, of which the first has been read; an error is raised in its place."""
    try:
        return chain(list(islice(pieces, 1)), pieces)
    except DataError as error:
        return _raising(error)


def _raising(error: DataError) -> Iterator[FoundRows]:
    raise error
    yield


def _by_place(wanted: Columns, width: int, where: str) -> Columns:
    """Return the columns of bars that are arrays, each with its place as its name.

    Raises `DataError` if a column is declared by a name, or if there is no such place.
    """
    for setting, place in places_in(wanted):
        if place > width:
            what = f"columns.{setting} is {place}, but the bars are arrays of"
            raise DataError(f"{where}: {what} {plural(width, 'value')}")
    stamp = wanted.timestamp
    stamps = stamp.columns if isinstance(stamp, DateAndTime) else [stamp]
    is_named = any(isinstance(name, str) and name != NO_TIMESTAMPS for name in stamps)
    if is_named or not isinstance(wanted.close, int):
        raise without_names(where, width)
    if isinstance(stamp, DateAndTime):
        date = stamp.date if isinstance(stamp.date, DayInPath) else str(stamp.date)
        stamp = DateAndTime(date, str(stamp.time))
    symbol = wanted.symbol
    if symbol is not None and symbol != NO_SYMBOLS and symbol.column is not None:
        symbol = SymbolFrom(str(symbol.column), rest=tuple(map(str, symbol.rest)))
    return Columns(str(wanted.close), str(stamp) if isinstance(stamp, int) else stamp, symbol)
