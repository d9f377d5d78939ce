"""This module reads a file of text in blocks of whole lines, in bounded memory."""

import codecs
import io
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, cast

from rollsignal.errors import DataError, DiskError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

from typing import TypeVar

FIRST_BYTES = 1 << 12
BLOCK_BYTES = 1 << 21
MAX_LINE_BYTES = 1 << 26
MAX_SOUGHT_BYTES = 1 << 16

FOUND_ENCODING = "auto"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class Blocks:
    r"""Split a file's text into blocks of whole lines, converted to UTF-8.

    Lines end with LF, CRLF or a lone CR; only the last may lack a line end (`cut`). No block
    begins or ends between a CR and its LF. `begin` is the offset of the text in the file.
    """

    def __init__(
        self,
        file: BinaryIO,
        name: str,
        first_bytes: int = FIRST_BYTES,
        block_bytes: int = BLOCK_BYTES,
        *,
        encoding: str = FOUND_ENCODING,
    ) -> None:
        """Find the encoding; raises `DataError` if its first bytes contradict the declared one."""
        self.name = name
        self.cut = False
        self._size = first_bytes
        self._block_bytes = block_bytes
        self._left: int | None = None
        self.begin = 0
        head = file.peek(4) if isinstance(file, io.BufferedReader) else b""
        marked = next((name for bom, name in _BOMS if head.startswith(bom)), "")
        self.encoding = marked or "utf-8"
        if encoding != FOUND_ENCODING:
            self.encoding = _declared_encoding(encoding, marked, name)
        if self.encoding == "utf-8-sig":
            self.begin = len(file.read(len(codecs.BOM_UTF8)))
        elif self.encoding != "utf-8":
            says = "as its first bytes say" if marked else "as table.encoding says"
            file = cast(BinaryIO, _InUtf8(file, self.encoding, name, says))
        self._file = file
        self._first_end = self.begin + first_bytes
        self._rest = b""
        self._peeked: list[bytearray] = []

    def peeked(self, count: int) -> bytearray:
        """Return what the first readings of the file give, without taking it."""
        while len(self._peeked) < count and (block := self._filled(0)) is not None:
            self._size = self._block_bytes
            self._peeked.append(block)
        return bytearray().join(self._peeked)

    def first(self) -> bytearray:
        """Return the first block of the text, wherever it ends; empty if there is none."""
        return next(self.pieces(), bytearray())

    def pieces(self) -> Iterator[bytearray]:
        """Yield the text in blocks that may end inside a line, or inside a character."""
        if self._rest:
            rest, self._rest = self._rest, b""
            yield bytearray(rest)
        while (block := self._read()) is not None:
            self._size = self._block_bytes
            yield block

    def __iter__(self) -> Iterator[bytearray]:
        while (block := self._read()) is not None:
            self._size = self._block_bytes
            end = _end_of_lines(block)
            # Shortened in place: a copy of every block would cost as much as finding its fields.
            self._rest = bytes(block[end:])
            if end:
                del block[end:]
                yield block
            elif len(self._rest) > MAX_LINE_BYTES:
                raise self._too_long()
        if self._rest:
            self.cut = not self._rest.endswith((b"\n", b"\r"))
            last, self._rest = bytearray(self._rest), b""
            yield last

    @property
    def is_short(self) -> bool:
        """Return whether the file ended before the offset up to which it was to be read."""
        return bool(self._left)

    def cuts(self, targets: Sequence[int], begin: int) -> list[int]:
        """Return an offset before each target at which a block begins, if there is one.

        The file must be a regular one in UTF-8; begin: where its second block begins. The offsets
        rise.
        """
        offsets: list[int] = []
        for target in targets:
            end = self._end_of_reading(target - self._block_bytes + 1)
            size = min(self._block_bytes, MAX_SOUGHT_BYTES, max(0, end))
            self._file.seek(end - size)
            offset = end - size + self._file.read(size).rfind(b"\n") + 1
            if end - size < offset < target and offset > max([begin, *offsets[-1:]]):
                offsets.append(offset)
        return offsets

    def go_on(self, begin: int, end: int | None) -> None:
        """Go on where one block of the file begins, up to where another does.

        Both are offsets in the file, as of `cuts`. The blocks are those of the whole file.
        """
        self._file.seek(begin)
        # A reading of the whole file has this left over, as no LF ends it.
        self._rest = self._file.read(self._end_of_reading(begin) - begin)
        self._size = self._block_bytes
        self._peeked.clear()
        self._left = None if end is None else end - begin - len(self._rest)

    def _end_of_reading(self, offset: int) -> int:
        """Return the first offset from this one on at which a reading of the whole file ends."""
        readings = max(0, -(-(offset - self._first_end) // self._block_bytes))
        return self._first_end + readings * self._block_bytes

    def _read(self) -> bytearray | None:
        """Return the next block, after the rest of the last one; None at the end."""
        if self._peeked:
            return bytearray(self._rest) + self._peeked.pop(0)
        return self._filled(len(self._rest))

    def _filled(self, start: int) -> bytearray | None:
        """Read into a block whose beginning is the rest of the last one; None at the end."""
        if self._left is not None:
            self._size = min(self._size, self._left)
        block = bytearray(start + self._size)
        block[:start] = self._rest
        try:
            with memoryview(block) as view:
                count = cast(io.BufferedReader, self._file).readinto(view[start:])
        except OSError as error:
            raise DiskError(f"{self.name}: reading failed: {error.strerror}") from error
        del block[start + count :]
        if self._left is not None:
            self._left -= count
        return block if count else None

    def _too_long(self) -> DataError:
        return DataError(
            f"{self.name}: a line of more than {MAX_LINE_BYTES:,} bytes without an end"
        )


def _end_of_lines(block: bytearray) -> int:
    """Find the end of the last whole line, 0 without one."""
    end = block.rfind(b"\n") + 1
    # A CR at the end may belong to an LF that has not been read yet.
    return end or block.rfind(b"\r", 0, len(block) - 1) + 1


def _declared_encoding(declared: str, marked: str, name: str) -> str:
    """Return the encoding to read, by the declared one and that of the first bytes, "" for none.

    Raises `DataError` if they contradict each other, or both do not tell the order of the bytes.
    """
    family = marked.removesuffix("-sig")
    if marked and not declared.startswith(family):
        what = f"{family.upper()} by its first bytes, but table.encoding is {declared}"
        raise DataError(f"{name}: {what} (set table: {{encoding: auto}})")
    if not marked and declared in ("utf-16", "utf-32"):
        hint = f"set table: {{encoding: {declared}-le}}, or {declared}-be"
        raise DataError(f"{name}: no byte order mark, so {declared} may be of two kinds ({hint})")
    return marked or declared


class _InUtf8(io.RawIOBase):
    """A file in another encoding, converted to UTF-8."""

    def __init__(self, file: BinaryIO, encoding: str, name: str, says: str) -> None:
        self._text = io.TextIOWrapper(file, encoding, newline="")
        self._encoding = encoding
        self._left = b""
        self._name = name
        self._says = says

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        try:
            data = self._left or self._text.read(max(1, len(view) // 4)).encode()
        except UnicodeError as error:
            raise DataError(
                f"{self._name}: not {self._encoding.upper()} {self._says} ({error})"
            ) from error
        # A character takes up to four bytes, which may be more than the buffer has left.
        part, self._left = data[: len(view)], data[len(view) :]
        view[: len(part)] = part
        return len(part)


def text_of(block: bytes | bytearray) -> tuple[str, bool]:
    r"""Decode a block, with "\n" as line end; also return whether it has odd bytes.

    Odd bytes are NULs and bytes that are not UTF-8, which become lone surrogates.
    """
    text = block.decode("utf-8", "surrogateescape")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text, "\0" in text or not (text.isascii() or _encodes(text))


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


T = TypeVar("T")


def read_ahead(source: Iterator[T], count: int) -> Iterator[T]:
    """Yield the items of a source, while a thread keeps at most `count` of them ready.

    An error of the source is raised in place of its next item. Leaving early ends the thread.
    """
    # A small job has no use for threads, and they take a while to load.
    from queue import SimpleQueue
    from threading import Semaphore, Thread

    ready: SimpleQueue[tuple[T | None, BaseException | None]] = SimpleQueue()
    room = Semaphore(count)
    is_left: list[bool] = []

    def read() -> None:
        try:
            for item in source:
                room.acquire()
                if is_left:
                    return
                ready.put((item, None))
            ready.put((None, None))
        except BaseException as error:  # raised again where the items are taken
            ready.put((None, error))

    thread = Thread(target=read, daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if error is not None:
                raise error
            if item is None:
                return
            room.release()
            yield item
    finally:
        is_left.append(True)
        room.release()
        thread.join()
