"""This module counts the rows of a Parquet or Arrow file by its footer, without polars.

The footer of Parquet is in the compact protocol of Thrift, that of Arrow in FlatBuffers:
https://parquet.apache.org/docs/file-format/metadata/
https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
"""

import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

from rollsignal.files.formats import ARROW_STREAM, Format
from rollsignal.readers.arrow_schema import FlatTable, number_at

_PARQUET_END, _ARROW_END = b"PAR1", b"ARROW1"
# The places of these among the fields of their tables.
_ROWS, _RECORD_BATCHES, _RECORD_BATCH, _LENGTH = 3, 3, 2, 0
_BLOCK_BYTES = 24
# Types of Thrift.
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_WHOLE = (4, 5, 6)


def rows_by_footer(path: str, file_format: Format) -> int:
    """Return the number of rows; 0 if the file does not tell it, or is an Arrow stream."""
    try:
        with open(path, "rb") as file:
            rows = _parquet_rows(file) if file_format == "parquet" else _arrow_rows(file)
        return max(0, rows)
    except (OSError, struct.error, ValueError, LookupError, RecursionError):
        return 0


def _footer(file: BinaryIO, mark: bytes) -> bytes:
    """Return the bytes before the length and the mark that end a file."""
    end = file.seek(0, os.SEEK_END) - len(mark) - 4
    file.seek(end)
    length, found = struct.unpack(f"<i{len(mark)}s", file.read())
    if found != mark or not 0 <= length <= end:
        raise ValueError("not the end of such a file")
    file.seek(end - length)
    return file.read(length)


def _parquet_rows(file: BinaryIO) -> int:
    footer = _Compact(_footer(file, _PARQUET_END))
    for field, kind in footer.fields():
        if field == _ROWS:
            return footer.signed()
        footer.skip(kind)
    return 0


class _Compact:
    """Values in the compact protocol of Thrift, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield number and type of each field of a struct; its value is to be read or skipped."""
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self.signed()
            yield number, head & 15

    def signed(self) -> int:
        """Read a whole number."""
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)

    def skip(self, kind: int) -> None:
        """Skip the value of a field, of which a truth has no bytes of its own."""
        if kind not in (_TRUE, _FALSE):
            self._skip_item(kind)

    def _skip_item(self, kind: int) -> None:
        if kind == _STRUCT:
            for _, inner in self.fields():
                self.skip(inner)
        elif kind in (_LIST, _SET):
            head = self._byte()
            for _ in range(self._unsigned() if head >> 4 == 15 else head >> 4):
                self._skip_item(head & 15)
        elif kind == _BINARY:
            length = self._unsigned()
            self._at += length
        elif kind in _WHOLE:
            self._unsigned()
        else:
            self._at += {_TRUE: 1, _FALSE: 1, _BYTE: 1, _DOUBLE: 8}[kind]

    def _unsigned(self) -> int:
        number = shift = 0
        while (byte := self._byte()) & 128:
            number |= (byte & 127) << shift
            shift += 7
        return number | byte << shift

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte


def _arrow_rows(file: BinaryIO) -> int:
    footer = FlatTable.at(_footer(file, _ARROW_END), 0)
    place = footer.place(_RECORD_BATCHES)
    if not place:
        return 0
    begin = place + number_at("<I", footer.data, place)
    count = number_at("<I", footer.data, begin)
    blocks = (begin + 4 + _BLOCK_BYTES * index for index in range(count))
    return sum(_rows_of_batch(file, number_at("<q", footer.data, block)) for block in blocks)


def _rows_of_batch(file: BinaryIO, offset: int) -> int:
    file.seek(offset)
    mark, length = struct.unpack("<4si", file.read(8))
    if mark != ARROW_STREAM or length < 0:
        raise ValueError("not the beginning of a message")
    return FlatTable.at(file.read(length), 0).table(_RECORD_BATCH).whole(_LENGTH)
