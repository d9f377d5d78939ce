"""The number of rows in a columnar file is in its footer, which polars need not read."""

from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollsignal.files.formats import Format
from rollsignal.readers.row_counts import rows_by_footer

FORMS: list[Format] = ["parquet", "arrow"]


def stored(table: pl.DataFrame, path: Path, form: Format, group: int) -> None:
    if form == "parquet":
        table.write_parquet(path, row_group_size=group)
    else:
        table.write_ipc(path, record_batch_size=group)


def table_of(rows: int) -> pl.DataFrame:
    closes = pl.int_range(rows, eager=True) / 4
    return pl.DataFrame({"close": closes, "text": closes.cast(pl.String), "truth": closes > 2})


@pytest.mark.parametrize("form", FORMS)
@given(st.integers(1, 300), st.integers(1, 300))
def test_the_footer_tells_the_rows_of_all_groups(form: Format, rows: int, group: int) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder, "bars")
        stored(table_of(rows), path, form, group)
        assert rows_by_footer(str(path), form) == rows


@pytest.mark.parametrize("form", FORMS)
def test_nested_columns_are_skipped(form: Format, tmp_path: Path) -> None:
    nested = pl.DataFrame({"a": [[1, 2], []], "b": [{"c": 1, "d": "x"}, None], "e": [b"1", b"2"]})
    stored(nested, tmp_path / "bars", form, 10)
    assert rows_by_footer(str(tmp_path / "bars"), form) == 2


@pytest.mark.parametrize("form", FORMS)
def test_a_damaged_footer_tells_a_number_of_rows_or_none(form: Format, tmp_path: Path) -> None:
    path = tmp_path / "bars"
    stored(table_of(60), path, form, 7)
    data = path.read_bytes()
    for place in range(max(0, len(data) - 1000), len(data)):
        for byte in {0, 255, data[place] ^ 1}:
            path.write_bytes(data[:place] + bytes([byte]) + data[place + 1 :])
            assert rows_by_footer(str(path), form) >= 0


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("data", [b"", b"PAR1", b"ARROW1", b"\0" * 99 + b"PAR1", b"\xff" * 99])
def test_what_is_no_such_file_tells_no_rows(form: Format, data: bytes, tmp_path: Path) -> None:
    (tmp_path / "bars").write_bytes(data)
    assert rows_by_footer(str(tmp_path / "bars"), form) == 0
    assert rows_by_footer(str(tmp_path / "missing"), form) == 0


def test_an_arrow_stream_does_not_tell_its_rows(tmp_path: Path) -> None:
    path = tmp_path / "bars.arrow"
    table_of(60).write_ipc_stream(path)
    assert rows_by_footer(str(path), "arrow") == 0
