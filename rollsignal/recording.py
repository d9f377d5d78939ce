"""This module is what a run tells its record, if it keeps one: `Recording` itself keeps none.

It also sees that no input changes while it is read, by what the system says of it.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from rollsignal.config import ReadConfig
from rollsignal.engines.local import Result
from rollsignal.engines.rows import Emit
from rollsignal.errors import JobError
from rollsignal.fingerprints import changed, stat_of

if TYPE_CHECKING:
    from rollsignal.sinks.state import InputFile


class Recording:
    """Hear what a run does, in the order of these methods."""

    def begin(self) -> None:
        """Say that the run has begun."""

    def configured(self, read: ReadConfig) -> None:
        """Take the config."""

    def stage(self, name: str) -> AbstractContextManager[None]:
        """Take the time of a stage, a `with` statement."""
        return nullcontext()

    def before(self, paths: Sequence[str]) -> None:
        """Look at the inputs before they are read."""
        self._before = {path: _looks(path) for path in paths}

    def listening(self, emit: Emit | None) -> Emit | None:
        """Listen to all rows, along with somebody else."""
        return emit

    def after(self, result: Result) -> None:
        """Take what was found; raises `DiskError` if an input changed while it was read."""
        for path, before in self._before.items():
            if _looks(path) != before:
                raise changed(path)

    def continued(self, result: Result, files: "Sequence[InputFile]", digest: int) -> None:
        """Take what was found by a run that continues a state, and all files that this knows."""

    def succeed(self) -> None:
        """Say that the run succeeded."""

    def fail(self, error: JobError) -> None:
        """Say why the run failed."""


def _looks(path: str) -> tuple[int, ...]:
    """Ask for a regular file's size, time of change and inode, none for anything else."""
    told = stat_of(path)
    # The other time also changes when somebody links to the file.
    return (told[0], told[1], told[3]) if told else ()
