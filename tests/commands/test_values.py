"""Closes that can hardly be prices are told in a run, or refused if the config says so."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.records import forged
from tests.support.shell import Job, command

CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\n'
ROWS = 40_000
HINT = "(if that is right, set checks: {values: off})"


def closes(at: int, close: str, rows: int = 9) -> list[str]:
    return [close if row == at else str(100 + row * 7 % 11) for row in range(rows)]


def write(job: Job, cells: list[str], form: str) -> None:
    """Write bars, one a minute, in a format."""
    job.input = job.folder / f"bars.{form}"
    days = [f"2024-01-{1 + row // 1440:02d}T{row // 60 % 24:02d}:{row % 60:02d}:00"
            for row in range(len(cells))]  # fmt: skip
    rows = list(zip(days, cells, strict=True))
    if form in ("csv", "tsv"):
        mark = "," if form == "csv" else "\t"
        lines = [mark.join(row) + "\n" for row in (("timestamp", "close"), *rows)]
        job.input.write_text("".join(lines))
    elif form == "ndjson":
        lines = [f'{{"timestamp": "{day}", "close": {close}}}\n' for day, close in rows]
        job.input.write_text("".join(lines))
    else:
        numbers: list[Any] = [Decimal(cell) for cell in cells]
        dtype = pl.Decimal(38, 2) if form == "arrow" else pl.Float64
        column = pl.Series(numbers).cast(dtype)
        table = pl.DataFrame({"timestamp": days, "close": column})
        stamps = table.with_columns(pl.col("timestamp").str.to_datetime())
        stamps.write_ipc(job.input) if form == "arrow" else stamps.write_parquet(job.input)


FORMS = ["csv", "tsv", "ndjson", "parquet", "arrow"]
DOUBTFUL = {
    "0": "0, not above zero",
    "-1": "-1, not above zero",
    "2147483647": "2147483647, which many programs write where there is no price",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("close", DOUBTFUL)
def test_a_close_that_can_hardly_be_a_price_is_told_in_every_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, close: str
) -> None:
    job = Job(tmp_path, config=CONFIG)
    write(job, closes(4, close), form)
    record = tmp_path / "record.json"
    assert job.run(f"--record={record}") == 0
    line = 5 if form in ("ndjson", "parquet", "arrow") else 6
    unit = "row" if form in ("parquet", "arrow") else "line"
    told = capsys.readouterr().err
    assert f"{unit} {line}: close is {DOUBTFUL[close]} {HINT}" in told
    check = json.loads(record.read_text())["checks"]["values"]
    assert (check["level"], check["found"], check["first"][0]["row"]) == ("warn", 1, line)
    assert "check=values" in job.log.read_text()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("level", ["error", "off"])
def test_the_config_decides_what_such_a_close_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, level: str
) -> None:
    job = Job(tmp_path, config=CONFIG + f"checks: {{values: {level}}}\n")
    write(job, closes(4, "0"), form)
    assert job.run() == (65 if level == "error" else 0)
    assert ("not above zero" in capsys.readouterr().err) is (level == "error")


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("close", ["9223372036854775807", "9223372036854775808"])
def test_the_greatest_numbers_of_64_bits_are_no_prices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, close: str
) -> None:
    job = Job(tmp_path, config=CONFIG)
    write(job, closes(4, close), form)
    assert job.run() == 0
    assert "which many programs write where there is no price" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("more", ["", "sort: true\n"])
def test_all_such_closes_of_a_large_table_are_counted_and_the_first_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str, more: str
) -> None:
    job = Job(tmp_path, config=CONFIG + more)
    cells = ["0" if row % 1000 == 999 else str(100 + row % 7) for row in range(ROWS)]
    cells[ROWS // 2] = "2147483647"
    write(job, cells, form)
    record = tmp_path / "record.json"
    assert job.run(f"--record={record}") == 0
    assert capsys.readouterr().err.count(HINT) == 5
    check = json.loads(record.read_text())["checks"]["values"]
    first = 1000 if form == "parquet" else 1001
    assert check["found"] == ROWS // 1000 + 1
    assert [finding["row"] for finding in check["first"]] == [first + 1000 * n for n in range(5)]


def test_a_state_goes_on_when_the_check_is_set_otherwise(tmp_path: Path) -> None:
    job = Job(tmp_path, config=CONFIG)
    state = tmp_path / "s.state"
    for rows, more in ((6, ""), (9, "checks: {values: off}\n"), (12, "checks: {values: error}\n")):
        job.config.write_text(CONFIG + more)
        write(job, closes(99, "0", rows), "csv")
        assert job.run(f"--state={state}") == 0
    assert job.metrics()["rows_processed"] == 12
    assert b"checks.values" not in state.read_bytes()


def test_a_record_from_before_the_check_is_verified(tmp_path: Path) -> None:
    job = Job(tmp_path, config=CONFIG)
    write(job, closes(99, "0"), "csv")
    record = tmp_path / "record.json"
    assert job.run(f"--record={record}") == 0
    document = json.loads(record.read_text())
    del document["config"]["checks.values"], document["checks"]["values"]
    record.write_text(forged(document))
    done = command("verify", str(record))
    assert done == 0
