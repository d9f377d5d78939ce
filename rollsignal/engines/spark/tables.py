"""This module decides the bars of a table of Spark, and of any of its DataFrames.

Spark shuffles the rows to pieces, which are cut by symbol and time, and sorts them; executors
decide each piece, and the driver joins their edges in the order of the pieces.
"""

import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from rollsignal.core.edges import Terms
from rollsignal.core.findings import Findings, Found, FoundFile, tell_nobody
from rollsignal.core.joining import Join, Settled
from rollsignal.core.kernel import tally_of
from rollsignal.engines.interface import OnProgress, Task
from rollsignal.engines.local import check_signals
from rollsignal.engines.spark import carrier
from rollsignal.engines.spark.columns import TableColumns, table_columns
from rollsignal.engines.spark.cuts import Cut, cuts_of, in_pieces
from rollsignal.engines.spark.piece_frames import RowsReading
from rollsignal.engines.spark.session import (
    batches_by_rows,
    cores_of,
    first_line,
    prepare,
    spark_errors,
)
from rollsignal.engines.spark.table_passes import (
    FirstTablePass,
    SecondTablePass,
    SignalsPass,
    TableRead,
    TableReading,
)
from rollsignal.engines.spark.versions import TableAsOf, as_of_newest
from rollsignal.errors import DataError, InputError
from rollsignal.files.find import TABLE_PREFIX, Input
from rollsignal.messages import Tell

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

    from rollsignal.core.listeners import Listener, SendingListener
    from rollsignal.engines.spark.table_passes import ToFrame

PIECES_OF_CORE = 3
# Errors of Spark about the name of a table, or what it stands for.
_OF_NAMES = ("AnalysisException", "ParseException")


class TableOfTask:
    """A table, the only input of a task, with the plan that cuts it into pieces.

    least_rows: how many rows a piece has at least; None for what suits the cluster.
    """

    def __init__(
        self,
        task: Task,
        table: "DataFrame",
        tell: Tell = tell_nobody,
        least_rows: int | None = None,
    ) -> None:
        """Look at the table; raises `JobError` if it has no columns that can be read."""
        config, self._file = task.config, task.inputs[0]
        self._task = task
        self._tell = tell
        self._table = table
        self._least_rows = least_rows
        with spark_errors():
            prepare(table.sparkSession)
            self.columns = table_columns(table, config, self._file.name)
        levels = config.checks._asdict() | {"order": "error"}
        self._terms = Terms(config.rules, levels, span=task.span)
        checks = config.checks._replace(order="error")
        config = config._replace(checks=checks, columns=self.columns.declared)
        schema = self.columns.schema()
        close_type = close_type_of(self.columns)
        self._reading = TableReading(self._file, schema, config, close_type)
        self._cut: PiecesOfRows | None = None

    def describe(self) -> str:
        """Describe the columns that are read."""
        return f"{self._file.name}: {self._description()}"

    def _description(self) -> str:
        kind = self.columns.types[self.columns.close]
        return self._reading.reader().describe() + f" ({kind})"

    @property
    def close_digits(self) -> tuple[int, int]:
        """Return the most digits that closes may have before and after their points."""
        kind = self._reading.close_type
        if kind is not None:
            return kind.precision - kind.scale, kind.scale
        reads = [(read.whole, read.decimals) for read in self._pieces().reads]
        return max(reads, default=(0, 0))[0], max((each[1] for each in reads), default=0)

    def plan(self) -> "DataFrame":
        """Return the rows in their pieces."""
        return self._pieces().plan

    def _pieces(self) -> "PiecesOfRows":
        """Return the pieces; the table is looked at once to find where to cut it."""
        if self._cut is None:
            selected = self.columns.selected(self._table)
            cuts = self._cuts(selected)
            plan = in_pieces(selected, cuts)
            self._cut = PiecesOfRows(plan, len(cuts) + 1, self._reading, self._terms)
        return self._cut

    def _cuts(self, selected: "DataFrame") -> list[Cut]:
        most = cores_of(selected.sparkSession) * PIECES_OF_CORE
        return cuts_of(selected, self._task.config.window, most, self._least_rows)

    def decide(self, progress: OnProgress | None = None, version: str | None = None) -> Found:
        """Decide all bars; raises `DataError` if there is no signal, or bars cannot be trusted.

        version: that of the table, if it is known.
        """
        findings = Findings(self._terms.levels, self._tell)
        join = self._pieces().joined(findings)
        # Rows of a table have no numbers.
        findings.shown[:] = [finding._replace(row=None) for finding in findings.shown]
        rows = self._pieces().rows
        files = {self._file.path: FoundFile(rows, self._description(), version)}
        found = Found(join.counted, tally_of(join.counted), files, findings, join.digest)
        if not rows:
            raise DataError(f"{self._file.name}: no rows")
        check_signals(self._task, found, tally_of(join.accounts))
        if progress:
            progress(lambda: 0, rows)
        return found

    def listen(self, listeners: "Sequence[Listener[Any]]") -> None:
        """Decide all bars again, for those that want every one; raises `JobError`."""
        self._pieces().listen(listeners)

    def signals(self, to_frame: "ToFrame", schema: "pa.Schema", columns: str) -> "DataFrame":
        """Return a DataFrame of all bars, which are decided again when it is used.

        to_frame: makes frames of decided bars, with the columns of the Arrow schema. columns: the
        same columns as Spark declares them.
        """
        cut = self._pieces()
        work = SignalsPass(self._reading, self._terms, cut.settled, to_frame, schema)
        return mapped(cut.plan, work, columns)


