"""Other ways to do the job, and lower limits for all of them, each as a whole program.

`python bench/competitors.py NAME KIND PATH [SIGNALS]`. SIGNALS is an .npy file to write: the signal
of every bar that has one, in the order of the rows.
"""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

WINDOW = 5
PANELS = ("panel", "files")
READ_BYTES = 1 << 20


def floor_bytes(kind: str, path: str, signals: str | None) -> object:
    """Read every byte, and do nothing with it."""
    buffer, total = bytearray(READ_BYTES), 0
    for name in _files(path):
        with open(name, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
    return total


def floor_scan(kind: str, path: str, signals: str | None) -> object:
    """Scan with polars, and only sum the closes."""
    import polars as pl

    total = _polars_table(kind, path).select(pl.col("close").sum())
    return total.collect(engine="streaming").item()


def use_polars(kind: str, path: str, signals: str | None) -> object:
    """Decide with polars' rolling mean of doubles, for each symbol if there are several."""
    import polars as pl

    mean = pl.col("close").rolling_mean(WINDOW)
    if kind in PANELS:
        mean = mean.over("symbol")
    signal = (pl.col("close") > mean).alias("signal")
    table = _polars_table(kind, path)
    if signals:
        _save(signals, table.select(signal).collect()["signal"].drop_nulls().to_numpy())
        return signals
    return table.select(signal.mean()).collect().item()


def write_polars(kind: str, path: str, signals: str | None) -> object:
    """Write the columns of `--signals` with polars, with closes and means as doubles."""
    import polars as pl

    close, mean = pl.col("close"), pl.col("close").rolling_mean(WINDOW)
    stamp = pl.col("timestamp")
    if kind == "csv":
        stamp = stamp.str.to_datetime()
    table = _polars_table(kind, path).select(
        stamp, close, mean.alias("rolling_mean"), (close > mean).cast(pl.Int8).alias("signal")
    )
    assert signals
    sink = table.sink_parquet if signals.endswith(".parquet") else table.sink_csv
    return sink(signals)


def use_duckdb(kind: str, path: str, signals: str | None) -> object:
    """Decide with a window function in SQL."""
    import duckdb

    by = "partition by symbol" if kind in PANELS else ""
    order = {"panel": "timestamp, symbol", "files": "symbol, timestamp"}.get(kind, "timestamp")
    decided = f"""
        select close > avg(close) over bars as signal, {order}
        from {_duckdb_table(kind, path)}
        window bars as ({by} order by timestamp rows {WINDOW - 1} preceding)
        qualify count(*) over bars = {WINDOW}"""
    duckdb.sql("set enable_progress_bar = false")
    if signals:
        table = duckdb.sql(f"select signal from ({decided}) order by {order}").fetchnumpy()
        _save(signals, table["signal"])
        return signals
    return duckdb.sql(f"select avg(signal::int) from ({decided})").fetchall()


def use_pandas(kind: str, path: str, signals: str | None) -> object:
    """Run the pandas script for its signals; only the script itself is timed."""
    import runpy

    folder = os.path.dirname(os.path.abspath(__file__))
    config = os.path.join(os.path.dirname(path), f"config-{kind}.yaml")
    sys.argv[1:] = ["--input", path, "--config", config, "--output", os.devnull]
    sys.argv += ["--log-file", os.devnull]
    script = runpy.run_path(os.path.join(folder, "pandas_script.py"))
    _save(str(signals), script["signal"].to_numpy())
    return signals


def _files(path: str) -> list[str]:
    if not os.path.isdir(path):
        return [path]
    return [os.path.join(path, name) for name in sorted(os.listdir(path))]


def _polars_table(kind: str, path: str) -> "pl.LazyFrame":
    import polars as pl

    if path.endswith(".parquet"):
        return pl.scan_parquet(path)
    return pl.scan_csv(_files(path), include_file_paths="symbol" if kind == "files" else None)


def _duckdb_table(kind: str, path: str) -> str:
    """Return the table in SQL; for many files the types are declared, or each would be guessed."""
    if kind != "files":
        return f"'{path}'"
    numbers = ["open", "high", "low", "close", "volume_btc", "volume_usd"]
    columns = {"timestamp": "TIMESTAMP"} | dict.fromkeys(numbers, "DOUBLE")
    declared = f"auto_detect=false, header=true, columns={columns}"
    return f"read_csv('{path}/*.csv', filename='symbol', {declared})"


def _save(path: str, signals: object) -> None:
    import numpy as np

    np.save(path, np.asarray(signals, np.bool_))


PROGRAMS = {
    "reading the bytes": floor_bytes,
    "polars scan": floor_scan,
    "polars": use_polars,
    "polars writes": write_polars,
    "DuckDB": use_duckdb,
    "pandas script": use_pandas,
}

if __name__ == "__main__":
    name, kind, path, *signals = sys.argv[1:]
    print(PROGRAMS[name](kind, path, signals[0] if signals else None))
