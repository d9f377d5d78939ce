"""This module counts the rows of a Parquet or Arrow file by its footer, without polars.

The footer of Parquet is in the compact protocol of Thrift, that of Arrow in FlatBuffers:
https://parquet.apache.org/docs/file-format/metadata/
https://arrow.apache.org/docs/format/Columnar.html#ipc-file-format
"""

import os
import struct
from typing import BinaryIO

from rollsignal.files.formats import ARROW_STREAM, Format
from rollsignal.readers.arrow_schema import FlatTable, number_at
from rollsignal.readers.thrift import Compact

PARQUET_END, _ARROW_END = b"PAR1", b"ARROW1"
# The places of these among the fields of their tables.
_ROWS, _RECORD_BATCHES, _RECORD_BATCH, _LENGTH = 3, 3, 2, 0
_BLOCK_BYTES = 24


def rows_by_footer(path: str, file_format: Format) -> int:
    """Return the number of rows; 0 if the file does not tell it, or is an Arrow stream."""
    try:
        with open(path, "rb") as file:
            rows = _parquet_rows(file) if file_format == "parquet" else _arrow_rows(file)
        return max(0, rows)
    except (OSError, struct.error, ValueError, LookupError, RecursionError):
        return 0


def footer_of(file: BinaryIO, mark: bytes) -> bytes:
    """Return the bytes before the length and the mark that end a file."""
    end = file.seek(0, os.SEEK_END) - len(mark) - 4
    file.seek(end)
    length, found = struct.unpack(f"<i{len(mark)}s", file.read())
    if found != mark or not 0 <= length <= end:
        raise ValueError("not the end of such a file")
    file.seek(end - length)
    return file.read(length)


def _parquet_rows(file: BinaryIO) -> int:
    footer = Compact(footer_of(file, PARQUET_END))
    for field, kind in footer.fields():
        if field == _ROWS:
            return footer.signed()
        footer.skip(kind)
    return 0


def _arrow_rows(file: BinaryIO) -> int:
    footer = FlatTable.at(footer_of(file, _ARROW_END), 0)
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
    if mark != ARROW_STREAM or not 0 < length <= os.fstat(file.fileno()).st_size:
        raise ValueError("not the beginning of a message")
    return FlatTable.at(file.read(length), 0).table(_RECORD_BATCH).whole(_LENGTH)
