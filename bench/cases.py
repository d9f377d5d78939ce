"""The cases of the bench: tables of several kinds and sizes, and the programs for each."""

import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

from bench import data, night
from bench.processes import Run, measure, side_by_side
from bench.variants import VARIANTS, WORKERS

OURS, SCRIPT, EMPTY = "rollsignal", "pandas script", "empty Python"
BYTES, SCAN = "reading the bytes", "polars scan"
ONE_SERIES = (SCRIPT, "polars", "DuckDB", SCAN, BYTES)
MANY_SERIES = ("polars", "DuckDB", SCAN, BYTES)
SIZES = {
    "10 thousand": 10_000,
    "1 million": 1_000_000,
    "10 million": 10_000_000,
    "50 million": 50_000_000,
}
# `--signals` writes a row for every bar, which takes too long for more rows than these.
MOST_SIGNALS_WRITTEN = 1_000_000


class Case(NamedTuple):
    """A table, how often it is measured, the other programs, and whether signals are checked."""

    kind: str
    size: str
    repeats: int
    others: tuple[str, ...]
    checked: bool = True


class Measured(NamedTuple):
    """The results of a case: its rows, and by program the runs, how many signals are wrong, and why
    a program is missing.
    """

    case: Case
    rows: int
    runs: dict[str, list[Run]]
    wrong: dict[str, int]
    missing: dict[str, str]


Results = dict[tuple[str, str], Measured]

FULL = (
    Case("csv", "10 thousand", 15, (*ONE_SERIES, EMPTY)),
    Case("csv", "1 million", 7, ONE_SERIES),
    Case("csv", "10 million", 5, ONE_SERIES),
    Case("csv", "50 million", 5, ONE_SERIES, checked=False),
    Case("gz", "10 thousand", 7, ONE_SERIES),
    Case("gz", "1 million", 5, ONE_SERIES),
    Case("gz", "10 million", 5, ONE_SERIES),
    Case("parquet", "10 thousand", 7, MANY_SERIES),
    Case("parquet", "1 million", 7, MANY_SERIES),
    Case("parquet", "10 million", 5, MANY_SERIES),
    Case("parquet", "50 million", 5, MANY_SERIES, checked=False),
    Case("panel", "1 million", 7, MANY_SERIES),
    Case("panel", "10 million", 5, MANY_SERIES),
    Case("panel", "50 million", 5, MANY_SERIES, checked=False),
    Case("files", "1 million", 5, MANY_SERIES),
    Case("files", "10 million", 5, MANY_SERIES),
    Case(night.KIND, "10 million", 15, (night.ALONE,), checked=False),
    *(Case(kind, "10 million", 5, each.others, checked=False) for kind, each in VARIANTS.items()),
    *(
        Case(kind, "50 million", 5, VARIANTS[kind].others, checked=False)
        for kind in WORKERS.values()
    ),
)
QUICK = (
    Case("csv", "10 thousand", 9, (SCRIPT,), checked=False),
    Case("csv", "1 million", 5, (SCRIPT,), checked=False),
    Case("csv", "10 million", 3, (SCAN,), checked=False),
    Case("csv", "50 million", 1, (), checked=False),
    Case("parquet", "10 million", 5, (SCAN,), checked=False),
    Case("panel", "10 million", 3, ("polars",), checked=False),
    Case("files", "1 million", 3, (SCAN,), checked=False),
    Case(night.KIND, "10 million", 9, (night.ALONE,), checked=False),
    *(Case(kind, "10 million", 3, each.others, checked=False) for kind, each in VARIANTS.items()),
    *(
        Case(kind, "50 million", 2, VARIANTS[kind].others, checked=False)
        for kind in WORKERS.values()
    ),
)


def run(case: Case, shrink: int) -> Measured:
    """Measure a case on its rows divided by `shrink`, after one round that is not counted."""
    rows = SIZES[case.size] // shrink
    if case.kind == night.KIND or case.kind in VARIANTS:
        find = night.commands if case.kind == night.KIND else VARIANTS[case.kind].commands
        with tempfile.TemporaryDirectory() as folder:
            commands = find(OURS, rows, Path(folder))
            return Measured(case, rows, side_by_side(commands, case.repeats), {}, {})
    data.table(case.kind, rows)
    absent = [name for name in case.others if name == "DuckDB" and not find_spec("duckdb")]
    names = [OURS, *(name for name in case.others if name not in absent)]
    with tempfile.TemporaryDirectory() as folder:
        commands = {name: _command(name, case.kind, rows, folder) for name in names}
        measure(_command(BYTES, case.kind, rows, folder))  # the file is in memory from here on
        wrong = {}
        if case.checked:
            checked = [name for name in names if name not in (EMPTY, SCAN, BYTES)]
            wrong = {name: _wrong(name, case.kind, rows, folder) for name in checked}
        runs = side_by_side(commands, case.repeats)
    if OURS not in runs:
        raise RuntimeError(f"rollsignal failed on {case}")
    failed = {name: "failed" for name in names if name not in runs}
    return Measured(case, rows, runs, wrong, failed | dict.fromkeys(absent, "not installed"))


def _command(name: str, kind: str, rows: int, folder: str) -> list[str]:
    """Return the command of a program; its outputs go into a folder."""
    path = str(data.path_of(kind, rows))
    flags = ["--input", path, "--config", str(data.config(kind))]
    flags += ["--output", f"{folder}/metrics.json", "--log-file", f"{folder}/run.log"]
    if name == EMPTY:
        arguments = ["-c", "pass"]
    elif name == OURS:
        arguments = [str(data.ROOT / "run.py"), *flags]
    elif name == SCRIPT:
        arguments = [str(data.ROOT / "bench/pandas_script.py"), *flags]
    else:
        arguments = [str(data.ROOT / "bench/competitors.py"), name, kind, path]
    return [sys.executable, *arguments]


def _wrong(name: str, kind: str, rows: int, folder: str) -> int:
    """Have a program decide the signals, and count the wrong ones."""
    command = _command(name, kind, rows, folder)
    if name != OURS:
        signals = f"{folder}/signals.npy"
        path = str(data.path_of(kind, rows))
        command = [command[0], str(data.ROOT / "bench/competitors.py"), name, kind, path, signals]
    elif rows <= MOST_SIGNALS_WRITTEN:
        signals = f"{folder}/signals.parquet"
        command += ["--signals", signals]
    else:
        signals = f"{folder}/run.log"
    measure(command)
    compare = [sys.executable, "-m", "bench.oracle", kind, str(rows), signals]
    return int(subprocess.run(compare, check=True, capture_output=True, cwd=data.ROOT).stdout)
