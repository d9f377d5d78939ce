"""This module chooses the types of the columns of signals, and converts tables to them.

A folder of partitions keeps one type for each column, whatever runs add to it: a column has its
usual type while all its values fit, and a wider one in every partition from the first value on that
does not. Timestamps are microseconds, else nanoseconds, else text; closes are decimals, else text.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from rollsignal.outputs.signals.forms import iso_stamps, scanned, sink, trimmed
from rollsignal.outputs.signals.widths import Widths

if TYPE_CHECKING:
    import polars as pl

    Types = Mapping[str, pl.DataType]
    Table = TypeVar("Table", pl.DataFrame, pl.LazyFrame)

DECIMAL_DIGITS = 38
PARTITION_DECIMALS = 18
STAMP = "%Y-%m-%dT%H:%M:%S%.fZ"


def column_types(widths: Widths, *, partitioned: bool) -> "dict[str, pl.DataType]":
    """Return the types of timestamps and closes with these widths.

    partitioned: whether the table is one of many that are read together, so that closes have the
    same decimals in all of them.
    """
    import polars as pl

    time_type: pl.DataType = pl.String()
    if widths.fits_ns:
        time_type = pl.Datetime("us" if widths.fits_us else "ns", "UTC")
    close_type: pl.DataType = pl.String()
    decimals = PARTITION_DECIMALS if partitioned else widths.decimals
    if widths.decimals <= decimals and widths.whole + decimals <= DECIMAL_DIGITS:
        close_type = pl.Decimal(DECIMAL_DIGITS, decimals)
    return {"timestamp": time_type, "close": close_type}


def fitted(table: "Table", types: "Types") -> "Table":
    """Return a table of signals with these types, which must hold its values."""
    now = table.lazy().collect_schema()
    changes = [_change(name, now[name], to) for name, to in types.items() if now[name] != to]
    return table.with_columns(changes) if changes else table


def _change(name: str, now: "pl.DataType", to: "pl.DataType") -> "pl.Expr":
    import polars as pl

    column = pl.col(name)
    if name == "close":
        return trimmed(column) if to == pl.String else column.cast(to)
    if to == pl.String:
        return (iso_stamps(column) if isinstance(now, pl.Datetime) else column.cast(to)).alias(name)
    if isinstance(now, pl.Datetime):
        return column.cast(to)
    assert isinstance(to, pl.Datetime)
    return column.str.to_datetime(STAMP, time_unit=to.time_unit, time_zone="UTC")


class PartitionTypes:
    """The types of the rows to be written, and of the partitions that are kept.

    kept: the paths of the partitions that are kept, by the names of their folders. `suffix` is that
    of all files.
    """

    def __init__(self, table: "pl.LazyFrame", kept: Mapping[str, str], suffix: str) -> None:
        self._kept = kept
        self.suffix = suffix
        # All columns of a CSV file are text.
        files = {} if suffix == ".csv" else kept
        self._types_of = {name: _types_of(path, suffix) for name, path in files.items()}
        mine = [] if suffix == ".csv" else [table.collect_schema()]
        self._types = _common_types([*mine, *self._types_of.values()])

    def fitted(self, table: "pl.LazyFrame") -> "pl.LazyFrame":
        """Return rows with these types."""
        return fitted(table, self._types)

    def convert(
        self, unfinished: str, written: Sequence[str], check: Callable[[str], None]
    ) -> None:
        """Write the kept partitions of other types to a folder, beside those `written`.

        check: is called with the path of each before it is read.
        """
        for name, types in self._types_of.items():
            is_other = any(types.get(column, to) != to for column, to in self._types.items())
            if is_other and name not in written:
                check(self._kept[name])
                table = self.fitted(scanned(self._kept[name], self.suffix))
                sink(table, self.suffix, os.path.join(unfinished, name))


def _types_of(path: str, suffix: str) -> "Types":
    """Return the types of the columns of a file; none for one that is not a table of signals."""
    from polars.exceptions import PolarsError

    with suppress(PolarsError):
        types = scanned(path, suffix).collect_schema()
        return types if types.keys() >= {"timestamp", "close"} else {}
    return {}


def _common_types(tables: "Sequence[Types]") -> "dict[str, pl.DataType]":
    """Return the least of the types of timestamps and closes that holds those of all tables."""
    common: dict[str, pl.DataType] = {}
    for name, widening in _widening_types().items():
        # Any other type is of an earlier version; only text is sure to hold its values.
        ranks = [
            widening.index(table[name]) if table[name] in widening else len(widening) - 1
            for table in tables
            if name in table
        ]
        if ranks:
            common[name] = widening[max(ranks)]
    return common


def _widening_types() -> "dict[str, list[pl.DataType]]":
    """Return the types of columns of partitions, each of which holds what those before hold."""
    import polars as pl

    times = [pl.Datetime(unit, "UTC") for unit in ("us", "ns")]
    closes = pl.Decimal(DECIMAL_DIGITS, PARTITION_DECIMALS)
    return {"timestamp": [*times, pl.String()], "close": [closes, pl.String()]}
