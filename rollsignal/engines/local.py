"""This module decides bars in this process, file after file, batch after batch."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING, Any

from rollsignal.core.bars import NO_OBJECTS
from rollsignal.core.findings import Findings, Found, FoundFile, LocatedFinding
from rollsignal.core.kernel import Tally, tally_of
from rollsignal.core.ledger import Ledger
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import OnProgress, Task
from rollsignal.errors import DataError
from rollsignal.files.find import Input
from rollsignal.messages import Tell, plural

if TYPE_CHECKING:
    from rollsignal.core.decisions import Decided
    from rollsignal.core.listeners import Listener, Take
    from rollsignal.core.reader import Bars, Reader, TakeBatch
    from rollsignal.engines.open_bars import OpenBars
    from rollsignal.engines.repeats import KeptRows
    from rollsignal.engines.spans import SpanFilter

SHOWN_FILES = 10


class LocalEngine:
    """Decide on arrays where that is proved to be exact, else on Python integers."""

    name = "local"
    careful = False

    def describe(self, task: Task) -> list[str]:
        """Describe the files of a task; raises `JobError` for one that is not a table."""
        inputs = self.inputs(task)
        return [f"{file.name}: {inputs.describe(file)}" for file in task.inputs]

    def decide(
        self,
        task: Task,
        listeners: "Sequence[Listener[Any]]",
        tell: Tell,
        progress: OnProgress | None = None,
    ) -> Found:
        """Decide all bars; raises `DataError` if there is no signal, or bars cannot be trusted."""
        config = task.config
        findings = Findings(task.levels or config.checks._asdict(), tell, task.collect_errors)
        parts = [listener.part() for listener in listeners]
        takes = [part.take for part in parts]
        digester = None
        if task.digest:
            from rollsignal.core.digester import Digester

            digester = Digester()
            takes.append(digester.take)
        within = _span_filter(task, takes)
        take = within.take if within else _to_all(takes)
        rules = config.rules._replace(doubts=task.doubts)
        ledger = Ledger(rules, findings, take, arrays=not self.careful)
        ledger.accounts |= task.known
        reading = _Reading(self.inputs(task), task, ledger, progress)
        files = reading.run()
        ledger.finish()
        for listener, part in zip(listeners, parts, strict=True):
            listener.add(part.end())
        accounts = within.accounts if within else ledger.accounts
        digest = digester.digest if digester else None
        waiting = reading.open_bars.waiting() if reading.open_bars else ()
        unread = reading.open_bars.unread if reading.open_bars else ()
        result = Found(
            accounts,
            tally_of(accounts),
            files,
            findings,
            digest,
            reading.dropped,
            waiting,
            unread,
        )
        check_signals(task, result, ledger.tally())
        return result

    def inputs(self, task: Task) -> Inputs:
        """Return the files of a task, and how they are read."""
        return Inputs(task.inputs, task.config, task.format, careful=self.careful)


class PlainEngine(LocalEngine):
    """Decide without arrays: with the careful readers and Python integers only."""

    name = "plain"
    careful = True


def check_signals(task: Task, result: Found, read: Tally) -> None:
    """Report that there are no bars or no signals, if so; raises `DataError`.

    read: the tally of all bars, also of those outside the range of time.
    """
    if task.collect_errors:
        if result.files and not read.rows:
            message = _no_signal(task, read, result)
            result.findings.report(_unreadable(_names(task.inputs), message))
    elif not read.signals:
        raise DataError(_no_signal(task, read, result))
    elif not result.tally.signals:
        raise DataError(f"No signal {task.span}: {plural(result.tally.rows, 'bar')} in this range")


def _span_filter(task: Task, takes: "Sequence[Take]") -> "SpanFilter | None":
    if task.span is None:
        return None
    from rollsignal.engines.spans import SpanFilter

    return SpanFilter(task.span, task.config.rules, _to_all(takes) or (lambda bars: None))


def _to_all(takes: "Sequence[Take]") -> "Take | None":
    """Return one receiver that passes bars to all; None without any, so that no bars are made."""
    if len(takes) < 2:
        return takes[0] if takes else None

    def take(bars: "Decided") -> None:
        for take_one in takes:
            take_one(bars)

    return take


class _Reading:
    """Read the files of a task into a ledger, one after the other, and report progress."""

    def __init__(
        self, inputs: Inputs, task: Task, ledger: Ledger, progress: OnProgress | None
    ) -> None:
        self._inputs = inputs
        self._task = task
        self._ledger = ledger
        self._progress = progress
        self.open_bars = _open_bars(task, ledger)
        self._take: TakeBatch = self.open_bars.take if self.open_bars else ledger.take
        self._bytes = self._rows = self.dropped = 0
        self._kept: KeptRows | None = None

    def run(self) -> dict[str, FoundFile]:
        """Read all files; return the rows and description of each, by path."""
        read = self._read_all()
        if self.open_bars:
            self._ledger.look_at(self.open_bars.rest())
        return read

    def _read_all(self) -> dict[str, FoundFile]:
        if self._task.config.sort and not self._task.collect_errors:
            return self._sorted()
        read = {}
        files = self._inputs.by_time(in_doubt=self._task.collect_errors)
        self._kept = self._kept_rows(files)
        with closing(self._inputs.each(files)) as each:
            for file, opened in each:
                try:
                    read[file.path] = self._read(opened, self._taking(file))
                except DataError as error:
                    if not self._task.collect_errors:
                        raise
                    self._ledger.findings.report(_unreadable(file.name, error.message))
        self.dropped = self._kept.dropped if self._kept else 0
        return read

    def _kept_rows(self, files: Sequence[Input]) -> "KeptRows | None":
        """Return what leaves out rows that repeat a bar; None if all rows are kept."""
        if self._task.config.duplicates == "keep":
            return None
        from rollsignal.engines.repeats import kept_rows

        return kept_rows(self._inputs, files, in_doubt=self._task.collect_errors)

    def _taking(self, file: Input) -> "TakeBatch":
        """Return the function that receives the batches of a file."""
        take = self._taking_new(file)
        if self._kept is None:
            return take
        from rollsignal.engines.repeats import taking_kept

        return taking_kept(self._kept, take)

    def _taking_new(self, file: Input) -> "TakeBatch":
        """Return the function that receives the rows that are kept."""
        if self._task.seen is None:
            return self._take
        from rollsignal.engines.interface import Seen
        from rollsignal.engines.new_bars import NewBars

        seen = self._task.seen.get(file.path, Seen())
        if self.open_bars:
            self.open_bars.begin(file.path, has_grown=seen.left_out > 0)
        return NewBars(self._ledger, seen, self._task.take_old, self.open_bars).take

    def _read(self, opened: "AbstractContextManager[Reader]", take: "TakeBatch") -> FoundFile:
        """Read one file, and pass its batches on."""
        before = self._rows
        with opened as reader:
            for batch in reader.batches():
                take(batch, reader)
                self._rows += batch.rows
                if self._progress:
                    self._progress(lambda: self._bytes + reader.bytes_read(), self._rows)
            if self._progress:
                self._bytes += reader.bytes_read()
            return FoundFile(self._rows - before, reader.describe())

    def _sorted(self) -> dict[str, FoundFile]:
        """Read all files, then pass their bars on in the order of time."""
        from rollsignal.engines.sorted_bars import SortedReader
        from rollsignal.engines.sorting import BarSorter

        self._inputs.check_units()
        with BarSorter(duplicates=self._task.config.duplicates) as sorter:
            bars = SortedReader(sorter)

            def add(batch: "Bars", reader: "Reader") -> None:
                self._ledger.report(batch, reader)
                bars.add(batch, reader)

            with closing(self._inputs.each(self._inputs.files)) as each:
                read = {file.path: self._read(opened, add) for file, opened in each}
            for batch in bars.batches():
                self._take(batch, bars)
            self.dropped = sorter.dropped
        return read


def _open_bars(task: Task, ledger: Ledger) -> "OpenBars | None":
    """Return what has the newest bars wait, None if none of them do."""
    if not task.config.open_bars:
        return None
    from rollsignal.engines.open_bars import OpenBars

    return OpenBars(
        task.config.open_bars, ledger.take, task.waiting, replaces=task.seen is not None
    )


def _unreadable(name: str, message: str) -> LocatedFinding:
    return LocatedFinding("unreadable", name, None, "", None, message)


def _names(files: Sequence[Input]) -> str:
    more = f" and {len(files) - SHOWN_FILES:,} more" if len(files) > SHOWN_FILES else ""
    return ", ".join(file.name for file in files[:SHOWN_FILES]) + more


def _no_signal(task: Task, tally: Tally, found: Found) -> str:
    name, window = _names(task.inputs), task.config.window
    if found.waiting:
        rows = plural(tally.rows + len(found.waiting), "row")
        wait = "1 waits" if len(found.waiting) == 1 else f"{len(found.waiting):,} wait"
        wait = f"of which {wait} (open_bars: {task.config.open_bars})"
        return f"{name}: {rows}, {wait}, and no window of {window:,} bars before those that wait"
    if not tally.rows:
        descriptions = [file.description for file in found.files.values()]
        headed = not all(description.endswith(NO_OBJECTS) for description in descriptions)
        return f"{name}: no rows" + (" below the header" if headed else "")
    if tally.rows < window:
        return f"{name}: {plural(tally.rows, 'row')}, fewer than the window of {window:,} bars"
    if not tally.missing:
        rows = plural(tally.rows, "row")
        return f"{name}: {rows} of several symbols, each with fewer than the window of {window:,}"
    return f"{name}: no window of {window:,} bars without a missing close"
