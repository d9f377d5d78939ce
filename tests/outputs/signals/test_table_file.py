"""Parquet and Arrow IPC files of signals: their types, and the thread that writes them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import pytest

from rollsignal.outputs.signals import forms, held
from rollsignal.outputs.signals.writer import Signals
from tests.support import oracle
from tests.support.deciding import begun, rows_of
from tests.support.shell import ENVIRONMENT, ROOT, Job

CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\n'
SUFFIXES = [".parquet", ".arrow"]
LONG = "123456789012345678901234567890.123456789"
MINUTES = [f"2024-01-01T00:{minute:02d}:00" for minute in range(40)]


def table(folder: Path, rows: list[tuple[str, str]], suffix: str) -> pl.DataFrame:
    """Run over these timestamps and closes, and read the signals."""
    job = Job(folder, config=CONFIG)
    job.input.write_text("timestamp,close\n" + "".join(f"{time},{close}\n" for time, close in rows))
    path = folder / f"signals{suffix}"
    assert job.run(f"--signals={path}") == 0
    assert not list(folder.glob(".*"))
    return pl.read_parquet(path) if suffix == ".parquet" else pl.read_ipc(path)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("group", [3, 1000])
@pytest.mark.parametrize(
    ("number", "time", "close", "types"),
    [
        (0, "", "1.5", ("us", 1)),
        (20, "2024-01-01T00:20:00.000001", "1.25", ("us", 2)),
        (20, "2024-01-01T00:20:00.000000001", "3", ("ns", 1)),
        (39, "2300-01-01T00:00:00", "3", (None, 1)),
        (39, "", "0.000000000000000000000000000000000001", ("us", 36)),
        (
            20,
            "2024-01-01T00:20:00.000000001",
            "123456789012345678901234567890.123456789",
            ("ns", None),
        ),
    ],
)
def test_columns_have_the_narrowest_type_that_holds_all_values(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    suffix: str,
    group: int,
    number: int,
    time: str,
    close: str,
    types: tuple[str | None, int | None],
) -> None:
    """One odd row decides, wherever it comes, and however many rows were already written."""
    monkeypatch.setattr(forms, "GROUP_ROWS", group)
    rows = [(stamp, f"{10 + index % 7}.5") for index, stamp in enumerate(MINUTES)]
    rows[number] = (time or rows[number][0], close)
    frame = table(tmp_path, rows, suffix)
    unit, decimals = types
    assert frame["timestamp"].dtype == (pl.Datetime(unit, "UTC") if unit else pl.String)  # type: ignore[arg-type]
    assert frame["close"].dtype == (pl.String if decimals is None else pl.Decimal(38, decimals))
    prices = oracle.prices([close for _, close in rows])
    assert [oracle.price(str(close)) for close in frame["close"]] == prices
    assert frame["signal"].to_list() == oracle.signals(prices, 3)
    assert frame["rolling_mean"].to_list() == oracle.means(prices, 3)


def test_a_file_that_is_given_up_leaves_neither_files_nor_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forms, "GROUP_ROWS", 2)
    monkeypatch.setattr(held, "HELD_ROWS", 1)
    threads = set(threading.enumerate())
    with begun(Signals(str(tmp_path / "signals.parquet"), 1)) as signals:
        part = signals.part()
        for _ in range(9):
            part.take(rows_of([1, 2, 3], 0))
        assert len(set(threading.enumerate()) - threads) == 1
        signals.begin_again()
        assert set(threading.enumerate()) <= threads
        part = signals.part()
        part.take(rows_of([1, 2, 3], 0))
    assert set(threading.enumerate()) <= threads
    assert os.listdir(tmp_path) == []


# A run whose disk becomes full while a thread writes.
FULL = """
import resource, sys
sys.path.insert(0, sys.argv[1])
from rollsignal.cli.main import main
from rollsignal.outputs.signals import forms, held
forms.GROUP_ROWS = 50
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
sys.exit(main(["run", "-q", *sys.argv[2:]]))
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_disk_that_is_full_while_the_file_is_written_ends_the_run(
    tmp_path: Path, suffix: str
) -> None:
    job = Job(tmp_path, config=CONFIG)
    rows = [
        f"2024-01-01T{n // 3600:02d}:{n // 60 % 60:02d}:{n % 60:02d},{n % 997}" for n in range(9000)
    ]
    job.input.write_text("timestamp,close\n" + "\n".join(rows))
    line = [
        sys.executable,
        "-c",
        FULL,
        str(ROOT),
        *job.arguments(f"--signals={tmp_path}/s{suffix}"),
    ]
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 74
    assert "Output could not be written: " in done.stdout
    assert sorted(os.listdir(tmp_path)) == ["bars.csv", "config.yaml", "metrics.json", "run.log"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_single_thread_of_polars_reads_and_writes_at_once(tmp_path: Path, suffix: str) -> None:
    job = Job(tmp_path, config=CONFIG)
    closes = pl.DataFrame({"close": [float(n % 997) for n in range(400_000)]})
    closes.write_parquet(job.input)
    path = tmp_path / f"s{suffix}"
    line = [sys.executable, "-m", "rollsignal", "run", "-q", *job.arguments(f"--signals={path}")]
    environment = ENVIRONMENT | {"POLARS_MAX_THREADS": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(line, env=environment, check=False, timeout=60, capture_output=True)
    assert done.returncode == 0, done.stderr
    signals = pl.read_parquet(path) if suffix == ".parquet" else pl.read_ipc(path)
    assert signals["close"].cast(pl.Float64).equals(closes["close"])
