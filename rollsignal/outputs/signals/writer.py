"""This module writes the signals of a run, a row for every bar, as CSV, Parquet or Arrow IPC.

While they are decided, they are written to temporary files. At the end these replace the output as
a whole, or are distributed to partitions.
"""

import os
from collections.abc import Mapping, Sequence
from glob import escape, glob
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.decisions import Decided
from rollsignal.errors import DataError
from rollsignal.files.replace import (
    cannot_create,
    cannot_write,
    commit,
    create_temporary,
    remove_quietly,
)
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.signals.counts import (
    KnownSignals,
    PartitionCount,
    PartitionCounter,
    WrittenPartitions,
)
from rollsignal.outputs.signals.forms import (
    UNFINISHED_SUFFIX,
    escape_formula,
    folder_name,
    library_errors,
    signals_suffix,
)
from rollsignal.outputs.signals.partitions import NOTHING, Merging, write_partitions
from rollsignal.outputs.signals.text import SignalsText
from rollsignal.outputs.signals.widths import Widths

if TYPE_CHECKING:
    from rollsignal.outputs.signals.table_file import SignalsTable


class WrittenPart(NamedTuple):
    """A part of the bars in files: their paths, the widths of their columns, the partitions' rows.

    There are no files if the rows are already in the output.
    """

    files: Sequence[str]
    widths: Widths
    counts: Mapping[str, PartitionCount]


class RowsIn(NamedTuple):
    """The kind of files that hold the rows of a table of signals until it is finished."""

    path: str
    suffix: str
    window: int
    partitioned: bool

    def at(self, unfinished: str) -> "SignalsText | SignalsTable":
        """Begin to write at a path; raises `OSError` or `DiskError`."""
        if self.suffix == ".csv":
            return SignalsText(self.path, unfinished, self.window)
        from rollsignal.outputs.signals.table_file import SignalsTable

        return SignalsTable(
            self.path, unfinished, self.suffix, self.window, partitioned=self.partitioned
        )


class Signals:
    """The signals of a run: one file, or with `partition_by` a folder of partitions.

    merge: whether existing partitions keep rows that are not written again.
    """

    flag = "--signals"

    def __init__(
        self, path: str, window: int, partition_by: str | None = None, *, merge: bool = False
    ) -> None:
        """Raise `UsageError` for a path with an unknown suffix."""
        self.path = path
        self._suffix = signals_suffix(path, partition_by)
        self._partition_by = partition_by
        # Tables that are distributed to partitions need not be compressed.
        suffix = self._suffix if self._suffix == ".csv" or not partition_by else UNFINISHED_SUFFIX
        self._kind = RowsIn(path, suffix, window, partition_by is not None)
        self._merging = Merging(merge)
        self._counter: PartitionCounter | None = None
        self._unfinished = ""
        self._rows: list[SignalsText | SignalsTable] = []
        self._parts = 0

    def begin(self) -> None:
        """Create the temporary file; raises `OutputError`."""
        path = os.path.join(self.path, "signals") if self._partition_by else self.path
        self._unfinished = create_temporary(path)
        try:
            self._rows.append(self._kind.at(self._unfinished))
        except BaseException as problem:
            remove_quietly(self._unfinished)
            if not isinstance(problem, OSError):
                raise
            raise cannot_create(self.path, str(problem.strerror)) from problem

    @property
    def _begun(self) -> "SignalsText | SignalsTable":
        assert self._rows, "signals are begun before they are written"
        return self._rows[0]

    def follow(self, known: KnownSignals) -> None:
        """Continue after the signals of the bars in a state.

        Raises `DataError` if the output does not hold these signals.
        """
        from rollsignal.outputs.signals.former import FormerParts, follow

        self._counter = self._new_counter()
        if self._partition_by and known.accounts:
            former = FormerParts(self.path, self._partition_by, self._suffix, known)
            self._merging = Merging(True, former)
        elif known.accounts:
            follow(self.path, known, self._begun)

    def _new_counter(self) -> PartitionCounter | None:
        if not self._partition_by:
            return None
        return PartitionCounter(self._partition_by, escaped=self._suffix == ".csv")

    def begin_again(self) -> None:
        """Discard what is written, and do not merge with former signals; raises `DiskError`."""
        self._merging = NOTHING
        self._counter = self._counter and self._new_counter()
        self._parts = 0
        self._begun.begin_again()

    def listener(self) -> "Signals":
        """Return the output itself, which wants every decided bar."""
        return self

    def part(self) -> "_SignalsPart":
        """Return a listener for the next part; the first part is written directly to the output."""
        self._parts += 1
        is_first = self._parts == 1
        rows = self._begun
        if not is_first:
            rows = self._kind.at(f"{self._unfinished}.part{self._parts}")
            self._rows.append(rows)
        return _SignalsPart(rows, self._rules(), is_first=is_first)

    def _rules(self) -> "_PartRules":
        refuses_untimed = self._merging.is_wanted or self._counter is not None
        counter = self._new_counter() if self._counter else None
        is_escaped = self._kind.suffix == ".csv"
        return _PartRules(self._partition_by == "symbol", is_escaped, refuses_untimed, counter)

    @property
    def sends_parts(self) -> bool:
        """Return whether parts can be sent: always."""
        return True

    def sent_part(self) -> "_SentSignals":
        """Return a listener for the next part, for any process that can write beside the output."""
        kind = self._kind
        if kind.suffix != ".csv":
            kind = kind._replace(suffix=UNFINISHED_SUFFIX)
        return _SentSignals(kind, f"{self._unfinished}.sent", self._rules())

    def add(self, ended: WrittenPart) -> None:
        """Append a part that is written, in the order of the bars; raises `DiskError`."""
        if self._counter:
            for name, count in ended.counts.items():
                self._counter.add(name, *count)
        if ended.files:
            try:
                self._begun.append(ended.files, ended.widths)
            except OSError as problem:
                raise cannot_write(self.path, problem) from problem

    @property
    def written(self) -> WrittenPartitions | None:
        """Return the partitions for the state, None without a state or partitions."""
        if not (self._counter and self._partition_by):
            return None
        former = self._merging.former
        parts = dict(former.parts) if former else {}
        for name, part in self._counter.parts.items():
            parts[name] = parts.get(name, PartitionCount()).plus(*part)
        return WrittenPartitions(self._partition_by, self._suffix, parts)

    def finish(self, report: RunReport) -> None:
        """Put the file in its place; raises `DiskError`."""
        try:
            self._begun.close()
            if self._partition_by:
                key, merging = self._partition_by, self._merging
                with library_errors():
                    write_partitions(self._begun.table(), key, self.path, self._suffix, merging)
            else:
                commit(self._begun.file(), self.path)
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem

    def abandon(self) -> None:
        """Remove what is unfinished."""
        for rows in self._rows:
            rows.abandon()
        if self._rows:
            for sent in glob(f"{escape(self._unfinished)}.sent*"):
                remove_quietly(sent)
            remove_quietly(self._unfinished)


