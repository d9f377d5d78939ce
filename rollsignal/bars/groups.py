"""This module gathers small text files: the rows of several, one after the other, in one block.

Only plain files are taken that are alike: regular, whole, compressed the same way, of one header,
with a line end after every row. All others are left, each by itself.
"""

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from typing import BinaryIO, NamedTuple, cast

from rollsignal.bars.fields import Fields, Masks
from rollsignal.bars.header import Dialect, find_dialect
from rollsignal.bars.source import (
    columnar_format,
    open_input,
    partitions_of,
    symbol_of,
    text_format,
)
from rollsignal.bars.text import BLOCK_BYTES, FIRST_BYTES, text_of
from rollsignal.bars.unpack import unpacked
from rollsignal.bars.words import DoubtError
from rollsignal.config import JobConfig
from rollsignal.errors import JobError
from rollsignal.formats import Format

LINE_END = ord("\n")


class Table(NamedTuple):
    """What files have in common: how they are compressed, their header and what it means.

    `in_path` are the columns that their folders stand for.
    """

    compression: str
    header: bytes
    in_path: tuple[str, ...]
    dialect: Dialect


class Member(NamedTuple):
    """A file, its symbol and size, and where in the block its rows begin and end."""

    path: str
    symbol: str | None = None
    size: int = 0
    begin: int = 0
    end: int = 0


class Group(NamedTuple):
    """Files of one table, and their rows, one after the other; no table for a file that is left."""

    members: list[Member]
    table: Table | None = None
    rows: bytes | bytearray = b""

    def fields(self, masks: Masks) -> Fields | None:
        """Find the fields of all rows; None if they are in any doubt."""
        if self.table is None:
            return None
        dialect = self.table.dialect
        try:
            return Fields(self.rows, dialect.delimiter, dialect.width, masks)
        except DoubtError:
            return None

    def apart(self) -> "Iterator[Group]":
        """Yield a group for each file."""
        for member in self.members:
            rows = self.rows[member.begin : member.end]
            yield Group([member._replace(begin=0, end=len(rows))], self.table, rows)


class Groups:
    """Read files in their order, and gather them in groups.

    sizes: of regular files on this machine; no others are read. wanted: the format that all must
    be in, None to tell each.
    """

    def __init__(
        self,
        paths: Sequence[str],
        sizes: Mapping[str, int],
        config: JobConfig,
        wanted: Format | None = None,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        self._paths = paths
        self._sizes = sizes
        self._config = config
        self._wanted = wanted
        self._block_bytes = block_bytes
        self._table: Table | None = None
        self._begin()

    def __iter__(self) -> Iterator[Group]:
        """Raise nothing: what is wrong with a file shows when it is opened by itself."""
        for path in self._paths:
            if self._add(path):
                continue
            if self._members:
                yield self._gathered()
            self._table = self._table_of(path)
            if not self._add(path):
                yield Group([Member(path)])
        if self._members:
            yield self._gathered()

    def _begin(self) -> None:
        self._block = bytearray(self._block_bytes)
        self._members: list[Member] = []

    def _gathered(self) -> Group:
        """Take all rows in the block, and begin another."""
        members, block = self._members, self._block
        self._begin()
        del block[members[-1].end :]
        return Group(members, self._table, block)

    def _add(self, path: str) -> bool:
        """Read a file's rows into the block; tell if they can be taken."""
        size, begin = self._sizes.get(path, len(self._block)), 0
        if self._members:
            begin = self._members[-1].end
        if self._table is None or size >= len(self._block):
            return False
        header = bytearray(len(self._table.header))
        try:
            symbol = symbol_of(path, self._config)
            with memoryview(self._block) as view:
                count = _read_whole(path, size, self._table.compression, [header, view[begin:]])
        except (OSError, ValueError, JobError):
            return False
        if count < len(header) or not self._fits(path, header):
            return False
        end = self._without_returns(begin, begin + count - len(header))
        is_whole = end == begin or self._block[end - 1] == LINE_END
        if not is_whole or self._block.find(b"\r", begin, end) >= 0:
            return False
        self._members.append(Member(path, symbol, size, begin, end))
        return True

    def _without_returns(self, begin: int, end: int) -> int:
        """Take the CR out of every CRLF there; return the new end."""
        if self._block.find(b"\r", begin, end) < 0:
            return end
        rows = self._block[begin:end].replace(b"\r\n", b"\n")
        end = begin + len(rows)
        self._block[begin:end] = rows
        return end

    def _fits(self, path: str, header: bytearray) -> bool:
        """Tell whether a file that begins so is of the table."""
        table = self._table
        return (
            table is not None
            and header == table.header
            and text_format(header.decode(), path, self._wanted) == "csv"
            and _names_in(path) == table.in_path
        )

    def _table_of(self, path: str) -> Table | None:
        """Read what a file's header means; None if it is not the first line and plain."""
        if self._sizes.get(path, self._block_bytes) >= self._block_bytes:
            return None
        in_path = _names_in(path)
        try:
            with closing(open_input(path)) as file:
                stream, compression = unpacked(file, path)
                beginning = stream.read(FIRST_BYTES)
            header = beginning[: beginning.find(b"\n") + 1]
            if not _is_plain(header):
                return None
            text, _ = text_of(header)
            dialect = find_dialect(text, self._config.columns, path, in_path)
        except JobError:
            return None
        is_taken = not (dialect.start or dialect.spaced)
        is_taken = is_taken and dialect.symbol is None and dialect.clock is None
        return Table(compression, header, in_path, dialect) if is_taken else None


def _is_plain(header: bytes) -> bool:
    """Tell whether a line is plain text, and not the beginning of another format."""
    if not header.isascii() or any(byte in header for byte in (b'"', b"\0")):
        return False
    line = header.removesuffix(b"\n").removesuffix(b"\r")
    return not (b"\r" in line or columnar_format(line))


def _names_in(path: str) -> tuple[str, ...]:
    return tuple(name for name, _ in partitions_of(path))


def _read_whole(
    path: str, size: int, compression: str, rooms: "Sequence[bytearray | memoryview]"
) -> int:
    """Read a file's content into what there is room for, one after the other; count the bytes.

    Nothing counts if the file has not this size, or there is no room for a byte more. Raises
    `OSError`, or `DataError` if it does not unpack.
    """
    packed = [bytearray(size + 1)] if compression else rooms
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        count = os.readv(descriptor, packed)
    finally:
        os.close(descriptor)
    if count != size:
        return 0
    if compression:
        count = _unpack(bytes(packed[0][:size]), path, compression, rooms)
    return count if count < sum(map(len, rooms)) else 0


def _unpack(
    packed: bytes, path: str, compression: str, rooms: "Sequence[bytearray | memoryview]"
) -> int:
    """Unpack into what there is room for; count the bytes, none if it is another compression."""
    file = io.BufferedReader(io.BytesIO(packed))
    stream, found = unpacked(cast(BinaryIO, file), path)
    if found != compression:
        return 0
    return sum(cast(io.BufferedReader, stream).readinto(room) for room in rooms)
