"""This module defines what an executor does with the rows of a table that is cut into pieces."""

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.edges import Edges, Terms
from rollsignal.core.joining import Settled
from rollsignal.core.kernel import greatest
from rollsignal.core.piece import Piece
from rollsignal.core.reader import Bars
from rollsignal.core.replay import Replay
from rollsignal.engines.spark.piece_frames import RowsReading, frames_by_piece
from rollsignal.engines.worker import sendable
from rollsignal.errors import DiskError, JobError
from rollsignal.files.find import Input
from rollsignal.readers.handed import HandedReader, Key, unsorted

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from rollsignal.core.decisions import Decided
    from rollsignal.core.listeners import Part
    from rollsignal.engines.spark.piece_frames import Batches, Frames

    ToFrame = Callable[[Decided], pl.DataFrame]


class TableReading(NamedTuple):
    """How the rows of a table are read, wherever: `schema` has a type for each column's name.

    close_type: the type of the closes, None if the number of their digits is not in their type.
    """

    file: Input
    schema: "pl.Schema"
    config: JobConfig
    close_type: "pl.Decimal | None"

    @property
    def measured(self) -> bool:
        """Return whether the digits of the closes are not in their type, so they are counted."""
        return self.close_type is None

    def reader(self) -> HandedReader:
        """Return a reader for the frames of a piece."""
        return HandedReader(self.file, self.schema, self.config)

    def pieces(self, batches: "Batches") -> "Iterator[tuple[int, Frames]]":
        """Yield the pieces of a partition, each with its frames; raises `DiskError`."""
        return frames_by_piece(batches, self.schema.names(), self.unsorted)

    def unsorted(self) -> DiskError:
        """Return the error for rows that come in another order than they were asked for."""
        return unsorted(self.file.name)


class TableRead(NamedTuple):
    """What the first pass finds in a piece.

    dropped: the rows left out. begin, end: the keys of its first and last bar. whole, decimals: the
    most digits that its closes may need before and after their points.
    """

    edges: Edges
    rows: int
    dropped: int
    begin: Key | None
    end: Key | None
    whole: int
    decimals: int


class FirstTablePass(NamedTuple):
    """The first pass over a table: it yields the edges of each piece."""

    reading: RowsReading
    terms: Terms

    def __call__(self, batches: "Batches") -> "Batches":
        """Yield the number of each piece, and its pickled `TableRead`."""
        return _answered(self.reading, batches, self._read)

    def _read(self, number: int, frames: "Frames") -> TableRead:
        """Decide a piece; an error of the bars is in its edges."""
        piece, reader = Piece(self.terms), self.reading.reader()
        sizes = _Sizes(measured=self.reading.measured)
        try:
            for frame in frames:
                for batch in reader.batches_of(frame):
                    piece.take(batch, reader)
                    sizes.add(batch)
        except JobError as error:
            piece.refuse(error)
        rows, ends = (sizes.rows, reader.dropped), (reader.begin, reader.end)
        return TableRead(piece.edges().unnumbered(), *rows, *ends, sizes.whole, sizes.decimals)


class SecondTablePass(NamedTuple):
    """The second pass for listeners: it yields what their parts return.

    settled, parts: those of each piece, by its number.
    """

    reading: RowsReading
    terms: Terms
    settled: Mapping[int, Settled]
    parts: "Mapping[int, Sequence[Part[Any]]]"

    def __call__(self, batches: "Batches") -> "Batches":
        """Yield the number of each piece, and a pickled list of results."""
        return _answered(self.reading, batches, self._end)

    def _end(self, number: int, frames: "Frames") -> list[Any]:
        parts = self.parts[number]

        def take(bars: "Decided") -> None:
            for part in parts:
                part.take(bars)

        replay = Replay(self.terms, self.settled[number], take)
        reader = self.reading.reader()
        for frame in frames:
            for batch in reader.batches_of(frame):
                replay.take(batch, reader)
        replay.prove()
        return [part.end() for part in parts]


class SignalsPass(NamedTuple):
    """The second pass for a table of signals: it yields their rows.

    to_frame: makes a frame of decided bars, with the columns of the Arrow schema.
    """

    reading: RowsReading
    terms: Terms
    settled: Mapping[int, Settled]
    to_frame: "ToFrame"
    schema: "pa.Schema"

    def __call__(self, batches: "Batches") -> "Batches":
        """Yield a row for every bar; raises `DiskError` if they are not those of the first pass."""
        for number, frames in self.reading.pieces(batches):
            yield from self._rows(number, frames)

    def _rows(self, number: int, frames: "Frames") -> "Batches":
        import pyarrow as pa

        decided: list[Decided] = []
        replay = Replay(self.terms, self.settled[number], decided.append)
        reader = self.reading.reader()
        for frame in frames:
            for batch in reader.batches_of(frame):
                replay.take(batch, reader)
                for bars in decided:
                    table = self.to_frame(bars).to_arrow()
                    columns = [table.column(name) for name in self.schema.names]
                    cast = map(pa.ChunkedArray.cast, columns, self.schema.types)
                    yield from pa.Table.from_arrays([*cast], schema=self.schema).to_batches()
                decided.clear()
        replay.prove()


class _Sizes:
    """Count rows and, if they are measured, the digits that their closes may need."""

    def __init__(self, *, measured: bool) -> None:
        self.rows = self.whole = self.decimals = 0
        self._measured = measured

    def add(self, batch: Bars) -> None:
        """Add the bars of a batch."""
        self.rows += batch.rows
        if self._measured:
            values, scale = batch.closes.values, batch.closes.scale
            if isinstance(values, list):
                most = max((abs(tick) for tick in values if tick is not None), default=0)
            else:
                most = greatest(values)
            self.whole = max(self.whole, len(str(most // 10**scale)))
            self.decimals = max(self.decimals, scale)


def _answered(
    reading: RowsReading, batches: "Batches", act: "Callable[[int, Frames], object]"
) -> "Batches":
    """Yield the number of each piece, and the pickled pair of a result and an error."""
    import pyarrow as pa

    def row(number: int, answer: object, error: BaseException | None) -> "pa.RecordBatch":
        columns = [pa.array([number], pa.int64()), pa.array([pickle.dumps((answer, error))])]
        return pa.RecordBatch.from_arrays(columns, ["number", "answer"])

    number = -1
    try:
        for number, frames in reading.pieces(batches):
            yield row(number, act(number, frames), None)
    except Exception as error:
        yield row(number, None, sendable(error))
