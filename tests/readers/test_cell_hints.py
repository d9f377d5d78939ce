"""What a refusal says to do about a cell can be done, and changes something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from rollsignal.config.settings import JobConfig, Table
from rollsignal.errors import DataError
from tests.support.deciding import decide

CONFIG = JobConfig(seed=1, window=2, version="t")
FORMS = ["csv", "json", "ndjson", "parquet", "arrow"]
OF_TEXTS = ["csv"]
DAYS = ["2024-01-02", "2024-01-03", "2024-01-04"]


def refusal(
    folder: Path, form: str, closes: list[str], days: list[str], config: JobConfig = CONFIG
) -> str:
    """Write bars as texts in a format, and return how they are refused."""
    frame = pl.DataFrame({"date": days, "close": closes})
    path = folder / f"bars.{form}"
    writers: dict[str, Callable[[Path], object]] = {
        "csv": frame.write_csv,
        "json": frame.write_json,
        "ndjson": frame.write_ndjson,
        "parquet": frame.write_parquet,
        "arrow": frame.write_ipc,
    }
    writers[form](path)
    with pytest.raises(DataError) as caught:
        decide([path], config)
    return str(caught.value)


@pytest.mark.parametrize("form", FORMS)
def test_only_text_tables_are_told_of_settings_of_text_tables(tmp_path: Path, form: str) -> None:
    is_text = form in OF_TEXTS
    grouped = refusal(tmp_path, form, ["1,110", "1,120", "1,115"], DAYS)
    assert "write a point before decimals, and nothing between thousands" in grouped
    assert ("table.thousands" in grouped) == is_text
    untimed = refusal(tmp_path, form, ["10", "11", "12"], [*DAYS[:2], ""])
    assert "remove the row if it is not a bar" in untimed
    assert ("footer: skip" in untimed) == is_text


def test_a_footer_that_is_passed_over_already_is_not_offered(tmp_path: Path) -> None:
    config = CONFIG._replace(table=Table(footer="skip"))
    message = refusal(tmp_path, "csv", ["10", "11", "12"], [*DAYS[:2], "04.01.2024"], config)
    assert message.endswith("(remove the row if it is not a bar; else correct its time)")


@pytest.mark.parametrize("cell", ["97'16", "97 1/2", "1,00,000.5", "1.2,3.4"])
def test_what_no_form_of_numbers_reads_gets_no_hint_on_signs(tmp_path: Path, cell: str) -> None:
    message = refusal(tmp_path, "csv", ["10", "11", cell], DAYS)
    assert message.endswith(f"close is {cell!r}, not a number")
