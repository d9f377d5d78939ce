"""This module finds the columns of a table of Spark, by the same rules as those of a file."""

from typing import TYPE_CHECKING, NamedTuple, NoReturn

from rollsignal.config.rules import NO_SYMBOLS, NO_TIMESTAMPS, DateAndTime, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.core.ticks import BLANKS
from rollsignal.core.timestamps.reader import plain_name
from rollsignal.engines.spark.cuts import STAMP, SYMBOL
from rollsignal.errors import ConfigError, DataError
from rollsignal.messages import escaped
from rollsignal.readers.dialect import find_column, find_ohlc, find_symbol, find_timestamp
from rollsignal.readers.symbols import PARTING_NAMES

if TYPE_CHECKING:
    import polars as pl
    from pyspark.sql import DataFrame

_INTEGERS = {"tinyint": 8, "smallint": 16, "int": 32, "bigint": 64}
_TIMES = ("timestamp", "timestamp_ntz", "date")
_NO_ORDER = "the rows of a table have no order, so timestamps are needed"


class TableColumns(NamedTuple):
    """The names of the columns that are read; `symbol` is None if all bars are one series.

    types: how Spark calls the type of each. others: the columns that are compared with the close.
    """

    close: str
    timestamp: str
    symbol: str | None
    others: tuple[str, ...]
    types: dict[str, str]

    @property
    def declared(self) -> Columns:
        """Return the columns as a config that names them would."""
        symbol = NO_SYMBOLS if self.symbol is None else SymbolFrom(self.symbol)
        return Columns(self.close, self.timestamp, symbol)

    @property
    def read(self) -> list[str]:
        """List the columns in the order in which they are read."""
        symbol = [] if self.symbol is None else [self.symbol]
        return [*symbol, self.timestamp, self.close, *self.others]

    def schema(self) -> "pl.Schema":
        """Return the types of the columns as executors see them: symbols are text."""
        import polars as pl

        types = {name: _polars_type(self.types[name]) for name in self.read}
        if self.symbol is not None:
            types[self.symbol] = pl.String()
        return pl.Schema(types)

    def selected(self, table: "DataFrame") -> "DataFrame":
        """Return these columns, as `SYMBOL` if any, `STAMP` and others, in the order of `read`.

        Symbols have no blanks around them, so that all bars of a series come together.
        """
        from pyspark.sql import functions as F

        # By their places, because names may differ only in case, or hold any character.
        places = table.toDF(*map(str, range(len(table.columns))))
        place_of = {name: F.col(str(at)) for at, name in enumerate(table.columns)}
        symbols = []
        if self.symbol is not None:
            text = F.btrim(place_of[self.symbol].cast("string"), F.lit(BLANKS))
            # So that they are refused wherever they are.
            symbols = [F.coalesce(text, F.lit("")).alias(SYMBOL)]
        prices = enumerate((self.close, *self.others))
        return places.select(
            *symbols,
            place_of[self.timestamp].alias(STAMP),
            *(place_of[name].alias(f"price {number}") for number, name in prices),
        )


def table_columns(table: "DataFrame", config: JobConfig, name: str) -> TableColumns:
    """Find the columns; raises `DataError` where that is in doubt, `ConfigError` without times."""
    types, names = dict(table.dtypes), table.columns
    close = find_column(names, config.columns.close, name)
    if config.columns.timestamp == NO_TIMESTAMPS:
        raise ConfigError(f"{name}: {_NO_ORDER}", "name their column: columns: {timestamp: NAME}")
    if isinstance(config.columns.timestamp, DateAndTime):
        what = "dates and times of day are in two columns, and a table is read if they are in one"
        raise ConfigError(f"{name}: {what}", "name a column of timestamps, for example of a view")
    if config.columns.symbol is not None:
        _refuse_source(config.columns.symbol, name)
    stamp, clock = find_timestamp(names, config.columns.timestamp, name)
    if clock is not None and types[names[clock]] in _TIMES:
        # This column of times holds the dates too.
        stamp, clock = clock, None
    if stamp is None or clock is not None:
        missing = "has a usual name of timestamps" if stamp is None else "holds dates and times"
        what = f"no column {missing}, and {_NO_ORDER}"
        raise DataError(f"{name}: {what} (set columns: {{timestamp: NAME}})")
    symbols = find_symbol(names, config.columns, name, (), (close, stamp, clock))
    symbol = symbols[0] if symbols else None
    others = {} if config.checks.ohlc == "off" else find_ohlc(names)
    columns = TableColumns(
        names[close],
        names[stamp],
        None if symbol is None else names[symbol],
        tuple(names[index] for index in others.values() if index not in (close, stamp, symbol)),
        types,
    )
    _check(columns, config, name)
    return columns


