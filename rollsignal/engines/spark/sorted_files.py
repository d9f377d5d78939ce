"""This module decides files whose bars Spark sorts, as `sort: true` asks.

Our readers read the files in tasks of Spark, twice: once to know what is in them, once to hand
their bars to Spark as rows, which it shuffles and sorts into pieces as it does those of a table.
"""

import os
import pickle
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rollsignal.core.edges import FirstFile, Refusal, Terms, report_events
from rollsignal.core.findings import (
    Findings,
    Found,
    FoundFile,
    LocatedFinding,
    mixed_symbols,
    zones_misfit,
)
from rollsignal.core.joining import Join
from rollsignal.core.kernel import tally_of
from rollsignal.engines.interface import OnProgress, Task
from rollsignal.engines.local import check_signals
from rollsignal.engines.passes import Reading, Splits
from rollsignal.engines.runner import Runner
from rollsignal.engines.spark.cuts import Cut, in_pieces, sample_size, spread
from rollsignal.engines.spark.file_rows import DDL, RowsOfFiles
from rollsignal.engines.spark.scanning import Sample, Scan, ScannedFile, ScanPass, least_of
from rollsignal.engines.spark.session import cores_of
from rollsignal.engines.spark.shuffled import SortedReading
from rollsignal.engines.spark.tables import PIECES_OF_CORE, PiecesOfRows, mapped
from rollsignal.engines.splits import Split
from rollsignal.errors import DiskError
from rollsignal.files.find import Input
from rollsignal.files.fingerprints import changed
from rollsignal.messages import Tell

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from rollsignal.core.listeners import Listener


class SortedFilesOfTask:
    """The files of a task whose bars Spark sorts.

    reading: how files are cut and read.
    """

    def __init__(
        self, task: Task, reading: Reading, tell: Tell, progress: OnProgress | None
    ) -> None:
        levels = task.levels or task.config.checks._asdict()
        self._task = task
        self._reading = reading
        self._progress = progress
        self._findings = Findings(levels, tell)
        self._terms = Terms(task.config.rules, levels, span=task.span)

    def decide(
        self,
        session: "SparkSession",
        runner: Runner,
        pieces: Sequence[Splits],
        listeners: "Sequence[Listener[Any]]",
    ) -> Found:
        """Decide all bars; raises `DataError` if there is no signal, or bars cannot be trusted.

        pieces: parts of the files in the order given.
        """
        most = cores_of(session) * PIECES_OF_CORE
        scanned = self._scanned(runner, pieces, sample_size(most))
        rows = sum(file.rows for file in scanned.files.values())
        join, dropped = Join(self._terms, self._findings), 0
        if rows:
            cuts = spread(scanned.sample(sample_size(most)), rows, self._task.config.window, most)
            sorted_rows = self._sorted_rows(session, scanned, cuts)
            join = sorted_rows.joined(self._findings)
            dropped = sorted_rows.dropped
            if sorted_rows.rows + dropped != rows:
                hint = "two readings of the same rows gave different bars; run again"
                raise DiskError("Input data file changed while it was read", hint)
        self._leave_out_rows_of_gaps()
        counted, digest = join.counted, join.digest if self._task.digest else None
        found = Found(counted, tally_of(counted), scanned.files, self._findings, digest, dropped)
        check_signals(self._task, found, tally_of(join.accounts))
        if listeners:
            sorted_rows.listen(listeners)
        return found

    def _scanned(self, runner: Runner, pieces: Sequence[Splits], sampled: int) -> "_Scanned":
        """Read all files; raises the first error in the order of the files."""
        work = ScanPass(pieces, self._reading, self._terms, sampled)
        scans = [pickle.loads(result) for result in runner.run(len(pieces), work.run)]
        whole = _to_read_whole(pieces, scans)
        again = work._replace(pieces=[[Split(file)] for file in whole])
        scans_again = [pickle.loads(result) for result in runner.run(len(whole), again.run)]
        instead = dict(zip((file.path for file in whole), scans_again, strict=True))
        scanned = _Scanned(work, self._findings, self._progress)
        for piece, scan in zip(pieces, scans, strict=True):
            file = piece[0].file
            if file.path not in instead:
                scanned.add(piece, scan)
            elif piece[0].number == 0:
                scanned.add([Split(file)], instead[file.path])
        return scanned

    def _sorted_rows(
        self, session: "SparkSession", scanned: "_Scanned", cuts: Sequence[Cut]
    ) -> PiecesOfRows:
        """Return the bars as rows that Spark sorts."""
        files = {file.path: number for number, file in enumerate(self._task.inputs)}
        symbols = tuple(scanned.symbols)
        work = RowsOfFiles(
            scanned.pieces, scanned.first_rows, self._reading, symbols, files, os.getcwd()
        )
        count = len(scanned.pieces)
        plan = in_pieces(mapped(session.range(0, count, 1, count), work, DDL), cuts)
        units = tuple(scanned.units.get(path, path) for path in files)
        reading = SortedReading(symbols, units, self._task.config.duplicates)
        return PiecesOfRows(plan, len(cuts) + 1, reading, self._terms)

    def _leave_out_rows_of_gaps(self) -> None:
        """Show no numbers for gaps: only one sorted file would tell them."""
        shown = self._findings.shown
        shown[:] = [each._replace(row=None) if each.check == "gaps" else each for each in shown]


