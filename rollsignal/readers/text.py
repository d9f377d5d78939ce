"""This module reads one file of text, block by block: plain blocks fast, all others carefully.

The careful parser is the authority: it reads the first block, which shows the table's format, and
every block that the fast parser refuses.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rollsignal.config.settings import JobConfig, Level
from rollsignal.core.bars import Batch
from rollsignal.errors import DataError
from rollsignal.messages import escaped, line_of, unit_of
from rollsignal.readers.blocks import text_of
from rollsignal.readers.careful import CarefulParser
from rollsignal.readers.cells import compared
from rollsignal.readers.dialect import Dialect, delimiter_name, find_dialect, may_have_parts
from rollsignal.readers.opening import OpenedFile, symbol_of, with_day

if TYPE_CHECKING:
    from rollsignal.core.array_bars import ArrayBatch


class TextReader:
    """Read one file of delimited text.

    careful_bytes: how many bytes are read carefully before the fast parser, which takes a while
    to load, may start.
    """

    # A last row without a line end is judged by those above it.
    compares_cut_row = True

    def __init__(self, file: OpenedFile, config: JobConfig, careful_bytes: int) -> None:
        """Find the file's dialect; raises `DataError`."""
        config = with_day(config, file.input)
        if file.sheet:
            # The sheet is a text with tabs, whatever the config says of other tables.
            config = config._replace(table=config.table._replace(delimiter="tab"))
        if file.counts_from_1904 and config.timestamp_format == "excel":
            raise _counted_otherwise(file.name)
        self.path = file.input.path
        self.name = file.name
        self.unit = unit_of(file.name)
        self.symbol = symbol_of(file.input, config)
        self.bytes_read = file.bytes_read
        self._file = file
        self._config = config
        self._careful_bytes = careful_bytes
        in_path = [name for name, _ in file.input.partitions]
        text, _ = text_of(file.beginning)
        try:
            self.dialect = _dialect_of(text, config, self.name, in_path)
        except DataError as problem:
            raise file.of_sheet(problem) from None
        text = text[self.dialect.start :]
        self.dialect = _with_all_columns(text, self.dialect, config, self.name)
        is_sought = config.seeks_timestamps or config.columns.is_wide
        if self.dialect.timestamp is None and is_sought and config.columns.timestamp is None:
            from rollsignal.readers.proof import timestamps_in_text

            stamps = timestamps_in_text(text, self.dialect, config, self.name)
            if stamps is None and isinstance(config.columns.close, int):
                # Names did not help to find the close either.
                from rollsignal.readers.wrong_headers import no_timestamps

                raise no_timestamps(line_of(self.name, self.dialect.line), self.dialect.width)
            self.dialect = self.dialect._replace(timestamp=stamps)
        if config.columns.is_wide:
            self.dialect = _with_closes(self.dialect, config, self.name)
        self._beginning = bytearray(text.encode("utf-8", "surrogateescape"))
        self._careful = CarefulParser(self.name, self.dialect, config, self.symbol)
        self.order_problem = self._careful.cells.order_problem

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps read so far are known in UTC."""
        return self._careful.cells.timestamps.zoned

    def describe(self) -> str:
        """Describe the file's format and the columns that are read."""
        file = self._file
        table = described(self.dialect, self._config.checks.ohlc, self._careful.others)
        description = [file.compression, file.blocks.encoding, table]
        if file.sheet:
            description = ["xlsx", f"sheet {file.sheet}", table.partition(", ")[2]]
        if self._careful.footer:
            description += [self._careful.footer.describe()]
        return ", ".join(filter(None, description))

    def batches(self) -> "Iterator[Batch | ArrayBatch]":
        """Yield all bars; raises `DataError` where the text is wrong or unclear."""
        yield from self.beginning()
        yield from self.following()
        self.finish()

    def beginning(self) -> Iterator[Batch]:
        """Yield the bars of the first block."""
        yield from self._carefully(self._beginning)

    def following(self) -> "Iterator[Batch | ArrayBatch]":
        """Yield the bars of the blocks below the first one."""
        read = len(self._beginning)
        blocks = iter(self._file.blocks)
        while read < self._careful_bytes and (block := next(blocks, None)):
            read += len(block)
            yield from self._carefully(block)
        if read >= self._careful_bytes:
            yield from self._fast()

    def finish(self) -> None:
        """Raise `DataError` if the end of the file shows that something is wrong."""
        self._careful.finish(self._file.blocks.cut)

    @property
    def memory(self) -> object | None:
        """Return what the reading of further rows depends on; None if it is not settled yet."""
        return self._careful.memory

    @property
    def line(self) -> int:
        """Return the line where the next row begins."""
        return self._careful.records.line

    def number_from(self, line: int) -> None:
        """Say at which line the next row begins."""
        self._careful.records.line = line

    def _fast(self) -> "Iterator[Batch | ArrayBatch]":
        """Yield the remaining blocks, plain ones as arrays."""
        from rollsignal.readers.fast.parser import FastParser

        fast = FastParser(self._careful, self._config)
        for block, fields in self._file.ahead(lambda block: (block, fast.fields(block))):
            batch = fast.batch(fields, partial(self._again, block, self._careful.records.line))
            if batch is None or fields is None:
                yield from self._carefully(block)
                continue
            self._careful.pass_over(fields.rows, block)
            yield batch

    def _carefully(self, block: bytearray) -> Iterator[Batch]:
        batch, problem = self._careful.batch(block)
        if batch:
            yield batch
        if problem:
            raise problem

    def _again(self, block: bytearray, line: int) -> Batch:
        """Read a block carefully that was already read fast."""
        self._careful.records.line = line
        (batch,) = self._carefully(block)
        return batch


