"""A last row without a line end: refused where it shows a sign of cutting, else read."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support import oracle
from tests.support.shell import Job
from tests.support.tables import refusal

CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\n'
DOUBT = "shorter than others and without a line end: is the file cut off?"

# What JavaScript and many others write: no zeros at the end of decimals.
prices = st.lists(
    st.integers(9_000, 11_000).map(lambda cents: f"{Decimal(cents) / 100:f}"),
    min_size=4,
    max_size=9,
)


def as_table(cells: list[str]) -> str:
    rows = [f"2024-01-01 00:{minute:02d},{cell}" for minute, cell in enumerate(cells)]
    return "\n".join(["timestamp,close", *rows])


@pytest.mark.parametrize("rows", [4, 400, 40_000])
def test_a_last_close_with_fewer_decimals_is_read_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], rows: int
) -> None:
    cells = [f"{100 + row % 7}.{'25' if row % 2 else '5'}" for row in range(rows)] + ["103"]
    job = Job(tmp_path, "close\n" + "\n".join(cells), CONFIG)
    assert job.run() == 0
    assert capsys.readouterr().err.count(f"close is '103', {DOUBT}") == 1
    _, _, signals, ones, _ = oracle.counts(oracle.prices(cells), 3)
    assert job.metrics()["value"] == float(round(Fraction(ones, signals), 4))


def test_a_whole_table_without_a_line_end_has_no_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = Job(tmp_path, as_table(["10.5", "11.25", "12.5", "11.75"]), CONFIG)
    assert job.run() == 0
    assert capsys.readouterr().err == ""


def test_the_config_can_refuse_the_doubt(tmp_path: Path) -> None:
    job = Job(tmp_path, as_table(["10.5", "11.25", "12"]), CONFIG + "checks: {values: error}\n")
    assert job.run() == 65
    assert DOUBT in str(job.metrics()["error_message"])


@settings(max_examples=60)
@given(prices, st.data())
def test_a_table_of_fixed_decimals_is_refused_wherever_its_last_close_is_cut(
    cells: list[str], data: st.DataObject
) -> None:
    fixed = [f"{Decimal(cell):.2f}" for cell in cells]
    cut = data.draw(st.integers(1, len(fixed[-1]) - 1))
    assert " line " in refusal(as_table(fixed)[:-cut])


@settings(max_examples=60)
@given(prices)
def test_a_table_is_not_refused_for_its_last_decimals(cells: list[str]) -> None:
    decimals = {len(cell.partition(".")[2]) for cell in cells[:-1]}
    last = len(cells[-1].partition(".")[2])
    if len(decimals) == 1 and last < decimals.pop():
        assert "with fewer decimals than all above" in refusal(as_table(cells))
    else:
        oracle_value(cells)


def oracle_value(cells: list[str]) -> None:
    """Assert that a table is read, and decided as by definition."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        job = Job(Path(folder), as_table(cells), CONFIG)
        assert job.run() == 0
        _, _, signals, ones, _ = oracle.counts(oracle.prices(cells), 3)
        assert job.metrics()["value"] == float(round(Fraction(ones, signals), 4))


@pytest.mark.parametrize("missing", ["skip", "gap"])
@pytest.mark.parametrize("cell", ["", "-"])
def test_a_last_close_that_is_cut_to_nothing_is_not_taken_for_missing(
    tmp_path: Path, missing: str, cell: str
) -> None:
    text = as_table(["1", "2", "3", "4", cell])
    job = Job(tmp_path, text, CONFIG + f"missing: {missing}\n")
    assert job.run() == 65
    assert "not a number as all above and without a line end" in str(job.metrics())


def test_a_symbol_that_is_cut_off_is_no_series_of_its_own(tmp_path: Path) -> None:
    rows = [f"2024-01-0{day},{day},{name}" for day in range(1, 6) for name in ("AAPL", "MSFT")]
    text = "\n".join(["timestamp,close,symbol", *rows])
    job = Job(tmp_path, text[:-2], CONFIG + "columns: {symbol: symbol}\n")
    assert job.run() == 65
    assert "symbol is 'MS', the beginning of another" in str(job.metrics()["error_message"])
