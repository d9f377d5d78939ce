"""Small files of bars, and all that an engine answers about them, to be compared by ==."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import polars as pl

from rollsignal.config.settings import JobConfig
from rollsignal.core.findings import Found
from rollsignal.engines.interface import Engine, Task
from rollsignal.errors import JobError
from rollsignal.outputs.signals.writer import Signals
from tests.support.deciding import REPORT, begun, files

CONFIG = JobConfig(seed=1, window=3, version="v")
ROWS = 120
Row = tuple[str, str, str]


class Answer(NamedTuple):
    """What came of a task: what was found, the error, the warnings, the signals."""

    found: tuple[Any, ...] = ()
    error: tuple[type, str, str] | None = None
    told: tuple[tuple[str, str], ...] = ()
    signals: str = ""


def answer(
    engine: Engine, paths: Sequence[str | Path], config: JobConfig = CONFIG, **rest: Any
) -> Answer:
    """Decide files, and have the signals written."""
    told: list[tuple[str, str]] = []
    task, result = Task(files(paths), config, **({"digest": True} | rest)), Answer()
    with TemporaryDirectory() as name:
        with begun(Signals(f"{name}/s.csv", config.window)) as signals:
            try:
                found = engine.decide(task, [signals], lambda *tell: told.append(tell))
                signals.finish(REPORT)
                text = Path(name, "s.csv").read_text()
                result = Answer(facts(found), signals=text)
            except JobError as problem:
                result = Answer(error=(type(problem), problem.message, problem.detail))
        assert [each.name for each in Path(name).iterdir()] in ([], ["s.csv"])
    return result._replace(told=tuple(told))


def facts(found: Found) -> tuple[Any, ...]:
    """Return what was found, the accounts without their scales."""
    accounts = {
        symbol: (account.tally, account.last and account.last.mean, *account[3:])
        for symbol, account in found.accounts.items()
    }
    findings = found.findings.counts, found.findings.shown
    return accounts, found.tally, found.digest, found.files, findings


def rows(count: int = ROWS, first: int = 0) -> list[Row]:
    """Return bars of two symbols, one a minute, with closes of several decimals."""
    return [
        (
            f"2024-01-01 {number // 60:02d}:{number % 60:02d}:00",
            "AB"[number % 3 % 2],
            f"{100 + number * 7919 % 1000 / 8:.{number // 20 % 4}f}",
        )
        for number in range(first, first + count)
    ]


def write(folder: Path, kind: str, bars: Sequence[Row], name: str = "bars") -> Path:
    """Write bars in a format."""
    path = folder / f"{name}.{kind}"
    frame = pl.DataFrame(bars, ["timestamp", "symbol", "close"], orient="row")
    if kind == "csv":
        path.write_text("timestamp,symbol,close\n" + "".join(f"{','.join(row)}\n" for row in bars))
    elif kind == "ndjson":
        frame.write_ndjson(path)
    elif kind == "parquet":
        frame.write_parquet(path, row_group_size=25)
    else:
        frame.write_ipc(path, compression="uncompressed", record_batch_size=25)
    return path


KINDS = ["csv", "ndjson", "parquet", "arrow"]
# Bars that are wrong.
BAD: dict[str, Row] = {
    "close": ("2024-01-01 23:59:30", "A", "x"),
    "order": ("2024-01-01 00:00:30", "A", "1"),
    "symbol": ("2024-01-01 23:59:30", "", "1"),
    "time": ("20240101T99", "A", "1"),
    "missing": ("2024-01-01 23:59:30", "A", ""),
}