def _refuse_source(source: SymbolFrom, name: str) -> None:
    """Raise `ConfigError` for symbols that are not in one column of the table."""
    what, hint = "", "name a column of symbols, for example of a view"
    if source.rest:
        what = f"columns.symbol is {source}, and a table has them in one column"
    elif source.header is not None:
        what = f"columns.symbol is {{{source}}}, and a table has one column of closes"
        hint = "give it as a view with stack(), as a long table"
    elif source.key:
        what = f"columns.symbol is {{{source}}}, and a table has no keys"
    elif source.column is None:
        what = f"columns.symbol is {{{source}}}, and a table has no files of its own"
    if what:
        raise ConfigError(f"{name}: {what}", hint)


def _check(columns: TableColumns, config: JobConfig, name: str) -> None:
    """Raise the error for a column of a type that is not read."""
    types, symbol = columns.types, columns.symbol
    for price in (columns.close, *columns.others):
        if not _holds_numbers(types[price]):
            what = f"{escaped(price)} is a column of {types[price]}, not of numbers or text"
            raise DataError(f"{name}: {what}")
    if types[columns.timestamp] not in _TIMES:
        _refuse_stamps(columns, name)
    if config.timezone is not None and types[columns.timestamp] != "timestamp":
        # Spark sorts such a table by what the clock shows.
        what = f"{escaped(columns.timestamp)} is a column of {types[columns.timestamp]}"
        raise DataError(
            f"{name}: {what}, whose times have no zone: only those of files are turned into UTC"
            " (give it as timestamp, or set timezone: null if they are in UTC)"
        )
    if config.columns.symbol is None and symbol and plain_name(symbol) not in PARTING_NAMES:
        column = escaped(symbol.strip(BLANKS))
        raise DataError(
            f"{name}: {column} may be the symbol (set columns: {{symbol: {column}}} if each of its"
            " values is a series, or {symbol: none} if all bars are one series)"
        )
    if symbol and not (types[symbol] in _INTEGERS or _is_text(types[symbol])):
        what = f"the symbol column {escaped(symbol)} holds {types[symbol]}"
        raise DataError(f"{name}: {what}, not text or whole numbers")


def _refuse_stamps(columns: TableColumns, name: str) -> NoReturn:
    """Raise the error for timestamps that are not of a type of times."""
    stamp, kind = columns.timestamp, columns.types[columns.timestamp]
    ways = "timestamp, timestamp_ntz or date"
    if _is_text(kind):
        ways += (
            f"; for text with a zone to_timestamp({stamp}), without one to_timestamp_ntz({stamp})"
        )
    elif kind in _INTEGERS:
        counts = ("seconds", "millis", "micros")
        ways += "; for counts since 1970 " + " or ".join(
            f"timestamp_{of}({stamp})" for of in counts
        )
    what = f"{escaped(stamp)} is a column of {kind}, which Spark would not sort by time"
    raise DataError(f"{name}: {what} (give it as {ways})")


def _is_text(kind: str) -> bool:
    """Return whether a type is text, of any length and collation."""
    return kind.partition("(")[0].partition(" ")[0] in ("string", "varchar", "char")


def _holds_numbers(kind: str) -> bool:
    is_binary = kind in ("float", "double") or kind in _INTEGERS
    return is_binary or kind.startswith("decimal(") or _is_text(kind)


def _polars_type(kind: str) -> "pl.DataType":
    """Return how polars calls a type that is read."""
    import polars as pl

    if kind.startswith("decimal("):
        precision, scale = map(int, kind[len("decimal(") : -1].split(","))
        return pl.Decimal(precision, scale)
    integers = {f"{name}": getattr(pl, f"Int{bits}")() for name, bits in _INTEGERS.items()}
    return integers.get(kind) or {
        "float": pl.Float32(),
        "double": pl.Float64(),
        "timestamp": pl.Datetime("us", "UTC"),
        "timestamp_ntz": pl.Datetime("us"),
        "date": pl.Date(),
    }.get(kind, pl.String())
