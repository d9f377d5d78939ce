"""The tables that are measured, made once and kept in bench/data, which git ignores.

All have the same bars, so that they have the same signals: `csv`, `gz` and `parquet` are one
series; `panel` and `files` cut it into series of equal length that all begin at the same minute.
`python -m bench.data KIND ROWS` makes a table. The name of their folder is a hash of the code that
makes them, so that no table is older than the code.
"""

import gzip
import hashlib
import os
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parent.parent
MADE_BY = ("bench/data.py", "bench/oracle.py", "rollsignal/commands/sample.py")
LAYOUT = hashlib.sha256(b"".join((ROOT / path).read_bytes() for path in MADE_BY)).hexdigest()[:8]
FOLDER = ROOT / "bench/data" / LAYOUT
MOST_SERIES = 5_000
LEAST_BARS = {"panel": 200, "files": 2_000}
STAMP_CHARS = len("2024-01-01 00:00:00")

SUFFIXES = {"csv": ".csv", "gz": ".csv.gz", "parquet": ".parquet", "panel": ".parquet", "files": ""}
SYMBOLS = {"panel": "columns: {symbol: symbol}\n", "files": "columns: {symbol: {from: filename}}\n"}


def series(kind: str, rows: int) -> int:
    """Return how many series a table has."""
    return min(MOST_SERIES, rows // LEAST_BARS[kind]) if kind in SYMBOLS else 1


def path_of(kind: str, rows: int) -> Path:
    """Return the path of a table's file, or of its folder of files."""
    return FOLDER / f"{kind if kind in SYMBOLS else 'bars'}-{rows}{SUFFIXES[kind]}"


def table(kind: str, rows: int) -> Path:
    """Return a table of `rows` one-minute bars; if it is missing, a process of its own makes it."""
    path = path_of(kind, rows)
    if not path.exists():
        print(f"making {path.name}", flush=True)
        command = [sys.executable, "-m", "bench.data", kind, str(rows)]
        subprocess.run(command, check=True, cwd=ROOT)
    return path


def config(kind: str) -> Path:
    """Return a config for such a table."""
    _make_room()
    path = FOLDER / f"config-{kind}.yaml"
    path.write_text('seed: 42\nwindow: 5\nversion: "bench"\n' + SYMBOLS.get(kind, ""))
    return path


def _make_room() -> None:
    """Make the folder, and remove the tables of other versions of the code."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path in FOLDER.parent.iterdir():
        if path.is_dir() and path != FOLDER:
            shutil.rmtree(path)
        elif not path.is_dir():
            path.unlink()


def _make(kind: str, rows: int) -> None:
    """Make a table under another name first, so that its own name never has a part of it."""
    _make_room()
    path = path_of(kind, rows)
    unfinished = path.with_name(path.name + ".part")
    if kind == "csv":
        _write_csv(unfinished, rows)
    else:
        source, count = table("csv", rows), series(kind, rows)
        if kind == "gz":
            _write_gz(unfinished, source)
        elif kind == "parquet":
            _write_parquet(unfinished, source)
        elif kind == "panel":
            _write_panel(unfinished, source, count)
        else:
            _write_files(unfinished, source, count)
    os.replace(unfinished, path)


def _write_csv(path: Path, rows: int) -> None:
    from rollsignal.commands.sample import sample_csv

    with path.open("w") as file:
        file.writelines(sample_csv(rows, seed=42))


def _write_gz(path: Path, source: Path) -> None:
    with source.open("rb") as file, gzip.open(path, "wb", compresslevel=6) as packed:
        shutil.copyfileobj(file, packed, 1 << 20)


def _write_parquet(path: Path, source: Path) -> None:
    import polars as pl

    pl.scan_csv(source, try_parse_dates=True).sink_parquet(path)


def _write_panel(path: Path, source: Path, count: int) -> None:
    """Write the series interleaved: the first bar of each, then the second of each."""
    import numpy as np
    import polars as pl

    bars = pl.read_csv(source, columns=["timestamp", "close"], try_parse_dates=True)
    minutes = bars.height // count
    symbols = pl.Series([f"S{number:04}" for number in range(count)])
    panel = pl.DataFrame(
        {
            "symbol": symbols.gather(np.tile(np.arange(count), minutes)),
            "timestamp": bars["timestamp"].gather(np.repeat(np.arange(minutes), count)),
            "close": bars["close"].to_numpy().reshape(count, minutes).T.reshape(-1),
        }
    )
    panel.write_parquet(path)


def _write_files(folder: Path, source: Path, count: int) -> None:
    """Write each series to its own file, with the times of the first."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with source.open() as file:
        header = next(file)
        stamps: list[str] = []
        for number in range(count):
            lines = list(islice(file, LEAST_BARS["files"]))
            stamps = stamps or [line[:STAMP_CHARS] for line in lines]
            rows = (stamp + line[STAMP_CHARS:] for stamp, line in zip(stamps, lines, strict=True))
            (folder / f"S{number:04}.csv").write_text(header + "".join(rows))


if __name__ == "__main__":
    _make(sys.argv[1], int(sys.argv[2]))
