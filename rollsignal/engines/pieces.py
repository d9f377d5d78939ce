"""This module is the engine that cuts the bars into pieces, which many processes decide.

Bars that must be read one after the other go to the local engine, which it always equals.
"""

import pickle
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any, cast

from rollsignal.config.settings import JobConfig
from rollsignal.core.edges import Edges, Terms
from rollsignal.core.findings import Findings, Found, FoundFile
from rollsignal.core.joining import Join, Settled
from rollsignal.core.kernel import tally_of
from rollsignal.engines.cuttable import can_be_cut
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.interface import OnProgress, Task
from rollsignal.engines.local import LocalEngine, check_signals
from rollsignal.engines.looking import FileLook, Looking
from rollsignal.engines.passes import (
    FirstPass,
    FirstRead,
    PackedRead,
    Reading,
    SecondPass,
    Splits,
    packed_piece,
)
from rollsignal.engines.runner import InProcess, NoProcessError, Processes, Runner
from rollsignal.engines.splits import Split, bundled
from rollsignal.engines.telling import HeldMessages
from rollsignal.errors import JobError
from rollsignal.files.formats import Format
from rollsignal.messages import Tell

if TYPE_CHECKING:
    from rollsignal.core.listeners import Listener, SendingListener

# Pieces for each worker, so that all end at about the same time, and bounds of their bytes.
PIECES_EACH = 4
LEAST_BYTES, MOST_BYTES = 8 << 20, 64 << 20
# Few bars have fewer bytes. A piece should have more bars than the window.
BAR_BYTES = 16