def _dialect_of(text: str, config: JobConfig, name: str, in_path: Sequence[str]) -> Dialect:
    """Find the dialect of a table; raises `DataError`."""
    if config.declares_layout:
        from rollsignal.readers.layout import declared_dialect

        return declared_dialect(text, config, name, in_path)
    try:
        return find_dialect(text, config.columns, name, in_path)
    except DataError:
        from rollsignal.readers.layout import header_below_others

        dialect = header_below_others(text, config, name, in_path)
        if dialect is None:
            raise
        return dialect


def _with_closes(dialect: Dialect, config: JobConfig, name: str) -> Dialect:
    """Return the dialect of a wide table with the columns of closes; raises `DataError`."""
    from rollsignal.readers.wide import closes_in_header

    taken, source = (dialect.timestamp, dialect.clock), config.columns.symbol
    closes = closes_in_header(dialect.header, source, taken, line_of(name, dialect.line))
    return dialect._replace(close=closes[0], closes=closes)


def _counted_otherwise(name: str) -> DataError:
    """Return the error for days that are not counted as `timestamp_format: excel` says."""
    what = "timestamp_format is excel, but this workbook counts its days from 1904 on"
    hint = "give the column of times a format of dates, and set timestamp_format: null"
    return DataError(f"{name}: {what} ({hint})")


def _with_all_columns(text: str, dialect: Dialect, config: JobConfig, name: str) -> Dialect:
    """Return the dialect of a table, with the columns that its header does not have.

    text: the beginning of the table, from its header on. Raises `DataError` if these are unclear.
    """
    if config.columns.is_wide:
        return dialect
    if _may_be_wider(text, dialect):
        from rollsignal.readers.nameless_index import with_index

        dialect = with_index(text, dialect, config, name)
    if may_have_parts(dialect):
        from rollsignal.readers.parted_closes import refuse_parted

        refuse_parted(text, dialect, name)
    return dialect


def _may_be_wider(text: str, dialect: Dialect) -> bool:
    """Return whether the first row may have more fields than the header."""
    header, _, below = text.partition("\n") if dialect.headed else ("", "", text)
    row = below.partition("\n")[0]
    if dialect.comment:
        return True
    is_plain = '"' not in header and '"' not in row and not dialect.spaced
    return not (is_plain and row and row.count(dialect.delimiter) <= dialect.width - 1)


def described(dialect: Dialect, level: Level, others: Mapping[str, int]) -> str:
    """Describe how a text table is written, and which columns are read."""
    close, stamp, clock, *parts = (
        None if index is None else escaped(dialect.header[index].strip()) or f"column {index + 1}"
        for index in (dialect.close, dialect.timestamp, dialect.clock, *dialect.symbols)
    )
    stamps = stamp or "none" if clock is None else f"{stamp} and {clock}"
    if dialect.closes:
        from rollsignal.readers.wide import described_closes

        close = described_closes([dialect.header[index] for index in dialect.closes])
    symbols = f", symbol from {' and '.join(filter(None, parts))}" if parts else ""
    delimiter = ", ".join(filter(None, (delimiter_name(dialect.delimiter), dialect.note)))
    table = f"{delimiter}, close from {close}, timestamp from {stamps}"
    return table + symbols + compared(level, others)
