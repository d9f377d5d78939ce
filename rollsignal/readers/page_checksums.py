"""This module compares the pages of a Parquet file with their checksums, which polars passes over.

A page may have the CRC-32 of its bytes, as they are stored, in the header before it. Writers give
one to all pages or to none: https://parquet.apache.org/docs/file-format/data-pages/checksumming/
"""

import os
from collections.abc import Collection, Iterator
from itertools import chain
from typing import BinaryIO, NamedTuple

from rollsignal.errors import DataError, DiskError, scarcity
from rollsignal.messages import escaped
from rollsignal.readers.row_counts import PARQUET_END, footer_of
from rollsignal.readers.thrift import Compact

# The numbers of these among the fields of their structs, from the file's to the page's.
_ROW_GROUPS = 4
_CHUNKS, _ROWS = 1, 3
_METADATA = 3
_PATH, _SIZE, _DATA, _DICTIONARY = 3, 7, 9, 11
_KIND, _PAGE_SIZE, _CHECKSUM = 1, 3, 4
_OF_DICTIONARY = 2

_PIECE_BYTES = 1 << 20
# Enough for the header of most pages; more is read if it is not, as some hold long texts.
_HEADER_BYTES = 1 << 9
_DAMAGED = (ValueError, LookupError, RecursionError, OverflowError)


class Chunk(NamedTuple):
    """The pages of a column in a row group: where they begin and end in the file."""

    column: str
    begin: int
    end: int


class RowGroup(NamedTuple):
    """How many rows a group has, and its chunks."""

    rows: int
    chunks: list[Chunk]


class StoredPage(NamedTuple):
    """A page: where its bytes begin and end in the file, and their checksum."""

    kind: int
    begin: int
    end: int
    checksum: int | None


class PageChecksums:
    """Compare the pages of row groups that begin from a row on, as rows are read."""

    def __init__(self, path: str, name: str, groups: Iterator[RowGroup], begin: int) -> None:
        self._path, self._name = path, name
        self._groups = groups
        self._begin = begin
        self._row = 0

    def check_until(self, row: int) -> None:
        """Check the pages of rows before this one; raises `DataError` for one that is damaged."""
        if self._row >= row:
            return
        try:
            with open(self._path, "rb", buffering=0) as file:
                while self._row < row:
                    self._check_next(file)
        except StopIteration:
            self._row = row
        except OSError as error:
            what = f"{self._name}: reading failed: {error.strerror}"
            raise scarcity(error) or DiskError(what) from error

    def _check_next(self, file: BinaryIO) -> None:
        try:
            group = next(self._groups)
        except _DAMAGED as error:
            raise self._damaged("its footer does not tell where all pages are") from error
        for chunk in group.chunks if self._row >= self._begin else ():
            try:
                _check_chunk(file, chunk)
            except ValueError as error:
                raise self._damaged(f"{escaped(chunk.column)}: {error}") from error
        self._row += max(0, group.rows)

    def _damaged(self, what: str) -> DataError:
        hint = "fetch the file again, or write it again"
        return DataError(f"{self._name}: {what}: the file is damaged", hint)


def checksums_of(
    path: str, name: str, columns: Collection[str], begin: int
) -> PageChecksums | None:
    """Return the checksums of pages of these columns; None if the file has none.

    The first row group tells that, so that a file without any costs little.
    """
    try:
        with open(path, "rb", buffering=0) as file:
            groups = _row_groups(Compact(footer_of(file, PARQUET_END)), columns)
            first = next(groups)
            if not any(_begins_with_one(file, chunk) for chunk in first.chunks):
                return None
    except (OSError, StopIteration, *_DAMAGED):
        # polars tells what is wrong with such a file.
        return None
    return PageChecksums(path, name, chain([first], groups), begin)


def _begins_with_one(file: BinaryIO, chunk: Chunk) -> bool:
    try:
        return _page_at(file, chunk.begin, chunk.end).checksum is not None
    except (OSError, *_DAMAGED):
        # Other chunks tell whether there are checksums; then this one is damaged.
        return False


