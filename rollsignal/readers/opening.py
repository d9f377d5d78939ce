"""This module opens one input, once, and tells its format from its content or its name."""

import os
import stat
from collections.abc import Callable, Iterator
from io import BufferedReader
from typing import TypeVar, cast

from rollsignal.errors import DataError
from rollsignal.files.find import Input
from rollsignal.files.formats import COLUMNAR, HEAD_BYTES, Format, columnar_format, text_format
from rollsignal.files.open import open_input, unpacked
from rollsignal.readers.blocks import BLOCK_BYTES, FIRST_BYTES, Blocks, text_of

MAX_BLANK_BYTES = 1 << 20
AHEAD = 2

T = TypeVar("T")


class OpenedFile:
    """An input that is open: its format and compression, and where it is text, its blocks.

    `beginning` is the first block that is not blank, with what is before it.
    """

    def __init__(
        self,
        file: Input,
        wanted: Format | None = None,
        first_bytes: int = FIRST_BYTES,
        block_bytes: int = BLOCK_BYTES,
    ) -> None:
        """Open an input; raises `InputError`, or `DataError` if it is not in the format wanted."""
        self.input = file
        self.name = file.name
        self._file = open_input(file.path)
        # What is elsewhere has no number here.
        status = None if file.kind == "url" else os.fstat(self._file.fileno())
        self.is_regular = status is not None and stat.S_ISREG(status.st_mode)
        try:
            stream, self.compression = unpacked(self._file, self.name)
            columnar = columnar_format(cast(BufferedReader, stream).peek(HEAD_BYTES))
            if status and self.is_regular and not self.compression:
                # Room that is not needed would cost as much as to read a small file.
                block_bytes = min(block_bytes, max(first_bytes, status.st_size))
            self.blocks = Blocks(stream, self.name, first_bytes, block_bytes)
            self.beginning = bytearray() if columnar else self._beginning()
            self.form: Format = columnar or text_format(
                text_of(self.beginning)[0], file.path, wanted
            )
            self._check(wanted)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def bytes_read(self) -> int:
        """Tell how many of the file's bytes are read, 0 where that cannot be known."""
        return os.lseek(self._file.fileno(), 0, os.SEEK_CUR) if self.is_regular else 0

    def ahead(self, prepare: Callable[[bytearray], T]) -> Iterator[T]:
        """Prepare the blocks that are left, the next ones meanwhile where that can be."""
        # A thread that waits for a pipe could not be ended, and for one block it does not pay.
        left = os.fstat(self._file.fileno()).st_size - self.bytes_read() if self.is_regular else 0
        if left <= BLOCK_BYTES:
            return map(prepare, self.blocks)
        from rollsignal.readers.blocks import read_ahead

        if self.compression:
            # To unpack takes most of the time, and is enough for a thread.
            return map(prepare, read_ahead(iter(self.blocks), AHEAD))
        return read_ahead(map(prepare, self.blocks), AHEAD)

    def _check(self, wanted: Format | None) -> None:
        if wanted and self.form != wanted:
            found = "text" if self.form == "csv" else self.form
            raise DataError(
                f"{self.name}: not {wanted} as --format says, but {found} by its content"
            )
        source = f"a {self.compression} file" if self.compression else "a pipe"
        plain = self.is_regular or self.input.kind == "url"
        if self.form in COLUMNAR and (self.compression or not plain):
            hint = "write it to a plain file first"
            raise DataError(f"{self.name}: {self.form} cannot be read from {source}; {hint}")

    def _beginning(self) -> bytearray:
        blocks = iter(self.blocks)
        block = next(blocks, bytearray())
        # Excel's `sep=` line may stand alone in it.
        while (block.isspace() or len(block.split()) < 2) and (more := next(blocks, b"")):
            block += more
            if len(block) > MAX_BLANK_BYTES and block.isspace():
                raise DataError(f"{self.name}: only blank lines in {MAX_BLANK_BYTES:,} bytes")
        return block
