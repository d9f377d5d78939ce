"""This module writes the signals of a run, a row for every bar, as CSV, Parquet or Arrow IPC.

They are written as text while they are decided, beside the final place, which they take as a whole
at the end, in their own form.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from rollsignal import files
from rollsignal.engines.rows import ArrayRows, Rows
from rollsignal.errors import DataError
from rollsignal.sinks.partitions import NOTHING, Merging, folder_name, sink, write_partitions
from rollsignal.sinks.parts import Known, Part, PartCounter, Written
from rollsignal.sinks.signals_text import HEADER, SignalsText
from rollsignal.sinks.summary import harmless, known_form

if TYPE_CHECKING:
    import polars as pl

FORMS = (".csv", ".parquet", ".arrow")
DECIMAL_DIGITS = 38
PARTITION_DECIMALS = 18


def form_of(path: str, partition_by: str | None = None) -> str:
    """Tell the form by the suffix of a path; raises `UsageError` for any other.

    A folder of partitions may be named without a suffix, and is Parquet then.
    """
    suffix = os.path.splitext(path)[1].lower()
    if partition_by and suffix not in FORMS:
        return ".parquet"
    return known_form("--signals", path, FORMS)


@contextmanager
def _library_errors() -> Iterator[None]:
    """Turn the library's own errors into `OSError`: it tells of a full disk as of a bad file."""
    from polars.exceptions import PolarsError

    try:
        yield
    except PolarsError as error:
        raise OSError(str(error)) from error


class SignalsFile:
    """Take rows as they are decided; `finish` puts the file in its place.

    Used in a `with` statement, whose end removes what is unfinished.
    """

    def __init__(
        self, path: str, window: int, partition_by: str | None = None, *, merge: bool = False
    ) -> None:
        """Begin the file, or the folder of partitions; raises `OutputError`.

        merge: partitions that are there keep the rows that are not written again.
        """
        self._path = path
        self._form = form_of(path, partition_by)
        self._partition_by = partition_by
        self._merging = Merging(merge)
        self._counter: PartCounter | None = None
        self._unfinished = files.begin(os.path.join(path, "signals") if partition_by else path)
        try:
            harmless_in = self._form == ".csv"
            self._text = SignalsText(path, self._unfinished, window, harmless_in)
        except BaseException as problem:
            # Whoever is stopped here has not begun the `with`.
            files.drop(self._unfinished)
            if not isinstance(problem, OSError):
                raise
            raise files.cannot_create(path, str(problem.strerror)) from problem

    def write(self, rows: Rows) -> None:
        """Write rows; raises `DiskError`, or `OutputError` where no folder can have a name.

        Raises `DataError` for rows without timestamps that are to go among others.
        """
        if self._partition_by == "symbol":
            self._check_names(rows)
        if self._merging.is_wanted or self._counter:
            _check_times(rows)
        self._text.write(rows)
        if self._counter:
            self._counter(rows)

    def follow(self, known: Known) -> None:
        """Go on from the signals of the bars that a state knows; raises `DataError`.

        Raises it if what there is are not these signals.
        """
        from rollsignal.sinks.former_signals import FormerParts, former_csv

        if self._partition_by:
            self._counter = PartCounter(self._partition_by, self._text.harmless_in)
            if known.series:
                former = FormerParts(self._path, self._partition_by, self._form, known)
                self._merging = Merging(True, former)
        elif known.series:
            for part in former_csv(self._path, known, self._text.harmless_in):
                self._text.add(*part)

    @property
    def written(self) -> Written | None:
        """Tell which partitions there are for the state to know, if it does."""
        if not (self._counter and self._partition_by):
            return None
        former = self._merging.former
        parts = dict(former.parts) if former else {}
        for name, part in self._counter.parts.items():
            parts[name] = parts.get(name, Part()).plus(part.rows, part.digest)
        return Written(self._partition_by, self._form, parts)

    def _check_names(self, rows: Rows) -> None:
        """Refuse a symbol of which no folder can have the name, before all is written."""
        symbols = rows.symbols if isinstance(rows, ArrayRows) else {row.symbol for row in rows}
        for symbol in symbols:
            folder_name("symbol", harmless(symbol) if self._text.harmless_in else symbol)

    def begin_anew(self) -> None:
        """Forget what is written, and what there was before; raises `DiskError`."""
        self._merging = NOTHING
        if self._counter and self._partition_by:
            self._counter = PartCounter(self._partition_by, self._text.harmless_in)
        self._text.begin_anew()

    def finish(self) -> None:
        """Put the file in its place; raises `DiskError`."""
        try:
            self._text.close()
            if self._partition_by:
                self._spread(self._partition_by)
                return
            if self._form != ".csv":
                self._convert()
            files.settle(self._unfinished, self._path)
        except OSError as problem:
            raise files.cannot_write(self._path, problem) from problem

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self._text.abandon()
        files.drop(self._unfinished)

    @_library_errors()
    def _convert(self) -> None:
        """Turn the rows written as text into columns, in bounded memory."""
        text = self._unfinished + ".csv"
        os.replace(self._unfinished, text)
        try:
            sink(self._table(text), self._form, self._unfinished)
        finally:
            files.drop(text)

    @_library_errors()
    def _spread(self, key: str) -> None:
        """Part the rows written as text into files, in bounded memory."""
        write_partitions(self._table(self._unfinished), key, self._path, self._form, self._merging)

    def _table(self, text: str) -> "pl.LazyFrame":
        import polars as pl

        table = pl.scan_csv(text, schema=dict.fromkeys(HEADER, pl.String), glob=False)
        return table if self._form == ".csv" else table.with_columns(*self._columns())

    def _columns(self) -> "list[pl.Expr]":
        """Type the columns; timestamps and closes that their type may not hold stay text."""
        import polars as pl

        columns = [pl.col("rolling_mean").cast(pl.Float64), pl.col("signal").cast(pl.Int8)]
        # What does not fit into 64 bits of nanoseconds, or 38 digits, stays text.
        if self._text.fits_ns:
            form = "%Y-%m-%dT%H:%M:%S%.fZ"
            stamp = pl.col("timestamp").str.to_datetime(form, time_unit="ns", time_zone="UTC")
            columns.append(stamp)
        # The partitions of many runs are one table, so their closes are of one type.
        least = PARTITION_DECIMALS if self._partition_by else 0
        decimals = max(self._text.decimals, least)
        if self._text.whole + decimals <= DECIMAL_DIGITS:
            columns.append(pl.col("close").cast(pl.Decimal(DECIMAL_DIGITS, decimals)))
        return columns


def _check_times(rows: Rows) -> None:
    """Refuse rows of which none could be told from those that are there."""
    timed = rows.moments is not None if isinstance(rows, ArrayRows) else rows[0].ns is not None
    if not timed:
        raise DataError(
            "Without timestamps no row can be told from those that partitions have",
            "leave out --partition-by, or name the column: columns: {timestamp: NAME}",
        )
