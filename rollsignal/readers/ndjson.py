"""This module reads bars from NDJSON: one JSON object per line, every number as it is written.

A file without an object is a table without bars.
"""

from collections.abc import Iterator

from rollsignal.config.settings import JobConfig
from rollsignal.core.bars import NO_OBJECTS, Batch
from rollsignal.core.quality import Finding
from rollsignal.errors import DataError
from rollsignal.readers.blocks import text_of
from rollsignal.readers.cells import Cells
from rollsignal.readers.keyed import FileFacts, KeyedBars
from rollsignal.readers.objects import read_objects
from rollsignal.readers.opening import OpenedFile, symbol_of, with_day

AS_DOCUMENT = "if the file is one JSON document: --format json"


class NdjsonReader:
    """Read one file of JSON objects, batch after batch."""

    unit = "line"
    compares_cut_row = False

    def __init__(self, file: OpenedFile, config: JobConfig) -> None:
        """Find the columns in the first object; raises `DataError` if it is bad or lacks them."""
        config = with_day(config, file.input)
        self.path = file.input.path
        self.name = file.name
        self.symbol = symbol_of(file.input, config)
        self.bytes_read = file.bytes_read
        self._file = file
        self._line = 1
        in_path = [name for name, _ in file.input.partitions]
        facts = FileFacts(self.name, self.unit, in_path, self.symbol)
        # Without an object there are no bars, and the columns do not matter.
        self._bars = self._found(facts, config)
        self._cells = Cells(self.name, self.unit, "", None, None)
        if self._bars is not None:
            self._cells = self._bars.cells

    def _found(self, facts: FileFacts, config: JobConfig) -> KeyedBars | None:
        """Find the columns in the first object; None without an object."""
        text, suspect = text_of(self._file.beginning)
        start = len(text) - len(text.lstrip(" \t\n"))
        if start == len(text):
            return None
        line = text.count("\n", 0, start) + 1
        where = f"{self.name} line {line}"
        row = text[start:].partition("\n")[0]
        first = read_objects(row, line, suspect)
        if first.problem:
            hint = "" if row[0] in "{[" else " (if this is a text table: --format csv)"
            raise DataError(f"{where}: {first.problem}{hint}")
        try:
            return KeyedBars(facts, config, read_objects(text, 1, suspect).records, where)
        except DataError as problem:
            if any(isinstance(value, list | dict) for value in first.records[0].values()):
                problem.detail = AS_DOCUMENT
            raise

    @property
    def zoned(self) -> bool | None:
        """Return whether the timestamps read so far are known in UTC."""
        return self._cells.timestamps.zoned

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a finding about a bar, for example that it is out of order."""
        return self._cells.order_problem(batch, finding)

    def describe(self) -> str:
        """Describe the file's format and the columns that are read."""
        description = [self._file.compression] if self._file.compression else []
        description += [self._file.blocks.encoding, "ndjson"]
        description += [NO_OBJECTS] if self._bars is None else self._bars.describe()
        return ", ".join(description)

    def batches(self) -> Iterator[Batch]:
        """Yield all bars; raises `DataError` where the text is wrong or unclear."""
        yield from self.beginning()
        yield from self.following()
        self.finish()

    def beginning(self) -> Iterator[Batch]:
        """Yield the bars of the first block."""
        yield from self._read(self._file.beginning)

    def following(self) -> Iterator[Batch]:
        """Yield the bars of the blocks below the first one."""
        for block in self._file.blocks:
            yield from self._read(block)

    def finish(self) -> None:
        """Raise `DataError` if no row proved that a cell read as a timestamp is one."""
        self._cells.finish()

    @property
    def memory(self) -> object | None:
        """Return what the reading of further rows depends on; None if it is not settled yet."""
        return None if self._bars is None else self._bars.memory

    @property
    def line(self) -> int:
        """Return the line where the next row begins."""
        return self._line

    def number_from(self, line: int) -> None:
        """Say at which line the next row begins."""
        self._line = line

    def _read(self, block: bytearray) -> Iterator[Batch]:
        text, suspect = text_of(block)
        objects = read_objects(text, self._line, suspect)
        self._line += text.count("\n")
        if objects.records and self._bars is not None:
            yield self._bars.batch(objects.records, objects.lines)
        if objects.problem:
            raise self._cells.problem(objects.bad_line, objects.problem)