class PiecesEngine:
    """Decide pieces with a runner, by default that of a pool of processes.

    piece_bytes: about how many bytes a piece has; None for what suits the files and workers.
    reading: how files are cut and read.
    """

    # It decides on this machine what the local engine would: no output tells them apart.
    name = "local"
    # It decides what cannot be cut.
    local = LocalEngine()

    def __init__(
        self,
        workers: int,
        runner: Callable[[], AbstractContextManager[Runner]] | None = None,
        piece_bytes: int | None = None,
        reading: Callable[[JobConfig, Format | None], Reading] = Reading,
    ) -> None:
        self.workers = workers
        self._runner = runner or (lambda: Processes(workers))
        self._piece_bytes = piece_bytes
        self._reading = reading

    def describe(self, task: Task) -> list[str]:
        """Describe the files of a task; raises `JobError` for one that is not a table."""
        return self.local.describe(task)

    def decide(
        self,
        task: Task,
        listeners: "Sequence[Listener[Any]]",
        tell: Tell,
        progress: OnProgress | None = None,
    ) -> Found:
        """Decide all bars; raises `DataError` if there is no signal, or bars cannot be trusted."""
        reading = self._reading(task.config, task.format)
        pieces = self._pieces(task, reading) if can_be_cut(task, listeners) else []
        if len(pieces) > 1:
            work = PiecesOfTask(task, reading, listeners, tell, progress)
            # Nothing is decided or told if there are no processes, or no pieces after all.
            with suppress(NoProcessError, UncutError), self._runner() as runner:
                return work.decide(runner, pieces)
        return self.local.decide(task, listeners, tell, progress)

    def _pieces(self, task: Task, reading: Reading) -> list[Splits]:
        """Cut the files; small ones that follow each other are one piece."""
        total_bytes = sum(file.size or 0 for file in task.inputs)
        usual = min(MOST_BYTES, max(LEAST_BYTES, total_bytes // (self.workers * PIECES_EACH)))
        return pieces_of(self.local.inputs(task), reading, self._piece_bytes or usual)


def pieces_of(
    inputs: Inputs, reading: Reading, piece_bytes: int, runner: Runner | None = None
) -> list[Splits]:
    """Cut files into pieces of about so many bytes, in the order of their bars.

    runner: where the files are looked at, by default here. Raises `JobError` for files that have no
    order, or cannot be read.
    """
    most = max(piece_bytes, inputs.config.window * BAR_BYTES)
    looking, looked = Looking(inputs, reading, most), list[FileLook]()
    for result in (runner or InProcess()).run(looking.groups, looking.run):
        looked += pickle.loads(result)
    by_path = {file.path: look for file, look in zip(inputs.files, looked, strict=True)}
    files = inputs.by_time(first_ns=lambda file: by_path[file.path].first())
    splits = [split for file in files for split in by_path[file.path].splits]
    return list(bundled(splits, most))


class UncutError(Exception):
    """All bars must be read one after the other, and none of them is decided."""


class PiecesOfTask:
    """The work on the pieces of a task."""

    def __init__(
        self,
        task: Task,
        reading: Reading,
        listeners: "Sequence[Listener[Any]]",
        tell: Tell,
        progress: OnProgress | None,
    ) -> None:
        levels = task.levels or task.config.checks._asdict()
        self._task = task
        self._reading = reading
        self._messages = HeldMessages(tell, is_certain=task.seen is None)
        self._findings = Findings(levels, self._messages.tell)
        self._listeners = cast("Sequence[SendingListener[Any]]", listeners)
        # A second pass proves by its digest that it saw what the first one saw.
        digest = task.digest or bool(listeners)
        self._terms = Terms(task.config.rules, levels, span=task.span, digest=digest)
        self._join = Join(self._terms, self._findings, task.known)
        self._pieces: list[Splits] = []
        self._settled: list[bytes] = []
        self._files: dict[str, FoundFile] = {}
        # The lines of the last file that the pieces so far have.
        self._lines = 0
        self._progress = _PiecesRead(progress)

    def decide(self, runner: Runner, pieces: list[Splits]) -> Found:
        """Decide all pieces; have listeners receive every bar, which takes a second pass."""
        self.read(runner, pieces)
        counted, digest = self._join.counted, self._join.digest if self._task.digest else None
        found = Found(counted, tally_of(counted), self._files, self._findings, digest)
        check_signals(self._task, found, tally_of(self._join.accounts))
        if self._listeners:
            self._listen(runner)
        return found

    def read(self, runner: Runner, pieces: list[Splits]) -> None:
        """Join what the first pass finds in all pieces; raises the first error of the bars."""
        left = pieces
        while left:
            left = self._decide_until_whole(runner, left)
        self._check_times()
        self._messages.tell_all()
        self._join.finish()

    def first_pass(self, pieces: Sequence[Splits]) -> FirstPass:
        """Return the first pass over pieces."""
        return FirstPass(pieces, self._reading, self._terms)

    def _decide_until_whole(self, runner: Runner, pieces: list[Splits]) -> list[Splits]:
        """Decide pieces, up to a file that must be read whole; return those that are left then."""
        work, held = self.first_pass(pieces), list[PackedRead]()
        for number, result in enumerate(runner.run(len(pieces), work.run)):
            read: PackedRead = pickle.loads(result)
            if read.packed is None:
                self._progress.take_back(held)
                return self._with_whole_file(pieces, number)
            held.append(read)
            self._progress.add(read)
            # Nothing of a file counts before all of its pieces could be read, but its first error.
            if read.is_refused or _ends_file(pieces, number):
                for at, each in enumerate(held, number + 1 - len(held)):
                    self._add(work, at, each.unpacked())
                held.clear()
        return []

    def _with_whole_file(self, pieces: list[Splits], number: int) -> list[Splits]:
        """Return the pieces from the file of one of them on, with this file as one piece.

        Those that follow and have the same suffix were likely written alike, so they are whole too.
        """
        file = pieces[number][0].file
        assert not pieces[number][0].is_whole, "a file that is one split can be read"
        suffix = file.path.rpartition(".")[2]
        left: list[Splits] = [[Split(file)]]
        for piece in pieces[number + 1 :]:
            first = piece[0]
            if len(piece) > 1 or first.file.path.rpartition(".")[2] != suffix:
                left.append(piece)
            elif first.number == 0:
                left.append([Split(first.file)])
        if len(left) == 1 and not self._pieces:
            raise UncutError
        return left

    def _add(self, work: FirstPass, number: int, read: FirstRead) -> None:
        """Join what the first pass found in a piece; raises its error."""
        read = self._with_true_lines(work, number, read)
        assert read.edges is not None, "the piece could be read"
        settled = self._joined(read.edges)
        if self._listeners:
            self._settled.append(packed_piece(settled))
        self._pieces.append(work.pieces[number])
        for path, file in read.files:
            rows_before = self._files[path].rows if path in self._files else 0
            self._files[path] = file._replace(rows=rows_before + file.rows)

    def _joined(self, edges: Edges) -> Settled:
        """Join the next edges; raises the first error in the order of the bars.

        What is an error if all bars are new may be a bar that an earlier run or file had already.
        """
        try:
            return self._join.add(edges)
        except JobError:
            if self._task.seen is None:
                raise
            raise UncutError from None

    def _check_times(self) -> None:
        """Leave to one process the times of which a state does not hold all."""
        if self._task.seen is not None and any(
            not -(2**63) < ns < 2**63
            for account in self._join.accounts.values()
            for ns in (account.first_ns or 0, account.last_ns or 0)
        ):
            raise UncutError

    def _with_true_lines(self, work: FirstPass, number: int, read: FirstRead) -> FirstRead:
        """Give the lines of a text their numbers: only now is it known how many are before them.

        A piece that has a message with such a number is read again.
        """
        before = self._lines if work.pieces[number][0].begin else 0
        if before and read.edges and self._join.tells(read.edges):
            read = work.read(number, before)
        elif before and read.edges:
            read = read._replace(edges=read.edges.moved(before))
        self._lines = before + read.lines
        return read

    def _listen(self, runner: Runner) -> None:
        """Decide all pieces again, for those that want every bar."""
        parts = [[listener.sent_part() for listener in self._listeners] for _ in self._pieces]
        work = SecondPass(self._pieces, self._reading, self._terms, self._settled, parts)
        for result in runner.run(len(self._pieces), work.run):
            for listener, ended in zip(self._listeners, pickle.loads(result), strict=True):
                listener.add(ended)


class _PiecesRead:
    """Report the bytes and rows of the pieces that have been read."""

    def __init__(self, progress: OnProgress | None) -> None:
        self._progress = progress
        self._bytes = self._rows = 0

    def add(self, read: PackedRead) -> None:
        """Add a piece."""
        self._bytes += read.bytes_read
        self._rows += read.rows
        if self._progress:
            self._progress(lambda: self._bytes, self._rows)

    def take_back(self, reads: Sequence[PackedRead]) -> None:
        """Do not count pieces that are read again."""
        self._bytes -= sum(read.bytes_read for read in reads)
        self._rows -= sum(read.rows for read in reads)


def _ends_file(pieces: list[Splits], number: int) -> bool:
    after = pieces[number + 1 : number + 2]
    return not after or after[0][0].file.path != pieces[number][-1].file.path
