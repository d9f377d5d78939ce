"""This module declares outputs, observers, and the report on a run that they receive."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rollsignal.config.reading import ReadConfig
from rollsignal.config.request import Request
from rollsignal.core.findings import Found
from rollsignal.errors import JobError
from rollsignal.files.fingerprints import Fingerprint, ReadInput

if TYPE_CHECKING:
    from rollsignal.core.listeners import Listener


# Where the bars of a state in a store are, after its URL.
BARS_FOLDER = ".bars/"


class RunReport(NamedTuple):
    """All that is known of a run so far; what is not known yet is None or empty.

    `started_ns` and `ended_ns` are in nanoseconds since 1970, `elapsed_ms` counts from the start
    of the program. `version` is the version in the config, None if it could not be read. `metrics`
    are those of a run that has ended. `stages_ms` says how long each stage took, `stages_at_ms`
    when it began, after `started_ns`. `stale` are files of earlier runs that are about to be
    removed from the outputs. `delivered` is what stands in stores, by its URL.
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
    stages_at_ms: Mapping[str, int] = {}
    engine: str = "local"
    metrics: Mapping[str, object] | None = None
    stale: Sequence[str] = ()
    delivered: Mapping[str, Fingerprint] = {}


class Output(Protocol):
    """A file or folder that a run writes; `flag` is the flag that asks for it."""

    flag: str
    path: str

    @property
    def stale(self) -> Sequence[str]:
        """List files of earlier runs in the output, which are not part of it after `finish`."""

    def begin(self) -> None:
        """Prepare before any bar is read; raises `JobError`."""

    def listener(self) -> "Listener[Any] | None":
        """Return the listener that needs every decided bar, None if there is none."""

    def finish(self, report: RunReport) -> Mapping[str, Fingerprint]:
        """Put the complete output in its place; raises `JobError`.

        Return what stands in a store now, by its URL.
        """

    def tidy(self) -> None:
        """Remove what is stale, once all outputs and the record are there; raises `JobError`."""

    def abandon(self) -> None:
        """Remove unfinished files; does nothing after `tidy`."""


class Observer(Protocol):
    """An observer of a run: the log or the record."""

    def started(self, report: RunReport) -> None:
        """Record that the run has started; raises `JobError`."""

    def ended(self, report: RunReport) -> None:
        """Record how the run ended; raises `JobError`."""
