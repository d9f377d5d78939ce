"""This module says what an engine is given, and what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from rollsignal.config.settings import JobConfig
from rollsignal.core.findings import Found
from rollsignal.core.kernel import Account
from rollsignal.files.find import Input
from rollsignal.files.formats import Format
from rollsignal.messages import Tell

if TYPE_CHECKING:
    from rollsignal.core.decisions import Listener, Take
    from rollsignal.engines.spans import Span

# Receives how many rows were read, and can ask for how many bytes.
OnProgress = Callable[[Callable[[], int], int], None]


class Seen(NamedTuple):
    """What is known of a file's first rows: how many are left out, and how many are old.

    Those left out are known by their bytes. Old ones are only counted where there are no
    timestamps.
    """

    left_out: int = 0
    old: int = 0


class Task(NamedTuple):
    """What is to be decided: files, in any order, and the settings.

    format: that of all files, None to tell each from its content. span: the range of time that
    counts. known: the accounts of series that are continued. seen: where given, bars at or before
    the place that their series has reached when a file begins are not decided, but handed to
    `take_old`. levels: each check's level; None for those of the config. With `collect_errors`, a
    check goes on after an error, and files that cannot be read are findings too.
    """

    inputs: Sequence[Input]
    config: JobConfig
    format: Format | None = None
    span: "Span | None" = None
    known: Mapping[str, Account] = {}
    seen: Mapping[str, Seen] | None = None
    take_old: "Take | None" = None
    digest: bool = False
    levels: Mapping[str, str] | None = None
    collect_errors: bool = False


class Engine(Protocol):
    """Whoever decides the bars of a task."""

    name: str

    def describe(self, task: Task) -> list[str]:
        """Describe the files of a task, in their order, each in one line.

        Raises `JobError` for one that is no table with the columns that are read.
        """

    def decide(
        self,
        task: Task,
        listeners: "Sequence[Listener[Any]]",
        tell: Tell,
        progress: OnProgress | None = None,
    ) -> Found:
        """Decide all bars; raises `DataError` if there is no signal, or the bars are in doubt.

        listeners: receive all decided bars. tell: receives warnings for people.
        """
