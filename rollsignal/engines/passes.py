"""This module defines what is done to each piece of the bars, in any process.

The first pass decides a piece as if nothing came before it, and returns its edges. The second one
decides it with what came before it, for those that want every bar. A piece is a part of one file,
or several whole files.
"""

import pickle
import socket
import zlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING, Any, NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.edges import Edges, Terms
from rollsignal.core.findings import FoundFile
from rollsignal.core.joining import Settled
from rollsignal.core.piece import Piece
from rollsignal.core.reader import Reader
from rollsignal.core.replay import Replay
from rollsignal.engines.splits import (
    ReadWholeError,
    Split,
    lines_passed,
    opened_each,
    opened_split,
    splits_of,
)
from rollsignal.errors import InputError, JobError
from rollsignal.files.find import Input
from rollsignal.files.fingerprints import changed, stat_of
from rollsignal.files.formats import Format
from rollsignal.messages import shown_path

if TYPE_CHECKING:
    from rollsignal.core.decisions import Decided
    from rollsignal.core.listeners import Part

# The level at which compression takes the least time.
FAST = 1

Splits = Sequence[Split]
# A file's size and the time when it was last changed, which all machines see alike.
FileStamp = tuple[int, int]


class Reading(NamedTuple):
    """How files are cut into splits, and these are read.

    stamps: what the system said of each file when the run began, by its path. Where there are some,
    a file that is another one when it is read is refused.
    """

    config: JobConfig
    format: Format | None
    stamps: Mapping[str, FileStamp] = {}

    def splits(self, files: Sequence[Input], bytes_each: int) -> Splits:
        """Cut files into splits of about so many bytes; both are in the order of their bars."""
        return splits_of(files, self.config, self.format, bytes_each)

    def opened(
        self, splits: Splits, first_row: int | None = None
    ) -> Generator[tuple[Split, AbstractContextManager[Reader]], None, None]:
        """Yield each split with what opens it; whole small files are read many at once."""
        self._check(splits)
        yield from self._opened_each(splits, first_row)
        self._check(splits)

    def _opened_each(
        self, splits: Splits, first_row: int | None
    ) -> Generator[tuple[Split, AbstractContextManager[Reader]], None, None]:
        if len(splits) == 1:
            yield splits[0], self.open(splits[0], first_row)
            return
        with closing(opened_each(splits, self.config, self.format)) as each:
            for split, (_, opened) in zip(splits, each, strict=True):
                yield split, opened

    def _check(self, splits: Splits) -> None:
        """Raise `InputError` for a file that is not here, and `DiskError` for one that changed."""
        if not self.stamps:
            return
        for path in {split.file.path for split in splits}:
            wanted, found = self.stamps.get(path), stat_of(path)
            if wanted and not found:
                raise InputError(
                    f"{shown_path(path)} is not on {socket.gethostname()}, which shall read it",
                    "put the inputs where all machines see them at the same path",
                )
            if found and found[:2] != wanted:
                raise changed(path)

    def open(self, split: Split, first_row: int | None) -> AbstractContextManager[Reader]:
        """Open a split."""
        return opened_split(split, self.config, self.format, first_row)


class FirstRead(NamedTuple):
    """What the first pass finds in a piece; `edges` is None if its file must be read whole.

    files: the rows and description of each. lines: how many lines a split of a text has. They are
    numbered as if there were none before them, and so are the places in the edges.
    """

    edges: Edges | None
    files: tuple[tuple[str, FoundFile], ...] = ()
    bytes_read: int = 0
    lines: int = 0

    @property
    def rows(self) -> int:
        """Count the rows of all files."""
        return sum(file.rows for _, file in self.files)


def packed_piece(value: object) -> bytes:
    """Pack what a piece finds, or needs: its series have much in common."""
    return zlib.compress(pickle.dumps(value), FAST)


def unpacked_piece(data: bytes) -> Any:
    """Return what was packed."""
    return pickle.loads(zlib.decompress(data))


class PackedRead(NamedTuple):
    """A `FirstRead` as it waits for others: `packed` is None if its file must be read whole.

    is_compressed: how it is packed. is_refused: whether it ends in an error.
    """

    packed: bytes | None
    is_compressed: bool = False
    is_refused: bool = False
    bytes_read: int = 0
    rows: int = 0

    def unpacked(self) -> FirstRead:
        """Return the read."""
        if self.packed is None:
            return FirstRead(None)
        read: FirstRead = (unpacked_piece if self.is_compressed else pickle.loads)(self.packed)
        return read


class FirstPass(NamedTuple):
    """The first pass, for each piece by its number.

    begin: makes a piece without bars. compresses: whether what is found is packed tightly: many
    series have much in common.
    """

    pieces: Sequence[Splits]
    reading: Reading
    terms: Terms
    begin: Callable[[Terms], Piece] = Piece
    compresses: bool = False

    def run(self, number: int) -> bytes:
        """Return the pickled `PackedRead` of a piece."""
        read = self.read(number)
        if read.edges is None:
            return pickle.dumps(PackedRead(None))
        pack = packed_piece if self.compresses else pickle.dumps
        facts = read.edges.refusal is not None, read.bytes_read, read.rows
        return pickle.dumps(PackedRead(pack(read), self.compresses, *facts))

    def read(self, number: int, first_row: int | None = None) -> FirstRead:
        """Decide a piece; an error of the bars is in its edges."""
        piece, taking = self.begin(self.terms), _Taking()
        try:
            with closing(self.reading.opened(self.pieces[number], first_row)) as each:
                for split, opened in each:
                    taking.take(split, opened, piece)
        except ReadWholeError:
            return FirstRead(None)
        except JobError as error:
            piece.refuse(error)
        return FirstRead(piece.edges(), tuple(taking.files), taking.bytes_read, taking.lines)


class _Taking:
    """Pass the bars of splits on, and keep what is found in each."""

    def __init__(self) -> None:
        self.files: list[tuple[str, FoundFile]] = []
        self.bytes_read = self.lines = 0

    def take(self, split: Split, opened: AbstractContextManager[Reader], piece: Piece) -> None:
        """Pass the bars of a split on."""
        rows = 0
        with opened as reader:
            for batch in reader.batches():
                piece.take(batch, reader)
                rows += batch.rows
            self.files.append((split.file.path, FoundFile(rows, reader.describe())))
            self.bytes_read += reader.bytes_read()
            self.lines = lines_passed(reader)


class SecondPass(NamedTuple):
    """The second pass, for each piece by its number; `parts` are those of the listeners.

    settled: what is settled of each piece, packed by `packed_piece`: each needs only its own.
    """

    pieces: Sequence[Splits]
    reading: Reading
    terms: Terms
    settled: Sequence[bytes]
    parts: "Sequence[Sequence[Part[Any]]]"

    def run(self, number: int) -> bytes:
        """Decide a piece; return, pickled, what the listeners' parts return."""
        parts = self.parts[number]

        def take(bars: "Decided") -> None:
            for part in parts:
                part.take(bars)

        settled: Settled = unpacked_piece(self.settled[number])
        replay = Replay(self.terms, settled, take)
        with closing(self.reading.opened(self.pieces[number])) as each:
            for _, opened in each:
                with opened as reader:
                    for batch in reader.batches():
                        replay.take(batch, reader)
        replay.prove()
        return pickle.dumps([part.end() for part in parts])
