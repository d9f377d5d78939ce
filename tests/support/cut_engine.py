"""An engine that cuts the bars into pieces, and decides these in any order, as a cluster does.

In the first pass each piece is decided alone, and what it hands back is joined in the order of the
bars. Listeners need a second pass, which decides each piece with the accounts of the bars before.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from random import Random
from typing import Any, NamedTuple, TypeVar

from rollsignal.core.decisions import Decided
from rollsignal.core.edges import Edges, Terms
from rollsignal.core.findings import (
    Findings,
    Found,
    FoundFile,
    LocatedFinding,
    tell_nobody,
    times_misfit,
)
from rollsignal.core.joining import Join, Settled
from rollsignal.core.kernel import Account, Carry, tally_of
from rollsignal.core.ledger import ONE_SERIES, Ledger
from rollsignal.core.listeners import Listener, Part
from rollsignal.core.piece import Piece
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.replay import Replay
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import OnProgress, Seen, Task
from rollsignal.engines.local import check_signals
from rollsignal.engines.new_bars import NewBars
from rollsignal.engines.repeats import kept_rows, taking_kept
from rollsignal.engines.sorted_bars import SortedReader
from rollsignal.engines.sorting import BarSorter
from rollsignal.errors import DataError, JobError
from rollsignal.messages import Tell

Made = TypeVar("Made")


class Cut(NamedTuple):
    """Consecutive batches with their readers, and what was met when they were read."""

    batches: list[tuple[Bars, Reader]]
    findings: Findings
    error: JobError | None = None


class CutEngine:
    """Decide pieces of at most `rows` bars, in an order that `seed` draws."""

    name = "cut"

    def __init__(self, rows: int = 7, seed: int = 0) -> None:
        self.rows = rows
        self.pieces = 0
        self._random = Random(seed)

    def describe(self, task: Task) -> list[str]:
        inputs = Inputs(task.inputs, task.config, task.format)
        return [f"{file.name}: {inputs.describe(file)}" for file in task.inputs]

    def decide(
        self,
        task: Task,
        listeners: Sequence[Listener[Any]],
        tell: Tell,
        progress: OnProgress | None = None,
    ) -> Found:
        reading = Reading(task, self.rows)
        cuts = [*reading.pieces(), Cut([], reading.findings, reading.error)]
        self.pieces = len(cuts) - 1
        if progress:
            progress(lambda: 0, sum(file.rows for file in reading.files.values()))
        terms = _terms(task, digest=task.digest or bool(listeners))
        edges = self._in_any_order([partial(_edges, cut, terms) for cut in cuts])
        findings = _findings(task, tell)
        together, settled = Join(terms, findings, task.known), list[Settled]()
        for cut, each in zip(cuts, edges, strict=True):
            findings.merge(cut.findings)
            settled.append(together.add(pickle.loads(pickle.dumps(each))))
            if cut.error:
                raise cut.error
        together.finish()
        self._listen(terms, cuts, settled, listeners)
        counted, digest = together.counted, together.digest if task.digest else None
        found = Found(counted, tally_of(counted), reading.files, findings, digest)
        check_signals(task, found, tally_of(together.accounts))
        return found

    def _listen(
        self,
        terms: Terms,
        cuts: Sequence[Cut],
        settled: Sequence[Settled],
        listeners: Sequence[Listener[Any]],
    ) -> None:
        """Decide all pieces again, for those that want every bar."""
        if not listeners:
            return
        parts = [[listener.part() for listener in listeners] for _ in cuts]
        work = zip(cuts, settled, parts, strict=True)
        ended = self._in_any_order([partial(_replayed, terms, *each) for each in work])
        for of_piece in ended:
            for listener, end in zip(listeners, of_piece, strict=True):
                listener.add(end)

    def _in_any_order(self, work: Sequence[Callable[[], Made]]) -> list[Made]:
        numbers = list(range(len(work)))
        self._random.shuffle(numbers)
        made = {number: work[number]() for number in numbers}
        return [made[number] for number in range(len(work))]


class Reading:
    """Read all files of a task, and cut their bars into pieces.

    It stands where `NewBars` expects a ledger: it is handed the bars to decide, and knows the time
    that each series has reached.
    """

    def __init__(self, task: Task, rows: int) -> None:
        self.files: dict[str, FoundFile] = {}
        self.findings = _findings(task)
        self.error: JobError | None = None
        self._task = task
        self._rows = rows
        self._reached = {symbol: account.last_ns for symbol, account in task.known.items()}
        self._pieces: list[Cut] = []

    def pieces(self) -> list[Cut]:
        try:
            self._read()
        except JobError as error:
            self.error = error
        return self._pieces

    def last_ns(self, symbol: str) -> int | None:
        return self._reached.get(symbol)

    def check_times(self, symbol: str, reader: Reader) -> None:
        known = self._task.known.get(symbol) or Account(Carry(self._task.config.window))
        if misfit := times_misfit(known, reader.name, known.last_ns is not None, reader.zoned):
            raise misfit

    def take(self, batch: Bars, reader: Reader) -> None:
        """Cut a batch; what was met before it goes with its first piece."""
        for start in range(0, batch.rows, self._rows):
            places = range(start, min(batch.rows, start + self._rows))
            self._pieces.append(Cut([(batch.picked(places), reader)], self.findings))
            self.findings = _findings(self._task)
        times = batch.timestamps_ns
        if times is not None:
            plain = batch.plain()
            symbols = plain.symbols or [reader.symbol or ONE_SERIES] * batch.rows
            self._reached |= dict(zip(symbols, map(int, times), strict=True))

    def _read(self) -> None:
        task = self._task
        inputs = Inputs(task.inputs, task.config, task.format)
        if task.config.sort and not task.collect_errors:
            self._read_sorted(inputs)
            return
        files = inputs.by_time(in_doubt=task.collect_errors)
        kept = kept_rows(inputs, files, in_doubt=task.collect_errors)
        for file in files:
            try:
                with closing(inputs.each([file])) as each:
                    for _, opened in each:
                        take = taking_kept(kept, self._taking(file.path))
                        self._read_one(file.path, opened, take)
            except DataError as error:
                if not task.collect_errors:
                    raise
                unreadable = LocatedFinding("unreadable", file.name, None, "", None, error.message)
                self.findings.report(unreadable)

    def _taking(self, path: str) -> Any:
        if self._task.seen is None:
            return self.take
        ledger: Any = self
        return NewBars(ledger, self._task.seen.get(path, Seen()), self._task.take_old).take

    def _read_one(self, path: str, opened: Any, take: Any) -> None:
        rows = 0
        with opened as reader:
            for batch in reader.batches():
                take(batch, reader)
                rows += batch.rows
            self.files[path] = FoundFile(rows, reader.describe())

    def _read_sorted(self, inputs: Inputs) -> None:
        ledger = Ledger(self._task.config.rules, self.findings)
        with BarSorter(duplicates=self._task.config.duplicates) as sorter:
            bars = SortedReader(sorter)

            def add(batch: Bars, reader: Reader) -> None:
                ledger.report(batch, reader)
                bars.add(batch, reader)

            for file in inputs.files:
                self._read_one(file.path, inputs.opened(file), add)
            for batch in bars.batches():
                self.take(batch, bars)


def _terms(task: Task, *, digest: bool) -> Terms:
    levels = task.levels or task.config.checks._asdict()
    return Terms(task.config.rules, levels, task.collect_errors, task.span, digest)


def _edges(cut: Cut, terms: Terms) -> Edges:
    """Decide a piece as if nothing came before it."""
    piece = Piece(terms)
    try:
        for batch, reader in cut.batches:
            piece.take(batch, reader)
    except JobError as error:
        piece.refuse(error)
    return piece.edges()


def _replayed(
    terms: Terms, cut: Cut, settled: Settled, parts: Sequence[Part[Any]]
) -> Sequence[Any]:
    """Decide a piece with what came before it."""

    def take(bars: Decided) -> None:
        for part in parts:
            part.take(bars)

    replay = Replay(terms, settled, take)
    for batch, reader in cut.batches:
        replay.take(batch, reader)
    replay.prove()
    return [part.end() for part in parts]


def _findings(task: Task, tell: Tell | None = None) -> Findings:
    levels = task.levels or task.config.checks._asdict()
    return Findings(levels, tell or tell_nobody, task.collect_errors)
