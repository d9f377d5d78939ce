"""This module says what a run is asked to read and write, and that no two of them are one file."""

import os
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.errors import JobError, UsageError, is_url, shown_path
from rollsignal.formats import Format
from rollsignal.regular_files import identity
from rollsignal.sinks.log import LogFormat

if TYPE_CHECKING:
    from rollsignal.engines.ranges import Span


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

    @property
    def span(self) -> "Span | None":
        """Read the range of time, if one is asked for; raises `UsageError`."""
        if self.since is None and self.until is None:
            return None
        from rollsignal.engines.ranges import Span

        return Span(_time("--since", self.since), _time("--until", self.until))

    def input_files(self, *, ask_stores: bool = True) -> list[str]:
        """List the files to read; a folder's own outputs of an earlier run are none of them.

        ask_stores: have object stores list their folders and patterns, which stay as they are
        otherwise. Raises `InputError` where there is nothing, `UsageError` for a file named twice.
        """
        from rollsignal.bars.source import find_inputs

        ours = [self.config, *self.written]
        if self.state:
            from rollsignal.sinks.history import bars_files

            ours += bars_files(self.state)
        return find_inputs(self.inputs, ours, ask_stores=ask_stores)

    def expanded(self) -> "Request":
        """Replace local folders and patterns by their files, as far as there are any."""
        try:
            return self._replace(
                inputs=tuple(self.input_files(ask_stores=False)), given=self.inputs
            )
        except JobError:
            return self

    def conflict(self) -> UsageError | None:
        """Find an output that is no file, an input, or the other output, also through links."""
        outputs = list(self.outputs.items())
        if self.log_file is not None:
            outputs.append(("--log-file", self.log_file))
        named = {identity(self.config): "--config"}
        named |= {identity(path): "--input" for path in self.inputs}
        for flag, path in outputs:
            what = self._problem(flag, path)
            other = named.setdefault(identity(path), flag)
            if not what and other != flag:
                what = f"{flag} and {other} are the same file"
            if what:
                return UsageError(f"{what}; nothing was written", f"path: {shown_path(path)}")
        for path in self.inputs:
            if self._is_partition(path):
                what = "--signals would replace a file that --input reads; nothing was written"
                return UsageError(what, f"path: {shown_path(path)}")
        return None

    def _problem(self, flag: str, path: str) -> str:
        """Say what is wrong with an output's path by itself, "" if nothing is."""
        if path == "-":
            return f"{flag} is -, which is no file (write ./- for one of that name)"
        if is_url(path):
            return f"{flag} is a URL, and outputs are local files"
        if flag != "--state" and self._is_of_state(path):
            return f"{flag} is a file that --state keeps its bars in"
        return ""

    def _is_of_state(self, path: str) -> bool:
        """Tell whether a path has the name of a file that a state keeps beside itself."""
        if not self.state:
            return False
        folder, name = os.path.split(os.path.realpath(path))
        own_folder, own_name = os.path.split(os.path.realpath(self.state))
        return folder == own_folder and name.startswith(f"{own_name}.") and name.endswith(".bars")

    def _is_partition(self, path: str) -> bool:
        """Tell whether a file lies where the partitions of the signals go."""
        if not (self.signals and self.partition_by):
            return False
        folder = os.path.dirname(os.path.dirname(os.path.realpath(path)))
        return identity(folder) == identity(self.signals)

    def log_is_output(self) -> bool:
        """Tell whether the log is to go where another output goes."""
        log = identity(self.log_file or "")
        return log in {identity(path) for path in self.outputs.values()}


def _time(flag: str, text: str | None) -> int | None:
    """Read a time to nanoseconds since 1970 UTC; raises `UsageError`."""
    if text is None:
        return None
    from rollsignal.timestamps import asked_ns

    return asked_ns(flag, text, "write for example 2024-01-31 or 2024-01-31T23:59:00Z")


def check_forms(request: Request) -> None:
    """Refuse flags that do not go together; raises `UsageError`."""
    if request.if_changed and not request.record:
        raise UsageError("--if-changed looks into the record; name it with --record")
    if request.span and request.state:
        raise UsageError("--state continues to the end; it has no --since and --until")
    if request.summary:
        from rollsignal.sinks.summary import form_of

        form_of(request.summary)
    if request.partition_by not in (None, "symbol", "date"):
        raise UsageError(f"--partition-by is {request.partition_by!r}, neither symbol nor date")
    if request.partition_by and not request.signals:
        raise UsageError("--partition-by parts the signals; name their folder with --signals")
    if request.signals:
        from rollsignal.sinks import signals

        signals.form_of(request.signals, request.partition_by)
