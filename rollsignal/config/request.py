"""This module says what a run is asked to read and write."""

import os
from typing import Literal, NamedTuple

from rollsignal.files.formats import Format

LogFormat = Literal["text", "json"]


class Request(NamedTuple):
    """What a run is asked to read and write.

    `log_file` None keeps no log; `format` None tells each input's format from its content. `wait`
    is for how many seconds a run waits for another one that writes the same files. `given` holds
    the inputs as they were named, where `inputs` are the files that they stand for.
    """

    inputs: tuple[str, ...] = ("data.csv",)
    config: str = "config.yaml"
    output: str = "metrics.json"
    log_file: str | None = "run.log"
    log_format: LogFormat = "text"
    summary: str | None = None
    signals: str | None = None
    partition_by: str | None = None
    format: Format | None = None
    state: str | None = None
    since: str | None = None
    until: str | None = None
    wait: float = 0
    record: str | None = None
    if_changed: bool = False
    given: tuple[str, ...] = ()

    @property
    def outputs(self) -> dict[str, str]:
        """List the flags of all outputs but the log, with their paths."""
        named = {
            "--output": self.output,
            "--summary": self.summary,
            "--signals": self.signals,
            "--record": self.record,
            "--state": self.state,
        }
        return {flag: path for flag, path in named.items() if path}

    @property
    def locked(self) -> list[str]:
        """List the paths whose locks keep other runs from the outputs.

        A folder has its lock inside, where its files are begun.
        """
        inside = {"--signals"} if self.partition_by else set()
        return [
            os.path.join(path, "signals") if flag in inside else path
            for flag, path in self.outputs.items()
        ]

    @property
    def written(self) -> list[str]:
        """List the paths of all that is written, the log included."""
        return [*self.outputs.values(), *([self.log_file] if self.log_file else [])]
