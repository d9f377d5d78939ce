"""This module reads small text files together, so that the cost of each array is paid only once.

The fast parser reads the rows of a group of files as the rows of one table. For most groups, the
module proves that the careful parser would read every file the same way, from its first row on.
All other files are left, and opened by themselves.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.bars import Batch
from rollsignal.core.quality import Finding
from rollsignal.core.reader import Reader
from rollsignal.core.timestamps.reader import TimestampReader
from rollsignal.errors import BadCellError, DataError
from rollsignal.files.find import Input
from rollsignal.readers.blocks import read_ahead
from rollsignal.readers.careful import CarefulParser
from rollsignal.readers.fast.fields import Fields, Masks
from rollsignal.readers.fast.parser import FastParser
from rollsignal.readers.groups import Group, Groups, Member, TableHead
from rollsignal.readers.opening import AHEAD
from rollsignal.readers.text import described


def read_together(groups: Groups, config: JobConfig) -> Iterator[tuple[Input, Reader | None]]:
    """Yield each file with a reader of all its bars, None for a file that is left.

    A thread reads the next groups meanwhile. Bad files raise no error here: they are reported when
    they are opened by themselves.
    """
    masks = Masks()
    pairs = ((group, group.fields(masks)) for group in groups)
    for group, fields in read_ahead(pairs, AHEAD):
        readers = _readers(group, fields, config)
        for member in group.members:
            yield member.file, next(readers)


def _readers(group: Group, fields: Fields | None, config: JobConfig) -> Iterator[Reader | None]:
    """Yield a reader for each file of a group, None for a file that is left."""
    readers = _readers_of(group, fields, config)
    if readers:
        yield from readers
    elif len(group.members) == 1:
        yield None
    else:
        for alone in group.apart():
            yield from _readers(alone, alone.fields(Masks()), config)


def _readers_of(
    group: Group, fields: Fields | None, config: JobConfig
) -> "list[MemberReader] | None":
    """Make a reader for each file of a group; None if one of them cannot be read fast."""
    table = group.table
    if table is None or fields is None:
        return None
    careful = CarefulParser("", table.dialect, config)
    careful.batch(table.header)
    bounds = _bounds(group.members, fields)
    if not _are_alike(fields, bounds, careful):
        return None
    batch = FastParser(careful, config).batch(fields, _unread)
    if batch is None:
        return None
    written = described(table.dialect, config.checks.ohlc, careful.others)
    description = ", ".join(filter(None, (table.compression, "utf-8", written)))
    shared = _Shared(table, fields.bytes, description, config, careful.cells.timestamps.zoned)
    parts = zip(group.members, pairwise(bounds), strict=True)
    return [MemberReader(member, shared, _cut(batch, *rows)) for member, rows in parts]


class _Shared(NamedTuple):
    """What the readers of a group share; `rows` is the text of all their rows."""

    table: TableHead
    rows: bytes | bytearray
    description: str
    config: JobConfig
    zoned: bool | None


class MemberReader:
    """Read one file of a group, from bars that have been read already."""

    unit = "line"

    def __init__(self, member: Member, shared: _Shared, batch: ArrayBatch) -> None:
        self.path = member.file.path
        self.name = member.file.name
        self.symbol = member.symbol
        self.zoned = shared.zoned
        self._member = member
        self._shared = shared
        self._batch = batch

    def describe(self) -> str:
        """Describe the file's format and the columns that are read."""
        return self._shared.description

    def batches(self) -> Iterator[ArrayBatch]:
        """Yield all bars."""
        if self._batch.rows:
            # Stored in self, it would be a reference cycle, freed only by garbage collection.
            yield self._batch._replace(plain=self._plain)

    def bytes_read(self) -> int:
        """Return how many of the file's bytes have been read."""
        return self._member.file.size or 0

    @property
    def order_problem(self) -> Callable[[Batch, Finding], DataError]:
        """Return what makes the error for a finding about a bar; it holds no bars."""
        return self._parser().cells.order_problem

    def _plain(self) -> Batch:
        """Read the rows carefully."""
        rows = self._shared.rows[self._member.begin : self._member.end]
        batch, problem = self._parser().batch(self._shared.table.header + rows)
        if problem:
            raise problem
        assert batch is not None, "there are rows"
        return batch

    def _parser(self) -> CarefulParser:
        shared = self._shared
        return CarefulParser(self.name, shared.table.dialect, shared.config, self.symbol)


def _unread() -> Batch:
    raise AssertionError("only the parts of a group's batch are handed on")


def _bounds(members: Sequence[Member], fields: Fields) -> list[int]:
    """Return the row at which each file begins, and the row after the last one."""
    _, line_ends = fields.span(fields.width - 1)
    stops = line_ends.searchsorted([member.end for member in members])
    return [0, *stops.tolist()]


def _are_alike(fields: Fields, bounds: Sequence[int], careful: CarefulParser) -> bool:
    """Return whether all files write timestamps the same way, each by its own first one."""
    if careful.timestamp is None:
        return True
    begins, ends = fields.span(careful.timestamp)
    firsts = [start for start, stop in pairwise(bounds) if start < stop]
    spans = zip(begins[firsts].tolist(), ends[firsts].tolist(), strict=True)
    cells = [fields.bytes[begin:end].decode() for begin, end in spans]
    try:
        careful.cells.timestamps.read(cells[:1])
        return len({_kind_and_pattern(cell, careful) for cell in set(cells)}) == 1
    except BadCellError:
        return False


def _kind_and_pattern(cell: str, careful: CarefulParser) -> tuple[bool, str]:
    """Find how a column is written by its first cell; raises `BadCellError` if that is unclear."""
    reader = TimestampReader(careful.cells.timestamps.written)
    reader.read([cell])
    return reader.counts is not None, reader.pattern


def _cut(batch: ArrayBatch, start: int, stop: int) -> ArrayBatch:
    """Return consecutive rows of a batch, as the rows of a file below its header."""
    closes = batch.closes._replace(values=batch.closes.values[start:stop])
    return ArrayBatch(
        closes,
        None if batch.timestamps_ns is None else batch.timestamps_ns[start:stop],
        None,
        batch.plain,
        2,
        closes.suspects() if batch.suspects and stop > start else 0,
    )
