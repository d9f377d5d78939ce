"""Panels that arrays cannot hold to the end, or with large kept numbers. The window is always 2."""

import resource
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from rollsignal.config.settings import Checks
from rollsignal.errors import DataError
from rollsignal.outputs.summary import summary_rows
from tests.support.deciding import decide
from tests.support.frames import BY_COLUMN
from tests.support.shell import ROOT

CONFIG = BY_COLUMN._replace(window=2)
START = datetime(2024, 1, 1)


def panel(path: Path, rows: list[tuple[int, str, object]], start: datetime = START) -> str:
    at = [start + timedelta(minutes=minute) for minute, _, _ in rows]
    symbols, closes = [row[1] for row in rows], [row[2] for row in rows]
    pl.DataFrame({"timestamp": at, "symbol": symbols, "close": closes}).write_parquet(path)
    return str(path)


def summary(paths, config=CONFIG):
    warnings = []
    rows = summary_rows(
        decide(paths, config, lambda level, text: warnings.append(text)).accounts, config
    )
    return {row.symbol: row for row in rows}, warnings


def test_a_kept_margin_does_not_overflow_when_a_later_batch_has_a_finer_scale(tmp_path):
    a = panel(tmp_path / "a", [(1, "A", 2 * 10**18), (2, "A", 1)])
    b = panel(tmp_path / "b", [(3, "B", 5.5), (4, "B", 2.5)])
    rows, _ = summary([a, b])
    assert rows["A"].last_rolling_mean == (2 * 10**18 + 1) / 2


def test_the_first_timestamp_of_a_symbol_new_in_the_batch_that_leaves_the_arrays(tmp_path):
    a = panel(tmp_path / "a", [(1, "A", 1), (2, "A", 2)])
    b = panel(tmp_path / "b", [(3, "B", 5 * 10**18), (4, "B", 2)])
    rows, _ = summary([a, b])
    assert rows["B"].first_timestamp == "2024-01-01T00:03:00Z"


def test_the_first_timestamp_when_the_first_batch_is_out_of_order(tmp_path):
    a = panel(tmp_path / "a", [(1, "A", 1), (2, "A", 2), (1, "A", 3)])
    rows, _ = summary([a], CONFIG._replace(checks=Checks("warn", "warn")))
    assert rows["A"].first_timestamp == "2024-01-01T00:01:00Z"


def test_bars_before_1970_are_not_an_overlap_if_nothing_came_before(tmp_path):
    a = panel(tmp_path / "a", [(1, "A", 1), (2, "A", 2), (2, "A", 2)], datetime(1960, 1, 1))
    _, warnings = summary([a], CONFIG._replace(checks=Checks("warn", "warn")))
    # No second one: "a begins at 1960…, but , which comes before it, ends at 1970".
    assert len(warnings) == 1


def test_an_overlap_of_panel_files_names_both(tmp_path):
    a = panel(tmp_path / "a", [(1, "A", 1), (2, "A", 2)])
    b = panel(tmp_path / "b", [(2, "A", 1), (3, "A", 2)])
    with pytest.raises(DataError) as caught:
        summary([a, b])
    assert f"{b} begins" in caught.value.message
    assert f"but {a}, which" in caught.value.message


def test_two_panels_of_which_one_is_text_that_overlap_name_both(tmp_path):
    a = panel(tmp_path / "a", [(1, "A", 1), (2, "A", 2)])
    b = tmp_path / "b"
    b.write_text("timestamp,symbol,close\n2024-01-01 00:02:00,A,1\n2024-01-01 00:03:00,A,2\n")
    with pytest.raises(DataError) as caught:
        summary([a, str(b)])
    assert f"but {a}, which" in caught.value.message


def test_a_window_far_longer_than_the_rows_is_bad_data_and_no_memory_error(tmp_path):
    panel(tmp_path / "a.parquet", [(1, "A", 1), (2, "A", 2)])
    (tmp_path / "c.yaml").write_text(
        'seed: 1\nwindow: 1000000000\nversion: "v"\ncolumns: {symbol: symbol}\n'
    )
    limit = 6 << 30
    done = subprocess.run(
        [sys.executable, ROOT / "run.py", "--input", "a.parquet", "--config", "c.yaml"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 65, done.stdout


def test_a_symbol_column_of_another_type_is_bad_data(tmp_path):
    for symbols in ([[1], [2]], [b"\xff", b"\xff"]):
        pl.DataFrame({"symbol": symbols, "close": [1.0, 2.0]}).write_parquet(tmp_path / "a")
        with pytest.raises(DataError, match="symbol"):
            decide([str(tmp_path / "a")], CONFIG)


def test_a_time_beyond_64_bits_in_a_panel_that_goes_on_in_arrays(tmp_path):
    a = tmp_path / "a.csv"
    a.write_text("timestamp,symbol,close\n2020-01-01,A,1\n3000-01-01,A,2\n")
    b = panel(tmp_path / "b", [(1, "B", 1), (2, "B", 2)])
    rows, _ = summary([str(a), b])
    assert rows["A"].last_timestamp == "3000-01-01T00:00:00Z"
    assert rows["B"].last_timestamp == "2024-01-01T00:02:00Z"
