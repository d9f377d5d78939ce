"""This module reads files that Spark shall sort, to know what is in them before they are sorted.

Executors read each piece of the files as any run does, so refusals and findings that do not depend
on the order of bars name the file and its line. Nothing is decided, and no bar is kept but a
sample of keys, which tells where the sorted bars are to be cut.
"""

import pickle
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING, NamedTuple

from rollsignal.core.digest import SymbolKeys, place_hashes
from rollsignal.core.edges import Event, FirstFile, Refusal, Terms, first_shown, refusal_in
from rollsignal.core.findings import FoundFile
from rollsignal.core.ledger import Ledger, have_symbols
from rollsignal.core.piece import PieceFindings
from rollsignal.core.reader import Bars, Reader
from rollsignal.core.symbols import SymbolCodes
from rollsignal.engines.passes import Reading, Splits
from rollsignal.engines.sorted_bars import codes_in, row_name_of, series_in, times_to_sort_by
from rollsignal.engines.splits import ReadWholeError, Split, lines_passed
from rollsignal.errors import JobError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# How many more keys than a sample has are held before the greatest are dropped.
HELD_SAMPLES = 4


class Sample(NamedTuple):
    """The keys of the rows with the least hashes: the number of the series, and the time in ns."""

    hashes: "NDArray[np.uint64]"
    codes: "NDArray[np.int64]"
    times_ns: "NDArray[np.int64]"


class ScannedFile(NamedTuple):
    """What is in the part of a file that a piece has.

    zones: for each series whether its times are known in UTC, in the order of the bars. found: None
    if an error ended the reading.
    """

    path: str
    name: str
    unit: str
    zones: Mapping[str, Sequence[bool | None]]
    found: FoundFile | None


class Scan(NamedTuple):
    """What is in a piece. Lines are numbered as if there were none before them.

    symbols: in the order of their numbers in the sample; none if bars have none.
    """

    files: Sequence[ScannedFile]
    first: FirstFile | None
    events: Sequence[Event]
    counts: Mapping[str, int]
    symbols: Sequence[str]
    sample: Sample
    lines: int
    bytes_read: int

    @property
    def refusal(self) -> Refusal | None:
        """Return what ends the run, if anything does."""
        return refusal_in(self.events)

    @property
    def rows(self) -> int:
        """Count the rows of all files."""
        return sum(file.found.rows for file in self.files if file.found)


class ScanPass(NamedTuple):
    """The reading of each piece by its number; sampled: how many keys a sample has."""

    pieces: Sequence[Splits]
    reading: Reading
    terms: Terms
    sampled: int

    def run(self, number: int) -> bytes:
        """Return the pickled `Scan` of a piece; None if its file must be read whole."""
        return pickle.dumps(self.read(number))

    def read(self, number: int, first_row: int | None = None) -> Scan | None:
        """Read a piece; an error of the bars is among its events."""
        scanning = _Scanning(self.terms, self.sampled)
        try:
            with closing(self.reading.opened(self.pieces[number], first_row)) as each:
                for split, opened in each:
                    scanning.take(split, opened)
        except ReadWholeError:
            return None
        except JobError as error:
            scanning.findings.refuse(0, 2, error)
        return scanning.scan()


class _Scanning:
    """Read the splits of a piece, and keep what is found in each."""

    def __init__(self, terms: Terms, sampled: int) -> None:
        self.findings = PieceFindings(terms)
        self._ledger = Ledger(terms.rules, self.findings)
        self._codes = SymbolCodes()
        self._sampling = _Sampling(sampled)
        self._files: list[ScannedFile] = []
        self._first: FirstFile | None = None
        self._lines = self._bytes = 0

    def take(self, split: Split, opened: AbstractContextManager[Reader]) -> None:
        """Read a split."""
        zones: dict[str, list[bool | None]] = {}
        rows = 0
        with opened as reader:
            file = ScannedFile(split.file.path, reader.name, row_name_of(reader), zones, None)
            self._files.append(file)
            for batch in reader.batches():
                self._add(batch, reader, zones)
                rows += batch.rows
            self._files[-1] = file._replace(found=FoundFile(rows, reader.describe()))
            self._bytes += reader.bytes_read()
            self._lines = lines_passed(reader)

    def _add(self, batch: Bars, reader: Reader, zones: dict[str, list[bool | None]]) -> None:
        if self._first is None:
            self._first = FirstFile(have_symbols(batch, reader), reader.name)
        self._ledger.report(batch, reader)
        self.findings.end_batch()
        times = times_to_sort_by(batch, reader)
        codes = codes_in(batch, reader, self._codes)
        for number in series_in(codes):
            seen = zones.setdefault(self._names()[number], [])
            if seen[-1:] != [reader.zoned]:
                seen.append(reader.zoned)
        self._sampling.add(self._names(), codes, times)

    def _names(self) -> list[str]:
        return self._codes.names or [""]

    def scan(self) -> Scan:
        """Return what was found."""
        self.findings.end_batch()
        return Scan(
            tuple(self._files),
            self._first,
            first_shown(self.findings.events),
            dict(self.findings.counts),
            tuple(self._codes.names),
            self._sampling.sample(),
            self._lines,
            self._bytes,
        )


class _Sampling:
    """Keep the keys of the rows with the least hashes."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._keys = SymbolKeys()
        self._held: list[Sample] = []

    def add(
        self,
        symbols: Sequence[str],
        codes: "NDArray[np.int64] | None",
        times_ns: "NDArray[np.int64]",
    ) -> None:
        """Add the keys of bars; symbols: those of all numbers so far."""
        import numpy as np

        numbers = np.zeros(len(times_ns), np.int64) if codes is None else codes
        hashes = place_hashes(self._keys.of(symbols), times_ns, numbers)
        self._held.append(least_of([Sample(hashes, numbers, times_ns)], self._size))
        if sum(len(each.hashes) for each in self._held) > HELD_SAMPLES * self._size:
            self._held = [self.sample()]

    def sample(self) -> Sample:
        """Return the keys that are left."""
        return least_of(self._held, self._size)


def least_of(samples: Sequence[Sample], size: int) -> Sample:
    """Return the keys with the least hashes of several samples, in no order."""
    import numpy as np

    if not samples:
        return Sample(np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64))
    hashes, codes, times_ns = zip(*samples, strict=True)
    whole = Sample(*map(np.concatenate, (hashes, codes, times_ns)))
    if len(whole.hashes) <= size:
        return whole
    least = np.argpartition(whole.hashes, size - 1)[:size]
    return Sample(whole.hashes[least], whole.codes[least], whole.times_ns[least])
