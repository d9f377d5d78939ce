"""This module writes the log of a run: one line for each event.

Each line is appended with one write, so that runs that share a log do not mix their lines. A log
that cannot be written never stops a job. The logging of the standard library would add 6 ms to a
job that takes 60.
"""

import json
import os
import re
import time

from rollsignal.config.request import LogFormat
from rollsignal.messages import LogLevel, Tell, escaped, without_secrets
from rollsignal.outputs.interface import RunReport
from rollsignal.version import __version__


class RunLog:
    """A log that writes events to a file and passes them to `tell`; `warnings` keeps warnings."""

    def __init__(self, path: str | None, log_format: LogFormat, tell: Tell) -> None:
        """Open the log for appending; with `path` None there is no file."""
        self._format = log_format
        self._tell = tell
        self._file: int | None = None
        self.warnings: list[str] = []
        if path is None:
            return
        try:
            folder = os.path.dirname(path)
            if folder:
                os.makedirs(folder, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
            self._file = os.open(path, flags, 0o666)
        except (OSError, ValueError) as problem:
            self._give_up(problem)

    def started(self, report: RunReport) -> None:
        """Write that a run has started."""
        inputs = " ".join(map(without_secrets, report.request.inputs))
        self.event("INFO", "job started", program=f"rollsignal {__version__}", input=inputs)

    def ended(self, report: RunReport) -> None:
        """Write how a run ended."""
        status = "error" if report.error else "success"
        self.event("INFO", "job ended", status=status, duration_ms=report.elapsed_ms)

    def event(self, level: LogLevel, message: str, **fields: object) -> None:
        """Write one event with its fields, and pass it to `tell`."""
        self.record(level, message, **fields)
        if level == "WARNING":
            self.warnings.append(_with_fields(message, fields))
        self._tell(level, _with_fields(message, fields))

    def record(self, level: LogLevel, message: str, **fields: object) -> None:
        """Write one event with its fields."""
        self._write(_line(self._format, level, message, fields))

    def traceback(self, text: str) -> None:
        """Write a traceback, each of its lines an event."""
        for line in text.rstrip().splitlines():
            self.record("ERROR", "traceback: " + line)

    def close(self) -> None:
        """Close the file."""
        if self._file is None:
            return
        file, self._file = self._file, None
        try:
            os.close(file)
        except OSError as problem:
            self._give_up(problem)

    def _write(self, line: str) -> None:
        if self._file is None:
            return
        try:
            data = line.encode("utf-8", "backslashreplace")
            # On a disk that is nearly full, a write may be partial, and only the next one fails.
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as problem:
            self._give_up(problem)
            self.close()

    def _give_up(self, problem: OSError | ValueError) -> None:
        reason = getattr(problem, "strerror", None) or str(problem)
        self._tell("WARNING", f"the log cannot be written: {reason}; the job goes on without it")


def _line(log_format: LogFormat, level: LogLevel, message: str, fields: dict[str, object]) -> str:
    timestamp = iso_ms(time.time_ns())
    if log_format == "json":
        event = {"timestamp": timestamp, "level": level, "logger": "rollsignal", "message": message}
        clean = {key: _clean(value) for key, value in {**event, **fields}.items()}
        return json.dumps(clean) + "\n"
    return f"{timestamp} {level:<7} {escaped(_with_fields(message, fields))}\n"


def iso_ms(ns: int) -> str:
    """Format a time in nanoseconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9))
    return f"{seconds}.{ns // 10**6 % 1000:03d}Z"


def ms_since(ns: int) -> int:
    """Return how many milliseconds have gone by since a time in nanoseconds since 1970."""
    # A clock may be set back meanwhile.
    return max(0, time.time_ns() - ns) // 10**6


def _with_fields(message: str, fields: dict[str, object]) -> str:
    return " ".join((message, *(f"{key}={_field(value)}" for key, value in fields.items())))


def _clean(value: object) -> object:
    """Return a value for JSON; a file name that is not valid Unicode is escaped."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value if isinstance(value, int | float | None) else str(value)


def _field(value: object) -> str:
    text = "null" if value is None else str(value)
    text = text.lower() if isinstance(value, bool) else text
    return text if re.fullmatch(r"[\w./:+-]+", text) else repr(text)
