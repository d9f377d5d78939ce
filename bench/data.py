"""The files that are measured, made once and kept in bench/data, which git ignores."""

import os
from collections.abc import Callable
from pathlib import Path

FOLDER = Path(__file__).parent / "data"
SYMBOLS = 5_000


def table(rows: int) -> Path:
    """Return a CSV of so many one-minute bars."""
    return _made(f"bars-{rows}.csv", lambda path: _write_csv(path, rows))


def parquet(rows: int) -> Path:
    """Return the same bars as Parquet."""
    return _made(f"bars-{rows}.parquet", lambda path: _write_parquet(path, table(rows)))


def panel(rows: int) -> Path:
    """Return so many bars of 5,000 symbols, interleaved, as Parquet."""
    return _made(f"panel-{rows}.parquet", lambda path: _write_panel(path, table(rows)))


def config(symbol: bool) -> Path:
    """Return a config, with the symbol column or without."""
    text = 'seed: 42\nwindow: 5\nversion: "bench"\n'
    if symbol:
        text += "columns: {symbol: symbol}\n"
    path = FOLDER / f"config-{symbol}.yaml"
    FOLDER.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def _made(name: str, make: Callable[[Path], None]) -> Path:
    path = FOLDER / name
    if not path.exists():
        FOLDER.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".part")
        make(unfinished)
        os.replace(unfinished, path)
    return path


def _write_csv(path: Path, rows: int) -> None:
    from rollsignal.sample import sample_csv

    with path.open("w") as file:
        file.writelines(sample_csv(rows, seed=42))


def _write_parquet(path: Path, source: Path) -> None:
    import polars as pl

    pl.scan_csv(source, try_parse_dates=True).sink_parquet(path)


def _write_panel(path: Path, source: Path) -> None:
    import polars as pl

    row = pl.int_range(pl.len())
    bars = pl.scan_csv(source, try_parse_dates=True).select(
        pl.format("S{}", row % SYMBOLS).alias("symbol"),
        pl.col("timestamp").gather(row // SYMBOLS),
        pl.col("close"),
    )
    bars.collect().write_parquet(path)
