"""This module writes the signals of parts of the bars, where these are decided.

A part is written directly to the output, or to files beside it, which are put together at the end.
"""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.decisions import Decided
from rollsignal.errors import DataError, OutputError
from rollsignal.files.open import exists
from rollsignal.files.replace import cannot_write
from rollsignal.messages import shown_path
from rollsignal.outputs.signals.counts import PartitionCount, PartitionCounter
from rollsignal.outputs.signals.forms import escape_formula, folder_name
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


class PartRules(NamedTuple):
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


class SignalsPart:
    """A listener that writes the signals of a part of the bars.

    is_first: whether `rows` are those of the output itself.
    """

    def __init__(
        self, rows: "SignalsText | SignalsTable", rules: PartRules, *, is_first: bool
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


class SentSignals:
    """A listener that writes a part beside the output in any process; without bars, no file.

    Each process that writes it uses names of its own, so two of them do not disturb each other. One
    that is still at it when the run has ended leaves nothing.
    """

    def __init__(self, kind: RowsIn, folder: str, rules: PartRules) -> None:
        """Name the temporary folder of the output, in which the part is written."""
        self._kind = kind
        self._folder = folder
        self._rules = rules
        self._rows: SignalsText | SignalsTable | None = None

    def take(self, bars: Decided) -> None:
        """Write decided bars; raises `JobError`."""
        self._rules.take(bars)
        if self._rows is None:
            self._check_output()
            try:
                self._rows = self._kind.at(os.path.join(self._folder, f"sent{os.urandom(8).hex()}"))
            except OSError as problem:
                raise cannot_write(self._kind.path, problem) from problem
        self._rows.take(bars)
        self._check_output()

    def end(self) -> WrittenPart:
        """Return what this part has written; raises `JobError`."""
        if self._rows is None:
            return WrittenPart((), Widths(), {})
        try:
            files, widths = self._rows.close()
        except OSError as problem:
            raise cannot_write(self._kind.path, problem) from problem
        self._check_output()
        return WrittenPart(files, widths, self._rules.counts)

    def _check_output(self) -> None:
        """Remove this part and raise `OutputError` if its output is not on this machine."""
        if exists(self._folder):
            return
        if self._rows:
            self._rows.abandon()
        import socket

        where = f"{shown_path(self._kind.path)} is not on {socket.gethostname()}"
        raise OutputError(
            f"{where}, which shall write a part of it",
            "put the output where all machines see it at the same path",
        )
