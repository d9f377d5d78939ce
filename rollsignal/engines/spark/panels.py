"""This module decides files of so many series that the edges of all pieces would be too large.

Spark sorts their bars by series, so that each piece has few series, and their edges are small. Bars
of a series keep the order in which files are read, and what depends on this order is found before.
"""

import os
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from rollsignal.core.edges import Edges, Terms
from rollsignal.core.findings import Findings, Found, tell_nobody
from rollsignal.core.joining import Settled
from rollsignal.core.kernel import Account, tally_of
from rollsignal.core.ledger import Rules
from rollsignal.core.piece import Piece
from rollsignal.core.reader import Bars, Reader
from rollsignal.engines.interface import OnProgress, Task
from rollsignal.engines.local import check_signals
from rollsignal.engines.passes import FirstPass, Reading, Splits
from rollsignal.engines.pieces import PiecesOfTask
from rollsignal.engines.runner import Runner
from rollsignal.engines.sorting import int64_times
from rollsignal.engines.spark.cuts import Cut, in_pieces, pieces_for
from rollsignal.engines.spark.file_rows import PLACED_DDL, PlacedRows, place_of
from rollsignal.engines.spark.session import cores_of
from rollsignal.engines.spark.shuffled import PlacedReading, UntimedReading
from rollsignal.engines.spark.tables import PIECES_OF_CORE, PiecesOfRows, mapped
from rollsignal.errors import BadCellError, DiskError
from rollsignal.messages import Tell

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pyspark.sql import SparkSession

    from rollsignal.core.listeners import Listener

MOST_EDGE_BYTES = 256 << 20
# What the edges of a piece have for each series and bar of the window: two closes and a time.
EDGE_BAR_BYTES = 24


class ManySeriesError(Exception):
    """The edges of all pieces would be too large."""


class UnplacedError(Exception):
    """Some bars have times beyond 64 bits, or only some have any, so they do not become numbers."""


class BoundedPiece(Piece):
    """A piece that takes no more series than its share of the edges has room for."""

    def __init__(self, terms: Terms, most_series: int) -> None:
        super().__init__(terms)
        self._most_series = most_series

    def take(self, batch: Bars, reader: Reader) -> None:
        """Decide a batch; raises `ManySeriesError`."""
        super().take(batch, reader)
        if self.series > self._most_series:
            raise ManySeriesError


class NumbersPiece(Piece):
    """A piece of bars that can become rows of numbers."""

    def take(self, batch: Bars, reader: Reader) -> None:
        """Decide a batch; raises `UnplacedError`."""
        super().take(batch, reader)
        try:
            int64_times(() if batch.timestamps_ns is None else batch.timestamps_ns)
        except BadCellError:
            raise UnplacedError from None


class BoundedPieces(PiecesOfTask):
    """The work on pieces whose edges the driver has room for; raises `ManySeriesError`."""

    def first_pass(self, pieces: Sequence[Splits]) -> FirstPass:
        """Return the first pass over pieces."""
        most = most_series(len(pieces), self._terms.rules.window)
        begin = partial(BoundedPiece, most_series=most)
        return super().first_pass(pieces)._replace(begin=begin, compresses=True)


