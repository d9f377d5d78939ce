"""This module finds the dialect of a table of text: its delimiter, quoting and columns."""

import csv
import os
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import NamedTuple

from rollsignal.config.rules import DateAndTime
from rollsignal.config.settings import Columns, JobConfig, Level
from rollsignal.core.quality import PRICES
from rollsignal.core.ticks import BLANKS
from rollsignal.core.timestamps.reader import NAMES
from rollsignal.errors import DataError
from rollsignal.files.find import NO_PARTITION, Input, utf8_text
from rollsignal.files.formats import SUFFIXES
from rollsignal.messages import did_you_mean, escaped, shown

DATE_AND_TIME = DateAndTime("date", "time")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}


class Dialect(NamedTuple):
    """How a table of text is written, and where its columns of interest are.

    `start` is the header's offset in the text, `line` its physical line; `spaced` means that a
    blank follows each delimiter. `clock` is the column of the times of day, if they stand apart
    from the dates, which `timestamp` is then.
    """

    start: int
    line: int
    delimiter: str
    spaced: bool
    header: tuple[str, ...]
    close: int
    timestamp: int | None
    symbol: int | None
    clock: int | None = None

    @property
    def width(self) -> int:
        """Count the columns."""
        return len(self.header)


def find_dialect(text: str, wanted: Columns, name: str, in_path: Sequence[str] = ()) -> Dialect:
    """Find the one delimiter by which the first line has the close column.

    text: the table's beginning, at least its first line. in_path: the columns that the file's
    path stands for. Raises `DataError` if there is no close column, more than one, or more than
    one such delimiter.
    """
    start, line, delimiters = _before_header(text)
    if start == len(text):
        raise DataError(f"{name}: no header and no rows: the file is empty or blank")
    headers = {delimiter: split_header(text[start:], delimiter) for delimiter in delimiters}
    fitting = [d for d, header in headers.items() if places_of(header, wanted.close)]
    # A table of one column reads the same whatever the delimiter.
    if len({headers[delimiter] for delimiter in fitting}) > 1:
        raise DataError(f"{name} line {line}: the header can be split in more than one way")
    delimiter = fitting[0] if fitting else max(headers, key=lambda d: len(headers[d]))
    header = headers[delimiter]
    where = f"{name} line {line}"
    _refuse_odd_bytes(header, where)
    first_line = text[start:].partition("\n")[0]
    close = find_column(header, wanted.close, where)
    timestamp, clock = find_timestamp(header, wanted.timestamp, where, in_path)
    return Dialect(
        start,
        line,
        delimiter,
        first_line.count(delimiter) == first_line.count(delimiter + " ") > 0,
        header,
        close,
        timestamp,
        find_symbol(header, wanted, where, in_path),
        clock,
    )


def _before_header(text: str) -> tuple[int, int, Sequence[str]]:
    """Skip blank lines and Excel's `sep=` line: the header's offset, line and delimiters."""
    start, line, delimiters = 0, 1, list(DELIMITERS)
    for row in StringIO(text):
        declared = row.strip().strip('"').lower()
        if declared.startswith("sep=") and row.strip(' \n"')[4:] in DELIMITERS:
            delimiters = [row.strip(' \n"')[4:]]
        elif row.strip():
            break
        start += len(row)
        line += 1
    return start, line, delimiters


def split_header(text: str, delimiter: str) -> tuple[str, ...]:
    """Split the first record, whose line may be wrapped in one pair of quotes."""
    header = _first_record(text, delimiter)
    if len(header) == 1 and delimiter in header[0]:
        header = _first_record(header[0], delimiter)
    return header


