"""This module runs the job night by night in a folder, and reads what it leaves."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rollsignal.commands import run as job
from rollsignal.config.request import Request
from rollsignal.errors import JobError
from rollsignal.outputs.state.document import State, load_state

HEADER = "timestamp,symbol,close\n"


CONFIG = 'seed: 1\nwindow: 3\nversion: "v"\n'


PANEL = CONFIG + "columns: {symbol: symbol}\n"


START = "2024-01-0{day} 00:{minute:02d}:00"


def bar(number: int, close: str = "", symbol: str = "A") -> str:
    """Write the bar of a minute; a day has fifty minutes."""
    stamp = START.format(day=1 + number // 50, minute=number % 50)
    return f"{stamp},{symbol},{close or 100 + number * 7 % 11}\n"


class Folder:
    """A folder with inputs, a config and what runs leave."""

    def __init__(self, folder: str | Path, config: str = CONFIG) -> None:
        self.path = Path(folder)
        self.told: list[str] = []
        (self.path / "c.yaml").write_text(config)

    def write(self, name: str, rows: Sequence[str]) -> str:
        path = self.path / name
        path.write_text(HEADER + "".join(rows))
        return str(path)

    def run(self, inputs: Sequence[str], name: str, **flags: Any) -> JobError | None:
        """Run with outputs of this name; keep the messages."""
        self.told = []
        request = Request(
            tuple(inputs),
            str(self.path / "c.yaml"),
            str(self.path / f"{name}.json"),
            None,
            summary=str(self.path / f"{name}.summary.csv"),
            signals=str(self.path / f"{name}.signals"),
            partition_by="date",
            **flags,
        )
        return job.run(request, 0, lambda level, text: self.told.append(text)).error

    def continued(self, inputs: Sequence[str]) -> JobError | None:
        return self.run(inputs, "part", state=str(self.path / "s.state"))

    def left(self, name: str) -> tuple[object, ...]:
        """Return all that a run left: metrics, summary, signals."""
        metrics = json.loads((self.path / f"{name}.json").read_text())
        metrics.pop("latency_ms", None)
        signals = self.path / f"{name}.signals"
        files = sorted(file for file in signals.rglob("*") if file.is_file())
        return (
            metrics,
            (self.path / f"{name}.summary.csv").read_text(),
            {str(file.relative_to(signals)): file.read_bytes() for file in files},
        )

    def state(self) -> State:
        """Return the state without what two equal nights do not have alike.

        The stamps only show that a file did not change.
        """
        state = load_state(str(self.path / "s.state"))
        assert state is not None
        inputs = tuple(file._replace(stamp=()) for file in state.inputs)
        return state._replace(inputs=inputs)

    def equals_a_run_over(self, inputs: Sequence[str]) -> bool:
        assert self.run(inputs, "whole") is None
        return self.left("part") == self.left("whole")
