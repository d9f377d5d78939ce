"""This module reads the compact protocol of Thrift, in which Parquet has its metadata.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from collections.abc import Iterator

# Types.
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_WHOLE = (4, 5, 6)
_MOST_BITS = 70


class Compact:
    """Values in the compact protocol of Thrift, one after the other.

    What is damaged raises `ValueError` or `LookupError`, or is read as something else.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def at(self) -> int:
        """Return how many bytes have been read."""
        return self._at

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

    def text(self) -> str:
        """Read a text; bytes that are not UTF-8 are left out."""
        length = self._unsigned()
        self._at += length
        return self._data[self._at - length : self._at].decode(errors="ignore")

    def items(self) -> Iterator[int]:
        """Yield the type of each item of a list, which is to be read or skipped."""
        head = self._byte()
        for _ in range(self._unsigned() if head >> 4 == 15 else head >> 4):
            yield head & 15

    def skip(self, kind: int) -> None:
        """Skip the value of a field, of which a truth has no bytes of its own."""
        if kind not in (_TRUE, _FALSE):
            self._skip_item(kind)

    def _skip_item(self, kind: int) -> None:
        if kind == _STRUCT:
            for _, inner in self.fields():
                self.skip(inner)
        elif kind in (_LIST, _SET):
            for each in self.items():
                self._skip_item(each)
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
            if shift >= _MOST_BITS:
                raise ValueError("a number of more than 64 bits")
        return number | byte << shift

    def _byte(self) -> int:
        byte = self._data[self._at]
        self._at += 1
        return byte
