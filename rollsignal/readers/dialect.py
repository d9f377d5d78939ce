"""This module finds the dialect of a text table: its delimiter, quoting and columns."""

import csv
from collections.abc import Collection, Sequence
from io import StringIO
from typing import NamedTuple

from rollsignal.config.rules import NO_SYMBOLS, NO_TIMESTAMPS, DateAndTime, UsualName
from rollsignal.config.settings import Columns
from rollsignal.core.quality import PRICES
from rollsignal.core.ticks import BLANKS
from rollsignal.core.timestamps.reader import NAMES, plain_name
from rollsignal.errors import DataError
from rollsignal.messages import line_of, shown

DATE_AND_TIME = ("date", "time")
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
# The usual names of a column of symbols, as `plain_name` returns them.
SYMBOL_NAMES = (
    *("symbol", "ticker", "instrument", "pair", "tscode", "code", "contract", "asset", "coin"),
    *("productid", "isin", "ric"),
)
# Names that most often stand beside a usual one, and only count without one.
RARE_SYMBOL_NAMES = (
    *("instrumentid", "orderbookid", "secid", "permno", "figi", "cusip", "sedol", "security"),
    *("stock", "tradingsymbol", "contractmonth", "name"),
)
# Names that only count without all of the above.
RAREST_SYMBOL_NAMES = (
    *("sym", "symbols", "symbolid", "symbolname", "symbolcode", "actsymbol", "rootsymbol"),
    *("tickersymbol", "tickername", "tickers", "tic", "stocksymbol", "stockcode", "stockid"),
    *("stockname", "securitycode", "securityid", "securityname", "securitysymbol"),
    *("instrumentname", "instrumentcode", "instrumenttoken", "contractcode", "contractsymbol"),
    *("contractid", "underlying", "underlyingsymbol", "currencypair", "pairname", "coinid"),
    *("coinname", "assetid", "assetname", "company", "companyname", "scrip", "scripcode", "epic"),
    *("wkn", "gvkey", "conid", "tckrsymb", "codneg", "símbolo", "simbolo", "тикер"),
    *("代码", "股票代码", "证券代码", "合约", "合约代码", "銘柄コード"),
)


# The usual encodings of text that is not UTF-8, which read the digits alike.
ENCODINGS = tuple({"table.encoding": name} for name in ("cp1252", "cp1250", "gbk", "shift_jis"))


