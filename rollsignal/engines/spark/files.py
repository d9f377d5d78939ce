"""This module decides pieces of files on Spark, in the way that their series allow."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rollsignal.core.findings import Found
from rollsignal.engines.interface import OnProgress, Task
from rollsignal.engines.passes import Reading, Splits
from rollsignal.engines.pieces import PiecesOfTask, UncutError
from rollsignal.engines.runner import Runner
from rollsignal.engines.spark.panels import (
    BoundedPieces,
    ManySeriesError,
    PanelOfTask,
    UnplacedError,
)
from rollsignal.engines.splits import Split
from rollsignal.engines.telling import MessagesOnce
from rollsignal.messages import Tell

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from rollsignal.core.listeners import Listener


SORTED_BY_SERIES = "the series are many, so Spark sorts their bars: signals come series by series"

NOT_SORTED = "not all bars have a time of the years 1678 to 2261, so Spark does not sort them"


class FilesOfTask:
    """The files of a task, whose bars come in the order in which they are read."""

    def __init__(
        self,
        task: Task,
        reading: Reading,
        listeners: "Sequence[Listener[Any]]",
        tell: Tell,
        progress: OnProgress | None,
    ) -> None:
        self._task = task
        self._reading = reading
        self._listeners = listeners
        self._tell = tell
        self._messages = MessagesOnce(tell)
        self._progress = progress

    def decide(self, session: "SparkSession", runner: Runner, pieces: list[Splits]) -> Found:
        """Decide pieces where they are read or, if their edges are too large, sort them by series.

        What is told is the same in all ways.
        """
        try:
            return self._decided_where_read(runner, pieces, BoundedPieces)
        except ManySeriesError:
            self._messages.begin_again()
        self._tell("INFO", SORTED_BY_SERIES)
        try:
            return self._or_whole(
                pieces,
                lambda some: PanelOfTask(
                    self._task, self._reading, self._messages.tell, self._progress
                ).decide_sorted(session, runner, some, self._listeners),
            )
        except UnplacedError:
            self._messages.begin_again()
        self._tell("INFO", NOT_SORTED)
        return self._decided_where_read(runner, pieces, PiecesOfTask)

    def _decided_where_read(
        self, runner: Runner, pieces: list[Splits], work: type[PiecesOfTask]
    ) -> Found:
        asked = self._task, self._reading, self._listeners, self._messages.tell, self._progress
        return self._or_whole(pieces, lambda some: work(*asked).decide(runner, some))

    def _or_whole(self, pieces: list[Splits], decide: Callable[[list[Splits]], Found]) -> Found:
        """Decide pieces, or whole files where they cannot be cut."""
        try:
            return decide(pieces)
        except UncutError:
            return decide([[Split(file)] for file in self._task.inputs])
