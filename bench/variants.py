"""Runs beside a plain run of the same bars: what it costs to write signals, or to need more digits.

Each is a case of its own kind: the run that is looked at is rollsignal's, the plain run is the
other program.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from bench import data

PLAIN, POLARS_WRITES, SCANNED = "without", "polars, the same columns", "polars scan"
SCALES = (18, 2)
LONG_WINDOW = 3_000_000


class Variant(NamedTuple):
    """A title, the table, the other programs, and a function that returns commands by program.

    It receives our name, the number of rows and a folder for outputs.
    """

    title: str
    table: str
    others: tuple[str, ...]
    commands: Callable[[str, int, Path], dict[str, list[str]]]


def _run(table: Path, kind: str, folder: Path, *more: str, window: int | None = None) -> list[str]:
    config = data.config(kind)
    if window is not None:
        text = config.read_text().replace("window: 5", f"window: {window}")
        config = folder / f"window-{window}.yaml"
        config.write_text(text)
    flags = ["--input", str(table), "--config", str(config)]
    flags += ["--output", f"{folder}/metrics.json", "--log-file", f"{folder}/run.log"]
    return [sys.executable, str(data.ROOT / "run.py"), *flags, *more]


def _signals(kind: str, suffix: str) -> Callable[[str, int, Path], dict[str, list[str]]]:
    def commands(ours: str, rows: int, folder: Path) -> dict[str, list[str]]:
        table = data.table(kind, rows)
        return {
            ours: _run(table, kind, folder, "--signals", f"{folder}/signals{suffix}"),
            PLAIN: _run(table, kind, folder),
            POLARS_WRITES: [
                *(sys.executable, str(data.ROOT / "bench/competitors.py"), "polars writes"),
                *(kind, str(table), f"{folder}/theirs{suffix}"),
            ],
        }

    return commands


def _workers(kind: str) -> Callable[[str, int, Path], dict[str, list[str]]]:
    def commands(ours: str, rows: int, folder: Path) -> dict[str, list[str]]:
        table = data.table(kind, rows)
        scan = [str(data.ROOT / "bench/competitors.py"), SCANNED, kind, str(table)]
        return {
            ours: _run(table, kind, folder, "--workers", "2"),
            PLAIN: _run(table, kind, folder, "--workers", "1"),
            SCANNED: [sys.executable, *scan],
        }

    return commands


def _decimals(ours: str, rows: int, folder: Path) -> dict[str, list[str]]:
    import polars as pl

    tables = []
    for scale in SCALES:
        path = data.path_of("parquet", rows).with_name(f"bars-{rows}-decimals-{scale}.parquet")
        if not path.exists():
            close = pl.col("close").cast(pl.Decimal(18, 2)).cast(pl.Decimal(38, scale))
            table = pl.scan_parquet(data.table("parquet", rows)).select("timestamp", close)
            table.sink_parquet(path)
        tables.append(path)
    wide, narrow = (_run(path, "parquet", folder) for path in tables)
    return {ours: wide, PLAIN: narrow}


def _long_window(ours: str, rows: int, folder: Path) -> dict[str, list[str]]:
    table = data.table("parquet", rows)
    window = min(LONG_WINDOW, rows // 2)
    return {
        ours: _run(table, "parquet", folder, window=window),
        PLAIN: _run(table, "parquet", folder, window=20),
    }


def _first_night(ours: str, rows: int, folder: Path) -> dict[str, list[str]]:
    table = data.table("panel", rows)
    night = ["--state", f"{folder}/night.state", "--signals", f"{folder}/signals.parquet"]
    # Without a state there is nothing to continue.
    first = ["/bin/sh", "-c", 'rm -f "$0" && exec "$@"', f"{folder}/night.state"]
    return {
        ours: [*first, *_run(table, "panel", folder, *night)],
        PLAIN: _run(table, "panel", folder),
    }


WORKERS = {"csv": "two workers on CSV", "parquet": "two workers on Parquet"}
VARIANTS = {
    "signals in Parquet of CSV": Variant(
        "CSV, with --signals in Parquet", "csv", (PLAIN, POLARS_WRITES), _signals("csv", ".parquet")
    ),
    "signals in CSV of CSV": Variant(
        "CSV, with --signals in CSV", "csv", (PLAIN, POLARS_WRITES), _signals("csv", ".csv")
    ),
    "signals in Parquet": Variant(
        "Parquet, with --signals in Parquet",
        "parquet",
        (PLAIN, POLARS_WRITES),
        _signals("parquet", ".parquet"),
    ),
    "decimals": Variant(
        "Parquet, decimal(38, 18) beside decimal(38, 2)", "parquet", (PLAIN,), _decimals
    ),
    "long window": Variant(
        "Parquet, a window of 3 million beside one of 20", "parquet", (PLAIN,), _long_window
    ),
    "first night": Variant(
        "Parquet, series interleaved, with --state and --signals", "panel", (PLAIN,), _first_night
    ),
    WORKERS["csv"]: Variant(
        "CSV, two workers beside one process", "csv", (PLAIN, SCANNED), _workers("csv")
    ),
    WORKERS["parquet"]: Variant(
        "Parquet, two workers beside one process", "parquet", (PLAIN, SCANNED), _workers("parquet")
    ),
}
