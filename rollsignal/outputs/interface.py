"""This module says what a run tells its outputs and observers, and what is known of a run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rollsignal.config.reading import ReadConfig
from rollsignal.config.request import Request
from rollsignal.core.findings import Found
from rollsignal.errors import JobError
from rollsignal.files.fingerprints import ReadInput

if TYPE_CHECKING:
    from rollsignal.core.decisions import Listener


class RunReport(NamedTuple):
    """All that is known of a run so far; what it has not come to is None or empty.

    `started_ns` and `ended_ns` are in nanoseconds since 1970, `elapsed_ms` counts from the start
    of the program. `version` is that of the config, as far as it could be read.
    """

    request: Request
    started_ns: int
    config: ReadConfig | None = None
    inputs: Sequence[ReadInput] = ()
    found: Found | None = None
    error: JobError | None = None
    version: str | None = None
    elapsed_ms: int = 0
    ended_ns: int | None = None
    warnings: Sequence[str] = ()
    stages_ms: Mapping[str, int] = {}
    engine: str = "local"


class Output(Protocol):
    """A file or folder that a run leaves; `flag` is what asks for it."""

    flag: str
    path: str

    def begin(self) -> None:
        """Get ready before any bar is read; raises `JobError`."""

    def listener(self) -> "Listener[Any] | None":
        """Return who wants every decided bar for it, if anyone does."""

    def finish(self, report: RunReport) -> None:
        """Put the output in its place, whole; raises `JobError`."""

    def abandon(self) -> None:
        """Remove what is unfinished; does nothing after `finish`."""


class Observer(Protocol):
    """Whoever is told of a run: the log, the record."""

    def started(self, report: RunReport) -> None:
        """Receive that the run begins to work; raises `JobError`."""

    def ended(self, report: RunReport) -> None:
        """Receive how the run ended; raises `JobError`."""
