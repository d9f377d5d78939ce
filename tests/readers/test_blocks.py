"""Text comes in blocks of whole lines, whatever its encoding, line ends and length."""

import codecs
from io import BufferedReader, BytesIO, RawIOBase
from itertools import accumulate
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.errors import DataError, DiskError
from rollsignal.readers.blocks import (
    BLOCK_BYTES,
    FIRST_BYTES,
    MAX_LINE_BYTES,
    Blocks,
    read_ahead,
    text_of,
)

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
sizes = st.integers(1, 12)


class Endless(RawIOBase):
    """A file that goes on for ever with the same bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # all it is given
        data = (self.data * len(buffer))[: len(buffer)]
        buffer[:] = data
        return len(data)


class Broken(RawIOBase):
    """A file on a disk that fails after the first bytes."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # all it is given
        if not self.data:
            raise OSError(5, "Input/output error")
        given, self.data = self.data, b""
        buffer[: len(given)] = given
        return len(given)


def blocks_of(
    file: RawIOBase | BytesIO, first_bytes: int = FIRST_BYTES, block_bytes: int = BLOCK_BYTES
) -> Blocks:
    # No more is read ahead than a byte order mark needs.
    buffered = BufferedReader(cast(RawIOBase, file), 4 if block_bytes < 4 else 8192)
    return Blocks(buffered, "bars.csv", first_bytes, block_bytes)


def lines_of(data: bytes | bytearray) -> list[bytes]:
    """Split after every LF, CRLF and lone CR, by looking at each byte."""
    lines = [b""]
    for index, byte in enumerate(data):
        lines[-1] += bytes([byte])
        if byte == 0x0A or (byte == 0x0D and data[index + 1 : index + 2] != b"\n"):
            lines.append(b"")
    return lines if lines[-1] else lines[:-1]


def ends_a_line(data: bytes | bytearray) -> bool:
    return data.endswith((b"\n", b"\r"))


@pytest.mark.parametrize("encoding", ENCODERS)
@given(texts, sizes, sizes)
def test_the_blocks_together_are_the_text_in_utf_8(
    encoding: str, text: str, first_bytes: int, block_bytes: int
) -> None:
    blocks = blocks_of(BytesIO(ENCODERS[encoding](text)), first_bytes, block_bytes)
    assert b"".join(blocks) == text.encode()
    assert blocks.encoding == encoding.partition(",")[0]


@pytest.mark.parametrize("encoding", ENCODERS)
@given(texts, sizes, sizes)
def test_every_block_is_whole_lines_wherever_the_reads_end(
    encoding: str, text: str, first_bytes: int, block_bytes: int
) -> None:
    blocks = blocks_of(BytesIO(ENCODERS[encoding](text)), first_bytes, block_bytes)
    pieces = list(blocks)
    assert [line for block in pieces for line in lines_of(block)] == lines_of(text.encode())
    assert all(map(ends_a_line, pieces[:-1]))
    assert blocks.cut == (bool(text) and not ends_a_line(text.encode()))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("length", range(FIRST_BYTES - 3, FIRST_BYTES + 2))
def test_the_first_read_may_end_anywhere_near_a_line_end(length: int, end: bytes) -> None:
    lines = [b"x" * 100 + end, b"y" * (length - 100 - len(end)) + end, b"z" + end, b"last"]
    pieces = list(blocks_of(BytesIO(b"".join(lines))))
    assert b"".join(pieces) == b"".join(lines)
    assert set(accumulate(map(len, pieces))) <= set(accumulate(map(len, lines)))


@given(texts, sizes, sizes)
def test_what_one_loop_leaves_the_next_takes(text: str, taken: int, block_bytes: int) -> None:
    whole = list(blocks_of(BytesIO(text.encode()), block_bytes, block_bytes))
    blocks = blocks_of(BytesIO(text.encode()), block_bytes, block_bytes)
    pieces = [block for _, block in zip(range(taken), blocks, strict=False)]
    assert [*pieces, *read_ahead(iter(blocks), 2)] == whole


def test_a_small_first_block_is_followed_by_larger_ones() -> None:
    blocks = blocks_of(BytesIO(b"1\n" * 16), 4, 10)
    assert list(map(len, blocks)) == [4, 10, 10, 8]


