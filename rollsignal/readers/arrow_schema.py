"""This module finds the columns of an Arrow file whose types polars does not know.

polars says only that there is one. The names are in the first message of a file, a table of
FlatBuffers: https://arrow.apache.org/docs/format/Columnar.html#schema-message
"""

import struct
from typing import NamedTuple, Self

from rollsignal.files.formats import ARROW_STREAM

UNREADABLE_TYPES = {14: "union", 22: "run-end encoded", 25: "list-view", 26: "large list-view"}

# The places of these among the fields of their tables.
_HEADER, _FIELDS, _NAME, _TYPE, _CHILDREN = 2, 1, 0, 2, 5
_MOST_BYTES = 1 << 24


def unreadable_columns(path: str) -> list[tuple[str, str]]:
    """Return the names and types of columns that polars does not know, [] if that is not clear."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(_MOST_BYTES)
        return _unreadable_in(beginning)
    except (OSError, struct.error, ValueError, RecursionError):
        return []


def _unreadable_in(beginning: bytes) -> list[tuple[str, str]]:
    begin = beginning.index(ARROW_STREAM) + 2 * len(ARROW_STREAM)
    schema = FlatTable.at(beginning, begin).table(_HEADER)
    seen: set[int] = set()
    pairs = ((each.text(_NAME), _unreadable_type(each, seen)) for each in schema.tables(_FIELDS))
    return [(name, kind) for name, kind in pairs if kind]


def _unreadable_type(field: "FlatTable", seen: set[int]) -> str:
    """Return the type of a column that polars does not know, also inside it; "" without one.

    seen: where the fields begin that were looked at, so that a damaged file leads to each once.
    """
    if field.begin in seen:
        return ""
    seen.add(field.begin)
    inside = (_unreadable_type(child, seen) for child in field.tables(_CHILDREN))
    return UNREADABLE_TYPES.get(field.byte(_TYPE)) or next(filter(None, inside), "")


class FlatTable(NamedTuple):
    """A table of FlatBuffers: where it begins in the bytes, and where its list of fields does."""

    data: bytes
    begin: int
    fields: int

    @classmethod
    def at(cls, data: bytes, reference: int) -> Self:
        """Return the table to which an offset refers."""
        begin = reference + number_at("<I", data, reference)
        return cls(data, begin, begin - number_at("<i", data, begin))

    def place(self, number: int) -> int:
        """Return where a field is, 0 if it is left out."""
        at = 4 + 2 * number
        if at >= number_at("<H", self.data, self.fields):
            return 0
        offset = number_at("<H", self.data, self.fields + at)
        return self.begin + offset if offset else 0

    def byte(self, number: int) -> int:
        """Return a number of one byte."""
        place = self.place(number)
        return self.data[place] if 0 < place < len(self.data) else 0

    def whole(self, number: int) -> int:
        """Return a whole number of 64 bits; 0, the usual default, if it is left out."""
        place = self.place(number)
        return number_at("<q", self.data, place) if place else 0

    def table(self, number: int) -> "FlatTable":
        """Return a table in a field."""
        return FlatTable.at(self.data, self.place(number))

    def text(self, number: int) -> str:
        """Return a text in a field."""
        place = self.place(number)
        begin = place + number_at("<I", self.data, place) if place else 0
        size = number_at("<I", self.data, begin) if place else 0
        return self.data[begin + 4 : begin + 4 + size].decode()

    def tables(self, number: int) -> "list[FlatTable]":
        """Return the tables of a list in a field."""
        place = self.place(number)
        if not place:
            return []
        begin = place + number_at("<I", self.data, place)
        count = number_at("<I", self.data, begin)
        if 4 * count > len(self.data):
            raise ValueError("a list longer than the file")
        return [FlatTable.at(self.data, begin + 4 + 4 * index) for index in range(count)]


def number_at(form: str, data: bytes, begin: int) -> int:
    """Read a number; raises `ValueError` or `struct.error` if it is not in the bytes."""
    if begin < 0:
        raise ValueError("an offset before the beginning")
    (number,) = struct.unpack_from(form, data, begin)
    return int(number)
