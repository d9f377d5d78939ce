"""This module writes the signals of a run, a row for every bar, as CSV, Parquet or Arrow IPC.

While they are decided, they are written to temporary files. At the end these replace the output as
a whole, or are distributed to partitions.
"""

import os
from glob import escape, glob
from typing import TYPE_CHECKING

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
    library_errors,
    signals_suffix,
)
from rollsignal.outputs.signals.partitions import NOTHING, Merging, write_partitions
from rollsignal.outputs.signals.parts import (
    PartRules,
    RowsIn,
    SentSignals,
    SignalsPart,
    WrittenPart,
)
from rollsignal.outputs.signals.text import SignalsText

if TYPE_CHECKING:
    from rollsignal.outputs.signals.table_file import SignalsTable


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

    def part(self) -> "SignalsPart":
        """Return a listener for the next part; the first part is written directly to the output."""
        self._parts += 1
        is_first = self._parts == 1
        rows = self._begun
        if not is_first:
            rows = self._kind.at(f"{self._unfinished}.part{self._parts}")
            self._rows.append(rows)
        return SignalsPart(rows, self._rules(), is_first=is_first)

    def _rules(self) -> "PartRules":
        refuses_untimed = self._merging.is_wanted or self._counter is not None
        counter = self._new_counter() if self._counter else None
        is_escaped = self._kind.suffix == ".csv"
        return PartRules(self._partition_by == "symbol", is_escaped, refuses_untimed, counter)

    def sent_part(self) -> "SentSignals":
        """Return a listener for the next part, for any process that can write beside the output."""
        kind = self._kind
        if kind.suffix != ".csv":
            kind = kind._replace(suffix=UNFINISHED_SUFFIX)
        return SentSignals(kind, self._unfinished, self._rules())

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
