"""One input is opened once, and its content must have the format that is asked for."""

import gzip
import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from rollsignal.errors import DataError, InputError
from rollsignal.files.find import input_of
from rollsignal.files.formats import FORMATS, Format
from rollsignal.readers.opening import MAX_BLANK_BYTES, OpenedFile
from tests.support.frames import arrow, parquet
from tests.support.packers import zipped
from tests.support.workbooks import workbook

FRAME = pl.DataFrame({"close": [1.0, 2.0]})
CONTENT: dict[Format, bytes] = {
    "csv": b"close\n1\n",
    "ndjson": b'{"close":1}\n',
    "json": b'[{"close":1}]\n',
    "xlsx": workbook([("close",), ("1",)]),
    "parquet": parquet(FRAME),
    "arrow": arrow(FRAME),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zip": zipped}


def format_of(path: Path | str, wanted: Format | None = None) -> str:
    with closing(OpenedFile(input_of(str(path)), wanted)) as file:
        return file.format


def refusal(path: Path | str, wanted: Format | None = None) -> str:
    with pytest.raises(DataError) as caught:
        OpenedFile(input_of(str(path)), wanted)
    return Path(caught.value.message).name.replace(" (sheet Prices)", "")


@pytest.mark.parametrize("form", FORMATS)
def test_the_format_is_found_by_the_content_whatever_the_name(tmp_path: Path, form: Format) -> None:
    for name in ("bars", "bars.csv", "bars.parquet", "bars.arrow", "bars.txt.gz"):
        (tmp_path / name).write_bytes(CONTENT[form])
        assert format_of(tmp_path / name) == format_of(tmp_path / name, form) == form


# The readers of JSON refuse other text, with the line.
TOLD_BY_THE_READER = [("csv", "ndjson"), ("csv", "json"), ("ndjson", "json")]


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("form", FORMATS)
def test_content_that_contradicts_the_format_that_is_asked_for_is_refused(
    tmp_path: Path, form: Format, wanted: Format
) -> None:
    path = tmp_path / "bars"
    path.write_bytes(CONTENT[form])
    if wanted == form or (form, wanted) in TOLD_BY_THE_READER:
        assert format_of(path, wanted) == wanted
    else:
        actual = "text" if form == "csv" else form
        message = f"bars: not {wanted} as --format says, but {actual} by its content"
        assert refusal(path, wanted) == message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("packing", PACKED)
def test_the_format_of_text_is_found_in_every_encoding_and_compression(
    tmp_path: Path, encoding: str, packing: str
) -> None:
    path = tmp_path / "bars"
    for form in ("csv", "ndjson"):
        text = "\n\n" + CONTENT[form].decode()
        path.write_bytes(PACKED[packing](text.encode(encoding)))
        with closing(OpenedFile(input_of(str(path)))) as file:
            assert (file.format, file.compression) == (form, packing)
            assert (file.beginning.decode(), list(file.blocks)) == (text, [])


def test_blank_lines_do_not_hide_what_follows_and_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "bars"
    path.write_text("\n" * (MAX_BLANK_BYTES // 2) + '{"close":1}\n')
    assert format_of(path) == "ndjson"
    path.write_text("\n" * 3 * MAX_BLANK_BYTES + '{"close":1}\n')
    assert refusal(path) == f"bars: only blank lines in {MAX_BLANK_BYTES:,} bytes"


@pytest.mark.parametrize("form", ["parquet", "arrow"])
@pytest.mark.parametrize("packing", PACKED)
def test_columnar_content_that_is_packed_is_refused(
    tmp_path: Path, form: Format, packing: str
) -> None:
    path = tmp_path / "bars"
    path.write_bytes(PACKED[packing](CONTENT[form]))
    reason = f"{form} cannot be read from a {packing} file"
    assert refusal(path) == f"bars: {reason}; write it to a plain file first"


@pytest.mark.parametrize("form", FORMATS)
def test_a_pipe_gives_texts_and_workbooks_alone(form: Format) -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(CONTENT[form])
    try:
        if form in ("csv", "ndjson", "json", "xlsx"):
            assert format_of(f"/dev/fd/{reading}") == form
        else:
            reason = f"{form} cannot be read from a pipe; write it to a plain file first"
            assert refusal(f"/dev/fd/{reading}") == f"{reading}: {reason}"
    finally:
        os.close(reading)


def test_what_cannot_be_opened_is_an_input_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.csv"):
        with pytest.raises(InputError):
            OpenedFile(input_of(str(path)))
