"""This module holds the request: what a run reads and writes."""

import os
from typing import Literal, NamedTuple

from rollsignal.files.formats import Format

LogFormat = Literal["text", "json"]
Workers = int | Literal["auto"]
EngineName = Literal["local", "plain", "spark"]

MOST_WORKERS = 1024


class Request(NamedTuple):
    """What a run reads and writes.

    With `log_file` None there is no log file. With `format` None the content of each input decides
    its format. `wait` is how many seconds a run waits for another run that writes the same files.
    `set` are settings as `KEY=VALUE`, which go before those of the config. `engine` is who decides,
    and `workers` how many processes do; None for the setting of the config. `expect` is the time
    that the newest bar must have reached. `publish` are the targets that are told of the run.
    `given` holds the inputs as the user named them, `inputs` the files that they stand for.
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
    set: tuple[str, ...] = ()
    engine: EngineName | None = None
    workers: Workers | None = None
    expect: str | None = None
    publish: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def outputs(self) -> dict[str, str]:
        """Return the path of each output by its flag, without the log."""
        paths = {
            "--output": self.output,
            "--summary": self.summary,
            "--signals": self.signals,
            "--record": self.record,
            "--state": self.state,
        }
        return {flag: path for flag, path in paths.items() if path}

    @property
    def locked(self) -> list[str]:
        """List the paths to lock, so that no other run writes the outputs.

        The lock of a folder is inside it, where its files are first written.
        """
        folders = {"--signals"} if self.partition_by else set()
        return [
            os.path.join(path, "signals") if flag in folders else path
            for flag, path in self.outputs.items()
        ]

    @property
    def written(self) -> list[str]:
        """List the paths of all outputs, the log included."""
        return [*self.outputs.values(), *([self.log_file] if self.log_file else [])]
