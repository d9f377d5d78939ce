"""This module finds the end of an Arrow stream, of which polars reads what is there as it is."""

import os
import struct
from typing import BinaryIO

from rollsignal.errors import DataError
from rollsignal.files.formats import ARROW_STREAM
from rollsignal.readers.arrow_schema import FlatTable

# The place of a message's body length among the fields of its table, after version and header.
_BODY_LENGTH = 3


def check_is_whole(path: str, name: str) -> bool:
    """Return whether a file is an Arrow stream; raises `DataError` for one that is not whole."""
    with open(path, "rb") as file:
        if file.read(len(ARROW_STREAM)) != ARROW_STREAM:
            return False
        file.seek(0)
        size = os.fstat(file.fileno()).st_size
        try:
            end = _end_of(file, size)
        except (struct.error, ValueError) as problem:
            what = "an Arrow stream without its end: is it cut off?"
            raise DataError(f"{name}: {what}") from problem
        if end != size:
            raise DataError(f"{name}: other bytes after the end of the Arrow stream")
    return True


def _end_of(file: BinaryIO, size: int) -> int:
    """Skip all messages of a stream; return the offset of its end, which is within the size.

    A message is a mark, the length of its metadata, the metadata, which has the length of the body,
    and the body: https://arrow.apache.org/docs/format/Columnar.html#encapsulated-message-format
    """
    while True:
        mark, length = struct.unpack("<4si", file.read(8))
        if mark != ARROW_STREAM:
            raise ValueError("not the beginning of a message")
        if length == 0:
            return file.tell()
        if not 0 < length <= size - file.tell():
            raise ValueError("metadata longer than the file")
        body = _body_length(file.read(length))
        if body > size - file.tell():
            raise ValueError("a body longer than the file")
        file.seek(body, os.SEEK_CUR)


def _body_length(metadata: bytes) -> int:
    """Read the length of the body from a message; raises `ValueError` or `struct.error`."""
    length = FlatTable.at(metadata, 0).whole(_BODY_LENGTH)
    if length < 0:
        raise ValueError("a body of a negative length")
    return length
