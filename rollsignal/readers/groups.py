"""This module gathers the rows of several small text files in one block.

Files of a group are plain and alike: regular, complete, with the same compression and the same
header, and a line end after every row. Every other file is left in a group of its own.
"""

import io
import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import BinaryIO, NamedTuple, cast

from rollsignal.config.settings import JobConfig
from rollsignal.errors import JobError
from rollsignal.files.find import Input
from rollsignal.files.formats import Format, columnar_format, text_format
from rollsignal.files.open import open_input, unpacked
from rollsignal.readers.blocks import BLOCK_BYTES, FIRST_BYTES, text_of
from rollsignal.readers.dialect import Dialect, find_dialect, may_have_parts
from rollsignal.readers.fast.fields import Fields, Masks
from rollsignal.readers.fast.words import NotPlainError
from rollsignal.readers.opening import symbol_of

LINE_END = ord("\n")


class TableHead(NamedTuple):
    """What the files of a group share: compression, header, and the dialect that it shows.

    `in_path` are the columns that their folders stand for.
    """

    compression: str
    header: bytes
    in_path: tuple[str, ...]
    dialect: Dialect


class Member(NamedTuple):
    """A file, its symbol, and where in the block its rows begin and end."""

    file: Input
    symbol: str | None = None
    begin: int = 0
    end: int = 0


class Group(NamedTuple):
    """Files of one table and their rows in order; without a table, a file that is left."""

    members: list[Member]
    table: TableHead | None = None
    rows: bytes | bytearray = b""

    def fields(self, masks: Masks) -> Fields | None:
        """Find the fields of all rows; None if they are not plain."""
        if self.table is None:
            return None
        dialect = self.table.dialect
        try:
            return Fields(self.rows, dialect.delimiter, dialect.width, masks)
        except NotPlainError:
            return None

    def apart(self) -> "Iterator[Group]":
        """Yield a group for each file."""
        for member in self.members:
            rows = self.rows[member.begin : member.end]
            yield Group([member._replace(begin=0, end=len(rows))], self.table, rows)


class Groups:
    """Read files in their order, and gather them in groups.

    Only regular files on this machine are read. wanted: the format that all files must have, None
    to find each file's own.
    """

    def __init__(
        self,
        files: Sequence[Input],
        config: JobConfig,
        wanted: Format | None = None,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._files = files
        self._config = config
        self._wanted = wanted
        table = config.table
        self._may_group = not config.declares_layout and table.footer == "error"
        self._may_group &= not (config.columns.is_wide or config.columns.day)
        self._may_group &= table.encoding == "auto" and not table.says_of_closes
        self._block_bytes = block_bytes
        self._table: TableHead | None = None
        self._begin()

    def __iter__(self) -> Iterator[Group]:
        """Yield the groups, without errors: a bad file is reported when it is opened by itself."""
        for file in self._files:
            if self._add(file):
                continue
            if self._members:
                yield self._gathered()
            self._table = self._table_of(file)
            if not self._add(file):
                yield Group([Member(file)])
        if self._members:
            yield self._gathered()

    def _begin(self) -> None:
        self._block = bytearray(self._block_bytes)
        self._members: list[Member] = []

    def _gathered(self) -> Group:
        """Return the group of all rows in the block, and start a new block."""
        members, block = self._members, self._block
        self._begin()
        del block[members[-1].end :]
        return Group(members, self._table, block)

    def _add(self, file: Input) -> bool:
        """Read a file's rows into the block; return whether they can join the group."""
        size, begin = len(self._block) if file.size is None else file.size, 0
        if self._members:
            begin = self._members[-1].end
        if self._table is None or size >= len(self._block):
            return False
        header = bytearray(len(self._table.header))
        try:
            symbol = symbol_of(file, self._config)
            with memoryview(self._block) as view:
                buffers: list[bytearray | memoryview] = [header, view[begin:]]
                count = _read_whole(file.path, size, self._table.compression, buffers)
        except (OSError, ValueError, JobError):
            return False
        if count < len(header) or not self._fits(file, header):
            return False
        end = self._without_returns(begin, begin + count - len(header))
        is_whole = end == begin or self._block[end - 1] == LINE_END
        if not is_whole or self._block.find(b"\r", begin, end) >= 0:
            return False
        self._members.append(Member(file, symbol, begin, end))
        return True

    def _without_returns(self, begin: int, end: int) -> int:
        """Remove the CR of every CRLF in a part of the block; return the new end."""
        if self._block.find(b"\r", begin, end) < 0:
            return end
        rows = self._block[begin:end].replace(b"\r\n", b"\n")
        end = begin + len(rows)
        self._block[begin:end] = rows
        return end

    def _fits(self, file: Input, header: bytearray) -> bool:
        """Return whether a file with this header belongs to the table."""
        table = self._table
        return (
            table is not None
            and header == table.header
            and text_format(header.decode(), file.path, self._wanted) == "csv"
            and _names_in(file) == table.in_path
        )

    def _table_of(self, file: Input) -> TableHead | None:
        """Read a file's header; None unless it is a plain first line."""
        if file.size is None or file.size >= self._block_bytes or not self._may_group:
            return None
        in_path = _names_in(file)
        try:
            with closing(open_input(file.path)) as opened:
                stream, compression = unpacked(opened, file.name)
                beginning = stream.read(FIRST_BYTES)
            header = beginning[: beginning.find(b"\n") + 1]
            if not _is_plain(header):
                return None
            text, _ = text_of(header)
            dialect = find_dialect(text, self._config.columns, file.name, in_path)
        except JobError:
            return None
        is_taken = not (dialect.start or dialect.spaced)
        # Only the rows of each file can tell which column holds the timestamps.
        is_taken = is_taken and not (dialect.timestamp is None and self._config.seeks_timestamps)
        is_taken = is_taken and not may_have_parts(dialect)
        is_taken = is_taken and dialect.symbol is None and dialect.clock is None
        return TableHead(compression, header, in_path, dialect) if is_taken else None


def _is_plain(header: bytes) -> bool:
    """Return whether a line is plain text, and not the beginning of another format."""
    if not header.isascii() or any(byte in header for byte in (b'"', b"\0")):
        return False
    line = header.removesuffix(b"\n").removesuffix(b"\r")
    return not (b"\r" in line or columnar_format(line))


def _names_in(file: Input) -> tuple[str, ...]:
    return tuple(name for name, _ in file.partitions)


def _read_whole(
    path: str, size: int, compression: str, buffers: "Sequence[bytearray | memoryview]"
) -> int:
    """Read a file's content into buffers, one after the other; return the number of bytes.

    Returns 0 if the file does not have this size, or fills the buffers. Raises `OSError`, or
    `DataError` if it cannot be unpacked.
    """
    packed = [bytearray(size + 1)] if compression else buffers
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        count = os.readv(descriptor, packed)
    finally:
        os.close(descriptor)
    if count != size:
        return 0
    if compression:
        count = _unpack(bytes(packed[0][:size]), path, compression, buffers)
    return count if count < sum(map(len, buffers)) else 0


def _unpack(
    packed: bytes, path: str, compression: str, buffers: "Sequence[bytearray | memoryview]"
) -> int:
    """Unpack into buffers; return the number of bytes, 0 if the compression is another."""
    file = io.BufferedReader(io.BytesIO(packed))
    stream, actual = unpacked(cast(BinaryIO, file), path)
    if actual != compression:
        return 0
    return sum(cast(io.BufferedReader, stream).readinto(buffer) for buffer in buffers)
