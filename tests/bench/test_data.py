"""The tables of the bench have the same bars in every format."""

from pathlib import Path

import polars as pl
import pytest

from bench import competitors, data
from rollsignal.commands.sample import sample_csv

ROWS = 3 * data.LEAST_BARS["files"]


def source(folder: Path) -> Path:
    path = folder / "bars.csv"
    path.write_text("".join(sample_csv(ROWS, seed=42)))
    return path


def test_every_form_of_one_series_has_the_same_bars(tmp_path: Path) -> None:
    bars = source(tmp_path)
    data._write_gz(tmp_path / "bars.csv.gz", bars)
    data._write_parquet(tmp_path / "bars.parquet", bars)
    expected = pl.read_csv(bars, try_parse_dates=True)
    assert pl.read_csv(tmp_path / "bars.csv.gz", try_parse_dates=True).equals(expected)
    assert pl.read_parquet(tmp_path / "bars.parquet").equals(expected)


def test_panels_cut_the_bars_into_series_that_begin_together(tmp_path: Path) -> None:
    bars = pl.read_csv(source(tmp_path), try_parse_dates=True)
    data._write_panel(tmp_path / "panel.parquet", tmp_path / "bars.csv", 3)
    data._write_files(tmp_path / "files", tmp_path / "bars.csv", 3)
    panel = pl.read_parquet(tmp_path / "panel.parquet")
    assert panel["symbol"].head(4).to_list() == ["S0000", "S0001", "S0002", "S0000"]
    for number in range(3):
        symbol = f"S{number:04}"
        closes = bars["close"].slice(number * (ROWS // 3), ROWS // 3)
        times = bars["timestamp"].head(ROWS // 3)
        series = panel.filter(symbol=symbol)
        file = pl.read_csv(tmp_path / f"files/{symbol}.csv", try_parse_dates=True)
        for table in (series, file):
            assert table["close"].equals(closes)
            assert table["timestamp"].equals(times)


def test_tables_of_other_code_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "FOLDER", tmp_path / "data" / data.LAYOUT)
    kept = data.config("csv")
    (tmp_path / "data/old").mkdir()
    (tmp_path / "data/old/bars-100.csv").write_text("close\n1\n")
    (tmp_path / "data/bars-100.csv").write_text("close\n1\n")
    assert data.config("csv") == kept
    assert list((tmp_path / "data").iterdir()) == [kept.parent]


def test_polars_gives_its_signals_in_the_order_of_the_rows(tmp_path: Path) -> None:
    """The mean of whole numbers is not rounded, so that polars is right too."""
    closes = [5, 7, 3, 9, 1, 8, 2, 2, 2, 2, 2, 3, 1, 4]
    minutes = [f"2024-01-01 00:{minute:02}:00" for minute in range(7)]
    panel = pl.DataFrame(
        {"symbol": ["a", "b"] * 7, "timestamp": sorted(minutes * 2), "close": closes}
    )
    panel.write_parquet(tmp_path / "panel.parquet")
    competitors.use_polars("panel", str(tmp_path / "panel.parquet"), str(tmp_path / "found.npy"))
    import numpy as np

    expected = [
        5 * series[at] > sum(series[at - 4 : at + 1])
        for at in range(4, 7)
        for series in (closes[::2], closes[1::2])
    ]
    assert np.load(tmp_path / "found.npy").tolist() == expected
