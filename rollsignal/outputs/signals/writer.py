"""This module writes the signals of a run, a row for every bar, as CSV, Parquet or Arrow IPC.

While they are decided, they are written as text to a temporary file. At the end they are converted
to their format and replace the output as a whole.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.decisions import Decided
from rollsignal.errors import DataError
from rollsignal.files.replace import (
    cannot_create,
    cannot_write,
    commit,
    create_temporary,
    remove_quietly,
)
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.signals.column_types import DECIMAL_DIGITS, PARTITION_DECIMALS
from rollsignal.outputs.signals.counts import (
    KnownSignals,
    PartitionCount,
    PartitionCounter,
    WrittenPartitions,
)
from rollsignal.outputs.signals.forms import (
    HEADER,
    escape_formula,
    folder_name,
    signals_suffix,
    sink,
)
from rollsignal.outputs.signals.partitions import NOTHING, Merging, write_partitions
from rollsignal.outputs.signals.text import SignalsText, Widths

if TYPE_CHECKING:
    import polars as pl

COPIED_BYTES = 1 << 20


class WrittenPart(NamedTuple):
    """A part of the bars as text: its path, the widths of its columns, its rows in each partition.

    `text` is None if the rows are already in the output.
    """

    text: str | None
    widths: Widths
    counts: Mapping[str, PartitionCount]


class Signals:
    """The signals of a run: one file, or with `partition_by` a folder of partitions.

    merge: whether existing partitions keep rows that are not written again.
    """

    flag = "--signals"

    def __init__(
        self, path: str, window: int, partition_by: str | None = None, *, merge: bool = False
    ) -> None:
        """Raise `UsageError` for a path with an unknown suffix."""
        self.path = path
        self._window = window
        self._suffix = signals_suffix(path, partition_by)
        self._partition_by = partition_by
        self._merging = Merging(merge)
        self._counter: PartitionCounter | None = None
        self._text: SignalsText | None = None
        self._more_texts: list[SignalsText] = []
        self._parts = 0

    def begin(self) -> None:
        """Create the temporary file; raises `OutputError`."""
        path = os.path.join(self.path, "signals") if self._partition_by else self.path
        unfinished = create_temporary(path)
        try:
            self._text = self._text_at(unfinished)
        except BaseException as problem:
            remove_quietly(unfinished)
            if not isinstance(problem, OSError):
                raise
            raise cannot_create(self.path, str(problem.strerror)) from problem

    def _text_at(self, unfinished: str) -> SignalsText:
        return SignalsText(self.path, unfinished, self._window, escaped=self._suffix == ".csv")

    @property
    def _begun(self) -> SignalsText:
        assert self._text, "signals are begun before they are written"
        return self._text

    def follow(self, known: KnownSignals) -> None:
        """Continue after the signals of the bars in a state.

        Raises `DataError` if the output does not hold these signals.
        """
        from rollsignal.outputs.signals.former import FormerParts, former_csv

        self._counter = self._new_counter()
        if self._partition_by and known.accounts:
            former = FormerParts(self.path, self._partition_by, self._suffix, known)
            self._merging = Merging(True, former)
        elif known.accounts:
            for text, widths in former_csv(self.path, known, self._begun.escaped):
                self._begun.add(text, widths)

    def _new_counter(self) -> PartitionCounter | None:
        if not self._partition_by:
            return None
        return PartitionCounter(self._partition_by, escaped=self._begun.escaped)

    def begin_again(self) -> None:
        """Discard what is written, and do not merge with former signals; raises `DiskError`."""
        self._merging = NOTHING
        self._counter = self._counter and self._new_counter()
        self._parts = 0
        self._begun.begin_again()

    def listener(self) -> "Signals":
        """Return the output itself, which wants every decided bar."""
        return self

    def part(self) -> "_SignalsPart":
        """Return a listener for the next part; the first part is written directly to the output."""
        self._parts += 1
        is_first = self._parts == 1
        text = self._begun
        if not is_first:
            text = self._text_at(f"{text.unfinished}.{self._parts}")
            self._more_texts.append(text)
        refuses_untimed = self._merging.is_wanted or self._counter is not None
        counter = self._new_counter() if self._counter else None
        return _SignalsPart(text, self._partition_by, counter, refuses_untimed, is_first)

    def add(self, ended: WrittenPart) -> None:
        """Append a part that is written, in the order of the bars; raises `DiskError`."""
        if self._counter:
            for name, count in ended.counts.items():
                self._counter.add(name, *count)
        if ended.text:
            try:
                with open(ended.text, "rb") as text:
                    text.readline()
                    while block := text.read(COPIED_BYTES):
                        self._begun.add(block, ended.widths)
            except OSError as problem:
                raise cannot_write(self.path, problem) from problem
            finally:
                remove_quietly(ended.text)

    @property
    def written(self) -> WrittenPartitions | None:
        """Return the partitions for the state, None without a state or partitions."""
        if not (self._counter and self._partition_by):
            return None
        former = self._merging.former
        parts = dict(former.parts) if former else {}
        for name, part in self._counter.parts.items():
            parts[name] = parts.get(name, PartitionCount()).plus(*part)
        return WrittenPartitions(self._partition_by, self._suffix, parts)

    def finish(self, report: RunReport) -> None:
        """Put the file in its place; raises `DiskError`."""
        try:
            self._begun.close()
            if self._partition_by:
                self._partition(self._partition_by)
                return
            if self._suffix != ".csv":
                self._convert()
            commit(self._begun.unfinished, self.path)
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem

    def abandon(self) -> None:
        """Remove what is unfinished."""
        for text in (self._text, *self._more_texts):
            if text:
                text.close_quietly()
                remove_quietly(text.unfinished)

    def _convert(self) -> None:
        """Convert the rows written as text to columns, in bounded memory."""
        unfinished = self._begun.unfinished
        text = unfinished + ".csv"
        os.replace(unfinished, text)
        try:
            with _library_errors():
                sink(self._table(text), self._suffix, unfinished)
        finally:
            remove_quietly(text)

    def _partition(self, key: str) -> None:
        """Distribute the rows written as text to partitions, in bounded memory."""
        table = self._table(self._begun.unfinished)
        with _library_errors():
            write_partitions(table, key, self.path, self._suffix, self._merging)

    def _table(self, text: str) -> "pl.LazyFrame":
        import polars as pl

        table = pl.scan_csv(text, schema=dict.fromkeys(HEADER, pl.String), glob=False)
        return table if self._suffix == ".csv" else table.with_columns(*self._columns())

    def _columns(self) -> "list[pl.Expr]":
        """Return the columns with types; timestamps and closes that do not fit stay text."""
        import polars as pl

        widths = self._begun.widths
        columns = [pl.col("rolling_mean").cast(pl.Float64), pl.col("signal").cast(pl.Int8)]
        # 64 bits of nanoseconds hold years from 1678 to 2261, and a decimal type holds 38 digits.
        if widths.fits_ns:
            pattern = "%Y-%m-%dT%H:%M:%S%.fZ"
            stamp = pl.col("timestamp").str.to_datetime(pattern, time_unit="ns", time_zone="UTC")
            columns.append(stamp)
        # The partitions of many runs make one table, so their closes have one type.
        least = most = PARTITION_DECIMALS
        if not self._partition_by:
            least, most = 0, DECIMAL_DIGITS
        decimals = max(widths.decimals, least)
        if decimals <= most and widths.whole + decimals <= DECIMAL_DIGITS:
            columns.append(pl.col("close").cast(pl.Decimal(DECIMAL_DIGITS, decimals)))
        return columns


class _SignalsPart:
    """A listener that writes the signals of a part of the bars, and refuses what it cannot write.

    is_first: whether `text` is the text of the output itself.
    """

    def __init__(
        self,
        text: SignalsText,
        partition_by: str | None,
        counter: PartitionCounter | None,
        refuses_untimed: bool,
        is_first: bool,
    ) -> None:
        self._text = text
        self._by_symbol = partition_by == "symbol"
        self._counter = counter
        self._refuses_untimed = refuses_untimed
        self._is_first = is_first

    def take(self, bars: Decided) -> None:
        """Write decided bars; raises `DiskError`.

        Raises `OutputError` for a symbol that is too long for the name of a folder, and `DataError`
        for bars without timestamps if partitions are merged.
        """
        if self._by_symbol:
            # So a long symbol is refused before everything is written.
            for symbol in bars.symbols:
                folder_name("symbol", escape_formula(symbol) if self._text.escaped else symbol)
        if self._refuses_untimed and bars.timestamps_ns is None:
            raise DataError(
                "Rows without timestamps cannot be matched with those in the partitions",
                "leave out --partition-by, or name the column: columns: {timestamp: NAME}",
            )
        self._text.take(bars)
        if self._counter:
            self._counter.take(bars)

    def end(self) -> WrittenPart:
        """Return what this part has written."""
        counts = self._counter.parts if self._counter else {}
        if self._is_first:
            return WrittenPart(None, Widths(), counts)
        self._text.close()
        return WrittenPart(self._text.unfinished, self._text.widths, counts)


@contextmanager
def _library_errors() -> Iterator[None]:
    """Turn errors of polars into `OSError`: it reports a full disk as it reports a bad file."""
    from polars.exceptions import PolarsError

    try:
        yield
    except PolarsError as error:
        raise OSError(str(error)) from error