def _row_groups(footer: Compact, columns: Collection[str]) -> Iterator[RowGroup]:
    for field, kind in footer.fields():
        if field == _ROW_GROUPS:
            yield from (_row_group(footer, columns) for _ in footer.items())
            return
        footer.skip(kind)


def _row_group(footer: Compact, columns: Collection[str]) -> RowGroup:
    rows, chunks = 0, []
    for field, kind in footer.fields():
        if field == _CHUNKS:
            chunks = [chunk for _ in footer.items() if (chunk := _chunk(footer)).column in columns]
        elif field == _ROWS:
            rows = footer.signed()
        else:
            footer.skip(kind)
    return RowGroup(rows, chunks)


def _chunk(footer: Compact) -> Chunk:
    chunk = Chunk("", 0, 0)
    for field, kind in footer.fields():
        if field == _METADATA:
            chunk = _described(footer)
        else:
            footer.skip(kind)
    return chunk


def _described(footer: Compact) -> Chunk:
    numbers, path = {}, [""]
    for field, kind in footer.fields():
        if field == _PATH:
            path = [footer.text() for _ in footer.items()]
        elif field in (_SIZE, _DATA, _DICTIONARY):
            numbers[field] = footer.signed()
        else:
            footer.skip(kind)
    begin = numbers[_DATA]
    if 0 < numbers.get(_DICTIONARY, 0) < begin:
        begin = numbers[_DICTIONARY]
    return Chunk(path[0], begin, begin + numbers[_SIZE])


def _check_chunk(file: BinaryIO, chunk: Chunk) -> None:
    """Raise `ValueError` for a page that is not what its checksum says."""
    if not 0 <= chunk.begin <= chunk.end <= os.fstat(file.fileno()).st_size:
        raise ValueError("its pages are not within the file")
    has_checksums: dict[bool, bool] = {}
    at = chunk.begin
    while at < chunk.end:
        page = _page_at(file, at, chunk.end)
        if page.checksum is not None and page.checksum != _checksum(file, page):
            raise ValueError(f"the page at byte {at:,} does not match its checksum")
        has = has_checksums.setdefault(page.kind == _OF_DICTIONARY, page.checksum is not None)
        if has is not (page.checksum is not None):
            raise ValueError(f"the page at byte {at:,} has no checksum, unlike others")
        at = page.end


def _page_at(file: BinaryIO, at: int, end: int) -> StoredPage:
    """Read the header of a page; raises `ValueError` if it is damaged."""
    size = _HEADER_BYTES
    while True:
        try:
            return _page(os.pread(file.fileno(), min(size, end - at), at), at, end)
        except (LookupError, RecursionError):
            if size >= end - at:
                raise ValueError(f"the header of the page at byte {at:,} is damaged") from None
            size <<= 4


def _page(beginning: bytes, at: int, end: int) -> StoredPage:
    header = Compact(beginning)
    numbers = {}
    for field, kind in header.fields():
        if field in (_KIND, _PAGE_SIZE, _CHECKSUM):
            numbers[field] = header.signed()
        else:
            header.skip(kind)
    begin = at + header.at
    page_end = begin + numbers.get(_PAGE_SIZE, -1)
    if not begin <= page_end <= end:
        raise ValueError(f"the header of the page at byte {at:,} is damaged")
    checksum = numbers.get(_CHECKSUM)
    return StoredPage(numbers.get(_KIND, 0), begin, page_end, checksum and checksum % (1 << 32))


def _checksum(file: BinaryIO, page: StoredPage) -> int:
    try:
        # Twenty times as fast as zlib, but not available for some rare processors.
        from isal.isal_zlib import crc32
    except ImportError:
        from zlib import crc32
    value, at = 0, page.begin
    while at < page.end:
        piece = os.pread(file.fileno(), min(_PIECE_BYTES, page.end - at), at)
        if not piece:
            raise ValueError("its last page is cut off")
        value = crc32(piece, value)
        at += len(piece)
    return value
