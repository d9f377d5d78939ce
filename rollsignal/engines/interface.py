"""This module defines what an engine receives and returns."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rollsignal.config.settings import JobConfig
from rollsignal.core.findings import Found
from rollsignal.core.kernel import Account
from rollsignal.files.find import Input
from rollsignal.files.formats import Format
from rollsignal.messages import Tell

if TYPE_CHECKING:
    from rollsignal.core.listeners import Listener, Take
    from rollsignal.core.waiting import WaitingBar
    from rollsignal.engines.spans import Span

# Receives a function that returns the bytes read so far, and the number of rows.
OnProgress = Callable[[Callable[[], int], int], None]


class Seen(NamedTuple):
    """Rows that an earlier run has seen at the start of a file: those left out, and old ones.

    Those left out were recognized by their bytes. Old rows are counted only if there are no
    timestamps.
    """

    left_out: int = 0
    old: int = 0


class Task(NamedTuple):
    """What to decide: files, in any order, and the settings.

    format: that of all files, None to find each out from its content. span: the range of time that
    counts. known: the accounts of series that are continued. seen: if given, bars that are not
    later than their series was when the file begins are not decided, but go to `take_old`.
    waiting: the bars that an earlier run has read and not decided, as later ones were missing.
    levels: each check's level; None for those of the config. collect_errors: whether the checks go
    on after an error, and files that cannot be read are findings too. doubts: whether to look for
    closes that jump and for bars off the grid of their series.
    """

    inputs: Sequence[Input]
    config: JobConfig
    format: Format | None = None
    span: "Span | None" = None
    known: Mapping[str, Account] = {}
    seen: Mapping[str, Seen] | None = None
    take_old: "Take | None" = None
    waiting: "Sequence[WaitingBar]" = ()
    digest: bool = False
    levels: Mapping[str, str] | None = None
    collect_errors: bool = False
    doubts: bool = False


class Engine(Protocol):
    """A way to decide the bars of a task."""

    name: str

    def describe(self, task: Task) -> list[str]:
        """Describe the files of a task in order, each in one line.

        Raises `JobError` for a file that is not a table with the columns that are read.
        """

    def decide(
        self,
        task: Task,
        listeners: "Sequence[Listener[Any]]",
        tell: Tell,
        progress: OnProgress | None = None,
    ) -> Found:
        """Decide all bars; raises `DataError` if there is no signal, or bars cannot be trusted.

        listeners: receive all decided bars. tell: receives warnings for people.
        """