class Dialect(NamedTuple):
    """How a text table is written, and where its columns of interest are.

    `start` is the header's offset in the text, `line` its physical line; if it is not `headed`,
    they are those of the first row, and the names in `header` are empty, or from another line.
    `spaced` means that a blank follows each delimiter. `clock` is the column of the times of day,
    if `timestamp` holds only the dates. `closes` are the columns of closes of a wide table, which
    has one for each symbol; then `close` is the first. `rest` are the columns whose cells follow
    those of `symbol` in symbols of several parts. `note` tells where header and bars are, if not at
    the top. Lines that begin with `comment` are passed over, if it is not empty.
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
    headed: bool = True
    note: str = ""
    comment: str = ""
    rest: tuple[int, ...] = ()
    closes: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.header)

    @property
    def symbols(self) -> tuple[int, ...]:
        """The columns that make the symbols."""
        return () if self.symbol is None else (self.symbol, *self.rest)


class HeaderPlace(NamedTuple):
    """The offset and the line of a header, and the delimiters that it may have."""

    start: int
    line: int
    delimiters: Sequence[str]


def find_dialect(text: str, wanted: Columns, name: str, in_path: Sequence[str] = ()) -> Dialect:
    """Find the dialect, by the one delimiter that gives the first line a close column.

    text: the table's beginning, at least its first line. in_path: the names of the columns that
    the file's path stands for. Raises `DataError` if there is no close column, more than one, or
    more than one such delimiter.
    """
    place = before_header(text)
    if place.start == len(text):
        raise DataError(f"{name}: no header and no rows: the file is empty or blank")
    return dialect_at(text, place, wanted, name, in_path)


def dialect_at(
    text: str, place: HeaderPlace, wanted: Columns, name: str, in_path: Sequence[str]
) -> Dialect:
    """Find the dialect of a table whose header is at this place, as `find_dialect` does."""
    start, line, delimiters = place
    headers = {delimiter: split_header(text[start:], delimiter) for delimiter in delimiters}
    if wanted.is_wide:
        fitting = [d for d, header in headers.items() if len(header) > 1]
        if not fitting and wanted.timestamp != NO_TIMESTAMPS:
            what = "one column, where timestamps and symbols must be in the header"
            raise DataError(f"{name} line {line}: {what}")
    else:
        fitting = [d for d, header in headers.items() if columns_named(header, wanted.close)]
    # A tab is also a blank: beside a name it separates it from a column without a name.
    fitting = [d for d in fitting if len(headers[d]) > 1] or fitting
    # A table of one column reads the same whatever the delimiter.
    if len({headers[delimiter] for delimiter in fitting}) > 1:
        from rollsignal.readers.wrong_headers import several_splits

        raise several_splits([delimiter_name(d) for d in fitting], line_of(name, line))
    delimiter = fitting[0] if fitting else max(headers, key=lambda d: len(headers[d]))
    header = headers[delimiter]
    where = line_of(name, line)
    _refuse_odd_bytes(
        header,
        where,
        delimiter == "|" or not (wanted.is_wide or columns_named(header, wanted.close)),
    )
    first_line = text[start:].partition("\n")[0]
    # Of a wide table, the closes are known when the timestamps are.
    close = 0 if wanted.is_wide else find_column(header, wanted.close, where)
    timestamp, clock = find_timestamp(header, wanted.timestamp, where, in_path)
    symbols = find_symbol(header, wanted, where, in_path, (close, timestamp, clock))
    return Dialect(
        start,
        line,
        delimiter,
        is_spaced(first_line, delimiter),
        header,
        close,
        timestamp,
        symbols[0] if symbols else None,
        clock,
        rest=symbols[1:],
    )


def before_header(text: str) -> HeaderPlace:
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
    return HeaderPlace(start, line, delimiters)


def is_spaced(line: str, delimiter: str) -> bool:
    """Return whether a blank follows each delimiter of a line, and is not one itself."""
    return " " not in delimiter and line.count(delimiter) == line.count(delimiter + " ") > 0


def delimiter_name(delimiter: str) -> str:
    """Return how a delimiter is called in descriptions and messages."""
    if delimiter == BLANKS:
        return "blanks"
    return DELIMITERS.get(delimiter) or shown(delimiter)


def split_header(text: str, delimiter: str) -> tuple[str, ...]:
    """Split the first record, whose line may be wrapped in one pair of quotes."""
    header = _first_record(text, delimiter)
    if len(header) == 1 and delimiter in header[0]:
        header = _first_record(header[0], delimiter)
    return header


def split_at_blanks(line: str) -> list[str]:
    """Split a line at blanks and tabs, however many there are."""
    return [cell for cell in line.replace("\t", " ").split(" ") if cell]


def _first_record(text: str, delimiter: str) -> tuple[str, ...]:
    if delimiter == BLANKS:
        return tuple(split_at_blanks(text.partition("\n")[0]))
    skips = " " not in delimiter
    reader = csv.reader(StringIO(text), delimiter=delimiter, skipinitialspace=skips, strict=True)
    try:
        return tuple(next(reader, ()))
    except csv.Error:
        return ()


def columns_named(header: Sequence[str], wanted: str | int) -> list[int]:
    """Return the indexes of the columns with this name; if none, ignore case and blanks.

    Of a `UsualName`, which the config does not declare, no spelling goes before another. A whole
    number is the place of a column, counted from 1.
    """
    if isinstance(wanted, int):
        return [wanted - 1] if wanted <= len(header) else []
    exact = [index for index, name in enumerate(header) if name == wanted]
    if isinstance(wanted, UsualName):
        exact = []
    return exact or [index for index, name in enumerate(header) if _folded(name) == _folded(wanted)]


def _folded(name: str) -> str:
    """Strip a name of case, blanks, and the brackets of MetaTrader: `<CLOSE>`."""
    return name.strip(BLANKS + "<>").lower()


def is_in_path(name: str | int, header: Sequence[str], in_path: Sequence[str]) -> bool:
    """Return whether a column is named by the path, and not by the header."""
    if isinstance(name, int) or columns_named(header, name):
        return False
    return bool(columns_named(in_path, name))


def find_column(header: Sequence[str], wanted: str | int, where: str) -> int:
    """Return the index of a column; raises `DataError` unless there is exactly one."""
    indexes = columns_named(header, wanted)
    if len(indexes) == 1:
        return indexes[0]
    from rollsignal.readers.wrong_headers import no_column, same_columns

    if indexes:
        error = same_columns([header[index] for index in indexes], wanted, where, indexes)
        is_close = isinstance(wanted, UsualName)
        raise error.choosing(*({"columns.close": at + 1} for at in indexes if is_close))
    raise no_column(header, wanted, where)


def find_timestamp(
    header: Sequence[str],
    wanted: str | int | DateAndTime | None,
    where: str,
    in_path: Sequence[str] = (),
) -> tuple[int | None, int | None]:
    """Return the index of the timestamps, by the wanted or the usual names, and None.

    If dates and times of day have a column each, return the indexes of both. Raises `DataError`
    if a wanted column is missing, or several have the same usual name.
    """
    if wanted is None:
        return _usual_timestamp(header, where)
    if wanted == NO_TIMESTAMPS:
        _refuse_none(header, where, "timestamp", "no timestamps")
        return None, None
    names = wanted.columns if isinstance(wanted, DateAndTime) else (wanted,)
    for name in names:
        if is_in_path(name, header, in_path):
            raise DataError(
                f"{where}: {shown(str(name))} is only in the path, where all rows have the same"
                " (name a column of the rows under columns, or timestamp: null)"
            )
    indexes = [find_column(header, name, where) for name in names]
    _refuse_bar(header[indexes[0]], where)
    return indexes[0], indexes[1] if len(indexes) > 1 else None


def _usual_timestamp(header: Sequence[str], where: str) -> tuple[int | None, int | None]:
    """Return the index of the timestamps, or of dates and times of day, by the usual names."""
    plain = list(map(plain_name, header))
    usual = next((name for name in NAMES if name in plain), None)
    names = [usual] if usual else []
    if usual in DATE_AND_TIME and set(DATE_AND_TIME) <= set(plain):
        names = [*DATE_AND_TIME]
    indexes: list[int] = []
    for name in names:
        matches = [index for index, other in enumerate(plain) if other == name]
        spelled = [header[index] for index in matches]
        if len({_folded(other) for other in spelled}) > 1:
            from rollsignal.readers.wrong_headers import several_timestamps

            raise several_timestamps(spelled, where)
        indexes.append(find_column(header, _folded(spelled[0]), where))
    return indexes[0] if indexes else None, indexes[1] if len(indexes) > 1 else None


def _refuse_none(header: Sequence[str], where: str, setting: str, meaning: str) -> None:
    """Refuse a column called none, where the config may mean that there is no such column."""
    if columns_named(header, NO_TIMESTAMPS):
        raise DataError(
            f"{where}: columns.{setting} is none, for {meaning}, but a column is called none"
            f" (set columns: {{{setting}: NONE}} for that column, or give it another name)"
        )


def _refuse_bar(name: str, where: str) -> None:
    """Refuse a first row of bars, where a column of timestamps would have a time as its name."""
    if name.strip(BLANKS)[:1].isdigit():
        from rollsignal.readers.wrong_headers import bar_as_header

        if problem := bar_as_header(name, where):
            raise problem


def find_symbol(
    header: Sequence[str],
    wanted: Columns,
    where: str,
    in_path: Sequence[str] = (),
    taken: Collection[int | None] = (),
) -> tuple[int, ...]:
    """Return the indexes of the columns that make the symbols, if they are columns of the rows.

    taken: the columns that are something else. Raises `DataError` if a declared column is missing,
    or if several columns may be the symbols.
    """
    if wanted.symbol is None:
        names = ["" if index in taken else name for index, name in enumerate(header)]
        usual = usual_symbol(names, in_path, where)
        return () if usual is None else (usual,)
    if wanted.symbol == NO_SYMBOLS:
        _refuse_none(header, where, "symbol", "one series")
        return ()
    if wanted.symbol.key:
        what = "columns.symbol is {from: key}, but this is no JSON document with symbols as keys"
        raise DataError(f"{where}: {what} (name the column of symbols under columns)")
    columns = columns_in_rows(wanted.symbol.columns, header, in_path, where)
    indexes = tuple(find_column(header, name, where) for name in columns)
    if len(set(indexes)) < len(indexes):
        what = f"columns.symbol is {wanted.symbol}, which is the same column twice"
        raise DataError(f"{where}: {what} (name each part of the symbol once)")
    return indexes


def columns_in_rows(
    columns: Sequence[str | int], header: Sequence[str], in_path: Sequence[str], where: str
) -> Sequence[str | int]:
    """Return the columns that make the symbols, none of them if they are in the path.

    Raises `DataError` if only some of them are.
    """
    outside = [name for name in columns if is_in_path(name, header, in_path)]
    if outside and len(outside) < len(columns):
        raise DataError(
            f"{where}: {shown(str(outside[0]))} is only in the path, and other parts of the symbol"
            " are in the rows (name columns of the rows under columns, or folders for all parts)"
        )
    return () if outside else columns


def usual_symbol(header: Sequence[str], in_path: Sequence[str], where: str) -> int | None:
    """Return the index of the symbols by the usual names; raises `DataError` if there are several.

    A column of the rows may also be in the path.
    """
    columns, keys = named_as_symbols(header), named_as_symbols(in_path)
    if not columns and not keys:
        tiers = RARE_SYMBOL_NAMES, RAREST_SYMBOL_NAMES
        columns = next(filter(None, (named_as_symbols(header, names) for names in tiers)), [])
    if not columns and len(keys) < 2:
        return None
    names = [header[index] for index in columns]
    names_in_path = [in_path[index] for index in keys]
    is_one = len(set(map(plain_name, names + names_in_path))) == 1
    if len(columns) > 1 or len(keys) > 1 or not is_one:
        from rollsignal.readers.wrong_headers import several_symbols

        raise several_symbols(names, names_in_path, where)
    return columns[0]


def named_as_symbols(names: Sequence[str], usual: Sequence[str] = SYMBOL_NAMES) -> list[int]:
    """Return the indexes of the columns with a usual name of symbols."""
    return [index for index, name in enumerate(names) if plain_name(name) in usual]


def may_have_parts(dialect: Dialect) -> bool:
    """Return whether a column without a name at the end may come from commas before decimals."""
    has_room = dialect.close + 1 < dialect.width and not dialect.header[-1].strip(BLANKS)
    return has_room and dialect.headed and dialect.delimiter == ","


def find_ohlc(header: Sequence[str]) -> dict[str, int]:
    """Return the indexes of open, high, low and all volumes whose usual names appear once."""
    indexes = {name: columns_named(header, name) for name in PRICES}
    volumes = [name for name in header if _folded(name) == "vol" or "volume" in _folded(name)]
    indexes |= {name.strip(BLANKS): columns_named(header, name) for name in volumes}
    return {name: matches[0] for name, matches in indexes.items() if len(matches) == 1}


def _refuse_odd_bytes(header: Sequence[str], where: str, in_doubt: bool) -> None:
    """Refuse a name with a NUL, and in doubt one that is not UTF-8; nobody reads the others."""
    for number, name in enumerate(header, start=1):
        problem = odd_bytes(name)
        if problem and (in_doubt or "\0" in name):
            what = f"the name of column {number}, {shown(name)}, {problem}"
            raise DataError(f"{where}: {what}").choosing(*ENCODINGS)


def odd_bytes(cell: str) -> str | None:
    """Describe the NUL or the bytes that are not UTF-8 in a cell; None without them."""
    if "\0" in cell:
        return "contains a NUL byte"
    if not cell.isascii() and any("\ud800" <= character <= "\udfff" for character in cell):
        return (
            "is not UTF-8 (save the file as UTF-8, or set table: {encoding: NAME} with the name of"
            " its encoding, such as cp1252 or gbk)"
        )
    return None
