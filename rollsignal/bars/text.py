"""This module decodes a file of text into pieces of whole lines, in bounded memory."""

import codecs
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper
from typing import BinaryIO

from rollsignal.errors import DataError, DiskError

PIECE_CHARS = 1 << 18
MAX_LINE_CHARS = 1 << 26

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class TextPieces:
    r"""Iterate over a file's text in pieces that end with a line.

    Every line ends with "\n", whether the file has LF, CRLF or a lone CR; only the last may
    lack it (`cut`). Bytes that are not UTF-8 become lone surrogates: `suspect` tells that such
    bytes, or NULs, were met, `lines` how many line ends.
    """

    def __init__(self, file: BinaryIO, name: str) -> None:
        self.name = name
        self.lines = 0
        self.suspect = False
        self.cut = False
        head = file.peek(4) if isinstance(file, BufferedReader) else b""
        self.encoding = next((name for bom, name in _BOMS if head.startswith(bom)), "utf-8")
        self._text = TextIOWrapper(file, self.encoding, "surrogateescape", newline=None)

    def __iter__(self) -> Iterator[str]:
        unfinished: list[str] = []
        while piece := self._read():
            lines, newline, rest = piece.rpartition("\n")
            unfinished.append(lines + newline if newline else piece)
            if newline:
                yield self._checked("".join(unfinished))
                unfinished = [rest]
            elif sum(map(len, unfinished)) > MAX_LINE_CHARS:
                raise DataError(
                    f"{self.name} line {self.lines + 1}: more than {MAX_LINE_CHARS:,} characters"
                    " without a line end"
                )
        last = "".join(unfinished)
        if last:
            self.cut = True
            yield self._checked(last)

    def _read(self) -> str:
        try:
            return self._text.read(PIECE_CHARS)
        except UnicodeError as error:
            raise DataError(
                f"{self.name}: not {self.encoding.upper()} as its first bytes say ({error})"
            ) from error
        except OSError as error:
            raise DiskError(f"{self.name}: reading failed: {error.strerror}") from error

    def _checked(self, piece: str) -> str:
        self.lines += piece.count("\n")
        if "\0" in piece or not (piece.isascii() or _encodes(piece)):
            self.suspect = True
        return piece


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
