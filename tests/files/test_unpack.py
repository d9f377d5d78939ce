"""Compressed files: unpacked as they are read, to their ends, or refused by name."""

import errno
import gzip
import io
import os
import random
import resource
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rollsignal.config.reading import load_config
from rollsignal.errors import DataError, InputError
from rollsignal.files.find import input_of
from rollsignal.files.open import unpacked
from rollsignal.readers.opening import OpenedFile
from tests.support.packers import PACKERS
from tests.support.shell import ROOT
from tests.support.tables import opened, refusal

DIGITS = random.Random(5).randbytes(3000).hex()
TABLE = b"close,note\n" + b"".join(
    b"%d,%s\n" % (row, DIGITS[row : row + 40].encode()) for row in range(5000)
)


def unpack(data: bytes) -> tuple[bytes, str]:
    """Unpack a file; raises `DataError`."""
    # Only some versions of the checker know that bytes are raw.
    with io.BufferedReader(io.BytesIO(data)) as file:  # type: ignore[type-var,unused-ignore]
        stream, kind = unpacked(file, "bars.csv.z")
        return stream.read(), kind


class Pipe(io.BytesIO):
    """Bytes that can only be read from beginning to end."""

    def seekable(self) -> bool:
        return False

    def seek(self, offset: int, whence: int = 0) -> int:
        raise OSError(errno.ESPIPE, "Illegal seek")


def unpack_piped(data: bytes) -> tuple[bytes, str]:
    """Unpack what comes through a pipe; raises `DataError`."""
    with io.BufferedReader(Pipe(data)) as file:  # type: ignore[type-var,unused-ignore]
        stream, kind = unpacked(file, "bars.csv.z")
        return stream.read(), kind


def message_of(data: bytes) -> str:
    with pytest.raises(DataError) as caught:
        unpack(data)
    return caught.value.message


@pytest.mark.parametrize("kind", PACKERS)
@given(st.binary(max_size=300))
@settings(max_examples=20)
def test_a_packed_file_is_unpacked_to_its_content(kind: str, data: bytes) -> None:
    assert unpack(PACKERS[kind](data)) == (data, kind)


@pytest.mark.parametrize("kind", PACKERS)
@given(st.binary(max_size=300))
@settings(max_examples=10)
def test_a_packed_file_is_unpacked_from_a_pipe_too(kind: str, data: bytes) -> None:
    assert unpack_piped(PACKERS[kind](data)) == (data, kind)


def test_an_archive_from_a_pipe_is_refused_for_what_it_is_refused_as_a_file() -> None:
    packed = PACKERS["zip"](TABLE)
    for data in (
        packed + packed,
        packed + b"x",
        packed[:-9],
        packed[:40],
        packed.replace(b"c", b"d"),
    ):
        with pytest.raises(DataError) as caught:
            unpack_piped(data)
        assert caught.value.message == message_of(data)


def test_an_archive_from_a_pipe_leaves_no_file_open_or_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = len(os.listdir("/dev/fd"))
    for data in (PACKERS["zip"](TABLE), PACKERS["zip"](TABLE)[:-9]):
        with suppress(DataError):
            assert unpack_piped(data)[0] == TABLE
    assert len(os.listdir("/dev/fd")) == before
    assert not list(tmp_path.iterdir())


@given(st.binary(max_size=50).filter(lambda data: data[:1] not in b"\x1fB\xfd\x28P"))
def test_what_is_not_compressed_is_left_as_it_is(data: bytes) -> None:
    assert unpack(data) == (data, "")


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz", "zstd"])
def test_files_put_one_after_the_other_are_one(kind: str) -> None:
    pack = PACKERS[kind]
    assert unpack(pack(TABLE[:999]) + pack(b"") + pack(TABLE[999:])) == (TABLE, kind)


@pytest.mark.parametrize("kind", PACKERS)
@given(st.data())
@settings(max_examples=25)
def test_a_file_cut_off_anywhere_is_refused_by_name(kind: str, data: st.DataObject) -> None:
    packed = PACKERS[kind](TABLE)
    cut = data.draw(
        st.one_of(st.integers(8, len(packed) - 1), st.integers(1, 9).map(lambda n: len(packed) - n))
    )
    assert message_of(packed[:cut]).startswith(f"bars.csv.z: cannot be read as {kind}: ")


