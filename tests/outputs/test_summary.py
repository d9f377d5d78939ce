"""The summary: one row per symbol, the same in every format, exact, and safe in spreadsheets."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.kernel import Account, Carry, LastBar, Tally, advance
from rollsignal.core.ticks import parse_closes
from rollsignal.errors import UsageError
from rollsignal.outputs.signals.forms import FORMULA_STARTS, escape_formula
from rollsignal.outputs.summary import (
    SUMMARY_SUFFIXES,
    SummaryRow,
    rendered,
    summary_rows,
    summary_suffix,
)
from tests.support.shell import Job, error
from tests.support.tables import CONFIG

NAMES = [
    *("symbol", "rows", "signals", "ones", "signal_rate", "ties", "first_timestamp"),
    *("last_timestamp", "last_close", "last_rolling_mean", "last_signal"),
]
ZERO = CONFIG._replace(warmup="zero")
counts = st.integers(0, 2**40)
symbols = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r"), max_size=8),
    st.sampled_from(["=1+1", "+5", "-BTC", "@x", "a,b", 'say "x"', "two\nlines", "\t=1", "é", ""]),
)


@st.composite
def rows(draw: DrawFn) -> SummaryRow:
    """Draw a row with or without answers."""
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    texts = st.sampled_from(["2024-01-01T00:00:00Z", "1970-01-01T00:00:00.000000001Z"])
    closes = st.decimals(allow_nan=False, allow_infinity=False).map(lambda close: f"{close:f}")
    return SummaryRow(
        draw(symbols),
        draw(counts),
        draw(counts),
        draw(counts),
        draw(st.none() | st.floats(0, 1)),
        draw(counts),
        draw(st.none() | texts),
        draw(st.none() | texts),
        draw(st.none() | closes),
        draw(st.none() | numbers),
        draw(st.none() | st.integers(0, 1)),
    )


def from_csv(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode(), newline="")))


def written(value: object) -> str:
    return "" if value is None else str(value)


@given(st.lists(rows(), max_size=5))
def test_every_format_holds_every_answer_exactly(drawn: list[SummaryRow]) -> None:
    assert [SummaryRow(**row) for row in json.loads(rendered(drawn, ".json"))] == drawn
    frame = pl.read_parquet(io.BytesIO(rendered(drawn, ".parquet")))
    assert [SummaryRow(*row) for row in frame.rows()] == drawn
    lines = from_csv(rendered(drawn, ".csv"))
    assert lines == [
        {name: written(value) for name, value in row._asdict().items()}
        | {"symbol": escape_formula(row.symbol)}
        for row in drawn
    ]
    for line, row in zip(lines, drawn, strict=True):
        for name in ("signal_rate", "last_rolling_mean"):
            value = getattr(row, name)
            assert (float(line[name]) if line[name] else None) == value


@given(st.lists(rows(), max_size=5))
def test_the_same_rows_are_the_same_bytes(drawn: list[SummaryRow]) -> None:
    for suffix in SUMMARY_SUFFIXES:
        assert rendered(drawn, suffix) == rendered(list(drawn), suffix)


@pytest.mark.parametrize("suffix", SUMMARY_SUFFIXES)
def test_an_empty_summary_still_has_its_columns(suffix: str) -> None:
    data = rendered([], suffix)
    if suffix == ".json":
        assert data == b"[]\n"
    elif suffix == ".csv":
        assert data == ",".join(NAMES).encode() + b"\n"
    else:
        assert pl.read_parquet(io.BytesIO(data)).columns == NAMES


def test_the_columns_have_one_type_whatever_is_in_them() -> None:
    empty = SummaryRow("", 0, 0, 0, None, 0, None, None, None, None, None)
    full = SummaryRow("A", 1, 1, 1, 1.0, 0, "t", "t", "1", 1.0, 1)
    schemas = [
        pl.read_parquet(io.BytesIO(rendered(drawn, ".parquet"))).schema
        for drawn in ([], [empty], [full], [empty] * 200 + [full])
    ]
    text, count, number = pl.String(), pl.Int64(), pl.Float64()
    types = [text, count, count, count, number, count, text, text, text, number, count]
    assert schemas == [dict(zip(NAMES, types, strict=True))] * 4


@given(symbols)
def test_a_symbol_that_a_spreadsheet_would_run_is_escaped_only_in_csv(symbol: str) -> None:
    row = SummaryRow(symbol, 1, 0, 0, None, 0, None, None, "-5", None, None)
    (line,) = from_csv(rendered([row], ".csv"))
    assert not line["symbol"].startswith(FORMULA_STARTS)
    assert line["symbol"].removeprefix("'" if symbol.startswith(FORMULA_STARTS) else "") == symbol
    assert line["last_close"] == "-5"
    assert json.loads(rendered([row], ".json"))[0]["symbol"] == symbol
    assert pl.read_parquet(io.BytesIO(rendered([row], ".parquet")))["symbol"].item() == symbol


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t"])
def test_every_sign_that_begins_a_formula_is_escaped(start: str) -> None:
    assert escape_formula(f"{start}SUM(A1)") == f"'{start}SUM(A1)"
    assert escape_formula(f"A{start}1") == f"A{start}1"


def test_a_carriage_return_does_not_break_the_row() -> None:
    assert escape_formula("\rA\rB") == "'\\rA\\rB"


def row_of(cells: list[str], **changes: object) -> SummaryRow:
    """Return the summary of a series with these closes."""
    decided, carry = advance(Carry(CONFIG.window), parse_closes(cells))
    account = Account(carry, decided.tally, decided.last(CONFIG.window))
    # Any field may be changed.
    (row,) = summary_rows({"A": account._replace(**changes)}, CONFIG)  # type: ignore[arg-type]
    return row


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("100.10", "100.1"),
        ("-7.25", "-7.25"),
        ("-0.005", "-0.005"),
        ("-0", "0"),
        ("0.000", "0"),
        ("1e2", "100"),
        ("1e-30", "0." + "0" * 29 + "1"),
        ("12345678901234567890.123456789", "12345678901234567890.123456789"),
        ("9" * 300 + "." + "3" * 300, "9" * 300 + "." + "3" * 300),
        ("1e307", "1" + "0" * 307),
        ("1e-400", "0." + "0" * 399 + "1"),
        ("0." + "1" * 3999, "0." + "1" * 3999),
    ],
)
def test_the_last_close_is_written_exactly(cell: str, text: str) -> None:
    assert row_of([cell]).last_close == text
    assert row_of(["0.123", "1", cell]).last_close == text


@given(st.decimals(-(10**20), 10**20, allow_nan=False, places=12))
def test_the_last_close_is_the_number_that_was_read(close: Decimal) -> None:
    text = row_of([f"{close:f}"]).last_close
    assert text is not None
    assert Decimal(text) == close
    assert not ("." in text and text.endswith("0"))


def test_what_is_not_known_of_a_symbol_is_none() -> None:
    assert row_of(["1", "2"]) == SummaryRow("A", 2, 0, 0, None, 0, None, None, "2", None, None)
    assert row_of(["1", "2", "3", ""])[-3:] == (None, None, None)
    nothing = Account(Carry(CONFIG.window))
    assert summary_rows({"A": nothing}, CONFIG) == summary_rows({"A": nothing}, ZERO)
    assert summary_rows({"A": nothing}, CONFIG)[0][1:] == (0, 0, 0, None, 0, *[None] * 5)


def test_a_rate_counts_warm_up_as_the_config_says() -> None:
    account = Account(Carry(3), Tally(rows=8, signals=6, ones=1))
    assert summary_rows({"A": account}, CONFIG)[0].signal_rate == 0.1667
    assert summary_rows({"A": account}, ZERO)[0].signal_rate == 0.125
    short = Account(Carry(3), Tally(rows=2))
    assert summary_rows({"A": short}, ZERO)[0].signal_rate == 0.0


def test_the_last_mean_and_signal_are_those_of_the_last_bar() -> None:
    assert row_of(["1", "1", "2"])[-3:] == ("2", 4 / 3, 1)
    assert row_of(["2", "2", "2"])[-3:] == ("2", 2.0, 0)
    last = Account(Carry(3), Tally(3, 0, 1, 0, 1), LastBar(10, 0, 1, 3))
    assert summary_rows({"A": last}, CONFIG)[0][-3:] == ("1", 1.0, 0)


def test_timestamps_are_written_to_the_nanosecond() -> None:
    row = row_of(["1"], first_ns=-1, last_ns=86_400_500_000_000)
    assert (row.first_timestamp, row.last_timestamp) == (
        "1969-12-31T23:59:59.999999999Z",
        "1970-01-02T00:00:00.5Z",
    )
    assert row_of(["1"], first_ns=0, last_ns=0).first_timestamp == "1970-01-01T00:00:00Z"


@given(st.lists(symbols, unique=True))
def test_rows_are_sorted_by_symbol(names: list[str]) -> None:
    accounts = {name: Account(Carry(3)) for name in names}
    assert [row.symbol for row in summary_rows(accounts, CONFIG)] == sorted(names)


@pytest.mark.parametrize(
    ("path", "suffix"),
    [("s.csv", ".csv"), ("a.b/S.JSON", ".json"), ("x.csv.Parquet", ".parquet")],
)
def test_the_suffix_decides_the_format_of_a_summary(path: str, suffix: str) -> None:
    assert summary_suffix(path) == suffix


@pytest.mark.parametrize("path", ["s", "s.txt", "s.csv.gz", "csv", ".csv", "s.csv ", "", "s.xlsx"])
def test_any_other_suffix_is_a_usage_error(path: str) -> None:
    with pytest.raises(UsageError, match=r"must end in one of \.csv, \.json, \.parquet$"):
        summary_suffix(path)


def test_a_run_with_an_unknown_suffix_leaves_the_existing_file(tmp_path: Path) -> None:
    job, path = Job(tmp_path), tmp_path / "summary.txt"
    path.write_text("mine")
    assert job.run(f"--summary={path}") == UsageError.exit_code
    assert path.read_text() == "mine"
    what = f"--summary {path} must end in one of .csv, .json, .parquet"
    assert job.metrics() == error("v1", what)


@pytest.mark.parametrize("suffix", SUMMARY_SUFFIXES)
def test_a_run_leaves_the_summary_beside_its_metrics(tmp_path: Path, suffix: str) -> None:
    job, path = Job(tmp_path), tmp_path / "deep" / f"summary{suffix}"
    assert job.run(f"--summary={path}") == 0
    expected = SummaryRow("", 8, 7, 4, 0.5714, 1, None, None, "4", 2.5, 1)
    assert path.read_bytes() == rendered([expected], suffix)


def test_a_run_that_fails_leaves_no_summary_of_an_earlier_one(tmp_path: Path) -> None:
    job, path = Job(tmp_path, bars="close\n1\n2\nx\n"), tmp_path / "summary.csv"
    path.write_text("old")
    assert job.run(f"--summary={path}") != 0
    assert not path.exists()
