"""This module opens an input, once, and finds its format by its content or its name.

It also finds the symbol that a path gives to all bars of its file.
"""

import os
import stat
from collections.abc import Callable, Iterator
from functools import partial
from io import BufferedReader
from typing import TYPE_CHECKING, BinaryIO, TypeVar, cast

from rollsignal.config.rules import AUTO, NO_SYMBOLS, DateAndTime, SymbolFrom
from rollsignal.config.settings import AS_FOUND, JobConfig, Table
from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.files.find import NO_PARTITION, Input, utf8_text
from rollsignal.files.formats import (
    COLUMNAR,
    HEAD_BYTES,
    NAME_SUFFIXES,
    Format,
    columnar_format,
    is_json,
    other_kind,
    text_format,
)
from rollsignal.files.open import open_input, reading, unpacked
from rollsignal.messages import shown
from rollsignal.readers.blocks import BLOCK_BYTES, FIRST_BYTES, Blocks, text_of
from rollsignal.readers.dialect import (
    columns_named,
    is_in_path,
    named_as_symbols,
    usual_symbol,
)

if TYPE_CHECKING:
    from zipfile import ZipFile

MAX_BLANK_BYTES = 1 << 20
AHEAD = 2

T = TypeVar("T")


class OpenedFile:
    """An open input: its format and compression, and the blocks of a text.

    `beginning` is the first block that is not blank, with the blank ones before it. `sheet` is the
    name of the sheet of a workbook, whose text the blocks are, else "".
    """

    def __init__(
        self,
        file: Input,
        wanted: Format | None = None,
        first_bytes: int = FIRST_BYTES,
        block_bytes: int = BLOCK_BYTES,
        *,
        table: Table = AS_FOUND,
    ) -> None:
        """Open an input; raises `InputError`, or `DataError` if it is not in the format wanted."""
        self.input = file
        self.name = file.name
        self.sheet = ""
        self.counts_from_1904 = False
        self._other_sheets: list[str] = []
        self._file = open_input(file.path)
        # A remote object has no file descriptor.
        with reading(self.name):
            status = None if file.kind == "url" else os.fstat(self._file.fileno())
        self.is_regular = status is not None and stat.S_ISREG(status.st_mode)
        try:
            opener = partial(self._opened_sheet, table)
            stream, self.compression = unpacked(self._file, self.name, opener)
            head = cast(BufferedReader, stream).peek(HEAD_BYTES)
            self._refuse_others(head)
            columnar = None if self.sheet else columnar_format(head)
            if status and self.is_regular and not self.compression:
                # A buffer larger than a small file would cost as much as reading the file.
                block_bytes = min(block_bytes, max(first_bytes, status.st_size))
            encoding = AUTO if self.sheet else table.encoding
            self.blocks = Blocks(stream, self.name, first_bytes, block_bytes, encoding=encoding)
            self.beginning = bytearray()
            self.format: Format = columnar or self._text_format(wanted, table.lines)
            self._check(wanted)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        with reading(self.name):
            self._file.close()

    @property
    def end_of_beginning(self) -> int:
        """Return the offset in a plain file where the beginning of its text ends."""
        return self.blocks.begin + len(self.beginning)

    def bytes_read(self) -> int:
        """Return how many of the file's bytes have been read, 0 if that cannot be known."""
        with reading(self.name):
            return os.lseek(self._file.fileno(), 0, os.SEEK_CUR) if self.is_regular else 0

    def ahead(self, prepare: Callable[[bytearray], T]) -> Iterator[T]:
        """Prepare the remaining blocks, the next ones in a thread where possible."""
        # A thread that waits for a pipe could not be ended, and for one block it does not pay.
        with reading(self.name):
            size = os.fstat(self._file.fileno()).st_size if self.is_regular else 0
        if size - self.bytes_read() <= BLOCK_BYTES:
            return map(prepare, self.blocks)
        from rollsignal.readers.blocks import read_ahead

        if self.compression:
            # Unpacking takes most of the time, and is enough work for a thread.
            return map(prepare, read_ahead(iter(self.blocks), AHEAD))
        return read_ahead(map(prepare, self.blocks), AHEAD)

    def of_sheet(self, problem: DataError) -> DataError:
        """Return the error for a table that is not read, which may be on another sheet."""
        if not self._other_sheets:
            return problem
        others = ", ".join(map(shown, self._other_sheets))
        hint = f"if the bars are on another sheet, set table: {{sheet: NAME}} with one of {others}"
        sheets = ({"table.sheet": name} for name in self._other_sheets)
        error = DataError(problem.message, hint)
        return error.choosing(*problem.choices, *sheets, names=problem.names)

    def _opened_sheet(self, table: Table, archive: "ZipFile") -> BinaryIO:
        """Return the text of a sheet of a workbook, and take the name of the sheet."""
        from rollsignal.readers.sheet_text import SheetText

        text = SheetText(archive, self.name, table)
        self.name, self.sheet, self._other_sheets = text.name, text.title, text.others
        self.counts_from_1904 = text.counts_from_1904
        return text.file

    def _refuse_others(self, head: bytes) -> None:
        """Raise `DataError` for a file that is known not to be a table."""
        if self.sheet:
            return
        if kind := other_kind(head):
            what, hint = kind
            where = f"{self.name}{_line_of_text(head)}"
            raise DataError(f"{where}: {what}, not a table of bars with a close column ({hint})")

    def _check(self, wanted: Format | None) -> None:
        if wanted and self.format != wanted:
            actual = "text" if self.format == "csv" else self.format
            raise DataError(
                f"{self.name}: not {wanted} as --format says, but {actual} by its content"
            )
        source = f"a {self.compression} file" if self.compression else "a pipe"
        plain = self.is_regular or self.input.kind == "url"
        if self.format in COLUMNAR and (self.compression or not plain):
            hint = "write it to a plain file first"
            raise DataError(f"{self.name}: {self.format} cannot be read from {source}; {hint}")

    def _text_format(self, wanted: Format | None, lines: int) -> Format:
        """Read the beginning of a text, with at least so many lines, and find its format."""
        if self.sheet:
            self.beginning = self._beginning(lines)
            return "xlsx"
        first = self.blocks.peeked(1).lstrip() or self.blocks.peeked(2).lstrip()
        if first.startswith((b"{", b"[")) and is_json(text_of(first)[0]):
            from rollsignal.readers.json_kind import is_document

            if is_document(self.blocks, self.input.path, wanted):
                self.beginning = self.blocks.first()
                return "json"
        self.beginning = self._beginning(lines)
        return text_format(text_of(self.beginning)[0], self.input.path, wanted)

    def _beginning(self, lines: int) -> bytearray:
        """Read the beginning, with at least so many lines, and one that is not blank."""
        blocks = iter(self.blocks)
        block = next(blocks, bytearray())
        while lines > 1 and block.count(b"\n") <= lines and (more := next(blocks, b"")):
            block += more
        # The block may hold only the header, or Excel's `sep=` line.
        while b"\n" not in block.strip() and (more := next(blocks, b"")):
            block += more
            if len(block) > MAX_BLANK_BYTES and block.isspace():
                raise DataError(f"{self.name}: only blank lines in {MAX_BLANK_BYTES:,} bytes")
        return block