@pytest.mark.parametrize("kind", PACKERS)
@given(st.data())
@settings(max_examples=40)
def test_a_damaged_file_is_refused_or_was_not_harmed(kind: str, data: st.DataObject) -> None:
    packed = bytearray(PACKERS[kind](TABLE))
    packed[data.draw(st.integers(8, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        answer = unpack(bytes(packed))[0]
    except DataError as error:
        answer = error.message.encode()
    assert answer == TABLE or answer.startswith(f"bars.csv.z: cannot be read as {kind}: ".encode())


@st.composite
def gzip_members(draw: st.DrawFn) -> bytes:
    """Draw a gzip file of one member or more, with any of the optional fields of their headers."""
    packed = b""
    for _ in range(draw(st.integers(1, 3))):
        rows = TABLE[: draw(st.sampled_from([0, 1, 100, 6_000]))]
        fields = draw(st.lists(st.sampled_from([4, 8, 16]), unique=True).map(sorted))
        extra = {4: b"\x06\x00BC\x02\x00\x1b\x00", 8: b"bars.csv\0", 16: b"by hand\0"}
        head = b"\x1f\x8b\x08" + bytes([sum(fields)]) + b"\0\0\0\0\0\xff"
        raw = zlib.compressobj(draw(st.sampled_from([0, 1, 9])), wbits=-15)
        packed += head + b"".join(extra[field] for field in fields)
        packed += raw.compress(rows) + raw.flush()
        packed += struct.pack("<II", zlib.crc32(rows), len(rows))
    return packed + draw(st.sampled_from([b"", b"", b"\0", b"\0" * 600]))


@given(gzip_members())
@settings(max_examples=30)
def test_gzip_is_read_as_the_standard_library_reads_it(packed: bytes) -> None:
    assert unpack(packed) == (gzip.decompress(packed), "gzip")


@given(gzip_members(), st.data())
@settings(max_examples=60)
def test_damaged_gzip_is_refused_or_read_as_the_standard_library_reads_it(
    packed: bytes, data: st.DataObject
) -> None:
    harmed = bytearray(packed)
    for _ in range(data.draw(st.integers(1, 3))):
        harmed[data.draw(st.integers(2, len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        content = unpack(bytes(harmed))[0]
    except DataError:
        return
    assert content == gzip.decompress(harmed)


def test_gzip_is_read_without_the_faster_library_too(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = gzip.compress(TABLE)
    monkeypatch.setitem(sys.modules, "isal.igzip", None)
    assert unpack(packed + packed) == (TABLE + TABLE, "gzip")
    assert "cannot be read as gzip" in message_of(packed[:-1])


@pytest.mark.parametrize("kind", ["gzip", "zstd"])
@pytest.mark.parametrize("junk", [b"junk", b"close\n1\n", b"\x1f\x8b", b"\x1f", b"(\xb5/"])
def test_what_follows_the_end_is_refused(kind: str, junk: bytes) -> None:
    assert message_of(PACKERS[kind](TABLE) + junk).startswith(
        f"bars.csv.z: cannot be read as {kind}: "
    )


def archive(*names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members:
        for name in names:
            members.writestr(name, b"" if name.endswith("/") else b"close\n1\n")
    return file.getvalue()


def test_a_zip_holds_one_file_and_folders_do_not_count() -> None:
    assert unpack(archive("day/", "day/bars.csv")) == (b"close\n1\n", "zip")
    for names, count in ((("a.csv", "b.csv"), 2), (("day/",), 0), (("a", "b/", "b/c", "d"), 3)):
        assert message_of(archive(*names)) == (
            f"bars.csv.z: cannot be read as zip: {count} files in the archive, not one"
        )


def test_a_report_beside_the_table_and_named_like_it_is_passed_over() -> None:
    assert unpack(archive("DAT.csv", "DAT.txt")) == (b"close\n1\n", "zip")
    for names in (("DAT.csv", "notes.txt"), ("DAT.txt", "notes.txt"), ("a.csv", "b.csv", "b.txt")):
        assert message_of(archive(*names)).endswith("2 files in the archive, not one")


@pytest.mark.parametrize("more", [archive("b.csv"), b"3\n", b"\0" * 22, b"PK", b"\n"])
def test_a_zip_is_the_whole_file(more: bytes) -> None:
    whole = archive("a.csv")
    assert message_of(whole + more).startswith("bars.csv.z: cannot be read as zip: bytes ")
    assert message_of(whole[:40] + whole).startswith(
        "bars.csv.z: cannot be read as zip: bytes before the archive (if two archives are in one"
    )


@pytest.mark.parametrize("comment", [b"", b"x", b"PK\x01\x02" * 9, b"a" * 65_535])
def test_a_zip_may_have_a_comment(comment: bytes) -> None:
    file = io.BytesIO(archive("a.csv"))
    with zipfile.ZipFile(file, "a") as members:
        members.comment = comment
    assert unpack(file.getvalue()) == (b"close\n1\n", "zip")


def test_a_zip_of_the_large_kind_is_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as members, members.open("a", "w", force_zip64=True) as member:
        member.write(b"close\n1\n")
    assert unpack(file.getvalue()) == (b"close\n1\n", "zip")


def test_an_encrypted_zip_is_refused() -> None:
    data = bytearray(archive("bars.csv"))
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + flags] |= 1
    assert message_of(bytes(data)) == (
        "bars.csv.z: cannot be read as zip: the file in the archive is encrypted"
    )


@pytest.mark.parametrize("kind", PACKERS)
def test_rows_before_the_damage_never_pass_for_the_whole_file(kind: str) -> None:
    packed = PACKERS[kind](TABLE)
    for cut in (len(packed) // 2, len(packed) - 1):
        assert refusal(packed[:cut]).startswith(f"bars.csv: cannot be read as {kind}: ")


def test_the_content_decides_the_compression_and_it_is_described() -> None:
    for kind, pack in PACKERS.items():
        with opened(pack(b"close\n1\n")) as reader:
            assert (
                reader.describe() == f"{kind}, utf-8, comma, close from close, timestamp from none"
            )


@pytest.mark.parametrize("kind", PACKERS)
def test_a_packed_table_that_is_not_text_is_refused(kind: str) -> None:
    with pytest.raises(DataError), opened(PACKERS[kind](bytes(range(256)) * 9)) as reader:
        list(reader.batches())


BOMBS = {
    "one line of digits": (b"close\n", b"1" * (1 << 20)),
    "one line of names": (b"", b"ab," * (1 << 20)),
    "a quote that never closes": (b'close\n"', b"1\n" * (1 << 19)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_file_that_unpacks_beyond_all_reason_is_refused_in_bounded_memory(
    bomb: str, tmp_path: Path
) -> None:
    beginning, filler = BOMBS[bomb]
    path, config = tmp_path / "bomb.csv.gz", tmp_path / "config.yaml"
    with gzip.open(path, "wb", 1) as file:
        file.write(beginning)
        for _ in range(200):
            file.write(filler)
    config.write_text('seed: 1\nwindow: 2\nversion: "v"\n')
    limit = 768 << 20
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "--input", path, "--config", config],
        cwd=tmp_path,
        capture_output=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == DataError.exit_code, done.stderr
    assert b"bomb.csv.gz" in done.stdout


def test_a_config_is_never_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(gzip.compress(b'seed: 1\nwindow: 2\nversion: "v"\n'))
    with pytest.raises(Exception, match="not valid YAML"):
        load_config(str(path))


def test_a_missing_file_is_an_input_error() -> None:
    with TemporaryDirectory() as folder, pytest.raises(InputError, match="not found"):
        OpenedFile(input_of(f"{folder}/bars.csv.gz"))


MODULES = {
    "xz": ("lzma", "_lzma", "this Python is built without _lzma (unpack the file first)"),
    "bzip2": ("bz2", "_bz2", "this Python is built without _bz2 (unpack the file first)"),
}


@pytest.mark.parametrize("kind", MODULES)
def test_a_part_of_python_that_is_missing_is_not_named_as_a_package(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, compiled, hint = MODULES[kind]
    data = PACKERS[kind](TABLE)
    monkeypatch.delitem(sys.modules, module, raising=False)
    monkeypatch.setitem(sys.modules, compiled, None)
    with pytest.raises(InputError) as caught:
        unpack(data)
    assert str(caught.value) == f"bars.csv.z: {kind} cannot be read: {hint}"


def test_a_package_that_is_missing_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = PACKERS["zstd"](TABLE)
    for module in ("compression", "backports", "backports.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError) as caught:
        unpack(data)
    hint = "pip install backports.zstd, or unpack the file first"
    expected = f"bars.csv.z: zstd cannot be read without backports.zstd ({hint})"
    assert str(caught.value) == expected