class PiecesOfRows:
    """Rows that Spark sorts into pieces, as a plan, and what is decided of them.

    count: that of the pieces. `settled` is that of each piece by its number, `reads` are in order.
    """

    def __init__(self, plan: "DataFrame", count: int, reading: RowsReading, terms: Terms) -> None:
        self.plan = plan
        self.settled: dict[int, Settled] = {}
        self.reads: list[TableRead] = []
        self._count = count
        self._reading = reading
        self._terms = terms

    @property
    def rows(self) -> int:
        """Count the rows of all pieces."""
        return sum(read.rows for read in self.reads)

    @property
    def dropped(self) -> int:
        """Count the rows that were left out of all pieces."""
        return sum(read.dropped for read in self.reads)

    def joined(self, findings: Findings) -> Join:
        """Decide all pieces and join them; raises the first error in their order."""
        join = Join(self._terms, findings)
        for number, answer in self._answers(FirstTablePass(self._reading, self._terms)):
            read = cast(TableRead, answer)
            self._check_begin(read)
            self.settled[number] = join.add(read.edges)
            self.reads.append(read)
        join.finish()
        return join

    def _check_begin(self, read: TableRead) -> None:
        """Raise `DiskError` if a piece does not begin after the one before it ended."""
        ends = [each.end for each in self.reads if each.end and each.end[1] is not None]
        if ends and read.begin and read.begin[1] is not None and read.begin <= ends[-1]:
            raise self._reading.unsorted()

    def listen(self, listeners: "Sequence[Listener[Any]]") -> None:
        """Decide all bars again, for those that want every one; raises `JobError`."""
        sending = cast("Sequence[SendingListener[Any]]", listeners)
        parts = {number: [each.sent_part() for each in sending] for number in self.settled}
        work = SecondTablePass(self._reading, self._terms, self.settled, parts)
        for _, ended in self._answers(work):
            for listener, part in zip(listeners, cast("list[Any]", ended), strict=True):
                listener.add(part)

    def _answers(self, work: object) -> list[tuple[int, object]]:
        """Return what a pass yields for each piece, in order; raises its first error.

        Raises `DiskError` unless each piece has come once.
        """
        with spark_errors(), batches_by_rows(self.plan.sparkSession):
            rows = mapped(self.plan, work, carrier.ANSWERS).collect()
        answers = [(row["number"], pickle.loads(row["answer"])) for row in rows]
        answers.sort(key=lambda each: each[0])
        for _, (_, error) in answers:
            if error:
                raise error
        if [number for number, _ in answers] != list(range(self._count)):
            raise self._reading.unsorted()
        return [(number, answer) for number, (answer, _) in answers]


def named_table(session: "SparkSession", table: Input) -> "DataFrame":
    """Return the table of a catalog; raises `InputError` if there is none."""
    with spark_errors():
        try:
            found = session.table(table.path.removeprefix(TABLE_PREFIX))
            # A client of Spark Connect asks its server only now.
            found.columns  # noqa: B018  # asked for
        except Exception as problem:
            if "NOT_FOUND" in str(problem):
                raise InputError("Input table not found", f"table: {table.name}") from problem
            if type(problem).__name__ in _OF_NAMES:
                what = f"Input table cannot be read: {first_line(problem)}"
                raise InputError(what, f"table: {table.name}") from problem
            raise
    return found


def newest_of_named(session: "SparkSession", table: Input) -> TableAsOf:
    """Return the table of a catalog as of its newest version; raises `InputError`."""
    found = named_table(session, table)
    return as_of_newest(session, table.path.removeprefix(TABLE_PREFIX), found)


def close_type_of(columns: TableColumns) -> Any:
    """Return the decimal type that holds all closes of a column, None if its type does not tell."""
    import polars as pl

    dtype = columns.schema()[columns.close]
    if dtype.is_integer():
        return pl.Decimal(38, 0)
    return dtype if isinstance(dtype, pl.Decimal) else None


def mapped(plan: "DataFrame", work: object, columns: str) -> "DataFrame":
    """Return what a task yields for the partitions of a plan."""
    from pyspark.cloudpickle import register_pickle_by_value

    register_pickle_by_value(carrier)
    carry = carrier.carried_rows(pickle.dumps(work), carrier.versions_here())
    return plan.mapInArrow(carry, columns)
