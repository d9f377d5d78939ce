"""An engine that cuts the bars into pieces, and decides these in any order, as a cluster does.

Each piece is read twice. In the first pass it is decided alone, which tells the last closes of its
series. From those, in the order of the pieces, follow the accounts that each piece continues. In
the second pass it is decided with them, and its bars go to listeners of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from random import Random
from typing import Any, NamedTuple

from rollsignal.config.settings import Checks
from rollsignal.core.bars import Bars, Reader
from rollsignal.core.decisions import Decided, Listener, Part
from rollsignal.core.digest import plus
from rollsignal.core.digester import Digester
from rollsignal.core.findings import Findings, Found, FoundFile, LocatedFinding, times_misfit
from rollsignal.core.gaps import Steps
from rollsignal.core.kernel import Account, Carry, Tally, tally_of
from rollsignal.core.ledger import ONE_SERIES, Ledger, Rules
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import OnProgress, Seen, Task
from rollsignal.engines.local import check_signals
from rollsignal.engines.new_bars import NewBars
from rollsignal.engines.sorted_bars import SortedReader
from rollsignal.engines.sorting import BarSorter
from rollsignal.engines.spans import SpanFilter
from rollsignal.errors import DataError, JobError
from rollsignal.messages import LogLevel, Tell


class Piece(NamedTuple):
    """Consecutive batches with their readers, and what was met when they were read."""

    batches: list[tuple[Bars, Reader]]
    findings: Findings
    error: JobError | None = None


class Decision(NamedTuple):
    """What came of a piece: only what is small, as a cluster would send it."""

    accounts: Mapping[str, Account]
    in_span: Mapping[str, Account]

    digest: int
    findings: Findings
    steps: Steps | None
    ended: Sequence[Any]
    error: JobError | None


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
        pieces = [*reading.pieces(), Piece([], reading.findings, reading.error)]
        self.pieces = len(pieces) - 1
        if progress:
            progress(lambda: 0, sum(file.rows for file in reading.files.values()))
        rules = task.config.rules
        parts = [[listener.part() for listener in listeners] for _ in pieces]
        alone = dict(self._in_any_order(pieces, lambda number: _alone(pieces[number], rules)))
        in_order = [alone[number] for number in range(len(pieces))]
        before = list(_prefixes(rules, task.known, in_order))
        decisions = dict(
            self._in_any_order(
                pieces, lambda number: _decided(task, pieces[number], before[number], parts[number])
            )
        )
        ordered = [decisions[number] for number in range(len(pieces))]
        return _joined(task, listeners, tell, ordered, reading.files)

    def _in_any_order(self, pieces: Sequence[Piece], work: Any) -> Iterator[tuple[int, Any]]:
        numbers = list(range(len(pieces)))
        self._random.shuffle(numbers)
        for number in numbers:
            yield number, work(number)


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
        self._pieces: list[Piece] = []

    def pieces(self) -> list[Piece]:
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
            self._pieces.append(Piece([(batch.picked(places), reader)], self.findings))
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
        for file in inputs.by_time(in_doubt=task.collect_errors):
            try:
                with closing(inputs.each([file])) as each:
                    for _, opened in each:
                        self._read_one(file.path, opened, self._taking(file.path))
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
        with BarSorter() as sorter:
            bars = SortedReader(sorter)

            def add(batch: Bars, reader: Reader) -> None:
                ledger.report(batch, reader)
                bars.add(batch, reader)

            for file in inputs.files:
                self._read_one(file.path, inputs.opened(file), add)
            for batch in bars.batches():
                self.take(batch, bars)


def _alone(piece: Piece, rules: Rules) -> Mapping[str, Account]:
    """Decide a piece as if nothing came before it: the accounts of its series."""
    levels = dict.fromkeys(Checks._fields, "off")
    ledger = Ledger(rules, Findings(levels, _silent))
    for batch, reader in piece.batches:
        ledger.take(batch, reader)
    ledger.close_panel()
    return ledger.accounts


def _prefixes(
    rules: Rules, known: Mapping[str, Account], pieces: Sequence[Mapping[str, Account]]
) -> Iterator[dict[str, Account]]:
    """Yield for each piece the accounts of all bars before it."""
    before = dict(known)
    for piece in pieces:
        yield dict(before)
        for symbol, account in piece.items():
            former = before.get(symbol) or Account(Carry(rules.window))
            before[symbol] = _after(former, account, rules)


def _after(before: Account, piece: Account, rules: Rules) -> Account:
    """Join the account of a piece to that of the bars before it."""
    scale = max(before.carry.scale, piece.carry.scale)
    tail = _ticks(piece.carry, scale)
    if rules.missing == "skip" or not piece.tally.missing:
        tail = _ticks(before.carry, scale) + tail
    return Account(
        Carry(rules.window, scale, tuple(tail[max(0, len(tail) - rules.window + 1) :])),
        before.tally.plus(piece.tally),
        piece.last or before.last,
        piece.first_ns if before.first_ns is None else before.first_ns,
        before.last_ns if piece.last_ns is None else piece.last_ns,
        piece.last_file,
        piece.zoned,
    )


def _ticks(carry: Carry, scale: int) -> list[int]:
    return [close * 10 ** (scale - carry.scale) for close in carry.tail]


def _decided(
    task: Task, piece: Piece, before: Mapping[str, Account], parts: Sequence[Part[Any]]
) -> Decision:
    """Decide a piece that continues such accounts."""
    rules, digester = task.config.rules, Digester()
    takes = [*(part.take for part in parts), digester.take]

    def take(bars: Decided) -> None:
        for take_one in takes:
            take_one(bars)

    within = None if task.span is None else SpanFilter(task.span, rules, take)
    findings, error = piece.findings, piece.error
    ledger = Ledger(rules, findings, within.take if within else take)
    ledger.accounts |= before
    for symbol, account in before.items():
        known = task.known.get(symbol)
        is_of_this_run = known is None or account.tally.rows > known.tally.rows
        if ledger.steps and account.last_ns is not None and is_of_this_run:
            ledger.steps.follow(symbol, account.last_ns)
    symbols: set[str] = set()
    try:
        for batch, reader in piece.batches:
            ledger.take(batch, reader)
            symbols |= set(batch.plain().symbols or [reader.symbol or ONE_SERIES])
    except JobError as problem:
        error = problem
    ledger.close_panel()
    return Decision(
        {symbol: _of_piece(ledger.accounts, before, symbol) for symbol in symbols},
        within.accounts if within else {},
        digester.digest,
        findings,
        ledger.steps,
        [] if error else [part.end() for part in parts],
        error,
    )


def _of_piece(
    accounts: Mapping[str, Account], before: Mapping[str, Account], symbol: str
) -> Account:
    """Return an account with the tally of the piece alone, and no last bar if the piece has none.

    What was known before the piece comes of pieces decided alone, which have too few signals.
    """
    account, former = accounts[symbol], before.get(symbol)
    if former is None:
        return account
    counts = zip(account.tally, former.tally, strict=True)
    last = None if account.last is former.last else account.last
    return account._replace(tally=Tally(*(now - then for now, then in counts)), last=last)


def _joined(
    task: Task,
    listeners: Sequence[Listener[Any]],
    tell: Tell,
    decisions: Sequence[Decision],
    files: Mapping[str, FoundFile],
) -> Found:
    """Put together what came of the pieces, in their order; raises the first error."""
    findings = _findings(task, tell)
    accounts, in_span, digest = dict(task.known), dict[str, Account](), 0
    steps = Steps() if task.config.rules.gaps else None
    for decision in decisions:
        findings.merge(decision.findings)
        if decision.error:
            raise decision.error
        for listener, ended in zip(listeners, decision.ended, strict=True):
            listener.add(ended)
        for symbol, account in decision.accounts.items():
            former = accounts.get(symbol) or Account(account.carry)
            tally = former.tally.plus(account.tally)
            accounts[symbol] = account._replace(tally=tally, last=account.last or former.last)
        for symbol, account in decision.in_span.items():
            within = in_span.get(symbol)
            in_span[symbol] = _after(within, account, task.config.rules) if within else account
        digest = plus(digest, decision.digest)
        if steps and decision.steps:
            steps.merge(decision.steps)
    if steps:
        steps.report(findings)
    counted = in_span if task.span else accounts
    found = Found(counted, tally_of(counted), files, findings, digest if task.digest else None)
    check_signals(task, found, tally_of(accounts))
    return found


def _findings(task: Task, tell: Tell | None = None) -> Findings:
    levels = task.levels or task.config.checks._asdict()
    return Findings(levels, tell or _silent, task.collect_errors)


def _silent(level: LogLevel, text: str) -> None:
    """Tell nobody: what a piece finds is told when the pieces are joined."""
