"""Files that are something else than a table are named for what they are."""

import io
import sqlite3
import zipfile
from pathlib import Path

import polars as pl
import pytest

from rollsignal.core.kernel import Tally
from rollsignal.errors import DataError
from rollsignal.files.find import find_paths
from tests.support.deciding import decide
from tests.support.packers import PACKERS, zipped
from tests.support.tables import CONFIG

CLOSES = [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]
CSV = b"close\n" + b"".join(b"%d\n" % close for close in CLOSES)
RIGHT = Tally(rows=6, signals=4, ones=4)

OTHERS = {
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": (
        "an Excel workbook in the old form (xls), or with a password"
    ),
    b"\x89HDF\r\n\x1a\n" + bytes(90): "an HDF5 file",
    b"SQLite format 3\0" + bytes(90): "an SQLite database",
    b"\x80\x05\x95\xd7\x04\0\0": "a pickle",
    b"FEA1\0\0\0\0": "a Feather file of version 1",
    b"Obj\x01\x04\x16": "an Avro file",
    b"\n<!DOCTYPE html>\n<html></html>\n": "an HTML or XML page",
    b'\xef\xbb\xbf<table border="1">\n': "an HTML or XML page",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n": "a Git LFS pointer",
    b"0123456789abcdef" * 4 + b"  BTCUSDT-1m-2024-01.zip\n": "the checksum of a file",
    b"bars.csv".ljust(257, b"\0") + b"ustar\x0000": "a tar archive",
}


# Where those begin that are text.
LINES = {content: " line 1" for content in OTHERS if content.isascii() and content[-1:] == b"\n"}
LINES[b"\n<!DOCTYPE html>\n<html></html>\n"] = " line 2"
LINES[b'\xef\xbb\xbf<table border="1">\n'] = " line 1"


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        decide([str(path)], CONFIG)
    return caught.value.message


@pytest.mark.parametrize("content", OTHERS)
def test_a_file_that_is_something_else_is_named_for_what_it_is(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "bars.csv"
    for packed in (content, PACKERS["gzip"](content), PACKERS["zip"](content)):
        path.write_bytes(packed)
        where = f"{path}{LINES.get(content, '')}"
        what = f"{OTHERS[content]}, not a table of bars with a close column ("
        assert f"{where}: {what}" in refusal(path)


def test_a_real_database_and_a_file_packed_twice_are_named(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    with sqlite3.connect(path) as database:
        database.execute("create table bars (close)")
    database.close()
    assert "an SQLite database" in refusal(path)
    path.write_bytes(PACKERS["gzip"](PACKERS["zstd"](CSV)))
    assert "a zstd file inside another compression" in refusal(path)


@pytest.mark.parametrize("header", ["FEA1,close", "<TICKER>,<CLOSE>", "0123,close", "Obj,close"])
def test_a_table_that_begins_like_something_else_is_read(tmp_path: Path, header: str) -> None:
    rows = [f"7,{close:.0f}\n" for close in CLOSES]
    (tmp_path / "bars.csv").write_text(f"{header}\n" + "".join(rows))
    assert decide([str(tmp_path / "bars.csv")], CONFIG).tally == RIGHT


def archive(path: Path, *names: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for name in names:
            file.writestr(name, b"" if name.endswith("/") else CSV)


def test_what_macos_adds_to_an_archive_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "bars.zip"
    archive(path, "day/", "day/bars.csv", "__MACOSX/", "__MACOSX/day/._bars.csv", "day/.DS_Store")
    assert decide([str(path)], CONFIG).tally == RIGHT
    archive(path, "a.csv", "b.csv", "__MACOSX/._a.csv")
    assert refusal(path).endswith("2 files in the archive, not one")


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["[Content_Types].xml", "word/document.xml"], "a document of Office"),
        (["[Content_Types].xml", "xl/workbook.bin"], "a binary workbook (xlsb)"),
        (["mimetype", "content.xml"], "a document of OpenOffice"),
        (["close.npy"], "an archive of NumPy arrays"),
    ],
)
def test_a_document_that_is_a_zip_archive_is_named(
    tmp_path: Path, names: list[str], what: str
) -> None:
    archive(tmp_path / "bars.zip", *names)
    assert f"cannot be read as zip: it is {what}; " in refusal(tmp_path / "bars.zip")


def test_a_checksum_beside_its_file_is_left_out(tmp_path: Path) -> None:
    for name in ("a.zip", "a.zip.CHECKSUM", "b.zip", "b.zip.sha256", "c.csv.md5"):
        (tmp_path / name).write_bytes(zipped(CSV))
    kept = [str(tmp_path / name) for name in ("a.zip", "b.zip", "c.csv.md5")]
    everything = [str(path) for path in sorted(tmp_path.iterdir())]
    for given in ([str(tmp_path)], [f"{tmp_path}/*"], everything):
        assert find_paths(given) == kept


def stream(closes: list[float]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame({"close": closes}).write_ipc_stream(file)
    return file.getvalue()


def test_an_arrow_stream_is_read(tmp_path: Path) -> None:
    path = tmp_path / "bars.arrows"
    path.write_bytes(stream(CLOSES))
    assert decide([str(path)], CONFIG).tally == RIGHT


def test_an_arrow_stream_that_is_cut_off_anywhere_or_goes_on_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bars.arrows"
    whole = stream(CLOSES)
    for end in range(4, len(whole)):
        path.write_bytes(whole[:end])
        assert refusal(path).endswith("an Arrow stream without its end: is it cut off?")
    path.write_bytes(whole + stream(CLOSES))
    assert refusal(path).endswith("other bytes after the end of the Arrow stream")
