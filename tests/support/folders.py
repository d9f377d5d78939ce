"""This module makes a folder with two inputs, and a folder for each output of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from rollsignal.commands import run as job
from rollsignal.config.request import Request
from rollsignal.errors import JobError
from tests.support.shell import Heard, strict_json

HEADER = "timestamp,symbol,close\n"


CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\ncolumns: {symbol: symbol}\n'


START = "2024-01-0{day} 00:{minute:02d}:00"


def rows(first: int, last: int) -> str:
    """Write bars of two symbols, one a minute; a day has fifty minutes."""
    return "".join(
        f"{START.format(day=1 + number // 50, minute=number % 50)},{symbol},{close}\n"
        for number, close in ((number, 100 + number * 7 % 11) for number in range(first, last))
        for symbol in "AB"
    )


class Folder:
    """A folder with two inputs, and a folder for each output."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.heard = Heard()
        self.config = path / "c.yaml"
        self.config.write_text(CONFIG)
        self.inputs = [path / "1.csv", path / "2.csv"]
        self.inputs[0].write_text(HEADER + rows(0, 60))
        self.inputs[1].write_text(HEADER + rows(60, 120))

    def run(self, *inputs: Path, **flags: Any) -> JobError | None:
        """Run; outputs of an earlier run may exist."""
        self.heard = Heard()
        request = Request(
            tuple(map(str, inputs)),
            str(self.config),
            str(self.path / "metrics/m.json"),
            str(self.path / "log/run.log"),
            summary=str(self.path / "summary/s.csv"),
            **flags,
        )
        return job.run(request, 0, self.heard).error

    def continued(self, *inputs: Path) -> JobError | None:
        """Run on a state, with the signals of each day in a file."""
        return self.run(
            *inputs,
            state=str(self.path / "state/s.state"),
            signals=str(self.path / "signals"),
            partition_by="date",
        )

    def recorded(self, *inputs: Path) -> JobError | None:
        """Run with a record, and with all signals in one file."""
        return self.run(
            *inputs,
            record=str(self.path / "record/r.json"),
            signals=str(self.path / "signals/all.csv"),
        )

    def left(self) -> dict[str, object]:
        """Read the metrics without their latency, the summary and the signals."""
        return {
            "metrics": {**self.metrics(), "latency_ms": None},
            "summary": (self.path / "summary/s.csv").read_bytes(),
            **{
                str(file.relative_to(self.path)): file.read_bytes()
                for file in (self.path / "signals").rglob("*")
                if file.is_file()
            },
        }

    def metrics(self) -> dict[str, Any]:
        return strict_json((self.path / "metrics/m.json").read_text())

    def record(self) -> dict[str, Any]:
        return strict_json((self.path / "record/r.json").read_text())

    def state(self) -> bytes:
        return (self.path / "state/s.state").read_bytes()

    def litter(self) -> list[str]:
        return [path.name for path in self.path.rglob(".*")]


class Expected(NamedTuple):
    """The outputs of runs over everything, each in a clean folder."""

    continued: dict[str, object]
    recorded: dict[str, object]