class PanelOfTask(PiecesOfTask):
    """The files of a task, whose bars Spark sorts by series.

    They are first decided with a window of one bar. What is found wrong does not depend on the
    window, and edges without closes are small.
    """

    def __init__(
        self, task: Task, reading: Reading, tell: Tell, progress: OnProgress | None
    ) -> None:
        config = task.config._replace(window=1)
        checked = task._replace(config=config, digest=False, span=None)
        super().__init__(checked, reading, (), tell, progress)
        self._whole_task = task
        self._counts = SeriesCounts()

    def first_pass(self, pieces: Sequence[Splits]) -> FirstPass:
        """Return the first pass over pieces."""
        return super().first_pass(pieces)._replace(begin=NumbersPiece, compresses=True)

    def decide_sorted(
        self,
        session: "SparkSession",
        runner: Runner,
        pieces: list[Splits],
        listeners: "Sequence[Listener[Any]]",
    ) -> Found:
        """Decide all bars; raises the first error in the order in which the files are read.

        Listeners receive the bars of one series after those of the other.
        """
        self.read(runner, pieces)
        rows = self._sorted_rows(session, digest=self._whole_task.digest or bool(listeners))
        join = rows.joined(Findings({}, tell_nobody))
        self._prove(join.accounts)
        counted, task = self._as_read(join.counted), self._whole_task
        digest = join.digest if task.digest else None
        found = Found(counted, tally_of(counted), self._files, self._findings, digest)
        check_signals(task, found, tally_of(join.accounts))
        if listeners:
            rows.listen(listeners)
        return found

    def _joined(self, edges: Edges) -> Settled:
        settled = super()._joined(edges)
        self._counts.add({name: each.account.tally.rows for name, each in edges.series.items()})
        return settled

    def _sorted_rows(self, session: "SparkSession", *, digest: bool) -> PiecesOfRows:
        """Return the bars as rows that Spark sorts; digest: whether that of signals is needed."""
        task, window = self._whole_task, self._whole_task.config.window
        # What depends on the order of reading was told.
        off = dict.fromkeys(self._terms.levels, "off")
        rules = Rules(window, task.config.missing)
        terms = Terms(rules, off, span=task.span, digest=digest)
        most = min(cores_of(session) * PIECES_OF_CORE, most_series(1, window))
        cuts = self._counts.cuts(pieces_for(self._counts.rows, window, max(1, most)))
        symbols, count = self._counts.named, len(self._pieces)
        files = {file.path: number for number, file in enumerate(task.inputs)}
        work = PlacedRows(self._pieces, [0] * count, self._reading, symbols, files, os.getcwd())
        plan = in_pieces(mapped(session.range(0, count, 1, count), work, PLACED_DDL), cuts)
        reading = UntimedReading if self._is_untimed() else PlacedReading
        return PiecesOfRows(plan, len(cuts) + 1, reading(symbols, ("",)), terms)

    def _is_untimed(self) -> bool:
        """Return whether no bars have timestamps; raises `UnplacedError` if only some have any."""
        untimed = {account.first_ns is None for account in self._join.accounts.values()}
        if len(untimed) > 1:
            raise UnplacedError
        return True in untimed

    def _prove(self, accounts: Mapping[str, Account]) -> None:
        """Raise `DiskError` unless the bars of each series are those that were read first."""
        first = {symbol: _bars_seen(account) for symbol, account in self._join.accounts.items()}
        if first != {symbol: _bars_seen(account) for symbol, account in accounts.items()}:
            hint = "two readings of the same rows gave different bars; run again"
            raise DiskError("Input data file changed while it was read", hint)

    def _as_read(self, counted: Mapping[str, Account]) -> dict[str, Account]:
        """Return accounts in the order of the first reading, with the files that it found."""
        read = self._join.accounts
        accounts = {symbol: counted[symbol] for symbol in read if symbol in counted}
        if self._whole_task.span:
            return accounts
        return {
            symbol: account._replace(last_file=read[symbol].last_file, zoned=read[symbol].zoned)
            for symbol, account in accounts.items()
        }


class SeriesCounts:
    """How many bars of each series the pieces have, by the numbers of the series."""

    def __init__(self) -> None:
        self.rows = 0
        self._symbols: dict[str, int] = {}
        self._codes: list[NDArray[np.int64]] = []
        self._counts: list[NDArray[np.int64]] = []

    @property
    def named(self) -> tuple[str, ...]:
        """Return the symbols by their numbers; none if the bars have none."""
        return tuple(name for name in self._symbols if name)

    def add(self, rows: Mapping[str, int]) -> None:
        """Add how many bars of each series the next piece has."""
        import numpy as np

        numbers = [self._symbols.setdefault(name, len(self._symbols)) for name in rows]
        self._codes.append(np.array(numbers, np.int64))
        self._counts.append(np.array([*rows.values()], np.int64))
        self.rows += sum(rows.values())

    def cuts(self, count: int) -> list[Cut]:
        """Return where all pieces of sorted bars but the first begin, so that they are even.

        In a piece of a file, the bars of a series are taken to be spread evenly.
        """
        import numpy as np

        if count < 2:
            return []
        lengths = [len(codes) for codes in self._codes]
        codes, counts = np.concatenate(self._codes), np.concatenate(self._counts)
        pieces = np.repeat(np.arange(len(lengths)), lengths)
        piece_rows = np.array([int(each.sum()) for each in self._counts])
        order = np.lexsort((pieces, codes))
        ends = np.cumsum(counts[order])
        cuts: list[Cut] = []
        for wanted in (self.rows * number // count for number in range(1, count)):
            at = int(np.searchsorted(ends, wanted, "right"))
            code, piece = int(codes[order[at]]), int(pieces[order[at]])
            own = int(counts[order[at]])
            passed = (wanted - int(ends[at]) + own) * int(piece_rows[piece]) // own
            cuts.append(Cut(code, place_of(piece, passed)))
        return list(dict.fromkeys(cuts))


def most_series(pieces: int, window: int) -> int:
    """Return how many series each piece may have."""
    return MOST_EDGE_BYTES // (pieces * window * EDGE_BAR_BYTES)


def _bars_seen(account: Account) -> tuple[int, int | None, int | None]:
    return account.tally.rows, account.first_ns, account.last_ns
