"""Text comes in pieces of whole lines, whatever its encoding, line ends and length."""

import codecs
from io import BufferedReader, BytesIO, RawIOBase
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.bars.text import MAX_LINE_CHARS, PIECE_CHARS, TextPieces
from rollsignal.errors import DataError, DiskError

ENCODERS = {
    "utf-8": lambda text: text.encode(),
    "utf-8-sig": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16, big-endian": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-32": lambda text: codecs.BOM_UTF32_LE + text.encode("utf-32-le"),
    "utf-32, big-endian": lambda text: codecs.BOM_UTF32_BE + text.encode("utf-32-be"),
}
# Lines as they come, many of them, with a few characters that take two bytes or more.
texts = st.text("ab,é€𝄞\n\r\x0b\x85\u2028", max_size=30)


class Endless(RawIOBase):
    """A file that goes on for ever with the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = (self.data * len(buffer))[: len(buffer)]
        buffer[:] = data
        return len(data)


class Broken(RawIOBase):
    """A file on a disk that fails after the first bytes."""

    def __init__(self) -> None:
        self.given = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.given:
            raise OSError(5, "Input/output error")
        self.given = True
        buffer[:6] = b"close\n"
        return 6


def pieces_of(file: RawIOBase | BytesIO) -> TextPieces:
    return TextPieces(BufferedReader(cast(RawIOBase, file)), "bars.csv")


def in_lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("encoding", ENCODERS)
@given(text=texts)
def test_the_text_is_what_was_encoded_with_line_feeds_for_line_ends(
    encoding: str, text: str
) -> None:
    pieces = pieces_of(BytesIO(ENCODERS[encoding](text)))
    assert "".join(pieces) == in_lines(text)
    assert pieces.encoding == encoding.partition(",")[0]
    assert pieces.lines == in_lines(text).count("\n")
    assert not pieces.suspect


@given(st.integers(PIECE_CHARS - 4, PIECE_CHARS + 1), texts, st.sampled_from(["\n", "\r\n", "\r"]))
def test_every_piece_ends_with_a_line_wherever_the_reads_end(
    length: int, text: str, end: str
) -> None:
    whole = "x" * 100 + end + "y" * (length - 100) + end + text
    pieces = pieces_of(BytesIO(whole.encode()))
    found = list(pieces)
    assert "".join(found) == in_lines(whole)
    assert all(piece.endswith("\n") for piece in found[:-1])
    assert pieces.cut == (not in_lines(whole).endswith("\n"))


@given(texts.filter(bool))
def test_only_a_last_line_without_its_end_is_cut(text: str) -> None:
    pieces = pieces_of(BytesIO(text.encode()))
    found = list(pieces)
    assert pieces.cut == (not in_lines(text).endswith("\n"))
    assert not pieces.cut or "\n" not in found[-1]


def test_nothing_is_no_piece() -> None:
    for data in (b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE):
        pieces = pieces_of(BytesIO(data))
        assert list(pieces) == []
        assert not pieces.cut


@given(st.binary())
def test_bytes_that_are_no_utf_8_are_kept_and_suspected(data: bytes) -> None:
    pieces = pieces_of(BytesIO(b"a" + data))
    text = "".join(pieces)
    assert text.encode("utf-8", "surrogateescape") == in_lines_of_bytes(b"a" + data)
    assert pieces.suspect == (b"\0" in data or not is_utf_8(data))


def in_lines_of_bytes(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (codecs.BOM_UTF16_LE + b"a", "UTF-16"),
        (codecs.BOM_UTF16_BE + b"\xdc\x00\x00\x0a", "UTF-16"),
        (codecs.BOM_UTF32_LE + b"a\0\0", "UTF-32"),
        (codecs.BOM_UTF32_LE + b"\xff\xff\xff\x7f", "UTF-32"),
    ],
)
def test_bytes_that_are_not_what_their_mark_says_are_refused(data: bytes, encoding: str) -> None:
    with pytest.raises(DataError, match=f"^bars.csv: not {encoding} as its first bytes say"):
        list(pieces_of(BytesIO(data)))


def test_a_line_that_never_ends_is_refused_in_bounded_memory() -> None:
    pieces = pieces_of(Endless(b"0"))
    with pytest.raises(DataError) as caught:
        next(iter(pieces))
    assert caught.value.message == (
        f"bars.csv line 1: more than {MAX_LINE_CHARS:,} characters without a line end"
    )


def test_a_file_that_never_ends_comes_in_pieces_of_bounded_size() -> None:
    text = iter(pieces_of(Endless(b"100.25\n")))
    assert max(len(next(text)) for _ in range(20)) <= 2 * PIECE_CHARS


def test_a_disk_that_fails_midway_is_told_apart_from_bad_data() -> None:
    with pytest.raises(DiskError, match=r"^bars.csv: reading failed: Input/output error"):
        list(pieces_of(Broken()))