class _Scanned:
    """What the files have, added piece by piece in the order given.

    `pieces` are those that were read, `first_rows` the lines before each in its file. `units` is
    what a row of each file is called, and `symbols` the number of each symbol.
    """

    def __init__(self, work: ScanPass, findings: Findings, progress: OnProgress | None) -> None:
        self.pieces: list[Splits] = []
        self.first_rows: list[int] = []
        self.files: dict[str, FoundFile] = {}
        self.units: dict[str, str] = {}
        self.symbols: dict[str, int] = {}
        self._work = work
        self._findings = findings
        self._progress = progress
        self._samples: list[Sample] = []
        self._first: FirstFile | None = None
        self._zones: dict[str, tuple[str, bool | None]] = {}
        self._lines = self._bytes = 0

    def add(self, piece: Splits, scan: Scan | None) -> None:
        """Add what is in a piece; raises the first error."""
        before = self._lines if piece[0].begin else 0
        if before and scan and self._tells(scan):
            # Only now it is known how many lines are before it.
            scan = self._work._replace(pieces=[piece]).read(0, before)
        if scan is None:
            raise changed(piece[0].file.path)
        self._check_symbols(scan.first)
        for file in scan.files:
            self._check_zones(file)
        report_events(scan.events, scan.counts, self._findings)
        self._keep(scan)
        self.pieces.append(piece)
        self.first_rows.append(before)
        self._lines = before + scan.lines

    def sample(self, size: int) -> list[Cut]:
        """Return the keys of the rows with the least hashes, in order."""
        import numpy as np

        _, codes, times_ns = least_of(self._samples, size)
        order = np.lexsort((times_ns, codes))
        return list(map(Cut, codes[order].tolist(), times_ns[order].tolist()))

    def _tells(self, scan: Scan) -> bool:
        """Return whether a piece has an error, or a finding to show."""
        return any(
            isinstance(event, Refusal)
            or (isinstance(event, LocatedFinding) and self._findings.shows(event.check))
            for event in scan.events
        )

    def _check_symbols(self, first: FirstFile | None) -> None:
        """Raise `DataError` for bars with symbols beside bars without."""
        self._first = self._first or first
        if first and self._first and first.has_symbols != self._first.has_symbols:
            raise mixed_symbols(self._first.name, first.has_symbols, first.name)

    def _check_zones(self, file: ScannedFile) -> None:
        """Raise `DataError` for a series of which only some files have times with a zone."""
        for symbol, seen in file.zones.items():
            for zoned in seen:
                name, before = self._zones.setdefault(symbol, (file.name, zoned))
                if zoned != before:
                    raise zones_misfit(name, file.name, bool(before))

    def _keep(self, scan: Scan) -> None:
        """Keep the rows of files, the symbols and the sample of a piece."""
        import numpy as np

        for file in scan.files:
            assert file.found, "a piece without an error was read to its end"
            rows_before = self.files[file.path].rows if file.path in self.files else 0
            self.files[file.path] = file.found._replace(rows=rows_before + file.found.rows)
            self.units[file.path] = file.unit
        numbers = [self.symbols.setdefault(name, len(self.symbols)) for name in scan.symbols]
        codes = np.array(numbers or [0], np.int64)[scan.sample.codes]
        self._samples.append(scan.sample._replace(codes=codes))
        self._bytes += scan.bytes_read
        if self._progress:
            self._progress(lambda: self._bytes, sum(each.rows for each in self.files.values()))


def _to_read_whole(pieces: Sequence[Splits], scans: Sequence[Scan | None]) -> list[Input]:
    """List the files of which a part cannot be read by itself, and no part before it is wrong."""
    whole: dict[str, Input] = {}
    refused: set[str] = set()
    for piece, scan in zip(pieces, scans, strict=True):
        file = piece[0].file
        if scan is None and file.path not in refused:
            whole[file.path] = file
        elif scan and scan.refusal:
            refused.add(file.path)
    return list(whole.values())