def _first_record(text: str, delimiter: str) -> tuple[str, ...]:
    reader = csv.reader(StringIO(text), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        return tuple(next(reader, ()))
    except csv.Error:
        return ()


def places_of(header: Sequence[str], wanted: str) -> list[int]:
    """Find a column: by its exact name, else ignoring case and blanks."""
    exact = [place for place, name in enumerate(header) if name == wanted]
    return exact or [place for place, name in enumerate(header) if _folded(name) == _folded(wanted)]


def _folded(name: str) -> str:
    """Ignore case, blanks, and what MetaTrader has around a name: `<CLOSE>`."""
    return name.strip(BLANKS + "<>").lower()


def find_column(header: Sequence[str], wanted: str, where: str) -> int:
    """Find the place of a column; raises `DataError` if there is none or more than one."""
    places = places_of(header, wanted)
    if len(places) == 1:
        return places[0]
    if places:
        raise DataError(f"{where}: {len(places)} columns are named {shown(wanted)}; keep one")
    known = [shown(name.strip(BLANKS)) for name in header[:20]]
    more = f" and {len(header) - 20:,} more" if len(header) > 20 else ""
    hint = did_you_mean(wanted, [name.strip(BLANKS).lower() for name in header[:20]])
    hint = f"; {hint}" if hint.startswith("did") else ""
    raise DataError(
        f"{where}: no {shown(wanted)} column in the header: {', '.join(known)}{more}"
        f" (name yours in the config under columns{hint})"
    )


def find_timestamp(
    header: Sequence[str],
    wanted: str | DateAndTime | None,
    where: str,
    in_path: Sequence[str] = (),
) -> tuple[int | None, int | None]:
    """Find the timestamps, by the names that are wanted or usual: their place, and None.

    Where dates and times of day have a column each, it is the places of both.
    """
    if wanted is None:
        wanted = next((name for name in NAMES if places_of(header, name)), None)
        if wanted in DATE_AND_TIME and all(places_of(header, name) for name in DATE_AND_TIME):
            wanted = DATE_AND_TIME
    names = wanted if isinstance(wanted, DateAndTime) else (wanted,)
    for name in names:
        if name is not None and not places_of(header, name) and places_of(in_path, name):
            raise DataError(
                f"{where}: {shown(name)} is only in the path, where all rows have the same"
                " (name a column of the rows under columns, or timestamp: null)"
            )
    places = [None if name is None else find_column(header, name, where) for name in names]
    return places[0], places[1] if len(places) > 1 else None


def find_symbol(
    header: Sequence[str], wanted: Columns, where: str, in_path: Sequence[str] = ()
) -> int | None:
    """Find the place of the symbols, if they come from a column of the rows."""
    if wanted.symbol is None or wanted.symbol.column is None:
        return None
    if not places_of(header, wanted.symbol.column) and places_of(in_path, wanted.symbol.column):
        return None
    return find_column(header, wanted.symbol.column, where)


def find_ohlc(header: Sequence[str]) -> dict[str, int]:
    """Find the columns of open, high and low, and all volumes, that are named as usual, once."""
    places = {name: found for name in PRICES if len(found := places_of(header, name)) == 1}
    volumes = [name for name in header if _folded(name) == "vol" or "volume" in _folded(name)]
    places |= {name.strip(BLANKS): places_of(header, name) for name in volumes}
    return {name: found[0] for name, found in places.items() if len(found) == 1}


def described(dialect: Dialect, level: Level, others: Mapping[str, int]) -> str:
    """Say how a table of text is written, and which columns are read."""
    close, stamp, clock = (
        None if place is None else escaped(dialect.header[place].strip())
        for place in (dialect.close, dialect.timestamp, dialect.clock)
    )
    stamps = stamp or "none" if clock is None else f"{stamp} and {clock}"
    form = f"{DELIMITERS[dialect.delimiter]}, close from {close}, timestamp from {stamps}"
    return form + compared(level, others)


def compared(level: Level, others: Mapping[str, int]) -> str:
    """Say which columns are compared with the close, if any are to be, after what else is said."""
    if level == "off":
        return ""
    return f", compared with {', '.join(map(escaped, others)) or 'no other column'}"


def _refuse_odd_bytes(header: Sequence[str], where: str) -> None:
    for place, name in enumerate(header, start=1):
        problem = odd_bytes(name)
        if problem:
            raise DataError(f"{where}: the name of column {place}, {shown(name)}, {problem}")


def odd_bytes(cell: str) -> str | None:
    """Say what is wrong with a cell that holds a NUL or bytes that are not UTF-8, if any."""
    if "\0" in cell:
        return "contains a NUL byte"
    if not cell.isascii() and any("\ud800" <= character <= "\udfff" for character in cell):
        return "is not UTF-8 (convert the file, or save it as UTF-8)"
    return None


def symbol_of(file: Input, config: JobConfig) -> str | None:
    """Take the symbol of a whole file from its path, if it is to come from there.

    That is its name without the usual suffixes, or a folder such as `symbol=BTC`. Raises
    `DataError` where the folder says that there is none.
    """
    source = config.columns.symbol
    if source is None:
        return None
    if source.column is not None:
        return _partition(file, source.column)
    name = os.path.basename(file.path)
    if file.kind == "url":
        from rollsignal.files.remote import name_of

        name = name_of(file.path)
    while (parts := os.path.splitext(name))[1].lower() in SUFFIXES:
        name = parts[0]
    return utf8_text(name)


def _partition(file: Input, wanted: str) -> str | None:
    names = [name for name, _ in file.partitions]
    if not places_of(names, wanted):
        return None
    name, value = file.partitions[find_column(names, wanted, f"the path {file.name}")]
    if value.strip(BLANKS) in ("", NO_PARTITION):
        raise DataError(f"{file.name}: the symbol is missing in the path: {name}={value}")
    return value.strip(BLANKS)