def _line_of_text(head: bytes) -> str:
    """Return where the first text of a file is, "" if the file does not begin as text."""
    text = head.lstrip()
    blank_lines = head[: len(head) - len(text)].count(b"\n")
    try:
        is_text = text.partition(b"\n")[0].decode("utf-8-sig").rstrip().isprintable()
    except UnicodeDecodeError:
        return ""
    return f" line {1 + blank_lines}" if is_text else ""


def symbol_of(file: Input, config: JobConfig) -> str | None:
    """Return the symbol of a whole file, if it comes from the path.

    It is the file's name without the usual suffixes, a folder such as `symbol=BTC`, or where the
    config says. Raises `DataError` if the symbol is missing, or if several may be it.
    """
    source = config.columns.symbol
    if source is None:
        return _usual_partition(file) if file.partitions else None
    if source == NO_SYMBOLS or source.header is not None or source.key:
        return None
    if source.column is not None:
        return _of_columns(file, source)
    if source.folder or source.pattern is not None:
        from rollsignal.readers.symbols import symbol_in_path

        return symbol_in_path(file, source)
    name = os.path.basename(file.path)
    if file.kind == "url":
        from rollsignal.files.remote import name_of

        name = name_of(file.path)
    while (parts := os.path.splitext(name))[1].lower() in NAME_SUFFIXES:
        name = parts[0]
    return utf8_text(name)


def with_day(config: JobConfig, file: Input) -> JobConfig:
    """Return the config for a file, with the day that is in its path if it asks for that.

    Raises `DataError` if it is not in the path, or if several may be it.
    """
    stamp, day = config.columns.timestamp, config.columns.day
    if day is None or not isinstance(stamp, DateAndTime):
        return config
    from rollsignal.readers.symbols import day_in

    stamp = stamp._replace(date=day._replace(day=day_in(file, day.pattern)))
    return config._replace(columns=config.columns._replace(timestamp=stamp))


def _of_columns(file: Input, source: SymbolFrom) -> str | None:
    """Return the symbol of folders that are named as the columns of symbols are."""
    parts = [_partition(file, column) for column in source.columns]
    if len(parts) == 1:
        return parts[0]
    from rollsignal.readers.symbols import joined_in_path

    return joined_in_path(file, parts)


def _usual_partition(file: Input) -> str | None:
    names = [name for name, _ in file.partitions]
    usual_symbol((), names, file.name)
    keys = named_as_symbols(names)
    return _partition(file, names[keys[0]]) if keys else None


def _partition(file: Input, wanted: str | int) -> str | None:
    names = [name for name, _ in file.partitions]
    if not is_in_path(wanted, (), names):
        return None
    found = columns_named(names, wanted)
    if len(found) > 1:
        what = f"{len(found)} folders are named {shown(str(wanted))}; keep one"
        raise DataError(f"the path {file.name}: {what}")
    name, value = file.partitions[found[0]]
    if value.strip(BLANKS) in ("", NO_PARTITION):
        what = f"{file.name}: the symbol is missing in the path: {name}={value}"
        raise DataError(what, "set columns: {symbol: none} if all bars are one series")
    return value.strip(BLANKS)
