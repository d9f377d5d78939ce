"""`python -m bench.figures` measures `sweep` and `evaluate`, beside a loop over pandas.

It prints CPU seconds, peak memory beyond the closes, and ratios of one run; vectorbt is measured
too where it is installed. `make bench` ends with it.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.data import ROOT
from rollsignal.analysis.decided_run import decided_run
from rollsignal.analysis.sweep import sweep

BARS, WINDOWS = 1_000_000, range(2, 201)
SYMBOLS, DAYS = 5_000, 2_520
MINUTE_NS, DAY_NS = 60 * 10**9, 86_400 * 10**9


def main() -> None:
    """Measure, and print a line for each figure."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        one = _decided(folder / "one", _bars(1, BARS, MINUTE_NS))
        many = _decided(folder / "many", _bars(SYMBOLS, DAYS, DAY_NS))
        _sweeps(str(one))
        for what, signals, most_s in (
            (f"{BARS:,} bars", one, 3),
            (f"{SYMBOLS:,} x {DAYS:,} bars", many, 20),
        ):
            seconds, peak = _command_cost("evaluate", str(signals), "--json")
            print(f"evaluate, {what}: {seconds:.2f} s of CPU (target {most_s}), {peak:.0f} MB")


def _bars(symbols: int, bars: int, step_ns: int) -> pl.DataFrame:
    """Draw random walks in cents."""
    generator = np.random.default_rng(1)
    moves = generator.integers(-30, 31, (bars, symbols), dtype=np.int64)
    closes = 4_200_000 + np.cumsum(moves, axis=0)
    return pl.DataFrame(
        {
            "timestamp": np.repeat(np.arange(bars) * step_ns, symbols),
            "symbol": np.tile([f"S{number:04}" for number in range(symbols)], bars),
            "close": closes.ravel() / 100,
        }
    ).with_columns(pl.from_epoch("timestamp", time_unit="ns"))


def _decided(folder: Path, bars: pl.DataFrame) -> Path:
    """Decide bars with a window of 20; return the signals."""
    folder.mkdir()
    bars.write_parquet(folder / "bars.parquet")
    (folder / "config.yaml").write_text("seed: 1\nwindow: 20\nversion: v\n")
    paths = {"input": "bars.parquet", "config": "config.yaml", "signals": "signals.parquet"}
    paths |= {"output": "metrics.json", "log-file": "run.log"}
    flags = [f"--{flag}={folder / path}" for flag, path in paths.items()]
    command = [sys.executable, "-m", "rollsignal", "run", *flags]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    return folder / "signals.parquet"


def _sweeps(signals: str) -> None:
    run = decided_run(signals)
    before = _peak_mb()
    ours = _cpu(lambda: sweep(run, WINDOWS))
    beyond = _peak_mb() - before
    closes = run.series[0].closes / 100
    others: dict[str, tuple[Callable[[NDArray[np.float64]], object], float]]
    others = {"pandas loop": (_pandas_loop, 0.15)}
    if find_spec("vectorbt"):
        others["vectorbt"] = (_vectorbt, 0.03)
    print(f"sweep, {len(WINDOWS)} windows x {BARS:,} closes: {ours:.2f} s of CPU,", end=" ")
    print(f"{beyond:.0f} MB beyond the closes (target 64)")
    for name, (call, most) in others.items():
        seconds = _cpu(partial(call, closes))
        print(f"sweep / {name}: {ours / seconds:.3f} (target {most}), {seconds:.1f} s of CPU")


def _pandas_loop(closes: NDArray[np.float64]) -> object:
    """Count ones and trades for each window, and add up what is held from the next bar on."""
    import pandas as pd

    series = pd.Series(closes)
    logs = pd.Series(np.log(closes)).diff()
    rows = []
    for window in WINDOWS:
        signals = series > series.rolling(window).mean()
        held = signals.shift(2, fill_value=False)
        rows.append((signals.sum(), (held != held.shift(1)).sum(), logs[held].sum()))
    return rows


def _vectorbt(closes: NDArray[np.float64]) -> object:
    means = import_module("vectorbt").MA.run(closes, window=list(WINDOWS))
    below: object = means.ma_below(closes).sum()
    return below


def _command_cost(*arguments: str) -> tuple[float, float]:
    """Run a command of rollsignal; return its seconds of CPU, and its peak in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "rollsignal", *arguments]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return seconds, after.ru_maxrss / 1e3


def _cpu(call: Callable[[], object]) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
