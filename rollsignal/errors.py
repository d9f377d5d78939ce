"""This module holds every way a run can fail: the `JobError` family, each with its exit code.

The codes are those of BSD's sysexits.h, so that a scheduler can tell bad data from a bad disk.
"""


class JobError(Exception):
    """Say why a run failed: where, what was found, what to do.

    `message` goes into the metrics file; `detail` (a path, a hint) only to the log and stderr.
    """

    exit_code = 1

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


class UsageError(JobError):
    """The command line is wrong."""

    exit_code = 2


class DataError(JobError):
    """The bars cannot be trusted."""

    exit_code = 65


class InputError(JobError):
    """An input is missing or cannot be read."""

    exit_code = 66


class OutputError(JobError):
    """An output cannot be created."""

    exit_code = 73


class DiskError(JobError):
    """Reading or writing failed midway."""

    exit_code = 74


class BusyError(JobError):
    """Another run is at work on the same files; this one may be tried again."""

    exit_code = 75


class ConfigError(JobError):
    """The config is missing or wrong.

    `version` is the config's own version where that much of it could be read.
    """

    exit_code = 78
    version: str | None = None


class StoppedError(JobError):
    """A signal ended the run: 128 plus the signal's number, as shells count."""

    def __init__(self, signal_number: int, name: str) -> None:
        super().__init__(f"Stopped by {name} before the end")
        self.exit_code = 128 + signal_number


class BadCellError(ValueError):
    """One cell is not what its column holds.

    `index` is its place in the cells given, `hint` what can be done, where that is special.
    """

    def __init__(self, reason: str, index: int = 0, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index
        self.hint = hint
