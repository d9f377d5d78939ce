"""This module reads a part of a file, as the reader of the whole file would.

How a row is read depends on its file's beginning, which every part reads first. If it also depends
on other rows before it, a part that ends there notices that, and the file must be read whole.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rollsignal.core.reader import Bars
from rollsignal.errors import DataError
from rollsignal.readers.opening import OpenedFile

if TYPE_CHECKING:
    from rollsignal.readers.columnar import FrameReader
    from rollsignal.readers.ndjson import NdjsonReader
    from rollsignal.readers.text import TextReader

SETTLING_ROWS = 1024


class ReadWholeError(Exception):
    """A part of a file cannot be read by itself; the file must be read as one."""


class TextPart:
    """Read a part of a text: blocks of whole lines, from one offset to another.

    begin, end: offsets of `Blocks.cuts`; 0 and None for the beginning and the end of the file.
    line: the number of lines before the part. Unless it is known, messages name wrong lines.

    A part after others is read right if each of them ends without an error. Its own errors count
    only then, so the first error in the order of the bars is that of the whole file.
    """

    unit = "line"

    def __init__(
        self,
        reader: "TextReader | NdjsonReader",
        file: OpenedFile,
        begin: int,
        end: int | None,
        line: int = 0,
    ) -> None:
        self.path = reader.path
        self.name = reader.name
        self.symbol = reader.symbol
        self.describe = reader.describe
        self.order_problem = reader.order_problem
        self._reader = reader
        self._file = file
        self._begin = begin
        self._end = end
        self._first_line = line

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps read so far are known in UTC."""
        return self._reader.zoned

    @property
    def passed(self) -> int:
        """Return the number of lines of the part that have been read."""
        return self._reader.line - 1 - self._first_line

    def bytes_read(self) -> int:
        """Return how many of the part's bytes have been read."""
        read = max(0, self._file.bytes_read() - self._begin)
        return read if self._end is None else min(read, self._end - self._begin)

    def batches(self) -> Iterator[Bars]:
        """Yield all bars of the part.

        Raises `DataError` as the whole file would, and `ReadWholeError` at last if a row after the
        part may not be read as it is after the file's beginning.
        """
        for batch in self._reader.beginning():
            if not self._begin:
                yield batch
        memory = self._reader.memory
        if memory is None:
            raise ReadWholeError(self.name)
        count = 0
        for bars in self._following():
            yield bars
            count += 1
        if not self._ends_well(memory, count):
            raise ReadWholeError(self.name)
        if self._end is None:
            self._reader.finish()

    def _following(self) -> Iterator[Bars]:
        """Yield the bars of the part below the beginning of the file."""
        self._file.blocks.go_on(self._begin or self._file.end_of_beginning, self._end)
        if self._begin:
            self._reader.number_from(self._first_line + 1)
        yield from self._reader.following()

    def _ends_well(self, memory: object, batches: int) -> bool:
        """Return whether the end of the part was read as in the whole file."""
        blocks = self._file.blocks
        if self._end is None:
            is_compared = blocks.cut and self._reader.compares_cut_row
            # The rows to compare it with are those of the block above it.
            return not (self._begin and is_compared and batches < 2)
        return self._reader.memory == memory and not (blocks.cut or blocks.is_short)


class RowPart:
    """Read a range of the rows of a columnar file; end: None for all up to the last one."""

    unit = "row"

    def __init__(self, reader: "FrameReader", begin: int, end: int | None) -> None:
        self.path = reader.path
        self.name = reader.name
        self.symbol = reader.symbol
        self.describe = reader.describe
        self.order_problem = reader.order_problem
        self.passed = 0
        self._reader = reader
        self._begin = begin
        self._end = end

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps read so far are known in UTC."""
        return self._reader.zoned

    def bytes_read(self) -> int:
        """Return about how many of the file's bytes have been read."""
        return self._reader.bytes_of(self.passed)

    def batches(self) -> Iterator[Bars]:
        """Yield all bars of the part; raises `ReadWholeError` for a bad one.

        Of several bad bars the whole file may report another one.
        """
        try:
            memory = self._settled()
            for batch in self._reader.batches_of(self._reader.rows(self._begin, self._end)):
                if self._reader.memory != memory:
                    raise ReadWholeError(self.name)
                self.passed = self._reader.row - self._begin
                yield batch
            self.passed = self._reader.row - self._begin
            if self._end is None:
                self._reader.finish()
        except DataError as error:
            raise ReadWholeError(self.name) from error
        if self._end is not None and self.passed != self._end - self._begin:
            raise ReadWholeError(self.name)

    def _settled(self) -> object:
        """Read the first rows of the file, if others depend on them."""
        if self._reader.depends_on_first:
            for _ in self._reader.batches_of(self._reader.rows(0, SETTLING_ROWS)):
                pass
        return self._reader.memory
