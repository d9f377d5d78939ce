"""This module opens one input, once, and tells its format from its content or its name."""

import os
from io import BufferedReader
from typing import cast

from rollsignal.bars.source import COLUMNAR, Format, columnar_format, open_input, text_format
from rollsignal.bars.text import TextPieces
from rollsignal.bars.unpack import HEAD_BYTES, unpacked
from rollsignal.errors import DataError, shown_path

MAX_BLANK_CHARS = 1 << 20


class InputFile:
    """An input that is open: its format and compression, and where it is text, its pieces.

    `beginning` is the first piece that is not blank, with what is before it; `rest` are those
    after it.
    """

    def __init__(self, path: str, wanted: Format | None = None) -> None:
        """Open an input; raises `InputError`, or `DataError` if it is not in the format wanted."""
        self.path = path
        self.name = shown_path(path)
        self._file = open_input(path)
        try:
            stream, self.compression = unpacked(self._file, self.name)
            columnar = columnar_format(cast(BufferedReader, stream).peek(HEAD_BYTES))
            self.pieces = TextPieces(stream, self.name)
            self.rest = iter(self.pieces)
            self.beginning = "" if columnar else self._beginning()
            self.form: Format = columnar or text_format(self.beginning, path, wanted)
            self._check(wanted)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _check(self, wanted: Format | None) -> None:
        if wanted and self.form != wanted:
            found = "text" if self.form == "csv" else self.form
            raise DataError(
                f"{self.name}: not {wanted} as --format says, but {found} by its content"
            )
        where = f"in {self.compression}" if self.compression else "in a pipe"
        if self.form in COLUMNAR and (self.compression or not os.path.isfile(self.path)):
            raise DataError(f"{self.name}: {self.form} {where}; write it to a plain file first")

    def _beginning(self) -> str:
        beginning = next(self.rest, "")
        while beginning.isspace() and (piece := next(self.rest, "")):
            beginning += piece
            if len(beginning) > MAX_BLANK_CHARS:
                raise DataError(f"{self.name}: only blank lines in {MAX_BLANK_CHARS:,} characters")
        return beginning
