"""This module finds the columns of a columnar table that are read."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.errors import DataError
from rollsignal.readers.columns import stamps_of
from rollsignal.readers.dialect import find_column, find_ohlc, find_symbol, find_timestamp
from rollsignal.readers.wide import closes_in_header

if TYPE_CHECKING:
    import polars as pl

# The most that polars can read of a decimal.
DECIMAL_MAX_DIGITS = 38


class FrameColumns(NamedTuple):
    """The columns that are read of a table with this schema.

    `closes` are several in a wide table. `timestamp` is None where times are not needed, `clock` is
    the column of the times of day, if it holds only the dates. `symbols` are the indexes of the
    columns that make the symbols, `others` those of the columns that are compared, by their names.
    """

    schema: "pl.Schema"
    closes: list[str]
    timestamp: str | None
    clock: str | None
    symbols: tuple[int, ...]
    others: dict[str, int]

    @property
    def symbol_names(self) -> list[str]:
        """Return the names of the columns that make the symbols."""
        names = self.schema.names()
        return [names[index] for index in self.symbols]

    @property
    def read_names(self) -> set[str]:
        """Return the names of all columns that are read."""
        names = self.schema.names()
        stamps = {name for name in (self.timestamp, self.clock) if name is not None}
        others = {names[index] for index in (*self.symbols, *self.others.values())}
        return stamps | others | set(self.closes)

    @property
    def shown_timestamp(self) -> str | None:
        """Return how messages call the columns of timestamps."""
        stamp = self.timestamp
        if stamp == "":
            stamp = f"column {self.schema.names().index('') + 1}"
        return stamp if stamp is None or self.clock is None else f"{stamp} and {self.clock}"

    @property
    def stores_times(self) -> bool:
        """Return whether timestamps, or their dates, are stored as such."""
        return self.timestamp is not None and self.schema[self.timestamp].is_temporal()

    @property
    def has_zone(self) -> bool:
        """Return whether the type of the timestamps has a time zone."""
        import polars as pl

        dtype = None if self.timestamp is None else self.schema[self.timestamp]
        return isinstance(dtype, pl.Datetime) and dtype.time_zone is not None

    def selected(self) -> "list[pl.Expr]":
        """Return the columns, each numbered among those that mean the same."""
        import polars as pl

        names = self.schema.names()
        columns = [
            pl.nth(names.index(name)).alias(f"close {number}")
            for number, name in enumerate(self.closes)
        ]
        if self.timestamp is not None:
            stamps = stamps_of(self.schema, self.timestamp, self.clock)
            columns.append(stamps.alias("timestamp"))
        for number, index in enumerate(self.symbols):
            columns.append(pl.nth(index).alias(f"symbol {number}"))
        for number, index in enumerate(self.others.values()):
            columns.append(pl.nth(index).alias(f"other {number}"))
        return columns


def find_frame_columns(
    schema: "pl.Schema",
    config: JobConfig,
    where: str,
    in_path: Sequence[str],
    by_cells: Callable[[tuple[int, ...]], int | None],
) -> FrameColumns:
    """Find the columns; raises `DataError` if one is missing, in doubt or of a wrong type.

    in_path: the names of the columns that the path stands for. by_cells: returns the index of the
    timestamps by what the cells show, beside the columns that are something else.
    """
    import polars as pl

    names, wanted = schema.names(), config.columns
    close = None if wanted.is_wide else find_column(names, wanted.close, where)
    date, clock = find_timestamp(names, wanted.timestamp, where, in_path)
    if clock is not None and schema[names[clock]] == pl.Datetime:
        # This column of times holds the dates too.
        date, clock = clock, None
    symbols = find_symbol(names, wanted, where, in_path, (close, date, clock))
    is_sought = config.seeks_timestamps or wanted.is_wide
    if date is None and is_sought and wanted.timestamp is None:
        date = by_cells(() if close is None else (close, *symbols))
    closes = [close] if close is not None else []
    if close is None:
        closes = [*closes_in_header(names, wanted.symbol, (date, clock), where)]
    for index in closes:
        _check_close(names[index], schema[names[index]], where)
    is_compared = config.checks.ohlc != "off" and not wanted.is_wide
    return FrameColumns(
        schema,
        [names[index] for index in closes],
        None if date is None or not config.needs_timestamps else names[date],
        None if clock is None else names[clock],
        symbols,
        find_ohlc(names) if is_compared else {},
    )


def _check_close(name: str, dtype: "pl.DataType", where: str) -> None:
    import polars as pl

    if isinstance(dtype, pl.Decimal) and dtype.precision > DECIMAL_MAX_DIGITS:
        what = f"{name} is a column of {dtype}, of more than {DECIMAL_MAX_DIGITS} digits"
        raise DataError(f"{where}: {what}; write it as text")