class _PartRules(NamedTuple):
    """What a part of the signals must check and count.

    is_escaped: whether symbols are protected from being run as formulas by a spreadsheet.
    """

    by_symbol: bool
    is_escaped: bool
    refuses_untimed: bool
    counter: PartitionCounter | None

    def take(self, bars: Decided) -> None:
        """Check and count decided bars.

        Raises `OutputError` for a symbol that is too long for the name of a folder, and `DataError`
        for bars without timestamps if partitions are merged.
        """
        if self.by_symbol:
            # So a long symbol is refused before everything is written.
            for symbol in bars.symbols:
                folder_name("symbol", escape_formula(symbol) if self.is_escaped else symbol)
        if self.refuses_untimed and bars.timestamps_ns is None:
            raise DataError(
                "Rows without timestamps cannot be matched with those in the partitions",
                "leave out --partition-by, or name the column: columns: {timestamp: NAME}",
            )
        if self.counter:
            self.counter.take(bars)

    @property
    def counts(self) -> Mapping[str, PartitionCount]:
        """Return the rows of each partition, by the name of its folder."""
        return self.counter.parts if self.counter else {}


class _SignalsPart:
    """A listener that writes the signals of a part of the bars.

    is_first: whether `rows` are those of the output itself.
    """

    def __init__(
        self, rows: "SignalsText | SignalsTable", rules: _PartRules, *, is_first: bool
    ) -> None:
        self._rows = rows
        self._rules = rules
        self._is_first = is_first

    def take(self, bars: Decided) -> None:
        """Write decided bars; raises `JobError`."""
        self._rules.take(bars)
        self._rows.take(bars)

    def end(self) -> WrittenPart:
        """Return what this part has written."""
        if self._is_first:
            return WrittenPart((), Widths(), self._rules.counts)
        return WrittenPart(*self._rows.close(), self._rules.counts)


class _SentSignals:
    """A listener that writes a part in any process; it creates files only for bars.

    Each process that writes it uses names of its own, so two of them do not disturb each other.
    """

    def __init__(self, kind: RowsIn, prefix: str, rules: _PartRules) -> None:
        self._kind = kind
        self._prefix = prefix
        self._rules = rules
        self._rows: SignalsText | SignalsTable | None = None

    def take(self, bars: Decided) -> None:
        """Write decided bars; raises `JobError`."""
        self._rules.take(bars)
        if self._rows is None:
            try:
                self._rows = self._kind.at(self._prefix + os.urandom(8).hex())
            except OSError as problem:
                raise cannot_write(self._kind.path, problem) from problem
        self._rows.take(bars)

    def end(self) -> WrittenPart:
        """Return what this part has written; raises `DiskError`."""
        if self._rows is None:
            return WrittenPart((), Widths(), {})
        try:
            return WrittenPart(*self._rows.close(), self._rules.counts)
        except OSError as problem:
            raise cannot_write(self._kind.path, problem) from problem
