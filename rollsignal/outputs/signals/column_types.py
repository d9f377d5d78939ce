"""This module keeps one type for each column of a folder of partitions, whatever runs add to it.

A column has its usual type while all its values fit, and is text in every partition from the first
value on that does not: text holds both.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rollsignal.outputs.signals.forms import iso_stamps, scanned, sink, trimmed

if TYPE_CHECKING:
    import polars as pl

DECIMAL_DIGITS = 38
PARTITION_DECIMALS = 18


def usual_types() -> "dict[str, pl.DataType]":
    """Return the types of timestamps and closes in partitions."""
    import polars as pl

    close = pl.Decimal(DECIMAL_DIGITS, PARTITION_DECIMALS)
    return {"timestamp": pl.Datetime("ns", "UTC"), "close": close}


class PartitionTypes:
    """The columns that must be text: in the rows to be written, or in a partition that is kept.

    kept: the paths of the partitions that are kept, by the names of their folders. `suffix` is that
    of all files.
    """

    def __init__(self, table: "pl.LazyFrame", kept: Mapping[str, str], suffix: str) -> None:
        self._kept = kept
        self.suffix = suffix
        # All columns of a CSV file are text.
        files = {} if suffix == ".csv" else kept
        self._types = {name: _types_of(path, suffix) for name, path in files.items()}
        mine = [] if suffix == ".csv" else [table.collect_schema()]
        self._text = {name for types in [*mine, *self._types.values()] for name in _unusual(types)}

    def fitted(self, table: "pl.LazyFrame") -> "pl.LazyFrame":
        """Return rows with these columns as text."""
        import polars as pl

        types = table.collect_schema()
        texts = []
        for name in sorted(self._text & set(types)):
            is_time = isinstance(types[name], pl.Datetime)
            text = iso_stamps(pl.col(name)) if is_time else pl.col(name).cast(pl.String)
            texts.append(trimmed(pl.col(name)) if name == "close" else text.alias(name))
        return table.with_columns(*texts)

    def convert(self, unfinished: str, written: Sequence[str]) -> None:
        """Write the kept partitions that are not yet so to a folder, beside those `written`."""
        import polars as pl

        for name, types in self._types.items():
            is_typed = any(types.get(column, pl.String) != pl.String for column in self._text)
            if is_typed and name not in written:
                table = self.fitted(scanned(self._kept[name], self.suffix))
                sink(table, self.suffix, os.path.join(unfinished, name))


def _types_of(path: str, suffix: str) -> "Mapping[str, pl.DataType]":
    """Return the types of the columns of a file; none for one that is not a table of signals."""
    from polars.exceptions import PolarsError

    with suppress(PolarsError):
        types = scanned(path, suffix).collect_schema()
        return types if types.keys() >= {"timestamp", "close"} else {}
    return {}


def _unusual(types: "Mapping[str, pl.DataType]") -> Iterator[str]:
    """Yield the columns that do not have their usual type."""
    for name, usual in usual_types().items():
        if types.get(name, usual) != usual:
            yield name