def test_an_empty_file_has_no_block() -> None:
    for data in (b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF32_BE):
        blocks = blocks_of(BytesIO(data))
        assert list(blocks) == []
        assert not blocks.cut


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
        list(blocks_of(BytesIO(data)))


def test_a_line_that_never_ends_is_refused_in_bounded_memory() -> None:
    class OneLine(Endless):
        begun = False

        def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # all it is given
            if self.begun:
                return super().readinto(buffer)
            self.begun = True
            buffer[:8] = b"close\n1\n"
            return 8

    blocks = iter(blocks_of(OneLine(b"0")))
    assert next(blocks) == b"close\n1\n"
    with pytest.raises(DataError) as caught:
        next(blocks)
    assert caught.value.message == (
        f"bars.csv: a line of more than {MAX_LINE_BYTES:,} bytes without an end"
    )


def test_a_file_that_never_ends_comes_in_blocks_of_bounded_size() -> None:
    text = iter(blocks_of(Endless(b"100.25\n")))
    assert max(len(next(text)) for _ in range(20)) <= BLOCK_BYTES + 7


@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8, codecs.BOM_UTF16_LE])
def test_a_disk_that_fails_midway_is_not_reported_as_bad_data(mark: bytes) -> None:
    with pytest.raises(DiskError, match=r"^bars.csv: reading failed: Input/output error"):
        list(blocks_of(Broken(mark + b"c\0\n\0")))


@given(st.binary())
def test_bytes_that_are_not_utf_8_are_kept_and_odd(data: bytes) -> None:
    text, odd = text_of(data)
    assert text.encode("utf-8", "surrogateescape") == in_lines(data)
    assert odd == (b"\0" in data or not is_utf_8(data))


@given(texts)
def test_a_text_has_line_feeds_for_line_ends(text: str) -> None:
    assert text_of(text.encode()) == (in_lines(text.encode()).decode(), False)


def in_lines(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


@given(st.text("ab\n\n\r", max_size=40), sizes, sizes, st.booleans(), st.data())
def test_blocks_from_a_cut_to_another_are_those_of_the_whole_file(
    text: str, first_bytes: int, block_bytes: int, has_mark: bool, data: st.DataObject
) -> None:
    written = codecs.BOM_UTF8 * has_mark + text.encode()
    whole = blocks_of(BytesIO(written), first_bytes, block_bytes)
    blocks = list(map(bytes, whole))
    offsets = [*accumulate(map(len, blocks), initial=whole.begin)]
    targets = list(range(1, len(written) + 1))
    cuts = whole.cuts(targets, offsets[min(1, len(blocks))])
    assert set(cuts) <= set(offsets[2:])
    if cuts:
        begin = data.draw(st.sampled_from(cuts))
        end = data.draw(st.sampled_from([None, *(cut for cut in cuts if cut > begin)]))
        part = blocks_of(BytesIO(written), first_bytes, block_bytes)
        part.go_on(begin, end)
        numbers = (offsets.index(begin), None if end is None else offsets.index(end))
        assert list(map(bytes, part)) == blocks[slice(*numbers)]
        assert not part.is_short


def test_a_lone_cr_after_the_last_lf_is_in_the_same_block_after_a_cut() -> None:
    text = b"a\ra\n\ra"
    assert list(map(bytes, blocks_of(BytesIO(text), 3, 3))) == [b"a\r", b"a\n", b"\ra"]
    part = blocks_of(BytesIO(text), 3, 3)
    part.go_on(4, None)
    assert list(map(bytes, part)) == [b"\ra"]


def test_every_block_after_the_second_can_be_cut_off_if_lf_ends_it() -> None:
    text = b"".join(b"line %d\n" % number for number in range(50))
    blocks = blocks_of(BytesIO(text), 20, 30)
    offsets = [*accumulate(map(len, blocks))]
    cuts = blocks.cuts(range(1, len(text)), offsets[0])
    assert len(cuts) > 10
    assert cuts == [offset for offset in offsets[1:] if offset < len(text)]


def test_a_part_of_a_file_that_is_shorter_than_before_is_short() -> None:
    blocks = blocks_of(BytesIO(b"a\nb\nc\n"), 2, 2)
    blocks.go_on(2, 20)
    assert list(map(bytes, blocks)) == [b"b\n", b"c\n"]
    assert blocks.is_short
