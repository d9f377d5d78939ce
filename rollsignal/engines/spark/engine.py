"""This module is the engine that decides pieces of files on the executors of Spark.

The files must be at the same paths for the driver and all executors, or be objects at URLs.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rollsignal.core.findings import Found
from rollsignal.engines.cuttable import can_be_cut
from rollsignal.engines.interface import OnProgress, Task
from rollsignal.engines.local import LocalEngine
from rollsignal.engines.passes import FileStamp, Reading
from rollsignal.engines.pieces import pieces_of
from rollsignal.engines.spark.files import FilesOfTask
from rollsignal.engines.spark.runner import SparkRunner
from rollsignal.engines.spark.session import cores_of, session_in_use
from rollsignal.engines.spark.sorted_files import SortedFilesOfTask
from rollsignal.engines.spark.tables import TableOfTask, named_table, newest_of_named
from rollsignal.engines.splits import bundled
from rollsignal.errors import ConfigError
from rollsignal.files.find import Input
from rollsignal.files.fingerprints import stat_of
from rollsignal.messages import Tell

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from rollsignal.core.listeners import Listener

USE_LOCAL = "set engine: local"
# A piece is worth the start of a task if it has about a million rows.
LEAST_PIECE_BYTES = 32 << 20
# Tasks for each core, so that all end at about the same time.
TASKS_OF_CORE = 3


class SparkEngine:
    """Decide pieces of files on Spark, with the session that is in use.

    piece_bytes: about how many bytes a piece has; None for what suits the files and the cluster.
    reading: how files are cut and read.
    """

    name = "spark"
    # It reads on the driver what only the driver needs to know.
    local = LocalEngine()

    def __init__(self, piece_bytes: int | None = None, reading: type[Reading] = Reading) -> None:
        self._piece_bytes = piece_bytes
        self._reading = reading

    def describe(self, task: Task) -> list[str]:
        """Describe the files of a task, or its table; raises `JobError` if it is not a table."""
        if task.inputs[0].kind == "table":
            with session_in_use() as session:
                return [TableOfTask(task, named_table(session, task.inputs[0])).describe()]
        return self.local.describe(task)

    def decide(
        self,
        task: Task,
        listeners: "Sequence[Listener[Any]]",
        tell: Tell,
        progress: OnProgress | None = None,
    ) -> Found:
        """Decide all bars; raises `DataError` if there is no signal, or bars cannot be trusted.

        Raises `ConfigError` for what cannot be decided in pieces, and where there is no Spark.
        """
        if task.inputs[0].kind == "table":
            return _decide_table(task, listeners, tell, progress)
        if not can_be_cut(_without_order(task), listeners, kinds={"file", "url"}):
            raise ConfigError("Spark cannot decide this in pieces", USE_LOCAL)
        reading = self._reading(task.config, task.format, _stamps(task.inputs))
        with session_in_use() as session:
            runner, inputs = SparkRunner(session), self.local.inputs(task)
            piece_bytes = self._bytes_each(task, session)
            if task.config.sort:
                inputs.check_units()
                parts = bundled(reading.splits(task.inputs, piece_bytes), piece_bytes)
                files = SortedFilesOfTask(task, reading, tell, progress)
                return files.decide(session, runner, parts, listeners)
            pieces = pieces_of(inputs, reading, piece_bytes, runner)
            files_in_order = FilesOfTask(task, reading, listeners, tell, progress)
            return files_in_order.decide(session, runner, pieces)

    def _bytes_each(self, task: Task, session: "SparkSession") -> int:
        """Return how many bytes a piece should have."""
        total_bytes = sum(file.size or 0 for file in task.inputs)
        usual = max(LEAST_PIECE_BYTES, total_bytes // (cores_of(session) * TASKS_OF_CORE))
        return self._piece_bytes or usual


def _without_order(task: Task) -> Task:
    """Return a task without what Spark does about the order of bars: it sorts, then compares."""
    if not task.config.sort:
        return task
    return task._replace(config=task.config._replace(sort=False, duplicates="keep"))


def _decide_table(
    task: Task,
    listeners: "Sequence[Listener[Any]]",
    tell: Tell,
    progress: OnProgress | None,
) -> Found:
    """Decide the bars of the table of a task."""
    with session_in_use() as session:
        rows, version = newest_of_named(session, task.inputs[0])
        table = TableOfTask(task, rows, tell)
        found = table.decide(progress, version)
        if listeners:
            table.listen(listeners)
        return found


def _stamps(files: Sequence[Input]) -> dict[str, FileStamp]:
    """Return what the system says of each file now, by its path."""
    return {file.path: facts[:2] for file in files if (facts := stat_of(file.path))}
