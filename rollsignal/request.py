"""This module says what a run is asked to read and write, and that no two of them are one file."""

import os
from typing import NamedTuple

from rollsignal import files
from rollsignal.bars.source import find_inputs
from rollsignal.errors import JobError, UsageError, shown_path
from rollsignal.sinks.log import LogFormat


class Request(NamedTuple):
    """What a run is asked to read and write; `log_file` None keeps no log."""

    inputs: tuple[str, ...] = ("data.csv",)
    config: str = "config.yaml"
    output: str = "metrics.json"
    log_file: str | None = "run.log"
    log_format: LogFormat = "text"
    summary: str | None = None
    signals: str | None = None
    partition_by: str | None = None

    @property
    def outputs(self) -> dict[str, str]:
        """List the flags of all outputs but the log, with their paths."""
        named = {"--output": self.output, "--summary": self.summary, "--signals": self.signals}
        return {flag: path for flag, path in named.items() if path}

    @property
    def written(self) -> list[str]:
        """List the paths of all that is written, the log included."""
        return [*self.outputs.values(), *([self.log_file] if self.log_file else [])]

    def input_files(self) -> list[str]:
        """List the files to read; a folder's own outputs of an earlier run are none of them.

        Raises `InputError` where there is nothing, `UsageError` for a file named twice.
        """
        return find_inputs(self.inputs, [self.config, *self.written])

    def expanded(self) -> "Request":
        """Replace folders and patterns by their files, as far as there are any."""
        try:
            return self._replace(inputs=tuple(self.input_files()))
        except JobError:
            return self

    def conflict(self) -> UsageError | None:
        """Find an output that is also an input, or the other output, also through links."""
        outputs = list(self.outputs.items())
        if self.log_file is not None:
            outputs.append(("--log-file", self.log_file))
        named = {files.identity(self.config): "--config"}
        named |= {files.identity(path): "--input" for path in self.inputs}
        for flag, path in outputs:
            other = named.setdefault(files.identity(path), flag)
            if other != flag:
                what = f"{flag} and {other} are the same file; nothing was written"
                return UsageError(what, f"path: {shown_path(path)}")
        for path in self.inputs:
            if self._is_partition(path):
                what = "--signals would replace a file that --input reads; nothing was written"
                return UsageError(what, f"path: {shown_path(path)}")
        return None

    def _is_partition(self, path: str) -> bool:
        """Tell whether a file lies where the partitions of the signals go."""
        if not (self.signals and self.partition_by):
            return False
        folder = os.path.dirname(os.path.dirname(os.path.realpath(path)))
        return files.identity(folder) == files.identity(self.signals)

    def log_is_output(self) -> bool:
        """Tell whether the log is to go where another output goes."""
        log = files.identity(self.log_file or "")
        return log in {files.identity(path) for path in self.outputs.values()}
