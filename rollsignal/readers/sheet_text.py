"""This module turns a sheet of a workbook into the text of a table, a line for each of its rows.

So everything that holds for text tables holds for sheets: headers below other lines, footers,
places, checks. Fields are between tabs, and line ends in cells are blanks.
"""

import io
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, cast

from rollsignal.config.settings import Table
from rollsignal.messages import SheetName, escaped
from rollsignal.readers.sheet_rows import SheetRow, SheetRows
from rollsignal.readers.workbook import Workbook

if TYPE_CHECKING:
    from zipfile import ZipFile

    from _typeshed import WriteableBuffer

FIRST_ROWS_AT_LEAST = 1000
"""How many rows at least show how many columns the table has."""

TEXT_BYTES = 1 << 16


class SheetText:
    """The text of the sheet that a config names; `name` is what messages call it.

    `others` are the names of the other sheets, where the config does not name one.
    `counts_from_1904` is that of the workbook.
    """

    def __init__(self, archive: "ZipFile", file_name: str, table: Table) -> None:
        """Find the sheet; raises `DataError`."""
        workbook = Workbook(archive, file_name)
        tab = workbook.tab(table.sheet)
        self.title = escaped(tab.name)
        self.counts_from_1904 = workbook.counts_from_1904
        self.others: list[str] = []
        if table.sheet is None:
            self.others = [each.name for each in workbook.tabs if each.part and each != tab]
        self.name = SheetName(f"{file_name} (sheet {self.title})")
        rows = SheetRows(workbook, tab, self.name, table.decimal)
        lines = _lines(rows, max(FIRST_ROWS_AT_LEAST, table.lines))
        self.file = cast(BinaryIO, io.BufferedReader(_Text(_in_pieces(lines)), TEXT_BYTES))


def _lines(rows: Iterable[SheetRow], looked_at: int) -> Iterator[str]:
    """Yield a line for each row: all of the same number of fields, or empty."""
    rows = iter(rows)
    first = list(islice(rows, looked_at))
    width = max((len(cells) for _, cells in first), default=0)
    before = 0
    for number, cells in chain(first, rows):
        yield "\n" * (number - before - 1)
        before = number
        fields = cells[:width]
        fields += [""] * (width - len(fields))
        yield "\t".join(map(_quoted_cell, fields)) + "\n" if any(fields) else "\n"


def _quoted_cell(cell: str) -> str:
    return '"' + cell.replace('"', '""') + '"' if '"' in cell else cell


def _in_pieces(lines: Iterable[str]) -> Iterator[bytes]:
    """Yield the lines in pieces of some size."""
    pieces: list[str] = []
    size = 0
    for line in lines:
        pieces.append(line)
        size += len(line)
        if size >= TEXT_BYTES:
            yield "".join(pieces).encode("utf-8", "surrogatepass")
            pieces, size = [], 0
    yield "".join(pieces).encode("utf-8", "surrogatepass")


class _Text(io.RawIOBase):
    """A text that is made as it is read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        while not self._rest and (piece := next(self._pieces, None)) is not None:
            self._rest = piece
        view = memoryview(buffer)
        part, self._rest = self._rest[: len(view)], self._rest[len(view) :]
        view[: len(part)] = part
        return len(part)
