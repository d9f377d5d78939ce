"""This module writes the signals of a run, a row for every bar, as CSV, Parquet or Arrow IPC.

While they are decided, they are written to temporary files. At the end these replace the output as
a whole, or are distributed to partitions.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rollsignal.errors import DiskError
from rollsignal.files.fingerprints import Fingerprint
from rollsignal.files.replace import cannot_create, cannot_write
from rollsignal.files.staged import FileContent, Promise, Staging, unkept
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
from rollsignal.outputs.signals.partitions import (
    NOTHING,
    Merging,
    PartitionedFolder,
    remove_stale,
    stale_files,
    write_partitions,
)
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


# What the unfinished rows are called in the temporary folder.
ROWS = "rows"


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
        self._known: KnownSignals | None = None
        self._staging: Staging | None = None
        self._promise: Promise | None = None
        self._is_promised: Callable[[], bool] | None = None
        self._contents: Mapping[str, FileContent] = {}
        self._is_put = False
        self._rows: list[SignalsText | SignalsTable] = []
        self._parts = 0

    def begin(self) -> None:
        """Create the temporary folder, and write again what a state knows; raises `JobError`."""
        self._staging = self._new_staging()
        self._staging.create()
        try:
            self._rows.append(self._kind.at(self._staging.file(ROWS)))
        except OSError as problem:
            raise cannot_create(self.path, str(problem.strerror)) from problem
        if self._known:
            self._follow(self._known)

    def _new_staging(self) -> Staging:
        return Staging(self.path, is_folder=self._partition_by is not None)

    def _former_path(self) -> str:
        """Return where the signals of the run before can be read."""
        return self.path

    @property
    def _begun(self) -> "SignalsText | SignalsTable":
        assert self._rows, "signals are begun before they are written"
        return self._rows[0]

    @property
    def _begun_staging(self) -> Staging:
        assert self._staging, "signals are begun before they are written"
        return self._staging

    def follow(self, known: KnownSignals) -> None:
        """Continue after the signals of the bars in a state, from `begin` on."""
        self._known = known

    def _follow(self, known: KnownSignals) -> None:
        """Write the signals of a state again, or look up the partitions that hold them.

        Raises `DataError` if the output does not hold these signals.
        """
        from rollsignal.outputs.signals.former import FormerParts, follow

        self._counter = self._new_counter()
        if self._partition_by and known.accounts:
            former = FormerParts(self._former_path(), self._partition_by, self._suffix, known)
            self._merging = Merging(True, former)
        elif known.accounts:
            follow(self._former_path(), known, self._begun)

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
            rows = self._kind.at(self._begun_staging.file(f"{ROWS}.part{self._parts}"))
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
        return SentSignals(kind, self._begun_staging.path, self._rules())

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

    def promise(self) -> Promise:
        """Finish the files beside their places; return what puts them there. Raises `DiskError`."""
        staging = self._begun_staging
        try:
            files = self._finished()
            self._contents = staging.contents(files)
            staging.rename_by(self.files)
            self._promise = self._promise_of(files)
        except OSError as problem:
            raise cannot_write(self.path, problem) from problem
        return self._promise

    def _finished(self) -> list[str]:
        """Finish the files in the temporary folder; return where they belong. Raises `OSError`."""
        staging = self._begun_staging
        self._begun.close()
        if not self._partition_by:
            return staging.take(self._begun.file())
        former = self._former_path() if self._merging.is_wanted else staging.path
        output = PartitionedFolder(former, self._partition_by, self._suffix)
        with library_errors():
            return write_partitions(self._begun.table(), output, staging.ready, self._merging)

    def _promise_of(self, files: Sequence[str]) -> Promise:
        """Promise finished files, with those that are in place: equal signals, equal promises."""
        return self._begun_staging.promise(files)._replace(files=tuple(sorted(self.files)))

    def promised(self, is_promised: Callable[[], bool]) -> None:
        """From now on, ask whether a state promises the files before they are removed."""
        self._is_promised = is_promised

    @property
    def files(self) -> Mapping[str, FileContent]:
        """Return what promised and former files hold, by their paths in the folder."""
        former = self._merging.former
        return {**(former.files if former else {}), **self._contents}

    def finish(self, report: RunReport) -> Mapping[str, Fingerprint]:
        """Put the files in their places; raises `DiskError`."""
        try:
            promise = self._promise or self._begun_staging.promise(self._finished())
            promise.put_in_place()
        except OSError as problem:
            raise (unkept if self._is_promised else cannot_write)(self.path, problem) from problem
        self._promise, self._is_put = promise, True
        if not self.stale:
            self.tidy()
        return {}

    @property
    def stale(self) -> Sequence[str]:
        """List the partitions of earlier runs that do not belong to the signals any more."""
        if not self._partition_by:
            return ()
        return stale_files(self.path, f"signals{self._suffix}", self._keeps)

    def _keeps(self, partition: str) -> bool:
        files = self._promise.files if self._promise else ()
        return f"{partition}/signals{self._suffix}" in files or self._merging.keeps(partition)

    def tidy(self) -> None:
        """Remove the partitions of earlier runs; raises `DiskError`."""
        if not (self._is_put and self._promise):
            return
        if self._partition_by:
            try:
                remove_stale(self.path, f"signals{self._suffix}", self._keeps)
            except OSError as problem:
                raise cannot_write(self.path, problem) from problem
        self._promise.end()
        self._is_put = False

    def abandon(self) -> None:
        """Remove what is unfinished, but not what a state promises to put in place."""
        for rows in self._rows:
            rows.abandon()
        with suppress(DiskError):
            self.tidy()
        if not self._staging or not self._staging.is_there():
            return
        if not (self._is_promised and self._is_promised()):
            self._staging.remove()
